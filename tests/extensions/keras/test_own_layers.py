"""A convolution, a recurrence or a softmax of the student's own is not called wrong: a person decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.grids import each_once
from helpers.rebuilding import sent

from autograder import check
from autograder.models import rebuild
from autograder.records.checks import CheckResult, is_undecided

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


def with_own_cell(keras: Any) -> Any:
    class Cell(keras.layers.Layer):
        state_size = 4

        def build(self, shape: Any) -> None:
            self.w, self.u = self.add_weight(shape=(shape[-1], 4)), self.add_weight(shape=(4, 4))

        def call(self, x: Any, states: Any) -> Any:
            h = keras.ops.tanh(keras.ops.matmul(x, self.w) + keras.ops.matmul(states[0], self.u))
            return h, [h]

    return keras.Sequential([keras.Input((5, 3)), keras.layers.RNN(Cell()), keras.layers.Dense(2)])


def with_a_cell_of_layers(keras: Any) -> Any:
    class Cell(keras.layers.Layer):
        state_size = 4

        def __init__(self) -> None:
            super().__init__()
            self.of_input, self.of_state = keras.layers.Dense(4), keras.layers.Dense(4, use_bias=False)

        def build(self, shape: Any) -> None:
            self.of_input.build(shape)
            self.of_state.build((None, 4))

        def call(self, x: Any, states: Any) -> Any:
            h = keras.ops.tanh(self.of_input(x) + self.of_state(states[0]))
            return h, [h]

    return keras.Sequential([keras.Input((5, 3)), keras.layers.RNN(Cell()), keras.layers.Dense(2)])


def with_a_layer_for_each_step(keras: Any) -> Any:
    inputs = keras.Input((5, 3))
    step = keras.layers.Dense(4, "tanh")
    h = keras.ops.zeros_like(inputs[:, 0, :1]) * keras.ops.ones((1, 4))
    for position in range(5):
        h = step(keras.ops.concatenate([inputs[:, position], h], axis=-1))
    return keras.Model(inputs, keras.layers.Dense(2)(h))


def with_own_convolution(keras: Any) -> Any:
    class Convolution(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight(shape=(3, 3, shape[-1], 4))

        def call(self, x: Any) -> Any:
            import tensorflow as tf

            return tf.nn.conv2d(x, self.kernel, 1, "SAME")

    layers = [keras.Input((8, 8, 1)), Convolution(), keras.layers.Flatten(), keras.layers.Dense(2)]
    return keras.Sequential(layers)


def asked(model: Any, *layers: Any) -> CheckResult:
    with check.recording() as results:
        check.architecture(rebuild(*sent(model)), list(layers))
    return results[0]


@pytest.mark.parametrize(
    ("kind", "make"),
    each_once(["RNN", "SimpleRNN", "GRU", "LSTM"], [with_own_cell, with_a_cell_of_layers, with_a_layer_for_each_step]),
)
def test_a_cell_of_the_students_own_may_be_what_is_asked(keras: Any, kind: str, make: Any) -> None:
    result = asked(make(keras), check.layer(kind), check.dense(2))
    assert (result.fraction, is_undecided(result)) == (0.0, True)
    assert "a person decides" in result.message


def test_a_convolution_with_own_weights_may_be_what_is_asked(keras: Any) -> None:
    layers = [check.layer("Conv2D", filters=4), check.layer("Flatten"), check.dense(2)]
    result = asked(with_own_convolution(keras), *layers)
    assert (result.fraction, is_undecided(result)) == (0.0, True)


def with_own_softmax(keras: Any) -> Any:
    x = inputs = keras.Input((5,))
    x = keras.ops.exp(keras.layers.Dense(3)(x))
    return keras.Model(inputs, x / keras.ops.sum(x, axis=-1, keepdims=True))


def test_a_softmax_from_its_formula_is_what_is_asked(keras: Any) -> None:
    result = asked(with_own_softmax(keras), check.dense(3, "softmax"))
    assert (result.fraction, is_undecided(result)) == (1.0, False)
    result = asked(with_own_softmax(keras), check.dense(3, "sigmoid"))
    assert (result.fraction, is_undecided(result)) == (0.0, False)


def test_what_is_asked_otherwise_is_decided(keras: Any) -> None:
    wrong = asked(with_own_convolution(keras), check.layer("LSTM"), check.dense(2))
    assert (wrong.fraction, is_undecided(wrong)) == (0.0, False)
    plain = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    for kind in ("Conv2D", "LSTM"):
        result = asked(plain, check.layer(kind), check.layer("Flatten"), check.dense(2))
        assert (result.fraction, is_undecided(result)) == (0.0, False)
    stacked = keras.Sequential([keras.Input((5, 3)), *(keras.layers.Dense(2) for _ in range(3))])
    result = asked(stacked, check.layer("LSTM"), check.dense(2))
    assert (result.fraction, is_undecided(result)) == (0.0, False)
    assert np.isclose(asked(with_own_cell(keras), ..., check.dense(2)).fraction, 1)
