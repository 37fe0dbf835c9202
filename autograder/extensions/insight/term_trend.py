"""The trend of a class over the assignments of a term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.extensions.insight.question_statistics import Estimate, class_alpha
from autograder.extensions.insight.suspect_questions import graded_questions
from autograder.records.course import Course
from autograder.records.grade import Grade
from autograder.results.report.status_words import graded


@dataclass(frozen=True)
class TermStep:
    """One assignment of a term."""

    assignment: str
    title: str
    submissions: int
    """Submissions whose notebooks ran, of the exam with the newest grade."""
    waiting: int
    """Submissions of which a question waits for a person."""
    quartiles: tuple[float, float, float] | None
    """Lower quartile, median and upper quartile of the scores, in percent of the points that are decided, before late
    penalties; None where no question is decided."""
    alpha: Estimate | None
    cpu_seconds: float
    """Median of the own time of a submission."""


def term_trend(course: Course, term: Sequence[Grade]) -> list[TermStep]:
    """Summarize each assignment of course.yaml that has grades, in its order."""
    by_assignment: dict[str, list[Grade]] = {name: [] for name in course.assignments}
    for grade in term:
        if graded(grade) and grade.assignment in by_assignment:
            by_assignment[grade.assignment].append(grade)
    return [_step(course.assignments[name].title, grades) for name, grades in by_assignment.items() if grades]


def _step(title: str, grades: Sequence[Grade]) -> TermStep:
    newest = max(grades, key=lambda grade: grade.graded_at.timestamp() if grade.graded_at else 0.0)
    grades = [grade for grade in grades if grade.is_of_exam(newest.exam_key)]
    shares = [share for grade in grades if (share := _decided_share(grade)) is not None]
    low, median, high = np.percentile(shares or [0.0], [25, 50, 75])
    return TermStep(
        newest.assignment,
        title,
        len(grades),
        sum(grade.needs_manual_grade for grade in grades),
        (float(low), float(median), float(high)) if shares else None,
        class_alpha(grades),
        float(np.median([own_time(grade) for grade in grades])),
    )


def _decided_share(grade: Grade) -> float | None:
    """Return the percent of the points of the questions that wait for nobody."""
    decided = [question for _, _, question in graded_questions([grade])]
    points = sum(question.max_score for question in decided)
    return 100 * sum(question.score for question in decided) / points if points else None


def own_time(grade: Grade) -> float:
    """Return the seconds of processor time that a submission's notebooks used."""
    return sum(book.cpu_seconds for book in grade.notebooks)
