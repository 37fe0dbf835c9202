"""Statistics of questions from classical test theory, with intervals by bootstrap.

A course has tens of students, not thousands: there is no item response theory here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autograder._util.distributions import f_quantile
from autograder.extensions.insight.score_table import Floats, ScoreTable, score_table
from autograder.extensions.insight.suspect_questions import MIN_CLASS, Key
from autograder.records.grade import Grade

MIN_BOOTSTRAPPED = 30
"""Smallest class whose alpha has its interval by bootstrap: in smaller ones, too few of them hold."""
RESAMPLES = 1000
"""Classes that are drawn with replacement for an interval."""
WEAK, GOOD = 0.2, 0.4
"""Item–rest correlations below which a question hardly discriminates, and from which on it discriminates well (Ebel and
Frisbie 1991, "Essentials of Educational Measurement", 5th edition, table 13.3)."""
_MAX_UNDEFINED = 0.05
"""Share of drawn classes without a value from which on no interval is told."""
_SEED = 20030609
"""Seed of the drawn classes: the same grades give the same page."""


@dataclass(frozen=True)
class Estimate:
    """A number of a class with its 95 % interval."""

    value: float
    low: float | None
    """None, as ``high``: in more than 5 % of the drawn classes there is no such number."""
    high: float | None


@dataclass(frozen=True)
class QuestionStatistics:
    """How one question measures."""

    key: Key
    points: float
    scored: int
    """Submissions with a score."""
    waiting: int
    """Submissions whose score waits for a person, or that lack the question."""
    full: int
    """Submissions with full credit or more."""
    zero: int
    """Submissions with no credit."""
    mean: float | None
    """Mean share of the points; None without scores."""
    item_rest: Estimate | None = None
    """Correlation with the sum of the other questions; None where the class or the question does not vary enough."""

    @property
    def remark(self) -> str:
        """Doubt about the question; empty if there is none."""
        estimate = self.item_rest
        if estimate is None or estimate.low is None or estimate.high is None:
            return ""
        if estimate.high < 0:
            return "runs against the other questions"
        is_weak = estimate.value < WEAK and estimate.low <= 0 and estimate.high < GOOD
        return "does not discriminate" if is_weak else ""


@dataclass(frozen=True)
class ClassStatistics:
    """How the questions of one assignment measure."""

    questions: tuple[QuestionStatistics, ...]
    compared: int
    """Submissions with a score for each question that is compared."""
    left_out: tuple[Key, ...] = ()
    """Questions that are not compared: more than a third of their scores are missing."""
    alpha: Estimate | None = None
    """Cronbach's alpha of the compared questions; None for fewer than two, a small class, or equal sums."""


def class_statistics(grades: Sequence[Grade]) -> ClassStatistics:
    """Compute the statistics of a class; grades whose notebook did not run do not belong to it."""
    table = score_table(grades)
    compared, columns = table.compared, list(table.compared_columns)
    correlations = _estimates(item_rest, compared) if _is_enough(compared) else [None] * len(columns)
    by_column = dict(zip(columns, correlations, strict=True))
    questions = [_question(table, column, by_column.get(column)) for column in range(len(table.keys))]
    left_out = tuple(key for column, key in enumerate(table.keys) if column not in columns)
    return ClassStatistics(tuple(questions), len(compared), left_out, _alpha(compared))


def class_alpha(grades: Sequence[Grade]) -> Estimate | None:
    """Compute :attr:`ClassStatistics.alpha` alone."""
    return _alpha(score_table(grades).compared)


def _alpha(compared: Floats) -> Estimate | None:
    estimate = _estimates(cronbach_alpha, compared)[0] if _is_enough(compared) else None
    if estimate is None or len(compared) >= MIN_BOOTSTRAPPED:
        return estimate
    return feldt_interval(estimate.value, *compared.shape)


def feldt_interval(alpha: float, submissions: int, questions: int) -> Estimate:
    """Estimate alpha with Feldt's 95 % interval, which holds in classes too small for a bootstrap.

    Feldt, Woodruff and Salih (1987), "Statistical inference for coefficient alpha", Applied Psychological Measurement
    11, 93–103, formulas 6 and 7. There, (1 - population's alpha) / (1 - alpha) is an F with n - 1 and (n - 1)(k - 1)
    degrees of freedom.
    """
    freedom = submissions - 1, (submissions - 1) * (questions - 1)
    low, high = (1 - (1 - alpha) * f_quantile(tail, *freedom) for tail in (0.975, 0.025))
    return Estimate(alpha, low, high)


def _is_enough(compared: Floats) -> bool:
    """Tell whether students and questions are enough to be compared."""
    return len(compared) >= MIN_CLASS and compared.shape[1] >= 2


def _question(table: ScoreTable, column: int, item_rest: Estimate | None) -> QuestionStatistics:
    scores = table.scores[:, column]
    scores = scores[~np.isnan(scores)]
    points = float(table.points[column])
    return QuestionStatistics(
        table.keys[column],
        points,
        scored=len(scores),
        waiting=len(table.scores) - len(scores),
        full=int(np.sum(scores >= points - 1e-9)),
        zero=int(np.sum(scores <= 1e-9)),
        mean=float(scores.mean() / points) if len(scores) else None,
        item_rest=item_rest,
    )


def item_rest(scores: Floats, weights: Floats) -> Floats:
    """Compute the correlation of each question with the sum of all others.

    The corrected item–total correlation: Henrysson (1963), "Correction of item-total correlations in item analysis",
    Psychometrika 28, 211–218. The question itself is not in the sum, or it would correlate with itself.

    Args:
        scores: (submissions, questions).
        weights: (classes, submissions), how often a submission is in each class.

    Returns:
        (classes, questions) correlations from -1 to 1; NaN where a question or the sum of the others does not vary.
    """
    scores = scores - scores.mean(axis=0)
    other_sums = scores.sum(axis=1, keepdims=True) - scores
    size = weights.sum(axis=1, keepdims=True)
    mean, mean_others = weights @ scores / size, weights @ other_sums / size
    variance = weights @ scores**2 / size - mean**2
    variance_others = weights @ other_sums**2 / size - mean_others**2
    covariance = weights @ (scores * other_sums) / size - mean * mean_others
    floor = 1e-12 * (1 + (scores**2).max(initial=0) + (other_sums**2).max(initial=0))
    varies = (variance > floor) & (variance_others > floor)
    product = np.where(varies, variance * variance_others, 1.0)
    return np.where(varies, np.clip(covariance / np.sqrt(product), -1, 1), np.nan)


def cronbach_alpha(scores: Floats, weights: Floats) -> Floats:
    """Compute Cronbach's alpha: k / (k - 1) · (1 - sum of the variances / variance of the sum).

    Cronbach (1951), "Coefficient alpha and the internal structure of tests", Psychometrika 16, 297–334.

    Args:
        scores: (submissions, questions), at least two questions.
        weights: (classes, submissions), how often a submission is in each class.

    Returns:
        (classes, 1) values of at most 1; NaN where all sums are equal.
    """
    scores = scores - scores.mean(axis=0)
    sums = scores.sum(axis=1, keepdims=True)
    size = weights.sum(axis=1, keepdims=True)
    variances = weights @ scores**2 / size - (weights @ scores / size) ** 2
    variance = weights @ sums**2 / size - (weights @ sums / size) ** 2
    varies = variance > 1e-12 * (1 + (sums**2).max(initial=0))
    count = scores.shape[1]
    shares = variances.sum(axis=1, keepdims=True) / np.where(varies, variance, 1.0)
    return np.where(varies, count / (count - 1) * (1 - shares), np.nan)


def _estimates(statistic: Callable[[Floats, Floats], Floats], scores: Floats) -> list[Estimate | None]:
    """Estimate each column of a statistic with its percentile interval.

    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13. Whole submissions are drawn with
    replacement, as many as there are. The interval is from the 2.5th to the 97.5th percentile of the values.
    """
    count = len(scores)
    values = statistic(scores, np.ones((1, count)))[0]
    draws = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    drawn = statistic(scores, draws.astype(np.float64))
    return [_interval(float(value), drawn[:, column]) for column, value in enumerate(values)]


def _interval(value: float, drawn: Floats) -> Estimate | None:
    if not np.isfinite(value):
        return None
    defined = drawn[np.isfinite(drawn)]
    if len(defined) < (1 - _MAX_UNDEFINED) * len(drawn):
        return Estimate(value, None, None)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value, float(low), float(high))
