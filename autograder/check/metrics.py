"""Losses and accuracy in float64 numpy: the definitions are Keras's, the arithmetic is ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.errors import CourseError

EPSILON = 1e-7
"""Probabilities are clipped to EPSILON..1-EPSILON, as in ``keras.losses`` (``fit`` on TensorFlow works on scores and
clips nothing)."""


class BadOutput(Exception):
    """The model's outputs are not what the metric is defined for; ``str(error)`` is for the student."""


def categorical_crossentropy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Mean over rows of -log p(right class).

    Args:
        outputs: probabilities, (n, classes).
        labels: one-hot (n, classes) or integers (n,).
    """
    targets = _targets(outputs, labels)
    _require_probabilities(outputs)
    scaled = outputs / outputs.sum(axis=1, keepdims=True)
    return float(-(targets * np.log(np.clip(scaled, EPSILON, 1 - EPSILON))).sum(axis=1).mean())


def binary_crossentropy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Mean of -y log p - (1-y) log(1-p).

    Args:
        outputs: probabilities, (n,) or (n, k).
        labels: 0 to 1, of the same shape; (n,) for (n, 1) will do.
    """
    targets = _same_shape(outputs, labels)
    _require_finite(outputs)
    if outputs.min() < 0 or outputs.max() > 1:
        raise BadOutput("The last layer does not give probabilities: there are values outside 0 to 1.")
    p = np.clip(outputs, EPSILON, 1 - EPSILON)
    return float(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean())


def mean_squared_error(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Mean of (output - label)². Shapes as in :func:`binary_crossentropy`."""
    targets = _same_shape(outputs, labels)
    _require_finite(outputs)
    return float(((outputs - targets) ** 2).mean())


def mean_absolute_error(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Mean of |output - label|. Shapes as in :func:`binary_crossentropy`."""
    targets = _same_shape(outputs, labels)
    _require_finite(outputs)
    return float(np.abs(outputs - targets).mean())


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """The share of rows whose largest probability is the right class's; for one output, of p > 0.5."""
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        _targets(outputs, labels)
        _require_probabilities(outputs)
    elif outputs.ndim in (1, 2):
        _require_finite(outputs)
        if outputs.min() < 0 or outputs.max() > 1:
            raise BadOutput("The last layer does not give probabilities: there are values outside 0 to 1.")
        return float(((outputs > 0.5) == (_same_shape(outputs, labels) > 0.5)).mean())
    return accuracy_of_scores(outputs, labels)


def accuracy_of_scores(outputs: np.ndarray, labels: np.ndarray) -> float:
    """The share of rows whose largest score is the right class's."""
    targets = _targets(outputs, labels)
    _require_finite(outputs)
    return float((outputs.argmax(axis=1) == targets.argmax(axis=1)).mean())


LOSSES: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "categorical_crossentropy": categorical_crossentropy,
    "sparse_categorical_crossentropy": categorical_crossentropy,
    "binary_crossentropy": binary_crossentropy,
    "mean_squared_error": mean_squared_error,
    "mse": mean_squared_error,
    "mean_absolute_error": mean_absolute_error,
    "mae": mean_absolute_error,
}


def _require_finite(outputs: np.ndarray) -> None:
    if not np.isfinite(outputs).all():
        raise BadOutput("The model gives NaN or infinite values.")


def _require_probabilities(outputs: np.ndarray) -> None:
    """Every row is finite, not negative, and adds up to 1 within 1e-3."""
    _require_finite(outputs)
    if outputs.min() < 0 or np.abs(outputs.sum(axis=1) - 1).max() > 1e-3:
        raise BadOutput(
            "The last layer does not give probabilities: each row must be 0 or more and add up to 1, as after softmax."
        )


def _targets(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """One-hot labels (n, classes) that fit the outputs."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        classes, targets = labels.shape[1], labels.astype(np.float64)
    else:
        numbers = labels.reshape(-1)
        if numbers.shape != labels.shape[:1] or (numbers != np.floor(numbers)).any() or numbers.min() < 0:
            raise CourseError("check: y must be one-hot rows, or whole numbers from 0.")
        classes = outputs.shape[1] if outputs.ndim == 2 else 0
        if classes <= numbers.max():
            raise BadOutput(f"The model's output has the shape {_row(outputs)}: too few classes.")
        targets = np.eye(classes)[numbers.astype(np.int64)]
    if outputs.ndim != 2 or outputs.shape[1] != classes:
        raise BadOutput(f"The model's output has the shape {_row(outputs)}, expected ({classes},).")
    return targets


def _same_shape(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    targets = labels.astype(np.float64)
    if outputs.size == targets.size and {outputs.ndim, targets.ndim} == {1, 2}:
        targets = targets.reshape(outputs.shape)
    if targets.shape != outputs.shape:
        raise BadOutput(f"The model's output has the shape {_row(outputs)}, expected {_row(targets)}.")
    return targets


def _row(array: np.ndarray) -> str:
    return str(tuple(array.shape[1:]))
