"""What was measured of models is known when a run is graded again, and nothing else of them is."""

from __future__ import annotations

import numpy as np
import pytest

from autograder import check
from autograder._util import libraries
from autograder.check.prediction_cache import (
    MAX_REMEMBERED_BYTES,
    MIN_REMEMBERED_BYTES,
    CachedModel,
    PredictionCache,
    _digests,
    caching_in,
    digest,
    names_only_checked,
    note_parameters,
    predictions_of,
    read_predictions,
)
from autograder.check.results import recording
from autograder.codec import encode
from autograder.records.checks import CheckResult

ROWS = np.arange(12.0).reshape(4, 3)
OUTPUTS = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
LABELS = np.array([0, 1, 0, 0])
CLAIM = ({"class_name": "Sequential"}, [np.ones((3, 2)), np.zeros(2)])


@pytest.fixture(autouse=True)
def no_library_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_wanted", [])


def measured_before() -> PredictionCache:
    """As it is read back: of one model, 8 parameters, 6 of them trained, and the predictions for ROWS."""
    book, model = PredictionCache(), object()
    with caching_in(book):
        book.watch(model, CLAIM)
        note_parameters(model, (8, 6, 0, 0))
        predictions_of(model, ROWS, OUTPUTS.copy)
    assert book.changed
    return read_predictions(book.packed())


@pytest.fixture
def model() -> CachedModel:
    found = measured_before().cached(CLAIM)
    assert found is not None
    return found


def results(*checks: object) -> list[CheckResult]:
    with recording({}) as found:
        for one in checks:
            one()  # type: ignore[operator]
    return list(found)


def test_a_digest_is_of_what_a_large_array_holds_now() -> None:
    """It is not taken anew of the same rows, and that of others is another."""
    rows = np.zeros((MIN_REMEMBERED_BYTES // 8, 2))
    first = digest(rows)
    assert digest(rows.copy()) == first
    rows[-1, -1] = 1
    second = digest(rows)
    assert digest(rows.T) != second != first
    rows[-1, -1] = 0
    assert digest(rows) == first == digest(np.zeros_like(rows))
    assert digest(rows.astype(np.float32)) != first


def test_what_is_too_large_is_not_kept_for_its_digest() -> None:
    _digests.clear()
    rows = np.zeros(MAX_REMEMBERED_BYTES // 8 + 1)
    assert digest(rows) == digest(rows.copy()) != ""
    assert not _digests


def test_losses_accuracies_and_parameters_need_no_model(model: CachedModel) -> None:
    loss, exact, tight, accuracy, trained = results(
        lambda: check.loss(model, on=(ROWS, LABELS), below=0.6, loss="sparse_categorical_crossentropy"),
        lambda: check.parameters(model, exactly=8),
        lambda: check.parameters(model, at_most=7),
        lambda: check.accuracy(model, on=(ROWS, LABELS), above=0.7),
        lambda: check.parameters(model, exactly=6, kind="trainable"),
    )
    wanted = -np.log([0.9, 0.8, 0.6, 0.3]).mean()
    assert loss.evidence["loss"] == pytest.approx(wanted)
    assert loss.evidence["parameters"] == 8
    assert (exact.fraction, tight.fraction, accuracy.fraction, trained.fraction) == (1, 0, 1, 1)
    assert not libraries.wanted()


def test_other_rows_need_the_model(model: CachedModel) -> None:
    with pytest.raises(ImportError), recording({}):
        check.loss(model, on=(ROWS + 1, LABELS), below=0.6, loss="sparse_categorical_crossentropy")
    assert libraries.wanted()


@pytest.mark.parametrize("name", ["layers", "weights", "predict", "count_params", "__len__x"])
def test_whatever_else_is_asked_needs_the_model(model: CachedModel, name: str) -> None:
    with pytest.raises(ImportError, match="the model itself is needed"):
        getattr(model, name)
    assert libraries.wanted()


def test_another_model_was_not_measured() -> None:
    book = measured_before()
    assert book.cached(({"class_name": "Sequential"}, [np.ones((3, 2)), np.ones(2)])) is None
    assert book.cached((object(), [])) is None


def test_one_whose_parameters_are_not_known_is_not_either() -> None:
    book, model = PredictionCache(), object()
    with caching_in(book):
        book.watch(model, CLAIM)
        predictions_of(model, ROWS, OUTPUTS.copy)
    assert book.cached(CLAIM) is None


def test_what_a_test_does_with_predictions_changes_none_that_are_known(model: CachedModel) -> None:
    predictions_of(model, ROWS, OUTPUTS.copy)[:] = 0
    assert (predictions_of(model, ROWS, OUTPUTS.copy) == OUTPUTS).all()


def test_nothing_is_written_down_where_nobody_keeps_it() -> None:
    assert (predictions_of(object(), ROWS, OUTPUTS.copy) == OUTPUTS).all()
    note_parameters(object(), (1, 1, 0, 0))


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"a": 1},
        {"a": (None, [])},
        {"a": ((1, 2.0, 0), {})},
        {"a": ((True, 2, 0), {})},
        {"a": ((1, 2), {})},
        {1: ((1, 2, 0), {})},
        {"a": ((1, 2, 0), {"b": [1.0]})},
        {"a": ((1, 2, 0), {"b": np.ones(3, "float32")})},
        {"a": ((1, 2, 0), {"b": np.array(1.0)})},
    ],
)
def test_a_book_that_is_none_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        read_predictions(encode(value))


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["check.loss(model, on=(X, y), below=0.5)"], {"model"}),
        (["assert model is not None\ncheck.accuracy(model, on=(X, y))"], {"model"}),
        (["check.parameters(a)\ncheck.loss(b, on=(X, y))"], {"a", "b"}),
        (["check.loss(model)", "model.summary()"], set()),
        (["check.loss(model)", "def helper():\n    return type(model)"], set()),
        (["check.loss(model)\nassert model == 1"], set()),
        (["check.loss(model)\nother = model"], set()),
        (["check.loss(model, on=(model, 1))"], set()),
        (["check.loss(model)\nmodel = 1"], set()),
        (["check.loss(model)\ndel model"], set()),
        (["check.architecture(model, [])"], set()),
        (["check.retrained(model, epochs=1)"], set()),
        (["check.loss([model])"], set()),
        (["other.loss(model)"], set()),
        (["loss(model)"], set()),
        (["check.loss(model)\nglobals()['model']"], set()),
        (["check.loss(model)\nmock.patch('__main__.model')"], set()),
        (["check.loss(model)", "import __main__\n__main__.model"], set()),
        (["assert model is None"], set()),
    ],
)
def test_only_names_of_which_nothing_else_is_asked_can_be_measured_ones(sources: list[str], names: set[str]) -> None:
    assert names_only_checked(sources) == names
