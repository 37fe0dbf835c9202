"""Trains a model again: whole epochs as one compiled loop, with the losses of a plain ``fit``.

``fit`` returns to Python after every batch, which is most of its time for the networks of a course. Here an epoch is
one call: the data lie on the device, and a loop inside a ``tf.function`` runs Keras's own ``train_step``. The order of
the rows is the one that ``fit`` draws after ``keras.utils.set_random_seed(seed)``, so that losses and weights are the
same to the last bit; tests/check/test_retrained.py says so. No random state of the process is used or changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_TRIAL_SECONDS, _TRIAL_STEPS = 0.05, 64
"""Steps are tried, four times as many each time, until they take so long or are so many."""

_PATIENCE = 3.0
"""A training that takes so many times longer than it may, whatever its trial steps said, ends."""


class TooSlow(Exception):
    """The training would take longer than it may; ``seconds`` is how long, as far as is known."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"about {seconds:.0f} s")
        self.seconds = seconds


class Trainer:
    """Trains one compiled model any number of times, each time from the weights that it has then.

    Args:
        model: a built and compiled ``keras.Model`` on TensorFlow.
        inputs: an array with rows first, or a list or dict of them.
        labels: an array, or what the model's loss takes.
        batch_size: rows of a batch; the last one is smaller.
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
        """Batches of an epoch."""
        return -(-self.rows // self.batch_size)

    def seconds_of(self, epochs: int) -> float:
        """An estimate of the processor time of a training, from a few steps. They change the model's weights."""
        batches = np.arange(self.batch_size, dtype=np.int64)[None]
        self.run(self.data, batches)  # compiles; a student cannot help what that takes
        count, taken = 1, 0.0
        while taken < _TRIAL_SECONDS and count <= _TRIAL_STEPS:
            count *= 4
            began = time.process_time()
            self.run(self.data, np.repeat(batches, count, axis=0))
            taken = time.process_time() - began
        return taken / count * self.steps * epochs

    def train(self, epochs: int, seed: int, seconds: float) -> list[float]:
        """Trains from the model's present weights with a fresh optimizer.

        Args:
            seed: of the order of the rows, as ``fit`` has it after ``keras.utils.set_random_seed(seed)``.
            seconds: of processor time; several times as many end the training.

        Returns:
            The training loss of each epoch, as in ``fit``'s history.

        Raises:
            TooSlow: it does not end in time.
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


def _compiled_steps(model: Any, data: Any) -> Callable[[Any, np.ndarray], None]:
    """``run(data, batches)``: a step for each row of the numbers ``batches`` (steps, rows of a batch). It is compiled
    once, for any number of both."""
    import tensorflow as tf

    signature = [tf.nest.map_structure(tf.TensorSpec.from_tensor, data), tf.TensorSpec([None, None], tf.int64)]

    def steps(data: Any, batches: Any) -> None:
        def step(index: Any) -> Any:
            rows = batches[index]
            model.train_step(tf.nest.map_structure(lambda array: tf.gather(array, rows), data))
            return index + 1

        tf.while_loop(lambda index: index < tf.shape(batches)[0], step, [tf.constant(0)])

    compiled = tf.function(steps, autograph=False, input_signature=signature)

    def run(data: Any, batches: np.ndarray) -> None:
        compiled(data, tf.constant(batches))

    return run


def _orders(rows: int, epochs: int, seed: int) -> Iterator[np.ndarray]:
    """A permutation of the rows for each epoch: Keras's ArrayDataAdapter draws it in a tf.data pipeline, where the
    operation's seed is 0 and the graph's the global one."""
    import tensorflow as tf

    def permutation(_: Any) -> Any:
        return tf.raw_ops.RandomShuffle(value=tf.range(rows, dtype=tf.int64), seed=seed % (2**31 - 1), seed2=0)

    pipeline = tf.data.Dataset.range(1).map(permutation)
    for _ in range(epochs):
        for order in pipeline:
            yield order.numpy()
