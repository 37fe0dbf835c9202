"""Other layers that a layer or an operation equals, or that a wrapper holds.

``RNN(GRUCell(8))`` computes what ``GRU(8)`` computes, ``keras.ops.reshape`` to one axis is ``Flatten``, and
``Bidirectional(LSTM(8))`` holds an LSTM.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.extensions.networks.activations import activation_name
from autograder.extensions.networks.pattern import fuses

RECURRENT = {"SimpleRNNCell": "SimpleRNN", "LSTMCell": "LSTM", "GRUCell": "GRU"}
"""Cell → the layer that equals an RNN of it."""
_CELLS = {layer: cell for cell, layer in RECURRENT.items()}
WRAPPERS = ("TimeDistributed", "SpectralNormalization")
"""Layers around a layer of any kind."""


@dataclass(frozen=True)
class LayerReading:
    """A layer as a pattern may name it."""

    kind: str
    config: Mapping[str, Any]
    activation: str | None = None
    """Canonical name; None if a layer of this kind has no activation."""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """Argument that is a layer → that layer, or a list of layers."""
    only_with: frozenset[str] = frozenset()
    """Settings that a pattern has to name to mean this layer, as a convolution of width 1."""

    def get_config(self) -> Mapping[str, Any]:
        """Return the arguments, as a layer does."""
        return self.config


def own_reading(layer: Any) -> LayerReading:
    """Return a layer as what it is."""
    kind = type(layer).__name__
    has_one = fuses(kind) or kind in RECURRENT or kind in _CELLS
    activation = activation_name(getattr(layer, "activation", None)) if has_one else None
    return LayerReading(kind, _config(layer), activation, _parts(layer, kind))


def _config(layer: Any) -> Mapping[str, Any]:
    try:
        return dict(layer.get_config())
    except Exception:  # a layer of the student's own, in their notebook
        return {}


def readings(layer: Any) -> Iterator[LayerReading]:
    """Yield the layer as what it is, what it equals, and what it holds."""
    yield own_reading(layer)
    yield from other_readings(layer)


def other_readings(layer: Any) -> Iterator[LayerReading]:
    """Yield what a layer equals, and what it holds."""
    kind = type(layer).__name__
    if kind == "RNN":
        yield from _of_cell(layer)
    elif kind in _CELLS:
        yield LayerReading("RNN", _config(layer), parts={"cell": layer.cell})
    elif kind in WRAPPERS:
        yield from readings(layer.layer)
    elif kind == "Bidirectional" and _same_both_ways(layer):
        yield from readings(layer.forward_layer)
    elif kind == "Flatten":
        yield from _reshaped(layer)
    elif kind == "Reshape":
        yield from _reshaped(layer)
        if len(_shape(layer)) == 2:
            yield LayerReading("Flatten", {})


def equivalents(reading: LayerReading, layer: Any) -> Iterator[LayerReading]:
    """Yield the convolutions that a dense layer is, and the dense layer that a convolution is.

    A convolution of width 1 is a dense layer of the channels, and one whose windows do not overlap is one of patches.
    """
    config = reading.config
    if reading.kind == "Dense":
        sides = len(_input_shape(layer)) - 2
        for rank in (1, 2, 3):
            ones = {"kernel_size": (1,) * rank, "strides": (1,) * rank, "dilation_rate": (1,) * rank}
            settings = {**config, **ones, "filters": config.get("units"), "groups": 1, "padding": "valid"}
            yield replace(reading, kind=f"Conv{rank}D", config=settings, only_with=_named_unless(rank == sides))
    elif reading.kind in ("Conv1D", "Conv2D", "Conv3D") and config.get("groups", 1) == 1:
        kernel, apart = config.get("kernel_size", ()), config.get("strides") == config.get("kernel_size")
        if set(kernel) == {1} or (apart and config.get("padding") == "valid"):
            yield replace(reading, kind="Dense", config={**config, "units": config.get("filters")})


def _named_unless(is_over_places: bool) -> frozenset[str]:
    """Return the settings that a pattern of a convolution has to name to mean a dense layer."""
    return frozenset() if is_over_places else frozenset(["kernel_size"])


def _of_cell(layer: Any) -> Iterator[LayerReading]:
    if type(layer.cell).__name__ in RECURRENT:
        yield _loop(layer, layer.cell)
        yield own_reading(layer.cell)


def readings_of_stack(layer: Any) -> list[LayerReading]:
    """Return the recurrent layers that equal an RNN of several cells; none for any other RNN."""
    cells = list(getattr(layer.cell, "cells", []))
    if not all(type(cell).__name__ in RECURRENT for cell in cells):
        return []
    return [_loop(layer, cell, inside=cell is not cells[-1]) for cell in cells]


def _loop(layer: Any, cell: Any, *, inside: bool = False) -> LayerReading:
    """Return the layer that equals an RNN of one cell; with ``inside``, more cells follow."""
    loop_config = {key: value for key, value in _config(layer).items() if key != "cell"}
    merged = {**_config(cell), **loop_config, **({"return_sequences": True} if inside else {})}
    return LayerReading(RECURRENT[type(cell).__name__], merged, activation_name(cell.activation))


def _same_both_ways(layer: Any) -> bool:
    """Return whether the layers of both directions are alike but for the direction."""

    def plain(direction: Any) -> tuple[str, dict[str, Any]]:
        return type(direction).__name__, {
            k: v for k, v in _config(direction).items() if k not in ("name", "go_backwards", "cell")
        }

    return plain(layer.forward_layer) == plain(layer.backward_layer)


def _parts(layer: Any, kind: str) -> dict[str, Any]:
    """Return a wrapper's arguments that are layers."""
    if kind in WRAPPERS:
        return {"layer": layer.layer}
    if kind == "Bidirectional":
        return {"layer": layer.forward_layer, "backward_layer": layer.backward_layer}
    if kind == "RNN":
        return {"cell": getattr(layer.cell, "cells", layer.cell)}
    return {"cells": layer.cells} if kind == "StackedRNNCells" else {}


# --- operations ----------------------------------------------------------------------------------------


def pooling(operation: Any) -> LayerReading | None:
    """Return the pooling layer that an operation equals; None for any other operation."""
    kind, config, shape = type(operation).__name__, operation.get_config(), _input_shape(operation)
    rank = len(shape) - 2
    if not 1 <= rank <= 3:
        return None
    if kind in ("MaxPool", "AveragePool"):
        name = f"{kind.removesuffix('Pool')}Pooling{rank}D"
        size, strides = config.get("pool_size"), config.get("strides")
        return LayerReading(name, {**config, "strides": size if strides is None else strides})
    if kind in ("Mean", "Max") and config.get("initial") is None:
        axes = config.get("axis")
        axes = axes if isinstance(axes, list | tuple) else [axes]
        if None not in axes and sorted(axis % (rank + 2) for axis in axes) == [*range(1, rank + 1)]:
            name = f"Global{'Average' if kind == 'Mean' else 'Max'}Pooling{rank}D"
            return LayerReading(name, {"keepdims": config.get("keepdims", False), "data_format": "channels_last"})
    return None


def arranged(operation: Any, numbers: list[Any]) -> tuple[LayerReading, ...]:
    """Return the layers that an operation equals which only scales or arranges its input.

    Args:
        operation: a ``keras.Operation`` that is no layer.
        numbers: the numbers in its calls.
    """
    kind, shape = type(operation).__name__, _shape(operation)
    if kind in ("Reshape", "ExpandDims", "Squeeze") and len(shape) > 1:
        flat = (LayerReading("Flatten", {}),) if len(shape) == 2 else ()
        return (*flat, *_reshaped(operation))
    if kind == "Transpose":
        axes = operation.get_config().get("axes")
        return (LayerReading("Permute", {"dims": tuple(axes[1:])}),) if axes and axes[0] == 0 else ()
    if kind in ("Multiply", "Divide", "TrueDivide") and len(numbers) == 1:
        return _rescaling(kind, float(numbers[0]), operation)
    return ()


def _rescaling(kind: str, number: float, operation: Any) -> tuple[LayerReading, ...]:
    first = operation._inbound_nodes[0].arguments.args[:1]
    divides = kind != "Multiply"
    if not number or (divides and not hasattr(first[0] if first else None, "_keras_history")):
        return ()  # a number divided by a tensor
    return (LayerReading("Rescaling", {"scale": 1 / number if divides else number, "offset": 0.0}),)


def _reshaped(layer: Any) -> Iterator[LayerReading]:
    """Yield the Reshape layers that an operation equals; one number of the shape may be written as -1."""
    shape = _shape(layer)
    whole = tuple(-1 if size is None else size for size in shape[1:])
    for inferred in range(len(whole) if -1 in whole else -1, len(whole)):
        target = (*whole[:inferred], -1, *whole[inferred + 1 :]) if inferred >= 0 else whole
        yield LayerReading("Reshape", {"target_shape": target})


def changes_nothing(layer: Any) -> bool:
    """Return whether a layer only scales by a number, as ``x / 255`` does, or keeps its input's shape.

    Axes of size 1 count for nothing. Such a layer may stand in a model without being asked for, as the operation may.
    """
    kind = type(layer).__name__
    if kind == "Rescaling":
        return all(isinstance(value, int | float) for value in (layer.scale, layer.offset))
    before, after = ([size for size in shape if size != 1] for shape in (_input_shape(layer), _shape(layer)))
    same = kind in ("Flatten", "Reshape") and after and before == after
    return bool(same and math.prod(1 if size is None else size for size in _shape(layer)))


def same_axis(operation: Any, expected: Any) -> bool:
    """Return whether an operation's axis is the expected one, counted from the front or from the back."""
    rank = len(_shape(operation))
    actual: Any = _config(operation).get("axis")
    whole = type(actual) is int and type(expected) is int and -rank <= expected < rank
    return bool(whole and rank and actual % rank == expected % rank)


def _shape(operation: Any) -> tuple[int | None, ...]:
    return _shape_of(operation, "output")


def _input_shape(operation: Any) -> tuple[int | None, ...]:
    return _shape_of(operation, "input")


def _shape_of(operation: Any, end: str) -> tuple[int | None, ...]:
    try:
        return tuple(getattr(operation, end).shape)
    except (AttributeError, ValueError, TypeError):
        return ()
