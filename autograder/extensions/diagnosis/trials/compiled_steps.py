"""Steps of a training, compiled by TensorFlow: for Keras models that are no chain of usual layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.extensions.diagnosis.trials.recipe import Recipe, trained_labels
from autograder.extensions.diagnosis.trials.split_rows import SplitRows
from autograder.extensions.diagnosis.trials.trial_architecture import TrainingLoop
from autograder.extensions.networks import metrics
from autograder.extensions.networks.training import take_steps, training_loss


class CompiledLoop(TrainingLoop):
    """A recipe's compiled training.

    It compiles a loop over steps without metrics: for small networks, Keras's ``train_step`` takes twice as long.
    """

    def __init__(self, model: Any, recipe: Recipe, data: SplitRows) -> None:
        """Compile the steps of a model, which changes from then on."""
        import keras
        import tensorflow as tf

        self.variables, self.inputs = list(model.variables), data.inputs
        kind = getattr(keras.optimizers, recipe.optimizer.kind)
        self.optimizer = optimizer = kind.from_config(dict(recipe.optimizer.settings))
        optimizer.build(model.trainable_variables)
        self.fresh_optimizer = [variable.numpy() for variable in optimizer.variables]
        labels = trained_labels(recipe, data.labels)
        loss, targets = keras_loss(model, recipe, labels), tf.constant(labels)

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
        self._run = tf.function(steps, autograph=False, input_signature=signature).get_concrete_function()
        any_rows = [tf.nest.map_structure(lambda array: tf.TensorSpec([None, *array.shape[1:]], array.dtype), inputs)]
        self._forward = tf.function(lambda rows: model(rows, training=False), autograph=False, input_signature=any_rows)
        self._run(*tf.nest.flatten(inputs), tf.zeros([0, 1], tf.int64))

    def begin(self, recipe: Recipe, seed: int, fit: Any) -> None:
        """See :class:`TrainingLoop`."""
        import tensorflow as tf

        start = [*recipe.architecture.start(seed, self.inputs), *self.fresh_optimizer]
        for variable, value in zip([*self.variables, *self.optimizer.variables], start, strict=True):
            variable.assign(value)
        if recipe.rate is not None:
            self.optimizer.learning_rate.assign(recipe.rate)
        self._fit = tf.nest.map_structure(tf.constant, fit)

    def run(self, batches: np.ndarray) -> None:
        """See :class:`TrainingLoop`."""
        import tensorflow as tf

        self._run(*tf.nest.flatten(self._fit), tf.constant(batches))

    def outputs(self, rows: Any) -> np.ndarray:
        """See :class:`TrainingLoop`."""
        import tensorflow as tf

        return np.asarray(self._forward(tf.nest.map_structure(tf.constant, rows)), dtype=np.float64)

    def weights(self) -> list[np.ndarray]:
        """See :class:`TrainingLoop`."""
        return [variable.numpy() for variable in self.variables]


def keras_loss(model: Any, recipe: Recipe, labels: np.ndarray) -> Any:
    """Return Keras's loss of a recipe, for labels in this form."""
    return training_loss(model, metrics.LOSSES[recipe.loss], labels, from_logits=recipe.from_logits)
