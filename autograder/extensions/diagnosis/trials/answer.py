"""Answers to requests for a diagnosis, within the settings of an assignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from autograder.check.diagnosing import DiagnosisRequest
from autograder.extensions.diagnosis.budget import DEFAULT_SECONDS
from autograder.extensions.diagnosis.trials.counterfactuals import Settings, diagnose
from autograder.models.network import Network
from autograder.records.diagnosis import Diagnosis

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
    if is_network and request.optimizer is None and diagnosis.curve.epochs:
        return replace(diagnosis, note=f"{diagnosis.note} {_UNKNOWN_OPTIMIZER}".strip())
    return diagnosis
