"""A model's predictions, in bounded memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograder.check.external_predictions import DEPENDS_ON_OTHER_ROWS, Prediction, predict_external
from autograder.check.prediction_cache import predictions_of
from autograder.check.rows import (
    NoPrediction,
    has_text,
    rejection,
    row_count,
    rows_to_repeat,
    same_answers,
    secret_order,
    take_rows,
)
from autograder.check.subject import is_keras
from autograder.check.words import shape_of

__all__ = ["NoPrediction", "predict", "predictions", "row_count"]

_BATCH_ELEMENTS = 32_000_000
"""The numbers that all layers together may give for one batch (128 MB as float32)."""

_LARGEST_BATCH = 1024


def predictions(model: Any, inputs: Any) -> np.ndarray:
    """The outputs for all rows as a float64 array, rows first. See :func:`predicted`."""
    return predict(model, inputs).outputs


def predict(model: Any, inputs: Any, labels: np.ndarray | None = None, *, decided: bool = False) -> Prediction:
    """The outputs for all rows, and a remark on them where there is one.

    What is no Keras model held here is asked: :func:`asking.asked`. A Keras model's layers are called directly
    (``training=False``): nothing that ``predict`` or ``evaluate`` were patched to be has a part in it. It sees the rows
    in an order of the examiner's, and some of them twice, among others.

    Args:
        model: a built ``keras.Model`` with one output, or what else predicts.
        inputs: an array with rows first, or a list, tuple or dict of such arrays for a model with several inputs.
        labels: one-hot or whole numbers, for columns of classes that an estimator does not know. They stay here.
        decided: an estimator is asked which class it is, not how probable each one is.

    Raises:
        NoPrediction: the model does not accept these rows, gives something else than one array, or answers differently
            for the same row.
    """
    if not is_keras(model):
        return predict_external(model, inputs, 0 if labels is None else _class_count(labels), decided=decided)
    return Prediction(predictions_of(model, inputs, lambda: _outputs(model, inputs)), "")


def _outputs(model: Any, inputs: Any) -> np.ndarray:
    """The outputs in the order of the rows, which the model sees in another one; some rows it sees twice."""
    order = secret_order(inputs)
    size = _batch_size(model)
    outputs = np.concatenate(
        [_answer(model, inputs, order[start : start + size]) for start in range(0, len(order), size)]
    )
    outputs[order] = outputs.copy()
    again = rows_to_repeat(order)[:size]
    if not has_text(inputs) and not same_answers(_answer(model, inputs, again), outputs[again]):
        raise NoPrediction(DEPENDS_ON_OTHER_ROWS)
    return outputs


def _answer(model: Any, inputs: Any, which: np.ndarray) -> np.ndarray:
    """The outputs for some rows."""
    try:
        output = model(take_rows(inputs, which), training=False)
    except Exception as error:
        raise rejection(inputs, error) from error
    if isinstance(output, list | tuple | dict):
        output = list(output.values()) if isinstance(output, dict) else list(output)
        if len(output) != 1:
            raise NoPrediction("The model has several outputs, or none, and one is asked.")
        output = output[0]
    array = np.asarray(output, dtype=np.float64)
    if array.shape[:1] != which.shape:
        shape = shape_of(array, of=model)
        raise NoPrediction(f"The model gives an output that has not one row for each row: {shape}.")
    return array


def _batch_size(model: Any) -> int:
    """Smaller for models with wide layers; sizes that are not known count as 100."""
    elements = 1
    for layer in model.layers:
        try:
            shape = tuple(layer.output.shape)[1:]
        except (AttributeError, ValueError):
            continue
        elements += math.prod(100 if size is None else size for size in shape)
    elements = max(
        elements, getattr(model, "numbers_per_row", 0)
    )  # of a rebuilt model: what is between its layers, too
    return max(1, min(_LARGEST_BATCH, _BATCH_ELEMENTS // elements))


def _class_count(labels: np.ndarray) -> int:
    """How many classes the labels need; 0 where they are no labels of classes."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return int(labels.shape[1])
    whole = labels.ndim in (1, 2) and bool((labels == np.floor(labels)).all()) and labels.min() >= 0
    return int(labels.max()) + 1 if whole and labels.max() < 10_000 else 0
