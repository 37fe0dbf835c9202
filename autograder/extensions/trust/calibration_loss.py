"""Probability that one more run of a candidate misses a threshold."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from autograder.extensions.trust.calibration_statistics import tail_probability
from autograder.release.calibration_record import CheckCalibration

MIN_VALUES = 2
"""Number of values below which nothing is estimated."""


def loss_probability(values: Sequence[float], check: CheckCalibration, threshold: float | None) -> float | None:
    """Estimate the probability that one more run misses a threshold, from a normal distribution.

    Returns:
        None if there is no threshold or too few values. Where all values are equal, 0 or 1.
    """
    distance = distance_of(values, check, threshold)
    if distance is None:
        return None
    return float(distance < 0) if math.isinf(distance) else tail_probability(distance, len(values))


def distance_of(values: Sequence[float], check: CheckCalibration, threshold: float | None) -> float | None:
    """Return how many standard deviations the mean is from the farthest value that passes."""
    if threshold is None or len(values) < MIN_VALUES:
        return None
    sign = 1.0 if check.higher_is_better else -1.0
    room = sign * (statistics.fmean(values) - threshold) + check.doubt
    spread = statistics.stdev(values)
    if spread > 0:
        return room / spread
    return math.inf if room >= 0 else -math.inf
