"""Questions whose test may be wrong: points lost to an exception, and points that the strongest students lose.

Neither shows that a test is wrong. Both say where a teacher should look at answers before others ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder._util.intervals import wilson
from autograder.records.grade import Grade, QuestionGrade

MIN_CLASS = 8
"""Fewest graded submissions with which students are compared."""
_NO_SUSPECTS = ("AssertionError", "NameError", "NotImplementedError")
"""Exceptions of wrong answers and of missing ones."""

Key = tuple[str, str]
"""Notebook and id of a question."""


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Points of one question that were lost where the test ended in an exception, and not in a failed assertion."""

    key: Key
    grades: tuple[Grade, ...]
    """Grades of the students who lost them."""
    points: float
    """Sum over the students."""
    errors: tuple[tuple[str, int], ...]
    """Each exception with its number of students, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Upset:
    """A question that the strongest students lose points by, as often as the others or more often."""

    key: Key
    losing: tuple[Grade, ...]
    """Grades of the strongest who lose points."""
    strongest: int
    others_losing: int
    others: int
    low: float
    high: float
    """95 % interval for the share of strong students who lose points, in percent."""


def exceptions(grades: Sequence[Grade]) -> list[Exceptions]:
    """Return the questions with points lost to an exception, those with the most points first."""
    losses: dict[Key, list[tuple[Grade, float, str]]] = {}
    for grade, key, question in graded_questions(grades):
        if (lost := question.max_score - question.score) > 0 and (error := _exception(question)):
            losses.setdefault(key, []).append((grade, lost, error))
    listed = [
        Exceptions(
            key,
            tuple(grade for grade, _, _ in rows),
            sum(lost for _, lost, _ in rows),
            tuple(Counter(error for _, _, error in rows).most_common(3)),
        )
        for key, rows in losses.items()
    ]
    return sorted(listed, key=lambda each: -each.points)


def _exception(question: QuestionGrade) -> str:
    """Return the type and line of the first exception that is no failed assertion; empty if there is none.

    Its words may be the student's, and could tell what is hidden to whoever looks over a teacher's shoulder.
    """
    for failure in question.failures:
        if failure.line and failure.said and failure.type not in _NO_SUSPECTS:
            kind = failure.type or failure.said[0]
            return f"{kind}, at `{failure.code}`" if failure.code else kind
    return ""


def upsets(grades: Sequence[Grade]) -> list[Upset]:
    """Return the questions that the strongest quarter loses at least as often as the others; none of a small class.

    The strongest at a question are those with the most points in all *other* questions, so that the question itself
    does not decide who they are. Students who share the last place are all among them.
    """
    results: dict[Key, list[tuple[Grade, QuestionGrade]]] = {}
    for grade, key, question in graded_questions(grades):
        results.setdefault(key, []).append((grade, question))
    listed = [upset for key, rows in results.items() if (upset := _upset(key, rows)) is not None]
    return sorted(listed, key=lambda each: -len(each.losing) / each.strongest)


def _upset(key: Key, rows: Sequence[tuple[Grade, QuestionGrade]]) -> Upset | None:
    if len(rows) < MIN_CLASS or len(rows[0][0].notebooks) == len(rows[0][0].notebooks[0].questions) == 1:
        return None
    others_score = {id(grade): _score(grade) - question.score for grade, question in rows}
    bound = sorted(others_score.values(), reverse=True)[max(2, round(len(rows) / 4) - 1)]
    strong = [(grade, question) for grade, question in rows if others_score[id(grade)] >= bound]
    weak = [(grade, question) for grade, question in rows if others_score[id(grade)] < bound]
    losing = [grade for grade, question in strong if question.loses_points]
    losing_others = sum(question.loses_points for _, question in weak)
    if len(strong) > len(rows) / 2 or len(losing) < 2 or len(losing) * len(weak) < losing_others * len(strong):
        return None
    low, high = wilson(len(losing), len(strong))
    return Upset(key, tuple(losing), len(strong), losing_others, len(weak), 100 * low, 100 * high)


def _score(grade: Grade) -> float:
    return sum(book.score for book in grade.notebooks)


def graded_questions(grades: Sequence[Grade]) -> Iterator[tuple[Grade, Key, QuestionGrade]]:
    """Yield the questions that tests have graded."""
    for grade in grades:
        for book in grade.notebooks:
            for question in book.questions:
                if not question.waits:
                    yield grade, (book.notebook, question.id), question
