"""The activations of ``keras.activations``, and which of them a function equals."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograder.extensions.networks.element_wise import agree

OF_ROWS = ("softmax", "log_softmax", "sparsemax")
"""Activations that do not treat each number alone."""


def with_argument(name: str, value: float, default: float) -> str:
    """Return ``elu`` for the function's default argument and ``elu(0.5)`` for any other."""
    return name if abs(value - default) < 1e-7 else f"{name}({value:g})"


def activation_named(
    region: Callable[[np.ndarray], list[np.ndarray]],
    row: tuple[int, ...],
    literals: Sequence[float],
    own_name: str = "",
) -> str:
    """Return the name of the activation of ``keras.activations`` that a function equals; empty if it equals none.

    Args:
        region: the function, which gives its result last.
        row: the shape of a row.
        literals: numbers in it, which may be an argument of the activation.
        own_name: the name of the operation that it is, which goes first among equal ones.
    """
    with suppress(Exception):  # shapes or types do not fit: it is none
        rows = np.random.default_rng().normal(size=(6, *row)) * 3
        values_of_region = region(rows)[-1]
        at = dict(
            zip(_AT, region(np.stack([np.full(row, v) for v in _AT]))[-1].reshape(len(_AT), -1)[:, 0], strict=True)
        )
        for name, arguments, text in _candidates(at, literals, own_name):
            with suppress(Exception):
                reference = _function(name, arguments)
                if _near(reference(rows), values_of_region) and agree(
                    region, reference, row, alone=name not in OF_ROWS
                ):
                    return text
    return ""


_AT = (-60.0, -1.0)


def _near(values: np.ndarray, values_of_region: np.ndarray) -> bool:
    return values.shape == values_of_region.shape and np.allclose(values, values_of_region, rtol=1e-3, atol=2e-3)


def _function(name: str, arguments: dict[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
    import keras

    def computed(rows: np.ndarray) -> np.ndarray:
        values_of_region = keras.ops.convert_to_tensor(rows)
        return np.asarray(keras.ops.convert_to_numpy(getattr(keras.activations, name)(values_of_region, **arguments)))

    return computed


def _candidates(
    at: dict[float, Any], literals: Sequence[float], own_name: str
) -> Iterator[tuple[str, dict[str, Any], str]]:
    import keras

    slope, alpha = (float(f"{-at[place]:.7g}") for place in (-1.0, -60.0))
    fitted = {
        "leaky_relu": [slope] if 0 < slope < 1 else [],
        **dict.fromkeys(("elu", "celu"), [alpha] if alpha > 0 else []),
        **{name: [abs(value) for value in literals] for name in ("hard_shrink", "soft_shrink")},
    }
    names = [name for name, made in vars(keras.activations).items() if inspect.isfunction(made)]
    first = [own_name, "linear", "relu", "elu"]
    for name in sorted(names, key=lambda name: first.index(name) if name in first else len(first)):
        parameters = inspect.signature(getattr(keras.activations, name)).parameters
        if name in fitted:
            argument = [*parameters][1]
            for value in {*fitted[name], parameters[argument].default}:
                yield name, {argument: value}, with_argument(name, value, parameters[argument].default)
        elif sum(p.default is p.empty for p in parameters.values()) == 1:
            yield name, {}, name
            yield from (
                (name, {flag: not p.default}, name) for flag, p in parameters.items() if type(p.default) is bool
            )
