"""Times that a test measures, followed from the clock to where they decide."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator


def comparisons_of_times(tree: ast.AST, clocks: Collection[ast.AST]) -> list[ast.Compare]:
    """Return the comparisons whose result depends on a clock.

    Names, attributes and functions are followed by their words alone, so that a class that keeps the time is, too.

    Args:
        tree: the test cell.
        clocks: the calls in it that read a clock.
    """
    words: set[str] = set()

    def depends(node: ast.AST | None) -> bool:
        return node is not None and any(part in clocks or _word(part) in words for part in ast.walk(node))

    while True:
        bound = {
            word for node in ast.walk(tree) for value, names in _bindings(node) if depends(value) for word in names
        }
        if bound <= words:
            return [node for node in ast.walk(tree) if isinstance(node, ast.Compare) and depends(node)]
        words |= bound


def _word(node: ast.AST) -> str | None:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return None


def _bindings(node: ast.AST) -> Iterator[tuple[ast.AST | None, list[str]]]:
    """Yield values with the words that stand for them afterwards."""
    match node:
        case ast.Assign(targets, value):
            yield value, [word for target in targets for part in ast.walk(target) if (word := _word(part))]
        case ast.AugAssign(target, _, value) | ast.AnnAssign(target, _, value) | ast.NamedExpr(target, value):
            yield value, [word for part in ast.walk(target) if (word := _word(part))]
        case ast.FunctionDef(name):
            yield from ((part.value, [name]) for part in ast.walk(node) if isinstance(part, ast.Return))
