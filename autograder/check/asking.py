"""Predictions of models that the examiner does not hold itself. They get inputs, a batch at a time, and nothing else.

The rows are sent in an order of the examiner's, so that a row's place says nothing of its label; a few are asked twice,
in other company, because a prediction should depend on its own row alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check.foreign import Foreign, foreign
from autograder.check.rows import NoPrediction, arrays, not_accepted, secret_order, taken

_BATCH_NUMBERS = 4_000_000
"""The numbers of one batch of inputs (32 MB as float64)."""
_LARGEST_BATCH = 4096
_MOST_NUMBERS = 50_000_000
"""The numbers of all outputs (400 MB)."""
_TWICE = 64
"""So many rows are asked a second time."""
UNSTEADY = "the same rows got other predictions when they were asked again among other rows"


@dataclass(frozen=True)
class Asked:
    """What a model predicted."""

    outputs: np.ndarray
    """float64, rows first."""
    remark: str
    """What a person should know of them; empty where there is nothing."""


def asked(model: Any, inputs: Any) -> Asked:
    """The predictions of an estimator, a module, a function: of whatever :func:`foreign` knows.

    Probabilities and scores of a classifier stand in the columns of their classes: class 3 in column 3; classes that
    are no whole numbers from 0 stand in their order, as ``LabelEncoder`` numbers them. A classifier that only says
    which class it is gives 1 for that class.

    Raises:
        NoPrediction: it raised, is gone, or gave something else than one finite row of numbers for each row.
    """
    found = _found(model)
    order = secret_order(inputs)
    rows = len(order)
    size = _batch_size(inputs, rows)
    parts: list[np.ndarray] = []
    for start in range(0, rows, size):
        parts.append(_batch(found, inputs, order[start : start + size]))
        if parts[-1].shape[1:] != parts[0].shape[1:]:
            raise NoPrediction("The model gives rows of different shapes.")
        if parts[0][0].size * rows > _MOST_NUMBERS:
            raise NoPrediction(f"The model gives {parts[0][0].size:,} numbers for each row, which is too much.")
    outputs = np.concatenate(parts)
    outputs[order] = outputs.copy()
    again = np.sort(order[:: max(1, rows // _TWICE)][:_TWICE])
    same = _close(_batch(found, inputs, again), outputs[again])
    return Asked(outputs, "" if same else UNSTEADY)


def _found(model: Any) -> Foreign:
    from autograder.examiner.remote import LostError

    try:
        found = foreign(model)
    except LostError as error:
        raise NoPrediction(str(error)) from error
    if found is None or found.problem:
        raise NoPrediction(found.problem if found else "This is not a model.")
    return found


def _batch_size(inputs: Any, rows: int) -> int:
    numbers = sum(np.size(array) for array in arrays(inputs)) // max(rows, 1)
    return max(1, min(_LARGEST_BATCH, _BATCH_NUMBERS // max(numbers, 1)))


def _batch(found: Foreign, inputs: Any, which: np.ndarray) -> np.ndarray:
    from autograder.examiner.remote import LostError

    try:
        answer = found.predict(taken(inputs, which))
    except LostError as error:
        raise NoPrediction(str(error)) from error
    except Exception as error:
        raise not_accepted(inputs, error) from error
    return _numbers(found, answer, len(which))


def _numbers(found: Foreign, answer: Any, rows: int) -> np.ndarray:
    """The answer as float64, if it is an array of numbers with a row for each row; any object may stand here."""
    if type(answer) is list:
        raise NoPrediction(f"The model has {len(answer)} outputs, and one is asked.")
    if type(answer) is not np.ndarray or answer.dtype.kind not in "biufU":
        raise NoPrediction("The model gives something else than an array of numbers.")
    if answer.shape[:1] != (rows,):
        raise NoPrediction(f"The model gives an output of the shape {answer.shape}, not one row for each row.")
    if found.how == "predict" and found.classes and answer.ndim == 1:
        return _one_hot(answer, found.classes)
    if answer.dtype.kind == "U":
        raise NoPrediction("The model gives texts where numbers are due.")
    array = answer.astype(np.float64)
    if found.how == "decision_function" and array.ndim == 1:
        array = np.stack([np.zeros_like(array), array], axis=1)  # a score for the second of two classes
    return _columns(array, found.classes) if found.how != "predict" and found.classes else array


def _columns(array: np.ndarray, classes: tuple[int, ...] | tuple[str, ...]) -> np.ndarray:
    """The columns where the labels say; a class below the largest that the model does not know has probability 0."""
    if array.ndim != 2 or array.shape[1] != len(classes):
        raise NoPrediction(f"The model gives {array.shape[1:]} numbers for each row, and has {len(classes)} classes.")
    places = _places(classes)
    placed = np.zeros((len(array), max(places) + 1))
    if array.min(initial=0.0) < 0:
        placed -= np.abs(array).max(initial=0.0) + 1e3  # scores: a class that is not known comes last
    placed[:, places] = array
    return placed


def _one_hot(answer: np.ndarray, classes: tuple[int, ...] | tuple[str, ...]) -> np.ndarray:
    numbers = dict(zip(classes, _places(classes), strict=True))
    try:
        places = [numbers[item] for item in answer.tolist()]
    except KeyError:
        raise NoPrediction("The model predicts something that is none of its classes.") from None
    return np.eye(max(numbers.values()) + 1)[places]


def _places(classes: tuple[int, ...] | tuple[str, ...]) -> list[int]:
    """The column of each class."""
    if all(type(item) is int and 0 <= item < 10_000 for item in classes):
        return [int(item) for item in classes]
    ranks = {item: rank for rank, item in enumerate(sorted(classes))}
    return [ranks[item] for item in classes]


def _close(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and bool(np.allclose(first, second, rtol=1e-3, atol=1e-4, equal_nan=True))
