"""Functional models: connections, operations on tensors, masks, attention, models inside models."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from helpers.graphs import GRAPHS
from helpers.model_operators import OPERATORS
from helpers.rebuilding import assert_equal_after_rebuilding, sent

from autograder.extensions.keras.parts import ACTIVATIONS
from autograder.extensions.keras.table_operations import OPERATIONS
from autograder.models import RefusedModel, rebuild

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def keras() -> Any:
    """Keras, with a fixed seed."""
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(3)
    return keras


@pytest.mark.parametrize("name", GRAPHS)
def test_a_rebuilt_graph_computes_the_same(keras: Any, name: str) -> None:
    assert_equal_after_rebuilding(GRAPHS[name](keras))


@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"])
def test_branches_join_as_they_did(keras: Any, name: str) -> None:
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    joined = getattr(keras.layers, name)()([keras.layers.Dense(4)(first), second])
    assert_equal_after_rebuilding(keras.Model([first, second], keras.layers.Dense(2)(joined)))


# --- operations ----------------------------------------------------------------------------------------

A, B = (5, 4), (5, 4)


@pytest.mark.parametrize("name", OPERATORS)
def test_operations_between_layers_are_rebuilt(keras: Any, name: str) -> None:
    x, y = keras.Input(A), keras.Input(B)
    assert_equal_after_rebuilding(keras.Model([x, y], OPERATORS[name](keras.ops, keras.layers.Dense(4)(x), y)))


def test_activations_called_as_functions_are_rebuilt(keras: Any) -> None:
    x, outputs = keras.Input(A), []
    for name in sorted(ACTIVATIONS):
        with contextlib.suppress(ValueError, TypeError):  # not all of them take the tensors of a model
            outputs.append(getattr(keras.activations, name)(x))
    assert len(outputs) > 25
    outputs.append(keras.activations.relu(x, negative_slope=0.1, max_value=2.0))
    assert_equal_after_rebuilding(keras.Model(x, outputs))


def test_every_operation_of_the_table_is_one_of_keras(keras: Any) -> None:
    missing = [
        o.function
        for o in OPERATIONS.values()
        if o.function != "get_item" and not hasattr(getattr(keras, o.package), o.function)
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("build", "message", "kind"),
    [
        (lambda o, x: o.fft((x, x))[0], "The operation 'FFT' cannot be graded", True),
        (lambda o, x: o.unstack(o.tile(x, (1, 100, 1)), axis=1)[0], "more than 256 tensors", False),
        (lambda o, x: o.tile(x, (1, 4096, 4096)), "too large", False),
        (lambda o, x: o.one_hot(o.cast(x, "int32"), 10_000_000), "too large", False),
        (lambda o, x: o.einsum("bij,bkl->bijkl", *[o.tile(x, (1, 100, 10))] * 2), "too large", False),
        (lambda o, x: o.einsum("bij,bkl->b", *[o.tile(x, (1, 200, 100))] * 2), "more computation", False),
    ],
)  # fmt: skip
def test_operations_that_ask_for_too_much_are_refused(keras: Any, build: Any, message: str, kind: bool) -> None:
    x = keras.Input(A)
    claimed, arrays = sent(keras.Model(x, build(keras.ops, x)))
    with pytest.raises(RefusedModel, match=message) as caught:
        rebuild(claimed, arrays)
    assert caught.value.kind_refused is kind


def test_long_attention_is_refused(keras: Any) -> None:
    """A million positions by a million would be a tera of scores."""
    x = keras.Input((1_000_000, 2))
    claimed, arrays = sent(keras.Model(x, keras.layers.MultiHeadAttention(1, 1)(x, x)))
    with pytest.raises(RefusedModel, match="too large"):
        rebuild(claimed, arrays)


def test_deep_computation_is_refused(keras: Any) -> None:
    """Convolutions on a large picture: little memory, few weights, and hours of time."""
    x = y = keras.Input((224, 224, 8))
    for _ in range(40):
        y = keras.layers.Conv2D(8, 32, padding="same")(y)
    with pytest.raises(RefusedModel, match="more computation"):
        rebuild(*sent(keras.Model(x, y)))


def test_many_joins_side_by_side_are_no_growth(keras: Any) -> None:
    """As in a DenseNet: what is joined along the features has as many rows as before."""
    x = y = keras.Input((4, 4, 2))
    for i in range(30):
        y = (
            keras.layers.Concatenate()([y, keras.layers.Conv2D(2, 1)(y)])
            if i % 2
            else keras.ops.concatenate([y, x], -1)
        )
    assert rebuild(*sent(keras.Model(x, y))).output_shape == (None, 4, 4, 62)


def test_two_layers_with_a_weight_in_common_are_refused(keras: Any) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(4, name="b")])
    model.layers[1]._trainable_variables[0] = model.layers[0].kernel
    with pytest.raises(RefusedModel, match="share a weight") as caught:
        rebuild(*sent(model))
    assert caught.value.kind_refused
