"""Dropout as a factor: what numbers are multiplied by shows where, and how often, a network drops them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class DropoutFactors:
    """What stands in two networks that are compared for the numbers that they drop."""

    seed: int
    is_single: bool = False
    """Whether a dropout multiplies all numbers by one, which says nothing of their order."""

    def factor(self, share: float, sizes: Sequence[int], *, of_features: bool = False) -> np.ndarray:
        """Return what the numbers of a row are multiplied by.

        Args:
            share: the share of the numbers that it drops.
            sizes: its numbers of a row, by axis, of which a reshape changes none.
            of_features: whether it drops features whole, which stand on the first of these axes.

        Returns:
            float64 of the shape ``(1, *sizes)``: positive, as a ReLU may stand on either side of a dropout.
        """
        sizes = [*sizes[:1], *[1] * len(sizes[1:])] if of_features else sizes
        if not share:
            return np.ones((1, *sizes))
        count = math.prod(sizes)
        draws = np.random.default_rng([self.seed, round(share * 1e6), 1 if self.is_single else count])
        drawn = np.exp(0.5 * draws.normal(size=1 if self.is_single else count))
        return np.array(np.broadcast_to(drawn, count)).reshape((1, *sizes))


def plain_factors(factors: DropoutFactors | None) -> list[Any] | None:
    """Return factors as plain data for the process that computes."""
    return None if factors is None else [factors.seed, factors.is_single]


def read_factors(plain: Sequence[Any] | None) -> DropoutFactors | None:
    """Read what :func:`plain_factors` wrote."""
    return None if plain is None else DropoutFactors(*plain)
