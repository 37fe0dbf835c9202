"""The vocabulary of tests where no model is needed: values, functions, credit, hidden data, reports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autograder import check
from autograder._util import registry
from autograder.check import data
from autograder.check.credit import credit_of
from autograder.check.provenance import note, noting
from autograder.errors import CourseError
from autograder.extensions.networks import metrics
from autograder.records.checks import CheckResult, Outcome


class Liar:
    """Equal to everything, and an array of whatever is asked."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __array__(self, *args: Any, **keywords: Any) -> np.ndarray:
        return np.array([1.0, 2.0])


class LyingFloat(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__

    def __sub__(self, other: Any) -> float:
        return 0.0


class LyingArray(np.ndarray):
    def __array_ufunc__(self, *args: Any, **keywords: Any) -> bool:
        return True


class Refused:
    autograder_refusal = "it was too large to be captured"

    def __call__(self) -> int:
        return 1


def only(results: list[CheckResult]) -> CheckResult:
    assert len(results) == 1
    return results[0]


# --- reports -----------------------------------------------------------------------------------------


def test_in_a_students_notebook_a_failed_check_raises_its_message() -> None:
    with pytest.raises(AssertionError, match=r"^values: the value is not right$"):
        check.close(1.0, 2.0)


def test_in_a_students_notebook_a_passed_check_reads_well() -> None:
    assert repr(check.close(1.0, 1.0, name="mean")) == "✓ mean: right"


def test_recorded_checks_do_not_raise_and_all_are_reported() -> None:
    with check.recording() as results:
        check.close(1.0, 2.0)
        check.close(1.0, 1.0)
    assert [result.outcome for result in results] == [Outcome.FAILED, Outcome.PASSED]
    assert all(type(result) is CheckResult for result in results)


def test_a_recording_ends_with_its_block() -> None:
    with check.recording():
        pass
    with pytest.raises(AssertionError):
        check.close(1.0, 2.0)


def test_recordings_inside_one_another_are_separate() -> None:
    with check.recording() as outer:
        check.close(1, 1)
        with check.recording() as inner:
            check.close(1, 2)
        check.close(1, 1)
    assert (len(outer), len(inner)) == (2, 1)


def test_points_are_shared_by_weight() -> None:
    with check.recording() as results:
        check.close(1, 1, weight=3)
        check.close(1, 2, weight=1)
    assert check.score(results, points=8) == 6.0


def test_a_score_of_no_checks_is_the_authors_fault() -> None:
    with pytest.raises(CourseError, match="at least one check"):
        check.score([], 5)


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), "2", True])
def test_a_weight_is_a_number_that_is_not_negative(weight: Any) -> None:
    with pytest.raises(CourseError, match="not negative"):
        check.close(1, 1, weight=weight)


# --- close -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actual", "desired"),
    [
        (1, 1.0),
        (1.000001, 1.0),
        ([1, 2], np.array([1.0, 2.0])),
        (np.float32(0.1), 0.1),
        ((1.0, [2.0]), None),
        (np.array([np.nan, np.inf]), [np.nan, np.inf]),
        (True, True),
        (1 + 2j, 1 + 2j),
        ([], []),
    ],
)
def test_close_values_pass(actual: Any, desired: Any) -> None:
    if desired is None:
        actual, desired = [(1.0, 2.0)], [[1.0, 2.0]]
    assert check.close(actual, desired).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("actual", "desired", "message"),
    [
        (1.1, 1.0, "the value is not right"),
        ([1.0, 2.1, 3.0], [1.0, 2.0, 4.0], "2 of 3 values are not right"),
        ([1.0], 1.0, r"the shape is \(1,\), and should be \(\)"),
        (float("nan"), 1.0, "not right"),
        (float("inf"), 1.0, "not right"),
        (-np.inf, np.inf, "not right"),
        ("1.0", 1.0, r"not numbers or a numpy array \(its type is str\)"),
        (None, 1.0, "NoneType"),
        (Liar(), [1.0, 2.0], "its type is Liar"),
        ([Liar()], [1.0], "not numbers"),
        (LyingFloat(3.0), 1.0, "its type is LyingFloat"),
        (np.array([1.0]).view(LyingArray), [1.0], "its type is LyingArray"),
        (np.array([None, Liar])[1:], [1.0], "its type is ndarray, and its items are no numbers, but texts or other"),
        (np.array(["07", "23"]), [7, 23], "its type is ndarray, and its items are no numbers, but texts"),
        (pd.Series(["07", "23"]), [7, 23], "its type is Series, and its items are no numbers, but texts"),
        ([[1.0], [1.0, 2.0]], [1.0, 2.0], "different lengths"),
        (10**400, 1.0, "too large"),
        (Refused(), 1.0, "^it was too large to be captured$"),
    ],
)
def test_other_values_fail_with_a_message(actual: Any, desired: Any, message: str) -> None:
    with check.recording() as results:
        check.close(actual, desired)
    result = only(results)
    assert result.fraction == 0
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(result.message)


def test_close_needs_numbers_from_its_author() -> None:
    for desired in ("text", None, [[1], [1, 2]]):
        with pytest.raises(CourseError, match="desired must be numbers"):
            check.close(1.0, desired)


def test_the_desired_value_is_for_the_examiner_alone() -> None:
    with check.recording() as results:
        check.close([1.0, 2.0], [1.0, 777.0])
    assert "777" not in only(results).message
    assert "777" in only(results).detail


# --- function ----------------------------------------------------------------------------------------


def test_each_case_of_a_function_weighs_the_same() -> None:
    with check.recording() as results:
        check.function(lambda n: [i**2 for i in range(n)], cases=[(1, [0]), ((2,), [0, 1]), (3, [777])])
    result = only(results)
    assert result.outcome is Outcome.PARTIAL
    assert result.fraction == pytest.approx(2 / 3)
    assert "777" in result.detail
    assert result.message.startswith("2 of 3 cases are right; case 3 gives another length than 1")


KINDS = [
    ([1], (1,), "a list and no tuple"),
    (np.zeros(2), [1.0, 2.0], "an array and no list"),
    ({1: 2}, [1, 2], "another type than list"),
    (1, True, "another type than bool"),
    (np.zeros(2), 1.0, "an array and no number"),
    ("1", 1, "another type than int"),
    (np.zeros((2, 3)), np.zeros((3, 2)), "another shape than (3, 2)"),
    ([0.0, 0.0], np.ones(2), "a list and no array of shape (2,)"),
    ([1, 2, 3], [1, 2], "another length than 2"),
    (0, None, "no None"),
    (1, 2, "another result"),
    ([1, 3], [1, 2], "another result"),
    (np.zeros(2), np.ones(2), "another result"),
]


@pytest.mark.parametrize(("value", "expected", "words"), KINDS)
def test_a_case_says_whether_type_shape_or_values_are_wrong(value: Any, expected: Any, words: str) -> None:
    """Of a hidden case nothing else: a function could write its argument into what is shown of its result."""
    with check.recording() as hidden, noting():
        note(value)  # a small number of a cell's is the same object
        check.function(lambda x: value, cases=[(777, expected)])
    assert only(hidden).message == f"0 of 1 cases are right; case 1 gives {words}"
    with check.recording() as visible:
        check.function(lambda x: value, cases=[(777, expected)])
    assert f"gives {words}: called with 777, it is " in only(visible).message


@pytest.mark.parametrize("pair", [(np.array(3), 3), (3.0, np.array(3.0)), (np.array(2.5), 2.5), ([np.array(1)], [1])])
def test_an_array_without_dimensions_is_a_number(pair: Any) -> None:
    value, expected = pair
    assert check.function(lambda: value, cases=[((), expected)]).fraction == 1


@pytest.mark.parametrize("pair", [(np.array(True), 1), (np.array([3]), 3), (np.array("a"), 3), (np.array(4), 3)])
def test_other_arrays_are_not(pair: Any) -> None:
    value, expected = pair
    with check.recording() as results:
        check.function(lambda: value, cases=[((), expected)])
    assert only(results).fraction == 0


@pytest.mark.keras
def test_a_scalar_tensor_is_a_number() -> None:
    import tensorflow as tf

    for value, expected in ((tf.constant(2.5), 2.5), (2.5, tf.constant(2.5)), ([tf.constant(1)], [1])):
        assert check.function(lambda value=value: value, cases=[((), expected)]).fraction == 1


def test_an_exception_fails_its_case_and_shows_its_type() -> None:
    def reciprocal(x: float) -> float:
        if x == 1:
            raise SystemExit(0)
        return 1 / x

    with check.recording() as results:
        check.function(reciprocal, cases=[(0, 1), (1, 1), (2, 0.5)])
    message = "1 of 3 cases are right; case 1 raises ZeroDivisionError; case 2 raises SystemExit"
    assert only(results).message == message


def test_a_failure_of_the_examination_itself_is_told_in_its_own_words() -> None:
    """The kernel's end is no exception of the student's: its message is shown instead of its type."""
    from autograder.errors import LostError

    def gone() -> None:
        raise LostError("the notebook's kernel has ended")

    with pytest.raises(AssertionError, match="case 1 the notebook's kernel has ended"):
        check.function(gone, cases=[((), 1)])


def test_a_function_can_not_change_the_authors_arguments() -> None:
    data = [3, 1, 2]
    with check.recording() as results:
        check.function(lambda x: x.sort() or x, cases=[((data,), [1, 2, 3])])
    assert only(results).fraction == 1
    assert data == [3, 1, 2]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Liar(), [1.0, 2.0]),
        (Liar(), 1),
        ({"a": Liar()}, {"a": 1}),
        ({Liar(): 1}, {"a": 1}),
        ({Liar()}, {1}),
        (LyingFloat(2), 1.0),
        (True, 1),
        (1, True),
        ((1, 2), [1, 2]),
        ("1", 1),
        (None, 0),
        (np.array([1.0]).view(LyingArray), np.array([1.0])),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0]])),
        (float("nan"), 0.0),
        (2**70, 2**70 + 1),
    ],
)
def test_only_plain_equal_values_are_right(value: Any, expected: Any) -> None:
    with check.recording() as results:
        check.function(lambda: value, cases=[((), expected)])
    assert only(results).fraction == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1 + 0.2, 0.3),
        (1, 1.0),
        (np.int64(3), 3),
        (2**70, 2**70),
        ({"a": [1, (2.0, None)]}, {"a": [1, (2.0, None)]}),
        ({1, 2}, {2, 1}),
        (np.array(["a", "b"]), np.array(["a", "b"])),
        (np.arange(3), np.arange(3.0)),
    ],
)
def test_equal_values_are_right(value: Any, expected: Any) -> None:
    assert check.function(lambda: value, cases=[((), expected)]).fraction == 1


@pytest.mark.parametrize(("thing", "message"), [(3, "not a function"), (Refused(), "too large to be captured")])
def test_what_is_not_a_function_fails(thing: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check.function(thing, cases=[((), 1)])


@pytest.mark.parametrize("cases", [[], [1], [(1, 2, 3)], [((), object())]])
def test_wrong_cases_are_the_authors_fault(cases: Any) -> None:
    with pytest.raises(CourseError, match=r"check\.function"):
        check.function(lambda: object(), cases=cases)


def test_an_instances_own_refusal_has_no_say() -> None:
    """Only a type's attribute counts, which the examiner sets."""

    class Plain:
        pass

    plain = Plain()
    plain.autograder_refusal = "full marks"  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match="its type is Plain"):
        check.close(plain, 1.0)


# --- credit ------------------------------------------------------------------------------------------

LOSS_CREDIT = [(0.80, 0.0), (0.70, 0.5), (0.62, 1.0)]


@pytest.mark.parametrize(
    ("value", "share"),
    [
        (0.81, 0.0),
        (0.80, 0.0),
        (0.75, 0.25),
        (0.70, 0.5),
        (0.66, 0.75),
        (0.62, 1.0),
        (0.1, 1.0),
        (float("nan"), 0.0),
        (float("-inf"), 0.0),
    ],
)
def test_credit_is_interpolated(value: float, share: float) -> None:
    for points in (LOSS_CREDIT, LOSS_CREDIT[::-1]):
        assert credit_of("x", None, points, higher_is_better=False).share(value) == pytest.approx(share)


def test_the_loosest_point_is_a_cliff_only_where_its_share_is_one() -> None:
    credit = credit_of("x", None, [(0.70, 0.5), (0.62, 1.0)], higher_is_better=False)
    assert (credit.share(0.7001), credit.share(0.70)) == (0.0, 0.5)


def test_a_rule_states_its_values_and_direction_as_evidence() -> None:
    line = credit_of("x", None, [(0.80, 0.0), (0.62, 1.0), (0.5, 1.0)], higher_is_better=False)
    assert line.evidence == {"threshold": 0.62, "first_credit": 0.8, "higher_is_better": False}
    step = credit_of("x", 0.75, None, higher_is_better=True)
    assert step.evidence == {"threshold": 0.75, "first_credit": 0.75, "higher_is_better": True}


def test_a_higher_accuracy_earns_more() -> None:
    credit = credit_of("x", None, [(0.6, 0.0), (0.7, 1.0)], higher_is_better=True)
    assert [round(credit.share(v), 6) for v in (0.5, 0.65, 0.9)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("threshold", "points", "message"),
    [
        (None, None, "one of the two"),
        (0.5, LOSS_CREDIT, "one of the two"),
        (None, [], "finite values"),
        (None, [(0.5, 1.2)], "shares from 0 to 1"),
        (None, [(float("nan"), 1.0)], "finite values"),
        (None, [(0.5,)], "pairs"),
        (None, [(0.8, 1.0), (0.6, 0.5)], "must not earn less"),
        (None, [(0.8, 0.0)], "must earn something"),
        (None, [(0.8, 1.0), (0.8, 1.0)], "names a value twice"),
    ],
)
def test_wrong_credit_is_the_authors_fault(threshold: Any, points: Any, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        credit_of("check.loss", threshold, points, higher_is_better=False)


# --- metrics -----------------------------------------------------------------------------------------

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])


def test_crossentropy_of_known_probabilities() -> None:
    expected = pytest.approx([-np.log(0.7), -np.log(0.1)])
    assert metrics.categorical_crossentropy(P, np.array([0, 1])) == expected
    assert metrics.categorical_crossentropy(P, np.eye(3)[[0, 1]]) == expected
    assert metrics.categorical_crossentropy_of_scores(np.log(P) + 5, np.array([0, 1])) == expected


def test_a_certain_mistake_costs_a_finite_amount() -> None:
    assert metrics.categorical_crossentropy(np.eye(3), np.array([1, 2, 0])) == pytest.approx([-np.log(1e-7)] * 3)
    assert metrics.categorical_crossentropy_of_scores(np.eye(3) * 1e4, np.array([1, 2, 0])) == pytest.approx([1e4] * 3)


def test_scores_of_one_output_become_a_binary_crossentropy() -> None:
    scores, labels = np.array([[-2.0], [0.5], [800.0]]), np.array([1, 0, 1])
    p = 1 / (1 + np.exp(-scores))
    of_p = metrics.binary_crossentropy(p, labels)
    assert metrics.binary_crossentropy_of_scores(scores, labels) == pytest.approx(of_p, abs=2e-7)


def test_accuracy_of_known_probabilities() -> None:
    assert metrics.accuracy(P, np.array([0, 1])).tolist() == [1, 0]
    assert metrics.accuracy(np.array([[0.9], [0.2]]), np.array([1, 1])).tolist() == [1, 0]


def test_accuracy_ranks_outputs_that_are_no_probabilities() -> None:
    for outputs in (P * 2, P - 5, np.log(P), 1 / (1 + np.exp(-P))):
        assert metrics.accuracy(outputs, np.array([0, 1])).tolist() == [1, 0]


@pytest.mark.parametrize("outputs", [[3.0, -2.0, 0.2, -0.1], [1.1, 0.3, 0.9, -0.1]], ids=["above 0", "above 0.5"])
def test_a_single_output_outside_0_to_1_counts_with_the_worse_limit(outputs: list[float]) -> None:
    given, labels = np.array(outputs), np.array([1, 0, 1, 0])
    assert metrics.accuracy_at_best(given, labels).tolist() == [1, 1, 1, 1]
    assert metrics.accuracy(given, labels).sum() == 3


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (P * 2, "does not give probabilities"),
        (P - [0.8, -0.4, -0.4], "does not give probabilities"),
        (np.full((2, 3), np.nan), "NaN or infinite"),
        (np.full((2, 3), np.inf), "NaN or infinite"),
        (P[:, :2], r"output has the shape \(2,\), expected \(3,\)"),
        (P[:, 0], r"output has the shape \(\)"),
        (P[:, :, None], r"output has the shape \(3, 1\)"),
        (np.stack([1 - P, P], axis=2), r"output has the shape \(3, 2\)"),  # yes or no to each class is easier
    ],
)
def test_outputs_that_are_no_probabilities_are_refused(outputs: np.ndarray, message: str) -> None:
    for metric in (metrics.categorical_crossentropy, metrics.accuracy_of_probabilities):
        with pytest.raises(metrics.BadOutput, match=message):
            metric(outputs, np.eye(3)[[0, 1]])


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        (P, metrics.PROBABILITIES),
        (np.stack([P, P], axis=1), metrics.PROBABILITIES),
        (np.log(P), metrics.SCORES),
        (P * 3, metrics.SCORES),
        (np.array([[-0.1], [0.5]]), metrics.SCORES),
        (P / 2, metrics.UNKNOWN),  # as after a sigmoid for each class
        (np.array([0.2, 0.9]), metrics.UNKNOWN),
        (P * np.nan, metrics.UNKNOWN),
    ],
)
def test_what_a_model_puts_out_is_told_by_its_values(outputs: np.ndarray, kind: str) -> None:
    assert metrics.put_out(outputs) == kind


def test_rows_from_0_to_1_are_divided_by_their_sums_as_keras_does() -> None:
    for outputs in (P / 2, P * [[0.5], [0.1]]):
        np.testing.assert_allclose(
            metrics.categorical_crossentropy(outputs, np.array([0, 1])),
            metrics.categorical_crossentropy(P, np.array([0, 1])),
        )
    (zeros,) = metrics.categorical_crossentropy(np.zeros((1, 3)), np.array([0]))
    assert zeros == pytest.approx(-np.log(metrics.EPSILON))


# --- hidden data -------------------------------------------------------------------------------------


def test_hidden_data_come_from_the_examiners_folder(tmp_path: Path) -> None:
    np.savez(tmp_path / "holdout.npz", X=np.ones((2, 3)), y=np.arange(2))
    (tmp_path / "notes.txt").write_text("x")
    with check.serving_hidden_data(tmp_path):
        found = check.hidden_data("holdout.npz")
        assert isinstance(found, dict)
        assert sorted(found) == ["X", "y"]
        assert check.hidden_data("notes.txt") == tmp_path / "notes.txt"


def test_each_who_asks_for_hidden_data_gets_arrays_of_their_own_and_of_the_file_as_it_is(tmp_path: Path) -> None:
    """A test may change them, and the file may become another one."""
    rows = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez(tmp_path / "holdout.npz", X=rows)
    with check.serving_hidden_data(tmp_path):
        found = check.hidden_data("holdout.npz")
        assert isinstance(found, dict)
        assert found["X"].flags.f_contiguous
        found["X"][:] = 7
        assert np.array_equal(check.hidden_data("holdout.npz")["X"], rows)  # type: ignore[index]
        np.savez(tmp_path / "other.npz", X=-rows)
        (tmp_path / "other.npz").replace(tmp_path / "holdout.npz")
        assert np.array_equal(check.hidden_data("holdout.npz")["X"], -rows)  # type: ignore[index]


def test_arrays_that_are_large_in_memory_are_not_kept_however_small_their_file(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "zeros.npz", X=np.zeros(data.KEPT_BYTES // 8 + 1))
    np.savez(tmp_path / "small.npz", X=np.zeros(3))
    data._kept_arrays.clear()
    with check.serving_hidden_data(tmp_path):
        assert check.hidden_data("zeros.npz")["X"].shape == (data.KEPT_BYTES // 8 + 1,)  # type: ignore[index]
        check.hidden_data("small.npz")
    assert list(data._kept_arrays) == [tmp_path / "small.npz"]


def test_outside_the_examiner_they_come_from_the_folder_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hidden").mkdir()
    np.savez("hidden/holdout.npz", X=np.ones(2))
    assert list(check.hidden_data("holdout.npz")) == ["X"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../secret.npz", "must be the name of a file inside"),
        ("/etc/passwd", "must be the name of a file inside"),
        ("", "must be the name of a file inside"),
        ("a\\..\\b", "must be the name of a file inside"),
        (7, "must be the name of a file inside"),
        ("missing.npz", "there is no 'missing.npz'"),
        ("link.npz", "leads out of"),
        ("pickled.npz", "without pickle"),
    ],
)
def test_other_names_are_refused(tmp_path: Path, name: Any, message: str) -> None:
    folder = tmp_path / "hidden"
    folder.mkdir()
    np.savez(tmp_path / "secret.npz", X=np.ones(1))
    (folder / "link.npz").symlink_to(tmp_path / "secret.npz")
    np.savez(folder / "pickled.npz", X=np.array([object()], dtype=object))
    with check.serving_hidden_data(folder), pytest.raises(CourseError, match=message):
        check.hidden_data(name)


def test_the_vocabulary_loads_without_keras() -> None:
    """Importing it, or the rebuilding, starts nothing heavy."""
    code = (
        "import sys, autograder.check, autograder.models;"
        "assert not {'keras', 'tensorflow', 'nbgrader', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_vocabulary_is_small() -> None:
    assert sorted(check.__all__) == [
        "accuracy",
        "all_or_nothing",
        "any_of",
        "architecture",
        "asking_kernel",
        "at_least",
        "at_most",
        "between",
        "bonus",
        "close",
        "compiled",
        "dense",
        "diagnose",
        "function",
        "hidden_data",
        "layer",
        "leaderboard",
        "loss",
        "only_if",
        "optional",
        "parameters",
        "recording",
        "repeat",
        "report",
        "requires",
        "retrained",
        "score",
        "serving_hidden_data",
    ]
    assert [word for word in registry.names(registry.CHECKS) if registry.is_own(registry.CHECKS, word)] == [
        "accuracy",
        "any_of",
        "architecture",
        "at_least",
        "at_most",
        "backends",
        "between",
        "causal",
        "compiled",
        "computes",
        "curve",
        "dense",
        "diagnose",
        "events",
        "layer",
        "loss",
        "on_backend",
        "optimizer",
        "optional",
        "parameters",
        "repeat",
        "retrained",
        "training_step",
    ]


@pytest.mark.parametrize(
    ("actual", "desired", "share"),
    [
        ([1.0, 2.05], [1.0, 2.0], 0.5),
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, float("nan")], [1.0, float("nan")], None),
        ([1, 2], [1, 2], None),
        ([1.7e308], [-1.7e308], None),
    ],
)
def test_a_comparison_of_numbers_measures_how_much_of_the_tolerance_is_used_up(
    actual: list[float], desired: list[float], share: float | None
) -> None:
    with check.recording() as results:
        check.close(actual, desired, rtol=0, atol=0.1)
    found = results[0].evidence.get("tolerance_share")
    assert found == (share if share is None else pytest.approx(share))
