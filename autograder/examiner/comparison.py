"""The operands of a failed ``assert``, for the instructor's detail: Python's own message names only the line.

Each operand is computed once, as the test says, and stored among the test's names while its statement runs. Functions
and classes that the test defines are left alone, because they have names of their own; but a pytest function is the
test.
"""

from __future__ import annotations

import ast
import contextlib
import re
import traceback
from collections.abc import Iterator
from typing import Any

from autograder._util.syntax import is_literal, parsed
from autograder.check.equality import is_known
from autograder.check.handle import reference_of
from autograder.check.values import quoted
from autograder.syntax.pytest_cells import MODULE

_RECORDED = re.compile(r"assert (\d+) (\d+): (.*)", re.DOTALL)
"""Form of the names for operands. A Python name contains no space, so neither a test nor a student can have such a
name."""
MAX_NOTES = 8
HINT = (
    "(An object of the notebook equals only itself, and is an instance only of the notebook's classes. "
    "Compare its values: list(x), float(x), x.name.)"
)
"""For the test's author, who may have expected the object to equal plain data."""


def record_operands(tree: ast.Module) -> ast.Module:
    """Return the tree with assertions that record their operands."""
    recorded: ast.Module = _OperandRecorder().visit(tree)
    return recorded


def explain(error: BaseException, file: str, names: dict[str, Any]) -> None:
    """Add a note for each operand to a failed assertion of the test: ``guess(5) is 2``.

    Args:
        error: the exception that ended a statement of the test.
        file: the file name under which the test was compiled.
        names: the test's globals.
    """
    if type(error) is not AssertionError or hasattr(error, "remote"):
        return
    frames = [entry for entry in traceback.walk_tb(error.__traceback__) if entry[0].f_code.co_filename == file]
    lines = [line for _, line in frames]
    if frames and frames[-1][0].f_code.co_name != "<module>":  # a pytest function, whose names are its own
        names = dict(frames[-1][0].f_locals)
    operands = [recorded for name in names if (recorded := _RECORDED.fullmatch(name))]
    described = [recorded for recorded in operands if lines and int(recorded[1]) <= lines[-1] <= int(recorded[2])][
        :MAX_NOTES
    ]
    for recorded in described:
        with contextlib.suppress(Exception):  # e.g. a number with more digits than Python converts
            error.add_note(f"{recorded[3]} is {quoted(names[recorded[0]])}")
    for name, value in _inputs([recorded[3] for recorded in described], names):
        with contextlib.suppress(Exception):
            error.add_note(f"{name} is {quoted(value)}")
    if any(reference_of(names[recorded[0]]) is not None for recorded in described):
        error.add_note(HINT)


def _inputs(operands: list[str], names: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the test's own data that operands were computed from: the ``n`` of ``guess(n)``."""
    named_inputs = set(operands)
    for operand in operands:
        tree = parsed(operand)
        for node in ast.walk(tree) if tree is not None else ():
            name = node.id if isinstance(node, ast.Name) else ""
            value = dict.get(names, name)  # what the test has, without asking the notebook
            if (
                value is not None
                and is_known(value)
                and name not in named_inputs
                and len(named_inputs) < len(operands) + MAX_NOTES
            ):
                named_inputs.add(name)
                yield name, value


def forget(names: dict[str, Any]) -> None:
    """Remove the recorded operands from the test's globals."""
    for name in [n for n in names if " " in n]:
        dict.pop(names, name)


class _OperandRecorder(ast.NodeTransformer):
    in_test_file = False

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        """Record the operands of an assertion."""
        self.lines = f"assert {node.lineno} {node.end_lineno}"
        node.test = self.part(node.test)
        return node

    def skip(self, node: ast.AST) -> ast.AST:
        """Return the definition unchanged."""
        return node

    visit_AsyncFunctionDef = visit_Lambda = skip

    def definition(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        """Record in a pytest function, which no student's code gets; return other definitions unchanged."""
        is_file = node.name == MODULE
        self.in_test_file |= is_file
        is_test = self.in_test_file and node.name.lower().startswith("test")
        return self.generic_visit(node) if is_file or is_test else node

    visit_FunctionDef = visit_ClassDef = definition

    def part(self, node: ast.expr) -> ast.expr:
        """Record the operands that decide: both sides of a comparison, the arguments of a call."""
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
        """Return an expression that also stores its value."""
        if isinstance(node, ast.Starred | ast.GeneratorExp | ast.NamedExpr | ast.Lambda) or is_literal(node):
            return node
        target = ast.Name(f"{self.lines}: {ast.unparse(node)[:200]}", ast.Store())
        return ast.copy_location(ast.NamedExpr(ast.copy_location(target, node), node), node)
