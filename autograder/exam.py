"""The exam of a notebook: its cells with both of their faces, checked as far as a look can tell."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.errors import CourseError
from autograder.records import Exam, ExamCell, Role
from autograder.stripping import Faces, cell_name

_MAGIC = re.compile(r"^\s*[%!]|^[^#'\"]*=\s*[%!]|\?{1,2}\s*$")
_PYTHON = frozenset({"python", "python3", "ipython"})


def make_exam(assignment: str, notebook: str, faces: Faces, label: str) -> Exam:
    """Pair the notebook's faces, cell by cell.

    Raises:
        CourseError: a test can not be examined outside of the kernel; the message names cell and line.
    """
    kernelspec = _plain(faces.student.metadata.get("kernelspec", {}))
    language = kernelspec.get("language", "python")
    cells = []
    rows = zip(faces.instructor.cells, faces.examiner.cells, faces.student.cells, strict=True)
    for index, (instructor, examiner, student) in enumerate(rows):
        cell = _exam_cell(instructor, examiner, student, faces.hidden_markers)
        if cell.role is Role.TEST:
            _check_test(cell, str(language), f"{label}: {cell_name(index, student)}")
        cells.append(cell)
    if kernelspec.get("name") == "python":
        kernelspec["name"] = "python3"
    return Exam(assignment, notebook, tuple(cells), kernelspec, _plain(faces.student.metadata))


def solution_notebook(exam: Exam) -> NotebookNode:
    """The exam as a student would hand it in who answers as the instructor does."""
    answers = (Role.ANSWER, Role.MANUAL)
    return _as_notebook(exam, lambda cell: cell.source if cell.role in answers else cell.released)


def released_notebook(exam: Exam) -> NotebookNode:
    """The exam as a student would hand it in who changed nothing."""
    return _as_notebook(exam, lambda cell: cell.released)


def role_of(cell: NotebookNode) -> Role:
    """What a cell is for, by nbgrader's metadata (schema v3)."""
    meta = cell.metadata.get("nbgrader", {})
    grade, solution = meta.get("grade", False), meta.get("solution", False)
    if meta.get("task", False):
        return Role.TASK
    if grade:
        return Role.MANUAL if solution else Role.TEST
    if solution:
        return Role.ANSWER
    return Role.READ_ONLY if meta.get("locked", False) else Role.FREE


def _exam_cell(
    instructor: NotebookNode, examiner: NotebookNode, student: NotebookNode, markers: tuple[str, str]
) -> ExamCell:
    role = role_of(student)
    meta = student.metadata.get("nbgrader", {})
    source = instructor.source
    if role is Role.TEST:
        source = "\n".join(line for line in examiner.source.split("\n") if not any(m in line for m in markers))
    return ExamCell(
        role=role,
        cell_type=student.cell_type,
        grade_id=None if role is Role.FREE else meta["grade_id"],
        points=float(meta["points"]) if role in (Role.TEST, Role.MANUAL, Role.TASK) else 0.0,
        source=source,
        released=student.source,
        checksum=meta.get("checksum", ""),
        metadata=_plain(student.metadata),
    )


def _as_notebook(exam: Exam, source: Callable[[ExamCell], str]) -> NotebookNode:
    cells = []
    for index, cell in enumerate(exam.cells):
        node: dict[str, Any] = {
            "cell_type": cell.cell_type,
            "id": f"cell-{index}",
            "metadata": _plain(cell.metadata),
            "source": source(cell),
        }
        if cell.cell_type == "code":
            node |= {"execution_count": None, "outputs": []}
        cells.append(node)
    notebook: NotebookNode = nbformat.from_dict(
        {"cells": cells, "metadata": _plain(exam.metadata), "nbformat": 4, "nbformat_minor": 5}
    )
    return notebook


def _plain(metadata: Any) -> dict[str, Any]:
    """A copy as plain dicts and lists."""
    copied: dict[str, Any] = json.loads(json.dumps(metadata))
    return copied


# --- what a look at a test can tell -------------------------------------------------------------------


def _check_test(cell: ExamCell, language: str, where: str) -> None:
    """A test runs outside of the kernel: it must be plain Python, with and without its hidden part."""
    if cell.cell_type != "code":
        raise CourseError(f"{where}: a test must be a code cell, not {cell.cell_type}")
    if language.lower() not in _PYTHON:
        raise CourseError(f"{where}: the notebook's language is {language!r}; only Python can be examined")
    tree = _parsed(cell.source, where)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "get_ipython":
            line = cell.source.splitlines()[node.lineno - 1]
            raise CourseError(_no_magics(where, node.lineno, line))
    _parsed(cell.released, f"{where}, without its hidden part")


def _parsed(source: str, where: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            compile(tree, "<test>", "exec", dont_inherit=True)
    except SyntaxError as error:
        lines = source.splitlines()
        number = error.lineno or 1
        line = lines[number - 1] if number <= len(lines) else ""
        if _MAGIC.search(line):
            raise CourseError(_no_magics(where, number, line)) from None
        raise CourseError(f"{where}: line {number}: {error.msg}: {line.strip()[:80]}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise CourseError(f"{where}: the test does not parse: {error}") from None
    return tree


def _no_magics(where: str, number: int, line: str) -> str:
    why = "tests are examined outside of the kernel, where magics do not exist; write it in plain Python"
    return f"{where}: line {number}: {line.strip()[:80]!r}: {why}"
