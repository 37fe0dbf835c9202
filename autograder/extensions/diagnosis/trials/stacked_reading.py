"""Reading of layers as a chain that can be trained from several seeds at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from autograder.extensions.diagnosis.trials import stacked_layers as stacked
from autograder.extensions.diagnosis.trials import stacked_pictures as pictures
from autograder.extensions.diagnosis.trials.stacked_training import StackedNetwork
from autograder.extensions.diagnosis.trials.trial_architecture import Entry

MAX_MULTIPLICATIONS = 200_000
"""Most multiplications for a row; beyond, the library's own loop is as fast."""

Config = dict[str, Any]


@dataclass
class _Chain:
    """What is read so far."""

    shape: tuple[int, ...]
    """What the next layer takes, for one row."""
    channels_first: bool
    layers: list[stacked.StackedLayer] = field(default_factory=list)
    penalties: list[tuple[float, float]] = field(default_factory=list)
    multiplications: int = 0

    def add(self, layer: stacked.StackedLayer, shape: tuple[int, ...] | None = None) -> None:
        self.layers.append(layer)
        self.shape = self.shape if shape is None else shape

    def activation(self, config: Config) -> None:
        name = config.get("activation", "linear")
        if name in stacked.ACTIVATIONS:
            self.add(stacked.Activation(name))
        elif name != "linear":
            raise _Unusual


class _Unusual(Exception):
    """A layer, or a setting of one, that is not computed here."""


def stacked_network(
    entries: Sequence[Entry],
    shape: Sequence[int],
    variables: Sequence[Sequence[int]] | None = None,
    *,
    channels_first: bool = False,
) -> StackedNetwork | None:
    """Read layers as a chain of usual ones that ends in one axis; None if they are not.

    Args:
        entries: the layers in the order of the chain.
        shape: of one row; of a picture, the channels are the last axis.
        variables: of each layer, the places of its variables among all; None: they stand in the layers' order.
        channels_first: whether flattening takes a picture's channels one after the other, as PyTorch does.
    """
    chain = _Chain(tuple(shape), channels_first)
    indices: list[list[int]] = []
    following = itertools.count()
    try:
        for number, entry in enumerate(entries):
            first = len(chain.layers)
            _READERS[entry["class_name"]](entry["config"], chain)
            numbers = following if variables is None else iter(variables[number])
            indices += [list(_numbers(layer, numbers)) for layer in chain.layers[first:]]
    except (_Unusual, KeyError, TypeError, ValueError):
        return None
    learns = any(layer.shapes for layer in chain.layers)
    if not learns or len(chain.shape) != 1 or chain.multiplications > MAX_MULTIPLICATIONS:
        return None
    return StackedNetwork(list(zip(chain.layers, indices, strict=True)), chain.penalties)


def _numbers(layer: stacked.StackedLayer, following: Iterator[int]) -> Iterator[int]:
    for _ in (*layer.shapes, *layer.states):
        yield next(following)


def _dense(config: Config, chain: _Chain) -> None:
    (inputs,), units = chain.shape, config["units"]
    _penalties(config, chain)
    chain.multiplications += inputs * units
    chain.add(stacked.Dense(inputs, units, bias=config["use_bias"]), (units,))
    chain.activation(config)


def _convolution(config: Config, chain: _Chain) -> None:
    is_usual = set(config.get("dilation_rate", (1,))) == {1} and config.get("groups", 1) == 1
    height, width, channels = chain.shape
    if not is_usual or _is_channels_first(config) or config["padding"] == "causal":
        raise _Unusual
    _penalties(config, chain)
    layer = pictures.Convolution(
        channels,
        config["filters"],
        tuple(config["kernel_size"]),
        tuple(config["strides"]),
        padding=config["padding"],
        bias=config["use_bias"],
    )
    shape = (*layer.sizes((height, width)), config["filters"])
    chain.multiplications += prod(shape) * channels * prod(config["kernel_size"])
    chain.add(layer, shape)
    chain.activation(config)


def _penalties(config: Config, chain: _Chain) -> None:
    if any(config.get(name) is not None for name in ("bias_regularizer", "kernel_constraint", "bias_constraint")):
        raise _Unusual
    regularizer = config.get("kernel_regularizer")
    if regularizer is not None and regularizer["class_name"] not in ("L1", "L2", "L1L2"):
        raise _Unusual
    factors = regularizer["config"] if regularizer is not None else {}
    chain.penalties.append((float(factors.get("l1", 0.0)), float(factors.get("l2", 0.0))))
    chain.penalties += [(0.0, 0.0)] if config["use_bias"] else []


def _normalization(config: Config, chain: _Chain) -> None:
    is_last = config.get("axis", -1) in (-1, len(chain.shape))
    extras = ("gamma_regularizer", "beta_regularizer", "gamma_constraint", "beta_constraint")
    if not is_last or not (config.get("center", True) and config.get("scale", True)):
        raise _Unusual
    if any(config.get(name) is not None for name in extras):
        raise _Unusual
    chain.penalties += [(0.0, 0.0)] * 2
    unbiased = config.get("is_unbiased", False)
    chain.add(stacked.BatchNormalization(chain.shape[-1], config["momentum"], config["epsilon"], is_unbiased=unbiased))


def _pooling(config: Config, chain: _Chain) -> None:
    size = tuple(config["pool_size"])
    is_usual = config.get("padding", "valid") == "valid" and tuple(config.get("strides") or size) == size
    if not is_usual or _is_channels_first(config):
        raise _Unusual
    height, width, channels = chain.shape
    chain.add(pictures.MaxPooling(size), (height // size[0], width // size[1], channels))


def _average(config: Config, chain: _Chain) -> None:
    if config.get("keepdims") or _is_channels_first(config):
        raise _Unusual
    _, _, channels = chain.shape
    chain.add(pictures.GlobalAverage(), (channels,))


def _is_channels_first(config: Config) -> bool:
    return bool(config.get("data_format", "channels_last") != "channels_last")


def _flatten(config: Config, chain: _Chain) -> None:
    chain.add(stacked.Flatten(channels_first=chain.channels_first), (prod(chain.shape),))


def _dropout(config: Config, chain: _Chain) -> None:
    if config.get("noise_shape") is not None or not 0 <= config["rate"] < 1:
        raise _Unusual
    chain.add(stacked.Dropout(config["rate"]))


def _softmax(config: Config, chain: _Chain) -> None:
    if config["axis"] not in (-1, len(chain.shape)):
        raise _Unusual
    chain.add(stacked.Activation("softmax"))


def _relu(config: Config, chain: _Chain) -> None:
    if config.get("max_value") is not None or config.get("negative_slope") or config.get("threshold"):
        raise _Unusual
    chain.add(stacked.Activation("relu"))


_READERS: dict[str, Callable[[Config, _Chain], None]] = {
    "Dense": _dense,
    "Conv2D": _convolution,
    "BatchNormalization": _normalization,
    "MaxPooling2D": _pooling,
    "GlobalAveragePooling2D": _average,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Activation": lambda config, chain: chain.activation(config),
    "Softmax": _softmax,
    "ReLU": _relu,
    "LeakyReLU": lambda config, chain: chain.add(stacked.Activation("leaky_relu", config["negative_slope"])),
}
"""Class of a layer → what adds it to the chain."""
