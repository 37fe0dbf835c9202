"""Distribution functions of intervals and tests: the standard library has none, and students need no scipy."""

from __future__ import annotations

import math
from collections.abc import Callable


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Compute I_x(a, b) by its continued fraction (Abramowitz and Stegun 26.5.8, evaluated with Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    tiny = 1e-300
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d, tiny)
            c = _away_from_zero(1 + term / c, tiny)
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return front * value


def student_p(t: float, freedom: float) -> float:
    """Return the two-sided p of Student's t: the regularized incomplete beta function I_x(f/2, 1/2), x = f/(f + t²)."""
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def t_quantile(probability: float, freedom: float) -> float:
    """Return the value below which Student's t is with a probability.

    Args:
        probability: from 0.5 to less than 1.
        freedom: degrees of freedom, also fractional ones.
    """
    tails, high = 2 * (1 - probability), 1.0
    while student_p(high, freedom) > tails:
        high *= 2
    return bisect_zero(lambda t: tails - student_p(t, freedom), high)


def f_quantile(probability: float, above: float, below: float) -> float:
    """Return the value below which an F of so many degrees of freedom, of numerator and denominator, is."""
    share = bisect_zero(lambda p: incomplete_beta(above / 2, below / 2, p) - probability)
    return below * share / (above * (1 - share))


def bisect_zero(rises: Callable[[float], float], high: float = 1.0) -> float:
    """Find the zero in [0, high] of a function that rises from below 0 to above."""
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) < 0 else (low, middle)
    return high


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
