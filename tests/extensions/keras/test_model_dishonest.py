"""Classes that show a reader another model than they are: none gets more than the model that it could hand in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.own_models import ROWS, WORDS, called, linear, of_call
from helpers.rebuilding import outputs, sent

from autograder import check
from autograder.extensions.networks.fresh_model import excess_problem
from autograder.models import RefusedModel, rebuild

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


def two_models(keras: Any, choose: Callable[[Any, Any], Any]) -> Any:
    parts = {"shown": keras.layers.Dense(3, name="shown"), "real": keras.layers.Dense(3, name="real")}
    model = of_call(keras, parts, lambda own, x, training: (own.shown if choose(x, training) else own.real)(x))
    for part in parts.values():
        part.build((None, 4))
    return called(model, ROWS)[0]


TWO_FACED: dict[str, Callable[[Any, Any], Any]] = {
    "for symbolic tensors": lambda x, training: not hasattr(x, "numpy"),
    "without a training flag": lambda x, training: training is None,
    "for an unknown number of rows": lambda x, training: x.shape[0] is None,
    "for the size of a batch": lambda x, training: x.shape[0] in (None, 12),
}


@pytest.mark.parametrize("name", TWO_FACED)
def test_a_class_with_two_faces_is_only_asked(keras: Any, name: str) -> None:
    model = two_models(keras, TWO_FACED[name])
    with pytest.raises(RefusedModel, match="something else on symbolic tensors") as caught:
        rebuild(*sent(model))
    assert caught.value.kind_refused


def test_random_numbers_in_a_call_are_no_constants(keras: Any) -> None:
    model, _ = called(of_call(keras, {}, lambda own, x, t: x + keras.random.normal((4,))), ROWS)
    with pytest.raises(RefusedModel, match="something else on symbolic tensors"):
        rebuild(*sent(model))


def test_a_table_of_answers_counts_as_parameters_and_is_not_trained(keras: Any) -> None:
    answers = np.random.default_rng(0).normal(size=(9, 3)).astype("float32")
    call = lambda own, x, t: own.d(keras.ops.take(answers, keras.ops.cast(x[:, 0], "int32"), axis=0))  # noqa: E731
    twin = rebuild(*sent(called(of_call(keras, {"d": keras.layers.Dense(2)}, call), WORDS)[0]))
    assert check.parameters(twin, exactly=27 + 8)
    wide = np.random.default_rng(0).normal(size=(9, 4)).astype("float32")
    call = lambda own, x, t: own.d(keras.ops.take(wide, keras.ops.cast(x[:, 0], "int32"), axis=0))  # noqa: E731
    twin = rebuild(*sent(called(of_call(keras, {"d": keras.layers.Dense(2)}, call), WORDS)[0]))
    assert "hold 36 numbers" in str(excess_problem(twin))


def test_a_layer_that_hides_its_variables_has_them_all_the_same(keras: Any) -> None:
    own = linear(keras)

    class Hiding(own):  # type: ignore[misc, valid-type]
        weights = variables = trainable_weights = trainable_variables = property(lambda self: [])

        def count_params(self) -> int:
            return 0

    model, _ = called(keras.Sequential([keras.Input((4,)), Hiding(3)]), ROWS)
    assert model.count_params() == 0
    assert check.parameters(rebuild(*sent(model)), exactly=15)


def test_a_variable_that_no_layer_owns_is_not_read(keras: Any) -> None:
    class Holder:
        w = keras.Variable(np.ones((4, 3), "float32"))

    model, _ = called(of_call(keras, {}, lambda own, x, t: keras.ops.matmul(x, Holder.w)), ROWS)
    with pytest.raises(RefusedModel, match="uses a variable that none of its layers has"):
        rebuild(*sent(model))


def test_a_record_is_worth_what_the_model_in_it_is_worth(keras: Any) -> None:
    """An agent that lies can only describe a model that its author could have assigned to the name."""
    other = called(of_call(keras, {"d": keras.layers.Dense(3)}, lambda own, x, t: own.d(x)), ROWS)[0]
    twin = rebuild(*sent(other))
    np.testing.assert_array_equal(outputs(twin, ROWS), outputs(other, ROWS))


def spoiled(claimed: dict[str, Any], part: str, **config: Any) -> dict[str, Any]:
    mutant = copy.deepcopy(claimed)
    entry = next(entry for entry in mutant["config"]["layers"] if entry["class_name"] == part)
    entry["config"].update(config)
    return mutant


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"shape": [10_000_000] * 6}, "more than 50,000,000 parameters"),
        ({"shape": [-1, 3]}, "must be a whole number"),
        ({"shape": "many"}, "must be a list"),
        ({"shape": [4, 4]}, "does not fit the shapes|should have"),
        ({"dtype": "string"}, "must be one of"),
        ({"trainable": 1}, "must be True or False"),
        ({"weight_initializer": {"module": "os", "class_name": "system", "config": {}}}, ""),
    ],
)
def test_a_hostile_variable_is_refused(keras: Any, config: dict[str, Any], message: str) -> None:
    model, _ = called(keras.Sequential([keras.Input((4,)), linear(keras)(3)]), ROWS)
    claimed, arrays = sent(model)
    mutant = spoiled(claimed, "Variable", **config)
    if not message:
        assert rebuild(mutant, arrays).count_params() == 15, "an unknown initializer is left out"
        return
    with pytest.raises(RefusedModel, match=message):
        rebuild(mutant, arrays)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda claimed, arrays: (claimed, arrays[:-1]),
        lambda claimed, arrays: (claimed, [*arrays, arrays[-1]]),
        lambda claimed, arrays: (claimed, [*arrays[:-1], arrays[-1][:-1]]),
        lambda claimed, arrays: (claimed, [*arrays[:-1], arrays[-1] + 1]),
        lambda claimed, arrays: (claimed, [*arrays[:-1], arrays[-1].astype("float64")]),
        lambda claimed, arrays: (claimed, [*arrays[:-1], np.full_like(arrays[-1], np.nan)]),
        lambda claimed, arrays: ({**claimed, "probe": None}, arrays),
        lambda claimed, arrays: ({**claimed, "probe": {"kind": "real", "number": 10**9}}, arrays),
        lambda claimed, arrays: ({**claimed, "probe": {"kind": "none", "number": 12}}, arrays),
        lambda claimed, arrays: ({**claimed, "config": None}, arrays),
    ],
)
def test_predictions_that_do_not_fit_the_record_drop_it(keras: Any, spoil: Any) -> None:
    model, _ = called(keras.Sequential([keras.Input((4,)), linear(keras)(3)]), ROWS)
    with pytest.raises(RefusedModel) as caught:
        rebuild(*spoil(*sent(model)))
    assert caught.value.kind_refused


@pytest.mark.parametrize("reason", ["", None, 3, ["flow"], "<b>", "x" * 10_000])
def test_the_reason_for_no_record_is_one_of_a_list(keras: Any, reason: Any) -> None:
    with pytest.raises(RefusedModel) as caught:
        rebuild({"library": "keras", "kind": "Subclassed", "unread": reason}, [])
    assert str(caught.value) == "The model is a class of your own, and it cannot be read."
