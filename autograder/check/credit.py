"""Rules that turn a measured value into a share of the credit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder._util.text import credit_percent
from autograder.errors import CourseError


@dataclass(frozen=True)
class Credit:
    """Points (value, share), from the loosest value to the strictest."""

    points: tuple[tuple[float, float], ...]
    higher_is_better: bool

    def share(self, value: float) -> float:
        """Return the share of the credit, 0 to 1.

        It is linear between the points and constant beyond the strictest. Before the loosest, and for NaN, it is 0.
        """
        if not math.isfinite(value):
            return 0.0
        sign = 1.0 if self.higher_is_better else -1.0
        values = [sign * point for point, _ in self.points]
        if sign * value < values[0]:
            return 0.0
        return float(np.interp(sign * value, values, [share for _, share in self.points]))

    @property
    def cliff(self) -> float | None:
        """The value at which credit starts with a jump, as at a threshold; None if it starts at share 0."""
        value, share = self.points[0]
        return value if share > 0 else None

    @property
    def evidence(self) -> dict[str, float | bool]:
        """The rule as evidence, which students never get; see :data:`~autograder.records.checks.PRIVATE_EVIDENCE`."""
        best = next(value for value, share in self.points if share == self.points[-1][1])
        return {"threshold": best, "first_credit": self.points[0][0], "higher_is_better": self.higher_is_better}

    def __str__(self) -> str:
        direction = "or more" if self.higher_is_better else "or less"
        best = next(value for value, share in self.points if share == self.points[-1][1])
        share = self.points[-1][1]
        label = "full credit" if share == 1 else f"{credit_percent(share)}% of the credit"
        text = f"{label} at {best:g} {direction}"
        if len(self.points) > 1:
            text += f", beginning at {self.points[0][0]:g}"
        return text


def credit_of(
    check_name: str,
    threshold: float | None,
    credit: Sequence[tuple[float, float]] | None,
    *,
    higher_is_better: bool,
) -> Credit:
    """Return the credit rule of a single threshold, or of a list of points in any order.

    Raises:
        CourseError: both or neither is given, or a stricter value earns less than a looser one.
    """
    if (threshold is None) == (credit is None):
        raise CourseError(f"{check_name}: give a threshold or credit=, one of the two.")
    points = [(threshold, 1.0)] if credit is None else list(credit)
    try:
        pairs = sorted((float(value), float(share)) for value, share in points)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise CourseError(f"{check_name}: credit is a list of (value, share) pairs.") from None
    if not higher_is_better:
        pairs.reverse()
    shares = [share for _, share in pairs]
    if not pairs or not all(math.isfinite(v) and 0 <= s <= 1 for v, s in pairs):
        raise CourseError(f"{check_name}: credit needs finite values with shares from 0 to 1.")
    if shares != sorted(shares) or shares[-1] == 0:
        raise CourseError(f"{check_name}: a better value must not earn less, and the best must earn something.")
    if len({value for value, _ in pairs}) < len(pairs):
        raise CourseError(f"{check_name}: credit names a value twice.")
    return Credit(tuple(pairs), higher_is_better)
