"""Questions that an answer feeds: whose tests look at what its cell binds or changes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from autograder._util.syntax import parsed
from autograder.examiner.magics import without_magics
from autograder.execution.matching import bound_names
from autograder.records import Exam, ExamCell, Role

_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Feeds:
    """Questions that an answer feeds, by their ids."""

    direct: tuple[str, ...]
    """Questions whose tests name what the cell binds or changes; else all, else the next one."""
    every: tuple[str, ...]
    """Also those that it reaches through other cells."""


def feeds(exam: Exam, index: int) -> Feeds:
    """Find the questions that the cell with this index feeds, by the names in it, in later cells and in tests."""
    modules = _modules(exam)
    own = touched(exam.cells[index].source) - modules
    reached = set(own)
    direct, every = [], []
    for cell in exam.cells[index + 1 :]:
        words = frozenset(_WORD.findall(cell.source)) if cell.cell_type == "code" else frozenset()
        if is_tested(cell):
            direct += [str(cell.grade_id)] if words & own else []
            every += [str(cell.grade_id)] if words & reached else []
        elif cell.role is not Role.TEST and words & reached:
            reached |= touched(cell.source) - modules
    if not every:
        every = [str(cell.grade_id) for cell in exam.cells[index + 1 :] if is_tested(cell)][:1]
    return Feeds(tuple(direct or every), tuple(every))


def used_later(exam: Exam, index: int) -> tuple[str, ...]:
    """List the names that a cell binds or changes, and that a later cell or test uses."""
    later = (cell.source for cell in exam.cells[index + 1 :] if cell.cell_type == "code")
    words = {word for source in later for word in _WORD.findall(source)}
    return tuple(sorted(touched(exam.cells[index].source) & words - _modules(exam)))


def is_tested(cell: ExamCell) -> bool:
    """Tell whether a cell is a question that tests grade, with points to lose."""
    return cell.role is Role.TEST and cell.points > 0


def touched(source: str) -> frozenset[str]:
    """Collect the names that a cell binds, and those whose methods it calls: ``model`` of ``model.fit(X, y)``."""
    tree = parsed(without_magics(source))
    if tree is None:
        return bound_names(source) or frozenset()
    methods = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    stored = (node for node in ast.walk(tree) if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store))
    roots = [node.value for node in (*methods, *stored) if isinstance(node, ast.Attribute | ast.Subscript)]
    changed = {node.id for node in roots if isinstance(node, ast.Name)}
    return (bound_names(source) or frozenset()) | (changed - _local(tree))


def _local(tree: ast.Module) -> set[str]:
    """Collect the names that functions bind for themselves."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inner = [one for function in functions for one in ast.walk(function)]
    names = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {node.arg for node in inner if isinstance(node, ast.arg)}


def _modules(exam: Exam) -> frozenset[str]:
    return frozenset(name for cell in exam.cells for name in _imported(cell))


def _imported(cell: ExamCell) -> list[str]:
    tree = parsed(without_magics(cell.source)) if cell.cell_type == "code" else None
    nodes = ast.walk(tree) if tree is not None else ()
    found = [alias for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]
    return [(alias.asname or alias.name).split(".")[0] for alias in found]
