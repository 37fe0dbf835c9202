"""Rows of a course, split into those to train on and those to compare on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograder.extensions.networks.rows import map_arrays

_COMPARED, MAX_COMPARED = 0.3, 1000
"""Share of the rows that is kept for comparison, and the most rows."""


@dataclass(frozen=True)
class SplitRows:
    """Fit rows and comparison rows, in random order: the first of them are a sample."""

    inputs: Any
    """An array, rows first, or a list or dict of them; floats are float32."""
    labels: np.ndarray
    compared: Any
    compared_labels: np.ndarray

    @cached_property
    def scaled(self) -> tuple[Any, Any]:
        """Fit inputs and comparison inputs, one array each, with each feature brought to mean 0 and deviation 1."""
        axes = tuple(range(self.inputs.ndim - 1))
        mean, deviation = self.inputs.mean(axis=axes), self.inputs.std(axis=axes)
        deviation = np.where(deviation > 0, deviation, 1.0)
        fit, compared = ((rows - mean) / deviation for rows in (self.inputs, self.compared))
        return fit.astype(np.float32), compared.astype(np.float32)


def split(x: Any, y: np.ndarray, seed: int) -> SplitRows:
    """Split rows at random, the same way for the same seed.

    Args:
        x: an array, rows first, or a list or dict of them.
        y: labels, (n, …).
        seed: decides which rows are compared, together with their number.
    """
    order = np.random.default_rng([seed, len(y)]).permutation(len(y))
    count = min(int(_COMPARED * len(y)), MAX_COMPARED)
    compared, fit = order[:count], order[count:]

    def take(rows: np.ndarray) -> Any:
        return map_arrays(x, lambda array: _floats(array)[rows])

    return SplitRows(take(fit), y[fit], take(compared), y[compared])


def _floats(array: Any) -> np.ndarray:
    numbers = np.asarray(array)
    return numbers.astype(np.float32) if numbers.dtype.kind == "f" else numbers
