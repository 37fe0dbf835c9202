"""What a count of runs shows: the interval of a share, and what it is at most.

Clopper & Pearson 1934: exact for independent trials and never too short, whatever the measured values look like.
docs/explanation/trust.md says why no model of the values stands beside it. The tests compare with scipy.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from autograder._util.distributions import bisect_zero, incomplete_beta

CONFIDENCE = 0.95
"""Confidence of intervals and bounds. Two-sided intervals leave 2.5 % on each side."""


@dataclass(frozen=True)
class Interval:
    """An interval of a probability."""

    low: float
    high: float


def share_interval(hits: float, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the Clopper–Pearson interval for a share.

    ``hits`` may be fractional, where each trial gives a number from 0 to 1. Among all distributions on [0, 1] with one
    mean, 0 and 1 vary most, so the interval is not too short.

    Args:
        hits: sum of the trials, 0 to ``trials``.
        trials: number of independent trials; 0 gives [0, 1].
        confidence: the two-sided confidence.
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    tail = (1 - confidence) / 2
    low = 0.0 if hits <= 0 else bisect_zero(lambda p: incomplete_beta(hits, trials - hits + 1, p) - tail)
    return Interval(low, upper_bound(hits, trials, 1 - tail))


def upper_bound(hits: float, trials: int, confidence: float = CONFIDENCE) -> float:
    """Return what a share is at most, with a one-sided confidence (Clopper–Pearson).

    With no hit, it is also what the runs say of the worst value among them. At most so many further runs are worse,
    whatever distribution they come from (a tolerance limit, Wilks 1941).

    Args:
        hits: sum of the trials, 0 to ``trials``.
        trials: number of independent trials; 0 gives 1.
        confidence: the one-sided confidence.
    """
    if hits >= trials:
        return 1.0
    return bisect_zero(lambda p: incomplete_beta(hits + 1, trials - hits, p) - confidence)


def runs_needed(rate: float, confidence: float = CONFIDENCE) -> int:
    """Return how many runs without a loss show that at most ``rate`` of all lose: 299 for 1 %."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate))


def met_by_all(values: Sequence[float], *, higher_is_better: bool) -> float:
    """Return the threshold that all values meet: the worst of them, rounded in their favor to the spread's first digit.

    Args:
        values: at least two that differ.
        higher_is_better: whether the smallest is the worst.
    """
    step = 10.0 ** math.floor(math.log10(statistics.stdev(values)))
    steps = math.floor(min(values) / step) if higher_is_better else math.ceil(max(values) / step)
    return round(steps * step, 12)
