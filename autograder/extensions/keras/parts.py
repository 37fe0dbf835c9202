"""The parts of a layer: activations, initializers, regularizers, constraints, number types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder.models.argument_values import (
    RefusedModel,
    Validator,
    boolean,
    either,
    integer,
    mapping,
    number,
    one_of,
    optional,
    refuse,
    several,
    show,
    words,
)

ACTIVATIONS = words(
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear "
    "log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign "
    "sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold"
)
"""Functions of ``keras.activations``, by their serialized names."""

OF_TENSORFLOW = {"softmax_v2": "softmax", "log_softmax_v2": "log_softmax", "swish": "silu"}
"""Name of a function of ``tf.nn`` → the same function in ``keras.activations``, if the names differ."""

ACTIVATION_LAYERS = frozenset({"ReLU", "LeakyReLU", "ELU", "Softmax"})
"""Layers without weights that are accepted in place of an activation function."""

SEED = optional(integer(-(2**63), 2**63 - 1))

_SCALED = {"seed": SEED}
INITIALIZERS: Mapping[str, Mapping[str, Validator]] = {
    "Zeros": {},
    "Ones": {},
    "Constant": {"value": number()},
    "RandomNormal": {"mean": number(), "stddev": number(0), **_SCALED},
    "TruncatedNormal": {"mean": number(), "stddev": number(0), **_SCALED},
    "RandomUniform": {"minval": number(), "maxval": number(), **_SCALED},
    "GlorotNormal": _SCALED,
    "GlorotUniform": _SCALED,
    "HeNormal": _SCALED,
    "HeUniform": _SCALED,
    "LecunNormal": _SCALED,
    "LecunUniform": _SCALED,
    "VarianceScaling": {
        "scale": number(1e-12, 1e6),
        "mode": one_of("fan_in", "fan_out", "fan_avg"),
        "distribution": one_of("normal", "uniform", "truncated_normal", "untruncated_normal"),
        **_SCALED,
    },
    "Orthogonal": {"gain": number(), **_SCALED},
    "OrthogonalInitializer": {"gain": number(), **_SCALED},
    "Identity": {"gain": number()},
    "IdentityInitializer": {"gain": number()},
}
REGULARIZERS: Mapping[str, Mapping[str, Validator]] = {
    "L1": {"l1": number(0)},
    "L2": {"l2": number(0)},
    "L1L2": {"l1": number(0), "l2": number(0)},
    "OrthogonalRegularizer": {"factor": number(), "mode": one_of("rows", "columns")},
}
_AXIS = either(integer(-6, 6), several(integer(-6, 6), 1, 6))
CONSTRAINTS: Mapping[str, Mapping[str, Validator]] = {
    "MaxNorm": {"max_value": number(0), "axis": _AXIS},
    "NonNeg": {},
    "UnitNorm": {"axis": _AXIS},
    "MinMaxNorm": {
        "min_value": number(0),
        "max_value": number(0),
        "rate": number(0, 1),
        "axis": _AXIS,
    },
}

POLICIES = ("float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
INTEGER_POLICIES = ("int64", "int32", "int16", "int8", "uint8", "string")
"""Policies of layers that output categories."""


def known_object(value: Any, package: str, table: Mapping[str, Mapping[str, Validator]]) -> Any | None:
    """Build a keras object from its serialized form; None unless it is exactly one in the table.

    It serves parts that do not change the forward pass, so unknown ones are left out instead of refused.
    """
    import keras

    if type(value) is not dict or value.get("module") != f"keras.{package}":
        return None
    name, config = value.get("class_name"), value.get("config")
    if type(name) is not str or name not in table or type(config) is not dict:
        return None
    try:
        arguments = {key: check(config[key], key) for key, check in table[name].items() if key in config}
        return getattr(getattr(keras, package), name)(**arguments)
    except (RefusedModel, ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class ActivationLayer:
    """A layer in place of an activation function, as the kernel serialized it, not yet read."""

    serialized: dict[str, Any]


def activation(value: Any, label: str) -> Any:
    """Return the name of an activation function, or a layer that stands for one.

    ``Dense(9, activation=LeakyReLU())`` gives an :class:`ActivationLayer`.
    """
    if value is None:
        return None
    if type(value) is str:
        if value not in ACTIVATIONS:
            raise RefusedModel(f"{label} is {show(value)}, which is not one of Keras's own activations.")
        return value
    serialized = mapping(value, label)
    name = serialized.get("class_name")
    if serialized.get("module") == "keras.layers" and type(name) is str and name in ACTIVATION_LAYERS:
        return ActivationLayer(serialized)
    function = serialized.get("config")
    if name == "function" and type(function) is str and function in OF_TENSORFLOW:
        return OF_TENSORFLOW[function]
    raise RefusedModel(
        f"{label} is a function of your own ({show(serialized.get('config', name))}). "
        "Only Keras's own activations can be graded.",
        kind_refused=True,
    )


def policy(value: Any, label: str, policies: tuple[str, ...] = POLICIES) -> str:
    """Return the name of a dtype policy that is a string or Keras's serialized DTypePolicy."""
    if value is None:
        return "float32"
    if type(value) is dict:
        if value.get("class_name") != "DTypePolicy":
            error = refuse(f"{label}: the dtype", value.get("class_name"), "an ordinary floating point type")
            error.kind_refused = True
            raise error
        value = mapping(value.get("config"), label).get("name")
    return str(one_of(*policies)(value, f"{label}: the dtype"))


def trainable(value: Any, label: str) -> bool:
    """Return the trainable flag, which is True if absent."""
    return True if value is None else boolean(value, f"{label}: trainable")
