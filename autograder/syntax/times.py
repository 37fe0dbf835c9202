"""Times that a test measures, followed from the clock to where they decide."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping

from autograder.syntax.refusals import aliases, dotted

_CLOCKS = re.compile(r"time\.(time|perf_counter|monotonic|process_time)(_ns)?|timeit\.\w+")


def timing_calls(tree: ast.AST, imports: Mapping[str, str]) -> list[ast.Call]:
    """Return the calls by which a test measures time, in the order of their lines.

    A clock that is read once, as for a seed, measures nothing.

    Args:
        tree: the test cell.
        imports: name → dotted name of what it stands for.
    """
    calls = {node: dotted(node.func, imports) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    clocks = {node: name for node, name in calls.items() if _CLOCKS.fullmatch(name)}
    if len(clocks) < 2 and not any(name.startswith("timeit.") for name in clocks.values()):
        return []
    return sorted(clocks, key=lambda node: node.lineno)


def compares_times(tree: ast.AST, clocks: Collection[ast.AST]) -> bool:
    """Return whether a test has a comparison whose result depends on a clock."""
    return any(isinstance(node, ast.Compare) for node in _of_times(tree, clocks))


def lines_of_times(tree: ast.Module) -> set[int]:
    """Return the lines of a test cell whose statements depend on times that it measures."""
    statements = (node for node in _of_times(tree, timing_calls(tree, aliases([tree]))) if isinstance(node, ast.stmt))
    return {line for node in statements for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def _of_times(tree: ast.AST, clocks: Collection[ast.AST]) -> list[ast.AST]:
    """Return the comparisons and assertions whose result depends on a clock, and calls that may be assertions.

    Names, attributes and functions are followed by their words alone, so that a class that keeps the time is, too.
    """
    if not clocks:
        return []
    words: set[str] = set()

    def depends(node: ast.AST | None) -> bool:
        return node is not None and any(part in clocks or _word(part) in words for part in ast.walk(node))

    while True:
        bound = {
            word for node in ast.walk(tree) for value, names in _bindings(node) if depends(value) for word in names
        }
        if bound <= words:
            kinds = (ast.Compare, ast.Assert, ast.Expr)
            return [node for node in ast.walk(tree) if isinstance(node, kinds) and depends(node)]
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
