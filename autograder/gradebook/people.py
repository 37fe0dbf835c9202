"""What people entered in the gradebook: manual scores, extra credit, comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autograder.gradebook.rows import rows
from autograder.records import Grade, NotebookGrade, Outcome, QuestionGrade

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


def manual_entries(book: Gradebook, assignment: str) -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
    """student → (notebook, grade_id) → score, waits, comment; for the questions that a person touched."""
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
    if not entries:
        return grade
    books = tuple(
        replace(book, questions=tuple(_entered(book, q, entries) for q in book.questions)) for book in grade.notebooks
    )
    return replace(grade, notebooks=books)


def _entered(
    book: NotebookGrade, question: QuestionGrade, entries: Mapping[tuple[str, str], Mapping[str, Any]]
) -> QuestionGrade:
    entry = entries.get((book.notebook, question.id))
    if entry is None:
        return question
    message = entry["comment"] or question.message
    if entry["score"] is None:
        return replace(question, message=message)
    score = entry["score"]
    outcome = Outcome.PASSED if score >= question.max_score else Outcome.PARTIAL if score > 0 else Outcome.FAILED
    return replace(question, score=score, outcome=outcome, message=message, needs_manual_grade=entry["waits"])
