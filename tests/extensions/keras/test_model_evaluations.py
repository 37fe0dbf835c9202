"""Evaluations in a test: with the solution's loss and metrics where they are known, and of plain settings otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.rebuilding import sent

from autograder._util.plain_records import from_plain, to_plain
from autograder.errors import UnreadableError
from autograder.examiner.evaluations import Evaluations
from autograder.extensions.keras.evaluation import compiled_as
from autograder.models import rebuild
from autograder.records.compiled import CompiledAs

pytestmark = [pytest.mark.keras, pytest.mark.usefixtures("eager")]
DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(60, 4)).astype("float32")
CLASSES = DRAW.integers(0, 3, 60)
Y = np.eye(3, dtype="float32")[CLASSES]
CROSSENTROPY = "categorical_crossentropy"


def network(last: Any = "softmax", units: int = 3) -> Any:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation=last)])


def as_examined(model: Any, solution: Any = None, name: str = "model") -> Any:
    """What a test has of a student's model; ``solution`` is the solution's model of that name."""
    twin = rebuild(*sent(model))
    known = {} if solution is None else {"model": compiled_as(rebuild(*sent(solution)))}
    Evaluations(known).note(twin, name)
    return twin


def compiled(made: Any, *settings: Any, **more: Any) -> Any:
    made.compile("sgd", *settings, **more)
    return made


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)


def smooth() -> Any:
    return keras.losses.CategoricalCrossentropy(label_smoothing=0.1)


def top(**more: Any) -> Any:
    return keras.metrics.TopKCategoricalAccuracy(k=2, **more)


# --- the solution's settings are known --------------------------------------------------------------------

UNUSUAL: dict[str, Callable[[], dict[str, Any]]] = {
    "a top-k accuracy": lambda: {"loss": CROSSENTROPY, "metrics": [top(name="accuracy")]},
    "another metric": lambda: {"loss": CROSSENTROPY, "metrics": ["accuracy", top()]},
    "no weight": lambda: {"loss": CROSSENTROPY, "metrics": ["accuracy"], "loss_weights": [0.0]},
    "a negative loss": lambda: {"loss": "cosine_similarity", "metrics": ["accuracy"]},
    "label smoothing": lambda: {"loss": smooth(), "metrics": ["accuracy"]},
    "a loss of their own": lambda: {"loss": own_loss, "metrics": ["accuracy"]},
    "no metrics": lambda: {"loss": CROSSENTROPY},
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_model_is_evaluated_as_the_solutions_of_its_name_is_compiled(name: str) -> None:
    student = compiled(network(), **UNUSUAL[name]())
    solution = compiled(network(), CROSSENTROPY, metrics=["accuracy"])
    wanted = compiled(network(), CROSSENTROPY, metrics=["accuracy"])
    wanted.set_weights(student.get_weights())
    found = as_examined(student, solution).evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(found, wanted.evaluate(X, Y, verbose=0), rtol=1e-5)
    found = as_examined(student, solution).test_on_batch(X, Y)
    np.testing.assert_allclose(found, wanted.test_on_batch(X, Y), rtol=1e-5)


def test_an_unusual_solution_is_evaluated_as_it_is() -> None:
    for settings in (UNUSUAL["label smoothing"], UNUSUAL["another metric"]):
        model = compiled(network(), **settings())
        found = as_examined(model, model).evaluate(X, Y, verbose=0)
        np.testing.assert_allclose(found, model.evaluate(X, Y, verbose=0), rtol=1e-5)


def test_beside_a_loss_of_the_solutions_own_the_metrics_are_measured() -> None:
    student = compiled(network(), CROSSENTROPY, metrics=["accuracy"])
    solution = compiled(network(), own_loss, metrics=["accuracy"])
    loss, accuracy = as_examined(student, solution).evaluate(X, Y, verbose=0)
    assert np.isnan(loss)
    assert accuracy == pytest.approx(student.evaluate(X, Y, verbose=0)[1])


def test_scores_stay_scores_where_the_solution_has_probabilities() -> None:
    student = compiled(network(None), keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    solution = compiled(network(), CROSSENTROPY, metrics=["accuracy"])
    found = as_examined(student, solution).evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(found, student.evaluate(X, Y, verbose=0), rtol=1e-5)


def test_scores_of_one_class_wait_for_a_person() -> None:
    student = compiled(network(None, 1), keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    solution = compiled(network("sigmoid", 1), "binary_crossentropy", metrics=["accuracy"])
    with pytest.raises(UnreadableError, match="do not fit"):
        as_examined(student, solution).evaluate(X, Y[:, :1], verbose=0)


def test_a_network_with_two_outputs_and_a_solution_with_one_wait_for_a_person() -> None:
    inputs = keras.Input((4,))
    two = keras.Model(inputs, [keras.layers.Dense(3)(inputs), keras.layers.Dense(3)(inputs)])
    solution = compiled(network(), [CROSSENTROPY], metrics=[["accuracy"]])
    with pytest.raises(UnreadableError):
        as_examined(compiled(two, ["mse", "mse"]), solution).evaluate(X, [Y, Y], verbose=0)


def test_a_model_with_two_names_of_different_solutions_is_evaluated_as_a_plain_one() -> None:
    twin = rebuild(*sent(compiled(network(), CROSSENTROPY, metrics=[top()])))
    known = {
        "small": CompiledAs(CROSSENTROPY, ["accuracy"]),
        "large": CompiledAs(CROSSENTROPY, ["top_k_categorical_accuracy"]),
    }
    evaluations = Evaluations(known)
    evaluations.note(twin, "small")
    evaluations.note(twin, "large")
    with pytest.raises(UnreadableError):
        twin.evaluate(X, Y, verbose=0)


def test_a_model_without_a_name_may_be_compiled_as_one_of_the_solutions() -> None:
    student = compiled(network(), smooth())
    found = as_examined(student, compiled(network(), smooth()), name="").evaluate(X, Y, verbose=0)
    assert found == pytest.approx(student.evaluate(X, Y, verbose=0))


def test_the_solutions_own_run_is_evaluated_as_it_is() -> None:
    twin = rebuild(*sent(compiled(network(), CROSSENTROPY, metrics=[top(name="accuracy")])))
    evaluations = Evaluations(None)
    evaluations.note(twin, "model")
    assert len(twin.evaluate(X, Y, verbose=0)) == 2
    assert evaluations.observed() == {"model": compiled_as(twin)}


def test_a_name_of_several_models_of_the_solution_stands_for_none_of_them() -> None:
    first, second = (compiled(network(), CROSSENTROPY, metrics=[top(name=name)]) for name in ("one", "two"))
    evaluations = Evaluations(None)
    for model in (first, first, second):
        evaluations.note(rebuild(*sent(model)), "model")
    known = evaluations.observed()
    assert sorted(known) == ["model (1)", "model (2)"]
    for model, plain in ((second, True), (compiled(network(), CROSSENTROPY, metrics=[top(name="three")]), False)):
        twin = rebuild(*sent(model))
        Evaluations(known).note(twin, "model")
        if plain:
            assert len(twin.evaluate(X, Y, verbose=0)) == 2
            continue
        with pytest.raises(UnreadableError):
            twin.evaluate(X, Y, verbose=0)


def test_what_was_observed_is_plain_data() -> None:
    settings = compiled_as(rebuild(*sent(compiled(network(), smooth(), metrics=["accuracy", top()]))))
    assert from_plain(CompiledAs, json.loads(json.dumps(to_plain(settings)))) == settings


# --- they are not known -----------------------------------------------------------------------------------

USUAL: dict[str, tuple[Callable[[], Any], Any]] = {
    "classes": (lambda: compiled(network(), CROSSENTROPY, metrics=["accuracy"]), Y),
    "as objects": (
        lambda: compiled(
            network(), keras.losses.CategoricalCrossentropy(), metrics=[keras.metrics.CategoricalAccuracy()]
        ),
        Y,
    ),
    "numbers of classes": (
        lambda: compiled(
            network(None),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["sparse_categorical_accuracy"],
        ),
        CLASSES,
    ),
    "two classes": (
        lambda: compiled(network("sigmoid", 1), "binary_crossentropy", metrics=["binary_accuracy", "acc"]),
        Y[:, :1],
    ),
    "a regression": (lambda: compiled(network(None, 1), "mse", metrics=["mae"]), X[:, :1]),
    "no metrics": (lambda: compiled(network(), keras.losses.categorical_crossentropy), Y),
    "a weight of 1": (lambda: compiled(network(), [CROSSENTROPY], loss_weights=[1.0]), Y),
}


@pytest.mark.parametrize("name", USUAL)
def test_plain_settings_are_evaluated_as_they_are(name: str) -> None:
    model, labels = USUAL[name][0](), USUAL[name][1]
    found = as_examined(model).evaluate(X, labels, verbose=0)
    np.testing.assert_allclose(found, model.evaluate(X, labels, verbose=0), rtol=1e-5)
    curve = as_examined(model).fit(X, labels, epochs=1, verbose=0)
    assert len(curve.history["loss"]) == 1


@pytest.mark.parametrize("name", [name for name in UNUSUAL if name != "no metrics"])
def test_unusual_settings_wait_for_a_person(name: str) -> None:
    with pytest.raises(UnreadableError, match="not evaluated as it is compiled"):
        as_examined(compiled(network(), **UNUSUAL[name]())).evaluate(X, Y, verbose=0)


UNFIT: dict[str, tuple[Callable[[], Any], Any]] = {
    "an error of classes": (lambda: compiled(network(), "mse"), Y),
    "a crossentropy of each output": (lambda: compiled(network(), "binary_crossentropy"), Y),
    "the accuracy of each output": (lambda: compiled(network(), CROSSENTROPY, metrics=["binary_accuracy"]), Y),
    "an error as metric": (lambda: compiled(network(), CROSSENTROPY, metrics=["mse"]), Y),
    "equal numbers": (lambda: compiled(network(), CROSSENTROPY, metrics=[keras.metrics.Accuracy()]), Y),
    "places in one-hot rows": (
        lambda: compiled(network(), "sparse_categorical_crossentropy", metrics=["categorical_accuracy"]),
        CLASSES,
    ),
    "one class": (lambda: compiled(network("softmax", 1), CROSSENTROPY), Y[:, :1]),
    "outputs below zero": (lambda: compiled(network(None), CROSSENTROPY), Y),
    "a sum": (lambda: compiled(network(), keras.losses.CategoricalCrossentropy(reduction="sum")), Y),
    "a name": (lambda: compiled(network(), keras.losses.MeanSquaredError(name=CROSSENTROPY)), Y),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_small_whatever_is_predicted_waits_for_a_person(name: str) -> None:
    with pytest.raises(UnreadableError):
        as_examined(UNFIT[name][0]()).evaluate(X, UNFIT[name][1], verbose=0)


def test_a_learning_curve_of_unusual_settings_cannot_be_read_and_the_training_counts() -> None:
    model = as_examined(compiled(network(), smooth(), metrics=[top()]))
    before = model.get_weights()[0]
    told = model.fit(X, Y, epochs=1, verbose=0, validation_data=(X, Y))
    assert np.abs(model.get_weights()[0] - before).max() > 0
    with pytest.raises(UnreadableError):
        told.history["loss"]
    with pytest.raises(UnreadableError):
        model.train_on_batch(X, Y)


def test_a_test_that_compiles_a_model_itself_gets_what_it_asks_for() -> None:
    model = as_examined(compiled(network(), CROSSENTROPY, loss_weights=[0.0]))
    compiled(model, "mse", loss_weights=[2.0])
    other = compiled(network(), "mse", loss_weights=[2.0])
    other.set_weights(model.get_weights())
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(other.evaluate(X, Y, verbose=0))


def test_a_test_may_ask_for_the_students_own_loss_and_metrics() -> None:
    student = compiled(network(), CROSSENTROPY, metrics=[top(name="accuracy")], loss_weights=[2.0])
    model = as_examined(student, compiled(network(), CROSSENTROPY))
    model.compile_from_config(model.get_compile_config())
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), student.evaluate(X, Y, verbose=0), rtol=1e-5)


def test_outputs_below_zero_wait_for_a_person_whoever_compiles() -> None:
    model = as_examined(compiled(network(None), CROSSENTROPY))
    compiled(model, CROSSENTROPY)
    with pytest.raises(UnreadableError, match="no probabilities"):
        model.evaluate(X, Y, verbose=0)
    compiled(model, keras.losses.CategoricalCrossentropy(from_logits=True))
    assert model.evaluate(X, Y, verbose=0) > 0


def test_a_model_that_is_not_compiled_says_so() -> None:
    with pytest.raises(ValueError, match="compile"):
        as_examined(network()).evaluate(X, Y, verbose=0)
