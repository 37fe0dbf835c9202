"""Interval of a share, from its published formula."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054
"""Quantile of the standard normal distribution for intervals that hold in 95 of 100 samples."""


def wilson(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Return the interval for a share of which ``successes`` of ``trials`` were seen; (0, 1) without trials.

    The score interval of Wilson (1927), which Brown, Cai and DasGupta (2001, "Interval Estimation for a Binomial
    Proportion", Statistical Science 16) recommend for small samples.
    """
    if trials <= 0:
        return 0.0, 1.0
    share = successes / trials
    scale = 1 + z * z / trials
    middle = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    low = 0.0 if successes == 0 else (middle - half) / scale
    high = 1.0 if successes == trials else (middle + half) / scale
    return max(0.0, low), min(1.0, high)
