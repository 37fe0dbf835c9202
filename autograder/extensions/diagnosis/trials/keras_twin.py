"""Twins: networks of other libraries, as the Keras model with the same layers, on which changes can be tried."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.models.network import Network
from autograder.records.diagnosis import Diagnosis, HelpfulChange, TriedChange

_KINDS: Mapping[str, tuple[str, ...]] = {
    "Dense": ("units", "use_bias"),
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "use_bias"),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "GlobalAveragePooling2D": (),
    "BatchNormalization": ("momentum", "epsilon"),
    "Dropout": ("rate",),
    "Flatten": (),
    "Activation": (),
    "ReLU": (),
}
"""Layers that a twin may have, with the settings that are taken over."""
_WITH_KERNEL = ("Dense", "Conv2D")
_WORDS = {
    "a Normalization layer in front": "each feature of the inputs scaled to mean 0 and deviation 1",
    "initial weights by he_normal and biases of 0": "initial weights by kaiming_normal_ and biases of 0",
    ", the default of ": ", a usual one for ",
}
"""Words of Keras → those for students of other libraries."""


def keras_twin(network: Network) -> Any:
    """Return a Keras model with the layers of a network, and weights drawn as PyTorch draws them.

    Returns:
        The model; None if the network is no plain chain of usual layers, or the model would have another size.
    """
    import keras

    shape = network.input_shape
    if not isinstance(shape, tuple) or not isinstance(network.output_shape, tuple) or network.is_unusual:
        return None
    try:
        layers = [layer for step in network.steps("keras") for layer in _layers(step)]
        channels_last = (*shape[2:], shape[1]) if len(shape) == 4 else shape[1:]
        if _size(layers, (None, *channels_last)) != (network.counts().trainable, tuple(network.output_shape)):
            return None
        return keras.Sequential([keras.Input(channels_last), *layers])
    except (TypeError, ValueError, KeyError):
        return None


def _size(layers: Sequence[Any], shape: tuple[Any, ...]) -> tuple[int, tuple[Any, ...]]:
    """Return the count of trainable numbers of layers that have none yet, and their output's shape."""
    import keras

    count = 0
    for layer in layers:
        if isinstance(layer, keras.layers.Dense):
            count += layer.units * (shape[-1] + layer.use_bias)
        elif isinstance(layer, keras.layers.Conv2D):
            count += layer.filters * (math.prod(layer.kernel_size) * shape[-1] + layer.use_bias)
        elif isinstance(layer, keras.layers.BatchNormalization):
            count += 2 * shape[-1]
        shape = tuple(layer.compute_output_shape(shape))
    return count, shape


def _layers(step: Any) -> list[Any]:
    """Return a step as layers: itself, and its activation where that is a layer of its own.

    Raises:
        KeyError: there is no such layer here.
        ValueError: it has other settings.
    """
    import keras

    config = step.layer.get_config()
    if config.get("groups", 1) != 1 or set(config.get("dilation_rate", (1,))) != {1} or step.calls != 1:
        raise ValueError("the layer is unusual")
    settings = {name: config[name] for name in _KINDS[step.kind] if name in config}
    name, _, slope = (step.activation or "linear").rstrip(")").partition("(")
    if step.kind in ("Activation", "ReLU"):
        return [_activation(name if step.activation else "relu", slope)]
    if step.kind not in _WITH_KERNEL:
        layer = getattr(keras.layers, step.kind)(**settings)
        return [layer, _activation(name, slope)] if name != "linear" else [layer]
    drawn = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    extra = [_activation(name, slope)] if slope else []
    inner = "linear" if slope else name
    return [getattr(keras.layers, step.kind)(**settings, activation=inner, kernel_initializer=drawn), *extra]


def _activation(name: str, slope: str) -> Any:
    import keras

    return keras.layers.LeakyReLU(float(slope)) if slope else keras.layers.Activation(name)


def channels_last(rows: Any) -> Any:
    """Return pictures with their channels in the last axis, and other rows as they are."""
    return np.moveaxis(rows, 1, -1) if isinstance(rows, np.ndarray) and rows.ndim == 4 else rows


def keras_optimizer(optimizer: Any) -> Any:
    """Return the optimizer of Keras that is like a name, an object of Keras or PyTorch, or None."""
    import keras

    if optimizer is None or isinstance(optimizer, str | keras.optimizers.Optimizer):
        return keras.optimizers.get(optimizer or "adam")
    settings = dict(getattr(optimizer, "defaults", {}))
    kind = {"NAdam": "Nadam"}.get(type(optimizer).__name__, type(optimizer).__name__)
    config: dict[str, Any] = {"learning_rate": float(settings["lr"])}
    if kind == "SGD":
        config |= {"momentum": settings.get("momentum", 0.0), "nesterov": bool(settings.get("nesterov"))}
    elif kind == "RMSprop":
        config |= {"rho": settings.get("alpha", 0.99), "momentum": settings.get("momentum", 0.0)}
    if kind == "AdamW":
        config["weight_decay"] = settings.get("weight_decay")
    return getattr(keras.optimizers, kind)(**config)


def in_other_words(diagnosis: Diagnosis) -> Diagnosis:
    """Return the diagnosis of a twin in words for students of another library."""

    def words(text: str) -> str:
        for of_keras, of_torch in _WORDS.items():
            text = text.replace(of_keras, of_torch)
        return text

    def trial(tried: TriedChange) -> TriedChange:
        return replace(tried, change=words(tried.change))

    def finding(helpful: HelpfulChange) -> HelpfulChange:
        return replace(helpful, trial=trial(helpful.trial), message=words(helpful.message))

    findings, tried = tuple(map(finding, diagnosis.findings)), tuple(map(trial, diagnosis.tried))
    return replace(diagnosis, findings=findings, tried=tried)
