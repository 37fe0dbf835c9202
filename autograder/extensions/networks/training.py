"""Training of a model again, whole epochs as one compiled loop, with the same losses as ``fit``.

For the small networks of a course ``fit`` spends most of its time returning to Python after every batch. Here an epoch
is one call: the data are on the device, and a loop inside a ``tf.function`` runs Keras's own ``train_step``. The rows
have the order that ``fit`` draws after ``keras.utils.set_random_seed(seed)``, so that losses and weights are equal to
the last bit, as ``test_retraining.py`` verifies. No random state of the process is used or changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.extensions.networks import metrics
from autograder.models.computing_process import ERRORS

_TRIAL_SECONDS, _TRIAL_STEPS = 0.05, 64
"""A trial runs four times as many steps each time, until it takes this long or has this many steps."""

_PATIENCE = 3.0
"""A training is stopped when it takes this many times the allowed time, whatever the trial predicted."""


class TooSlow(Exception):
    """The training would take too long; ``seconds`` estimates how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"about {seconds:.0f} s")
        self.seconds = seconds
        self.told = repr(float(seconds))
        """What a process that computes tells of it."""


ERRORS["TooSlow"] = lambda told: TooSlow(float(told))


class Trainer:
    """A trainer of one compiled model, which starts each training from the model's current weights.

    Args:
        model: a built and compiled ``keras.Model`` on TensorFlow.
        inputs: an array, rows first, or a list or dict of them.
        labels: an array, or what the model's loss takes.
        batch_size: rows of a batch; the last batch is smaller.
    """

    def __init__(self, model: Any, inputs: Any, labels: Any, batch_size: int) -> None:
        import tensorflow as tf

        self.model = model
        self.data = tf.nest.map_structure(tf.constant, (inputs, labels))
        self.rows = len(tf.nest.flatten(self.data)[0])
        self.batch_size = min(batch_size, self.rows)
        self.run = _compiled_steps(model, self.data)
        model.optimizer.build(model.trainable_variables)
        self._fresh_optimizer = [variable.numpy() for variable in model.optimizer.variables]

    @property
    def steps(self) -> int:
        """Number of batches of an epoch."""
        return -(-self.rows // self.batch_size)

    def seconds_of(self, epochs: int) -> float:
        """Estimate the processor time of a training from a few steps, which change the model's weights."""
        batches = np.arange(self.batch_size, dtype=np.int64)[None]
        self.run(self.data, batches)  # compiles; the student is not charged for that time
        count, elapsed = 1, 0.0
        while elapsed < _TRIAL_SECONDS and count <= _TRIAL_STEPS:
            count *= 4
            began = time.process_time()
            self.run(self.data, np.repeat(batches, count, axis=0))
            elapsed = time.process_time() - began
        return elapsed / count * self.steps * epochs

    def train(self, epochs: int, seed: int, seconds: float) -> list[float]:
        """Train from the model's current weights with a fresh optimizer.

        Args:
            epochs: how many epochs.
            seed: determines the order of the rows, as in ``fit`` after ``keras.utils.set_random_seed(seed)``.
            seconds: allowed processor time; the training is stopped at a multiple of it.

        Returns:
            The training loss of each epoch, as in the history of ``fit``.

        Raises:
            TooSlow: the training was stopped.
        """
        for variable, value in zip(self.model.optimizer.variables, self._fresh_optimizer, strict=True):
            variable.assign(value)
        whole = self.rows // self.batch_size * self.batch_size
        losses: list[float] = []
        deadline = time.process_time() + _PATIENCE * seconds
        for order in _orders(self.rows, epochs, seed):
            self.model.reset_metrics()
            self.run(self.data, order[:whole].reshape(-1, self.batch_size))
            if whole < self.rows:
                self.run(self.data, order[None, whole:])
            losses.append(float(self.model.get_metrics_result()["loss"]))
            if time.process_time() > deadline and len(losses) < epochs:
                raise TooSlow(_PATIENCE * seconds * epochs / len(losses))
        self.model.optimizer.finalize_variable_values(self.model.trainable_weights)
        return losses


def take_steps(step: Callable[[Any], object], batches: Any) -> None:
    """Take a step for each line of row numbers, (steps, batch size), in a loop of TensorFlow's."""
    import tensorflow as tf

    def advance(index: Any) -> Any:
        step(batches[index])
        return (index + 1,)  # a tuple, where functions run eagerly, too

    tf.while_loop(lambda index: index < tf.shape(batches)[0], advance, [tf.constant(0)])


def training_loss(model: Any, measure: metrics.Measure, labels: np.ndarray, *, from_logits: bool) -> Any:
    """Return Keras's loss that a training minimizes where ``measure`` is measured, for labels in this form.

    Args:
        model: a built ``keras.Model``.
        measure: one of :data:`~autograder.extensions.networks.metrics.LOSSES`.
        labels: labels (n, …): one-hot, whole numbers, or values.
        from_logits: whether the model returns scores.
    """
    import keras

    if measure is metrics.categorical_crossentropy:
        one_hot = labels.ndim == len(model.outputs[0].shape) and labels.shape[-1] > 1
        kind = "CategoricalCrossentropy" if one_hot else "SparseCategoricalCrossentropy"
        return getattr(keras.losses, kind)(from_logits=from_logits)
    if measure is metrics.binary_crossentropy:
        return keras.losses.BinaryCrossentropy(from_logits=from_logits)
    squared = measure is metrics.mean_squared_error
    return keras.losses.MeanSquaredError() if squared else keras.losses.MeanAbsoluteError()


def _compiled_steps(model: Any, data: Any) -> Callable[[Any, np.ndarray], None]:
    """Return ``run(data, batches)``, which takes one step for each row of the array ``batches``.

    ``batches`` holds row numbers, (steps, batch size). The function is compiled once for all sizes.
    """
    import tensorflow as tf

    signature = [tf.nest.map_structure(tf.TensorSpec.from_tensor, data), tf.TensorSpec([None, None], tf.int64)]

    def steps(data: Any, batches: Any) -> None:
        take_steps(
            lambda rows: model.train_step(tf.nest.map_structure(lambda array: tf.gather(array, rows), data)), batches
        )

    compiled = tf.function(steps, autograph=False, input_signature=signature)

    def run(data: Any, batches: np.ndarray) -> None:
        compiled(data, tf.constant(batches))

    return run


def _orders(rows: int, epochs: int, seed: int) -> Iterator[np.ndarray]:
    """Yield a permutation of the rows for each epoch, as Keras's ArrayDataAdapter draws it.

    The adapter draws in a tf.data pipeline, where the operation's seed is 0 and the graph's seed is the global one.
    """
    import tensorflow as tf

    def permutation(_: Any) -> Any:
        return tf.raw_ops.RandomShuffle(value=tf.range(rows, dtype=tf.int64), seed=seed % (2**31 - 1), seed2=0)

    pipeline = tf.data.Dataset.range(1).map(permutation)
    for _ in range(epochs):
        for order in pipeline:
            yield order.numpy()
