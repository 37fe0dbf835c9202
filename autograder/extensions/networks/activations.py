"""Canonical names of activations, whether written as text, a function, a layer class, a layer or an operation."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from autograder.errors import CourseError
from autograder.extensions.networks.named_activations import activation_named
from autograder.models.computing_process import Computed, is_apart

KINDS = ("Activation", "Softmax", "ReLU", "LeakyReLU", "ELU")
"""Classes of layers that are nothing but an activation function."""

OWN_FUNCTION = "a function of your own"

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
    if hasattr(keras.activations, canonical) and any(getattr(home, name, None) is value for home in homes):
        return canonical
    return OWN_FUNCTION


def layer_activation(layer: Any) -> str | None:
    """Return the activation that a layer stands for, by its values.

    None if the layer is of another kind, or equals no activation of ``keras.activations``.
    """
    kind = type(layer).__name__
    if kind == "Activation":
        return activation_name(layer.activation)
    if kind not in KINDS:
        return None
    try:
        rank = len(layer.input.shape)
    except (AttributeError, ValueError, TypeError):
        rank = 3
    key = (kind, rank, repr([(name, value) for name, value in layer.get_config().items() if name not in _NO_SETTINGS]))
    if key not in _layers:
        part = Computed(ComputedActivation, kind, layer.get_config())
        if not is_apart() or type(layer).__module__.partition(".")[0] != "keras":
            part = Computed.here(ComputedActivation(kind, {}, layer))
        _layers[key] = str(part.ask("name", rank))
    return _layers[key] or None


class ComputedActivation:
    """A layer that may be an activation, where strangers' networks are computed."""

    def __init__(self, kind: str, config: Mapping[str, Any], layer: Any = None) -> None:
        import keras

        self.layer = layer or getattr(keras.layers, kind).from_config(config)

    def name(self, rank: int) -> str:
        """Return the activation that the layer equals on arrays of this rank; empty if it equals none."""
        return activation_named(lambda rows: [_values(self.layer, rows)], (4, 5, 6, 7, 8)[: rank - 1], [])


_NO_SETTINGS = ("name", "dtype", "trainable")
_layers: dict[Any, str] = {}
"""Class, rank and settings of a layer → the activation that it is, if it is one."""


def _values(layer: Any, rows: Any) -> Any:
    import keras

    return keras.ops.convert_to_numpy(layer.call(keras.ops.convert_to_tensor(rows)))


def snake(name: str) -> str:
    """Return ``true_divide`` for ``TrueDivide``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def expected_activation(value: Any) -> str:
    """Return the canonical name of an activation that a test's author wrote.

    Raises:
        CourseError: Keras has no such activation.
    """
    import keras

    if isinstance(value, type) and issubclass(value, keras.layers.Layer):
        value = value()
    if isinstance(value, str):
        if value.endswith(")") and hasattr(keras.activations, value.partition("(")[0]):
            return value
        try:
            value = keras.activations.get(value)
        except ValueError:
            raise CourseError(f"check: Keras has no activation {value!r}; see keras.activations.") from None
    return activation_name(value)


def same_activation(expected: str, actual: str) -> bool:
    """Return whether both names mean one activation; an expected ``leaky_relu*`` accepts any slope."""
    if expected.endswith("*"):
        return actual.startswith(expected[:-1])
    return _EQUAL.get(actual, actual) == _EQUAL.get(expected, expected)


_EQUAL = {"celu": "elu"}
"""Activation that equals another one with the usual arguments."""
