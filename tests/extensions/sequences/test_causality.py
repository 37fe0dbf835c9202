"""Outputs of a sequence model up to a position must not depend on what comes later; classes at each position are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.remote_models import answer, recorded

from autograder import check
from autograder.check import metrics
from autograder.errors import CourseError
from autograder.extensions.sequences.causal import _cuts
from autograder.records.checks import is_undecided

DRAW = np.random.default_rng(0)
TOKENS = DRAW.integers(0, 9, (20, 7))
FRACTIONS = DRAW.normal(size=(20, 7, 2))
SCORES, CLASSES = DRAW.normal(size=(6, 5, 4)), DRAW.integers(0, 4, (6, 5))


def running(rows: Any) -> Any:
    return np.cumsum(rows.reshape(len(rows), rows.shape[1], -1).sum(2), axis=1)[:, :, None]


@pytest.mark.parametrize(
    ("function", "passes"),
    [
        (running, True),
        (lambda rows: running(rows) * 1.0 + 1e-9 * running(rows)[:, -1:], True),
        (lambda rows: running(rows) + 0.01 * running(rows)[:, -1:], False),
        (lambda rows: running(rows)[:, ::-1], False),
        (lambda rows: np.roll(running(rows), -1, axis=1), False),
    ],
)
@pytest.mark.parametrize("rows", [TOKENS, FRACTIONS], ids=["tokens", "fractions"])
def test_outputs_must_not_look_ahead(function: Any, passes: bool, rows: Any) -> None:
    assert recorded(lambda: check.causal(function, rows)).fraction == passes


def test_a_message_says_where_it_begins() -> None:
    peeks = lambda rows: np.where(np.arange(7)[None, :, None] == 3, running(rows)[:, 5:6], running(rows))  # noqa: E731
    assert (
        recorded(lambda: check.causal(peeks, TOKENS)).detail
        == "the output at position 4 changes with what comes after it"
    )


def test_a_model_in_the_kernel_is_asked() -> None:
    source = "import numpy as np\nmodel = lambda rows: np.cumsum(rows, axis=1)[..., None] / np.sum(rows, axis=1)[:, None, None]"
    result = recorded(lambda: check.causal(answer(source), TOKENS + 1))
    assert (result.fraction, "position" in result.message) == (0, False)


def test_a_model_in_the_kernel_that_shows_nothing_waits_for_a_person() -> None:
    source = "import numpy as np\nmodel = lambda rows: np.cumsum(rows, axis=1)[..., None]"
    result = recorded(lambda: check.causal(answer(source), TOKENS))
    assert (result.fraction, is_undecided(result)) == (0, True)


def following(rows: Any) -> Any:
    """Scores that name the next token, which no model can know."""
    return 15.0 * np.eye(9)[np.concatenate([rows[:, 1:], rows[:, -1:]], axis=1)]


HIDES = {
    "a number added to all scores": lambda rows: following(rows) + 1e6,
    "one very low score": lambda rows: np.concatenate([following(rows), np.full((len(rows), 7, 1), -1e6)], axis=2),
    "large scores at some positions": lambda rows: (
        following(rows) * np.array([1, 1, 1, 1, 1e9, 1e9, 1e9])[None, :, None]
    ),
    "silence before some positions": lambda rows: following(rows) * np.array([0, 0, 1, 0, 0, 0, 0])[None, :, None],
    "silence where there are more rows than a test gives": lambda rows: following(rows) * (len(rows) <= len(TOKENS)),
}


def next_number(rows: Any) -> Any:
    return np.concatenate([rows[:, 1:], rows[:, -1:]], axis=1)[:, :, None] * 1.0


HIDES |= {
    "huge numbers in rows that begin with 5": lambda rows: np.where(rows[:, :1, None] == 5, 1e9, next_number(rows)),
    "huge numbers where a row is unlike the test's": lambda rows: np.where(
        (np.cumsum(rows == 0, axis=1) > 1)[:, :, None], 1e12, next_number(rows)
    ),
}


@pytest.mark.parametrize("way", HIDES)
def test_no_output_hides_that_another_looks_ahead(way: str) -> None:
    assert recorded(lambda: check.causal(HIDES[way], TOKENS)).fraction == 0


def test_each_position_is_one_after_which_something_changes() -> None:
    for rows, positions in [(20, 7), (64, 129), (3, 60)]:
        cuts = _cuts(rows, positions, np.random.default_rng(0))
        assert set(cuts.ravel().tolist()) == set(range(1, positions))


@pytest.mark.parametrize("added", [0.0, -np.inf, -1e9], ids=str)
def test_a_class_that_is_never_chosen_does_no_harm(added: float) -> None:
    def model(rows: Any) -> Any:
        scores = np.float32(np.sin(running(rows) * np.arange(1, 10)))
        return scores + np.float32(np.where(np.arange(9) == 8, added, 0.0))

    assert recorded(lambda: check.causal(model, TOKENS)).fraction == 1


@pytest.mark.parametrize("output", ["rows[:, -1]", "rows.sum(1)"])
def test_a_model_without_outputs_at_each_position_fails(output: str) -> None:
    result = recorded(lambda: check.causal(lambda rows: eval(output), TOKENS))
    assert (result.fraction, result.message) == (0, "The model does not give an output for each position.")


@pytest.mark.parametrize("rows", [TOKENS[0], TOKENS[:, :1], np.array(["a", "b"]), np.zeros((3, 4))])
def test_rows_that_are_no_sequences_are_the_tests_fault(rows: Any) -> None:
    with pytest.raises(CourseError):
        check.causal(running, rows)


@pytest.mark.keras
@pytest.mark.parametrize(("loop", "passes"), [("LSTM", True), ("Bidirectional", False)])
def test_a_keras_model_is_measured(loop: str, passes: bool) -> None:
    inner = L.LSTM(4, return_sequences=True)
    model = keras.Sequential(
        [keras.Input((7,)), L.Embedding(9, 4), inner if loop == "LSTM" else L.Bidirectional(inner), L.Dense(9)]
    )
    assert recorded(lambda: check.causal(model, TOKENS)).fraction == passes


# --- several outputs, and classes at each position -------------------------------------------------------


def test_the_test_names_the_part() -> None:
    model = lambda rows: (SCORES[: len(rows)].mean(1), None, rows)  # noqa: E731
    asked = {"below": 9, "from_logits": True}
    assert recorded(lambda: check.loss(model, on=(np.ones((6, 2)), CLASSES[:, 0]), **asked)).fraction == 0
    assert recorded(lambda: check.loss(model, on=(np.ones((6, 2)), CLASSES[:, 0]), part=0, **asked)).fraction == 1
    missing = recorded(lambda: check.loss(model, on=(np.ones((6, 2)), CLASSES[:, 0]), part=2, **asked))
    assert "does not have an output of the number 2" in missing.message


@pytest.mark.parametrize(
    "measure", [metrics.categorical_crossentropy_of_scores, metrics.accuracy, metrics.accuracy_at_best]
)
def test_a_row_counts_with_the_mean_over_its_positions(measure: Any) -> None:
    each = [measure(SCORES[:, place], CLASSES[:, place]) for place in range(5)]
    np.testing.assert_allclose(measure(SCORES, CLASSES), np.mean(each, axis=0))


POSITION = np.array([[0, 1, 2, 3], [1, 2, 3, 3]])
YES_OR_NO = np.stack([np.full((2, 4), 0.9), np.full((2, 4), 0.1)], axis=2)


@pytest.mark.parametrize("measure", [metrics.categorical_crossentropy, metrics.accuracy])
@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (np.eye(4)[POSITION[:, -1]], POSITION),  # says only where the largest label stands
        (YES_OR_NO, np.eye(4)[[0, 1]]),
        (YES_OR_NO, np.array([[0, 0, 0, 0], [0, 1, 0, 0]])),  # a row without a class
        (YES_OR_NO, np.array([[1, 1, 0, 0], [0, 1, 0, 0]])),
    ],
)
def test_the_labels_say_whether_there_are_positions_and_not_the_output(
    measure: Any, outputs: np.ndarray, labels: np.ndarray
) -> None:
    with pytest.raises(metrics.BadShape):
        measure(outputs, labels)


def test_a_row_without_any_probability_is_no_nearer_than_a_constant() -> None:
    outputs = np.array([[0.0, 0.0], [0.5, 0.5], [0.5, 0.5]])
    nearer = metrics.better_than_a_constant(outputs, np.eye(2)[[0, 1, 0]], binary=False, from_logits=False)
    assert np.isfinite(nearer).all()


def test_one_number_where_there_are_several_classes_has_the_wrong_shape() -> None:
    with pytest.raises(metrics.BadShape):
        metrics.accuracy(np.array([0.1, 0.7]), np.array([2, 1]))
