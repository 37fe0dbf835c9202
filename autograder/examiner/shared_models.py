"""Models that test cells only read: one that was rebuilt for a cell serves later cells."""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Iterable

from autograder._util.syntax import AST_CACHE_SIZE
from autograder.syntax.names import INDIRECT_ACCESS

SHAPES = frozenset({"input_shape", "output_shape"})
"""Attributes that contain nothing mutable of the model."""
METHODS = {"count_params": frozenset[str](), "predict": frozenset({"verbose", "batch_size", "steps"})}
"""Method → the keywords with which it runs no code of the test's."""
CHECKS = frozenset({"accuracy", "architecture", "compiled", "loss", "parameters"})
"""Checks that do not change their first argument."""


def read_only_models(tests: Iterable[str], trusted: Iterable[str] = (), *, checks: bool = True) -> frozenset[str]:
    """Return the names that several test cells use, and only in ways that change nothing.

    A use may take a shape of :data:`SHAPES`, call one of :data:`METHODS`, pass the name as first argument to one of
    :data:`CHECKS`, or compare it with None.

    Args:
        tests: the sources of the test cells.
        trusted: definitions of the instructor's cells, which may run where the names are.
        checks: whether ``check`` is the kit's own.
    """
    return _read_only_models(tuple(tests), tuple(trusted), checks)


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _read_only_models(tests: tuple[str, ...], trusted: tuple[str, ...], checks: bool) -> frozenset[str]:
    cells: Counter[str] = Counter()
    other_names: set[str] = set()
    sources = [(source, 1) for source in tests] + [(source, 0) for source in trusted]
    for source, is_cell in sources:
        try:
            nodes = list(ast.walk(ast.parse(source)))
        except SyntaxError:  # reported when the cell runs
            return frozenset()
        looking = {id(name): name.id for node in nodes if (name := _read_only_use(node, checks)) is not None}
        other_names |= {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in looking}
        other_names |= {"__main__" for node in nodes if _names_main(node)}
        cells.update(dict.fromkeys(looking.values(), is_cell))
    if other_names & INDIRECT_ACCESS:
        return frozenset()
    return frozenset(name for name, count in cells.items() if count > 1 and name not in other_names)


def _read_only_use(node: ast.AST, checks: bool) -> ast.Name | None:
    match node:
        case ast.Attribute(ast.Name() as name, attr, ast.Load()) if attr in SHAPES:
            return name
        case ast.Call(ast.Attribute(ast.Name() as name, attr), arguments, keywords) if attr in METHODS:
            plain = len(arguments) <= 1 and not any(isinstance(one, ast.Starred) for one in arguments)
            return name if plain and all(keyword.arg in METHODS[attr] for keyword in keywords) else None
        case ast.Call(ast.Attribute(ast.Name("check"), attr), [ast.Name() as name, *_]) if checks and attr in CHECKS:
            return name
        case ast.Compare(ast.Name() as name, [ast.Is() | ast.IsNot()], [ast.Constant(None)]):
            return name
    return None


def _names_main(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("__main__")
