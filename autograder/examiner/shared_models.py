"""The models that test cells only look at, so that one that is rebuilt for a cell will do for those after it."""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Iterable

from autograder.records import AST_CACHE_SIZE

SHAPES = frozenset({"input_shape", "output_shape"})
"""Attributes that hold nothing of the model's that could be changed."""
METHODS = {"count_params": frozenset[str](), "predict": frozenset({"verbose", "batch_size", "steps"})}
"""Method → the keywords with which it runs no code of the test's."""
CHECKS = frozenset({"accuracy", "architecture", "compiled", "loss", "parameters"})
"""Those that change nothing of their first argument."""
INDIRECT_ACCESS = frozenset({"globals", "locals", "vars", "eval", "exec", "dir", "__main__"})
"""What gets at a name without naming it."""


def read_only_models(tests: Iterable[str], trusted: Iterable[str] = (), *, checks: bool = True) -> frozenset[str]:
    """The names that more than one test cell uses, and each in these ways alone: it takes a shape of :data:`SHAPES`,
    calls one of :data:`METHODS`, gives it to one of :data:`CHECKS` first of all arguments, or compares it with None.

    Args:
        tests: the sources of the test cells.
        trusted: what the instructor's cells define, which may run where the names are.
        checks: ``check`` is the kit's own.
    """
    return _read_only_models(tuple(tests), tuple(trusted), checks)


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _read_only_models(tests: tuple[str, ...], trusted: tuple[str, ...], checks: bool) -> frozenset[str]:
    cells: Counter[str] = Counter()
    others: set[str] = set()
    sources = [(source, 1) for source in tests] + [(source, 0) for source in trusted]
    for source, is_cell in sources:
        try:
            nodes = list(ast.walk(ast.parse(source)))
        except SyntaxError:  # whoever runs it says so
            return frozenset()
        looking = {id(name): name.id for node in nodes if (name := _read_only_use(node, checks)) is not None}
        others |= {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in looking}
        others |= {"__main__" for node in nodes if _names_main(node)}
        cells.update(dict.fromkeys(looking.values(), is_cell))
    if others & INDIRECT_ACCESS:
        return frozenset()
    return frozenset(name for name, count in cells.items() if count > 1 and name not in others)


def _read_only_use(node: ast.AST, checks: bool) -> ast.Name | None:
    match node:
        case ast.Attribute(ast.Name() as name, attr, ast.Load()) if attr in SHAPES:
            return name
        case ast.Call(ast.Attribute(ast.Name() as name, attr), given, keywords) if attr in METHODS:
            plain = len(given) <= 1 and not any(isinstance(one, ast.Starred) for one in given)
            return name if plain and all(keyword.arg in METHODS[attr] for keyword in keywords) else None
        case ast.Call(ast.Attribute(ast.Name("check"), attr), [ast.Name() as name, *_]) if checks and attr in CHECKS:
            return name
        case ast.Compare(ast.Name() as name, [ast.Is() | ast.IsNot()], [ast.Constant(None)]):
            return name
    return None


def _names_main(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("__main__")
