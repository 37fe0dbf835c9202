"""What it costs to train a network, from its shapes alone: nothing is run, however large the network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

_PRODUCTS = frozenset({"Dot", "Matmul", "Einsum", "Tensordot", "Inner", "Outer"})

UNKNOWN_SIZE = 100
"""What a size that is not known counts as."""

MAX_OPERATIONS_PER_SECOND = 5e10
"""Multiplications and additions in a second of a processor core's time that no training here surpasses."""

MAX_ELEMENTS = 64_000_000
"""The numbers that all layers together may give for one batch of a training (256 MB as float32)."""


def training_seconds(model: Any, rows: int, epochs: int) -> float:
    """The least processor time of a training: a forward pass and twice that for the gradients."""
    return 3 * 2 * multiplications(model) * rows * epochs / MAX_OPERATIONS_PER_SECOND


def elements(model: Any) -> int:
    """The numbers that all layers together make for one row, and keep for the gradients."""
    return sum(
        _size(output) + _intermediate_numbers(layer, given)
        for layer in _layers_and_operations(model)
        for given, output in _call_shapes(layer)
    )


def _intermediate_numbers(layer: Any, given: list[tuple[int, ...]]) -> int:
    """What is made on the way: the scores of attention; gates and states at each step of a recurrent layer."""
    kind = type(layer).__name__
    if "Attention" in kind:
        steps = [shape[0] for shape in given[:2] if len(shape) > 1] or [1]
        heads = getattr(layer, "num_heads", getattr(layer, "num_query_heads", 1))
        return int(2 * heads * steps[0] * steps[-1] * (given[0][-1] if kind == "AdditiveAttention" else 1))
    if any(name in kind for name in ("RNN", "LSTM", "GRU", "Bidirectional")):
        columns = sum(variable.shape[-1] for variable in layer.weights if len(variable.shape) > 1)
        return int(2 * columns * max((shape[0] for shape in given if shape), default=1))
    return 0


def multiplications(model: Any) -> int:
    """About how many multiplications a row takes on its way forward.

    A weight is used once at each place of the layer's output (a convolution) or input (a recurrent layer).
    """
    return sum(
        _call_multiplications(layer, given, output)
        for layer in _layers_and_operations(model)
        for given, output in _call_shapes(layer)
    )


def _call_multiplications(layer: Any, given: list[tuple[int, ...]], output: tuple[int, ...]) -> int:
    kind = type(layer).__name__
    size = _size(output)
    if kind == "Embedding":
        return size
    if kind in _PRODUCTS:
        return size * max((max(shape, default=1) for shape in given), default=1)
    first = getattr(layer, "data_format", "") == "channels_first"
    places = max(_places(shape, first) for shape in [output, *given])
    weights = sum(math.prod(variable.shape) for variable in getattr(layer, "weights", ()))
    wide = max((shape[-1] for shape in given if shape), default=1)
    pool = int(math.prod(getattr(layer, "pool_size", (1,))))
    return int(weights) * places + size * pool + sum(map(_size, given)) + _intermediate_numbers(layer, given) * wide


def _layers_and_operations(model: Any) -> Iterator[Any]:
    """The layers and operations of a model and of the models in it."""
    for part in getattr(model, "operations", model.layers):
        yield from _layers_and_operations(part) if hasattr(part, "layers") else [part]


def _call_shapes(layer: Any) -> Iterator[tuple[list[tuple[int, ...]], tuple[int, ...]]]:
    """The shapes (of one row) of what the layer was given and of what it gave, for each time it is used."""
    for node in getattr(layer, "_inbound_nodes", ()):
        for tensor in node.output_tensors:
            yield [_row(given.shape) for given in node.input_tensors], _row(tensor.shape)


def _row(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(UNKNOWN_SIZE if size is None else int(size) for size in shape[1:])


def _size(row: tuple[int, ...]) -> int:
    return math.prod(row)


def _places(row: tuple[int, ...], channels_first: bool) -> int:
    return math.prod(row[1:] if channels_first else row[:-1])
