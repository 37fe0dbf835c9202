"""Names that test cells bind and other cells change, read from the instructor's source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

_CHANGING = frozenset(
    ["append", "appendleft", "extend", "extendleft", "insert", "remove", "pop", "popleft", "popitem", "clear", "sort",
     "reverse", "rotate", "update", "add", "discard", "setdefault", "fill", "resize", "put", "itemset", "partition",
     "shuffle", "heapify", "heappush", "heappop", "insort"]
)  # fmt: skip
"""Methods, and functions of modules, that change an object in place."""


def changed_in_place(source: str, returning_nothing: Set[str]) -> frozenset[str]:
    """Find the names whose objects a cell changes: ``numbers.sort()``, ``d["a"] = 1``, ``fill(numbers)``.

    Args:
        source: the cell; one that is not plain Python gives nothing.
        returning_nothing: the notebook's functions and methods that return nothing, and so work by what they change.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(name for node in ast.walk(tree) for name in _changed(node, returning_nothing))


def _changed(node: ast.AST, returning_nothing: Set[str]) -> Iterator[str]:
    if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield from _root(node)
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    in_place = any(k.arg == "inplace" and getattr(k.value, "value", None) is True for k in node.keywords)
    if in_place or name in _CHANGING or name in returning_nothing:
        yield from _root(node.func) if isinstance(node.func, ast.Attribute) else ()
        for argument in node.args:
            yield from _root(argument)


def _root(node: ast.AST) -> Iterator[str]:
    """Yield the name at the start of an attribute or item: ``a`` of ``a.b[0]``."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id
