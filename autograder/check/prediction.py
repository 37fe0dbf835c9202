"""A model's predictions, in bounded memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_BATCH_ELEMENTS = 32_000_000
"""The numbers that all layers together may give for one batch (128 MB as float32)."""

_LARGEST_BATCH = 1024


class NoPrediction(Exception):
    """The model gives no usable predictions; ``str(error)`` is for the student."""


def predictions(model: Any, inputs: Any) -> np.ndarray:
    """The outputs for all rows as a float64 array, rows first.

    The layers are called directly (``training=False``): nothing that ``predict`` or ``evaluate`` were
    patched to be has a part in it.

    Args:
        model: a built ``keras.Model`` with one output.
        inputs: an array with rows first, or a list, tuple or dict of such arrays for a model with several
        inputs.

    Raises:
        NoPrediction: the model does not accept these rows, or gives something else than one array.
    """
    rows = row_count(inputs)
    size = _batch_size(model)
    parts = []
    for start in range(0, rows, size):
        batch = _slice(inputs, start, start + size)
        try:
            output = model(batch, training=False)
        except Exception as error:
            raise NoPrediction(
                f"The model does not accept rows of the shape {_shapes(inputs)} ({type(error).__name__})."
            ) from error
        if isinstance(output, list | tuple | dict):
            output = list(output.values()) if isinstance(output, dict) else list(output)
            if len(output) != 1:
                raise NoPrediction(f"The model has {len(output)} outputs, and one is asked.")
            output = output[0]
        array = np.asarray(output, dtype=np.float64)
        if array.shape[:1] != (min(size, rows - start),):
            raise NoPrediction(f"The model gives an output of the shape {array.shape}, not one row for each row.")
        parts.append(array)
    return np.concatenate(parts)


def row_count(inputs: Any) -> int:
    """How many rows the data have; -1 where the arrays disagree."""
    counts = {len(array) for array in _arrays(inputs)}
    return counts.pop() if len(counts) == 1 else -1


def _arrays(inputs: Any) -> list[Any]:
    if isinstance(inputs, dict):
        return list(inputs.values())
    return list(inputs) if isinstance(inputs, list | tuple) else [inputs]


def _slice(inputs: Any, start: int, stop: int) -> Any:
    if isinstance(inputs, dict):
        return {key: np.asarray(array)[start:stop] for key, array in inputs.items()}
    if isinstance(inputs, list | tuple):
        return [np.asarray(array)[start:stop] for array in inputs]
    return np.asarray(inputs)[start:stop]


def _shapes(inputs: Any) -> str:
    return ", ".join(str(np.shape(array)[1:]) for array in _arrays(inputs))


def _batch_size(model: Any) -> int:
    """Smaller for models with wide layers; sizes that are not known count as 100."""
    elements = 1
    for layer in model.layers:
        try:
            shape = tuple(layer.output.shape)[1:]
        except (AttributeError, ValueError):
            continue
        elements += math.prod(100 if size is None else size for size in shape)
    return max(1, min(_LARGEST_BATCH, _BATCH_ELEMENTS // elements))
