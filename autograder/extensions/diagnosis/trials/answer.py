"""Answers to requests for a diagnosis, within the settings of an assignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from autograder.check.diagnosis_requests import DiagnosisRequest
from autograder.extensions.diagnosis.budget import DEFAULT_SECONDS
from autograder.extensions.diagnosis.trials.counterfactuals import Settings, diagnose
from autograder.extensions.diagnosis.trials.recipe import loss_name
from autograder.extensions.networks.network import Network
from autograder.records.diagnosis import Diagnosis, HelpfulChange, LossCurve, TriedChange

_NEEDED = ("keras", "tensorflow")
_NOT_INSTALLED = "Keras models are tried with Keras on TensorFlow, and one of the two is not installed here."
_UNKNOWN_OPTIMIZER = "No test names your optimizer, so each training was one with Adam and its usual rate of 0.001."


def answer(request: DiagnosisRequest, settings: Mapping[str, Any]) -> Diagnosis | None:
    """Diagnose a model; None where course.yaml says ``diagnosis: off``, or where nothing could be tried.

    A Keras model needs Keras and TensorFlow. A network of another library needs a loss that a test says, and one
    output.
    """
    if not settings.get("diagnosis", True):
        return None
    is_network = isinstance(request.model, Network)
    if is_network and (request.loss is None or not isinstance(request.model.output_shape, tuple)):
        return None
    if not is_network and any(find_spec(name) is None for name in _NEEDED):
        # there is nothing that a feedback page could help with
        return None if request.question else Diagnosis("", 0, 0.0, note=_NOT_INSTALLED)
    seconds = settings.get("diagnosis_seconds", DEFAULT_SECONDS)
    chosen = Settings(request.epochs, request.batch_size, request.loss, request.optimizer, request.from_logits)
    diagnosis = diagnose(request.model, request.inputs, request.labels, chosen, seconds)
    if (of_fit := fault_of_fit(diagnosis, request)) is not None:
        diagnosis = replace(diagnosis, findings=(of_fit,))
    if is_network and request.optimizer is None and diagnosis.curve.epochs:
        return replace(diagnosis, note=f"{diagnosis.note} {_UNKNOWN_OPTIMIZER}".strip())
    return diagnosis


_FAR = 2 / 3
"""Largest share of the graded loss that the training anew may reach if the two differ by what ``fit`` got."""


def fault_of_fit(diagnosis: Diagnosis, request: DiagnosisRequest) -> HelpfulChange | None:
    """Say that the network itself is good, where a training anew is much better and nothing helps."""
    graded = min((value for loss, value in request.graded if loss_name(loss) == diagnosis.loss), default=0.0)
    if diagnosis.findings or not diagnosis.curve.losses:
        return None
    anew = diagnosis.curve.losses[-1]
    if not graded - anew > diagnosis.least or anew > _FAR * graded:
        return None
    part = ", in a part of its epochs" if diagnosis.curve.epochs[-1] < request.epochs else ""
    ended = "ran to its end, or too long" if part else "ran to its end"
    message = (
        f"Trained anew as you compiled it, on the task's rows{part}, this network reaches a loss of {anew:.3g}; yours "
        f"has {graded:.3g}. Look at what `fit` got: rows, labels, batch size, and whether it {ended}."
    )
    return HelpfulChange(TriedChange("fit", "a training on the task's rows", graded, anew), message, LossCurve())
