"""Statements of a test cell that look like assertions and can fail nobody."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from autograder.syntax.refusals import dotted

CellFault = tuple[ast.AST, str, str]
"""Where, why, and what to write instead."""

_METHODS = frozenset({"all", "any", "equals", "empty", "isdigit", "issubset", "issuperset", "startswith", "endswith"})
_ATTRIBUTES = frozenset({"empty"})
"""Names among them that pandas has as values: they need no call."""
_TELL = _METHODS | {
    "allclose",
    "array_equal",
    "array_equiv",
    "callable",
    "hasattr",
    "isclose",
    "isinstance",
    "issubclass",
}
"""Calls that say yes or no, and raise nothing."""


def certain(tree: ast.Module, imports: Mapping[str, str]) -> Iterator[CellFault]:
    """Find statements that can fail nobody.

    Args:
        tree: the test cell.
        imports: what the notebook's names are imported from.
    """
    awaited = {  # an exception of theirs may be what decides
        inner for node in ast.walk(tree) if isinstance(node, ast.With | ast.Try) for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield from _assertion(node)
        elif isinstance(node, ast.Expr) and node not in awaited and _only_tells(node.value, imports):
            yield node, "it says whether it is so, and nothing asserts it", "put assert in front of it"


def _assertion(node: ast.Assert) -> Iterator[CellFault]:
    test = node.test
    if isinstance(test, ast.Tuple) and test.elts:
        yield node, "a tuple in parentheses is always true", "write assert condition, text without the parentheses"
    for part in test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]:
        if isinstance(part, ast.Constant) and part.value:
            yield node, f"{ast.unparse(part)[:40]} is always true", "assert what the answer must be"
    for part in test.values if isinstance(test, ast.BoolOp) else [test]:
        if isinstance(part, ast.Attribute) and part.attr in _METHODS - _ATTRIBUTES:
            yield node, f"{part.attr} is not called here, and a method is always true", f"write {part.attr}()"


def _only_tells(value: ast.expr, imports: Mapping[str, str]) -> bool:
    if isinstance(value, ast.Compare):
        return True
    if isinstance(value, ast.Attribute):
        return value.attr in _METHODS - _ATTRIBUTES
    return isinstance(value, ast.Call) and dotted(value.func, imports).rpartition(".")[2] in _TELL
