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

_KEPT = re.compile(r"assert (\d+) (\d+): (.*)", re.DOTALL)
"""No name of Python's has a space in it, so no test and no student can have one of these."""
_MOST = 8
HINT = (
    "(An object of the notebook equals only itself, and is an instance of the notebook's classes alone. "
    "Compare what it gives: list(x), float(x), x.name.)"
)
"""For the author of the test, who may have meant it to equal plain data."""


def keeping(tree: ast.Module) -> ast.Module:
    """The tree, with assertions that keep the values of their parts."""
    kept: ast.Module = _Keeper().visit(tree)
    return kept


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
    found = [kept for name in names if (kept := _KEPT.fullmatch(name))]
    told = [kept for kept in found if lines and int(kept[1]) <= lines[-1] <= int(kept[2])][:_MOST]
    for kept in told:
        with contextlib.suppress(Exception):  # a number of more digits than Python writes out
            error.add_note(f"{kept[3]} is {quoted(names[kept[0]])}")
    if any(reference_of(names[kept[0]]) is not None for kept in told):
        error.add_note(HINT)


def forget(names: dict[str, Any]) -> None:
    for name in [n for n in names if " " in n]:
        dict.pop(names, name)


class _Keeper(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        self.lines = f"assert {node.lineno} {node.end_lineno}"
        node.test = self.part(node.test)
        return node

    def left(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = left

    def part(self, node: ast.expr) -> ast.expr:
        """What decides: both sides of a comparison, the arguments of a call."""
        if isinstance(node, ast.Compare):
            node.left, node.comparators = self.kept(node.left), [self.kept(side) for side in node.comparators]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node.operand = self.part(node.operand)
        elif isinstance(node, ast.BoolOp):
            node.values = [self.part(value) for value in node.values]
        elif isinstance(node, ast.Call) and node.args:
            node.args = [self.kept(argument) for argument in node.args]
        else:
            return self.kept(node)
        return node

    def kept(self, node: ast.expr) -> ast.expr:
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
