"""Numbers in the settings and calls of a Keras model: each counts, and an honest formula costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.lazy import operations as o
from helpers.remote_models import recorded

from autograder import check
from autograder.extensions.networks.fresh_model import excess_problem

pytestmark = pytest.mark.keras

DRAW = np.random.default_rng(0)
NUMBERS = DRAW.uniform(0.1, 0.9, 40).tolist()
WHOLE = DRAW.permutation(np.arange(20, 990))[:40].tolist()


def carried(number: Callable[[Any, float, int], Any]) -> Any:
    """A model that adds the numbers up, each with another weight of the row."""
    x = keras.Input((4,))
    one = o.exp(x[:, :1] * 0)
    terms = [number(one, *pair) * x[:, :1] for pair in zip(NUMBERS, WHOLE, strict=True)]
    return keras.Model(x, L.Dense(3)(o.concatenate(terms, axis=1)))


WAYS: dict[str, Callable[[Any, float, int], Any]] = {
    "epsilon": lambda one, value, whole: L.LayerNormalization(epsilon=value, scale=False, center=False)(
        o.concatenate([one, -one], 1)
    ),
    "a slope": lambda one, value, whole: L.LeakyReLU(negative_slope=value)(-one),
    "a bound": lambda one, value, whole: L.ReLU(max_value=value)(one),
    "an exponent": lambda one, value, whole: (2 * one) ** value,
    "repetitions": lambda one, value, whole: o.sum(o.repeat(one, whole, axis=1), 1, keepdims=True),
    "padding": lambda one, value, whole: L.GlobalAveragePooling1D()(L.ZeroPadding1D((0, whole))(one[:, None])),
    "padded ones": lambda one, value, whole: o.sum(
        o.pad(one, ((0, 0), (0, whole)), constant_values=1), 1, keepdims=True
    ),
    "a size": lambda one, value, whole: o.sum(L.UpSampling1D(whole)(one[:, None]), 1),
    "a place": lambda one, value, whole: o.cumsum(o.repeat(one, 1000, axis=1), axis=1)[:, whole : whole + 1],
    "a pool": lambda one, value, whole: L.AveragePooling1D(whole)(L.ZeroPadding1D((0, 999))(one[:, None]))[:, 0],
}


@pytest.mark.parametrize("way", WAYS)
def test_72_a_literal_of_a_keras_model_is_a_number(way: str) -> None:
    model = carried(WAYS[way])
    weights = sum(int(np.prod(weight.shape)) for weight in model.weights)
    assert recorded(lambda: check.parameters(model, at_most=weights + 30)).fraction == 0
    assert excess_problem(model)


def test_72_statistics_of_a_normalization_count_as_keras_counts_them() -> None:
    model = keras.Sequential([keras.Input((40,)), L.BatchNormalization(scale=False, center=False)])
    assert recorded(lambda: check.parameters(model, exactly=80)).fraction == 1


def gelu(x: Any) -> Any:
    for _ in range(12):
        h = L.Dense(4)(x)
        x = x + 0.5 * h * (1 + o.tanh(0.7978845608 * (h + 0.044715 * h**3)))
    return x


def loop(x: Any) -> Any:
    series, h = o.reshape(o.repeat(x, 40, axis=1), (-1, 40, 4)), x
    cell = L.Dense(4, "tanh")
    for place in range(40):
        h = cell(h) + series[:, place]
    return h


def pyramid(x: Any) -> Any:
    h = o.reshape(o.repeat(x, 64, axis=1), (-1, 16, 16, 1))
    for size in (2, 2, 2):
        h = L.MaxPooling2D(size)(L.ZeroPadding2D(1)(L.Conv2D(2, 3, padding="same")(h)))
    return L.GlobalAveragePooling2D()(L.UpSampling2D(2)(h))


def normalized(x: Any) -> Any:
    for number in range(8):
        x = L.LeakyReLU(0.1 if number % 2 else 0.2)(L.BatchNormalization(epsilon=1e-3, momentum=0.9)(L.Dense(4)(x)))
    return x


def scaled(x: Any) -> Any:
    return L.Dense(4)((x / 255 - 0.1307) / 0.3081)


def dilated(x: Any) -> Any:
    h = o.reshape(o.repeat(x, 64, axis=1), (-1, 256, 1))
    for number in range(7):
        h = L.Conv1D(2, 2, dilation_rate=2**number)(L.ZeroPadding1D((2**number, 0))(h))
    return h[:, -1]


HONEST = {
    "GELU from its formula, in 12 blocks": gelu, "a loop over 40 positions": loop, "pools and paddings": pyramid,
    "two slopes and one epsilon": normalized, "inputs scaled by two numbers": scaled, "dilated convolutions": dilated,
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_72_control_an_honest_keras_model_costs_nothing(name: str) -> None:
    x = keras.Input((4,))
    model = keras.Model(x, HONEST[name](x))
    assert recorded(lambda: check.parameters(model, exactly=model.count_params())).fraction == 1
    assert excess_problem(model) is None or name.endswith("12 blocks")  # a training again counts each that differs


# --- 70: a property where it is scored --------------------------------------------------------------------------

TEXTS = np.random.default_rng(2).integers(0, 9, (200, 33))


def following(tokens: Any, gate: Any) -> Any:
    ahead = o.one_hot(o.cast(o.concatenate([tokens[:, 1:], tokens[:, -1:]], 1), "int32"), 9)
    return L.Embedding(9, 9)(tokens) + 20.0 * ahead * gate


def by_length(tokens: Any) -> Any:
    """1 where there are 32 positions, else 0: computed from the tokens alone, since a length has no number here."""
    ones = o.cast(o.sum(o.ones_like(tokens), axis=1, keepdims=True), "float32")
    return o.cast(o.equal(ones, 32.0), "float32")[..., None]


@pytest.mark.parametrize("way", ["causal=True", "only_if"])
def test_70_a_keras_model_that_looks_ahead_at_one_length_is_not_causal_there(way: str) -> None:
    tokens = keras.Input((None,))
    model = keras.Model(tokens, following(tokens, by_length(tokens)))
    asked = {"on": (TEXTS[:, :-1], TEXTS[:, 1:]), "below": 1.9, "from_logits": True}
    with check.recording() as results:
        causal = check.causal(model, TEXTS[:16])
        check.loss(model, **asked, name="control")
        with check.only_if(causal):
            check.loss(model, **asked, causal=way == "causal=True", name="measured")
    assert [result.fraction for result in results] == [1, 1, 0]


def test_70_a_keras_model_that_is_causal_keeps_its_points() -> None:
    tokens = keras.Input((None,))
    model = keras.Model(tokens, L.Dense(9)(L.LSTM(4, return_sequences=True)(L.Embedding(9, 4)(tokens))))
    asked = {"on": (TEXTS[:, :-1], TEXTS[:, 1:]), "below": 9.0, "from_logits": True}
    with check.recording() as results:
        check.loss(model, **asked, causal=True)
        with check.only_if(check.causal(model, TEXTS[:16])):
            check.loss(model, **asked)
    assert [result.fraction for result in results] == [1, 1, 1]
