"""The shapes of a layer's weights, computed from its arguments and its input's shape.

Nothing is allocated: these are compared with the arrays that were delivered, and added up against the budget,
before the layer is built. The order is that of ``layer.weights``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from autograder.examiner.models.values import RefusedModel

Shape = tuple[int | None, ...]
WeightShapes = list[tuple[int, ...]]


def _known(size: int | None, what: str) -> int:
    if size is None:
        raise RefusedModel(f"{what} needs an input whose size is fixed in that dimension.")
    return size


def _channels(arguments: Mapping[str, Any], shape: Shape) -> int:
    first = arguments.get("data_format") == "channels_first"
    return _known(shape[1 if first else -1], "A convolution")


def _bias(arguments: Mapping[str, Any], size: int) -> WeightShapes:
    return [(size,)] if arguments.get("use_bias", True) else []


def _dense(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    units = arguments["units"]
    return [(_known(shape[-1], "Dense"), units), *_bias(arguments, units)]


def _embedding(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    return [(arguments["input_dim"], arguments["output_dim"])]


def _convolution(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    filters, channels, groups = arguments["filters"], _channels(arguments, shape), arguments.get("groups", 1)
    if channels % groups or filters % groups:
        raise RefusedModel("A convolution's channels and filters must be divisible by its groups.")
    return [(*arguments["kernel_size"], channels // groups, filters), *_bias(arguments, filters)]


def _transposed(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    filters = arguments["filters"]
    return [(*arguments["kernel_size"], filters, _channels(arguments, shape)), *_bias(arguments, filters)]


def _depthwise(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    channels, multiplier = _channels(arguments, shape), arguments.get("depth_multiplier", 1)
    kernel = (*arguments["kernel_size"], channels, multiplier)
    return [kernel, *_bias(arguments, channels * multiplier)]


def _separable(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    channels, multiplier = _channels(arguments, shape), arguments.get("depth_multiplier", 1)
    size, filters = arguments["kernel_size"], arguments["filters"]
    pointwise = ((1,) * len(size)) + (channels * multiplier, filters)
    return [(*size, channels, multiplier), pointwise, *_bias(arguments, filters)]


def _recurrent(gates: int) -> Callable[[Mapping[str, Any], Shape], WeightShapes]:
    def shapes(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
        units = arguments["units"]
        features = _known(shape[-1], "A recurrent layer")
        bias: tuple[int, ...] = (gates * units,)
        if gates == 3 and arguments.get("reset_after", True):
            bias = (2, *bias)
        kernels: WeightShapes = [(features, gates * units), (units, gates * units)]
        return [*kernels, bias] if arguments.get("use_bias", True) else kernels

    return shapes


def _axes(arguments: Mapping[str, Any], shape: Shape) -> tuple[int, ...]:
    axis = arguments.get("axis", -1)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if any(not -len(shape) <= a < len(shape) for a in axes):
        raise RefusedModel(f"A normalization's axis is outside its input, which has {len(shape)} dimensions.")
    return tuple(_known(shape[a], "A normalization") for a in axes)


def _scale_and_center(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    sizes = _axes(arguments, shape)
    return [sizes] * (int(arguments.get("scale", True)) + int(arguments.get("center", True)))


def _batch_normalization(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    return _scale_and_center(arguments, shape) + [_axes(arguments, shape)] * 2


def _layer_normalization(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    if arguments.get("rms_scaling"):
        return [_axes(arguments, shape)]
    return _scale_and_center(arguments, shape)


def _normalization(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    if arguments.get("mean") is not None:
        return []
    axis = arguments.get("axis")
    axes = () if axis is None else (axis,) if isinstance(axis, int) else axis
    kept = sorted(a % len(shape) for a in axes)
    sizes = _axes({"axis": kept}, shape)
    return [sizes, sizes, ()]  # mean, variance, and an unused count


def _prelu(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    shared = arguments.get("shared_axes") or ()
    return [tuple(1 if i in shared else _known(n, "PReLU") for i, n in enumerate(shape) if i > 0)]


_SHAPES: Mapping[str, Callable[[Mapping[str, Any], Shape], WeightShapes]] = {
    "Dense": _dense,
    "Embedding": _embedding,
    "SimpleRNN": _recurrent(1),
    "LSTM": _recurrent(4),
    "GRU": _recurrent(3),
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "GroupNormalization": _scale_and_center,
    "RMSNormalization": lambda arguments, shape: [_axes(arguments, shape)],
    "Normalization": _normalization,
    "PReLU": _prelu,
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "DepthwiseConv": _depthwise,
    "SeparableConv": _separable,
}


def weight_shapes(class_name: str, arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    """The weights' shapes of a layer of the table.

    Args:
        class_name: a class of ``keras.layers`` without inner layers.
        arguments: its validated arguments.
        shape: its input's shape, batch first; None where a size is free.

    Raises:
        RefusedModel: the input has a free or impossible size where the layer needs a fixed one.
    """
    family = re.sub(r"Conv[123]D(Transpose)?$", r"Conv\1", class_name)
    compute = _SHAPES.get(family)
    if compute is None:
        return []
    if len(shape) < 2:
        raise RefusedModel(f"{class_name} was given an input without features.")
    return compute(arguments, shape)
