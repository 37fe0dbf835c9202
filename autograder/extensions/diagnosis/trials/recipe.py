"""Recipes: a model's architecture and how it is trained, in a form in which one thing can be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.extensions.diagnosis.trials.trial_architecture import Architecture, Entry
from autograder.extensions.networks import metrics
from autograder.extensions.networks.step_calculus import OptimizerSettings

CATEGORICAL, BINARY, SQUARED, ABSOLUTE = (
    "categorical_crossentropy",
    "binary_crossentropy",
    "mean_squared_error",
    "mean_absolute_error",
)
OF_CLASSES = (CATEGORICAL, BINARY)
_LOSSES = {
    **{name: name for name in (CATEGORICAL, BINARY, SQUARED, ABSOLUTE)},
    "sparse_categorical_crossentropy": CATEGORICAL,
    "mse": SQUARED,
    "mae": ABSOLUTE,
    "CategoricalCrossentropy": CATEGORICAL,
    "SparseCategoricalCrossentropy": CATEGORICAL,
    "BinaryCrossentropy": BINARY,
    "MeanSquaredError": SQUARED,
    "MeanAbsoluteError": ABSOLUTE,
}
DEFAULT_RATES = {**dict.fromkeys(("Adam", "AdamW", "Adamax", "Nadam", "NAdam", "RMSprop"), 0.001), "SGD": 0.01}
CLIPPING = "global_clipnorm"
"""Setting of an optimizer, in Keras's word: the largest norm of all gradients of a step together."""
WITH_WIDTH = {"Dense": "units", "Conv1D": "filters", "Conv2D": "filters", "LSTM": "units", "GRU": "units"}
"""Layers that learn, with the argument that says how wide they are."""


@dataclass(frozen=True)
class Recipe:
    """An architecture and the settings of its training."""

    architecture: Architecture
    loss: str
    """What the training minimizes, one of the four names above."""
    from_logits: bool
    optimizer: OptimizerSettings
    epochs: int
    batch_size: int
    rate: float | None = None
    """Learning rate in place of the optimizer's own."""
    scaled: bool = False
    """Whether each feature of the inputs is brought to mean 0 and standard deviation 1."""

    @property
    def graph(self) -> tuple[Any, ...]:
        """What has to be prepared anew when it changes."""
        return self.architecture, repr(self.optimizer), self.loss, self.from_logits, self.batch_size

    @property
    def own_rate(self) -> float | None:
        """The optimizer's learning rate; None if it follows a schedule."""
        rate = self.optimizer.settings[self.optimizer.rate]
        return float(rate) if isinstance(rate, int | float | np.floating) else None

    @property
    def used_optimizer(self) -> OptimizerSettings:
        """The optimizer with the rate that is used."""
        return self.optimizer if self.rate is None else self.optimizer.with_rate(self.rate)

    def layers(self) -> list[Entry]:
        """List the layers in their order, without inputs."""
        return self.architecture.layers

    def edited(self, edit: Callable[[list[Entry]], None]) -> Recipe:
        """Return a recipe whose layers went through ``edit``."""
        return replace(self, architecture=self.architecture.edited(edit))

    def with_output(self, activation: str, units: int | None = None) -> Recipe:
        """Return a recipe with another activation at the end, and so many units there."""
        return replace(self, architecture=self.architecture.with_output(activation, units))


def compiled_loss(model: Any) -> tuple[str, bool] | None:
    """Return the loss that a model is compiled with, and whether it takes scores; None for other losses."""
    loss = getattr(model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    first_name = _LOSSES.get(name)
    return None if first_name is None else (first_name, bool(getattr(loss, "_fn_kwargs", {}).get("from_logits", False)))


def loss_name(name: str) -> str | None:
    """Return the first of the names of a loss; None if it has none here."""
    return _LOSSES.get(name)


def losses_of_rows(recipe: Recipe, goal: str, outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute the goal's loss on each row, (n,), of outputs read as what they are: probabilities, scores or values.

    Outputs that should be probabilities and are none are cut to 0..1 and divided by their sum, as Keras does. Numbers
    that are not finite give NaN.

    Args:
        recipe: says what the outputs are.
        goal: the loss to measure, one of the four names.
        outputs: (n, ...).
        labels: one-hot, whole numbers or values, rows first.
    """
    if not np.isfinite(outputs).all():
        return np.full(len(labels), np.nan)
    ends_in_chances = recipe.architecture.fuses and recipe.architecture.output_activation in ("softmax", "sigmoid")
    is_score = recipe.from_logits and not ends_in_chances
    measure = metrics.loss_named("diagnosis", goal, from_logits=is_score and goal in OF_CLASSES)
    if goal in OF_CLASSES and not is_score:
        outputs = np.clip(outputs, 0.0, None if goal == CATEGORICAL else 1.0)
        if goal == CATEGORICAL:
            outputs = outputs / np.maximum(outputs.sum(axis=-1, keepdims=True), metrics.EPSILON)
    return np.asarray(measure(outputs, labels))


def trained_labels(recipe: Recipe, labels: np.ndarray) -> np.ndarray:
    """Return labels in the form that the recipe's loss takes."""
    output = recipe.architecture.output_shape
    if recipe.loss in (SQUARED, ABSOLUTE, BINARY) and labels.ndim == 1 and len(output) == 2 and output[-1] > 1:
        return np.asarray(np.eye(output[-1], dtype=np.float32)[labels.astype(int)])
    if recipe.loss != CATEGORICAL and labels.ndim == 1 and len(output) == 2:
        return labels[:, None].astype(np.float32)
    return labels
