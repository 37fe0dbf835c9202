"""The predictions of a model of any library. Runs in the student's kernel, or in their notebook; a claim."""

from __future__ import annotations

from typing import Any

from . import model_family


def predict(model: Any, inputs: Any, how: str) -> Any:
    """Compute the model's output for one batch.

    Args:
        model: the student's model.
        inputs: an array with rows first, or a list or dict of such arrays.
        how: the method, from :func:`model_questions.describe`.

    Returns:
        A plain array; a list of arrays if there are several outputs.
    """
    first = inputs[0] if isinstance(inputs, list) else next(iter(inputs.values())) if _dict(inputs) else inputs
    family: Any = model_family.family_of(model)
    return as_array(family.predict(model, inputs, how), len(first))


def _dict(value: Any) -> bool:
    return isinstance(value, dict)


def as_array(value: Any, rows: int) -> Any:
    """Convert a model's output to numpy arrays of numbers or texts; a single output is taken out of its list.

    Beside outputs with rows, what has none is left out: a loss, and None in its place.
    """
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        items = [_numpy(item) for item in value if item is not None]
        items = [item for item in items if item.ndim]
        if len(items) == 1 and len(items[0]) == rows:
            return _plain(items[0])
        if items and len(items) != rows:
            return [_plain(item) for item in items]
        value = items or value
    return _plain(_numpy(value))


def _numpy(value: Any) -> Any:
    import numpy as np

    for step in ("detach", "cpu", "toarray", "to_numpy", "numpy"):  # PyTorch; sparse; pandas; TensorFlow
        method = None if isinstance(value, (np.ndarray, list, tuple)) else getattr(value, step, None)
        value = method() if callable(method) else value
    return np.asarray(value)


def _plain(array: Any) -> Any:
    import numpy as np

    if array.dtype == object:
        array = np.array(array.tolist())
    if array.dtype.kind in "biuUcO" or array.dtype in (np.float32, np.float64):
        return np.array(array, subok=False)  # objects and complex numbers: the examiner reports the problem
    return array.astype(np.float64)  # half precision, bfloat16, long double
