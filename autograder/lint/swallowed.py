"""Failed assertions of a test cell that an ``except`` passes over."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from autograder.syntax.refusals import dotted

CellFault = tuple[ast.AST, str, str]
"""Place, reason and remedy."""

_CATCHING = frozenset({"", "AssertionError", "Exception", "BaseException"})
"""Classes that a failed assertion belongs to; empty: a bare ``except``."""


def swallowed(tree: ast.AST) -> set[ast.AST]:
    """Return the nodes whose failure no test ends with: what stands in such a ``try``."""
    return {inner for block in _blocks(tree) for statement in block.body for inner in ast.walk(statement)}


def swallowed_assertions(tree: ast.AST, asserts: Callable[[ast.Call], bool]) -> Iterator[CellFault]:
    """Yield the ``except`` lines that pass over failed assertions.

    Args:
        tree: the test cell.
        asserts: tells whether a call is an assertion or a check.
    """
    for block in _blocks(tree):
        inner = [node for statement in block.body for node in ast.walk(statement)]
        if any(isinstance(n, ast.Assert) or (isinstance(n, ast.Call) and asserts(n)) for n in inner):
            handler = next(each for each in block.handlers if _catches(each))
            reason = "this passes over a failed assertion, so that the test gives its points to any answer"
            yield handler, reason, "put the assertions behind the `try`, or name the one exception that is meant"


def _blocks(tree: ast.AST) -> Iterator[ast.Try]:
    for node in ast.walk(tree):
        caught = [each for each in node.handlers if _catches(each)] if isinstance(node, ast.Try) else []
        if isinstance(node, ast.Try) and caught and all(map(_is_idle, caught[0].body)):
            yield node


def _catches(handler: ast.ExceptHandler) -> bool:
    classes = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any((dotted(each, {}) if each is not None else "") in _CATCHING for each in classes)


def _is_idle(statement: ast.stmt) -> bool:
    """Tell whether a statement fails nobody and keeps nothing that a later one could fail by."""
    match statement:
        case ast.Pass() | ast.Continue() | ast.Expr(ast.Constant()):
            return True
        case ast.Expr(ast.Call(function)):
            return dotted(function, {}) == "print"
    return False
