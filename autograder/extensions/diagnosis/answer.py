"""Answers to requests for a diagnosis, within the settings of an assignment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.check.diagnosing import DiagnosisRequest
from autograder.extensions.diagnosis.counterfactuals import Settings, diagnose
from autograder.extensions.diagnosis.course_keys import ON, SECONDS
from autograder.models.network import Network
from autograder.records.diagnosis import Diagnosis


def answer(request: DiagnosisRequest, settings: Mapping[str, Any]) -> Diagnosis | None:
    """Diagnose a Keras model; None where course.yaml says ``diagnosis: off``, or for a network of another library."""
    if not settings.get("diagnosis", ON.default) or isinstance(request.model, Network):
        return None
    chosen = Settings(request.epochs, request.batch_size, request.loss, request.optimizer)
    seconds = settings.get("diagnosis_seconds", SECONDS.default)
    return diagnose(request.model, request.inputs, request.labels, chosen, seconds)
