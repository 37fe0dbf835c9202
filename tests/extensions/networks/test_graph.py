"""What a model's outputs are computed with: operations are steps, and layers that stand beside the way are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.lazy import operations as o

from autograder import check
from autograder.records.checks import CheckResult, Outcome, is_undecided

pytestmark = pytest.mark.keras

ASKED = [check.dense(8, "relu"), check.dense(3, "softmax")]
TABLE = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")
END = np.random.default_rng(1).normal(size=(8, 3)).astype("float32")


def recorded(make: Callable[[], Any]) -> CheckResult:
    with check.recording() as results:
        make()
    return results[0]


def declared(x: Any) -> Any:
    return L.Dense(3, "softmax")(L.Dense(8, "relu")(x))


def network_of_operations(x: Any) -> Any:
    return o.softmax(o.relu(x @ TABLE) @ END)


def beside_in_a_model(x: Any) -> Any:
    """A model with two outputs, of which only the one that no layer gives is used."""
    inputs = keras.Input((4,))
    both = keras.Model(inputs, [network_of_operations(inputs), declared(inputs)])
    return both(x)[0]


def masked_by_a_network(x: Any) -> Any:
    steps = L.RepeatVector(3)(declared(x))
    mask = o.cast(network_of_operations(x) > 0.5, "bool")
    return L.GlobalAveragePooling1D()(steps, mask=mask)


CHEATS: dict[str, Callable[[Any], Any]] = {
    "added": lambda x: network_of_operations(x) + 0.0 * declared(x),
    "multiplied": lambda x: network_of_operations(x) * o.ones_like(declared(x)),
    "chosen": lambda x: o.where(o.ones_like(declared(x)) > 0, network_of_operations(x), declared(x)),
    "behind": lambda x: o.softmax(declared(x) * 0.0 + o.relu(x @ TABLE) @ END),
    "before": lambda x: declared(o.relu(x @ TABLE)[:, :4]),
    "between": lambda x: L.Dense(3, "softmax")(o.relu(L.Dense(8, "relu")(x) @ TABLE.T @ TABLE)),
    "scaled by an array": lambda x: declared(x * TABLE[:, 0]),
    "beside, in a model": beside_in_a_model,
    "only for a mask": masked_by_a_network,
    "powers": lambda x: declared(x**3.0),
    "a maximum": lambda x: declared(o.maximum(x, 0.5)),
}

HONEST: dict[str, Callable[[Any], Any]] = {
    "layers": declared,
    "scaled": lambda x: declared(x / 255.0),
    "scaled and moved": lambda x: declared((o.cast(x, "float32") - 127.5) / 127.5),
    "a numpy number": lambda x: declared(x * np.float32(0.5) + o.convert_to_tensor(1.0)),
    "activations as operations": lambda x: o.softmax(L.Dense(3)(o.relu(L.Dense(8)(x)))),
    "activations as functions": lambda x: keras.activations.softmax(L.Dense(3)(keras.activations.relu(L.Dense(8)(x)))),
    "an activation as a layer": lambda x: L.Softmax()(L.Dense(3)(L.ReLU()(L.Dense(8)(x)))),
    "reshaped": lambda x: declared(o.reshape(o.expand_dims(x, 1), (-1, 4))),
    "in a model": lambda x: keras.Model(x, declared(x))(x),
    "in a model of two outputs": lambda x: keras.Model(x, [o.sum(x, axis=1), declared(x)])(x)[1],
    "logits scaled": lambda x: o.softmax(L.Dense(3)(L.Dense(8, "relu")(x)) / 2.0),
}


def model_of(make: Callable[[Any], Any]) -> Any:
    inputs = keras.Input((4,))
    return keras.Model(inputs, make(inputs))


@pytest.mark.parametrize("name", CHEATS)
def test_a_network_outside_of_the_layers_is_not_as_asked(name: str) -> None:
    result = recorded(lambda: check.architecture(model_of(CHEATS[name]), ASKED))
    assert result.outcome is Outcome.FAILED
    result = recorded(lambda: check.architecture(model_of(CHEATS[name]), [*ASKED[:1], ..., *ASKED[1:]]))
    assert (result.outcome is Outcome.FAILED) is (name not in ("between",))


@pytest.mark.parametrize("name", HONEST)
def test_what_computes_nothing_is_no_step(name: str) -> None:
    result = recorded(lambda: check.architecture(model_of(HONEST[name]), ASKED))
    assert result.outcome is Outcome.PASSED, result.message


def residual(add: Callable[[Any, Any], Any]) -> Any:
    inputs = keras.Input((8,))
    hidden = L.Dense(8, "relu")(inputs)
    return keras.Model(inputs, L.Dense(3)(add(hidden, inputs)))


@pytest.mark.parametrize("add", [lambda a, b: a + b, lambda a, b: L.Add()([a, b]), lambda a, b: o.add(a, b)])
def test_an_operator_is_the_layer_that_does_the_same(add: Any) -> None:
    pattern = [check.dense(8, "relu"), check.layer("Add"), check.dense(3)]
    assert recorded(lambda: check.architecture(residual(add), pattern)).outcome is Outcome.PASSED
    assert "Add" in recorded(lambda: check.architecture(residual(add), [pattern[0], pattern[2]])).message


def test_masks_are_no_steps() -> None:
    inputs = keras.Input((6,))
    first, second = (L.Embedding(9, 4, mask_zero=True)(inputs) for _ in range(2))
    joined = L.Concatenate()([first, L.Masking()(second)])
    model = keras.Model(inputs, L.Dense(2)(L.LSTM(3)(joined)))
    kinds = ["Embedding", "Embedding", "Masking", "Concatenate", "LSTM", "Dense"]
    assert recorded(lambda: check.architecture(model, [check.layer(kind) for kind in kinds])).outcome is Outcome.PASSED


def test_a_message_names_the_operation_and_its_place() -> None:
    result = recorded(lambda: check.architecture(model_of(CHEATS["between"]), ASKED))
    assert "after layer 1: operation matmul is one too many" in result.message


# --- parameters ----------------------------------------------------------------------------------------


def counted(make: Callable[[Any], Any], exactly: int) -> CheckResult:
    return recorded(lambda: check.parameters(model_of(make), exactly=exactly))


def test_arrays_in_operations_count_as_parameters() -> None:
    beside = TABLE.size + END.size
    result = counted(lambda x: network_of_operations(x) + 0.0 * declared(x), 67)
    assert result.outcome is Outcome.FAILED
    assert result.message == (
        f"{67 + beside} parameters ({beside} of them constants beside its weights), exactly 67 asked"
    )
    assert counted(lambda x: network_of_operations(x) + 0.0 * declared(x), 67 + beside).outcome is Outcome.PASSED
    scaled = counted(lambda x: declared(L.Rescaling([0.1, 0.2, 0.3, 0.4])(L.Dense(4)(x))), 67 + 20 + 4)
    assert scaled.outcome is Outcome.PASSED, scaled.message


@pytest.mark.parametrize("name", HONEST)
def test_what_computes_nothing_costs_no_parameters(name: str) -> None:
    assert counted(HONEST[name], 67).outcome is Outcome.PASSED


def carried(term: Callable[[Any, float], Any]) -> Any:
    """40 trained numbers, each in a layer or an operation of its own."""
    inputs = keras.Input((8,))
    sums = L.Add()([term(inputs, float(number)) for number in np.linspace(-1, 1, 40)])
    return keras.Model(inputs, L.Dense(3)(sums))


CARRIERS: dict[str, Callable[[Any, float], Any]] = {
    "scales": lambda x, w: L.Rescaling(w)(x),
    "bounds": lambda x, w: x * o.clip(x, w, w),
    "arrays of one number": lambda x, w: x * np.array([w], "float32"),
    "slopes": lambda x, w: L.LeakyReLU(w + 1.1)(x),
    "repetitions": lambda x, w: o.sum(L.RepeatVector(int(50 * w) + 51)(x), axis=1),
}


@pytest.mark.parametrize("name", CARRIERS)
def test_single_numbers_count_where_they_differ_from_place_to_place(name: str) -> None:
    found = recorded(lambda: check.parameters(carried(CARRIERS[name]), at_most=50))
    assert found.outcome is Outcome.FAILED, found.message
    assert "constants beside its weights" in found.message


@pytest.mark.parametrize("name", [name for name in CARRIERS if name != "arrays of one number"])
def test_a_setting_that_is_the_same_everywhere_costs_no_parameters(name: str) -> None:
    same = carried(lambda x, w: CARRIERS[name](x, 0.5))
    assert recorded(lambda: check.parameters(same, exactly=27)).outcome is Outcome.PASSED


def table(count: int) -> Any:
    """A table of answers for whole numbers."""
    inputs = keras.Input((1,), dtype="int64")
    terms, weights = list(range(5, count + 5)), list(np.linspace(0, 1, count))
    lookup = L.IntegerLookup(vocabulary=terms, output_mode="tf_idf", idf_weights=weights)
    return keras.Model(inputs, L.Dense(1)(lookup(inputs)))


def edges(count: int) -> Any:
    inputs = keras.Input((1,))
    return keras.Model(inputs, L.Dense(1)(L.Discretization(list(np.linspace(0, 1, count)))(inputs)))


def words(count: int, mode: str = "int") -> Any:
    weights = {"idf_weights": list(np.linspace(1, 2, count))} if mode == "tf_idf" else {}
    lookup = L.StringLookup(vocabulary=[f"w{n}" for n in range(count)], output_mode=mode, **weights)
    after = L.Embedding(count + 1, 1) if mode == "int" else L.Dense(1)
    return keras.Sequential([keras.Input((1,), dtype="string"), lookup, after])


@pytest.mark.parametrize(
    ("make", "weights", "more"),
    [
        (lambda: table(100), 102, 202),
        (lambda: edges(100), 2, 100),
        (lambda: words(100, "tf_idf"), 102, 101),
        (lambda: keras.Sequential([keras.Input((100,)), L.Rescaling(list(range(100))), L.Dense(1)]), 101, 100),
    ],
)
def test_a_person_decides_about_many_numbers_that_prepare_an_input(make: Any, weights: int, more: int) -> None:
    model = make()
    found = recorded(lambda: check.parameters(model, exactly=weights))
    assert is_undecided(found)
    assert f"{more:,} more numbers" in found.message
    assert recorded(lambda: check.parameters(model, at_most=weights + more)).outcome is Outcome.PASSED
    for limits in ({"at_most": weights - 1}, {"at_least": weights + more + 1}):
        wrong = recorded(lambda: check.parameters(model, **limits))  # noqa: B023
        assert wrong.outcome is Outcome.FAILED
        assert not is_undecided(wrong)
    assert recorded(lambda: check.parameters(model, exactly=weights, preparation=False)).outcome is Outcome.PASSED
    assert recorded(lambda: check.parameters(model, exactly=weights, preparation=True)).outcome is Outcome.FAILED
    assert recorded(lambda: check.parameters(model, exactly=weights + more, preparation=True)).fraction == 1


@pytest.mark.parametrize("make", [lambda: words(100), lambda: edges(20), lambda: words(100, "multi_hot")])
def test_words_and_a_few_numbers_that_prepare_an_input_are_free(make: Any) -> None:
    model = make()
    assert recorded(lambda: check.parameters(model, exactly=model.count_params())).outcome is Outcome.PASSED


def test_what_works_only_in_training_costs_no_parameters() -> None:
    layers = [L.RandomRotation((-0.1, 0.2)), L.RandomZoom((-0.2, 0.1)), L.Flatten()]
    for rate in np.linspace(0, 0.5, 40):
        norm = keras.constraints.MaxNorm(1 + float(rate))
        layers += [
            L.Dense(2, kernel_constraint=norm, kernel_initializer=keras.initializers.RandomNormal(stddev=rate + 0.1))
        ]
        layers += [L.Dropout(float(rate)), L.GaussianNoise(float(rate))]
    model = keras.Sequential([keras.Input((4, 4, 1)), *layers])
    assert recorded(lambda: check.parameters(model, exactly=model.count_params())).outcome is Outcome.PASSED


def gelu(x: Any) -> Any:
    return 0.5 * x * (1 + o.tanh(0.79788456 * (x + 0.044715 * x**3)))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: declared(gelu(gelu(x))),
        lambda x: declared(L.Rescaling(scale=[0.1, 0.2, 0.3, 0.4], offset=[1.0, 2.0, 3.0, 4.0])(x)),
        lambda x: declared(x * np.ones(4, "float32") + np.zeros((1, 4), "float32") + np.arange(4.0)),
        lambda x: declared(o.clip(x, -1, 1)) + 0.1,
    ],
)
def test_honest_numbers_cost_no_parameters(make: Callable[[Any], Any]) -> None:
    assert counted(make, 67).outcome is Outcome.PASSED


def test_the_shape_of_a_nested_picture_network_costs_no_parameters() -> None:
    inner = keras.Sequential([keras.Input((8, 8, 1)), L.Conv2D(2, 3), L.Flatten()])
    model = keras.Sequential([keras.Input((8, 8, 1)), inner, L.Dense(3)])
    result = recorded(lambda: check.parameters(model, exactly=20 + 219))
    assert result.outcome is Outcome.PASSED, result.message


def test_many_numbers_that_stand_alone_count() -> None:
    def weighed(x: Any) -> Any:
        sums = [L.Add()([x[:, i : i + 1] * float(TABLE[i, k]) for i in range(4)]) for k in range(8)] * 2
        return L.Concatenate()([*sums, x[:, :1] * 0.5])

    assert counted(lambda x: declared(o.stop_gradient(weighed(x))[:, :4]), 67 + 33).outcome is Outcome.PASSED


def test_a_model_that_is_no_graph_is_counted_as_keras_counts() -> None:
    class Mine(keras.Model):
        def build(self, shape: Any) -> None:
            self.inner = L.Dense(3)
            self.inner.build(shape)

        def call(self, x: Any) -> Any:
            return self.inner(x)

    model = Mine()
    model(np.zeros((1, 4), "float32"))
    assert recorded(lambda: check.parameters(model, exactly=15)).outcome is Outcome.PASSED
    assert recorded(lambda: check.architecture(model, [check.dense(3)])).outcome is Outcome.PASSED


def test_a_layer_that_can_not_be_described_is_counted_in_the_notebook() -> None:
    class Scaled(L.Layer):
        def __init__(self, times: int) -> None:
            super().__init__()
            self.times = times

        def call(self, x: Any) -> Any:
            return x * self.times

        def get_config(self) -> Any:
            raise NotImplementedError

    model = model_of(lambda x: declared(Scaled(2)(x)))
    assert recorded(lambda: check.parameters(model, exactly=67)).outcome is Outcome.PASSED


@pytest.mark.parametrize("axis", [-1, 1])
def test_activations_with_other_arguments_are_other_steps(axis: int) -> None:
    inputs = keras.Input((3, 4))
    ended = keras.Model(inputs, o.softmax(L.Dense(4)(inputs), axis=axis))
    result = recorded(lambda: check.architecture(ended, [check.dense(4, "softmax")]))
    assert (result.outcome is Outcome.PASSED) is (axis == -1)
    sloped = keras.Model(inputs, o.leaky_relu(L.Dense(4)(inputs), 0.3))
    asked = [check.dense(4), check.layer("LeakyReLU", negative_slope=0.3)]
    assert recorded(lambda: check.architecture(sloped, asked)).outcome is Outcome.PASSED
