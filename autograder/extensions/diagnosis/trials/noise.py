"""Noise of a gain: how much of it the rows and the seeds explain."""

from __future__ import annotations

import math

import numpy as np

from autograder._util.distributions import t_quantile

ALPHA = 0.05
"""Largest probability that a model without any fault gets a finding, over all changes that may be tried on it."""


def certain_gain(gains: np.ndarray, alpha: float) -> float:
    """Return the lower end of the one-sided interval of the mean gain; -inf if it is unknown.

    Seeds and rows are both random. Their variances are added, which counts what they have in common twice and so errs
    to the safe side; the degrees of freedom are Welch and Satterthwaite's.

    Args:
        gains: (seeds, rows): how much smaller the loss of each row is with the change, after trainings from one seed.
        alpha: probability that the true mean is below the result.
    """
    seeds, rows = gains.shape
    if seeds < 2 or rows < 2 or not np.isfinite(gains).all():
        return -math.inf
    by_seed = float(gains.mean(axis=1).var(ddof=1)) / seeds
    by_row = float(gains.mean(axis=0).var(ddof=1)) / rows
    total = by_seed + by_row
    if total == 0:
        return float(gains.mean())
    degrees = total**2 / (by_seed**2 / (seeds - 1) + by_row**2 / (rows - 1))
    return float(gains.mean() - t_quantile(1 - alpha, degrees) * math.sqrt(total))
