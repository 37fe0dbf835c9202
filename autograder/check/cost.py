"""What it costs to train a network, from its shapes alone: nothing is run, however large the network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from autograder.check.fresh import leaves

FREE_SIZE = 100
"""What a size that is not known counts as."""

FASTEST = 5e10
"""Multiplications and additions in a second of a processor core's time that no training here surpasses."""

MOST_ELEMENTS = 64_000_000
"""The numbers that all layers together may give for one batch of a training (256 MB as float32)."""


def training_seconds(model: Any, rows: int, epochs: int) -> float:
    """The least processor time of a training: a forward pass and twice that for the gradients."""
    return 3 * 2 * multiplications(model) * rows * epochs / FASTEST


def elements(model: Any) -> int:
    """The numbers that all layers together give for one row."""
    return sum(_size(output) for layer in leaves(model) for _, output in _calls(layer))


def multiplications(model: Any) -> int:
    """About how many multiplications a row takes on its way forward.

    A weight is used once at each place of the layer's output (a convolution) or input (a recurrent layer).
    """
    return sum(_of_call(layer, given, output) for layer in leaves(model) for given, output in _calls(layer))


def _of_call(layer: Any, given: list[tuple[int, ...]], output: tuple[int, ...]) -> int:
    kind = type(layer).__name__
    size = _size(output)
    if kind == "Embedding":
        return size
    if kind == "Dot":
        return size * max((max(shape, default=1) for shape in given), default=1)
    first = getattr(layer, "data_format", "") == "channels_first"
    places = max(_places(shape, first) for shape in [output, *given])
    weights = sum(math.prod(variable.shape) for variable in layer.weights)
    pool = math.prod(getattr(layer, "pool_size", (1,)))
    return weights * places + size * pool + sum(map(_size, given))


def _calls(layer: Any) -> Iterator[tuple[list[tuple[int, ...]], tuple[int, ...]]]:
    """The shapes (of one row) of what the layer was given and of what it gave, for each time it is used."""
    for node in getattr(layer, "_inbound_nodes", ()):
        for tensor in node.output_tensors:
            yield [_row(given.shape) for given in node.input_tensors], _row(tensor.shape)


def _row(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(FREE_SIZE if size is None else int(size) for size in shape[1:])


def _size(row: tuple[int, ...]) -> int:
    return math.prod(row)


def _places(row: tuple[int, ...], channels_first: bool) -> int:
    return math.prod(row[1:] if channels_first else row[:-1])
