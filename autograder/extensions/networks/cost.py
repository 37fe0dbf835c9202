"""Cost of training a network, computed from its shapes alone; no network is too large, since nothing is run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

_PRODUCTS = frozenset({"Dot", "Matmul", "Einsum", "Tensordot", "Inner", "Outer"})

UNKNOWN_SIZE = 100
"""Assumed size of a dimension whose size is unknown."""

MAX_OPERATIONS_PER_SECOND = 5e10
"""Multiplications and additions per second of a processor core; no training here is faster."""

MAX_ELEMENTS = 64_000_000
"""Most numbers that all layers together may produce for one training batch (256 MB as float32)."""


def training_seconds(model: Any, rows: int, epochs: int) -> float:
    """Return the least processor time of a training: a forward pass, and twice that for the gradients."""
    return 3 * 2 * multiplications(model) * rows * epochs / MAX_OPERATIONS_PER_SECOND


def elements(model: Any) -> int:
    """Return how many numbers all layers produce for one row and keep for the gradients."""
    return sum(
        _size(output) + _intermediate_numbers(layer, inputs)
        for layer in _layers_and_operations(model)
        for inputs, output in _call_shapes(layer)
    )


def _intermediate_numbers(layer: Any, inputs: list[tuple[int, ...]]) -> int:
    """Return how many numbers a layer produces on the way to its output.

    These are the scores of an attention layer, or the gates and states at each step of a recurrent layer.
    """
    kind = type(layer).__name__
    if "Attention" in kind:
        steps = [shape[0] for shape in inputs[:2] if len(shape) > 1] or [1]
        heads = getattr(layer, "num_heads", getattr(layer, "num_query_heads", 1))
        return int(2 * heads * steps[0] * steps[-1] * (inputs[0][-1] if kind == "AdditiveAttention" else 1))
    if any(name in kind for name in ("RNN", "LSTM", "GRU", "Bidirectional")):
        columns = sum(variable.shape[-1] for variable in layer.weights if len(variable.shape) > 1)
        return int(2 * columns * max((shape[0] for shape in inputs if shape), default=1))
    return 0


def multiplications(model: Any) -> int:
    """Return about how many multiplications the forward pass of one row takes.

    A weight is used once at each place of the layer's output (as in a convolution) or input (as in a recurrent layer).
    """
    return sum(
        _call_multiplications(layer, inputs, output)
        for layer in _layers_and_operations(model)
        for inputs, output in _call_shapes(layer)
    )


def _call_multiplications(layer: Any, inputs: list[tuple[int, ...]], output: tuple[int, ...]) -> int:
    kind = type(layer).__name__
    size = _size(output)
    if kind == "Embedding":
        return size
    if kind in _PRODUCTS:
        return size * max((max(shape, default=1) for shape in inputs), default=1)
    first = getattr(layer, "data_format", "") == "channels_first"
    places = max(_places(shape, first) for shape in [output, *inputs])
    weights = sum(math.prod(variable.shape) for variable in getattr(layer, "weights", ()))
    wide = max((shape[-1] for shape in inputs if shape), default=1)
    size_of_pool = getattr(layer, "pool_size", 1)  # of an operation, it may be one number for all dimensions
    pool = int(size_of_pool ** (len(output) - 1) if isinstance(size_of_pool, int) else math.prod(size_of_pool))
    return int(weights) * places + size * pool + sum(map(_size, inputs)) + _intermediate_numbers(layer, inputs) * wide


def _layers_and_operations(model: Any) -> Iterator[Any]:
    """Yield the layers and operations of a model and of its nested models."""
    for part in getattr(model, "operations", model.layers):
        yield from _layers_and_operations(part) if hasattr(part, "layers") else [part]


def _call_shapes(layer: Any) -> Iterator[tuple[list[tuple[int, ...]], tuple[int, ...]]]:
    """Yield the shapes, for one row, of the inputs and the output of each call of the layer."""
    for node in getattr(layer, "_inbound_nodes", ()):
        for tensor in node.output_tensors:
            yield [_row(given.shape) for given in node.input_tensors], _row(tensor.shape)


def _row(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(UNKNOWN_SIZE if size is None else int(size) for size in shape[1:])


def _size(row: tuple[int, ...]) -> int:
    return math.prod(row)


def _places(row: tuple[int, ...], channels_first: bool) -> int:
    return math.prod(row[1:] if channels_first else row[:-1])
