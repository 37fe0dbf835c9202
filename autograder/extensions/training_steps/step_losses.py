"""The gradients of losses with respect to a model's outputs, in float64 numpy: the right ones, and those of slips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from autograder.extensions.networks import metrics
from autograder.extensions.networks.metrics import EPSILON, softmax

_KINDS = {
    metrics.categorical_crossentropy: "crossentropy",
    metrics.binary_crossentropy: "binary",
    metrics.mean_squared_error: "squares",
    metrics.mean_absolute_error: "distances",
}
"""What a test's name of a loss measures → the name of the loss here."""


@dataclass(frozen=True)
class Objective:
    """What a step minimizes."""

    loss: str
    """``crossentropy``, ``binary``, ``squares`` or ``distances``."""
    from_logits: bool
    """Whether a crossentropy takes scores."""
    squashed: str = ""
    """What is applied to the outputs before: ``softmax``, ``softmax of rows`` (along the batch), ``sigmoid``."""
    scale: str = "mean"
    """``mean``, ``sum``, ``mean of the mean`` (divided by the rows once more), ``sum of a row`` (a mean over rows)."""
    one_hot: bool = False
    """Whether labels are made one-hot for an error."""
    broadcast: bool = False
    """Whether outputs (n, 1) meet labels (n,), so that each output is compared with each label."""
    swapped: bool = False
    """Whether outputs and labels have changed places."""
    clips_first: bool = False
    """Whether probabilities are clipped before they are scaled to add up to 1, as Keras does for whole numbers."""


def objective_named(name: str, *, from_logits: bool) -> Objective:
    """Return the loss that a test names.

    Raises:
        CourseError: there is none of this name, or it is not defined for scores.
    """
    metrics.loss_named("check.training_step", name, from_logits=from_logits)
    return Objective(_KINDS[metrics.LOSSES[name]], from_logits)


def output_gradient(objective: Objective, outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the gradient of a loss with respect to the outputs.

    Args:
        objective: the loss.
        outputs: (n, …), for classes with the classes last.
        labels: whole numbers or one-hot rows for classes; else numbers, as many as outputs.

    Returns:
        An array of the shape of the outputs.

    Raises:
        ValueError: labels and outputs do not fit together.
    """
    outputs = np.asarray(outputs, dtype=np.float64)
    values, pull = _squashed(objective.squashed, outputs)
    if objective.loss == "crossentropy" or objective.one_hot:
        targets = _one_hot(labels, values.shape)
    elif objective.broadcast:
        targets = np.asarray(labels, dtype=np.float64).reshape(1, -1)
    else:
        targets = np.asarray(labels, dtype=np.float64).reshape(values.shape)
    with np.errstate(all="ignore"):
        gradient, terms = _GRADIENTS[objective.loss](objective, values, targets)
    return pull(gradient * _factor(objective.scale, outputs, terms)).reshape(outputs.shape)


def _factor(scale: str, outputs: np.ndarray, terms: int) -> float:
    """Return what a sum of gradients is multiplied with; a mean is taken over ``terms`` numbers."""
    factors = {"sum": 1.0, "mean of the mean": 1 / terms / len(outputs), "sum of a row": 1 / len(outputs)}
    return factors.get(scale, 1 / terms)


def _one_hot(labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape == shape:
        return labels.astype(np.float64)
    numbers = labels.reshape(shape[:-1]).astype(np.int64)
    if shape[-1] < 2 or numbers.min() < 0 or numbers.max() >= shape[-1]:
        raise ValueError("the labels are no classes of the outputs")
    return np.asarray(np.eye(shape[-1])[numbers])


Pull = Callable[[np.ndarray], np.ndarray]


def _squashed(kind: str, outputs: np.ndarray) -> tuple[np.ndarray, Pull]:
    """Return what a function makes of the outputs, and how gradients go back through it."""
    if kind == "sigmoid":
        values = 1 / (1 + np.exp(-np.clip(outputs, -500, 500)))
        return values, lambda gradient: gradient * values * (1 - values)
    if kind in ("softmax", "softmax of rows"):
        axis = -1 if kind == "softmax" else 0
        values = softmax(outputs, axis)
        return values, lambda gradient: values * (gradient - (gradient * values).sum(axis=axis, keepdims=True))
    return outputs, lambda gradient: gradient


Gradient = tuple[np.ndarray, int]
"""The gradient of the sum of all terms, and the number of terms."""


def _crossentropy(objective: Objective, values: np.ndarray, targets: np.ndarray) -> Gradient:
    rows = int(np.prod(values.shape[:-1]))
    if objective.swapped:
        return -np.log(np.clip(targets, EPSILON, 1 - EPSILON)), rows
    if objective.from_logits:
        return softmax(values) * targets.sum(axis=-1, keepdims=True) - targets, rows
    if objective.clips_first:
        clipped = np.clip(values, EPSILON, 1 - EPSILON)
        return np.where(values == clipped, 1 / clipped.sum(axis=-1, keepdims=True) - targets / clipped, 0.0), rows
    total = values.sum(axis=-1, keepdims=True)
    shares = values / total
    inside = (shares >= EPSILON) & (shares <= 1 - EPSILON)
    by_share = np.where(inside, -targets / np.clip(shares, EPSILON, 1 - EPSILON), 0.0)
    return (by_share - (by_share * shares).sum(axis=-1, keepdims=True)) / total, rows


def _binary(objective: Objective, values: np.ndarray, targets: np.ndarray) -> Gradient:
    if objective.from_logits:
        return 1 / (1 + np.exp(-np.clip(values, -500, 500))) - targets, values.size
    shares = np.clip(values, EPSILON, 1 - EPSILON)
    inside = (values >= EPSILON) & (values <= 1 - EPSILON)
    return np.where(inside, (shares - targets) / (shares * (1 - shares)), 0.0), values.size


def _squares(objective: Objective, values: np.ndarray, targets: np.ndarray) -> Gradient:
    if objective.broadcast:
        column = values.reshape(-1, 1)
        return 2 * (column - targets).sum(axis=1), column.size * targets.size
    return 2 * (values - targets), values.size


def _distances(objective: Objective, values: np.ndarray, targets: np.ndarray) -> Gradient:
    if objective.broadcast:
        column = values.reshape(-1, 1)
        return np.sign(column - targets).sum(axis=1), column.size * targets.size
    return np.sign(values - targets), values.size


_GRADIENTS: Mapping[str, Callable[[Objective, np.ndarray, np.ndarray], Gradient]] = {
    "crossentropy": _crossentropy,
    "binary": _binary,
    "squares": _squares,
    "distances": _distances,
}
