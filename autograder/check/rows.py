"""The rows of hidden data: one array, or several for a model with several inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.check.place import place_of
from autograder.check.words import exception_name


class NoPrediction(Exception):
    """The model gives no usable predictions; ``str(error)`` is for the student."""


def arrays(inputs: Any) -> list[Any]:
    """The arrays that the data are: one, or those of a list, tuple or dict."""
    if isinstance(inputs, dict):
        return list(inputs.values())
    return list(inputs) if isinstance(inputs, list | tuple) else [inputs]


def row_count(inputs: Any) -> int:
    """How many rows the data have; -1 where the arrays disagree."""
    counts = {len(array) for array in arrays(inputs)}
    return counts.pop() if len(counts) == 1 else -1


def taken(inputs: Any, which: slice | np.ndarray) -> Any:
    """Some of the rows: a tuple becomes a list, a frame of pandas stays one, all else is an array.

    A frame gets a new index: the old one would tell the place of a row.
    """

    def some(array: Any) -> Any:
        return array.iloc[which].reset_index(drop=True) if hasattr(array, "iloc") else np.asarray(array)[which]

    return mapped(inputs, some)


def mapped(inputs: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(inputs, dict):
        return {key: change(array) for key, array in inputs.items()}
    return [change(array) for array in inputs] if isinstance(inputs, list | tuple) else change(inputs)


def not_accepted(inputs: Any, error: Exception) -> NoPrediction:
    """What the student reads where a model raised ``error`` on such rows."""
    shapes = ", ".join(str(np.shape(array)[1:]) for array in arrays(inputs))
    place = place_of(error)
    at = f" in {place}" if place else ""
    return NoPrediction(f"The model does not accept rows of the shape {shapes}: {exception_name(error)}{at}.")


def secret_order(inputs: Any) -> np.ndarray:
    """An order of the rows that is the same each time, and that only who knows their own order can find out.

    Rows that are sorted by label would tell the label by their place.
    """
    digest = hashlib.sha256()
    for array in map(np.asarray, arrays(inputs)):
        plain = array if array.dtype.kind != "O" else np.array([repr(item) for item in array.ravel().tolist()])
        digest.update(np.ascontiguousarray(plain).data if plain.dtype.kind not in "mM" else plain.tobytes())
    return np.random.default_rng(int.from_bytes(digest.digest()[:8], "little")).permutation(row_count(inputs))


_TWICE = 64
"""So many rows are asked a second time."""
_LONE = 16
"""One row of so many may answer differently: the last bits of a sum can turn a comparison inside a model."""


def asked_twice(order: np.ndarray) -> np.ndarray:
    """Some of the rows, spread over an order of them and turned around, so that each has other company."""
    return order[:: max(1, len(order) // _TWICE)][:_TWICE][::-1]


def answers_alike(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether rows got the same predictions twice, but for what rounding explains."""
    if first.shape != second.shape:
        return False
    scale = float(np.abs(first[np.isfinite(first)]).max(initial=1.0))
    same = np.isclose(first, second, rtol=1e-3, atol=1e-4 * scale, equal_nan=True)
    return bool((~same.reshape(len(same), -1).all(axis=1)).sum() <= len(same) // _LONE)


def of_texts(inputs: Any) -> bool:
    """Whether texts are among the data: a model pads them to the longest of a batch, and what it answers may depend on
    that."""
    return any(np.asarray(array).dtype.kind in "OUS" for array in arrays(inputs))
