"""A pattern may name each class of ``keras.layers`` that a rebuilt model can have, by each of its names."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.model_layers import CASES, WRAPPED

from autograder import check
from autograder.records.checks import Outcome

pytestmark = pytest.mark.keras

CANNOT = {
    "Layer": "a base class", "Wrapper": "a base class", "Lambda": "code of the student's",
    "InputLayer": "no pattern counts the inputs", "StackedRNNCells": "asked for as its cells", "MaxNumBoundingBoxes": "works on no tensors of a model",
    **dict.fromkeys(["TFSMLayer", "FlaxLayer", "JaxLayer", "TorchModuleWrapper"], "a program that is not Keras"),
}  # fmt: skip
"""Class that cannot be asked for → why."""


def chain(*layers: Any, shape: Any, dtype: str = "float32") -> Any:
    inputs = value = keras.Input(shape, dtype=dtype)
    for layer in layers:
        value = layer(value)
    return keras.Model(inputs, value)


def of_two(layer: Any, shape: Any = (5, 4), dtype: str = "float32") -> Any:
    inputs = [keras.Input(shape, dtype=dtype), keras.Input(shape, dtype=dtype)]
    value = layer(*inputs) if "MultiHead" in type(layer).__name__ or "Query" in type(layer).__name__ else layer(inputs)
    return keras.Model(inputs, value)


ADAPTED = {"IntegerLookup": np.arange(5), **dict.fromkeys(("StringLookup", "TextVectorization"), np.array(["a", "b"]))}
JOINS = "Add Subtract Multiply Average Maximum Minimum Concatenate Attention AdditiveAttention"


def models() -> dict[str, Any]:
    """Name of a class → a model with a layer of it."""
    found: dict[str, Any] = {}
    for dtype, name, settings, shape in CASES:
        layer = getattr(L, name)(**settings)
        if hasattr(layer, "adapt") and not layer.built:
            with suppress(ValueError, AttributeError):  # what it would learn is given
                layer.adapt(ADAPTED.get(name, np.ones((4, *shape), "float32")))
        found.setdefault(name, chain(layer, shape=shape, dtype=dtype))
    for shape, make in WRAPPED.values():
        made = make(L)
        for layer in made:
            found.setdefault(type(layer).__name__, chain(*made, shape=shape))
    for name in JOINS.split():
        found[name] = of_two(getattr(L, name)())
    found["ReLU"] = chain(L.ReLU(), shape=(4,))
    found["StackedRNNCells"] = chain(L.RNN(L.StackedRNNCells([L.GRUCell(3), L.GRUCell(2)])), shape=(5, 4))
    found["SimpleRNNCell"] = chain(L.RNN(L.SimpleRNNCell(3)), shape=(5, 4))
    found["GRUCell"] = chain(L.RNN(L.GRUCell(3)), shape=(5, 4))
    found["LSTMCell"] = chain(L.RNN(L.LSTMCell(3)), shape=(5, 4))
    found["HashedCrossing"] = of_two(L.HashedCrossing(8), (1,), "int64")
    found["Dot"] = of_two(L.Dot(axes=-1))
    found["MultiHeadAttention"] = of_two(L.MultiHeadAttention(2, 2))
    found["GroupedQueryAttention"] = of_two(L.GroupQueryAttention(2, 2, 1))
    return found


def test_each_layer_of_the_library_can_be_asked_for_by_each_of_its_names() -> None:
    made, cannot = models(), {}
    for name, cls in sorted(vars(keras.layers).items()):
        if not inspect.isclass(cls) or not issubclass(cls, keras.layers.Layer):
            continue
        model = made.get(cls.__name__) or chain(L.Dense(3), shape=(4,))
        with check.recording() as results:
            check.architecture(model, [..., check.layer(name), ...])
        if results[0].outcome is not Outcome.PASSED:
            cannot[name] = results[0].message
    assert cannot.keys() ^ CANNOT.keys() == set(), cannot
