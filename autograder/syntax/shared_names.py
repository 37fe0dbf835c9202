"""Names that test cells bind and other cells change, read from the instructor's source."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator, Set

CHANGING_CALLS = frozenset(
    ["append", "appendleft", "extend", "extendleft", "insert", "remove", "pop", "popleft", "popitem", "clear", "sort",
     "reverse", "rotate", "update", "add", "discard", "setdefault", "fill", "resize", "put", "itemset", "partition",
     "shuffle", "heapify", "heappush", "heappop", "insort"]
)  # fmt: skip
"""Methods, and functions of modules, that change an object in place."""


def changed_in_place(source: str, changing: Set[str]) -> frozenset[str]:
    """Find the names whose objects a cell changes: ``numbers.sort()``, ``d["a"] = 1``, ``fill(numbers)``.

    Args:
        source: the cell; one that is not plain Python gives nothing.
        changing: result of :func:`functions_that_change`.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(name for node in ast.walk(tree) for name in _changed(node, changing))


def functions_that_change(sources: Iterable[str], returning_nothing: Set[str]) -> frozenset[str]:
    """Find the functions and methods that return nothing and change an object; others only print or draw.

    Args:
        sources: the cells; those that are not plain Python give nothing.
        returning_nothing: result of :func:`~autograder.syntax.procedures.functions_returning_nothing`.
    """
    functions: list[tuple[str, list[ast.AST]]] = []
    for source in sources:
        with contextlib.suppress(SyntaxError, ValueError):
            nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
            functions += [(node.name, list(_read(node))) for node in nodes if node.name in returning_nothing]
    changing: frozenset[str] = frozenset()
    while True:  # a function may change its argument by calling another
        more = {name for name, nodes in functions if name not in changing and any(_changes(n, changing) for n in nodes)}
        if not more:
            return changing
        changing |= more


def _read(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of a function; ``xs += [1]`` of a parameter as the item that it changes."""
    parameters = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    for node in ast.walk(function):
        yield node
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in parameters:
            yield ast.Attribute(node.target, "__iadd__", ast.Store())


def _changes(node: ast.AST, changing: Set[str]) -> bool:
    return any(_changed(node, changing))


def _changed(node: ast.AST, changing: Set[str]) -> Iterator[str]:
    if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield from _root(node)
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    in_place = any(k.arg == "inplace" and getattr(k.value, "value", None) is True for k in node.keywords)
    if in_place or name in CHANGING_CALLS or name in changing:
        yield from _root(node.func) if isinstance(node.func, ast.Attribute) else ()
        for argument in node.args:
            yield from _root(argument)


def _root(node: ast.AST) -> Iterator[str]:
    """Yield the name at the start of an attribute or item: ``a`` of ``a.b[0]``."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id
