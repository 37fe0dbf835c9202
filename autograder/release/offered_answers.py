"""Released files that have what students are to write: an import of such a module would be a right answer."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from autograder._util.syntax import parsed
from autograder.records.exam import Exam, ExamCell, Role
from autograder.release.record import Release
from autograder.syntax.magics import without_magics
from autograder.syntax.written_files import written_paths

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def offered_answers(exams: Iterable[Exam], files: Mapping[str, Path]) -> list[str]:
    """Warn of functions and classes that tests ask of an answer and that a released module has, too.

    Args:
        exams: the exams of an assignment.
        files: released path → file on this machine.
    """
    modules = {
        path: _defined(file.read_text("utf-8", "replace")) for path, file in files.items() if path.endswith(".py")
    }
    return [warning for exam in exams for warning in _offered(exam, modules)]


def made_by_students(release: Release) -> list[str]:
    """Warn of released data that students hand in and that the solution writes: they get the instructor's result."""
    outputs = frozenset().union(*map(written_paths, release.exams))
    return [
        f"{path} is handed in by students, and your solution writes it: they get what you have there. If that is your "
        "result, take it out of the source folder"
        for path in sorted(outputs & release.files.keys())
        if any(PurePosixPath(path).match(pattern) for pattern in release.assignment.answers)
    ]


def _offered(exam: Exam, modules: Mapping[str, frozenset[str]]) -> Iterator[str]:
    code = [cell for cell in exam.cells if cell.cell_type == "code"]
    tests = [parsed(without_magics(cell.source)) for cell in code if cell.role is Role.TEST]
    tested = {node.id for tree in tests if tree for node in ast.walk(tree) if isinstance(node, ast.Name)}
    answer_files = {cell.file for cell in exam.answer_files}
    for cell in (cell for cell in code if cell.role is Role.ANSWER):
        to_write = (_defined(without_magics(cell.source)) & tested) - _imported(cell)
        for path in sorted(modules.keys() - answer_files):
            if shared := sorted(to_write & modules[path]):
                names = ", ".join(f"`{name}`" for name in shared)
                yield (
                    f"source/{exam.assignment}/{exam.notebook}.ipynb: {path} is released and has {names}, which "
                    f"{cell.grade_id!r} asks students to write: an import from {PurePosixPath(path).stem} is a right "
                    "answer. Give it another name there, or leave the file out of the release"
                )


def _defined(source: str) -> frozenset[str]:
    tree = parsed(source)
    return frozenset(node.name for node in (tree.body if tree else ()) if isinstance(node, Definition))


def _imported(cell: ExamCell) -> frozenset[str]:
    """Return the names that the solution itself imports."""
    tree = parsed(without_magics(cell.source)) or ast.Module([], [])
    return frozenset(
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )
