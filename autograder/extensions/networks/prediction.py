"""A model's predictions, in bounded memory."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from autograder.check.prediction_cache import predictions_of
from autograder.check.properties import Prediction
from autograder.check.words import shape_of
from autograder.extensions.networks.external_predictions import (
    DEPENDS_ON_OTHER_ROWS,
    chosen_output,
    predict_external,
)
from autograder.extensions.networks.network import Network
from autograder.extensions.networks.rows import (
    NoPrediction,
    has_text,
    rejection,
    row_count,
    rows_to_repeat,
    same_answers,
    secret_batches,
    secret_order,
    take_rows,
)
from autograder.extensions.networks.subject import is_examined
from autograder.kernel.model_inputs import arranged, passed
from autograder.models.computing_process import EndedComputation

__all__ = ["NoPrediction", "predict", "predictions", "row_count"]

_BATCH_ELEMENTS = 32_000_000
"""Most numbers that all layers together may produce for one batch (128 MB as float32)."""

_LARGEST_BATCH = 4096


def predictions(model: Any, inputs: Any) -> np.ndarray:
    """Return the outputs for all rows as a float64 array, rows first; see :func:`predict`."""
    return predict(model, inputs).outputs


def predict(
    model: Any,
    inputs: Any,
    labels: np.ndarray | None = None,
    *,
    decided: bool = False,
    part: int | None = None,
    like: Any = None,
) -> Prediction:
    """Return the outputs for all rows, with a remark if there is something to say about them.

    A model that this process does not hold is queried by :func:`external_predictions.predict_external`. A
    Keras model's layers are called directly with ``training=False``, so that a patched ``predict`` or ``evaluate`` has
    no effect. The model gets the rows in an order of the examiner's, and some rows twice, among different rows.

    Args:
        model: a built ``keras.Model`` with one output, or another model that predicts.
        inputs: an array, rows first, or a list, tuple or dict of such arrays for a model with several inputs. A Keras
            model gets them in its own order or under its own names.
        labels: one-hot or whole numbers; they tell how many classes there are, if an estimator does not know them all.
            The model never gets them.
        decided: ask an estimator for the class, not for the probability of each class.
        part: the number of the output, if the model has several; None if it must have one.
        like: rows of which these are a changed copy. A model of this process gets each row beside the same ones.

    Raises:
        NoPrediction: the model does not accept these rows, does not return exactly one array, or gives different
            answers for the same row.
    """
    if not is_examined(model):
        classes = 0 if labels is None else _class_count(labels)
        return predict_external(model, inputs, classes, decided=decided, part=part)
    rows = inputs if part is None else [part, inputs]
    return Prediction(
        predictions_of(model, rows, lambda: _outputs(model, inputs, part, like)),
        model.remark if hasattr(type(model), "remark") else "",
    )


def _outputs(model: Any, inputs: Any, part: int | None, like: Any) -> np.ndarray:
    """Return the outputs in the order of the rows; the model gets the rows shuffled, and some of them twice."""
    order = secret_order(inputs if like is None else like)
    size = _batch_size(model)
    outputs = np.concatenate(
        [_answer(model, inputs, order[start : start + size], part) for start in range(0, len(order), size)]
    )
    outputs[order] = outputs.copy()
    if has_text(inputs):
        return outputs
    again = rows_to_repeat(order)[:size]
    # A network may mix rows by their number.
    for batch in secret_batches(again, inputs) if isinstance(model, Network) else [again]:
        if not same_answers(_answer(model, inputs, batch, part), outputs[batch]):
            raise NoPrediction(DEPENDS_ON_OTHER_ROWS)
    return outputs


def _answer(model: Any, inputs: Any, rows: np.ndarray, part: int | None) -> np.ndarray:
    """Return the outputs for some rows."""
    try:
        if isinstance(model, Network):
            output: Any = model.outputs(take_rows(inputs, rows))
        else:
            output = passed(partial(model, training=False), arranged(model, take_rows(inputs, rows)))
    except EndedComputation as error:
        raise NoPrediction(str(error)) from error
    except Exception as error:
        raise rejection(inputs, error) from error
    if isinstance(output, list | tuple | dict):
        output = chosen_output(list(output.values()) if isinstance(output, dict) else list(output), part)
    array = np.asarray(output, dtype=np.float64)
    if array.shape[:1] != rows.shape:
        shape = shape_of(array, of=model)
        raise NoPrediction(f"The model does not give one output row for each input row: {shape}.")
    return array


def _batch_size(model: Any) -> int:
    """Return the rows of a batch, fewer for models with wide layers; an unknown size counts as 100."""
    elements = 1
    for layer in () if isinstance(model, Network) else model.layers:
        try:
            shape = tuple(layer.output.shape)[1:]
        except (AttributeError, ValueError):
            continue
        elements += math.prod(100 if size is None else size for size in shape)
    elements = max(
        elements, getattr(model, "numbers_per_row", 0)
    )  # a rebuilt model also knows the numbers between its layers
    return max(1, min(_LARGEST_BATCH, _BATCH_ELEMENTS // elements))


def _class_count(labels: np.ndarray) -> int:
    """Return how many classes the labels need; 0 if they are not class labels."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return int(labels.shape[1])
    whole = labels.ndim in (1, 2) and bool((labels == np.floor(labels)).all()) and labels.min() >= 0
    return int(labels.max()) + 1 if whole and labels.max() < 10_000 else 0
