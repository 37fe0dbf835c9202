"""What a loop makes of the gradients of a batch before its optimizer gets them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.extensions.networks.step_calculus import Weights

Gradients = list[np.ndarray | None]
"""The gradients of all weights; None for what is not trained."""
GradientChange = Callable[[Gradients, Weights, int], Gradients]
"""Takes the gradients of a batch, the weights that they belong to, and the number of the step from 0."""


def unchanged(gradients: Gradients, weights: Weights, step: int) -> Gradients:
    """Pass the gradients on as they are."""
    return gradients


def scaled(*factors: float) -> GradientChange:
    """Multiply the gradients of each step by its factor; the last factor is that of all later steps."""
    return lambda gradients, weights, step: _times(gradients, factors[min(step, len(factors) - 1)])


def clipped_to_norm(most: float) -> GradientChange:
    """Shorten the gradients to a norm, that of all their numbers together."""
    return lambda gradients, weights, step: _times(gradients, _shortening(norm(gradients), most))


def each_clipped_to_norm(most: float) -> GradientChange:
    """Shorten each array of gradients to a norm of its own."""

    def change(gradients: Gradients, weights: Weights, step: int) -> Gradients:
        return [_times([array], _shortening(norm([array]), most))[0] for array in gradients]

    return change


def clipped_to_values(most: float) -> GradientChange:
    """Bring each number of the gradients between ``-most`` and ``most``."""
    return lambda gradients, weights, step: [
        None if array is None else np.clip(array, -most, most) for array in gradients
    ]


def with_penalty(strength: float, *, min_axes: int = 0) -> GradientChange:
    """Add the gradients of a squared penalty on the weights.

    Args:
        strength: what the weights are multiplied with, as a weight decay.
        min_axes: arrays with fewer axes have no penalty; 2 leaves biases out.
    """

    def change(gradients: Gradients, weights: Weights, step: int) -> Gradients:
        return [
            array if array is None or array.ndim < min_axes else array + strength * held
            for array, held in zip(gradients, weights, strict=True)
        ]

    return change


def norm(gradients: Gradients) -> float:
    """Return the Euclidean norm of all numbers together."""
    squares = [float(np.square(array, dtype=np.float64).sum()) for array in gradients if array is not None]
    return float(np.sqrt(sum(squares)))


def _shortening(length: float, most: float) -> float:
    return min(1.0, most / (length + 1e-6))  # PyTorch's own formula


def _times(gradients: Gradients, factor: float) -> Gradients:
    return [None if array is None else array * factor for array in gradients]
