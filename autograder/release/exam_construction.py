"""Exam of a notebook: its cells, as the instructor wrote them and as the student gets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autograder._util.notebook_format import NotebookNode, nbformat
from autograder.lint.exam_findings import needing_kernel
from autograder.records.course import Examine
from autograder.records.exam import EXAMINE_KERNEL, Exam, ExamCell, Role, has_tag
from autograder.release.notebook_versions import NotebookVersions
from autograder.syntax.magics import without_magics


def make_exam(assignment: str, notebook: str, versions: NotebookVersions, examine: Examine | None = None) -> Exam:
    """Pair the notebook's versions, cell by cell. The linter reports tests that cannot be examined.

    Args:
        assignment: its name.
        notebook: the notebook's name.
        versions: the notebook as instructor, grader and student have it.
        examine: says which test cells run in the student's kernel, besides those with the tag.
    """
    kernelspec = _plain(versions.student.metadata.get("kernelspec", {}))
    rows = zip(versions.instructor.cells, versions.grader.cells, versions.student.cells, strict=True)
    cells = [_exam_cell(*row, versions.hidden_markers) for row in rows]
    if kernelspec.get("name") == "python":
        kernelspec["name"] = "python3"
    metadata = _plain(versions.student.metadata)
    exam = Exam(assignment, notebook, tuple(cells), kernelspec, metadata, prelude=versions.prelude)
    marked = marked_tests(exam, examine or Examine())
    for index, (cell, grader) in enumerate(zip(cells, versions.grader.cells, strict=True)):
        if cell.role is Role.TEST and cell.grade_id in marked:
            whole = _without_markers(grader.source, versions.hidden_markers)
            cells[index] = replace(cell, source="", in_kernel=whole or "pass")
    return replace(exam, cells=tuple(cells))


def marked_tests(exam: Exam, examine: Examine) -> frozenset[str]:
    """Return the ids of the test cells that run in the student's kernel."""
    tests = [cell for cell in exam.cells if cell.role is Role.TEST]
    marked = {str(cell.grade_id) for cell in tests if has_tag(cell.metadata, EXAMINE_KERNEL)}
    if examine.where == "kernel":
        marked |= needing_kernel(exam)
    return frozenset(marked.union(examine.kernel))


def solution_notebook(exam: Exam) -> NotebookNode:
    """Make the notebook of a student who answers as the instructor does."""
    answers = (Role.ANSWER, Role.MANUAL)
    return _as_notebook(exam, lambda cell: cell.source if cell.role in answers else cell.released)


def released_notebook(exam: Exam) -> NotebookNode:
    """Make the notebook of a student who changes nothing."""
    return _as_notebook(exam, lambda cell: cell.released)


def role_of(cell: NotebookNode) -> Role:
    """Return a cell's role, by nbgrader's metadata (schema v3)."""
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
    instructor: NotebookNode, grader: NotebookNode, student: NotebookNode, markers: tuple[str, ...]
) -> ExamCell:
    role = role_of(student)
    meta = student.metadata.get("nbgrader", {})
    source = instructor.source
    if role is Role.TEST:
        source = without_magics(_without_markers(grader.source, markers))
    return ExamCell(
        role=role,
        cell_type=student.cell_type,
        grade_id=None if role is Role.FREE else meta["grade_id"],
        points=float(meta["points"]) if role in (Role.TEST, Role.MANUAL, Role.TASK) else 0.0,
        source=source,
        released=student.source,
        checksum=meta.get("checksum", ""),
        metadata=_plain(student.metadata),
        cell_id=str(instructor.get("id", "")),
    )


def _without_markers(source: str, markers: tuple[str, ...]) -> str:
    """Empty the lines with a marker, so that line numbers are the source's."""
    return "\n".join("" if any(m in line for m in markers) else line for line in source.split("\n"))


def _as_notebook(exam: Exam, source: Callable[[ExamCell], str]) -> NotebookNode:
    cells = []
    for index, cell in enumerate(cell for cell in exam.cells if not cell.file):
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
    """Copy metadata as plain dicts and lists."""
    copied: dict[str, Any] = json.loads(json.dumps(metadata))
    return copied
