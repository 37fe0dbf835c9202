"""More functions of TensorFlow, written with ``keras.ops``, which is the first argument of each.

Runs inside the student's kernel; see :mod:`tensorflow_calls`. Arguments have TensorFlow's names and order.
"""

from __future__ import annotations

import collections
import math
import sys
from collections.abc import Callable
from typing import Any

_TopK = collections.namedtuple("_TopK", ["values", "indices"])


def of_axis(name: str) -> Callable[..., Any]:
    """Return the reduction ``keras.ops.<name>(x, axis, keepdims)``."""
    return lambda ops, x, axis=None, keepdims=False: getattr(ops, name)(x, axis=axis, keepdims=keepdims)


def _unknown(action: str) -> ValueError:
    return ValueError(f"a KerasTensor is {action} in a way that keras.ops does not know")


def _plain(value: Any) -> Any:
    """Return a list of whole numbers for a tensor or array of them."""
    return value.numpy().tolist() if hasattr(value, "numpy") else value


def _pad(ops: Any, tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    widths = [list(pair) for pair in _plain(paddings)]
    values = {"constant_values": constant_values} if mode == "CONSTANT" and constant_values else {}
    return ops.pad(tensor, widths, mode=mode.lower(), **values)


def _slice(ops: Any, input_: Any, begin: Any, size: Any) -> Any:
    pairs = zip(_plain(begin), _plain(size))  # noqa: B905 - not in Python 3.9
    return input_[tuple(slice(first, None if count in (-1, None) else first + count) for first, count in pairs)]


def _sort(ops: Any, values: Any, axis: int = -1, direction: str = "ASCENDING") -> Any:
    if direction == "ASCENDING":
        return ops.sort(values, axis=axis)
    return ops.negative(ops.sort(ops.negative(values), axis=axis))


def _argsort(ops: Any, values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False) -> Any:
    return ops.argsort(values if direction == "ASCENDING" else ops.negative(values), axis=axis)


def _top_k(ops: Any, input: Any, k: int = 1, sorted: bool = True, index_type: Any = None) -> Any:
    return _TopK(*ops.top_k(input, k, sorted=sorted))


def _euclidean(ops: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.sqrt(ops.sum(ops.square(x), axis=axis, keepdims=keepdims))


def _normalize(ops: Any, tensor: Any, ord: Any = "euclidean", axis: Any = None) -> Any:
    if ord not in ("euclidean", 2):
        raise _unknown("normalized")
    length = _euclidean(ops, tensor, axis, True)
    return ops.divide(tensor, length), length


def _band_part(ops: Any, input: Any, num_lower: int, num_upper: int) -> Any:
    lower = ops.triu(input, -num_lower) if num_lower >= 0 else input
    return ops.tril(lower, num_upper) if num_upper >= 0 else lower


def _matvec(ops: Any, a: Any, b: Any, transpose_a: bool = False) -> Any:
    turned = ops.swapaxes(a, -1, -2) if transpose_a else a
    return ops.squeeze(ops.matmul(turned, ops.expand_dims(b, -1)), -1)


def _moments(ops: Any, x: Any, axes: Any, shift: Any = None, keepdims: bool = False) -> Any:
    return ops.mean(x, axis=axes, keepdims=keepdims), ops.var(x, axis=axes, keepdims=keepdims)


def _batch_normalization(ops: Any, x: Any, mean: Any, variance: Any, offset: Any, scale: Any,
                         variance_epsilon: float) -> Any:  # fmt: skip
    factor = ops.rsqrt(ops.add(variance, variance_epsilon))
    scaled = ops.multiply(ops.subtract(x, mean), factor if scale is None else ops.multiply(factor, scale))
    return scaled if offset is None else ops.add(scaled, offset)


def _dropout(ops: Any, x: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
    if rate != 0:
        raise _unknown("dropped")
    return x


def _sides(value: Any, rank: int) -> Any:
    """Return the sizes along the picture of TensorFlow's sizes, which may cover rows and channels."""
    sizes = [value] if isinstance(value, int) else list(value)
    if len(sizes) == 1:
        return sizes[0]
    return tuple(sizes[1:-1] if len(sizes) == rank else sizes)


def _pooling(name: str) -> Callable[..., Any]:
    def pool(ops: Any, input: Any, ksize: Any, strides: Any, padding: str, data_format: Any = None) -> Any:
        if data_format not in (None, "NHWC", "NWC"):
            raise _unknown("pooled")
        rank = len(input.shape)
        return getattr(ops, name)(input, _sides(ksize, rank), _sides(strides, rank), padding=padding.lower())

    return pool


def _conv(ops: Any, input: Any, filters: Any, strides: Any = 1, padding: str = "VALID", data_format: Any = None,
          dilations: Any = None) -> Any:  # fmt: skip
    if data_format not in (None, "NHWC", "NWC") or not isinstance(padding, str):
        raise _unknown("convolved")
    rank = len(input.shape)
    dilation = 1 if dilations is None else _sides(dilations, rank)
    return ops.conv(input, filters, _sides(strides, rank), padding=padding.lower(), dilation_rate=dilation)


def _space_to_depth(ops: Any, input: Any, block_size: int) -> Any:
    _, high, wide, channels = input.shape
    small = (high // block_size, wide // block_size)
    parts = ops.reshape(input, (-1, small[0], block_size, small[1], block_size, channels))
    return ops.reshape(ops.transpose(parts, (0, 1, 3, 2, 4, 5)), (-1, *small, block_size * block_size * channels))


def _depth_to_space(ops: Any, input: Any, block_size: int) -> Any:
    _, high, wide, channels = input.shape
    depth = channels // block_size**2
    parts = ops.reshape(input, (-1, high, wide, block_size, block_size, depth))
    return ops.reshape(ops.transpose(parts, (0, 1, 3, 2, 4, 5)), (-1, high * block_size, wide * block_size, depth))


def _resize(ops: Any, images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False,
            antialias: bool = False) -> Any:  # fmt: skip
    name = str(getattr(method, "value", method))
    if preserve_aspect_ratio or antialias or name not in ("bilinear", "nearest", "bicubic"):
        raise _unknown("resized")
    high, wide = _plain(size)
    return sys.modules["keras"].layers.Resizing(high, wide, interpolation=name, dtype=images.dtype)(images)


def _standardized(ops: Any, image: Any) -> Any:
    axes = (-3, -2, -1)
    mean, spread = ops.mean(image, axis=axes, keepdims=True), ops.std(image, axis=axes, keepdims=True)
    return ops.divide(ops.subtract(image, mean), ops.maximum(spread, math.prod(image.shape[-3:]) ** -0.5))


def _contrast(ops: Any, images: Any, contrast_factor: float) -> Any:
    mean = ops.mean(images, axis=(-3, -2), keepdims=True)
    return ops.add(ops.multiply(ops.subtract(images, mean), contrast_factor), mean)


def _grayscale(ops: Any, images: Any) -> Any:
    import numpy as np

    weights = np.array([0.2989, 0.587, 0.114], images.dtype)
    return ops.sum(ops.multiply(images, weights), axis=-1, keepdims=True)


def _as_floats(ops: Any, image: Any, dtype: Any, saturate: bool = False) -> Any:
    if "float" not in str(image.dtype) or "float" not in dtype_name(dtype):
        raise _unknown("converted")
    return ops.cast(image, dtype_name(dtype))


def dtype_name(dtype: Any) -> str:
    """Return the name of a dtype of TensorFlow's, or of one that is a name already."""
    return str(getattr(dtype, "name", dtype))


def same(name: str) -> Callable[..., Any]:
    """Make the operation of ``keras.ops`` that takes a TensorFlow function's arguments in their order."""
    return lambda ops, *tensors, **named: getattr(ops, name)(*tensors, *named.values())


_OTHER_NAMES = {
    "truediv math.truediv": "true_divide",
    "math.floordiv": "floor_divide",
    "math.floormod math.mod": "mod",
    "math.is_nan": "isnan",
    "math.is_inf": "isinf",
    "math.is_finite": "isfinite",
    "math.log_sigmoid": "log_sigmoid",
    "math.logical_xor": "logical_xor",
    "math.atan atan": "arctan",
    "math.atan2 atan2": "arctan2",
    "math.asin asin": "arcsin",
    "math.acos acos": "arccos",
    "math.sinh sinh": "sinh",
    "math.cosh cosh": "cosh",
    "math.asinh asinh": "arcsinh",
    "math.acosh acosh": "arccosh",
    "math.atanh atanh": "arctanh",
    "scalar_mul math.scalar_mul": "multiply",
}


def _raw_matmul(ops: Any, a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, **options: Any) -> Any:
    turned = [ops.swapaxes(x, -1, -2) if turn else x for x, turn in ((a, transpose_a), (b, transpose_b))]
    return ops.matmul(*turned)


def _raw_reduction(name: str) -> Callable[..., Any]:
    return lambda ops, input, axis, keep_dims=False: getattr(ops, name)(input, axis=_plain(axis), keepdims=keep_dims)


def _pool(ops: Any, input: Any, window_shape: Any, pooling_type: str, strides: Any = None, padding: str = "VALID",
          data_format: Any = None, dilations: Any = None) -> Any:  # fmt: skip
    if dilations is not None:
        raise _unknown("pooled")
    name = {"AVG": "average_pool", "MAX": "max_pool"}[pooling_type]
    return _pooling(name)(ops, input, window_shape, 1 if strides is None else strides, padding, data_format)


_RAW_UNARY = (
    "relu relu6 elu selu softplus softsign tanh sigmoid exp log log1p expm1 sqrt rsqrt square abs sign floor ceil"
)

RAW: dict[str, Callable[..., Any]] = {
    **{name.capitalize(): same(name) for name in _RAW_UNARY.split()},
    **{
        name: same(function)
        for name, function in (
            ("Add", "add"),
            ("AddV2", "add"),
            ("Sub", "subtract"),
            ("Mul", "multiply"),
            ("RealDiv", "divide"),
            ("Pow", "power"),
            ("Maximum", "maximum"),
            ("Minimum", "minimum"),
            ("Greater", "greater"),
            ("Less", "less"),
            ("Neg", "negative"),
            ("BiasAdd", "add"),
            ("LogSoftmax", "log_softmax"),
            ("Softmax", "softmax"),
        )
    },
    "MatMul": _raw_matmul,
    "BatchMatMulV2": lambda ops, x, y, adj_x=False, adj_y=False: _raw_matmul(ops, x, y, adj_x, adj_y),
    "ConcatV2": lambda ops, values, axis: ops.concatenate(list(values), axis=int(_plain(axis))),
    "Reshape": lambda ops, tensor, shape: ops.reshape(tensor, tuple(_plain(shape))),
    "Transpose": lambda ops, x, perm: ops.transpose(x, axes=_plain(perm)),
    "Einsum": lambda ops, inputs, equation: ops.einsum(equation, *inputs),
    "Mean": _raw_reduction("mean"),
    "Sum": _raw_reduction("sum"),
    "Max": _raw_reduction("max"),
    "Min": _raw_reduction("min"),
    "Prod": _raw_reduction("prod"),
}
"""Names in ``tf.raw_ops`` → the same with ``keras.ops``, given as the first argument; all arguments have names."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{names: same(name) for names, name in _OTHER_NAMES.items()},
    "math.multiply_no_nan": lambda ops, x, y: ops.where(ops.equal(y, 0), ops.zeros_like(x), ops.multiply(x, y)),
    "math.accumulate_n": lambda ops, inputs, *_: sum(inputs[1:], inputs[0]),
    "math.count_nonzero": lambda ops, input, axis=None, keepdims=None, dtype="int64": ops.sum(
        ops.cast(ops.not_equal(input, 0), dtype_name(dtype)), axis=axis, keepdims=bool(keepdims)
    ),
    "math.cumprod": lambda ops, x, axis=0: ops.cumprod(x, axis=axis),
    "math.reduce_euclidean_norm": _euclidean,
    "math.top_k nn.top_k": _top_k,
    "linalg.matvec": _matvec,
    "linalg.normalize": _normalize,
    "linalg.diag_part": lambda ops, input: ops.diagonal(input, axis1=-2, axis2=-1),
    "linalg.trace": lambda ops, x: ops.trace(x, axis1=-2, axis2=-1),
    "linalg.band_part": _band_part,
    "linalg.matrix_transpose": lambda ops, a, conjugate=False: ops.swapaxes(a, -1, -2),
    "pad": _pad,
    "reverse": lambda ops, tensor, axis: ops.flip(tensor, axis=tuple(_plain(axis))),
    "roll": lambda ops, input, shift, axis: ops.roll(input, shift, axis=axis),
    "sort": _sort,
    "argsort": _argsort,
    "slice": _slice,
    "ensure_shape": lambda ops, x, shape: x,
    "debugging.check_numerics": lambda ops, tensor, message: tensor,
    "debugging.assert_all_finite": lambda ops, x, message: x,
    "nn.pool": _pool,
    "nn.crelu": lambda ops, features, axis=-1: ops.concatenate(
        [ops.relu(features), ops.relu(ops.negative(features))], axis=axis
    ),
    "nn.dropout": _dropout,
    "nn.moments": _moments,
    "nn.batch_normalization": _batch_normalization,
    "nn.max_pool nn.max_pool1d nn.max_pool2d nn.max_pool3d": _pooling("max_pool"),
    "nn.avg_pool nn.avg_pool1d nn.avg_pool2d nn.avg_pool3d": _pooling("average_pool"),
    "nn.conv1d nn.conv2d nn.conv3d nn.convolution": _conv,
    "nn.space_to_depth": _space_to_depth,
    "nn.depth_to_space": _depth_to_space,
    "image.resize": _resize,
    "image.rgb_to_grayscale": _grayscale,
    "image.flip_left_right": lambda ops, image: ops.flip(image, axis=-2),
    "image.flip_up_down": lambda ops, image: ops.flip(image, axis=-3),
    "image.per_image_standardization": _standardized,
    "image.adjust_contrast": _contrast,
    "image.convert_image_dtype": _as_floats,
}
"""Names in TensorFlow → the same with ``keras.ops``, given as the first argument."""
