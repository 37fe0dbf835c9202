"""Functions of TensorFlow on symbolic tensors of Keras, recorded as the same functions of ``keras.ops``.

Runs inside the student's kernel. TensorFlow asks its dispatchers when a function does not accept its arguments; one
that is there only while a forward pass is recorded answers for symbolic tensors.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def recorded() -> Iterator[None]:
    """Record TensorFlow's functions inside the block, if TensorFlow is in use."""
    module: Any = sys.modules.get("tensorflow.python.util.dispatch")
    held = getattr(module, "_GLOBAL_DISPATCHERS", None)
    if not isinstance(held, list):
        yield
        return
    dispatcher = _Dispatcher(module.OpDispatcher.NOT_SUPPORTED)
    held.append(dispatcher)
    try:
        yield
    finally:
        held.remove(dispatcher)


class _Dispatcher:
    """What TensorFlow asks about functions that do not accept their arguments."""

    def __init__(self, not_supported: Any) -> None:
        self.not_supported = not_supported
        tensorflow: Any = sys.modules["tensorflow"]
        self.functions: dict[int, Callable[..., Any]] = {}
        for names, function in _FUNCTIONS.items():
            for name in names.split():
                found: Any = tensorflow
                for part in name.split("."):
                    found = getattr(found, part, None)
                if found is not None:
                    self.functions[id(_innermost(found))] = function

    def handle(self, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        keras = sys.modules["keras"]
        same = self.functions.get(id(_innermost(function)))
        flat = keras.tree.flatten([args, kwargs])
        if same is None or not any(isinstance(item, keras.KerasTensor) for item in flat):
            return self.not_supported
        kwargs = {name: value for name, value in kwargs.items() if name != "name"}
        return same(keras.ops, *args, **kwargs)


def _innermost(function: Any) -> Any:
    """Return the function inside TensorFlow's wrappers, which differ from name to name."""
    for _ in range(20):
        function = getattr(function, "__wrapped__", function)
    return function


def _same(name: str) -> Callable[..., Any]:
    return lambda ops, *tensors, **named: getattr(ops, name)(*tensors, *named.values())


def _reduction(name: str) -> Callable[..., Any]:
    def reduce(ops: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return getattr(ops, name)(input_tensor, axis=axis, keepdims=bool(keepdims))

    return reduce


def _matmul(ops: Any, a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, **others: Any) -> Any:
    if any(others.values()):
        raise ValueError("a KerasTensor is multiplied in a way that keras.ops does not know")
    return ops.matmul(
        ops.swapaxes(a, -1, -2) if transpose_a else a,
        ops.swapaxes(b, -1, -2) if transpose_b else b,
    )


def _dtype(value: Any) -> str:
    return str(getattr(value, "name", value))


def _arg(name: str) -> Callable[..., Any]:
    return lambda ops, input, axis=0, output_type="int64": ops.cast(
        getattr(ops, name)(input, axis=axis), _dtype(output_type)
    )


def _one_hot(ops: Any, indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: Any = None,
             dtype: Any = None) -> Any:  # fmt: skip
    if on_value is not None or off_value is not None:
        raise ValueError("a KerasTensor is encoded in a way that keras.ops does not know")
    return ops.one_hot(indices, depth, axis=-1 if axis is None else axis, dtype=_dtype(dtype or "float32"))


def _gather(ops: Any, params: Any, indices: Any, validate_indices: Any = None, axis: Any = None,
            batch_dims: int = 0) -> Any:  # fmt: skip
    if batch_dims:
        raise ValueError("a KerasTensor is gathered in a way that keras.ops does not know")
    return ops.take(params, indices, axis=0 if axis is None else axis)


def _normalized(ops: Any, x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(squares, epsilon)))


_SAME_NAMES = """
abs add subtract multiply divide exp square sqrt tanh sigmoid sin cos tan minimum maximum floor round sign equal
not_equal less less_equal greater greater_equal logical_and logical_or logical_not
"""
_IN_MATH = "log log1p expm1 rsqrt reciprocal erf ceil softplus softsign"
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"{name} math.{name}": _same(name) for name in _SAME_NAMES.split()},
    **{f"math.{name}": _same(name) for name in _IN_MATH.split()},
    "pow math.pow": _same("power"),
    "negative math.negative": _same("negative"),
    "math.divide_no_nan": _same("divide_no_nan"),
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
    "split": lambda ops, value, num_or_size_splits, axis=0: ops.split(value, num_or_size_splits, axis=axis),
    "broadcast_to": lambda ops, input, shape: ops.broadcast_to(input, tuple(shape)),
    "tile": lambda ops, input, multiples: ops.tile(input, tuple(multiples)),
    "repeat": lambda ops, input, repeats, axis=None: ops.repeat(input, repeats, axis=axis),
    "gather": _gather,
    "one_hot": _one_hot,
    "cast": lambda ops, x, dtype: ops.cast(x, _dtype(dtype)),
    "clip_by_value": lambda ops, t, clip_value_min, clip_value_max: ops.clip(t, clip_value_min, clip_value_max),
    "where": lambda ops, condition, x, y: ops.where(condition, x, y),
    "zeros_like": lambda ops, input, dtype=None: ops.zeros_like(input, dtype=dtype and _dtype(dtype)),
    "ones_like": lambda ops, input, dtype=None: ops.ones_like(input, dtype=dtype and _dtype(dtype)),
    "shape": lambda ops, input, out_type=None: ops.shape(input),
    "add_n math.add_n": lambda ops, inputs: sum(inputs[1:], inputs[0]),
    "convert_to_tensor": lambda ops, value, *_, **__: value,
}
"""Names in TensorFlow → the same with ``keras.ops``, given as the first argument."""
