"""A Keras model as plain data without its weights, and made again from that, with rows that it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.extensions.networks.network import InTraining
from autograder.records.observations import MAX_NETWORK

_ROWS, _SIZE = 32, 8
"""Rows that are drawn, and the size of an axis that is free."""
_OF_TRAINING = (
    "keras.src.layers.regularization.",
    "keras.src.layers.preprocessing.image_preprocessing.",
    "keras.src.layers.normalization.spectral_normalization",
)
"""Where Keras keeps the layers that do something else in a training."""
_SHARES = ("dropout", "recurrent_dropout")
"""Settings of any other layer that does so."""


def description(model: Any) -> str:
    """Return JSON of what a model computes; empty if it is too large, or draws would not show it whole."""
    import keras

    if any(_is_not_seen(layer) for layer in model._flatten_layers()):
        return ""
    try:
        config = keras.saving.serialize_keras_object(model)
        text = json.dumps({"library": "keras", "model": config}, sort_keys=True)
    except (TypeError, ValueError, NotImplementedError):  # a constant among its operations, or a layer without config
        return ""
    return text if len(text) <= MAX_NETWORK else ""


def _is_not_seen(layer: Any) -> bool:
    """Return whether draws hide what a layer does, as one that was adapted or leaves rows out."""
    is_adapted = hasattr(layer, "adapt") and bool(layer.weights)
    return is_adapted or type(layer).__name__ == "Masking" or getattr(layer, "mask_zero", False)


def described(plain: Mapping[str, Any], seed: int) -> tuple[Any, Any]:
    """Return the model of a :func:`description` with new weights, and rows that it takes, which a seed determines.

    Raises:
        Exception: this Keras does not make it again.
    """
    import keras

    model = keras.saving.deserialize_keras_object(plain["model"])
    draw = np.random.default_rng(seed)
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


def in_training(model: Any) -> InTraining:
    """Return what a model does in a training alone."""
    import keras

    layers = list(model._flatten_layers())
    normalizations = sum(type(layer).__name__ == "BatchNormalization" for layer in layers)
    drops = [layer for layer in layers if isinstance(layer, keras.layers.Dropout)]
    draws = any(_draws(layer) for layer in layers if layer not in drops)
    return InTraining(normalizations, any(layer.rate for layer in drops), draws)


def _draws(layer: Any) -> bool:
    shares = (getattr(layer, name, None) for name in _SHARES)
    return type(layer).__module__.startswith(_OF_TRAINING) or any(shares)
