"""Own time of questions over a class: how long answers and tests computed, and which take much longer than others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.extensions.insight.suspect_questions import Key
from autograder.records.grade import Grade

LONG_FACTOR, LONG_SECONDS = 5.0, 5.0
"""A question takes long from so many times the median of the other questions on, and from so many seconds on."""
TAKES_LONG = "takes much longer than the others"


@dataclass(frozen=True, slots=True)
class ClassTime:
    """Own time over the submissions in which it was measured, in seconds."""

    median: float
    high: float
    """95th percentile."""
    measured: int
    """Number of these submissions."""


@dataclass(frozen=True, slots=True)
class QuestionTimes:
    """Own times of one question."""

    key: Key
    answer: ClassTime | None
    """The answer's cells; None where nobody's are known."""
    test: ClassTime | None
    """The test, with the student's code that it called; None where nobody's was measured."""
    takes_long: bool = False
    """Whether answer and test take much longer than those of the other questions."""

    @property
    def together(self) -> float:
        """Sum of the medians."""
        return sum(time.median for time in (self.answer, self.test) if time is not None)

    @property
    def remark(self) -> str:
        """:data:`TAKES_LONG`, or nothing."""
        return TAKES_LONG if self.takes_long else ""


def question_times(grades: Sequence[Grade]) -> dict[Key, QuestionTimes]:
    """Summarize the own times of each question that has any, in the order of the notebooks."""
    answers: dict[Key, list[float]] = {}
    tests: dict[Key, list[float]] = {}
    for grade in grades:
        for book in grade.notebooks:
            for question in book.questions:
                key = (book.notebook, question.id)
                for times, seconds in ((answers, question.answer_seconds), (tests, question.test_seconds)):
                    times.setdefault(key, []).extend([] if seconds is None else [seconds])
    measured = [QuestionTimes(key, _class_time(answers[key]), _class_time(tests[key])) for key in answers]
    return _with_long_ones([times for times in measured if times.answer or times.test])


def _class_time(seconds: Sequence[float]) -> ClassTime | None:
    if not seconds:
        return None
    median, high = np.percentile(seconds, [50, 95])
    return ClassTime(float(median), float(high), len(seconds))


def _with_long_ones(measured: Sequence[QuestionTimes]) -> dict[Key, QuestionTimes]:
    """Mark the questions that take long; the only question of a class has no others."""
    marked = {}
    for times in measured:
        medians = [question.together for question in measured if question is not times]
        least = max(LONG_SECONDS, LONG_FACTOR * float(np.median(medians))) if medians else np.inf
        marked[times.key] = QuestionTimes(times.key, times.answer, times.test, times.together >= least)
    return marked
