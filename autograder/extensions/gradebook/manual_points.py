"""Entries of people in the gradebook: manual scores, extra credit, comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autograder.extensions.gradebook.database import read_only, server
from autograder.extensions.gradebook.database_rows import rows
from autograder.records.checks import Outcome
from autograder.records.course import Course
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.waits import Waits
from autograder.results.gradebook import Points

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

_PERSON_DECIDES = frozenset(reason.sentence for reason in Waits)
"""Lines of a message that are over once a person has given points."""
_POINTS = """
SELECT submitted_assignment.student_id, notebook.name, base_cell.name, grade.manual_score, grade.extra_credit
FROM grade
JOIN base_cell ON grade.cell_id = base_cell.id
JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
JOIN notebook ON submitted_notebook.notebook_id = notebook.id
JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
JOIN assignment ON submitted_assignment.assignment_id = assignment.id
WHERE assignment.name = :assignment AND (grade.manual_score IS NOT NULL OR grade.extra_credit IS NOT NULL)
"""
"""A text, so that a batch can begin without importing nbgrader, which takes a second."""


def points_by_hand(course: Course, assignment: str) -> Points | None:
    """Read the points that people gave from the gradebook; None if it cannot be read."""
    if server(course) is None and not course.gradebook.exists():
        return {}
    from sqlalchemy import inspect, text
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with read_only(course) as connection:
            if not inspect(connection).has_table("grade"):
                return {}
            scores = connection.execute(text(_POINTS), {"assignment": assignment})
            return {(who, notebook, cell): (score, extra) for who, notebook, cell, score, extra in scores}
    except (SQLAlchemyError, ModuleNotFoundError):
        return None


def manual_entries(book: Gradebook, assignment: str) -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
    """Read the entries of people: student → (notebook, grade_id) → score, waits, comment."""
    from nbgrader.api import Comment
    from nbgrader.api import Grade as Row
    from sqlalchemy import or_

    entries: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    nothing = {"score": None, "waits": False, "comment": None}
    touched = or_(Row.manual_score.is_not(None), Row.extra_credit.is_not(None))
    scores = rows(Row, assignment, Row.score, Row.needs_manual_grade).where(touched)
    for student, notebook, name, score, waits in book.db.execute(scores):
        entries.setdefault(student, {})[notebook, name] = {**nothing, "score": score, "waits": waits}
    comments = rows(Comment, assignment, Comment.manual_comment).where(Comment.manual_comment.is_not(None))
    for student, notebook, name, text in book.db.execute(comments):
        entries.setdefault(student, {}).setdefault((notebook, name), dict(nothing))["comment"] = text
    return entries


def with_entries(grade: Grade, entries: Mapping[tuple[str, str], Mapping[str, Any]]) -> Grade:
    """Return the grade with a student's entries."""
    if not entries:
        return grade
    books = (
        replace(
            book,
            questions=tuple(_entered(book, q, entries) for q in book.questions),
            comments=_comments_on_answers(book, entries),
        )
        for book in grade.notebooks
    )
    return replace(grade, notebooks=tuple(books))


def _comments_on_answers(book: NotebookGrade, entries: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, str]:
    """Collect comments on cells without points: formgrader has comments at answers, and tests have the points."""
    question_ids = {question.id for question in book.questions}
    return {
        cell: entry["comment"]
        for (notebook, cell), entry in entries.items()
        if notebook == book.notebook and cell not in question_ids and entry["comment"]
    }


def _entered(
    book: NotebookGrade, question: QuestionGrade, entries: Mapping[tuple[str, str], Mapping[str, Any]]
) -> QuestionGrade:
    entry = entries.get((book.notebook, question.id))
    if entry is None:
        return question
    question = replace(question, comment=entry["comment"] or "")
    if entry["score"] is None:
        return question
    score = entry["score"]
    outcome = Outcome.PASSED if score >= question.max_score else Outcome.PARTIAL if score > 0 else Outcome.FAILED
    return replace(
        question,
        score=score,
        outcome=outcome,
        message="\n".join(line for line in question.message.splitlines() if line not in _PERSON_DECIDES),
        waits=Waits.GRADED_ANEW if entry["waits"] else None,
        by_hand=True,
    )
