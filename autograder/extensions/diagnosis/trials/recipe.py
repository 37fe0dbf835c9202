"""Recipes: a model's architecture and how it is trained, in a form in which one thing can be changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.check import metrics
from autograder.check.fresh_model import copy_adaptation
from autograder.check.training import training_loss

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
DEFAULT_RATES = {"Adam": 0.001, "AdamW": 0.001, "Adamax": 0.001, "Nadam": 0.001, "RMSprop": 0.001, "SGD": 0.01}
WITH_WIDTH = {"Dense": "units", "Conv1D": "filters", "Conv2D": "filters", "LSTM": "units", "GRU": "units"}
"""Layers that learn, with the argument that says how wide they are."""

Entry = dict[str, Any]
"""A layer in a model's configuration: ``class_name`` and ``config``."""


@dataclass(frozen=True)
class Recipe:
    """A built Keras model, of which only the architecture counts, and the settings of its training."""

    model: Any
    loss: str
    """What the training minimizes, one of the four names above."""
    from_logits: bool
    optimizer: Any
    """A Keras optimizer, which is copied for each training."""
    epochs: int
    batch_size: int
    rate: float | None = None
    """Learning rate in place of the optimizer's own."""
    scaled: bool = False
    """Whether each feature of the inputs is brought to mean 0 and standard deviation 1."""
    fuses: bool = True
    """Whether a crossentropy is one of the scores before a softmax or sigmoid at the end, as in Keras."""

    @property
    def graph(self) -> tuple[Any, ...]:
        """What has to be compiled anew when it changes."""
        return id(self.model), id(self.optimizer), self.loss, self.from_logits

    @property
    def own_rate(self) -> float | None:
        """The optimizer's learning rate; None if it follows a schedule."""
        config = self.optimizer.get_config()["learning_rate"]
        return float(config) if isinstance(config, int | float | np.floating) else None

    def edited(self, edit: Callable[[list[Entry]], None]) -> Recipe:
        """Return a recipe whose layers, in a copy of the model's configuration, went through ``edit``."""
        config = copy.deepcopy(self.model.get_config())
        for entry in config["layers"]:
            entry.pop("build_config", None)  # it holds the shapes of the layer as it was
        config.pop("build_input_shape", None)
        edit(config["layers"])
        model = type(self.model).from_config(config)
        if not model.built:
            model.build(self.model.input_shape)
        copy_adaptation(self.model, model, np.random.default_rng(0))
        return replace(self, model=model)

    def layers(self) -> list[Entry]:
        """List the layers of the model in the order of its configuration, without inputs."""
        return [entry for entry in self.model.get_config()["layers"] if entry["class_name"] != "InputLayer"]


def compiled_loss(model: Any) -> tuple[str, bool] | None:
    """Return the loss that a model is compiled with, and whether it takes scores; None for other losses."""
    loss = getattr(model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    first_name = _LOSSES.get(name)
    return None if first_name is None else (first_name, bool(getattr(loss, "_fn_kwargs", {}).get("from_logits", False)))


def loss_name(name: str) -> str | None:
    """Return the first of the names of a loss; None if it has none here."""
    return _LOSSES.get(name)


def output_activation(model: Any) -> str:
    """Name the activation at the end of a model or of the model nested there; empty if there is none."""
    operation = model.outputs[0]._keras_history.operation
    if hasattr(operation, "outputs") and hasattr(operation, "layers"):
        return output_activation(operation)
    if type(operation).__name__ == "Softmax":
        return "softmax"
    activation = getattr(operation, "activation", None)
    return str(getattr(activation, "__name__", ""))


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
    ends_in_chances = recipe.fuses and output_activation(recipe.model) in ("softmax", "sigmoid")
    is_score = recipe.from_logits and not ends_in_chances
    measure = metrics.loss_named("diagnosis", goal, from_logits=is_score and goal in OF_CLASSES)
    if goal in OF_CLASSES and not is_score:
        outputs = np.clip(outputs, 0.0, None if goal == CATEGORICAL else 1.0)
        if goal == CATEGORICAL:
            outputs = outputs / np.maximum(outputs.sum(axis=-1, keepdims=True), metrics.EPSILON)
    return np.asarray(measure(outputs, labels))


def keras_loss(recipe: Recipe, labels: np.ndarray) -> Any:
    """Return Keras's loss of a recipe, for labels in this form."""
    return training_loss(recipe.model, metrics.LOSSES[recipe.loss], labels, from_logits=recipe.from_logits)


def trained_labels(recipe: Recipe, labels: np.ndarray) -> np.ndarray:
    """Return labels in the form that the recipe's loss takes."""
    output = recipe.model.outputs[0].shape
    if recipe.loss in (SQUARED, ABSOLUTE, BINARY) and labels.ndim == 1 and len(output) == 2 and output[-1] > 1:
        return np.asarray(np.eye(output[-1], dtype=np.float32)[labels.astype(int)])
    if recipe.loss != CATEGORICAL and labels.ndim == 1 and len(output) == 2:
        return labels[:, None].astype(np.float32)
    return labels
