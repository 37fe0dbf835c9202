"""What a model gets wrong: counted from a check's predictions, and shown only where the check shows its rows."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.examination import outcome
from helpers.pages import inert
from helpers.samples import assignment, course, grade

from autograder import check
from autograder.check import provenance
from autograder.check.asking import asked_by, collecting_mistakes
from autograder.exchange.result_json import from_json, to_json
from autograder.extensions.diagnosis import mistake_plots
from autograder.extensions.diagnosis.mistakes_section import sentences
from autograder.extensions.networks import holdout, mistaken
from autograder.extensions.networks.mistaken import CHANCES, LOGITS, VALUES, mistakes_of
from autograder.extensions.networks.network import Network, NumberCounts
from autograder.records.mistakes import ConfusedPair, ModelMistakes
from autograder.results.report import render_feedback

LABELS = np.repeat([0, 1, 2], [50, 30, 20])
PREDICTED = np.concatenate([np.repeat([0, 1], [45, 5]), np.repeat([1, 2], [10, 20]), np.full(20, 2)])
CHANCE = np.where(np.eye(3)[PREDICTED] > 0, 0.98, 0.01)
ROWS = np.arange(100.0)[:, None]


class Table(Network):
    """A network in the examiner whose rows are numbers of its outputs."""

    numbers_per_row = 1
    is_unusual = False

    def __init__(self, table: np.ndarray) -> None:
        self.table = table

    def outputs(self, rows: Any) -> list[np.ndarray]:
        return [self.table[rows[:, 0].astype(int)]]

    def counts(self) -> NumberCounts:
        return NumberCounts(0, 0, 0)

    def numbers_beside(self) -> int:
        return 0

    def steps(self, vocabulary: str, **more: Any) -> list[Any]:
        return []

    known_kinds = excess = trainer = training_steps = lambda self, *given: None  # type: ignore[assignment]


class Asked:
    """A model that the examiner does not hold, but can only ask."""

    def __init__(self, outputs: np.ndarray) -> None:
        self.outputs = outputs

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.outputs[rows[:, 0].astype(int)]


def counted(outputs: Any, labels: Any, kind: str = CHANCES) -> ModelMistakes:
    mistakes = mistakes_of("test-loss", "loss", np.asarray(outputs, dtype=np.float64), np.asarray(labels), kind)
    assert mistakes is not None
    return mistakes


def test_classes_that_are_confused_are_counted() -> None:
    mistakes = counted(CHANCE, LABELS)
    assert mistakes.confusion == ((45, 5, 0), (0, 10, 20), (0, 0, 20))
    assert mistakes.pairs == (ConfusedPair(1, 2, 20), ConfusedPair(0, 1, 5))
    assert [(each.rows, each.right) for each in mistakes.classes] == [(50, 45), (30, 10), (20, 20)]
    assert mistakes.classes[2].loss == 0.0202
    assert list(sentences(mistakes)) == [
        "It takes 20 of 30 rows of class 1 for class 2.",
        "It takes 5 of 50 rows of class 0 for class 1.",
        "It is surer than it is right: 98 % sure on average, and right in 75 %.",
    ]


@pytest.mark.parametrize(
    ("outputs", "labels", "kind"),
    [
        (CHANCE, np.eye(3)[LABELS], CHANCES),
        (np.log(CHANCE), LABELS, LOGITS),
        (CHANCE.reshape(20, 5, 3), LABELS.reshape(20, 5), CHANCES),
    ],
    ids=["one-hot", "scores", "positions"],
)
def test_the_same_predictions_in_other_forms_count_the_same(outputs: Any, labels: Any, kind: str) -> None:
    same = counted(outputs, labels, kind)
    assert (same.confusion, same.rows) == (counted(CHANCE, LABELS).confusion, 100)
    assert same.calibration == counted(CHANCE, LABELS).calibration


def test_one_output_is_the_probability_of_class_1() -> None:
    assert counted([0.9, 0.2, 0.4, 0.6], [1, 0, 1, 0]).confusion == ((1, 1), (1, 1))
    assert counted([[3.0], [-3.0]], [1, 1], LOGITS).confusion == ((0, 0), (1, 1))


def test_scores_of_an_unknown_kind_have_no_calibration_and_no_loss() -> None:
    mistakes = counted([[3.0, 1.0], [2.0, 5.0]], [0, 0])
    assert mistakes.calibration == ()
    assert [each.loss for each in mistakes.classes] == [None]


def test_residuals_of_a_regression_say_where_it_errs() -> None:
    actual = np.linspace(-1, 1, 300)
    mistakes = counted(actual / 2, actual, VALUES)
    assert mistakes.residuals is not None
    assert sum(mistakes.residuals.counts) == 300
    assert "it stays too close to the mean" in " ".join(sentences(mistakes))
    shifted = " ".join(sentences(counted(actual + 0.5, actual, VALUES)))
    assert shifted.startswith("Its values are too high by 0.5 on average.")


@pytest.mark.parametrize(("outputs", "labels"), [([[np.nan, 0.0]], [0]), (np.zeros((0, 2)), [])])
def test_what_cannot_be_counted_is_left_alone(outputs: Any, labels: Any) -> None:
    assert mistakes_of("q", "loss", np.asarray(outputs, dtype=np.float64), np.asarray(labels)) is None


def test_values_that_are_absurdly_wrong_are_not_said_to_be_right() -> None:
    assert mistakes_of("q", "loss", np.array([1e13, 0.0]), np.array([0.0, 0.0]), VALUES) is None


def test_rows_of_several_classes_are_not_counted_as_rows_of_one() -> None:
    several = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    with pytest.raises(ValueError, match="a row has several classes, or none"):
        mistakes_of("q", "loss", np.full((2, 3), 1 / 3), several)


def test_a_class_that_no_row_has_is_only_another_one() -> None:
    """Else a network could tell of hidden rows by as many columns as it likes."""
    outputs = np.eye(9)[[0, 0, 1, 7, 8, 5]]
    mistakes = counted(outputs, [0, 0, 1, 1, 1, 0])
    assert mistakes.confusion == ((2, 0, 1), (0, 1, 2))
    assert mistakes.pairs == (ConfusedPair(1, None, 2), ConfusedPair(0, None, 1))
    assert next(sentences(mistakes)) == "It takes 2 of 3 rows of class 1 for another class, which no row has."
    assert "2 of class 1 taken for another" in str(mistake_plots.confusion(mistakes))


def test_numbers_have_three_digits() -> None:
    draw = np.random.default_rng(3)
    chances = draw.dirichlet([1, 1, 1], 100)
    values = draw.normal(1000.0, 0.001, 100)
    for mistakes in (counted(chances, LABELS), counted(values, np.zeros(100), VALUES)):
        floats = [float(text) for text in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", repr(mistakes))]
        assert floats == [float(f"{number:.3g}") for number in floats]
    edges = counted(values, np.zeros(100), VALUES).residuals.edges  # type: ignore[union-attr]
    assert list(edges) == sorted(set(edges))
    assert len(edges) > 1


def test_many_classes_are_not_counted() -> None:
    with pytest.raises(ValueError, match="than are counted"):
        mistakes_of("q", "loss", np.full((2, 2000), 1 / 2000), np.array([0, 1999]))


def test_a_single_score_has_no_limit_that_is_known_here() -> None:
    with pytest.raises(ValueError, match="no probabilities"):
        mistakes_of("q", "accuracy", np.array([[3.0], [0.4]]), np.array([1, 0]))


@pytest.mark.parametrize("from_logits", [False, True])
def test_several_answers_of_yes_or_no_are_not_one_class(from_logits: bool) -> None:
    one_hot, settings = np.eye(3)[LABELS], {"loss": "binary_crossentropy", "from_logits": from_logits}
    with collecting_mistakes() as notes:
        check.loss(Table(CHANCE), on=(ROWS, one_hot), below=9.0, **settings)
        assert notes == []
        check.loss(Table(CHANCE[:, :1]), on=(ROWS, LABELS % 2), below=9.0, **settings)
    assert len(notes) == 1


def test_a_model_that_is_only_asked_is_not_counted() -> None:
    """Its code sees the hidden rows when it answers, and could write them into its answers."""
    with collecting_mistakes() as notes:
        assert check.loss(Asked(CHANCE), on=(ROWS, LABELS), below=9.0).fraction == 1.0
    assert notes == []


def test_a_model_that_a_call_returned_is_not_counted() -> None:
    made = Table(CHANCE)
    with provenance.noting(), collecting_mistakes() as notes:
        check.loss(made, on=(ROWS, LABELS), below=9.0)
        assert notes == []
        provenance.note(made)
        check.loss(made, on=(ROWS, LABELS), below=9.0)
    assert len(notes) == 1


def test_arrays_that_cannot_be_compared_cost_no_credit(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arrays: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(mistaken, "_digest", full)
    with collecting_mistakes() as notes:
        assert check.loss(Table(CHANCE), on=(ROWS, LABELS), below=9.0).fraction == 1.0
    assert notes == []


def test_mistakes_are_those_of_the_examination_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A named tuple is examined once more as a plain one, and that examination is discarded."""
    monkeypatch.setattr(holdout, "may_tell_of", lambda model: True)
    answer = """
from collections import namedtuple
pair = namedtuple("Pair", "a b")(1, 2)
def model(rows): return rows
"""
    test = """
import numpy as np
from autograder import check
rows = np.array([[0.9], [0.1], [0.2], [0.8]])
check.accuracy(model, on=(rows, np.array([0, 1, 1, int(type(pair) is tuple)])), above=0.9)
"""
    assert [model.confusion for model in outcome(answer, test).mistakes] == [((0, 2), (2, 0))]


def test_checks_count_their_predictions_once_for_each_question() -> None:
    model = Table(CHANCE)
    with collecting_mistakes() as notes, asked_by("test-loss"):
        check.loss(model, on=(ROWS, LABELS), below=9.0)
        check.accuracy(model, on=(ROWS, LABELS), above=0.5)
    assert [(note.question, note.check, note.rows) for note in notes] == [("test-loss", "loss", 100)]


def test_a_check_that_does_not_show_its_thresholds_counts_nothing() -> None:
    with collecting_mistakes() as notes:
        check.loss(Table(CHANCE), on=(ROWS, LABELS), below=9.0, show=False)
    assert notes == []


def test_hidden_labels_are_told_of_only_where_the_check_says_so() -> None:
    """Attack 76: a network that looks rows up shows one hidden row in each column of the table."""
    model = Table(CHANCE)
    with collecting_mistakes(lambda: True) as notes:
        check.loss(model, on=(ROWS, LABELS), below=9.0)
        check.accuracy(model, on=(ROWS, LABELS), above=0.1)
        check.loss(Table(CHANCE[:49]), on=(ROWS[:49], LABELS[:49]), below=9.0, mistakes=True)
        assert notes == []
        check.loss(model, on=(ROWS, LABELS), below=9.0, mistakes=True)
    assert len(notes) == 1


def test_counts_of_hidden_rows_are_multiples_of_five() -> None:
    """No cell is that of a single row: 1 and 2 are 0, 3 and 4 are 5."""
    predicted = LABELS.copy()
    predicted[:3] = 1, 2, 2
    predicted[50:53] = 0
    with collecting_mistakes(lambda: True) as notes:
        check.loss(Table(np.eye(3)[predicted]), on=(ROWS, LABELS), below=99.0, mistakes=True)
    (mistakes,) = notes
    assert mistakes.confusion == ((45, 0, 0), (5, 25, 0), (0, 0, 20))
    assert mistakes.pairs == (ConfusedPair(1, 0, 5),)
    assert [(one.rows, one.right, one.loss) for one in mistakes.classes] == [
        (50, 45, None),
        (30, 25, None),
        (20, 20, None),
    ]
    assert [(one.rows, one.accuracy) for one in mistakes.calibration] == [(100, 0.95)]


def test_labels_of_a_regression_that_are_hidden_lose_their_thirds() -> None:
    actual = np.linspace(-1, 1, 100)
    with collecting_mistakes(lambda: True) as notes:
        check.loss(Table(actual[:, None] / 2), on=(ROWS, actual[:, None]), below=9.0, loss="mse", mistakes=True)
    assert notes[0].residuals is not None
    assert notes[0].residuals.by_third == ()
    assert all(rows % 5 == 0 for rows in notes[0].residuals.counts)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("np.array([0, 1, 1, 0])", 1),
        ("check.hidden_data('y.npz')['y']", 0),
        ("np.eye(2)[check.hidden_data('y.npz')['y']]", 0),
    ],
    ids=["the test's", "hidden", "made of hidden ones"],
)
def test_labels_that_stem_from_hidden_data_are_hidden(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, labels: str, told: int
) -> None:
    monkeypatch.setattr(holdout, "may_tell_of", lambda model: True)
    np.savez(tmp_path / "y.npz", y=np.array([0, 1, 1, 0]))
    test = f"""
import numpy as np
from autograder import check
y = {labels}
rows = np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8], [0.8, 0.2]])
check.loss(model, on=(rows, y), below=9.0, loss="{"sparse_" if "eye" not in labels else ""}categorical_crossentropy")
"""
    examined = outcome("def model(rows): return rows", test, hidden=tmp_path)
    assert (examined.fraction, len(examined.mistakes)) == (1.0, told)


def test_labels_that_do_not_fit_cost_no_credit() -> None:
    halves = Table(np.full((100, 3), 0.5))
    with collecting_mistakes() as notes:
        result = check.loss(halves, on=(ROWS, np.eye(3)[LABELS] / 2), below=9.0)
    assert result.fraction == 1.0
    assert [note.calibration for note in notes] == [()]


# --- pages and files ----------------------------------------------------------------------------------


def with_mistakes(*mistakes: ModelMistakes) -> Any:
    made = grade("ada")
    return replace(made, notebooks=(replace(made.notebooks[0], mistakes=mistakes), *made.notebooks[1:]))


def test_the_page_has_plots_with_texts(tmp_path: Path) -> None:
    actual = np.linspace(-1, 1, 300)
    both = (counted(CHANCE, LABELS), replace(counted(actual / 2, actual, VALUES), check="<b>error</b>"))
    page = render_feedback(course(tmp_path), assignment(), with_mistakes(*both), {})
    text = inert(page).text
    assert "It takes 20 of 30 rows of class 1 for class 2." in text
    assert "Counted on the 300 rows of the check <b>error</b>." in text  # shown as text
    assert 'aria-label="Actual and predicted classes of 100 rows: 75 right. 20 of class 1 taken for 2;' in page
    assert 'aria-label="How sure the network is, and how often it is right: 98 % sure, 75 % right, 100 rows."' in page
    assert 'aria-label="Predicted minus actual values: mean' in page


def test_the_numbers_are_in_result_json() -> None:
    made = with_mistakes(counted(CHANCE, LABELS), counted([1.0, 2.0], [1.5, 1.5], VALUES))
    assert from_json(to_json(made)).notebooks[0].mistakes == made.notebooks[0].mistakes
