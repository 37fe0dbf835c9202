"""Symptoms: what a model's layers and its own training show, by which changes become worth trying."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autograder.extensions.diagnosis.trials.output_units import is_trainable
from autograder.extensions.diagnosis.trials.recipe import OF_CLASSES, Recipe
from autograder.extensions.diagnosis.trials.split_rows import SplitRows
from autograder.extensions.diagnosis.trials.training_bench import Training
from autograder.extensions.networks.rows import take_rows

_ROWS = 256
"""Rows on which activations and gradients are looked at."""


@dataclass(frozen=True)
class Symptoms:
    """A model's own trainings, looked at."""

    recipe: Recipe
    goal: str
    data: SplitRows
    trainings: list[Training]
    share: float = 1.0
    """The part of the training that was tried, in steps. The rest of a long one makes up for a small rate."""

    @cached_property
    def is_trainable(self) -> bool:
        """Whether the model has the output units that its loss and the labels take."""
        return is_trainable(self.recipe, self.goal, self.data.labels)

    @cached_property
    def curve(self) -> np.ndarray:
        """Mean loss of the comparison rows, (measurements,)."""
        return np.asarray(np.mean([training.rows.mean(axis=1) for training in self.trainings], axis=0))

    @property
    def epochs(self) -> list[int]:
        """After which epochs the curve has a point."""
        return self.trainings[0].epochs

    @property
    def loss(self) -> float:
        """Mean loss of the comparison rows at the end; NaN if a training diverged."""
        return float(self.curve[-1])

    @property
    def fit_loss(self) -> float:
        """Mean loss of the fit rows at the end."""
        return float(np.mean([training.fit_loss for training in self.trainings]))

    @cached_property
    def constant(self) -> float:
        """Loss of the best constant answer on the comparison rows: the scale on which gains are judged."""
        return constant_loss(self.goal, self.data.compared_labels)

    @cached_property
    def dead_share(self) -> float:
        """Largest share of zeros among the outputs of a relu layer, on all rows, after the training."""
        weights = self.trainings[-1].weights
        rows = take_rows(self.data.inputs, slice(_ROWS))
        return 0.0 if weights is None else self.recipe.architecture.dead_share(weights, rows)

    @cached_property
    def first_gradient(self) -> float:
        """Mean size of the first kernel's gradient at the start of a training, by that of the last kernel's."""
        rows = take_rows(self.data.inputs, slice(_ROWS))
        return self.recipe.architecture.first_gradient(self.recipe, rows, self.data.labels[:_ROWS])


def lowest_point(curve: np.ndarray) -> int:
    """Return where a curve is lowest, (measurements,), if each point is the mean of itself and its neighbors."""
    return int(np.argmin(np.convolve(np.pad(curve, 1, mode="edge"), np.full(3, 1 / 3), "valid")))


def constant_loss(goal: str, labels: np.ndarray) -> float:
    """Return the loss of the best constant answer: the entropy of the classes, the variance, the mean deviation."""
    if goal not in OF_CLASSES:
        center = labels.mean(axis=0) if goal == "mean_squared_error" else np.median(labels, axis=0)
        return float(((labels - center) ** 2 if goal == "mean_squared_error" else np.abs(labels - center)).mean())
    if goal == "binary_crossentropy":
        p = np.clip(labels.reshape(len(labels), -1).mean(axis=0), 1e-7, 1 - 1e-7)
        return float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean())
    one_hot = labels.ndim == 2 and labels.max() <= 1
    counts = labels.sum(axis=0) if one_hot else np.bincount(labels.reshape(-1).astype(int))
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
