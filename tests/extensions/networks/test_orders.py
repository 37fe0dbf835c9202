"""Networks with branches have no order: a pattern fits if it fits one of the orders that the data allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from helpers.graphs import GRAPHS
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.lazy import operations as o
from helpers.remote_models import recorded

from autograder import check
from autograder.extensions.networks import orders, solution_network
from autograder.extensions.networks.attributes import ReportedLayer
from autograder.extensions.networks.orders import Flow, best_order
from autograder.extensions.networks.pattern import as_run
from autograder.extensions.networks.steps import Step
from autograder.records.checks import BRANCHES, CheckResult, is_undecided

pytestmark = pytest.mark.keras

Make = Callable[[Any], Any]


def conv(filters: int, size: int = 1, activation: str | None = "relu", **settings: Any) -> Any:
    return L.Conv2D(filters, size, padding="same", activation=activation, **settings)


def fire(x: Any) -> Any:
    x = conv(4)(x)
    return L.Dense(5)(L.GlobalAveragePooling2D()(L.Concatenate()([conv(6)(x), conv(6, 3)(x)])))


def fire_backwards(x: Any) -> Any:
    x = L.ReLU()(conv(4, activation=None)(x))
    wide = conv(6, 3)(x)
    return L.Dense(5)(L.GlobalAveragePooling2D()(o.concatenate([conv(6)(x), wide], axis=-1)))


def fire_with_one_relu(x: Any) -> Any:
    x = conv(4)(x)
    joined = L.Concatenate()([conv(6, activation=None)(x), conv(6, 3, None)(x)])
    return L.Dense(5)(L.GlobalAveragePooling2D()(o.relu(joined)))


def fire_of_dense_layers(x: Any) -> Any:
    x = L.Dense(4, "relu")(x)
    return L.Dense(5)(o.mean(L.Concatenate()([L.Dense(6, "relu")(x), conv(6, 3)(x)]), axis=(1, 2)))


def nested_fire(x: Any) -> Any:
    inner = keras.Input((8, 8, 4))
    branches = keras.Model(inner, L.Concatenate()([conv(6, 3)(inner), conv(6)(inner)]))
    return L.Dense(5)(L.GlobalAveragePooling2D()(branches(conv(4)(x))))


def half_a_fire(x: Any) -> Any:
    x = conv(4)(x)
    return L.Dense(5)(L.GlobalAveragePooling2D()(L.Concatenate()([conv(6, activation=None)(x), conv(6, 3)(x)])))


def fire_of_another_width(x: Any) -> Any:
    x = conv(4)(x)
    return L.Dense(5)(L.GlobalAveragePooling2D()(L.Concatenate()([conv(8)(x), conv(6, 3)(x)])))


def fire_in_a_row(x: Any) -> Any:
    return L.Dense(5)(L.GlobalAveragePooling2D()(conv(6, 3)(conv(4)(x))))


FIRE = [
    check.layer("Conv2D", filters=4, activation="relu"), check.layer("Conv2D", filters=6, kernel_size=1),
    check.layer("Activation", activation="relu"), check.layer("Conv2D", filters=6, kernel_size=3, activation="relu"),
    check.layer("Concatenate"), check.layer("GlobalAveragePooling2D"), check.dense(5),
]  # fmt: skip
FIRE_WITH_ONE_RELU = [
    check.layer("Conv2D", filters=4, kernel_size=1, activation="relu"),
    check.layer("Conv2D", filters=6, kernel_size=1, activation="linear"),
    check.layer("Conv2D", filters=6, kernel_size=3, activation="linear"), check.layer("Concatenate"),
    check.layer("ReLU"), check.layer("GlobalAveragePooling2D"), check.dense(5),
]  # fmt: skip


def highway(x: Any) -> Any:
    h, t = L.Dense(8, "relu")(x), L.Dense(8, "sigmoid")(x)
    return L.Dense(3)(t * h + (1.0 - t) * x)


def gate_first(x: Any) -> Any:
    t = L.Activation("sigmoid")(L.Dense(8)(x))
    h = o.relu(L.Dense(8)(x))
    return L.Dense(3)(L.Add()([L.Multiply()([h, t]), L.Multiply()([1.0 - t, x])]))


def split(x: Any) -> Any:
    h, t = o.split(L.Dense(16)(x), 2, axis=-1)
    h, t = o.relu(h), o.sigmoid(t)
    return L.Dense(3)(h * t + x * (1.0 - t))


def sliced(x: Any) -> Any:
    both = L.Dense(16)(x)
    t, h = o.sigmoid(both[:, 8:]), o.relu(both[:, :8])
    return L.Dense(3)(x * (1.0 - t) + t * h)


def without_gate(x: Any) -> Any:
    return L.Dense(3)(L.Dense(8, "relu")(x) + x)


def wrong_activation(x: Any) -> Any:
    t, h = L.Dense(8, "sigmoid")(x), L.Dense(8, "tanh")(x)
    return L.Dense(3)(t * h + (1.0 - t) * x)


def narrow_split(x: Any) -> Any:
    both = L.Dense(12)(x)
    t, h = o.sigmoid(both[:, :8]), L.Dense(8)(o.relu(both[:, 8:]))
    return L.Dense(3)(x * (1.0 - t) + t * h)


HIGHWAY = [check.dense(8, "relu"), check.dense(8, "sigmoid"), ..., check.dense(3)]


def squeeze(x: Any) -> Any:
    x = conv(8, 3)(x)
    y = L.Dense(8, "sigmoid")(L.Dense(2, "relu")(L.GlobalAveragePooling2D()(x)))
    return L.Dense(4)(L.GlobalAveragePooling2D()(L.Multiply()([x, L.Reshape((1, 1, 8))(y)])))


def squeeze_by_convolutions(x: Any) -> Any:
    x = conv(8, 3)(x)
    y = L.GlobalAveragePooling2D(keepdims=True)(x)
    return L.Dense(4)(L.GlobalAveragePooling2D()(x * conv(8, activation="sigmoid")(conv(2)(y))))


def no_excitation(x: Any) -> Any:
    return L.Dense(4)(L.GlobalAveragePooling2D()(conv(8, 3)(x)))


def squeeze_without_sigmoid(x: Any) -> Any:
    x = conv(8, 3)(x)
    y = L.Dense(8)(L.Dense(2, "relu")(L.GlobalAveragePooling2D()(x)))
    return L.Dense(4)(L.GlobalAveragePooling2D()(x * o.reshape(y, (-1, 1, 1, 8))))


SQUEEZE = [
    check.layer("Conv2D", filters=8, kernel_size=3), check.layer("GlobalAveragePooling2D"), check.dense(2, "relu"),
    check.dense(8, "sigmoid"), check.layer("Multiply"), check.layer("GlobalAveragePooling2D"), check.dense(4),
]  # fmt: skip


def towers(x: Any) -> Any:
    shared = L.Dense(6, "tanh")
    first = L.Dense(4, "relu")(shared(x))
    return L.Dense(2)(L.Concatenate()([first, shared(x * 2.0)]))


def other_tower_first(x: Any) -> Any:
    shared = L.Dense(6, "tanh")
    alone = shared(x * 2.0)
    return L.Dense(2)(L.Concatenate()([L.Dense(4, "relu")(shared(x)), alone]))


TOWERS = [check.dense(6, "tanh"), check.dense(4, "relu"), check.layer("Concatenate"), check.dense(2)]
PICTURE, ROW = (8, 8, 3), (8,)

TASKS: list[tuple[tuple[int, ...], list[Any], list[Make], list[Make]]] = [
    (PICTURE, FIRE, [fire, fire_backwards, fire_with_one_relu, fire_of_dense_layers, nested_fire],
     [half_a_fire, fire_of_another_width, fire_in_a_row]),
    (PICTURE, FIRE_WITH_ONE_RELU, [fire, fire_backwards, fire_with_one_relu, nested_fire],
     [half_a_fire, fire_of_another_width, fire_in_a_row]),
    (ROW, HIGHWAY, [highway, gate_first, split, sliced], [without_gate, wrong_activation, narrow_split]),
    (PICTURE, SQUEEZE, [squeeze, squeeze_by_convolutions], [no_excitation, squeeze_without_sigmoid]),
    (ROW, TOWERS, [towers, other_tower_first], [without_gate]),
]  # fmt: skip


def compared(shape: tuple[int, ...], pattern: list[Any], make: Make) -> CheckResult:
    inputs = keras.Input(shape)
    model = keras.Model(inputs, make(inputs))
    return recorded(lambda: check.architecture(model, pattern))


@pytest.mark.parametrize(
    ("shape", "pattern", "make"),
    [(shape, pattern, make) for shape, pattern, right, _ in TASKS for make in right],
)
def test_branches_joins_and_spellings_are_free(shape: Any, pattern: Any, make: Make) -> None:
    result = compared(shape, pattern, make)
    assert result.fraction == 1, result.detail


@pytest.mark.parametrize(
    ("shape", "pattern", "make"),
    [(shape, pattern, make) for shape, pattern, _, wrong in TASKS for make in wrong],
)
def test_a_network_that_differs_fails_in_every_order(shape: Any, pattern: Any, make: Make) -> None:
    result = compared(shape, pattern, make)
    assert (result.fraction, is_undecided(result)) == (0, False), result.detail


@pytest.mark.parametrize("name", GRAPHS)
def test_models_of_all_shapes_are_compared(name: str) -> None:
    """Nested, shared, masked and odd models have orders, too; none of them is the kit's failure."""
    model = GRAPHS[name](keras)
    assert recorded(lambda: check.architecture(model, [..., check.layer("Dense"), ...])).fraction in (0, 1)
    assert recorded(lambda: check.architecture(model, [check.layer("Conv3D", filters=77)])).fraction == 0


@pytest.mark.parametrize("make", [highway, sliced])
def test_the_solution_tells_that_a_network_branches(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof says so; nobody asks of a student's network."""
    assert BRANCHES not in compared(ROW, HIGHWAY, make).evidence
    monkeypatch.setattr(solution_network, "note", lambda model, of: True)
    assert compared(ROW, HIGHWAY, make).evidence[BRANCHES] is True
    chain = compared(ROW, [check.dense(8, "relu"), check.dense(3)], lambda x: L.Dense(3)(L.Dense(8, "relu")(x)))
    assert BRANCHES not in chain.evidence


# --- the search -----------------------------------------------------------------------------------------


def step(kind: str, **settings: Any) -> Step:
    return Step(1, kind, ReportedLayer(settings), None, reported=True)


def apart(count: int) -> Flow:
    """So many layers that none of the others needs."""
    flow = Flow()
    for number in range(count):
        flow.add(step("Linear", out_features=number), 0)
    return flow


def sizes(*numbers: int) -> Any:
    return as_run([check.layer("Linear", out_features=number) for number in numbers], "")


def test_the_order_that_fits_is_found_among_millions() -> None:
    order = best_order(sizes(*reversed(range(20))), apart(20))
    assert order.fits is True


def test_what_no_order_can_fit_fails_though_there_are_too_many() -> None:
    assert best_order(sizes(*range(19), 30), apart(20), most=100).fits is False


def test_where_too_many_orders_are_left_a_person_decides() -> None:
    """The layers are there, but a pattern of choices leaves the search no way to tell."""
    choice = [
        check.any_of(check.layer("Linear", out_features=n), check.layer("Linear", out_features=n + 1))
        for n in range(15)
    ]
    assert best_order(as_run([*choice, check.layer("GRU")], ""), apart(16), most=100).fits in (None, False)
    assert best_order(as_run([*choice, check.layer("Linear", out_features=0)], ""), apart(16), most=50).fits is None


@pytest.mark.parametrize(
    ("first", "second", "passes"),
    [("relu", "MaxPool2d", True), ("gelu", "MaxPool2d", False), ("gelu", "Flatten", True), ("relu", "AvgPool2d", False),
     ("relu", "Dropout", True), ("sigmoid", "Dropout", False), ("relu", "BatchNorm2d", False)],
)  # fmt: skip
def test_what_treats_each_number_alone_passes_what_moves_numbers(first: str, second: str, passes: bool) -> None:
    activation = Step(1, "Activation", None, first, pointwise=first)
    assert orders.commute(activation, step(second)) is orders.commute(step(second), activation) is passes
