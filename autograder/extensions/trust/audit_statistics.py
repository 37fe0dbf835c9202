"""Intervals and comparisons that an audit states, from their published formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autograder._util.distributions import student_p


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """Difference of a metric between two groups of trainings."""

    p: float
    """Two-sided p of the group's coefficient in a linear model."""
    d: float
    """Cohen's d: difference of the means in units of the pooled standard deviation."""
    first: float
    second: float
    """Means of the two groups."""

    @property
    def is_different(self) -> bool:
        """Whether the groups differ by DeepCrime's rule: p < 0.05, and d of at least 0.5 or at most −0.5."""
        return self.p < MAX_P and abs(self.d) >= MIN_EFFECT


MAX_P, MIN_EFFECT = 0.05, 0.5
"""Bounds of :attr:`MetricDifference.is_different`."""
NEGLIGIBLE = 0.01
"""Share of a metric that makes no difference between two trainings without chance."""


def difference(first: Sequence[float], second: Sequence[float], *, noise: float = 0.0) -> MetricDifference:
    """Compare a metric over repeated trainings of two networks, by the rule of DeepCrime.

    Humbatova, Jahangirova and Tonella (2021, "DeepCrime: Mutation Testing of Deep Learning Systems Based on Real
    Faults") fit a generalized linear model of the metric on the group. They ask for p < 0.05 and an effect of at least
    0.5 (Cohen 1988). With the Gaussian family and one factor of two groups, that model's coefficient is the difference
    of the means. Its p is that of Student's t with a pooled variance, which is exact for few trainings.

    Where nothing in the training is random, any difference would be certain. There it must be more than
    :data:`NEGLIGIBLE`, and more than ``noise``, the metric's standard error by the rows that it is measured on.
    Another holdout of as many rows may turn less round, and checks forgive as much as a close call.
    """
    means = [math.fsum(group) / len(group) for group in (first, second)]
    freedom = len(first) + len(second) - 2
    squares = math.fsum((x - mean) ** 2 for group, mean in zip((first, second), means, strict=True) for x in group)
    gap = means[1] - means[0]
    if freedom < 1 or squares <= 1e-24 * max(1.0, max(map(abs, means))) ** 2:
        apart = abs(gap) > max(NEGLIGIBLE * max(map(abs, means)), noise)
        return MetricDifference(0.0 if apart else 1.0, math.copysign(math.inf, gap) if apart else 0.0, *means)
    deviation = math.sqrt(squares / freedom)
    t = gap / (deviation * math.sqrt(1 / len(first) + 1 / len(second)))
    return MetricDifference(student_p(t, freedom), gap / deviation, *means)
