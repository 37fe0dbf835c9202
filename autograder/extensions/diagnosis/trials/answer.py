"""Answers to requests for a diagnosis, within the settings of an assignment."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from autograder.check.diagnosing import DiagnosisRequest
from autograder.extensions.diagnosis.budget import DEFAULT_SECONDS
from autograder.extensions.diagnosis.trials.counterfactuals import Settings, diagnose
from autograder.extensions.diagnosis.trials.keras_twin import (
    channels_last,
    in_other_words,
    keras_optimizer,
    keras_twin,
)
from autograder.models.network import Network
from autograder.records.diagnosis import Diagnosis

_NEEDED = ("keras", "tensorflow")
_NOT_INSTALLED = (
    "Networks, also those of PyTorch, are tried with Keras on TensorFlow, and one of the two is not installed here."
)


def answer(request: DiagnosisRequest, settings: Mapping[str, Any]) -> Diagnosis | None:
    """Diagnose a model; None where course.yaml says ``diagnosis: off``, or a grader lacks Keras or TensorFlow.

    A network of another library is diagnosed as the Keras model with the same layers; None if there is none.
    """
    if not settings.get("diagnosis", True):
        return None
    if any(find_spec(name) is None for name in _NEEDED):  # nothing that a feedback page could help with
        return None if request.question else Diagnosis("", 0, 0.0, note=_NOT_INSTALLED)
    seconds = settings.get("diagnosis_seconds", DEFAULT_SECONDS)
    chosen = Settings(request.epochs, request.batch_size, request.loss, request.optimizer, request.from_logits)
    if not isinstance(request.model, Network):
        return diagnose(request.model, request.inputs, request.labels, chosen, seconds)
    twin = keras_twin(request.model)
    if twin is None or request.loss is None:
        return None
    optimizer = keras_optimizer(request.optimizer)
    chosen = Settings(request.epochs, request.batch_size, request.loss, optimizer, request.from_logits, fuses=False)
    return in_other_words(diagnose(twin, channels_last(request.inputs), request.labels, chosen, seconds))
