"""A Keras model as a function of its rows and its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograder.errors import CourseError
from autograder.extensions.keras.parts import POLICIES
from autograder.extensions.networks.computed_function import ApartFunction, ServedFunction
from autograder.extensions.networks.dropped import DropoutFactors, plain_factors, read_factors
from autograder.extensions.networks.model_calls import made_of_twin, twin_model
from autograder.extensions.networks.weight_function import FunctionPass, NumberKind, WeightFunction
from autograder.kernel.model_inputs import arranged, passed

_STATISTICS: dict[str, NumberKind] = {"moving_mean": "mean", "moving_variance": "variance"}
"""Attributes of a normalization that hold what it has seen."""
_CALLS_BEFORE_TRACING = 100
"""Calls from which on a graph of TensorFlow is faster, which takes a second to be made."""


class KerasFunction(WeightFunction):
    """The computation of a Keras model, by a copy of it in double precision.

    Raises:
        Exception: Keras cannot make the model again.
        CourseError: Keras does not run on TensorFlow here.
    """

    rounding = 1e-6
    """TensorFlow keeps constants of some formulas in single precision, as the root of 2 in a GELU."""

    def __init__(self, model: Any, factors: DropoutFactors | None = None) -> None:
        import keras

        if keras.config.backend() != "tensorflow":
            raise CourseError(f"Keras runs on {keras.config.backend()} here; gradients are taken with TensorFlow.")
        self.copy = type(model).from_config(_in_double(model.get_config()))
        if not self.copy.built:
            self.copy.build(model.input_shape)
        self.positions = [position for position, held in enumerate(model.weights) if "float" in str(held.dtype)]
        self.arrays = [np.asarray(model.weights[position], dtype=np.float64) for position in self.positions]
        statistics = {
            id(getattr(layer, name)): kind
            for layer in model._flatten_layers()
            for name, kind in _STATISTICS.items()
            if getattr(layer, name, None) is not None
        }
        trained = {id(variable) for variable in model.trainable_weights}
        kinds: list[NumberKind] = []
        for position in self.positions:
            held = model.weights[position]
            plain: NumberKind = "frozen" if held.trainable or _is_frozen(held, model) else "constant"
            kinds.append(statistics.get(id(held), "weight" if id(held) in trained else plain))
        self.kinds = kinds
        self._calls = 0
        self._eagerly: Callable[..., Any] = partial(self.copy, training=False)
        self._called = self._eagerly
        self.variables = [self.copy.weights[position] for position in self.positions]
        if factors is not None:
            for layer in self.copy._flatten_layers():
                if isinstance(layer, keras.layers.Dropout):
                    layer.call = partial(_multiplied, layer, factors)

    def outputs(self, arrays: Sequence[np.ndarray], rows: Any) -> list[np.ndarray]:
        """Compute the outputs."""
        self._calls += 1
        if self._calls == _CALLS_BEFORE_TRACING:
            import tensorflow as tf

            self._called = tf.function(self._called, reduce_retracing=True)
        return [np.asarray(output, dtype=np.float64) for output in self._outputs(arrays, rows, self._called)]

    def forward(self, arrays: Sequence[np.ndarray], rows: Any) -> FunctionPass:
        """Compute the outputs, and what their gradients need."""
        import tensorflow as tf

        with tf.GradientTape(persistent=True) as tape:
            held = [variable.value for variable in self.variables]
            tape.watch(held)
            outputs = self._outputs(arrays, rows, self._eagerly)
        is_differentiable = [output.dtype.is_floating for output in outputs]

        def gradients(of_outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
            chosen = [output for output, is_float in zip(outputs, is_differentiable, strict=True) if is_float]
            weights = [
                tf.constant(array, dtype=output.dtype)
                for array, output in zip(of_outputs, outputs, strict=True)
                if output.dtype.is_floating
            ]
            derivatives = tape.gradient(chosen, held, output_gradients=weights) if chosen else [None] * len(held)
            return [
                np.zeros(array.shape) if gradient is None else np.asarray(tf.convert_to_tensor(gradient), np.float64)
                for gradient, array in zip(derivatives, self.arrays, strict=True)
            ]

        return FunctionPass([np.asarray(output, dtype=np.float64) for output in outputs], gradients)

    def _outputs(self, arrays: Sequence[np.ndarray], rows: Any, called: Callable[..., Any]) -> list[Any]:
        import keras

        for variable, array in zip(self.variables, arrays, strict=True):
            variable.assign(array)
        answer = passed(called, arranged(self.copy, rows))
        return list(keras.tree.flatten(answer))


def _multiplied(layer: Any, factors: DropoutFactors, inputs: Any, training: bool = False) -> Any:
    """Compute a dropout whose numbers are multiplied by factors."""
    spatial = getattr(layer, "_get_noise_shape", None)
    shape = spatial(inputs) if spatial is not None else layer.noise_shape or inputs.shape
    sizes = [own or size for own, size in zip(shape[1:], inputs.shape[1:], strict=True)]
    return inputs * factors.factor(layer.rate, sizes).astype(inputs.dtype.name)


def function_of(model: Any, factors: DropoutFactors | None = None) -> WeightFunction:
    """Return what computes a built model with given numbers, where strangers' networks are computed."""
    function = KerasFunction(model, factors)
    part = made_of_twin(ComputedKerasFunction, model, plain_factors(factors))
    return function if part is None else ApartFunction(part, function)


class ComputedKerasFunction(ServedFunction):
    """The function of a model's twin, where strangers' networks are computed."""

    def __init__(self, claim: Sequence[Any], weights: Sequence[np.ndarray], factors: Sequence[Any] | None) -> None:
        super().__init__(KerasFunction(twin_model(claim, weights), read_factors(factors)))


def _is_frozen(variable: Any, model: Any) -> bool:
    """Return whether a layer would train the variable if the layer were not frozen."""
    return any(
        held is variable for layer in model._flatten_layers() for held in getattr(layer, "_trainable_variables", ())
    )


def _in_double(value: Any) -> Any:
    """Return a configuration in which each type of fractions is the one of double precision."""
    if isinstance(value, dict):
        return {key: _in_double(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_in_double(item) for item in value)
    return "float64" if isinstance(value, str) and value in POLICIES else value
