"""The shapes of a layer's weights, computed from its arguments and its input's shape.

Nothing is allocated: before the layer is built, the shapes are compared with the delivered arrays and added up against
the budget. They are in the order of ``layer.weights``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from autograder.models.plan import LayerPlan
from autograder.models.values import RefusedModel

Shape = tuple[int | None, ...]
WeightShapes = list[tuple[int, ...]]


def _known(size: int | None, what: str) -> int:
    if size is None:
        raise RefusedModel(f"{what} needs an input whose size is fixed in that dimension.")
    return size


def _channels(arguments: Mapping[str, Any], shape: Shape) -> int:
    first = arguments.get("data_format") == "channels_first"
    return _known(shape[1 if first else -1], "A convolution")


def _bias(arguments: Mapping[str, Any], *size: int) -> WeightShapes:
    return [size] if arguments.get("use_bias", True) else []


def _dense(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    units = arguments["units"]
    return [(_known(shape[-1], "Dense"), units), *_bias(arguments, units)]


def _embedding(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    table = (arguments["input_dim"], arguments["output_dim"])
    return [table] if arguments.get("tie_weights", True) else [table, table[::-1]]


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
        return [(features, gates * units), (units, gates * units), *_bias(arguments, *bias)]

    return shapes


def _convolutional_lstm(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    filters, size = arguments["filters"], arguments["kernel_size"]
    channels = _channels(arguments, (shape[0], *shape[2:]))
    return [(*size, channels, 4 * filters), (*size, filters, 4 * filters), *_bias(arguments, 4 * filters)]


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


def _spectrogram(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    frame = arguments.get("frame_length", 256)
    kernel = (frame, 1, (arguments.get("fft_length") or frame) // 2 + 1)
    return [kernel] if arguments.get("mode") in ("real", "imag") else [kernel, kernel]


def _einsum_dense(arguments: Mapping[str, Any], shape: Shape) -> WeightShapes:
    return einsum_dense(arguments, shape)[0]


_SHAPES: Mapping[str, Callable[[Mapping[str, Any], Shape], WeightShapes]] = {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "ReversibleEmbedding": _embedding,
    "SimpleRNN": _recurrent(1),
    "LSTM": _recurrent(4),
    "GRU": _recurrent(3),
    "ConvLSTM": _convolutional_lstm,
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
    "STFTSpectrogram": _spectrogram,
}


def weight_shapes(plan: LayerPlan, shapes: Mapping[str, Any], first: Any) -> WeightShapes:
    """Return the weights' shapes of a layer, including those of its inner layers.

    Args:
        plan: any layer but TimeDistributed and Pipeline, whose layers are measured one by one.
        shapes: the shapes of the call's arguments, by the names of ``layer.call``: batch first, None for a free size.
        first: the shape of the layer's input; a list if the layer is called with several inputs.

    Raises:
        RefusedModel: an input has a free or impossible size where the layer needs a fixed one.
    """
    arguments = plan.arguments
    if plan.class_name in ("MultiHeadAttention", "GroupQueryAttention"):
        value = shapes["value"]
        return _attention(plan.class_name, arguments, shapes["query"], value, shapes.get("key") or value)
    if plan.class_name == "Attention":
        return [()] * (int(arguments["use_scale"]) + int(arguments["score_mode"] == "concat"))
    if plan.class_name == "AdditiveAttention":
        return [(_known(first[0][-1], "AdditiveAttention"),)] if arguments["use_scale"] else []
    return _of_one_input(plan, first[0] if isinstance(first, list) else first)


def _of_one_input(plan: LayerPlan, shape: Shape) -> WeightShapes:
    inner = [part for held in plan.inner.values() for part in held if isinstance(part, LayerPlan)]
    if plan.class_name == "RNN":
        return _of_one_input(inner[0], (*shape[:1], *shape[2:]))
    if plan.class_name == "StackedRNNCells":
        widths = [shape[-1], *(cell.arguments["units"] for cell in inner)]
        return [w for cell, n in zip(inner, widths, strict=False) for w in _of_one_input(cell, (shape[0], n))]
    if plan.class_name == "SpectralNormalization":
        kernel, *others = _of_one_input(inner[0], shape)
        return [kernel, (1, kernel[-1]), *others]
    if inner:
        return [weights for part in inner for weights in _of_one_input(part, shape)]
    family = re.sub(r"(\w)[123]D(Transpose)?$", r"\1\2", plan.class_name).removesuffix("Cell")
    compute = _SHAPES.get(family)
    if compute is None:
        return []
    if len(shape) < 2 and "Embedding" not in family:
        raise RefusedModel(f"{plan.class_name} was given an input without features.")
    return compute(plan.arguments, shape)


def _attention(name: str, arguments: Mapping[str, Any], query: Shape, value: Shape, key: Shape) -> WeightShapes:
    """Return the shapes of the projections of query, key, gate (if any), value, and result."""
    if name == "MultiHeadAttention":
        heads = kept = arguments["num_heads"]
        width, value_width = arguments["key_dim"], arguments.get("value_dim") or arguments["key_dim"]
    else:
        heads, kept = arguments["num_query_heads"], arguments["num_key_value_heads"]
        width = value_width = arguments["head_dim"]
    q, k, v = (_known(shape[-1], "Attention") for shape in (query, key, value))
    out = arguments.get("output_shape") or (q,)
    out = (out,) if isinstance(out, int) else tuple(out)
    projections = [(q, heads, width), (k, kept, width)]
    if arguments.get("use_gate"):
        projections.append((q, heads, value_width))
    projections.append((v, kept, value_width))
    found: WeightShapes = []
    for kernel in projections:
        found += [kernel, *_bias(arguments, *kernel[1:])]
    return [*found, (heads, value_width, *out), *_bias(arguments, *out)]


_EQUATIONS = (
    r"(?P<left>)([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)",
    r"(?P<left>\.\.\.)([a-zA-Z]+),([a-zA-Z]+)->\.\.\.([a-zA-Z]+)",
    r"(?P<left>)([a-zA-Z]{2,})\.\.\.,([a-zA-Z]+)->([a-zA-Z]+)\.\.\.",
)


def einsum_dense(arguments: Mapping[str, Any], shape: Shape) -> tuple[WeightShapes, Shape]:
    """Return an EinsumDense's weights and output shape, by Keras's rules for equation and ``output_shape``."""
    equation, wanted = arguments["equation"], arguments["output_shape"]
    found = next((m for m in (re.fullmatch(form, equation) for form in _EQUATIONS) if m), None)
    if found is None:
        raise RefusedModel("EinsumDense's equation must be like 'ab,bc->ac', '...b,bc->...c' or 'ab...,bc->ac...'.")
    source, kernel, target = found.group(2, 3, 4)
    elided, left = len(shape) - len(source), bool(found["left"])
    output = [shape[0], *((wanted,) if isinstance(wanted, int) else wanted)]
    if elided > 0:
        output = [*shape[:elided], *output[1:]] if left else [*output, *shape[len(shape) - elided :]]
    skipped = elided if left else 0
    sizes: dict[str, int | None] = dict(zip(source, shape[skipped:], strict=False))
    sizes |= dict(zip(target, output[skipped:], strict=False))
    if elided < 0 or not set(kernel) <= sizes.keys():
        raise RefusedModel("EinsumDense's equation does not fit its input.")
    weights: WeightShapes = [tuple(_known(sizes[letter], "EinsumDense") for letter in kernel)]
    axes = arguments.get("bias_axes")
    if axes:
        begin = min(target.find(letter) for letter in axes)
        if begin < 0:
            raise RefusedModel("EinsumDense's bias_axes must be letters of the output.")
        bias = [_known(sizes[letter], "EinsumDense") if letter in axes else 1 for letter in target[begin:]]
        weights.append((*bias, *([1] * (elided if not left else 0))))
    return weights, tuple(output)
