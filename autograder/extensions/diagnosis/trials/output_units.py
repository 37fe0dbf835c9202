"""Labels, and how many output units a loss of them takes."""

from __future__ import annotations

import numpy as np

from autograder.extensions.diagnosis.trials.recipe import BINARY, CATEGORICAL, OF_CLASSES, Recipe


def read_labels(labels: np.ndarray) -> np.ndarray | None:
    """Return labels as numbers, whole numbers in a column as (n,); None if they are not all finite numbers."""
    if labels.dtype.kind not in "fiub" or not np.isfinite(labels).all():
        return None
    is_column = labels.ndim == 2 and labels.shape[1] == 1 and not (labels % 1).any()
    return labels[:, 0] if is_column else labels


def measured_loss(loss: str, labels: np.ndarray, units: int) -> str:
    """Return the loss of classes where a model's own loss is none of its labels: they are whole numbers.

    Args:
        loss: what the model minimizes.
        labels: as :func:`read_labels` returns them.
        units: of the model's output.
    """
    are_classes = labels.ndim == 1 and not (labels % 1).any()
    is_mistaken = labels.max() > 1 if loss == BINARY else units > 1 and loss not in OF_CLASSES
    return CATEGORICAL if are_classes and is_mistaken else loss


def label_problem(loss: str, labels: np.ndarray) -> str:
    """Say why a loss cannot be measured on labels; empty if it can."""
    if loss == BINARY and (labels.min() < 0 or labels.max() > 1):
        return "A binary crossentropy takes labels from 0 to 1."
    if loss == CATEGORICAL and (labels.min() < 0 or (labels.ndim == 1 and (labels % 1).any())):
        return "A crossentropy of classes takes whole numbers from 0 on, or one-hot rows."
    if loss == CATEGORICAL and labels.ndim == 1 and labels.max() >= len(labels):
        return "There are more classes than rows."
    return ""


def needed_units(recipe: Recipe, loss: str, labels: np.ndarray) -> int | None:
    """Return how many output units a loss takes; None if the network's own number fits it.

    A crossentropy of whole numbers takes more units than there are classes, too. Rows of several steps always fit.
    """
    shape = recipe.architecture.output_shape
    if len(shape) != 2 or labels.ndim > 2:
        return None
    are_numbers = loss == CATEGORICAL and labels.ndim == 1
    wanted = int(labels.max()) + 1 if are_numbers else labels.shape[1] if labels.ndim == 2 else 1
    return None if shape[-1] == wanted or (are_numbers and shape[-1] > wanted) else wanted


def is_trainable(recipe: Recipe, goal: str, labels: np.ndarray) -> bool:
    """Tell whether a network has the output units that its own loss of classes and the measured loss take."""
    losses = {goal, CATEGORICAL} if recipe.loss == CATEGORICAL else {goal}
    return all(needed_units(recipe, loss, labels) is None for loss in losses)
