"""Steps of a training, compiled by TensorFlow: for networks that are no chain of usual layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check.fresh_model import reinitialize
from autograder.check.training import take_steps
from autograder.extensions.diagnosis.trials.recipe import Recipe, keras_loss, trained_labels
from autograder.extensions.diagnosis.trials.split_rows import SplitRows


@dataclass(frozen=True)
class CompiledSteps:
    """A recipe's compiled training."""

    variables: list[Any]
    optimizer: Any
    fresh_optimizer: list[np.ndarray]
    run: Callable[[Any, np.ndarray], None]
    """Takes a step on these inputs for each line of row numbers, (steps, batch size)."""
    outputs: Callable[[Any], np.ndarray]


def compiled_steps(recipe: Recipe, data: SplitRows) -> CompiledSteps:
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

    return CompiledSteps(
        variables=list(model.variables),
        optimizer=optimizer,
        fresh_optimizer=[variable.numpy() for variable in optimizer.variables],
        run=lambda fit, batches: run(*tf.nest.flatten(fit), tf.constant(batches)),
        outputs=lambda rows: np.asarray(forward(tf.nest.map_structure(tf.constant, rows)), dtype=np.float64),
    )
