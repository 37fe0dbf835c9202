"""Predictions of models that the examiner does not hold itself. They get inputs, a batch at a time, and nothing else.

The rows are sent in an order of the examiner's, so that a row's place says nothing of its label; a few are asked twice,
in other company, because a prediction should depend on its own row alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from autograder.check.external_model import ExternalModel, external_model
from autograder.check.rows import (
    NoPrediction,
    arrays,
    has_text,
    rejection,
    rows_to_repeat,
    same_answers,
    secret_order,
    take_rows,
)
from autograder.check.words import shape_of
from autograder.errors import LostError

_BATCH = (1024, 1_000_000)
"""The rows of one batch, and their numbers (8 MB as float64): what a network's layers make of them must fit, too."""
_ESTIMATOR_BATCH = (8192, 4_000_000)
"""Of estimators, which make little of a row, and begin anew with threads at each call."""
_MAX_NUMBERS = 50_000_000
"""The numbers of all outputs (400 MB)."""
UNSTEADY = "the same rows got other predictions when they were asked again among other rows"
DEPENDS_ON_OTHER_ROWS = (
    "The model gives the same row another prediction when other rows stand beside it. A prediction may depend on its "
    "own row alone: look for an operation along axis 0, or over the whole batch."
)

Classes: TypeAlias = "tuple[int, ...] | tuple[str, ...]"


@dataclass(frozen=True)
class Prediction:
    """What a model predicted."""

    outputs: np.ndarray
    """float64, rows first."""
    remark: str
    """What a person should know of them; empty where there is nothing."""


def predict_external(model: Any, inputs: Any, classes: int = 0, *, decided: bool = False) -> Prediction:
    """The predictions of an estimator, a module, a function: of whatever :func:`foreign` knows.

    Probabilities and scores of a classifier stand in the columns of their classes: class 3 in column 3; classes that
    are no whole numbers from 0 stand in their order, as ``LabelEncoder`` numbers them. A classifier that only says
    which class it is gives 1 for that class.

    Args:
        classes: how many there are at least, for columns of classes that the model does not know; 0: no matter.
        decided: ask which class it is, where the model can say so, and take whole numbers for classes.

    Raises:
        NoPrediction: it raised, is gone, or gave something else than one finite row of numbers for each row.
    """
    found = _usable_model(model)
    if decided and found.classes and found.decides:
        found = replace(found, method="predict")  # what a classifier decides is not always its largest probability
    question = _Query(found, inputs, classes, decided)
    order = secret_order(inputs)
    rows = len(order)
    size = _batch_size(found, inputs, rows)
    parts: list[np.ndarray] = []
    for start in range(0, rows, size):
        parts.append(question.answer(order[start : start + size]))
        if parts[-1].shape[1:] != parts[0].shape[1:] or parts[-1].dtype != parts[0].dtype:
            raise NoPrediction("The model gives rows of different shapes.")
        _check_size(parts[0][0].size, rows)
    outputs = np.concatenate(parts)
    outputs[order] = outputs.copy()
    again = rows_to_repeat(order)
    remark = "" if same_answers(question.answer(again), outputs[again]) else UNSTEADY
    if remark and found.family == "keras" and not has_text(inputs):
        raise NoPrediction(DEPENDS_ON_OTHER_ROWS)  # called with training=False, it has nothing random in it
    return Prediction(_one_hot(outputs, question.columns) if outputs.dtype == np.int64 else outputs, remark)


def _check_size(numbers: int, rows: int) -> None:
    if numbers * rows > _MAX_NUMBERS:
        raise NoPrediction("The model gives more numbers than can be graded.")


def _one_hot(decisions: np.ndarray, columns: int) -> np.ndarray:
    if decisions.min() < 0:
        raise NoPrediction("The model predicts a class below 0.")
    columns = max(columns, int(decisions.max()) + 1)
    _check_size(columns, len(decisions))
    rows = np.zeros((len(decisions), columns))
    rows[np.arange(len(decisions)), decisions] = 1.0
    return rows


def _usable_model(model: Any) -> ExternalModel:
    try:
        found = external_model(model)
    except LostError as error:
        raise NoPrediction(str(error)) from error
    if found is None or found.problem:
        raise NoPrediction(found.problem if found else "This is not a model.")
    return found


def _batch_size(found: ExternalModel, inputs: Any, rows: int) -> int:
    largest, numbers = _ESTIMATOR_BATCH if found.family == "sklearn" else _BATCH
    return max(1, min(largest, numbers // max(sum(np.size(array) for array in arrays(inputs)) // max(rows, 1), 1)))


@dataclass(frozen=True)
class _Query:
    """One model and the rows that it is asked about."""

    found: ExternalModel
    inputs: Any
    classes: int
    decided: bool

    @property
    def columns(self) -> int:
        """How many columns of classes there are at least."""
        return max([self.classes, *(place + 1 for place in _class_columns(self.found.classes))])

    def answer(self, which: np.ndarray) -> np.ndarray:
        """For some rows: float64, or int64 (n,) where it says which class each one is."""
        try:
            answer = self.found.predict(self.found.method, take_rows(self.inputs, which))
        except LostError as error:
            raise NoPrediction(str(error)) from error
        except Exception as error:
            raise rejection(self.inputs, error) from error
        return self.numbers(_checked_array(answer, len(which)))

    def numbers(self, answer: np.ndarray) -> np.ndarray:
        known = self.found.classes
        if self.found.method == "predict" and known and answer.ndim == 1:
            return _class_numbers(answer, known)
        if answer.dtype.kind == "U":
            raise NoPrediction("The model gives texts where numbers are due.")
        if self.decided and answer.size == len(answer) and self.looks_like_classes(answer):
            return answer.reshape(-1).astype(np.int64)
        array = answer.astype(np.float64)
        if self.found.method == "decision_function" and array.ndim == 1:
            array = np.stack([np.zeros_like(array), array], axis=1)  # a score for the second of two classes
        return self.in_class_columns(array, known) if self.found.method not in ("predict", "") and known else array

    def looks_like_classes(self, answer: np.ndarray) -> bool:
        """Whole numbers; as floats only where they can be no probabilities of the second of two classes."""
        if answer.dtype.kind != "f":
            return True
        return self.classes > 2 and bool((np.abs(answer) < 1e6).all()) and bool((answer == np.floor(answer)).all())

    def in_class_columns(self, array: np.ndarray, known: Classes) -> np.ndarray:
        """The columns where the labels say; a class that the model does not know has probability 0."""
        if array.ndim != 2 or array.shape[1] != len(known):
            raise NoPrediction("The model does not give one number for each of its classes.")
        _check_size(self.columns, len(array))
        columns = np.zeros((len(array), self.columns))
        if array.min(initial=0.0) < 0:
            columns -= np.abs(array).max(initial=0.0) + 1e3  # scores: a class that is not known comes last
        columns[:, _class_columns(known)] = array
        return columns


def _checked_array(answer: Any, rows: int) -> np.ndarray:
    """The answer, if it is an array of numbers or texts with a row for each row; any object may stand here."""
    if type(answer) is list:
        raise NoPrediction("The model has several outputs, or none, and one is asked.")
    if type(answer) is not np.ndarray or answer.dtype.kind not in "biufU":
        raise NoPrediction("The model gives something else than an array of numbers.")
    _check_size(answer.size, 1)
    if answer.shape[:1] != (rows,):
        raise NoPrediction(f"The model gives an output that has not one row for each row: {shape_of(answer)}.")
    return answer


def _class_numbers(answer: np.ndarray, classes: Classes) -> np.ndarray:
    numbers = dict(zip(classes, _class_columns(classes), strict=True))
    try:
        return np.array([numbers[item] for item in answer.tolist()], dtype=np.int64)
    except KeyError:
        raise NoPrediction("The model predicts something that is none of its classes.") from None


def _class_columns(classes: Classes | None) -> list[int]:
    """The column of each class."""
    if classes is None or all(type(item) is int and 0 <= item < 10_000 for item in classes):
        return [int(item) for item in classes or ()]
    ranks = {item: rank for rank, item in enumerate(sorted(classes))}
    return [ranks[item] for item in classes]
