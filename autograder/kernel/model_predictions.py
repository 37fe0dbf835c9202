"""The predictions of a model of any library. Runs in the student's kernel, or in their notebook; a claim."""

from __future__ import annotations

import sys
from typing import Any

from . import model_family, model_inputs


def predict(model: Any, inputs: Any, how: str) -> Any:
    """Compute the model's output for one batch.

    Args:
        model: the student's model.
        inputs: an array with rows first, or a list or dict of such arrays.
        how: the method, from :func:`model_questions.describe`.

    Returns:
        A plain array; a list of arrays if there are several outputs.
    """
    family = model_family.family(model)
    rows = len(inputs[0] if isinstance(inputs, list) else next(iter(inputs.values())) if _dict(inputs) else inputs)
    if family == "keras":
        called = lambda *given, **named: model(*given, **named, training=False)  # noqa: E731
        return as_array(model_inputs.passed(called, model_inputs.arranged(model, inputs)), rows)
    if family == "torch":
        return as_array(_torch(model, inputs), rows)
    function = getattr(model, how) if how in ("predict", "predict_proba", "decision_function") else model
    try:
        return as_array(model_inputs.passed(function, inputs), rows)
    except Exception:
        single = _single(inputs)
        if single is None:
            raise
        return as_array(model_inputs.passed(function, single), rows)


def _dict(value: Any) -> bool:
    return isinstance(value, dict)


def _single(inputs: Any) -> Any:
    """Convert float64 to float32, in which most networks compute; None if there is nothing to convert."""
    import numpy as np

    if isinstance(inputs, dict):
        converted = _single(list(inputs.values()))
        return None if converted is None else dict(zip(inputs, converted))  # noqa: B905 - not in Python 3.9
    if isinstance(inputs, list):
        singles = [_single(array) for array in inputs]
        changed = any(array is not None for array in singles)
        pairs = zip(inputs, singles)  # noqa: B905 - not in Python 3.9
        return [old if new is None else new for old, new in pairs] if changed else None
    return inputs.astype(np.float32) if isinstance(inputs, np.ndarray) and inputs.dtype == np.float64 else None


def _torch(model: Any, inputs: Any) -> Any:
    import numpy as np

    torch = sys.modules["torch"]
    floating = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)

    def tensor(array: Any) -> Any:
        converted = torch.as_tensor(np.array(array))
        return converted.to(floating) if converted.is_floating_point() else converted

    flags = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            if not isinstance(inputs, (dict, list)):
                return model(tensor(inputs))
            if isinstance(inputs, list):
                tensors: Any = [tensor(array) for array in inputs]
                return model_inputs.passed(lambda *given: model(*(given[0] if len(given) == 1 else given)), tensors)
            tensors = {key: tensor(array) for key, array in inputs.items()}
            return model_inputs.passed(lambda *given, **named: model(*given, **named), tensors)
    finally:
        for part, training in flags:
            part.training = training


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
