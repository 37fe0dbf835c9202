"""Training steps of a Keras model, computed by TensorFlow from given weights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from autograder.errors import CourseError
from autograder.extensions.networks.computed_steps import ApartSteps, ServedSteps
from autograder.extensions.networks.fresh_model import reinitialize
from autograder.extensions.networks.model_calls import made_of_twin, twin_model
from autograder.extensions.networks.rows import map_arrays, row_count
from autograder.extensions.networks.step_calculus import NetworkPass, OptimizerSettings, StepCalculus, Update, Weights
from autograder.kernel.model_inputs import arranged, passed


class KerasSteps(StepCalculus):
    """The computation of training steps of one rebuilt model, on a copy of it.

    Raises:
        NotTrainable: Keras cannot make the model again.
        CourseError: Keras does not run on TensorFlow here.
    """

    library = "keras"
    names = ()

    def __init__(self, model: Any) -> None:
        import keras

        if keras.config.backend() != "tensorflow":
            raise CourseError(
                f"check.training_step: Keras runs on {keras.config.backend()} here; it trains on TensorFlow."
            )
        self.model = model
        self.copy = reinitialize(model, 0)
        self.variables = [self.copy.weights[place] for place in _places(model)]
        trainable = {id(variable) for variable in self.copy.trainable_variables}
        self.trained = [id(variable) in trainable for variable in self.variables]
        layers = self.copy._flatten_layers()
        self.draws = [part.seed_generator for part in layers if getattr(part, "seed_generator", None) is not None]

    def draw(self, seed: int) -> Weights:
        """Draw weights as the layers do, and add a little, so that none is 0."""
        draw = np.random.default_rng(seed)
        drawn = reinitialize(self.model, seed)
        fresh = dict(zip(map(id, self.copy.weights), drawn.weights, strict=True))
        arrays = [np.asarray(fresh[id(variable)]) for variable in self.variables]
        return [(array + 0.05 * np.abs(draw.normal(size=array.shape))).astype(np.float32) for array in arrays]

    def forward(self, weights: Weights, inputs: Any, *, training: bool, seed: int) -> NetworkPass:
        """Compute the first output, and what its gradient needs."""
        import keras
        import tensorflow as tf

        for variable, array in zip(self.variables, weights, strict=True):
            variable.assign(array)
        for generator in self.draws:
            generator.state.assign([seed, 0])
        with tf.GradientTape(persistent=True) as tape:
            output = keras.tree.flatten(passed(partial(self.copy, training=training), arranged(self.copy, inputs)))[0]
        chosen = [variable.value for variable, trained in zip(self.variables, self.trained, strict=True) if trained]
        moved = [np.array(variable.numpy()) for variable in self.variables]

        def gradients(of_output: np.ndarray) -> list[np.ndarray | None]:
            results = iter(tape.gradient(output, chosen, tf.constant(of_output, dtype=output.dtype)))
            return [_array(next(results)) if trained else None for trained in self.trained]

        return NetworkPass(np.asarray(output, dtype=np.float64), moved, gradients)

    def optimizer(self, wanted: Any) -> OptimizerSettings:
        """Read an optimizer of Keras, or its name."""
        import keras

        try:
            created = keras.optimizers.get("sgd" if wanted is None else wanted)
        except (ValueError, TypeError):
            raise CourseError(f"check.training_step: Keras has no optimizer {wanted!r}.") from None
        kind, config = type(created).__name__, created.get_config()
        settings = {key: value for key, value in config.items() if type(value) in (bool, int, float) and key != "name"}
        if type(created) is not getattr(keras.optimizers, kind, None) or "learning_rate" not in settings:
            raise CourseError("check.training_step: give an optimizer of Keras's own, with a number as learning rate.")
        return OptimizerSettings(kind, settings, "learning_rate")

    def update(self, optimizer: OptimizerSettings) -> Update:
        """Return a new optimizer of Keras."""
        import keras
        import tensorflow as tf

        created = getattr(keras.optimizers, optimizer.kind)(**optimizer.settings)
        created.build([variable for variable, trained in zip(self.variables, self.trained, strict=True) if trained])

        def step(weights: Weights, gradients: Sequence[np.ndarray | None]) -> Weights:
            for variable, array in zip(self.variables, weights, strict=True):
                variable.assign(array)
            pairs = [
                (gradient, variable)
                for gradient, variable in zip(gradients, self.variables, strict=True)
                if gradient is not None
            ]
            created.apply_gradients([(tf.constant(gradient), variable) for gradient, variable in pairs])
            return [np.array(variable.numpy()) for variable in self.variables]

        return step


class ServedKerasSteps(ServedSteps):
    """The steps of a model's twin, where strangers' networks are computed."""

    def __init__(self, claim: Sequence[Any], weights: Sequence[np.ndarray], places: Sequence[int]) -> None:
        model = twin_model(claim, weights)
        model.weight_places = tuple(places)
        super().__init__(KerasSteps(model))


def steps_of(model: Any) -> StepCalculus:
    """Return the steps of a rebuilt model, of which the network's part is computed where strangers' networks are.

    Raises:
        NotTrainable: Keras cannot make the model again.
        CourseError: Keras does not run on TensorFlow here.
    """
    steps, part = KerasSteps(model), made_of_twin(ServedKerasSteps, model, list(_places(model)))
    if part is None:
        return steps

    def plain(inputs: Any) -> tuple[Any, int]:
        rows = map_arrays(inputs, np.asarray)
        return rows, row_count(rows)

    return ApartSteps(steps, part, [np.asarray(variable) for variable in steps.variables], plain)


def _places(model: Any) -> Sequence[int]:
    """Return the places of the weights in the order in which a kernel knows them."""
    return getattr(model, "weight_places", None) or range(len(model.weights))


def _array(gradient: Any) -> np.ndarray | None:
    import tensorflow as tf

    return None if gradient is None else np.array(tf.convert_to_tensor(gradient))
