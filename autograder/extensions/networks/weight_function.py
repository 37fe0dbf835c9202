"""A network as a function of its rows and its numbers, in double precision: what all libraries have in common.

Whoever compares two networks gives both the same numbers. Nothing here knows a layer or an operator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

NumberKind = Literal["weight", "frozen", "mean", "variance", "constant"]
"""What an array of a network is: a weight that is trained, one that is not, a statistic of a normalization, or what a
network holds beside these."""


@dataclass(frozen=True)
class FunctionPass:
    """What a network computes for some rows with given numbers."""

    outputs: list[np.ndarray]
    """float64, rows first."""
    gradients: Callable[[Sequence[np.ndarray]], list[np.ndarray]]
    """Maps a gradient of each output to those of all arrays, float64, as often as asked; zeros where there is none."""


class WeightFunction(ABC):
    """A network in evaluation mode, of which the numbers are arguments. The network itself stays as it is."""

    arrays: Sequence[np.ndarray]
    """The numbers that it has, float64."""
    kinds: Sequence[NumberKind]
    """What each array is."""
    rounding = 1e-9
    """Relative error of what the library computes, gradients included."""
    is_parametrized = False
    """Whether a weight is computed from other numbers, as by a weight normalization."""

    @abstractmethod
    def outputs(self, arrays: Sequence[np.ndarray], rows: Any) -> list[np.ndarray]:
        """Compute the outputs, float64, rows first.

        Raises:
            Exception: the rows do not fit.
        """

    @abstractmethod
    def forward(self, arrays: Sequence[np.ndarray], rows: Any) -> FunctionPass:
        """Compute the outputs, and what their gradients need.

        Raises:
            Exception: the rows do not fit.
        """
