"""One computation, however it is written, fits one pattern: activations, wrappers, and operations that are layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers.grids import each_once
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.lazy import operations as o
from helpers.rebuilding import sent

from autograder import check
from autograder.errors import CourseError
from autograder.models import rebuild
from autograder.records.checks import Outcome

pytestmark = pytest.mark.keras

Net = Callable[[Any], Any]


def model_of(make: Net, *shape: int) -> Any:
    inputs = keras.Input(shape)
    return keras.Model(inputs, make(inputs))


def message_of(model: Any, pattern: list[Any]) -> str:
    """The failure's message; empty where the architecture fits."""
    with check.recording() as results:
        check.architecture(model, pattern)
    return "" if results[0].outcome is Outcome.PASSED else results[0].message


def both_messages(model: Any, pattern: list[Any]) -> set[str]:
    """Of the model in a notebook, and of the one that the examiner makes of it."""
    return {message_of(model, pattern), message_of(rebuild(*sent(model)), pattern)}


# --- activations ---------------------------------------------------------------------------------------


def tf_nn(name: str) -> Any:
    import tensorflow as tf

    return getattr(tf.nn, name)


SPELLINGS: dict[str, Callable[[str], Net]] = {
    "argument": lambda name: lambda x: L.Dense(4, activation=name)(x),
    "a function as the argument": lambda name: lambda x: L.Dense(4, activation=getattr(keras.activations, name))(x),
    "an operation as the argument": lambda name: lambda x: L.Dense(4, activation=getattr(o, name))(x),
    "Activation": lambda name: lambda x: L.Activation(name)(L.Dense(4)(x)),
    "Activation of an operation": lambda name: lambda x: L.Activation(getattr(o, name))(L.Dense(4)(x)),
    "keras.ops": lambda name: lambda x: getattr(o, name)(L.Dense(4)(x)),
    "keras.activations": lambda name: lambda x: getattr(keras.activations, name)(L.Dense(4)(x)),
}
NAMES = "relu relu6 leaky_relu elu selu celu gelu silu swish sigmoid hard_sigmoid tanh softmax log_softmax softplus softsign"


@pytest.mark.parametrize(("name", "spelling"), each_once(NAMES.split(), SPELLINGS))
def test_an_activation_is_one_thing_however_it_is_written(name: str, spelling: str) -> None:
    model = model_of(SPELLINGS[spelling](name), 3)
    for pattern in ([check.dense(4, name)], [check.dense(4), check.layer("Activation", activation=name)]):
        assert message_of(model, pattern) == ""
    other = "tanh" if name != "tanh" else "relu"
    assert message_of(model, [check.dense(4, other)]) != ""


@pytest.mark.parametrize("name", ["relu", "softmax", "tanh", "sigmoid", "silu", "leaky_relu", "elu", "log_softmax"])
def test_a_function_of_tensorflow_is_the_activation_of_its_name(name: str) -> None:
    for make in (lambda x: L.Dense(4, activation=tf_nn(name))(x), lambda x: L.Activation(tf_nn(name))(L.Dense(4)(x))):
        assert both_messages(model_of(make, 3), [check.dense(4, name)]) == {""}


LAYERS: list[tuple[str, Callable[[], Any], list[Net]]] = [
    ("relu", lambda: L.ReLU(), [lambda x: o.maximum(x, 0), lambda x: o.maximum(x, 0.0), lambda x: o.relu(x)]),
    ("softmax", lambda: L.Softmax(), [lambda x: o.softmax(x, axis=1), lambda x: L.Softmax(axis=1)(x)]),
    (
        "leaky_relu(0.1)",
        lambda: L.LeakyReLU(0.1),
        [
            lambda x: o.leaky_relu(x, 0.1),
            lambda x: keras.activations.leaky_relu(x, negative_slope=0.1),
            lambda x: keras.activations.relu(x, negative_slope=0.1),
            lambda x: L.ReLU(negative_slope=0.1)(x),
        ],
    ),
    ("elu(0.5)", lambda: L.ELU(0.5), [lambda x: o.elu(x, 0.5), lambda x: keras.activations.elu(x, alpha=0.5)]),
    ("celu(2)", lambda: L.Activation("celu"), [lambda x: o.celu(x, 2.0)]),
    ("relu6", lambda: L.ReLU(6.0), [lambda x: o.relu6(x), lambda x: keras.activations.relu(x, max_value=6.0)]),
]


@pytest.mark.parametrize(("name", "layer", "makes"), LAYERS, ids=[row[0] for row in LAYERS])
def test_parameters_of_an_activation_agree(name: str, layer: Callable[[], Any], makes: list[Net]) -> None:
    pattern = [check.dense(4, name)]
    for make in makes:
        assert message_of(model_of(lambda x, make=make: make(L.Dense(4)(x)), 3), pattern) == ""
    fits = message_of(model_of(lambda x: layer()(L.Dense(4)(x)), 3), pattern) == ""
    assert fits is (not name.startswith("celu")), "the celu of a layer has another slope"


@pytest.mark.parametrize(
    "make",
    [
        lambda x: o.leaky_relu(x, 0.3),
        lambda x: o.maximum(x, 0.5),
        lambda x: o.maximum(x, np.array([0, -9, -9, -9], "float32")),
        lambda x: keras.activations.relu(x, threshold=0.5),
        lambda x: o.minimum(x, 0),
    ],
)
def test_other_parameters_are_another_activation(make: Net) -> None:
    for name in ("leaky_relu", "relu"):
        assert message_of(model_of(lambda x: make(L.Dense(4)(x)), 3), [check.dense(4, name)]) != ""


def test_a_rectifier_with_a_bound_is_the_layer_with_that_bound() -> None:
    model = model_of(lambda x: keras.activations.relu(L.Dense(4)(x), max_value=5.0), 3)
    assert message_of(model, [check.dense(4), check.layer("ReLU", max_value=5)]) == ""
    assert message_of(model, [check.dense(4), check.layer("ReLU", max_value=4)]) != ""


# --- wrappers ------------------------------------------------------------------------------------------

GRU8 = [check.layer("GRU", units=8)]
OF_CELL = [check.layer("RNN", cell=check.layer("GRUCell", units=8))]
WRAPPED: list[tuple[str, Net, list[list[Any]], list[list[Any]]]] = [
    (
        "RNN(GRUCell)",
        lambda x: L.RNN(L.GRUCell(8))(x),
        [
            GRU8,
            OF_CELL,
            [check.layer("RNN")],
            [check.layer("GRUCell", units=8)],
            [check.layer("GRU", activation="tanh")],
        ],
        [
            [check.layer("LSTM", units=8)],
            [check.layer("GRU", units=9)],
            [check.layer("GRU", return_sequences=True)],
            [check.layer("RNN", cell=check.layer("GRUCell", units=9))],
            [check.layer("RNN", cell=check.layer("LSTMCell"))],
        ],
    ),
    (
        "GRU",
        lambda x: L.GRU(8)(x),
        [GRU8, OF_CELL, [check.layer("RNN")]],
        [[check.layer("RNN", return_sequences=True)]],
    ),
    (
        "Bidirectional",
        lambda x: L.Bidirectional(L.LSTM(8, return_sequences=True), merge_mode="sum")(x),
        [
            [check.layer("LSTM", units=8)],
            [check.layer("Bidirectional")],
            [check.layer("Bidirectional", merge_mode="sum", layer=check.layer("LSTM", units=8))],
            [check.any_of(check.layer("GRU"), check.layer("LSTM", return_sequences=True))],
        ],
        [
            GRU8,
            [check.layer("LSTM", units=9)],
            [check.layer("Bidirectional", layer=check.layer("GRU"))],
            [check.layer("Bidirectional", layer=check.layer("LSTM", units=7))],
        ],
    ),
    (
        "Bidirectional(RNN)",
        lambda x: L.Bidirectional(L.RNN(L.GRUCell(8)))(x),
        [GRU8, [check.layer("Bidirectional", layer=check.layer("GRU"))], OF_CELL],
        [[check.layer("LSTM")]],
    ),
    (
        "Bidirectional of two kinds",
        lambda x: L.Bidirectional(L.GRU(8), backward_layer=L.LSTM(8, go_backwards=True))(x),
        [[check.layer("Bidirectional", layer=check.layer("GRU"), backward_layer=check.layer("LSTM"))]],
        [GRU8, [check.layer("LSTM")]],
    ),
    (
        "TimeDistributed",
        lambda x: L.TimeDistributed(L.Dense(4, activation="relu"))(x),
        [
            [check.dense(4, "relu")],
            [check.layer("TimeDistributed", layer=check.dense(4))],
            [check.layer("TimeDistributed")],
        ],
        [[check.dense(4, "tanh")], [check.dense(5)], [check.layer("TimeDistributed", layer=check.dense(4, "tanh"))]],
    ),
    (
        "TimeDistributed and an activation",
        lambda x: o.relu(L.TimeDistributed(L.Dense(4))(x)),
        [
            [check.dense(4, "relu")],
            [check.dense(4), check.layer("ReLU")],
            [check.layer("TimeDistributed"), check.layer("ReLU")],
        ],
        [[check.dense(4, "linear")]],
    ),
    (
        "TimeDistributed of a model",
        lambda x: L.TimeDistributed(keras.Sequential([L.Dense(4, "relu"), L.Dense(2)]))(x),
        [[check.dense(4, "relu"), check.dense(2)], [check.layer("TimeDistributed")]],
        [[check.dense(4, "relu"), check.dense(3)], [check.dense(4, "relu")]],
    ),
    (
        "a stack of cells",
        lambda x: L.RNN([L.LSTMCell(8), L.LSTMCell(4)])(x),
        [
            [check.layer("LSTM", units=8, return_sequences=True), check.layer("LSTM", units=4, return_sequences=False)],
            [check.layer("RNN", cell=[check.layer("LSTMCell", units=8), check.layer("LSTMCell", units=4)])],
            [check.layer("RNN")],
        ],
        [[check.layer("LSTM", units=8)], [check.layer("LSTM", units=4), check.layer("LSTM", units=8)]],
    ),
    (
        "SpectralNormalization",
        lambda x: L.SpectralNormalization(L.Dense(4))(x),
        [[check.dense(4)], [check.layer("SpectralNormalization", layer=check.dense())]],
        [[check.dense(3)]],
    ),
]


@pytest.mark.parametrize(("make", "fits", "others"), [row[1:] for row in WRAPPED], ids=[row[0] for row in WRAPPED])
def test_a_wrapper_fits_what_it_wraps_and_what_it_is(make: Net, fits: list[Any], others: list[Any]) -> None:
    model = model_of(make, 5, 3)
    for pattern in fits:
        assert both_messages(model, pattern) == {""}, list(map(str, pattern))
    for pattern in others:
        assert "" not in both_messages(model, pattern), pattern


def test_what_a_wrapped_model_does_not_need_is_no_step() -> None:
    """The layers stand beside the way, and an array in an operation computes."""
    inputs = keras.Input((3,))
    table = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    beside = keras.Model(inputs, [o.matmul(inputs, table), L.Dense(2)(L.Dense(4, "relu")(inputs))])
    cheat = keras.Model(inputs, beside(inputs)[0])
    model = model_of(lambda x: L.TimeDistributed(cheat)(x), 5, 3)
    assert "" not in both_messages(model, [check.dense(4, "relu"), check.dense(2)])


def test_a_message_says_what_is_inside() -> None:
    model = model_of(lambda x: L.TimeDistributed(L.Dense(4, activation="relu"))(x), 5, 3)
    assert message_of(model, [check.layer("GRU")]) == (
        "layer 1: TimeDistributed(Dense(units=4, activation=relu)), expected GRU"
    )
    asked = [check.layer("TimeDistributed", layer=check.dense(9))]
    assert message_of(model, asked) == (
        "layer 1: TimeDistributed with layer Dense(units=4, activation=relu), expected Dense(units=9)"
    )


def test_a_cell_of_the_students_own_is_told_apart_in_their_notebook() -> None:
    class Cell(L.Layer):
        state_size = output_size = 4

        def __init__(self, many: int) -> None:
            super().__init__()

        def call(self, x: Any, states: Any) -> Any:
            return o.zeros((o.shape(x)[0], 4)), states

        def get_config(self) -> Any:
            raise NotImplementedError

    for wrapped in (L.RNN(Cell(3)), L.TimeDistributed(L.Dense(4))):
        model = model_of(lambda x, wrapped=wrapped: wrapped(x), 5, 3)
        assert message_of(model, GRU8) != ""


def test_what_is_inside_a_wrapper_is_asked_by_a_pattern() -> None:
    with pytest.raises(CourseError, match=r"give a check.layer\(...\) for the layer inside"):
        check.architecture(model_of(lambda x: L.GRU(8)(x), 5, 3), [check.layer("RNN", cell="GRUCell")])


# --- operations that are layers ------------------------------------------------------------------------


def sum_of_three(x: Any) -> Any:
    a, b, c = (L.Dense(4)(x) for _ in range(3))
    return L.Dense(2)(a + b + c)


def sums_of_two(x: Any) -> Any:
    for _ in range(2):
        x = x + L.Dense(4)(x)
    return L.Dense(2)(x)


DENSE, ADD = check.dense(4), check.layer("Add")
PICTURE, POOL = check.layer("Conv2D", filters=4), check.layer("MaxPooling2D", pool_size=2)
FLAT = check.layer("Flatten")


def after_convolution(*more: Net) -> Net:
    def make(x: Any) -> Any:
        x = L.Conv2D(4, 3)(x)
        for step in more:
            x = step(x)
        return L.Dense(2)(x)

    return make


EQUAL: list[tuple[str, Net, tuple[int, ...], list[Any], bool]] = [
    ("a sum of three", sum_of_three, (4,), [DENSE, DENSE, DENSE, ADD, check.dense(2)], True),
    ("two sums", sums_of_two, (4,), [DENSE, ADD, DENSE, ADD, check.dense(2)], True),
    ("two sums are not one", sums_of_two, (4,), [DENSE, DENSE, ADD, check.dense(2)], False),
    (
        "concatenate",
        lambda x: o.concatenate([L.Dense(4)(x), x], axis=1),
        (4,),
        [DENSE, check.layer("Concatenate", axis=-1)],
        True,
    ),
    (
        "concatenate along another axis",
        lambda x: o.concatenate([L.Dense(4)(x), x], axis=1),
        (3, 4),
        [DENSE, check.layer("Concatenate", axis=-1)],
        False,
    ),
    *(
        (f"flattened by {name}", after_convolution(flat), (6, 6, 1), pattern, True)
        for name, flat in [
            ("Flatten", lambda x: L.Flatten()(x)),
            ("Reshape", lambda x: L.Reshape((64,))(x)),
            ("Reshape of -1", lambda x: L.Reshape((-1,))(x)),
            ("an operation", lambda x: o.reshape(x, (-1, 64))),
        ]
        for pattern in ([PICTURE, FLAT, check.dense(2)], [PICTURE, check.layer("Reshape", target_shape=(64,)), check.dense(2)])
    ),
    ("nothing is flattened", after_convolution(), (6, 6, 1), [PICTURE, FLAT, check.dense(2)], False),
    ("an operation need not be asked", after_convolution(lambda x: o.reshape(x, (-1, 64))), (6, 6, 1), [PICTURE, check.dense(2)], True),
    ("a layer must be", after_convolution(lambda x: L.Flatten()(x)), (6, 6, 1), [PICTURE, check.dense(2)], False),
    ("a free operation is no layer", lambda x: L.Dense(2)(o.reshape(x, (-1, 4))), (2, 2), [check.layer("*"), check.dense(2)], False),
    ("what is flat already", lambda x: L.Dense(4)(L.Flatten()(x)), (3,), [DENSE], True),
    ("what is flat already and asked", lambda x: L.Dense(4)(L.Flatten()(x)), (3,), [FLAT, DENSE], True),
    ("scaled by an operation", lambda x: L.Dense(4)(x / 255.0), (3,), [check.layer("Rescaling", scale=1 / 255), DENSE], True),
    ("scaled by another number", lambda x: L.Dense(4)(x / 256), (3,), [check.layer("Rescaling", scale=1 / 255), DENSE], False),
    ("scaled by a layer", lambda x: L.Dense(4)(L.Rescaling(1 / 255)(x)), (3,), [DENSE], True),
    ("scaled by many numbers", lambda x: L.Dense(4)(L.Rescaling([1.0, 2.0, 3.0])(x)), (3,), [DENSE], False),
    ("max_pool", after_convolution(lambda x: o.max_pool(x, 2)), (6, 6, 1), [PICTURE, POOL, check.dense(2)], True),
    ("average_pool", after_convolution(lambda x: o.average_pool(x, 2)), (6, 6, 1), [PICTURE, POOL, check.dense(2)], False),
    (
        "the mean of a picture",
        after_convolution(lambda x: o.mean(x, axis=(1, 2))),
        (6, 6, 1),
        [PICTURE, check.layer("GlobalAveragePooling2D"), check.dense(2)],
        True,
    ),
    (
        "the largest of a sequence",
        lambda x: L.Dense(2)(o.max(L.LSTM(8, return_sequences=True)(x), axis=1)),
        (5, 3),
        [check.layer("LSTM"), check.layer("GlobalMaxPooling1D"), check.dense(2)],
        True,
    ),
    (
        "the mean of the channels",
        after_convolution(lambda x: o.mean(x, axis=(2, 3))),
        (6, 6, 1),
        [PICTURE, check.layer("GlobalAveragePooling2D"), check.dense(2)],
        False,
    ),
    ("transposed", lambda x: L.LSTM(4)(o.transpose(x, (0, 2, 1))), (5, 3), [check.layer("Permute", dims=(2, 1)), check.layer("LSTM")], True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "shape", "pattern", "fits"), [row[1:] for row in EQUAL], ids=[row[0] for row in EQUAL]
)
def test_an_operation_is_the_layer_that_computes_the_same(
    make: Net, shape: tuple[int, ...], pattern: list[Any], fits: bool
) -> None:
    messages = both_messages(model_of(make, *shape), pattern)
    assert (messages == {""}) if fits else ("" not in messages), messages


# --- what a difference costs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        partial(lambda a, x: L.Dense(4)(L.Dense(8, activation=a)(x)), "relu"),
        lambda x: L.Dense(4)(o.relu(L.Dense(8)(x))),
        lambda x: L.Dense(4)(keras.activations.relu(L.Dense(8)(x))),
        lambda x: L.Dense(4)(o.maximum(L.Dense(8)(x), 0)),
        lambda x: L.Dense(4)(L.ReLU()(L.Dense(8)(x / 2.0))),
    ],
)
def test_a_difference_costs_as_many_parameters_in_every_spelling(make: Net) -> None:
    assert message_of(model_of(make, 3), [check.dense(16, "relu"), check.dense(4)]) == (
        "layer 1: Dense with 8 units, expected 16 (−64 parameters); "
        "your model has 68 parameters, the layers asked for would have 132"
    )


def test_a_difference_inside_a_wrapper_has_no_number() -> None:
    message = message_of(model_of(lambda x: L.Bidirectional(L.LSTM(8))(x), 5, 3), [check.layer("LSTM", units=9)])
    assert message == "layer 1: LSTM with 8 units, expected 9"
