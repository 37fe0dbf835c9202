"""The allow-list of operations: functions of ``keras.ops`` and ``keras.activations`` on a model's tensors.

``x + y``, ``x[:, 0]`` and ``keras.ops.relu(x)`` in a functional model are nodes of their own, and so are the operations
with which Keras makes masks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder.extensions.keras.table_core import AXIS, FORMAT, Arguments, equation
from autograder.models.argument_values import (
    boolean,
    either,
    integer,
    number,
    one_of,
    only,
    optional,
    several,
    whole_or_real,
)

DTYPES = (
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "uint8",
    "uint16",
    "uint32",
    "int8",
    "int16",
    "int32",
    "int64",
    "bool",
)

MAX_PIECES = 256
"""Most tensors that one operation may output."""


@dataclass(frozen=True, slots=True)
class Operation:
    """The call of one operation: ``function(*operands, **arguments)``."""

    package: str
    """``ops`` or ``activations``."""
    function: str
    operands: tuple[int, int]
    """The smallest and the largest number of operands."""
    arguments: Arguments
    cost: str = "elementwise"
    """How memory and time grow: ``elementwise``; ``join`` if the output has all numbers of the inputs; ``repeat`` if it
    repeats them; ``contract`` for a product of matrices."""


_axis = optional(AXIS)
_one_axis = integer(-6, 6)
_dtype = optional(one_of(*DTYPES))
_real = whole_or_real()


def _bound(value: Any, label: str) -> float:
    """Accept a number, or an infinity for no bound."""
    return value if type(value) is float and math.isinf(value) else _real(value, label)


_axes: Arguments = {"axis": _axis, "keepdims": boolean}
_offset = integer(-4096, 4096)
_sizes = several(either(only(-1), integer(1)), 0, 6)
_pieces = either(integer(1, MAX_PIECES), several(integer(0), 1, MAX_PIECES - 1))
_widths = several(several(integer(0, 4096), 2, 2), 1, 6)
_repeats = integer(1, 4096)
_dense = only(False, kind_refused=True)
_plane: Arguments = {"offset": _offset, "axis1": _one_axis, "axis2": _one_axis}

_UNARY = """
abs absolute arccos arccosh arcsin arcsinh arctan arctanh bitwise_not cbrt ceil copy cos cosh deg2rad erf erfc erfinv
exp exp2 expm1 fabs fliplr flipud floor hard_sigmoid hard_silu hard_tanh isfinite isinf isnan isneginf isposinf log
log10 log1p log2 log_sigmoid logical_not negative rad2deg reciprocal relu relu6 rsqrt selu sigmoid sign signbit silu sin
sinc sinh softplus softsign sparse_plus sparse_sigmoid sqrt square stop_gradient tan tanh tanh_shrink trunc
"""
_BINARY = """
add arctan2 bitwise_and bitwise_or bitwise_xor divide divide_no_nan equal floor_divide fmax fmin fmod greater
greater_equal heaviside hypot less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor maximum minimum
mod multiply not_equal power subtract true_divide
"""
_REDUCTIONS = """
all amax amin any argmax argmin logsumexp mean median nanmax nanmean nanmin nanstd nansum nanvar std
sum var
"""

_WITH_ARGUMENTS: Mapping[str, Arguments] = {
    "count_nonzero": {"axis": _axis},
    "prod": {**_axes, "dtype": _dtype},
    "argsort": {"axis": _one_axis},
    "cast": {"dtype": one_of(*DTYPES)},
    "celu": {"alpha": number()},
    "clip": {"x_min": _bound, "x_max": _bound},
    "cumprod": {"axis": optional(_one_axis), "dtype": _dtype},
    "cumsum": {"axis": optional(_one_axis), "dtype": _dtype},
    "diagonal": _plane,
    "diff": {"n": integer(1, 5), "axis": _one_axis},
    "elu": {"alpha": number()},
    "expand_dims": {"axis": _axis},
    "flip": {"axis": _axis},
    "gelu": {"approximate": boolean},
    "glu": {"axis": _one_axis},
    "hard_shrink": {"threshold": number()},
    "leaky_relu": {"negative_slope": number()},
    "log_softmax": {"axis": AXIS},
    "max": {**_axes, "initial": optional(_real)},
    "min": {**_axes, "initial": optional(_real)},
    "moveaxis": {"source": AXIS, "destination": AXIS},
    "nan_to_num": {"nan": _real, "posinf": optional(_real), "neginf": optional(_real)},
    "norm": {"ord": optional(either(one_of("fro"), whole_or_real(-10, 10))), **_axes},
    "normalize": {"axis": AXIS, "order": whole_or_real(1, 10), "epsilon": optional(number(0, 1))},
    "ones_like": {"dtype": _dtype},
    "roll": {"shift": either(_offset, several(_offset, 1, 6)), "axis": _axis},
    "round": {"decimals": integer(-10, 10)},
    "saturate_cast": {"dtype": one_of(*DTYPES)},
    "soft_shrink": {"threshold": number()},
    "softmax": {"axis": AXIS},
    "sort": {"axis": _one_axis},
    "sparsemax": {"axis": _one_axis},
    "squareplus": {"b": number()},
    "squeeze": {"axis": _axis},
    "swapaxes": {"axis1": _one_axis, "axis2": _one_axis},
    "threshold": {"threshold": number(), "default_value": number()},
    "top_k": {"k": integer(1), "sorted": boolean},
    "trace": _plane,
    "transpose": {"axes": optional(several(integer(-6, 6), 1, 6))},
    "tril": {"k": _offset},
    "triu": {"k": _offset},
    "zeros_like": {"dtype": _dtype},
}


_pooling: Arguments = {
    "pool_size": either(integer(1, 4096), several(integer(1, 4096), 1, 3)),
    "strides": optional(either(integer(1, 4096), several(integer(1, 4096), 1, 3))),
    "padding": one_of("valid", "same"),
    "data_format": FORMAT,
}
_steps = either(integer(1, 4096), several(integer(1, 4096), 1, 3))
_convolution: Arguments = {
    "strides": _steps,
    "padding": one_of("valid", "same"),
    "data_format": FORMAT,
    "dilation_rate": _steps,
}
_take: Arguments = {"axis": optional(_one_axis)}

_OTHER_OPERATIONS: tuple[tuple[str, tuple[int, int], str, Arguments], ...] = (
    ("get_item", (2, 2), "elementwise", {}),
    ("where", (3, 3), "elementwise", {}),
    ("full_like", (2, 2), "elementwise", {"dtype": _dtype}),
    ("isclose", (2, 4), "elementwise", {"equal_nan": boolean}),
    ("average", (1, 2), "elementwise", {"axis": _axis}),
    ("cross", (2, 2), "elementwise", {"axisa": _one_axis, "axisb": _one_axis, "axisc": _one_axis, **_take}),
    ("split", (1, 1), "elementwise", {"indices_or_sections": _pieces, "axis": _one_axis}),
    ("unstack", (1, 1), "elementwise", {"num": optional(integer(1, MAX_PIECES)), "axis": _one_axis}),
    (
        "one_hot",
        (1, 1),
        "elementwise",
        {"num_classes": integer(1), "axis": _one_axis, "dtype": _dtype, "sparse": _dense},
    ),
    ("max_pool", (1, 1), "elementwise", _pooling),
    ("average_pool", (1, 1), "elementwise", _pooling),
    ("conv", (2, 2), "contract", _convolution),
    ("take", (2, 2), "elementwise", _take),
    ("take_along_axis", (2, 2), "elementwise", _take),
    ("hstack", (1, 1), "join", {}),
    ("vstack", (1, 1), "join", {}),
    ("dstack", (1, 1), "join", {}),
    ("concatenate", (1, 1), "join", {"axis": _one_axis}),
    ("stack", (1, 1), "join", {"axis": _one_axis}),
    ("append", (2, 2), "join", _take),
    ("reshape", (1, 1), "join", {"newshape": _sizes}),
    ("ravel", (1, 1), "join", {}),
    ("repeat", (1, 1), "repeat", {"repeats": _repeats, **_take}),
    ("tile", (1, 1), "repeat", {"repeats": either(_repeats, several(_repeats, 1, 6))}),
    ("pad", (1, 2), "repeat", {"pad_width": _widths, "mode": one_of("constant", "reflect", "symmetric", "edge")}),
    ("broadcast_to", (1, 1), "elementwise", {"shape": several(integer(1), 1, 6)}),
    ("matmul", (2, 2), "contract", {}),
    ("dot", (2, 2), "contract", {}),
    ("inner", (2, 2), "contract", {}),
    ("outer", (2, 2), "contract", {}),
    ("vdot", (2, 2), "contract", {}),
    ("tensordot", (2, 2), "contract", {"axes": either(integer(0, 6), several(AXIS, 2, 2))}),
    ("einsum", (1, 4), "contract", {"subscripts": equation}),
)
_RELU: Arguments = {"negative_slope": number(), "max_value": optional(number(0)), "threshold": number()}


def _class_name(function: str) -> str:
    """Return ``ExpandDims`` for ``expand_dims``, as Keras names its operations."""
    return "".join(part[0].upper() + part[1:] for part in function.split("_"))


def _operations() -> dict[str, Operation]:
    ones: dict[str, Arguments] = {
        **{function: {} for function in _UNARY.split()},
        **dict.fromkeys(_REDUCTIONS.split(), _axes),
        **_WITH_ARGUMENTS,
    }
    operations = [
        *(Operation("ops", function, (1, 1), arguments) for function, arguments in ones.items()),
        *(Operation("ops", function, (2, 2), {}) for function in _BINARY.split()),
        *(Operation("ops", function, count, arguments, cost) for function, count, cost, arguments in _OTHER_OPERATIONS),
    ]
    return {
        **{_class_name(operation.function): operation for operation in operations},
        "ReLU": Operation("activations", "relu", (1, 1), _RELU),
        "Mish": Operation("activations", "mish", (1, 1), {}),
    }


OPERATIONS: Mapping[str, Operation] = _operations()
"""Class → how to call it."""

MODULES = frozenset(
    {f"keras.src.ops.{part}" for part in ("numpy", "nn", "core", "math", "linalg")}
    | {f"keras.ops.{part}" for part in ("numpy", "nn", "core", "math", "linalg")}
    | {"keras.src.activations.activations"}
)
"""Modules that Keras names as those of its operations."""
