"""The library that a model belongs to. Runs in the student's kernel, or in their notebook; a claim."""

from __future__ import annotations

import sys
from typing import Any

from . import keras_model


def family(model: Any) -> str:
    """Tell by which library, or by which kind of object, a model predicts.

    Returns:
        ``keras``, ``torch``, ``sklearn``, ``theano`` (PyTensor's functions, too), ``predictor`` (an object of the
        student's own class that predicts), ``function``, or ``""`` for anything else.
    """
    if keras_model.is_model(model):
        return "keras"
    if is_a(model, "torch.nn", "Module"):
        return "torch"
    if is_a(model, "sklearn.base", "BaseEstimator"):
        return "sklearn"
    if isinstance(model, type):
        return ""
    if type(model).__name__ == "Function" and hasattr(getattr(model, "maker", None), "expanded_inputs"):
        return "theano"
    if callable(getattr(model, "predict", None)) or callable(getattr(model, "predict_proba", None)):
        return "predictor"
    return "function" if callable(model) else ""


def is_a(model: Any, module: str, name: str) -> bool:
    """Return whether the model's class derives from a class of a library that the student has imported."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(model, kind)
