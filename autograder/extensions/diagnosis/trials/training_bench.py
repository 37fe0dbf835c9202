"""Training of recipes from seeds within a budget, and their losses on the comparison rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.extensions.diagnosis.trials.output_units import is_trainable
from autograder.extensions.diagnosis.trials.recipe import Recipe, losses_of_rows
from autograder.extensions.diagnosis.trials.split_rows import SplitRows
from autograder.extensions.diagnosis.trials.stacked_optimizers import Update, updates
from autograder.extensions.diagnosis.trials.stacked_training import LossGradient, StackedNetwork, train_together
from autograder.extensions.diagnosis.trials.trial_architecture import TrainingLoop
from autograder.extensions.networks.rows import take_rows
from autograder.models.computing_process import process_time

MAX_MEASURED = 1000
"""Most fit rows whose loss is measured."""
_POINTS = 12
"""Most points of a curve, an even number: with more epochs, several lie between two of them."""
_TRIAL_STEPS = 4
_LEAST_EPOCHS, _LEAST_ROWS = 4, 1000
"""Fewest epochs of a longer training, and fewest of more rows, that are worth trying."""
_COMPILING = 0.4
"""Seconds that a graph usually takes to compile."""
_SPENDABLE = 0.9
"""Share of the budget for trainings: one under way ends up to a tenth of 3 s after its time."""
TOGETHER = 3
"""Seeds from which a chain of usual layers is trained at once, and the fewest that prove a change."""


class OutOfBudget(Exception):
    """The next training would go beyond the budget."""


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
    """The variables at the end, as the architecture orders them; None for the beginning of a longer training."""

    def until(self, epochs: int) -> Training:
        """Return the beginning of the training."""
        count = self.epochs.index(epochs) + 1
        return Training(self.epochs[:count], self.rows[:count], float("nan"), None)


class TrainingBench:
    """What trains recipes, each graph prepared once, until the budget is used up."""

    def __init__(self, data: SplitRows, goal: str, seconds: float, clock: Callable[[], float] = process_time) -> None:
        """Begin the budget of ``seconds`` of processor time, of which a tenth is kept back.

        ``goal`` is the loss that is measured. ``rows`` says how many of the fit rows, which are in random order, are
        trained on.
        """
        self.data, self.goal, self.clock = data, goal, clock
        self.deadline = clock() + _SPENDABLE * seconds
        self._loops: dict[tuple[Any, ...], TrainingLoop] = {}
        self.rows = len(data.labels)
        self._trainings: dict[tuple[Any, ...], dict[int, Training]] = {}
        self._stacked: dict[tuple[Any, ...], StackedNetwork | None] = {}
        self._epoch_seconds: dict[tuple[Any, ...], float] = {}

    def seconds_of(self, recipe: Recipe) -> float:
        """Estimate the processor time of a training from those before it."""
        measured = list(self._epoch_seconds.values()) or [0.0]
        return self._epoch_seconds.get(recipe.graph, measured[-1]) * recipe.epochs

    def shorten(self, recipe: Recipe, whole: float, part: float) -> Recipe:
        """Leave out as much of a training as it takes: first epochs, then rows.

        Args:
            recipe: what is trained.
            whole: largest share of the budget for the trainings that are made at once, as they are.
            part: share of the budget for a few seeds of a shortened training.

        Raises:
            OutOfBudget: too little of it would be left.
        """
        network = self._stack(recipe)
        if network is None:
            self._loop(recipe)
        else:
            self._time_steps(network, recipe)
        affordable = self.left / max(1e-6, self._epoch_seconds[recipe.graph])
        if recipe.epochs <= whole * affordable / self.together(recipe):
            return recipe
        affordable *= part / TOGETHER
        epochs = min(recipe.epochs, max(_LEAST_EPOCHS, int(affordable)))
        of_rows = min(1.0, affordable / epochs)
        if of_rows < 1 and of_rows * self.rows < _LEAST_ROWS:
            raise OutOfBudget
        self.rows = int(of_rows * self.rows)
        self._epoch_seconds[recipe.graph] *= of_rows
        return replace(recipe, epochs=epochs)

    def _time_steps(self, network: StackedNetwork, recipe: Recipe) -> None:
        """Estimate the processor time of an epoch from a few steps."""
        rows = len(self.data.labels)
        size = min(recipe.batch_size, rows)
        network.start([recipe.architecture.start(0, self.data.inputs)] * TOGETHER)
        gradient, update = LossGradient(recipe, self.data.labels), self._update(recipe)
        fit = self._prepared(recipe, self.data.inputs)[: size * _TRIAL_STEPS]
        began = self.clock()
        for _ in train_together(network, gradient, update, fit, range(TOGETHER), size, [1]):
            pass
        seconds = (self.clock() - began) / max(1, len(fit) // size)
        self._epoch_seconds[recipe.graph] = seconds * (rows // size) / TOGETHER

    def together(self, recipe: Recipe) -> int:
        """Return from how many seeds a recipe is trained at once."""
        return TOGETHER if self._stack(recipe) is not None else 1

    @property
    def left(self) -> float:
        """Seconds of the budget that are left."""
        return self.deadline - self.clock()

    def train(self, recipe: Recipe, seed: int, reserve: float = 0.0) -> Training:
        """Train a recipe from a seed; the same training is done once.

        The last batch of an epoch is left out unless it is whole. Where the output does not fit the labels, nothing is
        trained, and the losses are NaN.

        Args:
            recipe: what to train.
            seed: determines the initial weights and the order of the rows.
            reserve: seconds of the budget that must be left for other trainings.

        Raises:
            OutOfBudget: there is no time for it.
            Exception: the model cannot be trained on these data.
        """
        if not is_trainable(recipe, self.goal, self.data.labels):
            return Training([recipe.epochs], np.full((1, len(self.data.compared_labels)), np.nan), np.nan, None)
        of_seed = self._of_seed(recipe, seed)
        if recipe.epochs not in of_seed:
            longer = next((training for training in of_seed.values() if recipe.epochs in training.epochs), None)
            if longer is None:
                self._train_anew(recipe, seed, reserve)
            else:
                of_seed[recipe.epochs] = longer.until(recipe.epochs)
        return of_seed[recipe.epochs]

    def _of_seed(self, recipe: Recipe, seed: int) -> dict[int, Training]:
        """Return the trainings of a recipe and a seed, by their epochs."""
        return self._trainings.setdefault((recipe.graph, recipe.rate, recipe.scaled, seed), {})

    def _train_anew(self, recipe: Recipe, seed: int, reserve: float) -> None:
        network = self._stack(recipe)
        count = 1 if network is None else TOGETHER
        compiling = 0.0 if network is not None or recipe.graph in self._loops else _COMPILING
        if compiling + count * self.seconds_of(recipe) + reserve >= self.left:
            raise OutOfBudget
        began = self.clock()
        trainings = [self._trained(recipe, seed)] if network is None else self._trained_together(network, recipe, seed)
        if network is not None:
            self._epoch_seconds[recipe.graph] = (self.clock() - began) / count / recipe.epochs
        for number, training in enumerate(trainings):
            self._of_seed(recipe, seed + number)[recipe.epochs] = training

    def _stack(self, recipe: Recipe) -> StackedNetwork | None:
        """Return the network that trains several seeds at once; None for other layers than usual ones.

        Raises:
            OutOfBudget: the network is too large.
        """
        if recipe.graph not in self._stacked:
            rows = min(self.rows, _LEAST_ROWS)
            size, epochs = min(recipe.batch_size, rows), min(recipe.epochs, _LEAST_EPOCHS)
            if recipe.architecture.is_too_large(rows, size, epochs, self.left):
                raise OutOfBudget
            inputs = self.data.inputs
            is_plain = isinstance(inputs, np.ndarray) and inputs.dtype == np.float32 and recipe.own_rate is not None
            is_usual = is_plain and updates(recipe.optimizer) is not None
            self._stacked[recipe.graph] = recipe.architecture.stacked() if is_usual else None
        return self._stacked[recipe.graph]

    def _trained_together(self, network: StackedNetwork, recipe: Recipe, seed: int) -> list[Training]:
        """Train from this seed and those that follow it."""
        seeds = range(seed, seed + TOGETHER)
        network.start([recipe.architecture.start(number, self.data.inputs) for number in seeds])
        fit, compared = (self._prepared(recipe, rows) for rows in self._inputs(recipe))
        gradient = LossGradient(recipe, self.data.labels)
        points = _measured_epochs(recipe.epochs)
        curves = []
        for _ in train_together(
            network, gradient, self._update(recipe), fit[: self.rows], seeds, recipe.batch_size, points
        ):
            if self.left <= 0:
                raise OutOfBudget
            curves.append(self._losses(recipe, network.outputs(compared), self.data.compared_labels))
        measured = slice(min(self.rows, MAX_MEASURED))
        fit_losses = self._losses(recipe, network.outputs(fit[measured]), self.data.labels[measured]).mean(axis=1)
        variables = network.variables()
        return [
            Training(
                points, np.stack([curve[number] for curve in curves]), float(fit_losses[number]), variables[number]
            )
            for number in range(TOGETHER)
        ]

    def _update(self, recipe: Recipe) -> Update:
        """Start the optimizer anew, with the recipe's rate."""
        starting = updates(recipe.optimizer)
        rate = recipe.own_rate if recipe.rate is None else recipe.rate
        assert starting is not None  # _stack() has made sure of both
        assert rate is not None
        return starting(rate)

    def _losses(self, recipe: Recipe, outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Compute the loss of each row after the trainings from several seeds, (seeds, rows)."""
        return np.stack([losses_of_rows(recipe, self.goal, of_seed, labels) for of_seed in outputs])

    def _inputs(self, recipe: Recipe) -> tuple[Any, Any]:
        """Return the inputs of the fit rows and of the comparison rows."""
        return self.data.scaled if recipe.scaled else (self.data.inputs, self.data.compared)

    def _prepared(self, recipe: Recipe, rows: np.ndarray) -> np.ndarray:
        return recipe.architecture.prepared(rows, self.data.inputs)

    def _trained(self, recipe: Recipe, seed: int) -> Training:
        loop = self._loop(recipe)
        fit, compared = self._inputs(recipe)
        loop.begin(recipe, seed, fit)
        began = self.clock()
        epochs, rows = [], []
        for epoch in self._run(loop, recipe, seed):
            epochs.append(epoch)
            rows.append(losses_of_rows(recipe, self.goal, loop.outputs(compared), self.data.compared_labels))
        self._epoch_seconds[recipe.graph] = (self.clock() - began) / recipe.epochs
        measured = slice(min(self.rows, MAX_MEASURED))
        outputs = loop.outputs(take_rows(fit, measured))
        fit_rows = losses_of_rows(recipe, self.goal, outputs, self.data.labels[measured])
        return Training(epochs, np.stack(rows), float(fit_rows.mean()), loop.weights())

    def _run(self, loop: TrainingLoop, recipe: Recipe, seed: int) -> Iterator[int]:
        """Train, and yield the epoch where the curve has a point."""
        rows = self.rows
        size = min(recipe.batch_size, rows)
        draw = np.random.default_rng([seed, rows])
        first = 0
        for last in _measured_epochs(recipe.epochs):
            orders = [draw.permutation(rows)[: rows // size * size] for _ in range(first, last)]
            if self.left <= 0:
                raise OutOfBudget
            loop.run(np.concatenate(orders).reshape(-1, size))
            first = last
            yield last

    def _loop(self, recipe: Recipe) -> TrainingLoop:
        if recipe.graph not in self._loops:
            loop = recipe.architecture.loop(recipe, self.data)
            loop.begin(recipe, 0, self.data.inputs)
            began = self.clock()
            loop.run(np.zeros((_TRIAL_STEPS, recipe.batch_size), dtype=np.int64))
            self._epoch_seconds[recipe.graph] = (self.clock() - began) / _TRIAL_STEPS * self.rows / recipe.batch_size
            self._loops[recipe.graph] = loop
        return self._loops[recipe.graph]


def _measured_epochs(epochs: int) -> list[int]:
    """Return after which epochs a training is measured; half of an even number of epochs is among them."""
    return sorted({-(-epochs * point // _POINTS) for point in range(1, _POINTS + 1)})
