"""Statistics of questions and of a term as CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograder._util.files import write_atomically
from autograder._util.text import one_line
from autograder.coordinator.assignment import load_release
from autograder.coordinator.cache_keys import exam_key
from autograder.errors import UsageError
from autograder.extensions.insight.question_statistics import Estimate, QuestionStatistics, class_statistics
from autograder.extensions.insight.question_times import ClassTime, QuestionTimes, question_times
from autograder.extensions.insight.suspect_questions import Exceptions, Upset, exceptions, upsets
from autograder.extensions.insight.term_trend import TermStep, term_trend
from autograder.records.course import Assignment, Course
from autograder.results import publication
from autograder.results.report.status_words import graded
from autograder.term.csv_tables import guarded

QUESTION_COLUMNS = (
    *("notebook", "question", "points", "scored", "waiting", "full_credit", "no_credit", "mean"),
    *("item_rest", "item_rest_low", "item_rest_high", "compared"),
    *("strongest", "strongest_losing", "others", "others_losing", "points_lost_to_exceptions"),
    *("answer_seconds", "answer_seconds_95", "test_seconds", "test_seconds_95", "remark"),
)
"""Columns of the statistics of questions; credits and means are shares from 0 to 1.

Seconds are the median of the class, and the 95th percentile.
"""
TERM_COLUMNS = (
    *("assignment", "submissions", "waiting", "lower_quartile", "median", "upper_quartile"),
    *("alpha", "alpha_low", "alpha_high", "own_seconds"),
)
"""Columns of the statistics of a term; scores are in percent."""

_Cell = str | int | float | None


def write_questions(course: Course, assignment: Assignment, to: Path | None = None) -> tuple[Path, list[str]]:
    """Write the statistics of an assignment's questions, a row for each, and return the path and what is left out.

    Raises:
        UsageError: nothing is graded.
    """
    standing = publication.on_disk(course, assignment.name, exam_key(course, load_release(course, assignment)))
    grades = [grade for grade in publication.for_people(course, standing.current) if graded(grade)]
    if not grades:
        raise UsageError(f"nothing is graded; run `autograder grade {assignment.name}` first")
    statistics = class_statistics(grades)
    lost = {each.key: each for each in exceptions(grades)}
    losing = {each.key: each for each in upsets(grades)}
    times = question_times(grades)
    rows = [
        _question(
            question,
            statistics.compared,
            losing.get(question.key),
            lost.get(question.key),
            times.get(question.key, QuestionTimes(question.key, None, None)),
        )
        for question in statistics.questions
    ]
    path = to or course.reports / f"{assignment.name}-questions.csv"
    _write(path, QUESTION_COLUMNS, rows)
    return path, [f"{one_line(student)}: {why}" for student, why in standing.set_aside.items()]


def write_term(course: Course, to: Path | None = None) -> Path:
    """Write the statistics of the term, a row for each assignment.

    Raises:
        UsageError: nothing is graded.
    """
    steps = term_trend(course, publication.all_grades(course))
    if not steps:
        raise UsageError("nothing is graded; run `autograder grade ASSIGNMENT` first")
    path = to or course.reports / "term.csv"
    _write(path, TERM_COLUMNS, [_step(step) for step in steps])
    return path


def _question(
    question: QuestionStatistics,
    compared: int,
    upset: Upset | None,
    lost: Exceptions | None,
    times: QuestionTimes,
) -> list[_Cell]:
    scored = question.scored or None
    return [
        *question.key,
        *(question.points, question.scored, question.waiting),
        scored and question.full / scored,
        scored and question.zero / scored,
        question.mean,
        *_numbers(question.item_rest),
        compared if question.item_rest else None,
        *((upset.strongest, len(upset.losing), upset.others, upset.others_losing) if upset else (None,) * 4),
        lost.points if lost else 0,
        *_seconds(times.answer),
        *_seconds(times.test),
        "; ".join(filter(None, [question.remark, times.remark])),
    ]


def _step(step: TermStep) -> list[_Cell]:
    quartiles = step.quartiles or (None,) * 3
    return [step.assignment, step.submissions, step.waiting, *quartiles, *_numbers(step.alpha), step.cpu_seconds]


def _numbers(estimate: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)


def _seconds(time: ClassTime | None) -> tuple[float | None, float | None]:
    return (time.median, time.high) if time else (None, None)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[_Cell]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_text(cell) for cell in row] for row in rows)
    write_atomically(path, out.getvalue())


def _text(cell: _Cell) -> str:
    if cell is None:
        return ""
    return guarded(one_line(cell, 500)) if isinstance(cell, str) else f"{round(cell, 4):.12g}"
