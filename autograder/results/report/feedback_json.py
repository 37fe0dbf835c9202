"""feedback.json: what a feedback page says, as data for programs. It holds nothing that the page does not show."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from autograder._util.plain_records import to_plain
from autograder._util.text import one_line, visible
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade, HeldBack, NotebookGrade, QuestionGrade
from autograder.results.report import status_words
from autograder.results.report.page import MAX_MESSAGE_CHARACTERS, MAX_SHOWN_CHECKS

NAME = "feedback.json"
VERSION = 1
_CURVES = ("loss", "val_loss")


def feedback_json(course: Course, assignment: Assignment, grade: Grade) -> str:
    """Write the text of a feedback.json.

    Args:
        course: the course.
        assignment: the assignment.
        grade: the grade as the student may see it now, see :func:`~autograder.results.student_view.for_students`.
    """
    values = {
        "version": VERSION,
        "course": one_line(course.title),
        "assignment": one_line(assignment.title),
        "score": grade.score,
        "max_score": grade.max_score,
        "late_penalty": grade.late_penalty,
        "submitted_at": to_plain(grade.submitted_at),
        "due": to_plain(status_words.due_date(grade, assignment)),
        "graded_at": to_plain(grade.graded_at),
        "held_back": [_held_back(held) for held in grade.held_back],
        "notebooks": [_notebook(book) for book in grade.notebooks],
    }
    return json.dumps(values, indent=1, allow_nan=False) + "\n"


def _held_back(held: HeldBack) -> dict[str, Any]:
    return {
        "notebook": one_line(held.notebook),
        "id": one_line(held.id),
        "max_score": held.max_score,
        "message": held.words,
        "until": to_plain(held.until),
    }


def _notebook(book: NotebookGrade) -> dict[str, Any]:
    return {
        "notebook": one_line(book.notebook),
        "status": status_words.status_title(book.status)[1],
        "message": visible(book.message, 2000),
        "questions": [_question(question) for question in book.questions],
        "comments": {one_line(name): visible(text, MAX_MESSAGE_CHARACTERS) for name, text in book.comments.items()},
        "curve": {name: _finite(book.history[name]) for name in _CURVES if name in book.history},
        "diagnoses": to_plain(list(book.diagnoses)),
        "mistakes": to_plain(list(book.mistakes)),
    }


def _question(question: QuestionGrade) -> dict[str, Any]:
    return {
        "id": one_line(question.id),
        "outcome": question.outcome.value,
        "score": question.score,
        "max_score": question.max_score,
        "message": visible(question.remark, MAX_MESSAGE_CHARACTERS),
        "comment": visible(question.comment, MAX_MESSAGE_CHARACTERS),
        "by_hand": question.by_hand,
        "in_kernel": question.in_kernel,
        "checks": [
            {
                "name": one_line(check.name),
                "outcome": check.outcome.value,
                "credit": check.fraction,
                "message": visible(check.message, MAX_MESSAGE_CHARACTERS),
            }
            for check in question.checks[:MAX_SHOWN_CHECKS]
        ],
    }


def _finite(values: Sequence[float]) -> list[float | None]:
    """Return the values of a curve; None where the training diverged."""
    return [float(value) if isinstance(value, int | float) and math.isfinite(value) else None for value in values]
