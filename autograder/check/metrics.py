"""Losses and accuracy of each row in float64 numpy: the definitions are Keras's, the arithmetic is ours.

Every function gives an array (n,), one value for each row. Its mean is the metric; its spread is how well so many rows
can know it (:mod:`autograder.check.verdict`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.errors import CourseError

EPSILON = 1e-7
"""Probabilities are clipped to EPSILON..1-EPSILON, as in ``keras.losses`` (``fit`` on TensorFlow works on scores and
clips nothing)."""

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""``measure(outputs, labels)``: outputs (n, ...) and labels with rows first to an array (n,)."""


class BadOutput(Exception):
    """The model's outputs are not what the metric is defined for; ``str(error)`` is for the student."""


class BadShape(BadOutput):
    """They have another shape, which the text names."""


def categorical_crossentropy(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-log p(right class).

    Args:
        outputs: probabilities, (n, classes).
        labels: one-hot (n, classes) or integers (n,).
    """
    targets = _targets(outputs, labels)
    _require_probabilities(outputs)
    scaled = outputs / outputs.sum(axis=1, keepdims=True)
    return _each(-(targets * np.log(np.clip(scaled, EPSILON, 1 - EPSILON))).sum(axis=1))


def categorical_crossentropy_of_scores(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-log softmax(scores) of the right class; nothing is clipped. Shapes as in :func:`categorical_crossentropy`."""
    targets = _targets(outputs, labels)
    _require_finite(outputs)
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return _each(-(targets * log_p).sum(axis=1))


def binary_crossentropy(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-y log p - (1-y) log(1-p), averaged over the row's outputs.

    Args:
        outputs: probabilities, (n,) or (n, k).
        labels: 0 to 1, of the same shape; (n,) for (n, 1) will do.
    """
    targets = _same_shape(outputs, labels)
    _require_unit_interval(outputs)
    p = np.clip(outputs, EPSILON, 1 - EPSILON)
    return _each(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)))


def binary_crossentropy_of_scores(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The same of scores s with p = sigmoid(s), as log(1 + e^s) - y·s; nothing is clipped."""
    targets = _same_shape(outputs, labels)
    _require_finite(outputs)
    return _each(np.logaddexp(0.0, outputs) - targets * outputs)


def better_than_a_constant(outputs: np.ndarray, labels: np.ndarray, *, binary: bool, from_logits: bool) -> np.ndarray:
    """By how much each row's probabilities are nearer to its labels than the best constant ones, 1 for all of it.

    It is the difference of squared errors, which no single row can make large, over that of the constant.

    Args:
        outputs, labels: as of a binary or a categorical crossentropy, of probabilities or of scores.
    """
    if binary:
        targets = _same_shape(outputs, labels)
        given = 1 / (1 + np.exp(-np.clip(outputs, -500, 500))) if from_logits else outputs
    else:
        targets = _targets(outputs, labels)
        given = np.exp(outputs - outputs.max(axis=1, keepdims=True)) if from_logits else outputs
        given = given / given.sum(axis=1, keepdims=True)
    own, constant = _each((given - targets) ** 2), _each((targets.mean(axis=0) - targets) ** 2)
    return np.asarray((constant - own) / max(float(constant.mean()), EPSILON))


def mean_squared_error(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(output - label)², averaged over the row's outputs. Shapes as in :func:`binary_crossentropy`."""
    targets = _same_shape(outputs, labels)
    _require_finite(outputs)
    with np.errstate(over="ignore"):
        return _each((outputs - targets) ** 2)


def mean_absolute_error(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """|output - label|, averaged over the row's outputs. Shapes as in :func:`binary_crossentropy`."""
    targets = _same_shape(outputs, labels)
    _require_finite(outputs)
    return _each(np.abs(outputs - targets))


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """1 where the largest probability is the right class's, else 0; for one output, where p > 0.5 is right."""
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        _targets(outputs, labels)
        _require_probabilities(outputs)
    elif outputs.ndim in (1, 2):
        _require_unit_interval(outputs)
        return _each((outputs > 0.5) == (_same_shape(outputs, labels) > 0.5))
    return accuracy_of_scores(outputs, labels)


def accuracy_of_scores(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """1 where the largest score is the right class's, else 0."""
    targets = _targets(outputs, labels)
    _require_finite(outputs)
    return _each(outputs.argmax(axis=1) == targets.argmax(axis=1))


LOSSES: Mapping[str, Measure] = {
    "categorical_crossentropy": categorical_crossentropy,
    "sparse_categorical_crossentropy": categorical_crossentropy,
    "binary_crossentropy": binary_crossentropy,
    "mean_squared_error": mean_squared_error,
    "mse": mean_squared_error,
    "mean_absolute_error": mean_absolute_error,
    "mae": mean_absolute_error,
}
_OF_SCORES: Mapping[Measure, Measure] = {
    categorical_crossentropy: categorical_crossentropy_of_scores,
    binary_crossentropy: binary_crossentropy_of_scores,
}


def loss_named(where: str, name: str, *, from_logits: bool = False) -> Measure:
    """The loss of each row by its Keras name.

    Raises:
        CourseError: there is none of this name, or none that is defined for logits.
    """
    measure = LOSSES.get(name)
    if measure is None:
        raise CourseError(f"{where}: loss is {name!r}; it may be {', '.join(LOSSES)}.")
    if from_logits:
        if measure not in _OF_SCORES:
            raise CourseError(f"{where}: from_logits is for a crossentropy, and loss is {name!r}.")
        return _OF_SCORES[measure]
    return measure


def _each(values: np.ndarray) -> np.ndarray:
    """One float64 for each row: the mean of what the row has."""
    rows = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return rows if rows.ndim == 1 else rows.reshape(len(rows), -1).mean(axis=1)


def _require_finite(outputs: np.ndarray) -> None:
    if not np.isfinite(outputs).all():
        raise BadOutput("The model gives NaN or infinite values.")


def _require_unit_interval(outputs: np.ndarray) -> None:
    _require_finite(outputs)
    if outputs.min() < 0 or outputs.max() > 1:
        raise BadOutput("The last layer does not give probabilities: there are values outside 0 to 1.")


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
            raise BadShape(f"The model's output has the shape {_row(outputs)}, expected a number for each class.")
        targets = np.eye(classes)[numbers.astype(np.int64)]
    if outputs.ndim != 2 or outputs.shape[1] != classes:
        raise BadShape(f"The model's output has the shape {_row(outputs)}, expected ({classes},).")
    return targets


def _same_shape(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    targets = labels.astype(np.float64)
    if outputs.size == targets.size and {outputs.ndim, targets.ndim} == {1, 2}:
        targets = targets.reshape(outputs.shape)
    if targets.shape != outputs.shape:
        raise BadShape(f"The model's output has the shape {_row(outputs)}, expected {_row(targets)}.")
    return targets


def _row(array: np.ndarray) -> str:
    return str(tuple(array.shape[1:]))
