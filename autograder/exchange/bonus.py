"""Bonus points that a test may give, read from the text of the exam."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.util
from collections.abc import Iterator

from autograder.records.exam import Exam, ExamCell, Role
from autograder.syntax.names import modules_imported

MAX_BONUS = 100.0
"""Points that a test may give beyond the question's own, where their number is only known when it runs."""


def highest_bonus(exam: Exam, cell: ExamCell) -> float:
    """Return the most points beyond its own that a test may give by ``check.bonus``.

    Where all of them stand in the test as numbers, and no helper could give more, that is their sum. Elsewhere the
    number is only known when the test runs, and :data:`MAX_BONUS` is the bound.
    """
    if cell.in_kernel:
        return 0.0
    helpers = [one.source for one in exam.cells if one.role in (Role.READ_ONLY, Role.FREE)]
    code = tuple(cell.source for cell in exam.cells if cell.cell_type == "code")
    if any("bonus" in source for source in helpers) or _import_other_modules(code):
        return max(cell.points, MAX_BONUS)
    if "bonus" not in cell.source:
        return 0.0
    try:
        tree = ast.parse(cell.source)
    except (SyntaxError, ValueError):
        return max(cell.points, MAX_BONUS)
    constants = list(_constant_bonuses(tree))
    uses = sum(_names_bonus(node) for node in ast.walk(tree))
    return sum(constants) if len(constants) == uses else max(cell.points, MAX_BONUS)


@functools.lru_cache(maxsize=64)
def _is_installed(module: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(module) is not None
    return False


@functools.lru_cache(maxsize=16)
def _import_other_modules(sources: tuple[str, ...]) -> bool:
    """Return whether the sources of an exam's cells import a module that is not installed here."""
    try:
        modules = {module for source in sources for module in modules_imported(source)}
    except (SyntaxError, ValueError):
        return True
    return not all(_is_installed(module.split(".")[0]) for module in modules)


_REPEATED = (ast.For, ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _constant_bonuses(node: ast.AST) -> Iterator[float]:
    """Yield the points of each call of ``bonus`` that runs at most once and names them as a number."""
    if isinstance(node, _REPEATED + _COMPREHENSIONS):
        return
    match node:
        case ast.Call(func, [ast.Constant(int() | float() as points)], []) if _names_bonus(func) and points > 0:
            yield float(points)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _constant_bonuses(child)


def _names_bonus(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(_, "bonus") | ast.Name("bonus") | ast.alias("bonus") | ast.Constant("bonus"):
            return True
    return False
