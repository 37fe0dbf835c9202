"""Twins of networks have their size, which is known before anything of it is allocated."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.lazy import keras

from autograder.check.steps import steps
from autograder.extensions.diagnosis.trials.keras_twin import keras_twin
from autograder.models.network import NumberCounts

pytestmark = pytest.mark.keras


def size(model: Any) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def network(*layers: Any, shape: tuple[int, ...], trainable: int | None = None) -> Any:
    """A network of another library with the steps of a Keras model, and channels first."""
    model = keras.Sequential([keras.Input(shape), *layers])
    first = (None, *(shape if len(shape) < 3 else (shape[2], *shape[:2])))
    own = size(model)
    counts = NumberCounts(own, own if trainable is None else trainable, 0)
    return SimpleNamespace(
        input_shape=first,
        output_shape=model.output_shape,
        is_unusual=False,
        steps=lambda vocabulary: steps(model),
        counts=lambda: counts,
    )


def chain() -> list[Any]:
    return [keras.layers.Dense(8, use_bias=False), keras.layers.BatchNormalization(), keras.layers.Dense(4)]


def pictures() -> list[Any]:
    return [
        keras.layers.Conv2D(4, (3, 2), padding="same"),
        keras.layers.ReLU(),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(3),
    ]


@pytest.mark.parametrize(("layers", "shape"), [(chain, (6,)), (pictures, (8, 8, 2))])
def test_a_twin_is_as_large_as_its_network(layers: Any, shape: tuple[int, ...]) -> None:
    original = network(*layers(), shape=shape)
    twin = keras_twin(original)
    assert size(twin) == original.counts().trainable
    assert twin.output_shape == original.output_shape


def test_nothing_is_allocated_for_a_network_of_another_size(monkeypatch: pytest.MonkeyPatch) -> None:
    original = network(*chain(), shape=(6,), trainable=7)
    monkeypatch.setattr("keras.Sequential", lambda layers: pytest.fail("a model was built"))
    assert keras_twin(original) is None
