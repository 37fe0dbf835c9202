"""Tests ask what holds a network back; the answer comes after them, is kept, and never costs a grade."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder import check
from autograder.check.asking import asked_by, note_loss
from autograder.check.diagnosis_requests import DiagnosisRequest, collecting_requests, note_optimizer, request_diagnosis
from autograder.check.prediction_cache import ModelFigures, PredictionCache, read_predictions
from autograder.errors import CourseError
from autograder.examination import diagnoses as examination
from autograder.examination.diagnoses import diagnoses
from autograder.extensions.networks import diagnosing
from autograder.extensions.networks.diagnosing import own_batch_size, own_epochs
from autograder.extensions.networks.network import Network
from autograder.extensions.networks.step_calculus import OptimizerSettings
from autograder.records.diagnosis import Diagnosis, HelpfulChange, LossCurve, TriedChange

X, Y = np.zeros((4, 2)), np.zeros(4)
TRIAL = TriedChange("rate", "a learning rate of 0.001", 0.9, 0.5)
DIAGNOSIS = Diagnosis(
    "mean_squared_error", 90, 0.05, (HelpfulChange(TRIAL, "With it …", LossCurve((1,), (0.5,))),), (TRIAL,)
)


class Model:
    """Any model: nothing here looks into it."""


class Module(Model):
    """One that does not say how it was trained."""

    says_optimizer = Network.says_optimizer


def request(model: Any) -> DiagnosisRequest:
    return DiagnosisRequest(model, X, Y, epochs=3, batch_size=32)


def test_requests_are_collected_with_their_question_and_once_for_a_model() -> None:
    model = Model()
    with collecting_requests() as requests, asked_by("test-loss"):
        request_diagnosis(request(model))
        request_diagnosis(request(model))
        request_diagnosis(request(Model()))
    request_diagnosis(request(model))  # outside, nobody asks
    assert [one.question for one in requests] == ["test-loss", "test-loss"]


ADAM, SGD = (OptimizerSettings(kind, {"lr": 0.1}, "lr") for kind in ("Adam", "SGD"))


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        ([("other", SGD)], SGD),
        ([("mine", ADAM), ("other", SGD)], ADAM),
        ([("mine", ADAM), ("mine", SGD)], ADAM),
        ([("first", ADAM), ("second", SGD)], None),
        ([("mine", OptimizerSettings("Adam", {"learning_rate": 0.1}, "learning_rate"))], None),
        ([], None),
    ],
)
def test_a_module_gets_the_optimizer_of_a_check_of_its_test_or_the_only_one_of_its_notebook(
    noted: list[tuple[str, OptimizerSettings]], expected: OptimizerSettings | None
) -> None:
    with collecting_requests() as requests:
        with asked_by("mine"):
            request_diagnosis(request(Module()))
            request_diagnosis(replace(request(Module()), optimizer="adam"))
            request_diagnosis(request(Model()))
        for question, optimizer in noted:
            with asked_by(question):
                note_optimizer(optimizer)
    assert [one.optimizer for one in requests] == [expected, "adam", None]


def test_a_request_gets_the_loss_that_a_check_measured_of_its_model() -> None:
    """Only of its own test: the results of another one may be held back."""
    model, other = Model(), Model()
    with collecting_requests() as requests:
        with asked_by("mine"):
            for one in (model, other, Model()):
                request_diagnosis(request(one))
            note_loss(other, "mse", 0.7)
            note_loss(model, "mae", 0.2)
            note_loss(model, "mae", 0.3)
        with asked_by("held back"):
            note_loss(model, "mae", 0.9)
    assert [one.graded for one in requests] == [(("mae", 0.2), ("mae", 0.3)), (("mse", 0.7),), ()]


STEPS = [((600, 40, 19 * 40), 32), ((600, 40, 40), 600), ((600, 40, 0), 16), ((600, 0, 9), 16), ((600, 40, 7), 16)]
STEPS += [((600, 5, 19 * 45), 16)]


@pytest.mark.parametrize(("trained", "size"), STEPS)
def test_the_batch_is_that_of_the_students_own_training(trained: tuple[int, int, int], size: int) -> None:
    """By the optimizer's steps, which the notebook claims: 19 an epoch on 600 rows are batches of 32.

    After several calls of `fit` they are more than the last one's, and show nothing.
    """
    rows, epochs, steps = trained
    history, optimizer = SimpleNamespace(epoch=[0] * epochs), SimpleNamespace(iterations=steps)
    assert own_batch_size(SimpleNamespace(history=history, optimizer=optimizer), rows, 16) == size


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[DiagnosisRequest]:
    """What was answered."""
    made: list[DiagnosisRequest] = []

    def answered(asked: DiagnosisRequest, settings: Any) -> Diagnosis:
        made.append(asked)
        return replace(DIAGNOSIS, question=asked.question)

    monkeypatch.setattr(examination, "answered", answered)
    return made


def test_a_diagnosis_is_kept_by_the_models_digest(answers: list[DiagnosisRequest]) -> None:
    cache, model = PredictionCache(), Model()
    cache.watch(model, ["a claim"])
    first = diagnoses([request(model)], {}, cache)
    assert first == (DIAGNOSIS,)
    assert cache.changed
    again, equal = read_predictions(cache.packed()), Model()
    again.watch(equal, ["a claim"])
    assert diagnoses([request(equal)], {}, again) == first
    assert len(answers) == 1
    for other in (replace(request(equal), epochs=4), replace(request(equal), labels=Y + 1)):
        diagnoses([other], {}, again)
    diagnoses([request(equal)], {"diagnosis_seconds": 9.0}, again)
    assert len(answers) == 4


def test_what_is_kept_is_read_strictly() -> None:
    cache = PredictionCache({"key": ModelFigures(diagnoses={"digest": "no diagnosis"})})
    with pytest.raises(TypeError, match="no diagnoses"):
        read_predictions(cache.packed())


def test_only_runs_that_are_kept_are_diagnosed_and_at_most_three_models(answers: list[DiagnosisRequest]) -> None:
    assert diagnoses([request(Model())], {}, None) == ()
    assert len(diagnoses([request(Model()) for _ in range(5)], {}, PredictionCache())) == 3


def test_an_error_costs_the_diagnosis_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(examination, "answered", fails)
    assert diagnoses([request(Model())], {}, PredictionCache()) == ()


def test_an_optimizer_of_another_library_costs_nothing(answers: list[DiagnosisRequest]) -> None:
    assert len(diagnoses([replace(request(Model()), optimizer=object())], {}, PredictionCache())) == 1


def test_a_request_that_cannot_be_kept_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, answers: list[DiagnosisRequest]
) -> None:
    monkeypatch.setattr(examination, "digest", lambda parts: 1 / 0)
    assert diagnoses([request(Model())], {}, PredictionCache()) == ()


def test_the_length_is_that_of_the_students_own_training() -> None:
    def trained(epochs: Any) -> Any:
        return SimpleNamespace(history=SimpleNamespace(epoch=epochs))

    assert own_epochs(Model(), 7) == 7
    assert own_epochs(trained([0, 1, 2]), 7) == 3
    assert own_epochs(trained([0] * 10**6), 7) == own_epochs(trained("long"), 7) == 7


def test_in_the_examiner_the_word_only_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosing, "as_examined", lambda model, rows: model)
    with check.recording() as results, collecting_requests() as requests:
        check.diagnose(Model(), on=(X, Y), epochs=5)
    assert results == []
    assert [one.epochs for one in requests] == [5]


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 1.5}, {"loss": "huber"}])
def test_wrong_arguments_are_the_authors_fault(wrong: dict[str, Any]) -> None:
    with pytest.raises(CourseError, match=r"check\.diagnose"):
        check.diagnose(Model(), on=(X, Y), **wrong)
