"""Describes a Keras model as plain values and raw arrays. Runs inside the student's kernel.

Imports nothing of the package, and Keras only where the student has already imported it. What it returns
is a claim: the examiner believes nothing of it that it can not rebuild.
"""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

import numpy as np

_DEPTH = 60


def is_model(obj: Any) -> bool:
    """Whether ``obj`` is a ``keras.Model``; False, without an import, where Keras is not loaded."""
    keras = sys.modules.get("keras")
    model = getattr(keras, "Model", None)
    return isinstance(model, type) and isinstance(obj, model)


def claim(model: Any) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What ``model`` says about itself, as a JSON-able dict and raw arrays.

    Returns:
        The dict has ``kind`` (Sequential, Functional or Subclassed), ``name``, ``config`` (``get_config()``;
        None where there is none), ``input_shape``, ``output_shape``, ``compile`` (``get_compile_config()``),
        ``history`` (name → list of floats), ``weights`` ([path, trainable] for each array), ``shared`` (a
        weight is in two places of ``model.layers``) and ``problems`` (what could not be read). The arrays are
        in the order of ``model.layers``, and in each of ``layer.weights``.
    """
    problems: list[str] = []

    def attempt(what: str, read: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a warning here would appear among the student's outputs
                return _plain(read())
        except Exception as error:
            problems.append(f"{what}: {type(error).__name__}")
            return None

    variables = _variables(model)
    described = {
        "kind": _kind(model),
        "name": attempt("name", lambda: str(model.name)),
        "config": attempt("config", model.get_config),
        "input_shape": attempt("input_shape", lambda: model.input_shape),
        "output_shape": attempt("output_shape", lambda: model.output_shape),
        "compile": attempt("compile", model.get_compile_config),
        "history": _history(model),
        "weights": [[str(getattr(v, "path", "")), bool(getattr(v, "trainable", True))] for v in variables],
        "shared": len({id(v) for v in variables}) < len(variables),
        "problems": problems,
    }
    return described, [_array(variable) for variable in variables]


def _kind(model: Any) -> str:
    """By exact class: a subclass may have another forward pass than its layers say."""
    keras = sys.modules["keras"]
    if type(model) is keras.Sequential:
        return "Sequential"
    functional = getattr(sys.modules.get("keras.src.models.functional"), "Functional", None)
    return "Functional" if type(model) is functional else "Subclassed"


def _variables(model: Any) -> list[Any]:
    try:
        layers = list(model.layers)
        return [variable for layer in layers for variable in layer.weights]
    except Exception:
        return []


def _array(variable: Any) -> np.ndarray:
    array = np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)
    if array.dtype.kind == "f":
        return array
    return array.astype(np.float32)  # bfloat16 and the like: exact in float32


def _history(model: Any) -> dict[str, list[float]]:
    """The learning curves of the last ``fit``; {} where there are none. Values that are no numbers are
    NaN."""
    try:
        history = getattr(getattr(model, "history", None), "history", None)
        if not isinstance(history, dict):
            return {}
        return {str(name): [_number(value) for value in values] for name, values in history.items()}
    except Exception:
        return {}


def _number(value: Any) -> float:
    try:
        return float(value)
    except Exception:
        return math.nan


def _plain(value: Any, depth: int = 0) -> Any:
    """The value with JSON's types alone: tuples are lists, what has no counterpart is ``{"unsupported":
    type}``."""
    if depth > _DEPTH:
        return {"unsupported": "nested too deeply"}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), depth + 1)
    if isinstance(value, (int, float, str)):
        base = next(kind for kind in (bool, int, float, str) if isinstance(value, kind))
        return base(value)
    return {"unsupported": type(value).__name__}
