"""A network that was trained on wrong rows: its graded loss beside that of a training anew."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.check.diagnosis_requests import DiagnosisRequest
from autograder.extensions.diagnosis.trials import answer as answering
from autograder.extensions.diagnosis.trials.answer import answer
from autograder.extensions.networks.network import Network
from autograder.records.diagnosis import Diagnosis, HelpfulChange, LossCurve, TriedChange

TRIAL = TriedChange("rate", "a learning rate of 0.001", 0.9, 0.5)
TOLD = HelpfulChange(TRIAL, "With it …", LossCurve((1,), (0.5,)))


class Module(Network):
    """A network of which nothing is computed."""

    output_shape = (None, 4)

    def __init__(self) -> None:
        pass


Module.__abstractmethods__ = frozenset()


def diagnosed(
    monkeypatch: pytest.MonkeyPatch,
    graded: tuple[str, float] | None,
    anew: float = 0.003,
    found: tuple[HelpfulChange, ...] = (),
    ended: int = 10,
) -> Diagnosis:
    """Diagnose a network whose training anew, of 10 epochs, reaches a loss."""
    made = Diagnosis("categorical_crossentropy", 90, 0.11, found, (TRIAL,), LossCurve((1, ended), (2.0, anew)))
    monkeypatch.setattr(answering, "diagnose", lambda *_: made)
    request = DiagnosisRequest(
        Module(), np.zeros((9, 2)), np.zeros(9), 10, 32, loss="mse", graded=() if graded is None else (graded,)
    )
    diagnosis = answer(request, {})
    assert diagnosis is not None
    return diagnosis


def test_a_network_that_is_good_when_trained_anew_hears_to_look_at_what_fit_got(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Shuffled labels, half of the rows, a `fit` that raised: nothing of the network is at fault."""
    (finding,) = diagnosed(monkeypatch, ("sparse_categorical_crossentropy", 1.196)).findings
    assert finding.trial == TriedChange("fit", "a training on the task's rows", 1.196, 0.003)
    assert finding.message == (
        "Trained anew as you compiled it, on the task's rows, this network reaches a loss of 0.003; yours has 1.2. "
        "Look at what `fit` got: rows, labels, batch size, and whether it ran to its end."
    )


def test_after_a_part_of_a_long_training_it_may_also_have_run_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = diagnosed(monkeypatch, ("categorical_crossentropy", 1.2), ended=4).findings
    assert "in a part of its epochs" in finding.message
    assert finding.message.endswith("whether it ran to its end, or too long.")


SILENT = [
    (None, 0.003, ()),
    (("mean_squared_error", 1.2), 0.003, ()),
    (("categorical_crossentropy", 0.1), 0.003, ()),
    (("categorical_crossentropy", 0.6), 0.45, ()),
    (("categorical_crossentropy", float("nan")), 0.003, ()),
    (("categorical_crossentropy", 1.2), 0.003, (TOLD,)),
]


@pytest.mark.parametrize(("graded", "anew", "found"), SILENT)
def test_nothing_is_said_of_fit_by_chance_or_beside_a_change_that_helps(
    monkeypatch: pytest.MonkeyPatch, graded: tuple[str, float] | None, anew: float, found: tuple[HelpfulChange, ...]
) -> None:
    """Not measured, of another loss, too small a difference, less than a third, no number, or a finding."""
    assert diagnosed(monkeypatch, graded, anew, found).findings == found
