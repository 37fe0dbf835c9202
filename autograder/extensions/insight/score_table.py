"""Scores of a class as a table: a row for each submission, a column for each question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograder.extensions.insight.suspect_questions import Key
from autograder.records.grade import Grade, QuestionGrade

Floats: TypeAlias = NDArray[np.float64]
MAX_GAPS = 1 / 3
"""Share of submissions without a score from which on a question is left out of sums over questions."""


@dataclass(frozen=True)
class ScoreTable:
    """Scores of one assignment; each question has points."""

    keys: tuple[Key, ...]
    """Questions, in the order of the notebooks."""
    points: Floats
    """(questions,) points of each question."""
    scores: Floats
    """(submissions, questions) scores; NaN where a person still has to decide, or the grade lacks the question."""

    @property
    def compared_columns(self) -> list[int]:
        """Numbers of the columns with few gaps."""
        gaps = np.isnan(self.scores).mean(axis=0) if len(self.scores) else np.ones(len(self.keys))
        return [int(column) for column in np.flatnonzero(gaps <= MAX_GAPS)]

    @property
    def compared(self) -> Floats:
        """(submissions, questions) scores of those columns, of the submissions that have all of them."""
        scores = self.scores[:, self.compared_columns]
        return np.asarray(scores[~np.isnan(scores).any(axis=1)])


def score_table(grades: Sequence[Grade]) -> ScoreTable:
    """Make the table of the given submissions; questions without points are left out."""
    questions = [{(book.notebook, q.id): q for book in grade.notebooks for q in book.questions} for grade in grades]
    points = {key: q.max_score for row in questions for key, q in row.items() if q.max_score > 0}
    keys = tuple(points)
    scores = np.array([[_score(row.get(key)) for key in keys] for row in questions], dtype=np.float64)
    return ScoreTable(keys, np.array([points[key] for key in keys]), scores.reshape(len(grades), len(keys)))


def _score(question: QuestionGrade | None) -> float:
    return np.nan if question is None or question.waits else question.score
