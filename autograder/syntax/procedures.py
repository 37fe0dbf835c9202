"""The instructor's functions that return nothing: they work by changing their arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from autograder._util.syntax import own_nodes

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_returning_nothing(sources: Iterable[str]) -> frozenset[str]:
    """Return names under which the sources define functions or methods that all return None.

    Such a function works by its side effects.
    """
    returning: dict[str, bool] = {}
    for source in sources:
        try:
            nodes = list(ast.walk(ast.parse(source)))
        except SyntaxError:  # magics
            continue
        for node in nodes:
            if isinstance(node, _Function):
                returning[node.name] = returning.get(node.name, False) or _returns_something(node)
    return frozenset(name for name, something in returning.items() if not something)


def _returns_something(function: _Function) -> bool:
    """Return whether the function has a ``return`` with a value, or is a generator or coroutine."""
    if isinstance(function, ast.AsyncFunctionDef):
        return True
    for node in own_nodes(function):
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.Return) and not (node.value is None or _is_none(node.value)):
            return True
    return False


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
