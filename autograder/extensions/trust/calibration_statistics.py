"""Intervals for shares, and for the probability that one more measurement misses a threshold.

Counts: Clopper & Pearson 1934, exact for independent trials and never too short. Measurements from a normal
distribution: the interval for a tail's probability by the noncentral t distribution (Owen 1968; Hahn & Meeker 1991,
4.4), and the one-sided tolerance limit (Natrella 1963). Only the standard library and numpy are needed; the tests
compare with scipy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from autograder.extensions.trust.distributions import incomplete_beta, student_p

CONFIDENCE = 0.95
"""Confidence of the intervals. Two-sided ones leave 2.5 % on each side."""
_NORMAL = NormalDist()
_GRID = 4001


@dataclass(frozen=True)
class Interval:
    """An interval of a probability, or of a threshold."""

    low: float
    high: float


# --- counts ------------------------------------------------------------------------------------------------


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
    low = 0.0 if hits <= 0 else _bisect(lambda p: incomplete_beta(hits, trials - hits + 1, p) - tail)
    high = 1.0 if hits >= trials else _bisect(lambda p: incomplete_beta(hits + 1, trials - hits, p) - (1 - tail))
    return Interval(low, high)


# --- measurements --------------------------------------------------------------------------------------------


def tail_probability(distance: float, count: int) -> float:
    """Estimate the probability that one more measurement lies beyond a threshold.

    It is the predictive probability: of Student's t, because mean and standard deviation are estimated.

    Args:
        distance: (threshold - mean) / standard deviation, of ``count`` measurements; negative where the mean is beyond.
        count: at least 2.
    """
    return 1 - _student(distance / math.sqrt(1 + 1 / count), count - 1)


def tail_interval(distance: float, count: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of that probability, exact for a normal distribution.

    √n · distance has a noncentral t distribution, whose parameter is √n times the quantile of the true probability.
    """
    tail = (1 - confidence) / 2
    root = math.sqrt(count)

    def quantile(level: float) -> float:
        return _bisect(lambda z: level - _noncentral(root * distance, count - 1, root * z), -40.0, 40.0)

    return Interval(_NORMAL.cdf(-quantile(tail)), _NORMAL.cdf(-quantile(1 - tail)))


def tolerance_factor(rate: float, count: int, confidence: float = CONFIDENCE) -> float:
    """Return k: at most ``rate`` of a normal distribution lies beyond mean + k standard deviations of ``count``.

    This holds with the given (one-sided) confidence. For 20 measurements and a rate of 1 %, k is 3.295.
    """
    root = math.sqrt(count)
    z = _NORMAL.inv_cdf(1 - rate)
    return _bisect(lambda k: _noncentral(root * k, count - 1, root * z) - confidence, -50.0, 1e4)


def _student(t: float, df: int) -> float:
    half = student_p(t, df) / 2
    return half if t < 0 else 1 - half


def _noncentral(t: float, df: int, shift: float) -> float:
    """Return the noncentral t distribution's P(T ≤ t): the mean of Φ(t·s − shift) over s = χ/√df."""
    center, spread = 1.0, 1 / math.sqrt(2 * df)
    s = np.linspace(max(1e-9, center - 12 * spread), center + 12 * spread, _GRID)
    log_density = (df - 1) * np.log(s) - df * s * s / 2
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    return float(weight @ _phi(t * s - shift))


def _phi(z: np.ndarray) -> np.ndarray:
    return np.array([0.5 * math.erfc(-one / math.sqrt(2)) for one in z])


def _bisect(rises: Callable[[float], float], low: float = 0.0, high: float = 1.0) -> float:
    """Find the zero of a function that rises from below 0 to above."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) < 0 else (low, middle)
    return (low + high) / 2


# --- shape ---------------------------------------------------------------------------------------------------


def looks_normal(values: Sequence[float], risk: float = 0.01) -> bool:
    """Tell whether measurements may come from a normal distribution, by the Anderson–Darling test.

    The critical values are those of Stephens 1974 for estimated mean and variance, as d'Agostino & Stephens 1986 (table
    4.9) give the p value. Fewer than 5 measurements, or equal ones, are not tested.

    Args:
        values: the measurements.
        risk: the probability to deny it of a normal distribution.
    """
    x = np.sort(np.asarray(values, float))
    n = len(x)
    if n < 5 or x[0] == x[-1]:
        return True
    p = np.clip(_phi((x - x.mean()) / x.std(ddof=1)), 1e-300, 1 - 1e-16)
    weights = 2 * np.arange(1, n + 1) - 1
    a = float(-n - (weights * (np.log(p) + np.log1p(-p[::-1]))).mean()) * (1 + 0.75 / n + 2.25 / n**2)
    return a < _critical(risk)


def _critical(risk: float) -> float:
    """Return A*² with p value ``risk``, for risks below 0.05: p = exp(1.2937 − 5.709 A + 0.0186 A²)."""
    return _bisect(lambda a: math.log(risk) - (1.2937 - 5.709 * a + 0.0186 * a * a), 0.6, 10.0)
