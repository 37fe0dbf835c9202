"""Rows of the gradebook as plain tuples, many at once: for reading, where objects are for changing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


def rows(kind: Any, assignment: str, *columns: Any) -> Any:
    """Make the query for student, notebook, cell and ``columns`` of each row.

    ``kind`` is nbgrader's Grade or Comment.
    """
    from nbgrader.api import Assignment, BaseCell, Notebook, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import select

    student, notebook, cell = SubmittedAssignment.student_id, Notebook.name, BaseCell.name
    return (
        select(student.label("student"), notebook.label("notebook"), cell.label("cell"), *columns)
        .select_from(kind)
        .join(BaseCell, kind.cell_id == BaseCell.id)
        .join(SubmittedNotebook, kind.notebook_id == SubmittedNotebook.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .where(Assignment.name == assignment)
    )


def incomplete(book: Gradebook, assignment: Any) -> list[str]:
    """List students whose submission lacks the row of a notebook or a cell of ``assignment``."""
    from nbgrader.api import Comment, Grade, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import func, select

    of_it = SubmittedAssignment.assignment_id == assignment.id
    notebooks = (
        select(SubmittedAssignment.student_id, func.count())
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .where(of_it)
        .group_by(SubmittedAssignment.student_id)
    )
    tasks = sum(len(notebook.task_cells) for notebook in assignment.notebooks)
    wanted = (
        (notebooks, len(assignment.notebooks)),
        (_counted(Grade, assignment.name), tasks + sum(len(n.grade_cells) for n in assignment.notebooks)),
        (_counted(Comment, assignment.name), tasks + sum(len(n.solution_cells) for n in assignment.notebooks)),
    )
    counts = [(dict(book.db.execute(query).all()), count) for query, count in wanted]
    students = book.db.scalars(select(SubmittedAssignment.student_id).where(of_it))
    return [s for s in students if any(found.get(s, 0) != count for found, count in counts)]


def _counted(kind: Any, assignment: str) -> Any:
    from sqlalchemy import func, select

    matching = rows(kind, assignment).subquery()
    return select(matching.c.student, func.count()).group_by(matching.c.student)


@dataclass
class StoredEntries:
    """Entries of the gradebook for one submission. A cell is (notebook, grade_id)."""

    timestamp: datetime | None
    penalties: dict[str, float | None] = field(default_factory=dict)
    """Notebook → late penalty."""
    scores: dict[tuple[str, str], tuple[float | None, float | None, bool]] = field(default_factory=dict)
    """Cell → automatic score, manual score, whether it waits for a person."""
    comments: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """Cell → automatic comment."""


def stored(book: Gradebook, assignment: str, students: Collection[str]) -> dict[str, StoredEntries]:
    """Read the gradebook's entries for these students; a student without a submission in it is left out."""
    from nbgrader.api import Assignment, Comment, Grade, Notebook, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import select

    student = SubmittedAssignment.student_id
    these = student.in_(students)
    submissions = select(student, SubmittedAssignment.timestamp).join(Assignment)
    penalties = (
        select(student, Notebook.name, SubmittedNotebook.late_submission_penalty)
        .select_from(SubmittedNotebook)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    )
    scores = rows(Grade, assignment, Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade)
    comments = rows(Comment, assignment, Comment.auto_comment)
    of_it = Assignment.name == assignment
    entries = {name: StoredEntries(when) for name, when in book.db.execute(submissions.where(of_it, these))}
    for name, notebook, penalty in book.db.execute(penalties.where(of_it, these)):
        entries[name].penalties[notebook] = penalty
    for name, notebook, cell, automatic, manual, waits in book.db.execute(scores.where(these)):
        entries[name].scores[notebook, cell] = (automatic, manual, waits)
    for name, notebook, cell, text in book.db.execute(comments.where(these)):
        entries[name].comments[notebook, cell] = text
    return entries
