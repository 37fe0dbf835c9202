"""Functions of TensorFlow on symbolic tensors of Keras, recorded as the same functions of ``keras.ops``.

Runs inside the student's kernel. TensorFlow asks its dispatchers when a function does not accept its arguments; one
that is there only while a forward pass is recorded answers for symbolic tensors.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

from . import tensorflow_functions as _more


@contextlib.contextmanager
def recorded(source: Callable[[Any], Any]) -> Iterator[None]:
    """Record TensorFlow's functions inside the block, if TensorFlow is in use.

    Args:
        source: returns a symbolic tensor for a constant array.
    """
    with _opened_fills(source), _opened_reshape(), _dispatched():
        yield


@contextlib.contextmanager
def _opened_fills(source: Callable[[Any], Any]) -> Iterator[None]:
    """Record ``zeros`` and ``ones`` for as many rows as a symbolic tensor has, a number that is not known."""
    modules = [sys.modules[name] for name in ("tensorflow", "keras.ops", "keras.src.ops") if name in sys.modules]
    saved = [(module, name, vars(module)[name]) for module in modules for name in _FILLS if name in vars(module)]

    def filled(original: Any) -> Callable[..., Any]:
        def call(shape: Any, *args: Any, **kwargs: Any) -> Any:
            sizes = tuple(shape) if isinstance(shape, (list, tuple)) else ()
            if not sizes or sizes[0] is not None:
                return original(shape, *args, **kwargs)
            row = original((1, *sizes[1:]), *args, **kwargs)
            return sys.modules["keras"].ops.broadcast_to(source(row), sizes)

        return call

    try:
        for module, name, original in saved:
            setattr(module, name, filled(original))
        yield
    finally:
        for module, name, original in saved:
            setattr(module, name, original)


_FILLS = ("zeros", "ones")


@contextlib.contextmanager
def _opened_reshape() -> Iterator[None]:
    """Compute the size that ``reshape(x, (rows, -1))`` leaves open: Keras does not, for an unknown number of rows."""
    modules = [sys.modules[name] for name in ("keras.ops", "keras.src.ops") if name in sys.modules]
    saved = [(module, vars(module)["reshape"]) for module in modules if "reshape" in vars(module)]

    def opened(original: Any) -> Callable[..., Any]:
        def call(x: Any, newshape: Any) -> Any:
            sizes = tuple(newshape) if isinstance(newshape, (list, tuple)) else ()
            row_shape = tuple(getattr(x, "shape", (0,)))[1:]
            if sizes and sizes[0] is None and -1 in sizes[1:] and None not in (*row_shape, *sizes[1:]):
                open_size = -math.prod(row_shape) // math.prod(sizes[1:])
                newshape = (-1, *(open_size if size == -1 else size for size in sizes[1:]))
            return original(x, newshape)

        return call

    try:
        for module, original in saved:
            vars(module)["reshape"] = opened(original)
        yield
    finally:
        for module, original in saved:
            vars(module)["reshape"] = original


@contextlib.contextmanager
def _dispatched() -> Iterator[None]:
    module: Any = sys.modules.get("tensorflow.python.util.dispatch")
    held = getattr(module, "_GLOBAL_DISPATCHERS", None)
    if not isinstance(held, list):
        yield
        return
    dispatcher = _Dispatcher(module.OpDispatcher.NOT_SUPPORTED)
    held.append(dispatcher)
    try:
        with _opened_functions(), _opened_modules():
            yield
    finally:
        held.remove(dispatcher)


@contextlib.contextmanager
def _opened_functions() -> Iterator[None]:
    """Run the Python function of a ``tf.function`` that is called with symbolic tensors."""
    module: Any = sys.modules.get("tensorflow.python.eager.polymorphic_function.polymorphic_function")
    kind = getattr(module, "Function", None)
    if kind is None:
        yield
        return
    original = kind.__call__

    def call(function: Any, *args: Any, **kwargs: Any) -> Any:
        return (function.python_function if _is_symbolic(args, kwargs) else original.__get__(function))(*args, **kwargs)

    kind.__call__ = call
    try:
        yield
    finally:
        kind.__call__ = original


@contextlib.contextmanager
def _opened_modules() -> Iterator[None]:
    """Record functions that TensorFlow asks nobody about, or that look into their tensors."""
    backend = ("keras._tf_keras.keras.backend", "keras.src.legacy.backend", "keras.backend")
    tables: list[tuple[Any, Any]] = [(sys.modules[name], _BACKEND) for name in backend if name in sys.modules]
    tables.append((getattr(sys.modules["tensorflow"], "raw_ops", None), _more.RAW))
    places = [(module, name, table[name]) for module, table in tables for name in table if hasattr(module, name)]
    saved = [(module, name, getattr(module, name)) for module, name, _ in places]

    def recorded_as(original: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if _is_symbolic(args, kwargs):
                return function(sys.modules["keras"].ops, *args, **kwargs)
            return original(*args, **kwargs)

        return call

    try:
        for module, name, function in places:
            setattr(module, name, recorded_as(getattr(module, name), function))
        yield
    finally:
        for module, name, original in saved:
            setattr(module, name, original)


def _is_symbolic(args: Any, kwargs: Any) -> bool:
    keras = sys.modules["keras"]
    return any(isinstance(item, keras.KerasTensor) for item in keras.tree.flatten([args, kwargs]))


class _Dispatcher:
    """What TensorFlow asks about functions that do not accept their arguments."""

    def __init__(self, not_supported: Any) -> None:
        self.not_supported = not_supported
        tensorflow: Any = sys.modules["tensorflow"]
        self.functions: dict[int, Callable[..., Any]] = {}
        for names, function in _FUNCTIONS.items():
            for name in names.split():
                function_found: Any = tensorflow
                for part in name.split("."):
                    function_found = getattr(function_found, part, None)
                if function_found is not None:
                    self.functions[id(_innermost(function_found))] = function

    def handle(self, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        keras = sys.modules["keras"]
        same = self.functions.get(id(_innermost(function)))
        if same is None or not _is_symbolic(args, kwargs):
            return self.not_supported
        kwargs = {name: value for name, value in kwargs.items() if name != "name"}
        return same(keras.ops, *args, **kwargs)


def _innermost(function: Any) -> Any:
    """Return the function inside TensorFlow's wrappers, which differ from name to name."""
    for _ in range(20):
        function = getattr(function, "__wrapped__", function)
    return function


def _reduction(name: str) -> Callable[..., Any]:
    def reduce(ops: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return getattr(ops, name)(input_tensor, axis=axis, keepdims=bool(keepdims))

    return reduce


def _matmul(ops: Any, a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, **options: Any) -> Any:
    if any(options.values()):
        raise ValueError("a KerasTensor is multiplied in a way that keras.ops does not know")
    return ops.matmul(
        ops.swapaxes(a, -1, -2) if transpose_a else a,
        ops.swapaxes(b, -1, -2) if transpose_b else b,
    )


def _arg(name: str) -> Callable[..., Any]:
    return lambda ops, input, axis=0, output_type="int64": ops.cast(
        getattr(ops, name)(input, axis=axis), _more.dtype_name(output_type)
    )


def _one_hot(ops: Any, indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: Any = None,
             dtype: Any = None) -> Any:  # fmt: skip
    if on_value is not None or off_value is not None:
        raise ValueError("a KerasTensor is encoded in a way that keras.ops does not know")
    return ops.one_hot(indices, depth, axis=-1 if axis is None else axis, dtype=_more.dtype_name(dtype or "float32"))


def _gather(ops: Any, params: Any, indices: Any, validate_indices: Any = None, axis: Any = None,
            batch_dims: int = 0) -> Any:  # fmt: skip
    if batch_dims:
        raise ValueError("a KerasTensor is gathered in a way that keras.ops does not know")
    return ops.take(params, indices, axis=0 if axis is None else axis)


def _normalized(ops: Any, x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(squares, epsilon)))


def _split(ops: Any, value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None) -> Any:
    """Split by sizes; Keras takes the places between the pieces."""
    if isinstance(num_or_size_splits, int):
        return ops.split(value, num_or_size_splits, axis=axis)
    places = [sum(num_or_size_splits[:count]) for count in range(1, len(num_or_size_splits))]
    return ops.split(value, places, axis=axis)


def _broadcast_to(ops: Any, input: Any, shape: Any) -> Any:
    sizes = tuple(shape)
    if sizes[0] is None and len(input.shape) == len(sizes) and input.shape[0] is None:
        import numpy as np

        return ops.multiply(input, np.ones(sizes[1:], input.dtype))  # its rows are there already
    return ops.broadcast_to(input, sizes)


_SAME_NAMES = """
abs add subtract multiply divide exp square sqrt tanh sigmoid sin cos tan minimum maximum floor round sign equal
not_equal less less_equal greater greater_equal logical_and logical_or logical_not
"""
_IN_MATH = "log log1p expm1 rsqrt reciprocal erf ceil softplus softsign"
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"{name} math.{name}": _more.same(name) for name in _SAME_NAMES.split()},
    **{f"math.{name}": _more.same(name) for name in _IN_MATH.split()},
    "pow math.pow": _more.same("power"),
    "negative math.negative": _more.same("negative"),
    "math.divide_no_nan": _more.same("divide_no_nan"),
    "math.squared_difference": lambda ops, x, y: ops.square(ops.subtract(x, y)),
    "stop_gradient": lambda ops, input: ops.stop_gradient(input),
    "identity": lambda ops, input: input,
    "nn.relu": lambda ops, features: ops.relu(features),
    "nn.relu6": lambda ops, features: ops.relu6(features),
    "nn.elu": lambda ops, features: ops.elu(features),
    "nn.selu": lambda ops, features: ops.selu(features),
    "nn.gelu": lambda ops, features, approximate=False: ops.gelu(features, approximate=approximate),
    "nn.silu nn.swish": lambda ops, features, beta=1.0: ops.multiply(
        features, ops.sigmoid(ops.multiply(beta, features))
    ),
    "nn.leaky_relu": lambda ops, features, alpha=0.2: ops.leaky_relu(features, negative_slope=alpha),
    "nn.tanh": lambda ops, x: ops.tanh(x),
    "nn.sigmoid": lambda ops, x: ops.sigmoid(x),
    "nn.softplus": lambda ops, features: ops.softplus(features),
    "nn.softsign": lambda ops, features: ops.softsign(features),
    "nn.softmax": lambda ops, logits, axis=None: ops.softmax(logits, axis=-1 if axis is None else axis),
    "nn.log_softmax": lambda ops, logits, axis=None: ops.log_softmax(logits, axis=-1 if axis is None else axis),
    "nn.bias_add": lambda ops, value, bias, data_format=None: ops.add(value, bias),
    "nn.l2_normalize math.l2_normalize": _normalized,
    "nn.embedding_lookup": lambda ops, params, ids, max_norm=None: ops.take(params, ids, axis=0),
    "matmul linalg.matmul": _matmul,
    "tensordot": lambda ops, a, b, axes: ops.tensordot(a, b, axes=axes),
    "einsum": lambda ops, equation, *inputs, **_: ops.einsum(equation, *inputs),
    "reduce_sum math.reduce_sum": _reduction("sum"),
    "reduce_mean math.reduce_mean": _reduction("mean"),
    "reduce_max math.reduce_max": _reduction("max"),
    "reduce_min math.reduce_min": _reduction("min"),
    "reduce_prod math.reduce_prod": _reduction("prod"),
    "reduce_any math.reduce_any": _reduction("any"),
    "reduce_all math.reduce_all": _reduction("all"),
    "reduce_logsumexp math.reduce_logsumexp": _reduction("logsumexp"),
    "math.reduce_variance": _reduction("var"),
    "math.reduce_std": _reduction("std"),
    "norm linalg.norm": lambda ops, tensor, ord="euclidean", axis=None, keepdims=None: ops.norm(
        tensor, ord=None if ord == "euclidean" else ord, axis=axis, keepdims=bool(keepdims)
    ),
    "argmax math.argmax": _arg("argmax"),
    "argmin math.argmin": _arg("argmin"),
    "cumsum math.cumsum": lambda ops, x, axis=0: ops.cumsum(x, axis=axis),
    "reshape": lambda ops, tensor, shape: ops.reshape(tensor, tuple(shape)),
    "transpose": lambda ops, a, perm=None: ops.transpose(a, axes=perm),
    "expand_dims": lambda ops, input, axis: ops.expand_dims(input, axis=axis),
    "squeeze": lambda ops, input, axis=None: ops.squeeze(input, axis=axis),
    "concat": lambda ops, values, axis: ops.concatenate(list(values), axis=axis),
    "stack": lambda ops, values, axis=0: ops.stack(list(values), axis=axis),
    "unstack": lambda ops, value, num=None, axis=0: ops.unstack(value, num=num, axis=axis),
    "split": _split,
    "broadcast_to": _broadcast_to,
    "tile": lambda ops, input, multiples: ops.tile(input, tuple(multiples)),
    "repeat": lambda ops, input, repeats, axis=None: ops.repeat(input, repeats, axis=axis),
    "gather": _gather,
    "one_hot": _one_hot,
    "cast": lambda ops, x, dtype: ops.cast(x, _more.dtype_name(dtype)),
    "clip_by_value": lambda ops, t, clip_value_min, clip_value_max: ops.clip(t, clip_value_min, clip_value_max),
    "where": lambda ops, condition, x, y: ops.where(condition, x, y),
    "zeros_like": lambda ops, input, dtype=None: ops.zeros_like(input, dtype=dtype and _more.dtype_name(dtype)),
    "ones_like": lambda ops, input, dtype=None: ops.ones_like(input, dtype=dtype and _more.dtype_name(dtype)),
    "shape": lambda ops, input, out_type=None: ops.shape(input),
    "add_n math.add_n": lambda ops, inputs: sum(inputs[1:], inputs[0]),
    "convert_to_tensor": lambda ops, value, *_, **__: value,
    **_more.FUNCTIONS,
}
"""Names in TensorFlow → the same with ``keras.ops``, given as the first argument."""

_BACKEND: dict[str, Callable[..., Any]] = {
    "mean": _more.of_axis("mean"),
    "var": _more.of_axis("var"),
    "std": _more.of_axis("std"),
    "dot": lambda ops, x, y: ops.dot(x, y),
    "concatenate": lambda ops, tensors, axis=-1: ops.concatenate(list(tensors), axis=axis),
    "softmax": lambda ops, x, axis=-1: ops.softmax(x, axis=axis),
    "batch_flatten": lambda ops, x: ops.reshape(x, (-1, math.prod(x.shape[1:]))),
    "repeat_elements": lambda ops, x, rep, axis: ops.repeat(x, rep, axis=axis),
}
"""Names in ``keras.backend`` → the same with ``keras.ops``, given as the first argument."""
