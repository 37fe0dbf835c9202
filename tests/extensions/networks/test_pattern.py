"""Patterns of layers: alternatives, repetitions and ranges, and what a difference does to the parameters."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from helpers.clock import own_seconds
from helpers.lazy import keras
from helpers.lazy import layers as L

from autograder import check
from autograder.errors import CourseError
from autograder.records.checks import CheckResult, Outcome

pytestmark = pytest.mark.keras
NORM = check.layer("BatchNormalization")
DROP = check.layer("Dropout")


def model_of(text: str, shape: tuple[int, ...] = (10,)) -> Any:
    """A Sequential model from a short text: ``64r n d 9s`` is Dense 64 relu, BatchNormalization, Dropout, Dense 9 softmax."""
    made = [keras.Input(shape)]
    for word in text.split():
        if word in ("n", "d", "f", "r"):
            made.append({"n": L.BatchNormalization, "d": lambda: L.Dropout(0.5), "f": L.Flatten, "r": L.ReLU}[word]())
        else:
            units = int(word.rstrip("rs"))
            made.append(L.Dense(units, activation={"r": "relu", "s": "softmax"}.get(word[-1])))
    return keras.Sequential(made)


def result_of(model: Any, layers: Any, **keywords: Any) -> CheckResult:
    with check.recording() as results:
        check.architecture(model, layers, **keywords)
    return results[0]


def message_of(model: Any, layers: Any) -> str:
    result = result_of(model, layers)
    return "" if result.outcome is Outcome.PASSED else result.message


BLOCK = [check.dense(activation="relu"), DROP]
FITS = [
    # what is asked, models that fit, models that do not
    ([check.layer("*"), check.dense(9)], ["64r 9", "d 9", "n 9s"], ["9", "64 64 9"]),
    ([check.layer("*")] * 3, ["1 2 3", "d n 4"], ["1 2", "1 2 3 4", ""]),
    ([..., check.layer("*"), ...], ["1", "1 2"], [""]),
    ([check.any_of([check.dense(64), NORM], [check.dense(128)]), check.dense(9)], ["64 n 9", "128 9"], ["64 9", "128 n 9"]),
    ([check.any_of([check.dense(64), NORM], check.dense(128)), ..., check.dense(9)], ["64 n 9", "128 d 9"], ["64 9"]),
    ([check.any_of([..., NORM], [DROP, ...]), check.dense(9)], ["1 n 9", "d 1 9", "n 9"], ["1 9"]),
    ([..., check.any_of([DROP, check.dense(9)], [check.dense(9), check.layer("Softmax")])], ["1 d 9", "9s", "1 9s"], ["9"]),
    ([check.any_of([check.dense(5), check.dense(6)], [check.dense(5)]), check.layer("ReLU")], ["5 6r", "5r"], ["5 6"]),
    ([check.repeat(check.dense(), at_least=2)], ["1 2", "1 2 3 4 5"], ["", "1", "1 d 2"]),
    ([check.repeat(BLOCK, at_least=1, at_most=2), check.dense(9, "softmax")], ["5r d 9s", "5r d 6r d 9s"], ["9s", "5r 9s", "5r d 5r d 5r d 9s"]),
    ([check.repeat(check.any_of(DROP, NORM), at_least=0), check.dense(9)], ["9", "d 9", "n d n 9"], ["1 9"]),
    ([check.repeat(check.dense(activation="relu"), at_least=3, at_most=3), ...], ["1r 2r 3r d"], ["1r 2r d", "1r 2r 3"]),
    ([check.dense(8), check.optional(DROP), check.dense(9)], ["8 9", "8 d 9"], ["8 d d 9", "8 n 9"]),
    ([check.optional([DROP, NORM]), check.dense(9)], ["9", "d n 9"], ["d 9", "n 9"]),
    ([check.dense(check.between(64, 512)), ...], ["64", "512 9"], ["63", "513 9"]),
    ([check.dense(check.at_least(64)), check.layer("Dropout", rate=check.at_most(0.5)), ...], ["64 d", "99 d 1"], ["63 d", "64"]),
    ([check.dense(8), check.any_of(check.layer("ReLU"), check.layer("Softmax")), check.dense(9)], ["8r 9", "8s 9"], ["8 9"]),
    ([check.dense(8), check.any_of(check.layer("ReLU")), ...], ["8 r 9", "8r n"], ["8 n r"]),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "fit", "fail"), FITS, ids=[str(i) for i in range(len(FITS))])
def test_a_pattern_fits_what_it_describes_and_nothing_else(layers: Any, fit: list[str], fail: list[str]) -> None:
    for text in fit:
        assert message_of(model_of(text), layers) == "", text
    for text in fail:
        assert message_of(model_of(text), layers) != "", text


@pytest.mark.parametrize(
    ("text", "layers", "message"),
    [
        ("32 9", [check.dense(check.between(64, 512)), ...], "layer 1: Dense with 32 units, expected 64 to 512"),
        ("n 9", [check.any_of(check.dense(), DROP), check.dense(9)], "layer 1: BatchNormalization, expected Dense or Dropout"),
        ("5 9", [check.repeat(check.dense(), at_least=3)], "after layer 2: Dense is missing"),
        ("9", [check.any_of(DROP, NORM), check.dense(9)], "at the beginning: Dropout or BatchNormalization is missing"),
        ("9", [check.layer("*"), check.dense(9)], "after layer 1: Dense(units=9) is missing (−90 parameters)"),
        ("9 d d", [check.dense(9), check.optional(DROP)], "layer 3: Dropout(rate=0.5) is one too many"),
    ],
)  # fmt: skip
def test_a_difference_says_what_would_do(text: str, layers: Any, message: str) -> None:
    assert message_of(model_of(text), layers) == message


# --- parameters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "layers", "message"),
    [
        # 10·128+128 + 129·9 = 2,569; with 512: 11·512 + 513·9 = 10,249
        ("128 9", [check.dense(512), check.dense(9)], "layer 1: Dense with 128 units, expected 512 (−7,680 parameters); "
         "your model has 2,569 parameters, the layers asked for would have 10,249"),
        ("128 9", [check.dense(512), ...], "layer 1: Dense with 128 units, expected 512 (−7,680 parameters)"),
        ("128 n 9", [check.dense(64), ...], "layer 1: Dense with 128 units, expected 64 (+1,536 parameters)"),
        ("128 n 9", [check.dense(), check.dense()], "layer 2: BatchNormalization is one too many (+512 parameters); "
         "your model has 3,081 parameters, the layers asked for would have 2,569"),
        ("128 5 9", [check.dense(128), check.dense(9)], "layer 2: Dense(units=5) is one too many (−462 parameters); "
         "your model has 2,107 parameters, the layers asked for would have 2,569"),
        ("9", [check.dense(20), check.dense(9)], "at the beginning: Dense(units=20) is missing (−310 parameters); "
         "your model has 99 parameters, the layers asked for would have 409"),
        ("4 d 9", [check.dense(4), check.dense(9)], "layer 2: Dropout(rate=0.5) is one too many"),
        ("4 d 9", [check.dense(8), check.layer("Dropout", rate=0.1), check.dense(9, "relu")],
         "layer 1: Dense with 4 units, expected 8 (−80 parameters); layer 2: Dropout with rate 0.5, expected 0.1; "
         "layer 3: Dense without an activation, expected relu; "
         "your model has 89 parameters, the layers asked for would have 169"),
    ],
)  # fmt: skip
def test_a_difference_comes_with_its_effect_on_the_whole_models_parameters(
    text: str, layers: Any, message: str
) -> None:
    assert message_of(model_of(text), layers) == message


def test_the_effect_reaches_through_models_inside_the_model_and_convolutions() -> None:
    inner = keras.Sequential([keras.Input((8, 8, 4)), L.Conv2D(6, 3), L.Flatten()])
    model = keras.Sequential([keras.Input((8, 8, 1)), L.Conv2D(4, 3, padding="same"), inner, L.Dense(2)])
    layers = [check.layer("Conv2D", filters=8), check.layer("Conv2D"), check.layer("Flatten"), check.dense(2)]
    assert "layer 1: Conv2D with 4 filters, expected 8" in message_of(model, layers)
    layers = [check.layer("Conv2D"), check.layer("Conv2D", filters=12), ...]
    # 6·(9·4+1) + 6·36·2 less than with 12
    assert message_of(model, layers) == "layer 2: Conv2D with 6 filters, expected 12 (−654 parameters)"


def test_counting_allocates_nothing_and_draws_no_random_numbers() -> None:
    model = model_of("8 9")
    keras.utils.set_random_seed(3)
    state = random.getstate()
    assert "parameters" in message_of(model, [check.dense(2_000_000_000), check.dense(9)])
    assert random.getstate() == state


def test_an_impossible_change_has_no_number() -> None:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, L.Add()([L.Dense(4)(inputs), inputs]))
    assert message_of(model, [check.dense(5), check.layer("Add")]) == (
        "layer 1: Dense with 4 units, expected 5; your model branches, and its layers count in Keras's order: 1 Dense, 2 Add"
    )


def test_at_most_eight_differences_are_told_the_first_ones_first() -> None:
    message = message_of(model_of("1 " * 12), [check.dense(2)] * 12)
    assert message.startswith("layer 1: Dense with 1 units, expected 2")
    assert "layer 8: Dense" in message
    assert "layer 9: Dense" not in message
    assert "; and 4 more; your model has" in message


def test_a_chain_of_models_and_branches_is_told_from_branches() -> None:
    inputs = keras.Input((4,))
    hidden = L.Dense(4)(inputs)
    branched = keras.Model(inputs, L.Concatenate()([L.Dense(2)(hidden), L.Dense(3)(hidden)]))
    assert "branches" in message_of(branched, [check.dense()])
    assert "branches" not in message_of(model_of("1 2"), [check.dense()])
    assert message_of(branched, [check.dense(4), check.dense(2), check.dense(3), check.layer("Concatenate")]) == ""


# --- the author's mistakes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: check.any_of(), "one or more"),
        (lambda: check.any_of("Dense"), "is not a pattern"),
        (lambda: check.any_of([]), "use check.optional"),
        (lambda: check.repeat(check.dense(), at_least=3, at_most=2), "at_least the smaller"),
        (lambda: check.repeat(check.dense(), at_most=0), "at_least the smaller"),
        (lambda: check.repeat(check.dense(), at_least=1.5), "whole numbers"),  # type: ignore[arg-type]
        (lambda: check.optional(3), "is not a pattern"),
        (lambda: check.between(3, 2), "smaller one first"),
        (lambda: check.at_least("3"), "takes a number"),  # type: ignore[arg-type]
        (lambda: check.layer("*", units=3), "has no attributes"),
        (lambda: check.architecture(model_of("9"), [check.repeat([check.layer("Dens")])]), "no 'Dens'. Did you mean Dense"),
        (lambda: check.architecture(model_of("9"), [check.optional(check.layer("Dense", unit=1))]), "no attribute 'unit'"),
        (lambda: check.architecture(model_of("9"), [check.dense(), check.layer("PCA")]), "not of one library"),
        (lambda: check.architecture(model_of("9"), [check.layer("LogisticRegresion")]), "Did you mean LogisticRegression"),
        (lambda: check.architecture(model_of("9"), [check.layer("PCA", components=2)]), "no attribute 'components'. Did you mean n_components"),
        (lambda: check.architecture(model_of("9"), [check.layer("PCA")], input_shape=3), "no 'PCA'"),
        (lambda: check.architecture(model_of("9"), [check.repeat([check.repeat(DROP, at_least=500)], at_least=500)]), "too large"),
    ],
)  # fmt: skip
def test_a_wrong_pattern_is_the_authors_mistake(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(CourseError, match=message):
        make()


def test_whether_a_pattern_is_right_does_not_depend_on_the_model() -> None:
    """What a student hands in never makes a test the author's mistake."""
    sklearn: Any = pytest.importorskip("sklearn.linear_model")
    for model in (model_of("9"), sklearn.Ridge(), None, len):
        for layers, keywords in (
            ([...], {"input_shape": (10,)}),
            ([check.layer("Dropout", rate=0.5)], {}),
            ([check.dense()], {}),
        ):
            assert result_of(model, layers, **keywords).outcome in (Outcome.PASSED, Outcome.FAILED)
    nested = [check.repeat(check.repeat(check.repeat(DROP)))]
    assert "too many to be compared" in message_of(model_of("d " * 60), nested)
    assert message_of(model_of("d d d"), nested) == ""


def test_a_large_pattern_of_a_large_model_is_matched_quickly() -> None:
    model = model_of("4r d " * 100 + "9")
    began = own_seconds()
    layers = [check.repeat([check.dense(activation="relu"), check.optional(DROP)], at_least=1), check.dense(9)]
    assert message_of(model, layers) == ""
    assert own_seconds() - began < 10
