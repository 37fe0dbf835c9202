"""Exams for tests, written as a list of cells."""

from __future__ import annotations

from autograder.records.composed_notebook import Composed, ComposedCell
from autograder.records.exam import Exam, ExamCell, Role


def exam_of(*cells: tuple, notebook: str = "nb") -> Exam:
    """Each cell is (role, source) or (role, source, points); ids are cell0, cell1, …; 1 point for each TEST."""
    made = []
    for index, (role, source, *points) in enumerate(cells):
        worth = points[0] if points else (1.0 if role in (Role.TEST, Role.MANUAL, Role.TASK) else 0.0)
        grade_id = None if role is Role.FREE else f"cell{index}"
        made.append(ExamCell(role, "code", grade_id, worth, source, source, "checksum"))
    return Exam("hw", notebook, tuple(made))


def composed_of(exam: Exam, **answers: str) -> Composed:
    """The exam's notebook with some cells' sources replaced by the student's."""
    cells = tuple(
        ComposedCell(c.role, c.cell_type, answers.get(str(c.grade_id), c.released), c.grade_id) for c in exam.cells
    )
    return Composed(exam, cells)
