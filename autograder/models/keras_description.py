"""A Keras model as plain data without its weights, and made again from that, with rows that it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

MAX_TEXT = 200_000
_ROWS, _SIZE = 32, 8
"""Rows that are drawn, and the size of an axis that is free."""
_SHARES = ("rate", "dropout", "recurrent_dropout", "stddev")
"""Settings of layers that do something at random in a training."""


def description(model: Any) -> str:
    """Return JSON of what a model computes; empty if it is too large, or holds arrays of its own."""
    import keras

    try:
        config = keras.saving.serialize_keras_object(model)
        text = json.dumps({"library": "keras", "model": config}, sort_keys=True)
    except (TypeError, ValueError, NotImplementedError):  # a constant among its operations, or a layer without config
        return ""
    return text if len(text) <= MAX_TEXT else ""


def described(plain: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the model of a :func:`description` with new weights, and rows that it takes.

    Raises:
        Exception: this Keras does not make it again.
    """
    import keras

    model = keras.saving.deserialize_keras_object(plain["model"])
    draw = np.random.default_rng(0)
    layers = list(model._flatten_layers())
    tables = [layer.input_dim for layer in layers if type(layer).__name__ == "Embedding"]
    inputs = model.inputs
    has_tokens = bool(tables) and len(inputs) == 1
    rows = []
    for tensor in inputs:
        shape = (_ROWS, *(size or _SIZE for size in tensor.shape[1:]))
        is_real = "float" in tensor.dtype and not has_tokens
        array = draw.normal(size=shape) if is_real else draw.integers(0, min(tables, default=2), shape)
        rows.append(array.astype("float32" if is_real else "int32"))
    return model, rows[0] if len(rows) == 1 else rows


def noise(model: Any) -> list[float]:
    """Return the shares that a model drops or adds at random in a training, in order of their size."""
    shares = [getattr(layer, name, None) for layer in model._flatten_layers() for name in _SHARES]
    return sorted(float(share) for share in shares if isinstance(share, int | float) and share)
