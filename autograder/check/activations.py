"""Canonical names of activations, whether written as text, a function, a layer class or a layer."""

from __future__ import annotations

from typing import Any

from autograder.errors import CourseError

KINDS = ("Activation", "Softmax", "ReLU", "LeakyReLU", "ELU")
"""Classes of layers that are nothing but an activation function."""

OWN = "a function of your own"


def activation_name(value: Any) -> str:
    """Return the canonical name: ``relu``, ``linear`` for None, ``leaky_relu(0.3)`` for such a layer."""
    import keras

    if value is None:
        return "linear"
    if isinstance(value, keras.layers.Layer):
        return layer_activation(value) or type(value).__name__
    name = getattr(value, "__name__", None)
    return name if name and getattr(keras.activations, name, None) is value else OWN


def layer_activation(layer: Any) -> str | None:
    """Return the activation that a layer stands for.

    None if the layer is of another kind, or has arguments that no canonical name covers.
    """
    kind = type(layer).__name__
    if kind == "Activation":
        return activation_name(layer.activation)
    if kind == "Softmax":
        return "softmax" if layer.axis in (-1, [-1], (-1,)) else None
    if kind == "LeakyReLU":
        return with_argument("leaky_relu", float(layer.negative_slope), 0.2)
    if kind == "ELU":
        return with_argument("elu", float(layer.alpha), 1.0)
    if kind == "ReLU" and not layer.negative_slope and not layer.threshold:
        return {None: "relu", 6.0: "relu6"}.get(layer.max_value)
    return None


def with_argument(name: str, value: float, default: float) -> str:
    """Return ``elu`` for the function's default argument and ``elu(0.5)`` for any other."""
    return name if abs(value - default) < 1e-9 else f"{name}({value:g})"


def expected_activation(value: Any) -> str:
    """Return the canonical name of an activation that a test's author wrote.

    Raises:
        CourseError: Keras has no such activation.
    """
    import keras

    if isinstance(value, type) and issubclass(value, keras.layers.Layer):
        value = value()
    if isinstance(value, str):
        if value.startswith(("leaky_relu(", "elu(")):
            return value
        try:
            value = keras.activations.get(value)
        except ValueError:
            raise CourseError(f"check: Keras has no activation {value!r}; see keras.activations.") from None
    return activation_name(value)


def same_activation(expected: str, actual: str) -> bool:
    """Return whether both names mean one activation; an expected ``leaky_relu*`` accepts any slope."""
    return actual.startswith(expected[:-1]) if expected.endswith("*") else actual == expected
