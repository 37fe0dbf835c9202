"""Functional models: connections, operations on tensors, masks, attention, models inside models."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.graphs import GRAPHS
from helpers.rebuilding import assert_equal_after_rebuilding, sent

from autograder.examiner.models import RefusedModel, rebuild
from autograder.examiner.models.parts import ACTIVATIONS
from autograder.examiner.models.table_operations import OPERATIONS

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
Operate = Callable[[Any, Any, Any], Any]

OPERATORS: dict[str, Operate] = {
    "arithmetic": lambda o, x, y: (x + y) * 2 - y / 3.0 + (-x) ** 2 + abs(y) + x // 2 + x % 2,
    "comparisons": lambda o, x, y: [x < y, x <= 1.0, x > y, x >= y, o.equal(x, y), o.not_equal(x, 0.0)],
    "logic": lambda o, x, y: o.logical_or(o.logical_and(x > 0, y > 0), o.logical_not(o.logical_xor(x > 1, y > 1))),
    "slices": lambda o, x, y: [x[:, 0], x[..., 1:3], x[:, ::-1], x[:, None, -1], x[:, 1:, ::2]],
    "matmul": lambda o, x, y: [x @ o.transpose(y, (0, 2, 1)), o.dot(x, np.ones((4, 2), "float32"))],
    "constants": lambda o, x, y: x * np.array([1.0, 2.0, 3.0, 4.0], "float32") + np.float32(2),
    "einsum": lambda o, x, y: [o.einsum("bij,bkj->bik", x, y), o.einsum("...ij,...ij->...i", x, y)],
    "where": lambda o, x, y: o.where(x > y, x, 0.0),
    "activations": lambda o, x, y: [
        f(x) for f in (o.relu, o.sigmoid, o.softmax, o.silu, o.gelu, o.elu, o.selu, o.softplus, o.log_softmax)
    ],
    "more activations": lambda o, x, y: [
        o.leaky_relu(x, 0.3), o.gelu(x, approximate=False), o.hard_tanh(x), o.celu(x, 0.5), o.glu(x), o.sparsemax(x)
    ],
    "reductions": lambda o, x, y: [
        o.sum(x, axis=-1), o.mean(x, axis=(1, 2)), o.max(x, axis=1, keepdims=True), o.min(y, axis=1), o.std(x, axis=1),
        o.var(x, axis=-1), o.prod(x, axis=1), o.argmax(x, axis=-1), o.any(x > 1, axis=1), o.all(x > 0, axis=1),
        o.logsumexp(x, axis=-1), o.median(x, axis=1), o.count_nonzero(x, axis=1), o.norm(x, axis=-1),
    ],
    "shapes": lambda o, x, y: [
        o.reshape(x, (-1, 4)), o.reshape(x, (-1, 10, 2)), o.transpose(x, (0, 2, 1)), o.expand_dims(x, 1),
        o.squeeze(o.expand_dims(x, 1), 1), o.swapaxes(x, 1, 2), o.moveaxis(x, 1, 2), o.flip(x, axis=1), o.roll(x, 1, axis=1),
    ],
    "joins": lambda o, x, y: [
        o.concatenate([x, y], axis=-1), o.hstack([x, y]), o.dstack([x, y]), o.stack([x, y], axis=1), o.append(x, y, axis=1),
    ],
    "pieces": lambda o, x, y: [*o.split(x, 2, axis=-1), *o.unstack(x, axis=1), *o.split(x, [1, 3], axis=1)],
    "repeats": lambda o, x, y: [
        o.repeat(x, 2, axis=1), o.tile(x, (1, 2, 1)), o.pad(x, ((0, 0), (1, 1), (0, 0))), o.pad(x, ((0, 0), (0, 1), (2, 0)), constant_values=3.0),
    ],
    "orders": lambda o, x, y: [o.sort(x, axis=-1), o.argsort(x), *o.top_k(x, 2), o.cumsum(x, axis=1), o.diff(x, axis=1)],
    "rounding": lambda o, x, y: [o.clip(x, 0.5, 1.0), o.round(x, 1), o.floor(x), o.ceil(x), o.sign(x), o.trunc(x)],
    "powers": lambda o, x, y: [o.exp(x), o.log(x + 1), o.log1p(x), o.sqrt(x), o.square(x), o.rsqrt(x + 1), o.power(x, 2), o.reciprocal(x + 1)],
    "angles": lambda o, x, y: [o.sin(x), o.cos(x), o.tan(x), o.tanh(x), o.sinh(x), o.arctan2(x, y), o.arcsin(x / 3)],
    "types": lambda o, x, y: [o.cast(x, "int32"), o.cast(x, "float16"), o.ones_like(x), o.zeros_like(x), o.full_like(x, 2), o.stop_gradient(x)],
    "lookups": lambda o, x, y: [o.take(x, np.array([0, 2]), axis=1), o.one_hot(o.cast(x, "int32"), 4), o.take_along_axis(x, o.argsort(y, axis=1), axis=1)],
    "products": lambda o, x, y: [o.tensordot(x, np.ones((4, 2), "float32"), axes=1), o.inner(x, np.ones((4,), "float32")), o.normalize(x), o.tril(x), o.triu(x, k=1), o.trace(x, axis1=1, axis2=2), o.diagonal(x, axis1=1, axis2=2), o.average(x, axis=1), o.cross(x[..., :3], y[..., :3])],
    "pooling": lambda o, x, y: [o.max_pool(x, 2, 1), o.average_pool(x, 2, padding="same")],
    "pairs": lambda o, x, y: [o.maximum(x, y), o.minimum(x, 1.0), o.isclose(x, y), o.isnan(x), o.hypot(x, y), o.logaddexp(x, y), o.nan_to_num(x), o.fmod(x, 2.0), o.divide_no_nan(x, y)],
}  # fmt: skip


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
