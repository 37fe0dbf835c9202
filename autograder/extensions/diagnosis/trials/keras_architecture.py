"""Keras models as architectures: chains are trained by NumPy, all others by TensorFlow."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.extensions.diagnosis.trials.compiled_steps import CompiledLoop, keras_loss
from autograder.extensions.diagnosis.trials.recipe import WITH_WIDTH, Recipe, trained_labels
from autograder.extensions.diagnosis.trials.split_rows import SplitRows
from autograder.extensions.diagnosis.trials.stacked_reading import stacked_network
from autograder.extensions.diagnosis.trials.stacked_training import StackedNetwork
from autograder.extensions.diagnosis.trials.trial_architecture import (
    Architecture,
    Entry,
    TrainingLoop,
    TrialWords,
    set_units,
)
from autograder.extensions.networks import cost
from autograder.extensions.networks.fresh_model import copy_adaptation, reinitialize
from autograder.extensions.networks.step_calculus import OptimizerSettings

_MAX_LAYERS = 100
_PREPARING = ("Rescaling", "Normalization")


class KerasArchitecture(Architecture):
    """The architecture of a built Keras model."""

    words = TrialWords(
        scaled="a Normalization layer in front",
        redrawn="initial weights by he_normal and biases of 0",
        clipped="gradients whose norm is clipped to 1 (global_clipnorm=1.0)",
        usual_rate="the default of",
    )
    fuses = True

    def __init__(self, model: Any) -> None:
        self.model = model
        self.layers = [entry for entry in model.get_config()["layers"] if entry["class_name"] != "InputLayer"]
        self._starts: dict[int, list[Any]] = {}

    @property
    def output_shape(self) -> tuple[Any, ...]:
        """See :class:`Architecture`."""
        return tuple(self.model.outputs[0].shape)

    @property
    def output_activation(self) -> str:
        """See :class:`Architecture`."""
        return _output_activation(self.model)

    def arranged(self, rows: Any) -> Any:
        """Return rows of one number as a column, (n, 1), if the model takes one, as Keras does in ``fit``."""
        takes_column = len(self.model.inputs) == 1 and tuple(self.model.inputs[0].shape[1:]) == (1,)
        return np.asarray(rows)[:, None] if takes_column and np.ndim(rows) == 1 else rows

    def is_too_large(self, rows: int, batch_size: int, epochs: int, seconds: float) -> bool:
        """See :class:`Architecture`."""
        elements = cost.elements(self.model) * batch_size
        least = cost.training_seconds(self.model, rows, epochs)
        return len(self.model.layers) > _MAX_LAYERS or elements > cost.MAX_ELEMENTS or least > seconds

    def edited(self, edit: Callable[[list[Entry]], None]) -> KerasArchitecture:
        """Return the model that Keras makes of the changed configuration."""
        config = copy.deepcopy(self.model.get_config())
        for entry in config["layers"]:
            entry.pop("build_config", None)  # it holds the shapes of the layer as it was
        config.pop("build_input_shape", None)
        edit(config["layers"])
        model = type(self.model).from_config(config)
        if not model.built:
            model.build(self.model.input_shape)
        copy_adaptation(self.model, model, np.random.default_rng(0))
        return KerasArchitecture(model)

    def with_output(self, activation: str, units: int | None = None) -> KerasArchitecture:
        """See :class:`Architecture`."""
        name = self.model.outputs[0]._keras_history.operation.name

        def edit(layers: list[Entry]) -> None:
            for entry in layers:
                if entry["config"].get("name") == name:
                    entry["config"]["activation"] = activation
            set_units(layers, units)

        return self.edited(edit)

    def stacked(self) -> StackedNetwork | None:
        """See :class:`Architecture`."""
        places = {id(variable): place for place, variable in enumerate(self.model.variables)}
        layers = _in_order(self.model)
        chain = list(itertools.dropwhile(_prepares, layers or ()))
        if not chain or len(self.model.outputs[0].shape) != 2 or not all(map(_is_plain, chain)):
            return None
        entries = [{"class_name": type(layer).__name__, "config": layer.get_config()} for layer in chain]
        variables = [[places.get(id(variable), -1) for variable in layer.variables] for layer in chain]
        return stacked_network(entries, chain[0].input.shape[1:], variables)

    def prepared(self, rows: np.ndarray, inputs: Any) -> np.ndarray:
        """Let the model's first layers, which only scale the inputs, prepare the rows."""
        if not _preparing_layers(self.model):
            return rows
        for layer in _preparing_layers(reinitialize(self.model, 0, inputs)):
            rows = np.asarray(layer(rows), dtype=np.float32)
        return rows

    def start(self, seed: int, inputs: Any) -> list[Any]:
        """Draw the variables by the model's own initializers."""
        if seed not in self._starts:
            first = next(iter(self._starts.values()), None)
            if first is None or not _is_exchangeable(self.model):
                drawn = reinitialize(self.model, seed, inputs)
                self._starts[seed] = [variable.numpy() for variable in drawn.variables]
            else:
                names = [variable.path for variable in self.model.variables]
                draw = np.random.default_rng([seed, len(names)])
                self._starts[seed] = [_redrawn(value, name, draw) for value, name in zip(first, names, strict=True)]
        return self._starts[seed]

    def loop(self, recipe: Recipe, data: SplitRows) -> TrainingLoop:
        """Compile steps by TensorFlow."""
        return CompiledLoop(reinitialize(self.model, 0, data.inputs), recipe, data)

    def dead_share(self, weights: Sequence[np.ndarray], rows: Any) -> float:
        """See :class:`Architecture`."""
        import keras

        if not any(_is_relu(layer) for layer in self.model.layers):
            return 0.0
        model = reinitialize(self.model, 0, rows)
        for variable, value in zip(model.variables, weights, strict=True):
            variable.assign(value)
        relus = [layer.output for layer in model.layers if _is_relu(layer)]
        inputs = model.inputs if len(model.inputs) > 1 else model.inputs[0]
        answers = keras.Model(inputs, relus)(rows, training=False)
        return max(float((np.asarray(answer) == 0).mean()) for answer in keras.tree.flatten(answers))

    def first_gradient(self, recipe: Recipe, rows: Any, labels: np.ndarray) -> float:
        """See :class:`Architecture`."""
        import tensorflow as tf

        model = reinitialize(self.model, 0, rows)
        kernels = [layer.kernel for layer in model.layers if type(layer).__name__ in WITH_WIDTH and _has_kernel(layer)]
        if len(kernels) < 2:
            return 1.0
        labels = trained_labels(recipe, labels)
        with tf.GradientTape() as tape:
            outputs = model(rows, training=False)
            loss = keras_loss(model, recipe, labels)(labels, outputs)
        first, last = (
            float(np.abs(np.asarray(gradient)).mean())
            for gradient in tape.gradient(loss, [kernels[0].value, kernels[-1].value])
        )
        return first / last if last > 0 else 1.0


def keras_optimizer(model: Any, wanted: Any) -> OptimizerSettings:
    """Return the optimizer that a test names, else the one that a model is compiled with, else Adam."""
    import keras

    optimizer: Any = keras.optimizers.get(wanted) if wanted else getattr(model, "optimizer", None)
    if getattr(keras.optimizers, type(optimizer).__name__, None) is not type(optimizer):
        optimizer = keras.optimizers.Adam()
    return OptimizerSettings(type(optimizer).__name__, optimizer.get_config(), "learning_rate")


def _output_activation(model: Any) -> str:
    """Name the activation at the end of a model or of the model nested there; empty if there is none."""
    operation = model.outputs[0]._keras_history.operation
    if hasattr(operation, "outputs") and hasattr(operation, "layers"):
        return _output_activation(operation)
    if type(operation).__name__ == "Softmax":
        return "softmax"
    activation = getattr(operation, "activation", None)
    return str(getattr(activation, "__name__", ""))


def _in_order(model: Any) -> list[Any] | None:
    """List the layers from the input to the output, if each has one input and is called once."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        return None
    layers: list[Any] = []
    tensor = model.outputs[0]
    while tensor is not model.inputs[0]:
        layer, node_index, _ = tensor._keras_history
        sources = layer._inbound_nodes[node_index].input_tensors
        if len(sources) != 1 or layer in layers:
            return None
        layers.insert(0, layer)
        (tensor,) = sources
    return layers


def _preparing_layers(model: Any) -> list[Any]:
    """List the layers at the beginning of a chain that only scale the inputs."""
    return list(itertools.takewhile(_prepares, _in_order(model) or ()))


def _prepares(layer: Any) -> bool:
    return type(layer).__name__ in _PREPARING


def _is_plain(layer: Any) -> bool:
    """Tell whether a layer is one of Keras's own and adds nothing to the loss beside its weights' penalties."""
    is_own = type(layer).__module__.split(".")[0] == "keras" and hasattr(layer, "activity_regularizer")
    return bool(
        is_own and layer.trainable and layer.activity_regularizer is None and layer.dtype_policy.name == "float32"
    )


def _is_exchangeable(model: Any) -> bool:
    """Tell whether the entries of each kernel are drawn alike and independently, as all usual initializers do."""
    config = repr(model.get_config())
    return not any(name in config for name in ("Orthogonal", "Identity"))


def _redrawn(value: np.ndarray, name: str, draw: np.random.Generator) -> np.ndarray:
    """Draw a variable's start anew: a kernel's entries in another order, which is much faster than to build a model."""
    if name.endswith("seed_generator_state"):
        return draw.integers(1, 2**31 - 1, size=value.shape).astype(value.dtype)
    return draw.permutation(value.reshape(-1)).reshape(value.shape) if value.ndim > 1 else value


def _is_relu(layer: Any) -> bool:
    return type(layer).__name__ == "ReLU" or getattr(getattr(layer, "activation", None), "__name__", "") == "relu"


def _has_kernel(layer: Any) -> bool:
    return hasattr(layer, "kernel")
