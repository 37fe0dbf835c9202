"""What people entered in the gradebook: manual scores, extra credit, comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autograder.gradebook.scores import cell_names
from autograder.records import Grade, NotebookGrade, Outcome, QuestionGrade

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


def manual_entries(book: Gradebook, assignment: str) -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
    """student → (notebook, grade_id) → score, waits, comment; for the questions that a person touched."""
    from nbgrader.api import MissingEntry

    try:
        submissions = book.find_assignment(assignment).submissions
    except MissingEntry:
        return {}
    entries: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for submission in submissions:
        names = cell_names(submission)
        mine = entries.setdefault(submission.student_id, {})
        for row in submission.notebooks:
            comments = {names[c.cell_id]: c.manual_comment for c in row.comments if c.manual_comment}
            for entry in row.grades:
                name = names[entry.cell_id]
                touched = entry.manual_score is not None or entry.extra_credit is not None
                if touched or name in comments:
                    mine[row.notebook.name, name] = {
                        "score": entry.score if touched else None,
                        "waits": entry.needs_manual_grade,
                        "comment": comments.get(name),
                    }
    return entries


def with_entries(grade: Grade, entries: Mapping[tuple[str, str], Mapping[str, Any]]) -> Grade:
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
