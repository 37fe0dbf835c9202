"""Training of recipes from seeds within a budget, and their losses on the comparison rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograder.check import cost
from autograder.check.fresh_model import reinitialize
from autograder.check.rows import take_rows
from autograder.check.training import take_steps
from autograder.extensions.diagnosis.trials.recipe import Recipe, keras_loss, losses_of_rows, trained_labels

MAX_MEASURED = 1000
"""Most fit rows whose loss is measured."""
_POINTS = 12
"""Most points of a curve, an even number: with more epochs, several lie between two of them."""
_MAX_LAYERS = 100
_TRIAL_STEPS = 2
_COMPILING = 0.4
"""Seconds that a graph usually takes to compile."""


class OutOfBudget(Exception):
    """The next training would go beyond the budget."""


@dataclass(frozen=True)
class SplitRows:
    """Fit rows and comparison rows."""

    inputs: Any
    """An array, rows first, or a list or dict of them; floats are float32."""
    labels: np.ndarray
    compared: Any
    compared_labels: np.ndarray

    @cached_property
    def scaled(self) -> tuple[Any, Any]:
        """Fit inputs and comparison inputs, one array each, with each feature brought to mean 0 and deviation 1."""
        axes = tuple(range(self.inputs.ndim - 1))
        mean, deviation = self.inputs.mean(axis=axes), self.inputs.std(axis=axes)
        deviation = np.where(deviation > 0, deviation, 1.0)
        fit, compared = ((rows - mean) / deviation for rows in (self.inputs, self.compared))
        return fit.astype(np.float32), compared.astype(np.float32)


@dataclass(frozen=True)
class Training:
    """The losses of one training."""

    epochs: list[int]
    """After which epochs the loss was measured; the last one is the end."""
    rows: np.ndarray
    """(measurements, rows): the loss of each comparison row."""
    fit_loss: float
    """Mean loss on fit rows at the end."""
    weights: list[np.ndarray] | None
    """The variables of the recipe's model at the end; None for the beginning of a longer training."""

    def until(self, epochs: int) -> Training:
        """Return the beginning of the training."""
        count = self.epochs.index(epochs) + 1
        return Training(self.epochs[:count], self.rows[:count], float("nan"), None)


@dataclass(frozen=True)
class _Graph:
    """A recipe's compiled training."""

    variables: list[Any]
    optimizer: Any
    fresh_optimizer: list[np.ndarray]
    run: Callable[[Any, np.ndarray], None]
    """Takes a step on these inputs for each line of row numbers, (steps, batch size)."""
    outputs: Callable[[Any], np.ndarray]


class TrainingBench:
    """What trains recipes, each graph compiled once, until the budget is used up."""

    def __init__(
        self, data: SplitRows, goal: str, seconds: float, clock: Callable[[], float] = time.process_time
    ) -> None:
        """Begin the budget of ``seconds`` of processor time; ``goal`` is the loss that is measured."""
        self.data, self.goal, self.clock = data, goal, clock
        self.deadline = clock() + seconds
        self._graphs: dict[tuple[Any, ...], _Graph] = {}
        self._trainings: dict[tuple[Any, ...], dict[int, Training]] = {}
        self._starts: dict[tuple[int, int], list[Any]] = {}
        self._epoch_seconds = 0.0
        self._models: list[Any] = []  # graphs are known by the ids of their models, which must not be used again

    def seconds_of(self, recipe: Recipe) -> float:
        """Estimate the processor time of a training from those before it."""
        return self._epoch_seconds * recipe.epochs

    @property
    def left(self) -> float:
        """Seconds of the budget that are left."""
        return self.deadline - self.clock()

    def train(self, recipe: Recipe, seed: int, reserve: float = 0.0) -> Training:
        """Train a recipe from a seed; the same training is done once.

        The last batch of an epoch is left out unless it is whole.

        Args:
            recipe: what to train.
            seed: determines the initial weights and the order of the rows.
            reserve: seconds of the budget that must be left for other trainings.

        Raises:
            OutOfBudget: there is no time for it.
            Exception: the model cannot be trained on these data.
        """
        same = self._trainings.setdefault((recipe.graph, recipe.rate, recipe.scaled, seed), {})
        if recipe.epochs not in same:
            longer = next((one for one in same.values() if recipe.epochs in one.epochs), None)
            compiling = 0.0 if recipe.graph in self._graphs else _COMPILING
            if longer is None and compiling + self.seconds_of(recipe) + reserve >= self.left:
                raise OutOfBudget
            same[recipe.epochs] = self._trained(recipe, seed) if longer is None else longer.until(recipe.epochs)
        return same[recipe.epochs]

    def _trained(self, recipe: Recipe, seed: int) -> Training:
        graph = self._graph(recipe)
        start = [*self._start(recipe, seed), *graph.fresh_optimizer]
        for variable, value in zip([*graph.variables, *graph.optimizer.variables], start, strict=True):
            variable.assign(value)
        if recipe.rate is not None:
            graph.optimizer.learning_rate.assign(recipe.rate)
        fit, compared = self.data.scaled if recipe.scaled else (self.data.inputs, self.data.compared)
        began = self.clock()
        epochs, rows = [], []
        for epoch in self._run(graph, fit, recipe, seed):
            epochs.append(epoch)
            rows.append(losses_of_rows(recipe, self.goal, graph.outputs(compared), self.data.compared_labels))
        self._epoch_seconds = (self.clock() - began) / recipe.epochs
        outputs = graph.outputs(take_rows(fit, slice(MAX_MEASURED)))
        fit_rows = losses_of_rows(recipe, self.goal, outputs, self.data.labels[:MAX_MEASURED])
        weights = [variable.numpy() for variable in graph.variables]
        return Training(epochs, np.stack(rows), float(fit_rows.mean()), weights)

    def _run(self, graph: _Graph, fit: Any, recipe: Recipe, seed: int) -> Iterator[int]:
        """Train, and yield the epoch where the curve has a point."""
        import tensorflow as tf

        fit = tf.nest.map_structure(tf.constant, fit)
        rows = len(self.data.labels)
        size = min(recipe.batch_size, rows)
        draw = np.random.default_rng([seed, rows])
        first = 0
        for last in _measured_epochs(recipe.epochs):
            orders = [draw.permutation(rows)[: rows // size * size] for _ in range(first, last)]
            if self.left <= 0:
                raise OutOfBudget
            graph.run(fit, np.concatenate(orders).reshape(-1, size))
            first = last
            yield last

    def _start(self, recipe: Recipe, seed: int) -> list[Any]:
        """Return the variables' values at the start of a training, the same for each recipe of this architecture."""
        key = id(recipe.model), seed
        if key not in self._starts:
            first = next((start for (model, _), start in self._starts.items() if model == id(recipe.model)), None)
            if first is None or not _is_exchangeable(recipe.model):
                drawn = reinitialize(recipe.model, seed, self.data.inputs)
                self._starts[key] = [variable.numpy() for variable in drawn.variables]
            else:
                names = [variable.path for variable in self._graph(recipe).variables]
                draw = np.random.default_rng([seed, len(names)])
                self._starts[key] = [_redrawn(value, name, draw) for value, name in zip(first, names, strict=True)]
        return self._starts[key]

    def _graph(self, recipe: Recipe) -> _Graph:
        if recipe.graph not in self._graphs:
            _require_small(recipe, len(self.data.labels), self.left)
            self._models.append(recipe.model)
            graph = _compiled(recipe, self.data)
            began = self.clock()
            graph.run(self.data.inputs, np.zeros((_TRIAL_STEPS, recipe.batch_size), dtype=np.int64))
            steps = recipe.epochs * len(self.data.labels) / recipe.batch_size
            if (self.clock() - began) / _TRIAL_STEPS * steps > self.left:
                raise OutOfBudget
            self._graphs[recipe.graph] = graph
        return self._graphs[recipe.graph]


def _require_small(recipe: Recipe, rows: int, seconds: float) -> None:
    """Refuse a network that is too large, by its shapes alone.

    Raises:
        OutOfBudget: it would take too long to compile or to train, or too much memory.
    """
    elements = cost.elements(recipe.model) * min(recipe.batch_size, rows)
    least = cost.training_seconds(recipe.model, rows, recipe.epochs)
    if len(recipe.model.layers) > _MAX_LAYERS or elements > cost.MAX_ELEMENTS or least > seconds:
        raise OutOfBudget


def _is_exchangeable(model: Any) -> bool:
    """Tell whether the entries of each kernel are drawn alike and independently, as all usual initializers do."""
    config = repr(model.get_config())
    return not any(name in config for name in ("Orthogonal", "Identity"))


def _redrawn(value: np.ndarray, name: str, draw: np.random.Generator) -> np.ndarray:
    """Draw a variable's start anew: a kernel's entries in another order, which is much faster than to build a model."""
    if name.endswith("seed_generator_state"):
        return draw.integers(1, 2**31 - 1, size=value.shape).astype(value.dtype)
    return draw.permutation(value.reshape(-1)).reshape(value.shape) if value.ndim > 1 else value


def _compiled(recipe: Recipe, data: SplitRows) -> _Graph:
    """Compile a loop over steps without metrics: for small networks, Keras's ``train_step`` takes twice as long."""
    import tensorflow as tf

    model = reinitialize(recipe.model, 0, data.inputs)
    optimizer = type(recipe.optimizer).from_config(recipe.optimizer.get_config())
    optimizer.build(model.trainable_variables)
    labels = trained_labels(recipe, data.labels)
    loss, targets = keras_loss(recipe, labels), tf.constant(labels)

    def steps(inputs: Any, batches: Any) -> None:
        def step(rows: Any) -> None:
            inputs_of_batch = tf.nest.map_structure(lambda array: tf.gather(array, rows), inputs)
            with tf.GradientTape() as tape:
                outputs = model(inputs_of_batch, training=True)
                total = tf.add_n([loss(tf.gather(targets, rows), outputs), *model.losses])
            optimizer.apply(tape.gradient(total, [v.value for v in model.trainable_variables]))

        take_steps(step, batches)

    inputs = tf.nest.map_structure(tf.constant, data.inputs)
    signature = [tf.nest.map_structure(tf.TensorSpec.from_tensor, inputs), tf.TensorSpec([None, None], tf.int64)]
    run = tf.function(steps, autograph=False, input_signature=signature).get_concrete_function()
    any_rows = [tf.nest.map_structure(lambda array: tf.TensorSpec([None, *array.shape[1:]], array.dtype), inputs)]
    forward = tf.function(lambda rows: model(rows, training=False), autograph=False, input_signature=any_rows)
    run(*tf.nest.flatten(inputs), tf.zeros([0, 1], tf.int64))

    return _Graph(
        variables=list(model.variables),
        optimizer=optimizer,
        fresh_optimizer=[variable.numpy() for variable in optimizer.variables],
        run=lambda fit, batches: run(*tf.nest.flatten(fit), tf.constant(batches)),
        outputs=lambda rows: np.asarray(forward(tf.nest.map_structure(tf.constant, rows)), dtype=np.float64),
    )


def _measured_epochs(epochs: int) -> list[int]:
    """Return after which epochs a training is measured; half of an even number of epochs is among them."""
    return sorted({-(-epochs * point // _POINTS) for point in range(1, _POINTS + 1)})
