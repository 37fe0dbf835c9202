"""Canonical names of activations, whether written as text, a function, a layer class, a layer or an operation."""

from __future__ import annotations

import re
import sys
from typing import Any

from autograder.errors import CourseError

KINDS = ("Activation", "Softmax", "ReLU", "LeakyReLU", "ELU")
"""Classes of layers that are nothing but an activation function."""

OWN_FUNCTION = "a function of your own"

_NAMES = """
relu relu6 sigmoid softmax log_softmax tanh gelu silu selu softplus softsign exponential hard_sigmoid hard_silu
hard_tanh mish log_sigmoid tanh_shrink sparse_plus sparse_sigmoid sparsemax squareplus linear
"""
_PLAIN = frozenset(_NAMES.split())
"""Activations without arguments, or whose arguments have their usual values."""
_WITH_ARGUMENT = {
    "leaky_relu": ("negative_slope", 0.2),
    "elu": ("alpha", 1.0),
    "celu": ("alpha", 1.0),
    "hard_shrink": ("threshold", 0.5),
    "soft_shrink": ("threshold", 0.5),
}
"""Activation → its argument and the argument's default in ``keras.activations``."""
_OTHER_NAMES = {"swish": "silu", "hard_swish": "hard_silu", "exp": "exponential"}


def activation_name(value: Any) -> str:
    """Return the canonical name: ``relu``, ``linear`` for None, ``leaky_relu(0.3)`` for such a layer.

    A function of ``keras.ops`` or ``tf.nn`` has the name of the same function in ``keras.activations``.
    """
    import keras

    if value is None:
        return "linear"
    if isinstance(value, keras.layers.Layer):
        return layer_activation(value) or type(value).__name__
    name = getattr(value, "__name__", None)
    if not isinstance(name, str):
        return OWN_FUNCTION
    if getattr(keras.activations, name, None) is value:
        return name
    name = name.removesuffix("_v2")
    canonical = _OTHER_NAMES.get(name, name)
    homes = (keras.ops, getattr(sys.modules.get("tensorflow"), "nn", None))
    if canonical in _PLAIN | _WITH_ARGUMENT.keys() and any(getattr(home, name, None) is value for home in homes):
        return canonical
    return OWN_FUNCTION


def layer_activation(layer: Any) -> str | None:
    """Return the activation that a layer stands for.

    None if the layer is of another kind, or has arguments that no canonical name covers.
    """
    kind = type(layer).__name__
    if kind == "Activation":
        return activation_name(layer.activation)
    if kind == "Softmax":
        return "softmax" if _is_last(layer.axis, layer) else None
    if kind == "LeakyReLU":
        return with_argument("leaky_relu", float(layer.negative_slope), 0.2)
    if kind == "ELU":
        return with_argument("elu", float(layer.alpha), 1.0)
    return _relu(layer.negative_slope, layer.max_value, layer.threshold) if kind == "ReLU" else None


def operation_activation(operation: Any) -> str | None:
    """Return the activation that an operation is; None for any other operation, or one with unusual arguments."""
    kind = type(operation).__name__
    name = "relu" if kind == "ReLU" else snake(kind)
    name = _OTHER_NAMES.get(name, name)
    if name not in _PLAIN | _WITH_ARGUMENT.keys():
        return None
    config = operation.get_config()
    if kind == "ReLU":  # keras.activations.relu has the same arguments as the layer
        return _relu(config.get("negative_slope"), config.get("max_value"), config.get("threshold"))
    if name in _WITH_ARGUMENT:
        argument, default = _WITH_ARGUMENT[name]
        return with_argument(name, float(config.get(argument, default)), default)
    if name == "squareplus" and config.get("b", 4) != 4:
        return None
    return name if _is_last(config.get("axis", -1), operation) else None


def _relu(negative_slope: Any, max_value: Any, threshold: Any) -> str | None:
    """Return the name of a rectifier with these arguments; None if there is none."""
    if threshold:
        return None
    if negative_slope:
        return with_argument("leaky_relu", float(negative_slope), 0.2) if max_value is None else None
    return {None: "relu", 6.0: "relu6"}.get(max_value)


def _is_last(axis: Any, operation: Any) -> bool:
    """Return whether an operation works along the last axis of its input, which may be written as a positive number."""
    if isinstance(axis, list | tuple) and len(axis) == 1:
        axis = axis[0]
    if axis == -1:
        return True
    try:
        return bool(axis == len(operation.input.shape) - 1)
    except (AttributeError, ValueError, TypeError):
        return False


def snake(name: str) -> str:
    """Return ``true_divide`` for ``TrueDivide``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def with_argument(name: str, value: float, default: float) -> str:
    """Return ``elu`` for the function's default argument and ``elu(0.5)`` for any other."""
    return name if abs(value - default) < 1e-7 else f"{name}({value:g})"


def expected_activation(value: Any) -> str:
    """Return the canonical name of an activation that a test's author wrote.

    Raises:
        CourseError: Keras has no such activation.
    """
    import keras

    if isinstance(value, type) and issubclass(value, keras.layers.Layer):
        value = value()
    if isinstance(value, str):
        if value.startswith(tuple(f"{name}(" for name in _WITH_ARGUMENT)):
            return value
        try:
            value = keras.activations.get(value)
        except ValueError:
            raise CourseError(f"check: Keras has no activation {value!r}; see keras.activations.") from None
    return activation_name(value)


def same_activation(expected: str, actual: str) -> bool:
    """Return whether both names mean one activation; an expected ``leaky_relu*`` accepts any slope."""
    return actual.startswith(expected[:-1]) if expected.endswith("*") else actual == expected
