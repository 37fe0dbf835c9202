"""Repeated training of a network from newly drawn weights, each followed by a measurement on a holdout."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from autograder.check.prediction_cache import digest, trained_values
from autograder.errors import CourseError
from autograder.extensions.networks import cost, metrics
from autograder.extensions.networks.fresh_model import NotTrainable, reinitialize
from autograder.extensions.networks.model_calls import made_of_twin, twin_model
from autograder.extensions.networks.network import Network, TrainingSettings
from autograder.extensions.networks.prediction import predictions
from autograder.extensions.networks.rows import NoPrediction, map_arrays, take_rows
from autograder.extensions.networks.training import TooSlow, Trainer
from autograder.models.computing_process import ENDED, Computed


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
    training = _training(model, plan)
    if training.ask("learns"):
        plan.measure(training.ask("outputs", take_rows(plan.inputs, slice(2))), plan.labels[:2])
        training.ask("prepare")

    def train(number: int) -> np.ndarray:
        training.ask("train", number)
        return _values(training.ask("outputs", plan.holdout[0]), plan)

    return train


def kept_training(model: Any, plan: TrainingPlan) -> Callable[[int], np.ndarray]:
    """Return what :func:`prepare_training` does; a training that is kept beside the recording is not made again.

    Raises:
        TooSlow, NotTrainable: when the first training is made, as :func:`prepare_training` says.
    """
    prepared = functools.cache(lambda: prepare_training(model, plan))
    sizes = plan.epochs, plan.batch_size, plan.seconds, plan.from_logits, getattr(plan.measure, "__name__", "")
    settings = [plan.optimizer, plan.loss] if isinstance(model, Network) else _described(plan)
    rows = plan.inputs, plan.labels, *plan.holdout
    made_from = digest(["training", *settings, *sizes, *rows]) if settings else ""

    def train(number: int) -> np.ndarray:
        key = digest([made_from, plan.seeds[number]]) if made_from else ""
        return trained_values(model, key, lambda: prepared()(number))

    return train


def _described(plan: TrainingPlan) -> list[Any]:
    """Describe an optimizer of Keras's own and the loss, as plain data; nothing of an optimizer of the course's own."""
    if not _is_kerass(plan.optimizer):
        return []
    optimizer, loss = _plain_settings(plan)
    optimizer["config"].pop("name", None)  # Keras counts them
    return [optimizer, loss]


def _plain_settings(plan: TrainingPlan) -> tuple[dict[str, Any], dict[str, Any]]:
    import keras

    return keras.optimizers.serialize(plan.optimizer), keras.losses.serialize(plan.loss)


def _is_kerass(optimizer: Any) -> bool:
    import keras

    return type(optimizer) is getattr(keras.optimizers, type(optimizer).__name__, None)


def _training(model: Any, plan: TrainingPlan) -> Computed:
    """Return the trainings where strangers' networks are computed; here, for what cannot be sent there."""
    settings = (plan.inputs, plan.labels, plan.epochs, plan.batch_size, list(plan.seeds), plan.seconds)
    training: Computed | None = None
    if _is_kerass(plan.optimizer):
        training = made_of_twin(TwinTraining, model, *settings, *_plain_settings(plan))
    return training or Computed.here(KerasTraining(model, *settings, plan.optimizer, plan.loss))


class KerasTraining:
    """Trainings of the copies of one model, from fresh weights.

    Args:
        model: a built ``keras.Model``, which stays as it is.
        inputs: the rows to train on, and their labels.
        labels: see ``inputs``.
        epochs: as in :class:`TrainingPlan`, as are the others.
        batch_size: see ``epochs``.
        seeds: see ``epochs``.
        seconds: see ``epochs``.
        optimizer: see ``epochs``.
        loss: see ``epochs``.
    """

    def __init__(
        self,
        model: Any,
        inputs: Any,
        labels: np.ndarray,
        epochs: int,
        batch_size: int,
        seeds: Sequence[int],
        seconds: float,
        optimizer: Any,
        loss: Any,
    ) -> None:
        self.model, self.inputs, self.labels = model, inputs, labels
        self.epochs, self.batch_size, self.seeds, self.seconds = epochs, batch_size, seeds, seconds
        self.copy = reinitialize(model, seeds[0], inputs)
        self.variables = list(self.copy.variables)
        self.copy.compile(optimizer=optimizer, loss=loss, jit_compile=False)
        self.trainer: Trainer | None = None

    def learns(self) -> bool:
        """Return whether there is anything to train."""
        return bool(self.copy.trainable_variables)

    def prepare(self) -> None:
        """Complete a few steps, so that the others can be completed.

        Raises:
            TooSlow: the training would take longer than allowed.
            NotTrainable: a step fails.
        """
        try:
            trainer = Trainer(self.copy, _as_floats(self.inputs), self.labels, self.batch_size)
            seconds = trainer.seconds_of(self.epochs)
        except Exception as error:
            message = f"This network cannot be trained on these data ({type(error).__name__})."
            raise NotTrainable(message) from error
        if seconds > self.seconds:
            raise TooSlow(seconds)
        self.trainer = trainer

    def train(self, number: int) -> None:
        """Train from the fresh weights of a seed."""
        drawn = reinitialize(self.model, self.seeds[number], self.inputs)
        for variable, value in zip(self.variables, drawn.variables, strict=True):
            variable.assign(value)
        if self.trainer is not None:
            self.trainer.train(self.epochs, self.seeds[number], self.seconds)

    def outputs(self, rows: Any) -> np.ndarray:
        """Return the outputs of the trained copy."""
        return predictions(self.copy, rows)


class TwinTraining(KerasTraining):
    """The same where strangers' networks are computed: from the twin of a model, with plain settings."""

    is_stateful = True

    def __init__(self, claim: Sequence[Any], weights: Sequence[np.ndarray], *settings: Any) -> None:
        import keras

        *plain, optimizer, loss = settings
        objects = keras.optimizers.deserialize(optimizer), keras.losses.deserialize(loss)
        super().__init__(twin_model(claim, weights), *plain, *objects)  # type: ignore[call-arg]


def _of_network(model: Network, plan: TrainingPlan) -> Callable[[int], np.ndarray]:
    """Return ``train(number)`` for a network of another library."""
    plan.measure(predictions(model, take_rows(plan.inputs, slice(2))), plan.labels[:2])
    settings = TrainingSettings(plan.loss, plan.from_logits, plan.optimizer, plan.epochs, plan.batch_size, plan.seconds)
    try:
        trainer = model.trainer(plan.inputs, plan.labels, settings)
    except ValueError as error:
        raise NotTrainable("This network cannot be trained on these data: its inputs have another form.") from error
    return lambda number: _values(predictions(trainer.train(plan.seeds[number]), plan.holdout[0]), plan)


def _values(outputs: Any, plan: TrainingPlan) -> np.ndarray:
    """Return the values on each holdout row; NaN if the training diverged."""
    if type(outputs) is not np.ndarray or outputs.dtype != np.float64 or len(outputs) != len(plan.holdout[1]):
        raise NoPrediction(ENDED)
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


def _as_floats(inputs: Any) -> Any:
    """Convert fractions to Keras's own precision, as ``fit`` does."""
    import keras

    def converted(values: Any) -> np.ndarray:
        array = np.asarray(values)
        return array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array

    return map_arrays(inputs, converted)
