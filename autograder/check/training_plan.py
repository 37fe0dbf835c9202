"""Repeated training of a network from newly drawn weights, each followed by a measurement on a holdout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from autograder.check import cost, metrics
from autograder.check.fresh_model import NotTrainable, reinitialize
from autograder.check.prediction import predictions
from autograder.check.rows import map_arrays, take_rows
from autograder.check.training import TooSlow, Trainer
from autograder.errors import CourseError
from autograder.models.network import Network, TrainingSettings


@dataclass(frozen=True)
class TrainingPlan:
    """The instructor's settings for training and measuring."""

    inputs: Any
    labels: np.ndarray
    holdout: tuple[Any, np.ndarray]
    epochs: int
    batch_size: int
    optimizer: Any
    """An optimizer of Keras; for a network of another library, what the test's author gave."""
    loss: Any
    """A loss of Keras; for a network of another library, its name."""
    measure: metrics.Measure
    seeds: Sequence[int]
    """One seed for each possible training."""
    seconds: float
    from_logits: bool = False


def prepare_training(model: Any, plan: TrainingPlan) -> Callable[[int], np.ndarray]:
    """Return ``train(number)``, which trains from fresh weights and returns the values on each holdout row.

    Raises:
        TooSlow: the shapes, or a few trial steps, show that the training would take too long.
        NotTrainable: the network does not fit the data, or is too large.
    """
    if isinstance(model, Network):
        return _of_network(model, plan)
    import keras

    if keras.config.backend() != "tensorflow":
        raise CourseError(f"check.retrained: Keras runs on {keras.config.backend()} here; it trains on TensorFlow.")
    rows = len(plan.labels)
    if cost.elements(model) * min(plan.batch_size, rows) > cost.MAX_ELEMENTS:
        raise NotTrainable("This network is too large to be trained again here.")
    least = cost.training_seconds(model, rows, plan.epochs)
    if least > plan.seconds:
        raise TooSlow(least)
    copy = reinitialize(model, plan.seeds[0], plan.inputs)
    variables = list(copy.variables)
    copy.compile(optimizer=plan.optimizer, loss=plan.loss, jit_compile=False)
    learns = bool(copy.trainable_variables)
    trainer = _build_trainer(copy, plan) if learns else None

    def train(number: int) -> np.ndarray:
        drawn = reinitialize(model, plan.seeds[number], plan.inputs)
        for variable, value in zip(variables, drawn.variables, strict=True):
            variable.assign(value)
        if trainer is not None:
            trainer.train(plan.epochs, plan.seeds[number], plan.seconds)
        return _measured(copy, plan)

    return train


def _of_network(model: Network, plan: TrainingPlan) -> Callable[[int], np.ndarray]:
    """Return ``train(number)`` for a network of another library."""
    plan.measure(predictions(model, take_rows(plan.inputs, slice(2))), plan.labels[:2])
    settings = TrainingSettings(plan.loss, plan.from_logits, plan.optimizer, plan.epochs, plan.batch_size, plan.seconds)
    try:
        trainer = model.trainer(plan.inputs, plan.labels, settings)
    except ValueError as error:
        raise NotTrainable("This network cannot be trained on these data: its inputs have another form.") from error
    return lambda number: _measured(trainer.train(plan.seeds[number]), plan)


def _measured(model: Any, plan: TrainingPlan) -> np.ndarray:
    """Return the values on each holdout row; NaN if the training diverged."""
    outputs = predictions(model, plan.holdout[0])
    if not np.isfinite(outputs).all():
        return np.full(len(plan.holdout[1]), np.nan)
    return plan.measure(outputs, plan.holdout[1])


def knows_without_learning(model: Any, plan: TrainingPlan, *, binary: bool, from_logits: bool) -> bool:
    """Return whether the network beats every constant even after training on labels in random order.

    Such labels teach nothing about the true ones, so a network that knows these was given them. The test is for classes
    only: a regression may legitimately start at a good guess, such as the last value of a series. A few rows may fit by
    chance, so several orders must agree; the first that does not ends the test.

    Args:
        model: a built ``keras.Model``.
        plan: how to train it.
        binary: whether the loss is a binary crossentropy; otherwise it is a categorical one.
        from_logits: whether the model returns scores.
    """
    measure = partial(metrics.better_than_a_constant, binary=binary, from_logits=from_logits)

    def knows(number: int) -> bool:
        order = np.random.default_rng([plan.seeds[0], number]).permutation(len(plan.labels))
        optimizer = plan.optimizer
        if not isinstance(model, Network):  # an optimizer of Keras serves only one model
            optimizer = type(optimizer).from_config(optimizer.get_config())
        rows = prepare_training(model, replace(plan, labels=plan.labels[order], optimizer=optimizer, measure=measure))(
            0
        )
        return bool(rows.mean() - _MIN_STANDARD_ERRORS * rows.std() / np.sqrt(len(rows)) > _MIN_IMPROVEMENT)

    return all(knows(number) for number in range(_LABEL_ORDERS))


_LABEL_ORDERS = 3
_MIN_STANDARD_ERRORS = 4.4
"""No mean exceeds its expectation by so many standard errors by chance, see :mod:`verdict`."""
_MIN_IMPROVEMENT = 0.1
"""Share of the constant's error that must be gone."""


def _build_trainer(copy: Any, plan: TrainingPlan) -> Trainer:
    """Return a trainer that has completed a few steps, and so can complete the others.

    Raises:
        TooSlow: the training would take longer than the plan allows.
        NotTrainable: a step fails.
    """
    plan.measure(predictions(copy, take_rows(plan.inputs, slice(2))), plan.labels[:2])
    try:
        trainer = Trainer(copy, _as_floats(plan.inputs), plan.labels, plan.batch_size)
        seconds = trainer.seconds_of(plan.epochs)
    except Exception as error:
        raise NotTrainable(f"This network cannot be trained on these data ({type(error).__name__}).") from error
    if seconds > plan.seconds:
        raise TooSlow(seconds)
    return trainer


def _as_floats(inputs: Any) -> Any:
    """Convert fractions to Keras's own precision, as ``fit`` does."""
    import keras

    def converted(values: Any) -> np.ndarray:
        array = np.asarray(values)
        return array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array

    return map_arrays(inputs, converted)
