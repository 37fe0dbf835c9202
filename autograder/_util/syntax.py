"""Syntax trees of source that may be no Python."""

from __future__ import annotations

import ast
import warnings
from collections import deque
from collections.abc import Iterator

AST_CACHE_SIZE = 1024
"""Number of sources whose analysis is cached: the sources of an exam are the same for all students."""


def meaning(source: str) -> str:
    """Return source in a form that comments, blanks and spacing do not change.

    Text that is no Python is returned as it is.
    """
    tree = parsed(source)
    return source if tree is None else ast.dump(tree)


def parsed(source: str | bytes) -> ast.Module | None:
    """Parse source without its warnings; return None if it is not Python, or too deep or large to be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_literal(node: ast.expr) -> bool:
    """Tell whether an expression is a literal, also one of lists and dicts."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes of a function's or a module's body, outermost first, without those in functions inside it."""
    pending: deque[ast.AST] = deque(function.body)
    while pending:
        node = pending.popleft()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(node))
