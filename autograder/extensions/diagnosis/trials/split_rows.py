"""Rows of a course, split into those to train on and those to compare on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SplitRows:
    """Fit rows and comparison rows."""

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
