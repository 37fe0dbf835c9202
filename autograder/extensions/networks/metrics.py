"""Loss and accuracy of each row in float64 numpy, as Keras defines them.

Every function returns an array (n,) with one value for each row. The mean is the metric; the spread shows how precisely
so many rows determine it (:mod:`autograder.check.verdict`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np

from autograder.errors import CourseError

EPSILON = 1e-7
"""Probabilities are clipped to EPSILON..1-EPSILON, as in ``keras.losses``. (``fit`` on TensorFlow computes with scores
and does not clip.)"""

_ROUNDING = 1e-3
"""By how much probabilities may exceed 1, or their sum differ from 1."""
_NARROW_ROUNDING = 1e-2
"""The same for bfloat16, which keeps eight bits: measured for ten classes, sums are off by up to 0.0024."""
_NO_PROBABILITIES = (
    "The last layer does not give probabilities: each row must be 0 or more and add up to 1, as after softmax."
)

PROBABILITIES, SCORES, UNKNOWN = "probabilities", "scores", "unknown"
"""What outputs are, see :func:`put_out`."""

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""``measure(outputs, labels)`` turns outputs (n, ...) and labels, rows first, into an array (n,)."""


class BadOutput(Exception):
    """The metric is not defined for the model's outputs; ``str(error)`` is the message for the student."""


class BadShape(BadOutput):
    """The outputs have a wrong shape, which the text names."""


def _of_positions(measure: Measure) -> Measure:
    """Let a measure of classes take outputs (n, positions, classes) with whole numbers (n, positions).

    The value of a row is the mean over its positions.
    """

    @functools.wraps(measure)
    def measured(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        if not _are_of_positions(labels):
            return measure(outputs, labels)
        return np.asarray(measure(*_each_position(outputs, labels)).reshape(labels.shape).mean(axis=1))

    return measured


def _are_of_positions(labels: np.ndarray) -> bool:
    """Tell whether labels are classes at positions, (n, positions): whole numbers, and not only 0 and 1.

    The labels alone decide, and not the model's output. Outputs that say yes or no to each class of one-hot labels
    would else be measured by how rare each class is.
    """
    return labels.ndim == 2 and labels.shape[1] > 1 and bool(labels.max() > 1 and np.all(labels == np.floor(labels)))


def _each_position(outputs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return outputs and labels with a row for each position."""
    if outputs.ndim != 3 or outputs.shape[:2] != labels.shape:
        raise BadShape(f"The model's output has the shape {_row(outputs)}, expected ({labels.shape[1]}, classes).")
    return outputs.reshape(-1, outputs.shape[2]), labels.reshape(-1)


@_of_positions
def categorical_crossentropy(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute -log p(right class) of each row.

    Args:
        outputs: numbers from 0 to 1, (n, classes). Rows that do not add up to 1, as after sigmoid, are divided by their
            sum, as in ``keras.losses``.
        labels: one-hot (n, classes) or integers (n,).
    """
    targets = _targets(outputs, labels)
    _require_finite(outputs)
    if put_out(outputs) == SCORES:
        raise BadOutput(_NO_PROBABILITIES)
    scaled = outputs / np.maximum(outputs.sum(axis=1, keepdims=True), EPSILON)
    return _row_means(-(targets * np.log(np.clip(scaled, EPSILON, 1 - EPSILON))).sum(axis=1))


@_of_positions
def categorical_crossentropy_of_scores(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute -log softmax(scores) of the right class, without clipping.

    Shapes are as in :func:`categorical_crossentropy`.
    """
    targets = _targets(outputs, labels)
    _require_finite(outputs)
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return _row_means(-(targets * log_p).sum(axis=1))


def binary_crossentropy(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute -y log p - (1-y) log(1-p), averaged over the row's outputs.

    Args:
        outputs: probabilities, (n,) or (n, k).
        labels: 0 to 1, of the same shape; (n,) is accepted for (n, 1).
    """
    targets = _same_shape(outputs, labels)
    _require_unit_interval(outputs)
    p = np.clip(outputs, EPSILON, 1 - EPSILON)
    return _row_means(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)))


def binary_crossentropy_of_scores(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute the binary crossentropy of scores s with p = sigmoid(s), without clipping.

    It is log(1 + e^s) - y·s.
    """
    targets = _same_shape(outputs, labels)
    _require_finite(outputs)
    return _row_means(np.logaddexp(0.0, outputs) - targets * outputs)


def better_than_a_constant(outputs: np.ndarray, labels: np.ndarray, *, binary: bool, from_logits: bool) -> np.ndarray:
    """Return how much nearer to the labels each row's probabilities are than the best constant ones.

    1 means that the whole error of the constant is gone. The value is the difference of squared errors, which no single
    row can make large, divided by the constant's error.

    Args:
        outputs: probabilities or scores, as for a binary or categorical crossentropy.
        labels: as for that crossentropy.
        binary: whether it is the binary one.
        from_logits: whether the outputs are scores.
    """
    if _are_of_positions(labels):
        outputs, labels = _each_position(outputs, labels)
    if binary:
        targets = _same_shape(outputs, labels)
        probabilities = 1 / (1 + np.exp(-np.clip(outputs, -500, 500))) if from_logits else outputs
    else:
        targets = _targets(outputs, labels)
        probabilities = np.exp(outputs - outputs.max(axis=1, keepdims=True)) if from_logits else outputs
        probabilities = probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), EPSILON)
    errors, constant = _row_means((probabilities - targets) ** 2), _row_means((targets.mean(axis=0) - targets) ** 2)
    return np.asarray((constant - errors) / max(float(constant.mean()), EPSILON))


def mean_squared_error(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute (output - label)², averaged over the row's outputs.

    Shapes are as in :func:`binary_crossentropy`.
    """
    targets = _same_shape(outputs, labels)
    _require_finite(outputs)
    with np.errstate(over="ignore"):
        return _row_means((outputs - targets) ** 2)


def mean_absolute_error(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute |output - label|, averaged over the row's outputs.

    Shapes are as in :func:`binary_crossentropy`.
    """
    targets = _same_shape(outputs, labels)
    _require_finite(outputs)
    return _row_means(np.abs(outputs - targets))


@_of_positions
def accuracy(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return 1 for each row whose largest output is that of the right class, otherwise 0.

    A single output predicts the second class above 0.5. Where some are outside 0 to 1, they are scores: of the limits
    0.5 and 0 (a probability of 0.5 before the sigmoid), the worse one counts. See also :func:`accuracy_at_best`.
    """
    return min(_accuracies(outputs, labels), key=_mean)


@_of_positions
def accuracy_at_best(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what :func:`accuracy` does, with the better limit: the labels choose it, so it decides nothing alone."""
    return max(_accuracies(outputs, labels), key=_mean)


def accuracy_of_scores(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what :func:`accuracy` does, of a network trained on scores: of a single one, class 1 begins at 0."""
    is_single = (outputs.ndim == 1 or outputs.shape[-1] == 1) and put_out(outputs) == SCORES
    return accuracy((outputs > 0).astype(float) if is_single else outputs, labels)


def softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the probabilities of scores, along an axis."""
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def is_crossentropy(name: str) -> bool:
    """Return whether the loss of a name in :data:`LOSSES` is one of classes."""
    return LOSSES[name] in _OF_SCORES


def asks_probabilities(measure: Measure) -> bool:
    """Return whether a measure refuses scores."""
    return measure in (*_OF_SCORES, accuracy_of_probabilities)


def has_class_of_row(measure: Measure, outputs: np.ndarray) -> bool:
    """Return whether a row belongs to one class, or has values; several outputs for yes or no are several classes."""
    return measure not in (binary_crossentropy, binary_crossentropy_of_scores) or outputs[:1].size == 1


def surprise(measure: Measure, outputs: np.ndarray) -> str:
    """Say of outputs that are measured what their author may not know: several that are ranked, or the wrong kind."""
    kind = put_out(outputs, _NARROW_ROUNDING)
    if measure in _OF_SCORES.values() and kind == PROBABILITIES:
        return " as scores (the outputs are probabilities, and scores are asked: leave the softmax out)"
    has_classes = outputs.ndim > 1 and outputs.shape[-1] > 1
    if measure is accuracy and has_classes and kind != PROBABILITIES:
        return " by the largest score of each row (the outputs are no probabilities)"
    return ""


def put_out(outputs: np.ndarray, rounding: float = _ROUNDING) -> str:
    """Tell by their values what outputs (n, …, classes) or (n,) are: probabilities of classes, scores, or unknown.

    Numbers outside 0 to 1 are scores. Several numbers that add up to 1 are probabilities. Others may be either, such as
    those after a sigmoid.
    """
    if not np.isfinite(outputs).all():
        return UNKNOWN
    if outputs.min() < 0 or outputs.max() > 1 + rounding:
        return SCORES
    has_classes = outputs.ndim > 1 and outputs.shape[-1] > 1
    adds_up = has_classes and np.abs(outputs.sum(axis=-1) - 1).max() <= rounding
    return PROBABILITIES if adds_up else UNKNOWN


def _mean(rows: np.ndarray) -> float:
    return float(rows.mean())


def _accuracies(outputs: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Return which rows are right, for each limit that the outputs may be meant with."""
    _require_finite(outputs)
    is_single = outputs.ndim == 1 or (outputs.ndim == 2 and outputs.shape[1] == 1)
    if is_single and labels.max() <= 1:
        right = _same_shape(outputs, labels) > 0.5
        limits = (0.5,) if outputs.min() >= 0 and outputs.max() <= 1 else (0.5, 0.0)
        return [_row_means((outputs > limit) == right) for limit in limits]
    right_classes = _targets(outputs, labels).argmax(axis=1)
    return [_row_means(outputs.argmax(axis=1) == right_classes)]


@_of_positions
def accuracy_of_probabilities(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what :func:`accuracy` does, of outputs that must be probabilities."""
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        _targets(outputs, labels)
        _require_finite(outputs)
        if put_out(outputs) != PROBABILITIES:
            raise BadOutput(_NO_PROBABILITIES)
    else:
        _require_unit_interval(outputs)
    return accuracy(outputs, labels)


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


def loss_named(check_name: str, name: str, *, from_logits: bool = False) -> Measure:
    """Return the function that computes the loss with this Keras name.

    Raises:
        CourseError: there is no loss of this name, or it is not defined for logits.
    """
    measure = LOSSES.get(name)
    if measure is None:
        raise CourseError(f"{check_name}: loss is {name!r}; it may be {', '.join(LOSSES)}.")
    if from_logits:
        if measure not in _OF_SCORES:
            raise CourseError(f"{check_name}: from_logits is for a crossentropy, and loss is {name!r}.")
        return _OF_SCORES[measure]
    return measure


def _row_means(values: np.ndarray) -> np.ndarray:
    """Return one float64 for each row: the mean of the row's values."""
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


def _targets(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return one-hot labels (n, classes) that fit the outputs."""
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
