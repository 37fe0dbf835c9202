"""The rows of hidden data: one array, or several for a model with several inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.check.error_place import described
from autograder.models.computing_process import ERRORS


class NoPrediction(Exception):
    """The model gives no usable predictions; ``str(error)`` is the message for the student."""


ERRORS["NoPrediction"] = NoPrediction


def arrays(inputs: Any) -> list[Any]:
    """Return the data's arrays: a single one, or those of a list, tuple or dict."""
    if isinstance(inputs, dict):
        return list(inputs.values())
    return list(inputs) if isinstance(inputs, list | tuple) else [inputs]


def row_count(inputs: Any) -> int:
    """Return how many rows the data have; -1 if the arrays disagree."""
    counts = {len(array) for array in arrays(inputs)}
    return counts.pop() if len(counts) == 1 else -1


def take_rows(inputs: Any, selection: slice | np.ndarray) -> Any:
    """Return some of the rows; a tuple becomes a list, a pandas frame stays one, anything else becomes an array.

    A frame gets a new index, because the old one would reveal the positions of the rows.
    """

    def some(array: Any) -> Any:
        return array.iloc[selection].reset_index(drop=True) if hasattr(array, "iloc") else np.asarray(array)[selection]

    return map_arrays(inputs, some)


def map_arrays(inputs: Any, change: Callable[[Any], Any]) -> Any:
    """Return the data with each array changed."""
    if isinstance(inputs, dict):
        return {key: change(array) for key, array in inputs.items()}
    return [change(array) for array in inputs] if isinstance(inputs, list | tuple) else change(inputs)


def rejection(inputs: Any, error: Exception) -> NoPrediction:
    """Return the error for the student whose model raised ``error`` on such rows."""
    shapes = ", ".join(str(np.shape(array)[1:]) for array in arrays(inputs))
    return NoPrediction(f"The model does not accept rows of the shape {shapes}: {described(error, in_full=True)}.")


def secret_order(inputs: Any) -> np.ndarray:
    """Return a permutation of the rows that is always the same and that only their original order reveals.

    Rows that are sorted by label would reveal the label by their position.
    """
    return secret_draws(inputs).permutation(row_count(inputs))


def secret_draws(inputs: Any) -> np.random.Generator:
    """Return a generator that is always the same for the same rows, and that nobody foresees who lacks them."""
    digest = hashlib.sha256()
    for array in map(np.asarray, arrays(inputs)):
        plain = array if array.dtype.kind != "O" else np.array([repr(item) for item in array.ravel().tolist()])
        digest.update(np.ascontiguousarray(plain).data if plain.dtype.kind not in "mM" else plain.tobytes())
    return np.random.default_rng(int.from_bytes(digest.digest()[:8], "little"))


_REPEATED_ROWS = 64
"""Number of rows that a model gets a second time."""
_ROWS_PER_EXCEPTION = 16
"""One of so many rows may differ: rounding in the last bits of a sum can flip a comparison inside a model."""


def rows_to_repeat(order: np.ndarray) -> np.ndarray:
    """Return some rows spread over the order, reversed, so that each has different rows beside it."""
    return order[:: max(1, len(order) // _REPEATED_ROWS)][:_REPEATED_ROWS][::-1]


def secret_batches(rows: np.ndarray, inputs: Any) -> list[np.ndarray]:
    """Return a few of some rows, and others in a larger batch: sizes that nobody foresees who lacks the inputs.

    A model that computes otherwise from some number of rows on gives other answers in one of them.
    """
    if len(rows) < 4:
        return [rows[: max(1, len(rows) // 2)]]
    draws = secret_draws(inputs)
    few = int(draws.integers(2, max(2, len(rows) // 5) + 1))
    more = int(draws.integers(few, max(few, len(rows) // 2) + 1))
    return [rows[:few], rows[few : few + more]]


def same_answers(first: np.ndarray, second: np.ndarray) -> bool:
    """Return whether rows got the same predictions both times, except for rounding."""
    if first.shape != second.shape:
        return False
    scale = float(np.abs(first[np.isfinite(first)]).max(initial=1.0))
    same = np.isclose(first, second, rtol=1e-3, atol=1e-4 * scale, equal_nan=True)
    exceptions = max(len(same) // _ROWS_PER_EXCEPTION, int(len(same) > 2))
    return bool((~same.reshape(len(same), -1).all(axis=1)).sum() <= exceptions)


def has_text(inputs: Any) -> bool:
    """Return whether the data contain texts.

    A model pads texts to the longest of a batch, so its predictions may depend on the batch.
    """
    return any(np.asarray(array).dtype.kind in "OUS" for array in arrays(inputs))
