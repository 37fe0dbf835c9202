"""A model whose input shapes are not known is read for a check that knows them, and is as before afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.grids import each_once
from helpers.kernels import remote_after
from helpers.own_models import ROWS, WORDS, linear, of_call
from helpers.rebuilding import sent

from autograder import check
from autograder.check import provenance
from autograder.codec import Reference
from autograder.examiner.namespace import Answers
from autograder.models import RefusedModel, rebuild
from autograder.records.checks import CheckResult, Outcome, is_undecided

pytestmark = pytest.mark.keras

Check = Callable[[Any], CheckResult]


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


def here(model: Any, *checks: Check) -> list[CheckResult]:
    with check.recording() as results:
        for one in checks:
            one(model)
    return list(results)


def in_the_examiner(model: Any, *checks: Check) -> list[CheckResult]:
    remote, kernel = remote_after("pass")
    found = Answers(remote, frozenset(), rebuild)
    with provenance.noting(), check.asking_kernel(remote):
        stands = found.model(Reference(*kernel.server.refer(model)), sent(model))
        provenance.note(stands)
        return here(stands, *checks)


PLACES = pytest.mark.parametrize("place", [here, in_the_examiner])


def two_layers(keras: Any) -> Any:
    parts = {"a": keras.layers.Dense(5, activation="relu"), "b": keras.layers.Dense(3)}
    return of_call(keras, parts, lambda own, x, training: own.b(own.a(x)))


def layers(units: int, **options: Any) -> Check:
    return lambda model: check.architecture(model, [..., check.dense(units), ...], **options)


def measured(rows: Any, outputs: int = 3) -> Check:
    count = len(
        rows if isinstance(rows, np.ndarray) else next(iter(rows.values())) if isinstance(rows, dict) else rows[0]
    )
    return lambda model: check.loss(model, on=(rows, np.zeros((count, outputs))), below=1e6, loss="mse")


def retrained(rows: Any, outputs: int = 3) -> Check:
    given = (rows, np.zeros((6, outputs)))
    options: dict[str, Any] = {"epochs": 1, "below": 1e6, "loss": "mse", "close_calls": "exact", "seeds": 1}
    return lambda model: check.retrained(model, on=given, holdout=given, **options)


@PLACES
def test_a_class_that_has_seen_no_data_is_read_for_the_shape_that_a_check_asks_for(keras: Any, place: Any) -> None:
    model = two_layers(keras)
    asked = lambda model: check.architecture(  # noqa: E731
        model, [check.dense(5, "relu"), check.dense(3)], input_shape=(4,), output_shape=(3,)
    )
    found = place(model, asked, measured(ROWS), retrained(ROWS))
    assert [result.outcome for result in found] == [Outcome.PASSED] * 3, [result.message for result in found]
    assert "in_kernel" not in found[1].evidence


def unbuilt(keras: Any) -> Any:
    return keras.Sequential([keras.layers.Dense(5, activation="relu"), keras.layers.Dense(3)])


@PLACES
def test_a_sequential_that_has_seen_no_data_is_read_as_a_class_is(keras: Any, place: Any) -> None:
    model = unbuilt(keras)
    asked = lambda model: check.architecture(  # noqa: E731
        model, [check.dense(5, "relu"), check.dense(3)], input_shape=(4,), output_shape=(3,)
    )
    counted = lambda model: check.parameters(model, exactly=43)  # noqa: E731
    found = place(model, asked, counted, measured(ROWS), retrained(ROWS))
    assert [result.outcome for result in found] == [Outcome.PASSED] * 4, [result.message for result in found]
    assert not model.built
    assert not model.weights
    (wrong,) = place(model, layers(4, input_shape=(4,)))
    assert (wrong.fraction, is_undecided(wrong)) == (0.0, False)


@PLACES
def test_a_sequential_that_was_compiled_and_not_built_is_read_too(keras: Any, place: Any) -> None:
    model = unbuilt(keras)
    model.compile("adam", "mse")
    compiled = lambda model: check.compiled(model, optimizer="adam", loss="mean_squared_error")  # noqa: E731
    found = place(model, layers(3, input_shape=(4,)), compiled)
    assert [result.outcome for result in found] == [Outcome.PASSED] * 2, [result.message for result in found]


@PLACES
def test_the_wrong_class_fails(keras: Any, place: Any) -> None:
    model = two_layers(keras)
    asked = lambda model: check.architecture(model, [check.dense(6, "relu"), check.dense(3)], input_shape=(4,))  # noqa: E731
    (found,) = place(model, asked)
    assert (found.fraction, is_undecided(found)) == (0.0, False)


@PLACES
def test_without_a_shape_a_person_decides(keras: Any, place: Any) -> None:
    model = two_layers(keras)
    counted = lambda model: check.parameters(model, exactly=43)  # noqa: E731
    for result in place(model, layers(3), counted, lambda model: check.compiled(model, optimizer="adam")):
        assert is_undecided(result), result.message
        assert "its input shape is not known. Call the model, or fit it" in result.message


@PLACES
def test_a_later_check_knows_the_shape_from_an_earlier_one(keras: Any, place: Any) -> None:
    model = two_layers(keras)
    model.compile("adam", "mse")
    counted = lambda model: check.parameters(model, exactly=43)  # noqa: E731
    compiled = lambda model: check.compiled(model, optimizer="adam", loss="mean_squared_error")  # noqa: E731
    found = place(model, layers(3, input_shape=(4,)), counted, compiled)
    assert [result.outcome for result in found] == [Outcome.PASSED] * 3, [result.message for result in found]


@PLACES
def test_rows_that_the_class_does_not_accept_fail_it(keras: Any, place: Any) -> None:
    model = of_call(keras, {"a": keras.layers.Dense(3)}, lambda own, x, training: own.a(x[:, 2, 2]))
    (found,) = place(model, measured(ROWS))
    assert found.fraction == 0
    assert "does not accept rows" in found.message


def state(model: Any) -> Any:
    inner = [part for part in model._flatten_layers() if part is not model]
    return (
        {name: (id(value), str(value)) for name, value in vars(model).items() if name != "_tracker"},
        [(dict(vars(part)), list(part.variables)) for part in inner],
        model.built,
    )


def test_the_students_own_object_is_as_before(keras: Any) -> None:
    model = two_layers(keras)
    own = of_call(keras, {"first": linear(keras)(4), "two": model}, lambda own, x, training: own.two(own.first(x)))
    own.compile("adam", "mse", metrics=["mae"])
    own.notes = {"a": [1, 2], "b": {3}}
    before, draw = state(own), np.random.get_state()[1].copy()
    assert here(own, layers(3, input_shape=(4,)), measured(ROWS))[1].fraction == 1
    assert str(state(own)) == str(before)
    np.testing.assert_array_equal(np.random.get_state()[1], draw)
    own(ROWS[:, :3])
    assert own.count_params() == 3 * 4 + 4 + 4 * 5 + 5 + 5 * 3 + 3, "it can still be built for other rows"


def test_words_are_read_for_their_length(keras: Any) -> None:
    parts = {"words": keras.layers.Embedding(9, 4), "flat": keras.layers.Flatten(), "out": keras.layers.Dense(3)}
    model = of_call(keras, parts, lambda own, x, training: own.out(own.flat(own.words(x))))
    found = in_the_examiner(model, layers(3, input_shape=(5,)), measured(WORDS))
    assert [result.outcome for result in found] == [Outcome.PASSED] * 2, [result.message for result in found]


# --- several inputs, each an argument of its own ---------------------------------------------------------


def of_two(keras: Any, signature: str) -> Any:
    """A model whose call takes two inputs as arguments of their own."""
    names: dict[str, Any] = {"keras": keras}
    exec(
        f"""
class Two(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = keras.layers.Dense(3), keras.layers.Dense(3)
    def call(self, {signature}):
        return self.a(left) + self.b(right)
""",
        names,
    )
    return names["Two"]()


SIGNATURES = ["left, right", "left, right, training=None", "left, right, mask=None"]
PAIR = [ROWS, ROWS[:, :2]]


@pytest.mark.parametrize(("place", "signature", "built"), each_once(PLACES.args[1], SIGNATURES, [True, False]))
def test_inputs_that_are_arguments_of_their_own_are_read_like_a_list(
    keras: Any, place: Any, signature: str, built: bool
) -> None:
    model = of_two(keras, signature)
    if built:
        model(*PAIR)
    asked = layers(3, input_shape=[(4,), (2,)])
    found = place(model, asked, measured(PAIR), retrained(PAIR))
    assert [result.outcome for result in found] == [Outcome.PASSED] * 3, [result.message for result in found]
    assert "in_kernel" not in found[1].evidence


def test_inputs_that_are_arguments_go_by_their_names(keras: Any) -> None:
    model = of_two(keras, SIGNATURES[0])
    rows = {"right": PAIR[1], "left": PAIR[0]}
    found = here(model, measured(rows))
    assert "read from the model's call" in found[0].message
    assert found[0].fraction == 1


def test_without_shapes_such_a_model_waits_for_a_person_by_name(keras: Any) -> None:
    model = of_two(keras, SIGNATURES[0])
    model(*PAIR)
    (found,) = here(model, layers(3))
    assert is_undecided(found)
    assert "its input shape is not known" in found.message


# --- dishonest -------------------------------------------------------------------------------------------


def test_a_class_that_shows_each_check_another_network_is_only_asked(keras: Any) -> None:
    """Asked for its layers it shows few, and asked for its loss it shows others: the second answer counts for nothing."""

    class Moody(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.small, self.large = keras.layers.Dense(3), keras.layers.Dense(3, activation="relu")

        def call(self, x: Any) -> Any:
            self.__class__.asked += 1
            return self.small(x) if self.__class__.asked < self.__class__.change else self.large(x)

    Moody.asked, Moody.change = 0, 10**9
    model = Moody()

    def turn(_: Any) -> Any:
        Moody.change = 0
        return check.close(1, 1)

    found = in_the_examiner(model, layers(3, input_shape=(4,)), turn, layers(3, input_shape=(4,)))
    assert found[0].fraction == 1
    assert is_undecided(found[-1]), found[-1].message


def test_rows_and_shapes_of_a_test_do_not_make_a_malformed_claim_right(keras: Any) -> None:
    with pytest.raises(RefusedModel) as caught:
        rebuild({"library": "keras", "kind": "Subclassed", "unread": "shapes"}, [])
    assert caught.value.wants_shapes
    with pytest.raises(RefusedModel) as caught:
        rebuild({"library": "keras", "kind": "Subclassed", "unread": ["shapes"]}, [])
    assert not caught.value.wants_shapes
