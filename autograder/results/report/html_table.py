"""Tables of grades: for spreadsheets and for the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from autograder._util.text import one_line
from autograder.records.dates import Dates
from autograder.records.grade import Grade
from autograder.records.waits import Waits
from autograder.results.report.status_words import WAITS, points
from autograder.term.student_dates import deadline

COLUMNS = (
    *("assignment", "student", "score", "max_score", "late_penalty", "status", "needs_manual_grade"),
    *("submitted_at", "name", "due", "late_days", "excused", "dates"),
)
"""First columns of grades.csv; after them comes one for each question."""

TEXT_COLUMNS = ("student", "score", "status", "seconds", "MiB", "to do")
"""Columns of :func:`text_table`."""

# A spreadsheet takes a cell that begins with one of these for a formula; in some locales full-width ones, too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def grades_csv(grades: Sequence[Grade]) -> str:
    r"""Write grades.csv: one row per submission, in the given order; RFC 4180 with ``\n`` line ends.

    After :data:`COLUMNS` comes a column ``<notebook>/<question>`` with the score of each question that any of the
    grades has, assignments one after the other. It is empty if a grade lacks the question. ``score`` is after the late
    penalty. Times are UTC in ISO 8601. Text that a spreadsheet would take for a formula is prefixed with ``'``.
    """
    several = len({grade.assignment for grade in grades}) > 1
    scores = [_question_scores(grade, several) for grade in grades]
    ordered = sorted(zip(grades, scores, strict=True), key=lambda pair: pair[0].assignment)
    questions = list(dict.fromkeys(name for _, row in ordered for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, *map(_text, questions)])
    for grade, row in zip(grades, scores, strict=True):
        writer.writerow([*_first_columns(grade), *(row.get(name, "") for name in questions)])
    return out.getvalue()


def text_table(grades: Iterable[Grade]) -> list[tuple[str, ...]]:
    """Make rows of :data:`TEXT_COLUMNS` for a terminal: one line each, control characters made visible."""
    return [
        (
            one_line(grade.student, 40),
            f"{points(grade.score)} / {points(grade.max_score)}",
            grade.status,
            f"{sum(book.wall_seconds for book in grade.notebooks):.1f}",
            _memory(grade),
            to_do(grade) or ("ask for a notebook" if grade.status == "invalid" else ""),
        )
        for grade in grades
    ]


def to_do(grade: Grade) -> str:
    """Say what a person has left to do for this submission; empty if nothing."""
    waiting: dict[str, list[str]] = {}
    for _, question in sorted(grade.waiting, key=lambda pair: pair[1].waits is not Waits.BROKEN):
        waiting.setdefault(WAITS[question.waits], []).append(one_line(question.id, 40))
    return "; ".join(f"{reason}: {', '.join(names)}" for reason, names in waiting.items())


def _first_columns(grade: Grade) -> list[str]:
    return [
        _text(grade.assignment),
        _text(grade.student),
        _number(grade.score),
        _number(grade.max_score),
        _number(grade.late_penalty),
        grade.status,
        "yes" if grade.needs_manual_grade else "no",
        _moment(grade.submitted_at),
        _text(grade.name),
        *_dates(grade.dates or Dates()),
    ]


def _dates(dates: Dates) -> list[str]:
    return [
        _moment(deadline(dates)),
        _number(dates.late_days),
        "yes" if dates.excused else "no",
        _text("; ".join(dates.notes)),
    ]


def _question_scores(grade: Grade, several: bool) -> dict[str, str]:
    """Return column name → score; in a table of several assignments, names begin with the assignment."""
    before = f"{grade.assignment}/" if several else ""
    return {
        f"{before}{book.notebook}/{question.id}": _number(question.score)
        for book in grade.notebooks
        for question in book.questions
    }


def _text(text: str) -> str:
    line = one_line(text, 500)
    return f"'{line}" if line.startswith(_FORMULA) else line


def _number(value: float) -> str:
    """Format a number with at most 6 decimals, as short as possible, never in exponent form: 4, 3.23."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _memory(grade: Grade) -> str:
    peaks = [book.peak_memory_mib for book in grade.notebooks if book.peak_memory_mib is not None]
    return f"{max(peaks):.0f}" if peaks else ""


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime("%Y-%m-%dT%H:%M:%SZ")
