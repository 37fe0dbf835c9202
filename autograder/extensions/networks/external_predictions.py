"""Predictions of models that the examiner does not hold. It sends them batches of inputs and nothing else.

The examiner shuffles the rows, so that a row's position reveals nothing about its label. It sends a few rows twice,
among different rows, because a prediction should depend on its own row alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from autograder.check.properties import Prediction
from autograder.check.words import shape_of
from autograder.errors import LostError, UnreadError
from autograder.extensions.networks.external_model import ExternalModel, external_model
from autograder.extensions.networks.rows import (
    NoPrediction,
    arrays,
    has_text,
    rejection,
    rows_to_repeat,
    same_answers,
    secret_order,
    take_rows,
)

_BATCH = (1024, 1_000_000)
"""Largest batch, in rows and in numbers (8 MB as float64); the outputs of a network's layers must fit into memory,
too."""
_ESTIMATOR_BATCH = (8192, 4_000_000)
"""Largest batch of an estimator, which needs little memory for a row and starts its threads anew at each call."""
_MAX_NUMBERS = 50_000_000
"""Largest size of all outputs together (400 MB)."""
UNSTEADY = "the predictions for some rows changed when these were repeated among other rows"
DEPENDS_ON_OTHER_ROWS = (
    "The model's prediction for a row changes with the other rows of the batch. A prediction must depend on its "
    "own row alone: look for an operation along axis 0, or over the whole batch."
)

Classes: TypeAlias = "tuple[int, ...] | tuple[str, ...]"


def predict_external(
    model: Any, inputs: Any, classes: int = 0, *, decided: bool = False, part: int | None = None
) -> Prediction:
    """Return the predictions of a model that :func:`external_model` describes: an estimator, module or function.

    Probabilities and scores of a classifier are put into the columns of their classes: class 3 into column 3. Classes
    that are not whole numbers from 0 are numbered in sorted order, as ``LabelEncoder`` does. A classifier that only
    names a class gives 1 for that class and 0 for the others.

    Args:
        model: what predicts.
        inputs: the rows: an array, or a list, tuple or dict of arrays.
        classes: minimum number of columns, for classes that the model does not know; 0 sets no minimum.
        decided: ask for the predicted class where the model can name it, and read whole numbers as classes.
        part: the number of the output, if the model has several; None if it must have one.

    Returns:
        The outputs in the order of ``inputs``.

    Raises:
        NoPrediction: the model raised, is gone, or did not return one finite row of numbers for each input row.
    """
    external = _usable_model(model)
    if decided and external.classes and external.decides:
        external = replace(external, method="predict")  # a classifier may decide against its largest probability
    question = _Query(external, inputs, classes, decided, part)
    order = secret_order(inputs)
    rows = len(order)
    size = _batch_size(external, inputs, rows)
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
    if remark and external.family == "keras" and not has_text(inputs):
        raise NoPrediction(DEPENDS_ON_OTHER_ROWS)  # with training=False nothing in a Keras model is random
    return Prediction(_one_hot(outputs, question.columns) if outputs.dtype == np.int64 else outputs, remark)


def chosen_output(outputs: Sequence[Any], part: int | None) -> Any:
    """Return the output of a number; without a number, the only output.

    Raises:
        NoPrediction: there is no such output, or there are several.
    """
    if part is None and len(outputs) != 1:
        raise NoPrediction("The model must have exactly one output.")
    if part is not None and not 0 <= part < len(outputs):
        raise NoPrediction(f"The model does not have an output of the number {part}.")
    return outputs[part or 0]


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
        external = external_model(model)
    except LostError as error:
        raise NoPrediction(str(error)) from error
    if external is None or external.problem:
        raise NoPrediction(external.problem if external else "This is not a model.")
    return external


def _batch_size(external: ExternalModel, inputs: Any, rows: int) -> int:
    largest, numbers = _ESTIMATOR_BATCH if external.family == "sklearn" else _BATCH
    return max(1, min(largest, numbers // max(sum(np.size(array) for array in arrays(inputs)) // max(rows, 1), 1)))


@dataclass(frozen=True)
class _Query:
    """A model and the rows that it is asked about."""

    found: ExternalModel
    inputs: Any
    classes: int
    decided: bool
    part: int | None

    @property
    def columns(self) -> int:
        """The minimum number of class columns."""
        return max([self.classes, *(place + 1 for place in _class_columns(self.found.classes))])

    def answer(self, rows: np.ndarray) -> np.ndarray:
        """Return the answer for some rows: float64, or int64 of shape (n,) if the model names classes."""
        try:
            answer = self.found.predict(self.found.method, take_rows(self.inputs, rows))
        except LostError as error:
            raise NoPrediction(str(error)) from error
        except UnreadError as error:
            raise NoPrediction(f"The predictions cannot be used: {error}.") from error
        except Exception as error:
            raise rejection(self.inputs, error) from error
        if self.part is not None and type(answer) in (list, tuple):
            answer = chosen_output(answer, self.part)
        return self.numbers(_checked_array(answer, len(rows)))

    def numbers(self, answer: np.ndarray) -> np.ndarray:
        classes = self.found.classes
        if self.found.method == "predict" and classes and answer.ndim == 1:
            return _class_numbers(answer, classes)
        if answer.dtype.kind == "U":
            raise NoPrediction("The model gives texts instead of numbers.")
        if self.decided and answer.size == len(answer) and self.looks_like_classes(answer):
            return answer.reshape(-1).astype(np.int64)
        array = answer.astype(np.float64)
        if self.found.method == "decision_function" and array.ndim == 1:
            array = np.stack([np.zeros_like(array), array], axis=1)  # the only score is that of the second class
        return self.in_class_columns(array, classes) if self.found.method not in ("predict", "") and classes else array

    def looks_like_classes(self, answer: np.ndarray) -> bool:
        """Return whether the answers are class numbers.

        Floats count as class numbers only if there are more than two classes: for two they may be probabilities of the
        second.
        """
        if answer.dtype.kind != "f":
            return True
        return self.classes > 2 and bool((np.abs(answer) < 1e6).all()) and bool((answer == np.floor(answer)).all())

    def in_class_columns(self, array: np.ndarray, classes: Classes) -> np.ndarray:
        """Move the model's columns to those of their classes; a class unknown to the model gets probability 0."""
        if array.ndim != 2 or array.shape[1] != len(classes):
            raise NoPrediction("The model does not give one number for each of its classes.")
        _check_size(self.columns, len(array))
        columns = np.zeros((len(array), self.columns))
        if array.min(initial=0.0) < 0:
            columns -= np.abs(array).max(initial=0.0) + 1e3  # for scores, an unknown class ranks last
        columns[:, _class_columns(classes)] = array
        return columns


def _checked_array(answer: Any, rows: int) -> np.ndarray:
    """Return the answer if it is an array of numbers or texts with one entry for each row.

    The answer may be any object, because it comes from the student's code.
    """
    if type(answer) is list:
        raise NoPrediction("The model must have exactly one output.")
    if type(answer) is not np.ndarray or answer.dtype.kind not in "biufU":
        raise NoPrediction("The model does not give an array of numbers.")
    _check_size(answer.size, 1)
    if answer.shape[:1] != (rows,):
        raise NoPrediction(f"The model does not give one output row for each input row: {shape_of(answer)}.")
    return answer


def _class_numbers(answer: np.ndarray, classes: Classes) -> np.ndarray:
    numbers = dict(zip(classes, _class_columns(classes), strict=True))
    try:
        return np.array([numbers[item] for item in answer.tolist()], dtype=np.int64)
    except KeyError:
        raise NoPrediction("The model predicts a value that is not one of its classes.") from None


def _class_columns(classes: Classes | None) -> list[int]:
    """Pair each class of the labels with its column of the predictions."""
    if classes is None or all(type(item) is int and 0 <= item < 10_000 for item in classes):
        return [int(item) for item in classes or ()]
    ranks = {item: rank for rank, item in enumerate(sorted(classes))}
    return [ranks[item] for item in classes]
