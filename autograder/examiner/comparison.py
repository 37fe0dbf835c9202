"""What a failed ``assert`` compared, for the examiner's detail: Python's own says nothing but the line.

Each part of an assertion is computed once, as the test says it, and kept beside the test's names while its statement
runs. Functions and classes of the test are left as they are: their names are their own.
"""

from __future__ import annotations

import ast
import contextlib
import re
import traceback
from typing import Any

from autograder.check.handle import reference_of
from autograder.check.values import quoted

_RECORDED = re.compile(r"assert (\d+) (\d+): (.*)", re.DOTALL)
"""No name of Python's has a space in it, so no test and no student can have one of these."""
MAX_NOTES = 8
HINT = (
    "(An object of the notebook equals only itself, and is an instance of the notebook's classes alone. "
    "Compare what it gives: list(x), float(x), x.name.)"
)
"""For the author of the test, who may have meant it to equal plain data."""


def record_operands(tree: ast.Module) -> ast.Module:
    """The tree, with assertions that keep the values of their parts."""
    recorded: ast.Module = _OperandRecorder().visit(tree)
    return recorded


def explain(error: BaseException, file: str, names: dict[str, Any]) -> None:
    """Give a failed assertion of the test's own a note for each part: ``guess(5) is 2``.

    Args:
        error: what ended a statement of the test.
        file: the file name that the test was compiled under.
        names: the test's globals.
    """
    if type(error) is not AssertionError or hasattr(error, "remote"):
        return
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    found = [recorded for name in names if (recorded := _RECORDED.fullmatch(name))]
    described = [recorded for recorded in found if lines and int(recorded[1]) <= lines[-1] <= int(recorded[2])][
        :MAX_NOTES
    ]
    for recorded in described:
        with contextlib.suppress(Exception):  # a number of more digits than Python writes out
            error.add_note(f"{recorded[3]} is {quoted(names[recorded[0]])}")
    if any(reference_of(names[recorded[0]]) is not None for recorded in described):
        error.add_note(HINT)


def forget(names: dict[str, Any]) -> None:
    for name in [n for n in names if " " in n]:
        dict.pop(names, name)


class _OperandRecorder(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        self.lines = f"assert {node.lineno} {node.end_lineno}"
        node.test = self.part(node.test)
        return node

    def skip(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = skip

    def part(self, node: ast.expr) -> ast.expr:
        """What decides: both sides of a comparison, the arguments of a call."""
        if isinstance(node, ast.Compare):
            node.left, node.comparators = self.recorded(node.left), [self.recorded(side) for side in node.comparators]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node.operand = self.part(node.operand)
        elif isinstance(node, ast.BoolOp):
            node.values = [self.part(value) for value in node.values]
        elif isinstance(node, ast.Call) and node.args:
            node.args = [self.recorded(argument) for argument in node.args]
        else:
            return self.recorded(node)
        return node

    def recorded(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Starred | ast.GeneratorExp | ast.NamedExpr | ast.Lambda) or _is_literal(node):
            return node
        target = ast.Name(f"{self.lines}: {ast.unparse(node)[:200]}", ast.Store())
        return ast.copy_location(ast.NamedExpr(ast.copy_location(target, node), node), node)


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
