"""Diagnoses of a notebook's models, made after its tests and kept with its recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograder._util.plain_records import from_plain, to_plain
from autograder.check.diagnosis_requests import DiagnosisRequest, answered
from autograder.check.prediction_cache import PredictionCache, digest
from autograder.examiner.memory_limit import limit_memory
from autograder.records.diagnosis import MAX_DIAGNOSES, Diagnosis

_VERSION = 5
"""Raise it when the same network would get another diagnosis: kept ones are then made anew."""


def diagnoses(
    requests: Sequence[DiagnosisRequest], settings: Mapping[str, Any], cache: PredictionCache | None
) -> tuple[Diagnosis, ...]:
    """Diagnose the models that tests asked about, each kept by the digest of what it was made from.

    Args:
        requests: what the tests asked.
        settings: the assignment's settings of extensions.
        cache: what is kept with the recording. Without one it is no student's run, and nothing is diagnosed.
    """
    if cache is None:
        return ()
    answers = (_diagnosis(request, settings, cache) for request in requests[:MAX_DIAGNOSES])
    return tuple(diagnosis for diagnosis in answers if diagnosis is not None)


def _diagnosis(request: DiagnosisRequest, settings: Mapping[str, Any], cache: PredictionCache) -> Diagnosis | None:
    try:
        return _kept_or_new(request, settings, cache)
    except Exception:  # a diagnosis never costs the grade
        return None


def _kept_or_new(request: DiagnosisRequest, settings: Mapping[str, Any], cache: PredictionCache) -> Diagnosis | None:
    stored = cache.diagnoses_of(request.model)
    key = digest([_VERSION, request.inputs, request.labels, *_plain(request), settings.get("diagnosis_seconds")])
    if key in stored:
        return from_plain(Diagnosis, stored[key])
    with limit_memory():
        diagnosis = answered(request, settings)
    if diagnosis is not None and key:
        stored[key] = to_plain(diagnosis)
        cache.changed = True
    return diagnosis


def _plain(request: DiagnosisRequest) -> list[Any]:
    configuration = getattr(request.optimizer, "get_config", None)
    chosen = getattr(request.optimizer, "defaults", None) if configuration is None else configuration()
    optimizer = f"{type(request.optimizer).__name__} {chosen!r}" if chosen else str(request.optimizer)
    settings = [request.epochs, request.batch_size, request.loss, request.from_logits, optimizer, request.question]
    return [*settings, *map(list, request.graded)]
