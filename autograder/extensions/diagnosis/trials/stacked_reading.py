"""Reading of a Keras model as a chain of layers that can be trained from several seeds at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.extensions.diagnosis.trials import stacked_layers as stacked
from autograder.extensions.diagnosis.trials import stacked_pictures as pictures
from autograder.extensions.diagnosis.trials.stacked_training import StackedNetwork

MAX_MULTIPLICATIONS = 200_000
"""Most multiplications for a row; beyond, TensorFlow's loop is as fast."""
_PREPARING = ("Rescaling", "Normalization")


@dataclass
class _Chain:
    """What is read of a model so far."""

    variables: dict[int, int]
    """Id of a variable → its index among the model's."""
    layers: list[tuple[stacked.StackedLayer, Sequence[int]]] = field(default_factory=list)
    penalties: list[tuple[float, float]] = field(default_factory=list)
    multiplications: int = 0

    def add(self, layer: stacked.StackedLayer, variables: Sequence[Any] = ()) -> None:
        self.layers.append((layer, [self.variables[id(variable)] for variable in variables]))

    def activation(self, layer: Any) -> None:
        import keras

        function = getattr(layer, "activation", keras.activations.linear)
        name = next((n for n in stacked.ACTIVATIONS if function is getattr(keras.activations, n)), "")
        if name:
            self.add(stacked.Activation(name))
        elif function is not keras.activations.linear:
            raise _Unusual


class _Unusual(Exception):
    """A layer, or a setting of one, that is not computed here."""


def stacked_network(model: Any) -> StackedNetwork | None:
    """Read a built Keras model as a chain of usual layers; None if it is not one.

    Its first layers may prepare the rows: they have no place in the chain, see :func:`preparing_layers`.
    """
    chain = _Chain({id(variable): index for index, variable in enumerate(model.variables)})
    try:
        for layer in itertools.dropwhile(_prepares, _in_order(model)):
            _read(layer, chain)
    except (_Unusual, KeyError, AttributeError):
        return None
    learns = any(layer.shapes for layer, _ in chain.layers)
    if not learns or len(model.outputs[0].shape) != 2 or chain.multiplications > MAX_MULTIPLICATIONS:
        return None
    return StackedNetwork(chain.layers, chain.penalties)


def preparing_layers(model: Any) -> list[Any]:
    """List the layers at the beginning that only scale the inputs."""
    return list(itertools.takewhile(_prepares, _in_order(model)))


def _prepares(layer: Any) -> bool:
    return type(layer).__name__ in _PREPARING


def _in_order(model: Any) -> list[Any]:
    """List the layers from the input to the output; each has one input and is called once."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise _Unusual
    layers: list[Any] = []
    tensor = model.outputs[0]
    while tensor is not model.inputs[0]:
        layer, node_index, _ = tensor._keras_history
        sources = layer._inbound_nodes[node_index].input_tensors
        if len(sources) != 1 or layer in layers:
            raise _Unusual
        layers.insert(0, layer)
        (tensor,) = sources
    return layers


def _read(layer: Any, chain: _Chain) -> None:
    reader = _READERS.get(type(layer).__name__)
    if reader is None or type(layer).__module__.split(".")[0] != "keras" or not layer.trainable:
        raise _Unusual
    if layer.activity_regularizer is not None or layer.dtype_policy.name != "float32":
        raise _Unusual
    reader(layer, chain)


def _dense(layer: Any, chain: _Chain) -> None:
    if len(layer.input.shape) != 2:
        raise _Unusual
    _penalties(layer, chain)
    chain.multiplications += layer.input.shape[-1] * layer.units
    chain.add(stacked.Dense(layer.input.shape[-1], layer.units, bias=layer.use_bias), layer.trainable_variables)
    chain.activation(layer)


def _convolution(layer: Any, chain: _Chain) -> None:
    is_usual = layer.dilation_rate == (1, 1) and layer.groups == 1 and layer.data_format == "channels_last"
    if not is_usual or layer.padding not in ("same", "valid"):
        raise _Unusual
    _penalties(layer, chain)
    channels, (_, height, width, filters) = layer.input.shape[-1], layer.output.shape
    chain.multiplications += height * width * filters * channels * int(np.prod(layer.kernel_size))
    settings = channels, filters, layer.kernel_size, layer.strides
    same = layer.padding == "same"
    chain.add(pictures.Convolution(*settings, same=same, bias=layer.use_bias), layer.trainable_variables)
    chain.activation(layer)


def _penalties(layer: Any, chain: _Chain) -> None:
    if layer.bias_regularizer is not None or layer.kernel_constraint is not None or layer.bias_constraint is not None:
        raise _Unusual
    regularizer = layer.kernel_regularizer
    if regularizer is not None and type(regularizer).__name__ not in ("L1", "L2", "L1L2"):
        raise _Unusual
    chain.penalties.append((float(getattr(regularizer, "l1", 0.0)), float(getattr(regularizer, "l2", 0.0))))
    chain.penalties += [(0.0, 0.0)] if layer.use_bias else []


def _normalization(layer: Any, chain: _Chain) -> None:
    is_last = layer.axis in (-1, len(layer.input.shape) - 1)
    extras = (layer.gamma_regularizer, layer.beta_regularizer, layer.gamma_constraint, layer.beta_constraint)
    if not (is_last and layer.center and layer.scale) or any(extra is not None for extra in extras):
        raise _Unusual
    chain.penalties += [(0.0, 0.0)] * 2
    variables = [layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance]
    chain.add(stacked.BatchNormalization(layer.input.shape[-1], layer.momentum, layer.epsilon), variables)


def _pooling(layer: Any, chain: _Chain) -> None:
    if layer.padding != "valid" or layer.strides != layer.pool_size or layer.data_format != "channels_last":
        raise _Unusual
    chain.add(pictures.MaxPooling(layer.pool_size))


def _average(layer: Any, chain: _Chain) -> None:
    if layer.keepdims or layer.data_format != "channels_last":
        raise _Unusual
    chain.add(pictures.GlobalAverage())


def _dropout(layer: Any, chain: _Chain) -> None:
    if layer.noise_shape is not None or not 0 <= layer.rate < 1:
        raise _Unusual
    chain.add(stacked.Dropout(layer.rate))


def _softmax(layer: Any, chain: _Chain) -> None:
    if layer.axis not in (-1, len(layer.input.shape) - 1):
        raise _Unusual
    chain.add(stacked.Activation("softmax"))


def _relu(layer: Any, chain: _Chain) -> None:
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise _Unusual
    chain.add(stacked.Activation("relu"))


_READERS: dict[str, Callable[[Any, _Chain], None]] = {
    "Dense": _dense,
    "Conv2D": _convolution,
    "BatchNormalization": _normalization,
    "MaxPooling2D": _pooling,
    "GlobalAveragePooling2D": _average,
    "Dropout": _dropout,
    "Flatten": lambda layer, chain: chain.add(stacked.Flatten()),
    "Activation": lambda layer, chain: chain.activation(layer),
    "Softmax": _softmax,
    "ReLU": _relu,
    "LeakyReLU": lambda layer, chain: chain.add(stacked.Activation("leaky_relu", layer.negative_slope)),
}
