"""Answers to requests for a diagnosis, within the settings of an assignment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.check.diagnosing import DiagnosisRequest
from autograder.extensions.diagnosis.budget import DEFAULT_SECONDS
from autograder.extensions.diagnosis.trials.counterfactuals import Settings, diagnose
from autograder.models.network import Network
from autograder.records.diagnosis import Diagnosis


def answer(request: DiagnosisRequest, settings: Mapping[str, Any]) -> Diagnosis | None:
    """Diagnose a Keras model; None where course.yaml says ``diagnosis: off``, or for a network of another library."""
    if not settings.get("diagnosis", True) or isinstance(request.model, Network):
        return None
    chosen = Settings(request.epochs, request.batch_size, request.loss, request.optimizer)
    seconds = settings.get("diagnosis_seconds", DEFAULT_SECONDS)
    return diagnose(request.model, request.inputs, request.labels, chosen, seconds)
