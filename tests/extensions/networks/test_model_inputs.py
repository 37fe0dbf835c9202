"""Rows of several inputs reach a model in its own order and under its own names, however the test writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.grids import each_once
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.rebuilding import sent
from helpers.remote_models import answer

from autograder import check
from autograder.extensions.networks.prediction import predictions
from autograder.kernel import model_predictions
from autograder.models import rebuild
from autograder.records.checks import Outcome

DRAW = np.random.default_rng(0)
WORDS = DRAW.integers(0, 9, (80, 6))
NUMBERS = DRAW.normal(size=(80, 3)).astype("float32")
LABELS = (NUMBERS[:, 0] + (WORDS[:, 0] > 4) > 0.5).astype(int)

GIVEN: dict[str, Any] = {
    "a list": [WORDS, NUMBERS],
    "a tuple": (WORDS, NUMBERS),
    "a dict": {"words": WORDS, "numbers": NUMBERS},
    "a dict in another order": {"numbers": NUMBERS, "words": WORDS},
}


def network(arrange: Callable[[Any, Any], Any], names: tuple[str | None, str | None] = ("words", "numbers")) -> Any:
    keras.utils.set_random_seed(3)
    words = keras.Input((6,), name=names[0], dtype="int32")
    numbers = keras.Input((3,), name=names[1])
    joined = L.Concatenate()([L.Flatten()(L.Embedding(9, 2)(words)), numbers])
    return keras.Model(arrange(words, numbers), L.Dense(2, activation="softmax")(joined))


STUDENTS: dict[str, Callable[[], Any]] = {
    "in that order": lambda: network(lambda words, numbers: [words, numbers]),
    "in another order": lambda: network(lambda words, numbers: [numbers, words]),
    "a dict": lambda: network(lambda words, numbers: {"words": words, "numbers": numbers}),
    "a dict in another order": lambda: network(lambda words, numbers: {"numbers": numbers, "words": words}),
    "other names": lambda: network(lambda words, numbers: [numbers, words], ("Words_input", "input_numbers")),
    "no names": lambda: network(lambda words, numbers: [numbers, words], (None, None)),
    "a dict of other names": lambda: network(lambda words, numbers: {"a": numbers, "b": words}, ("b", "a")),
}


@pytest.mark.keras
@pytest.mark.parametrize(("student", "given"), each_once(STUDENTS, GIVEN))
def test_a_model_gets_its_inputs_in_the_form_that_it_wants(student: str, given: str) -> None:
    model = STUDENTS[student]()
    expected = np.asarray(STUDENTS["in that order"]()([WORDS, NUMBERS]))
    for one in (model, rebuild(*sent(model))):
        np.testing.assert_allclose(predictions(one, GIVEN[given]), expected, rtol=1e-5)
    as_list = list(GIVEN[given]) if given == "a tuple" else GIVEN[given]
    np.testing.assert_allclose(model_predictions.predict(model, as_list, ""), expected, rtol=1e-5)


@pytest.mark.keras
@pytest.mark.parametrize("given", GIVEN)
def test_every_check_on_rows_takes_several_inputs(given: str) -> None:
    model = STUDENTS["a dict of other names"]()
    model.compile("adam", "sparse_categorical_crossentropy")
    rows = (GIVEN[given], LABELS)
    with check.recording() as results:
        check.loss(model, on=rows, below=9.0)
        check.accuracy(model, on=rows, above=0.0)
        check.retrained(model, on=rows, holdout=rows, epochs=1, seeds=1, close_calls="exact", below=9.0)
    assert [result.outcome for result in results] == [Outcome.PASSED] * 3, [result.message for result in results]


@pytest.mark.keras
def test_preprocessing_of_one_of_several_inputs_is_fitted_to_its_rows() -> None:
    first, second = keras.Input((3,), name="first"), keras.Input((3,), name="second")
    scaled = L.Normalization(mean=[0.0, 0.0, 1.0], variance=[1.0, 2.0, 3.0])(second)
    joined = L.Concatenate()([first, scaled])
    model = keras.Model({"x": second, "y": first}, L.Dense(2, activation="softmax")(joined))
    model.compile("adam")
    rows = ({"first": NUMBERS, "second": NUMBERS + 100}, LABELS)
    with check.recording() as results:
        check.retrained(model, on=rows, holdout=rows, epochs=1, seeds=1, close_calls="exact", below=2.0)
    assert results[0].outcome is Outcome.PASSED, results[0].message


@pytest.mark.keras
def test_inputs_of_one_shape_go_by_place_unless_they_have_names() -> None:
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model([b, a], L.Subtract()([a, b]))
    np.testing.assert_allclose(predictions(model, {"a": NUMBERS, "b": 3 * NUMBERS}), -2 * NUMBERS, rtol=1e-6)
    np.testing.assert_allclose(predictions(model, [NUMBERS, 3 * NUMBERS]), 2 * NUMBERS, rtol=1e-6)


@pytest.mark.keras
def test_an_input_that_a_model_does_not_use_may_be_given() -> None:
    a = keras.Input((3,), name="a")
    model = keras.Model(a, L.Rescaling(2.0)(a))
    np.testing.assert_allclose(predictions(model, {"a": NUMBERS, "b": NUMBERS}), 2 * NUMBERS)


@pytest.mark.keras
def test_rows_that_fit_no_input_are_rejected_with_the_shapes() -> None:
    with check.recording() as results:
        check.loss(STUDENTS["in that order"](), on=([WORDS[:, :2], NUMBERS[:, :2]], LABELS), below=9)
    assert "does not accept rows of the shape (2,), (2,)" in results[0].message


FUNCTIONS = [
    "def model(rows): return rows[0][:, :1] + rows[1][:, :1]",
    "def model(rows):\n    words, numbers = rows\n    return words[:, :1] + numbers[:, :1]",
    "def model(words, numbers): return words[:, :1] + numbers[:, :1]",
]
BY_NAME = [
    "def model(rows): return rows['words'][:, :1] + rows['numbers'][:, :1]",
    "def model(numbers, words): return words[:, :1] + numbers[:, :1]",
    "def model(**rows): return rows['words'][:, :1] + rows['numbers'][:, :1]",
]


@pytest.mark.parametrize(
    ("source", "given"),
    [
        *((source, given) for source in FUNCTIONS for given in GIVEN if given != "a dict in another order"),
        *((source, given) for source in BY_NAME for given in ("a dict", "a dict in another order")),
    ],
)
def test_a_function_of_the_notebook_gets_them_as_it_takes_them(source: str, given: str) -> None:
    np.testing.assert_allclose(predictions(answer(source), GIVEN[given]), WORDS[:, :1] + NUMBERS[:, :1], rtol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("def call(self, rows): return rows[0] + rows[1]", "a dict"),
        ("def call(self, rows): return rows['words'] + rows['numbers']", "a dict in another order"),
        ("def call(self, words, numbers): return words + numbers", "a list"),
        ("def call(self, words, numbers, training=None): return words + numbers", "a dict in another order"),
    ],
)
def test_a_subclass_in_the_kernel_gets_them_as_it_takes_them(call: str, given: str) -> None:
    source = f"import keras\nclass Net(keras.Model):\n    {call}\nmodel = Net()"
    names: dict[str, Any] = {}
    exec(source, names)
    rows = {"words": NUMBERS, "numbers": 2 * NUMBERS}
    shown = list(rows.values()) if given == "a list" else dict(sorted(rows.items())) if "other" in given else rows
    np.testing.assert_allclose(model_predictions.predict(names["model"], shown, ""), 3 * NUMBERS, rtol=1e-6)


def test_what_a_function_raises_first_is_what_it_raises() -> None:
    with check.recording() as results:
        check.accuracy(answer("def model(rows): raise ZeroDivisionError"), on=([NUMBERS, NUMBERS], LABELS), above=0)
    assert "ZeroDivisionError" in results[0].message
