"""Requests for a diagnosis, which tests make while they run, and an extension answers after the last one.

A diagnosis is never graded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder._util import registry
from autograder.check.asking import Measured, asking_question, collecting_losses
from autograder.errors import HostError
from autograder.records.diagnosis import Diagnosis


@dataclass(frozen=True)
class DiagnosisRequest:
    """A model of which a test wants to know what holds it back."""

    model: Any
    """A network, in the examiner a rebuilt one. It names no optimizer if its class has ``says_optimizer = False``."""
    inputs: Any
    """Rows of the course to train on: an array, or a list, tuple or dict of arrays."""
    labels: np.ndarray
    epochs: int
    batch_size: int
    loss: str | None = None
    """Loss that is measured, in Keras's word; None: what the model is compiled with."""
    optimizer: Any = None
    """A name, settings, an optimizer of Keras or of the model's library; None: the model's, else Adam."""
    from_logits: bool = False
    """Whether the outputs are scores, for a model that is not compiled."""
    question: str = ""
    """The grade_id of the test; empty in a student's own notebook."""
    graded: tuple[tuple[str, float], ...] = ()
    """Losses that checks of the test measured of the model as it was handed in: name, and mean over the rows."""


Answer = Callable[[DiagnosisRequest, Mapping[str, Any]], Diagnosis | None]
"""Makes a diagnosis with the settings of the assignment, or None; what is registered as ``autograder.diagnoses``."""


@dataclass(frozen=True)
class _Collected:
    requests: list[DiagnosisRequest] = field(default_factory=list)
    optimizers: dict[str, Any] = field(default_factory=dict)
    """The grade_id of a test → the first optimizer that it names or checks."""


_collected: ContextVar[_Collected | None] = ContextVar("autograder_diagnosis_requests", default=None)


@contextmanager
def collecting_requests() -> Iterator[list[DiagnosisRequest]]:
    """Collect the requests of all tests inside the block; outside of one, requests are dropped.

    A module does not say its optimizer. At the end, a request without one gets that of a check of the same test, or the
    only one of the notebook.
    """
    collected = _Collected()
    token = _collected.set(collected)
    try:
        with collecting_losses() as losses:
            yield collected.requests
        completed = (_with_losses(request, losses) for request in collected.requests)
        collected.requests[:] = [_with_optimizer(request, collected.optimizers) for request in completed]
    finally:
        _collected.reset(token)


def _with_losses(request: DiagnosisRequest, losses: Sequence[Measured]) -> DiagnosisRequest:
    """Add the losses of the request's own test: the results of another one may be held back from students."""
    mine = (one for one in losses if one[0] is request.model and one[1] == request.question)
    return replace(request, graded=tuple((name, value) for *_, name, value in mine))


def _with_optimizer(request: DiagnosisRequest, optimizers: Mapping[str, Any]) -> DiagnosisRequest:
    if request.optimizer is not None or getattr(type(request.model), "says_optimizer", True):
        return request
    first = next(iter(optimizers.values()), None)
    common = first if all(optimizer == first for optimizer in optimizers.values()) else None
    return replace(request, optimizer=optimizers.get(request.question, common))


def request_diagnosis(request: DiagnosisRequest) -> None:
    """Note a request; a model is diagnosed once for each question."""
    collected, question = _collected.get(), asking_question()
    if collected is None or any(one.model is request.model and one.question == question for one in collected.requests):
        return
    collected.requests.append(replace(request, question=question))


def note_optimizer(optimizer: Any) -> None:
    """Note the settings of an optimizer that a test names or checks, for the diagnoses of the same notebook.

    Only those count whose learning rate is ``lr``, as in ``torch.optim``.
    """
    collected = _collected.get()
    if collected is not None and optimizer.rate == "lr":
        collected.optimizers.setdefault(asking_question(), optimizer)


def answered(request: DiagnosisRequest, settings: Mapping[str, Any]) -> Diagnosis | None:
    """Let the first registered extension that can answer a request do so; None where there is none."""
    for name in registry.names(registry.DIAGNOSES):
        try:
            answer: Answer = registry.load(registry.DIAGNOSES, name)
        except HostError:  # what it needs is not installed here
            continue
        if (diagnosis := answer(request, settings)) is not None:
            return replace(diagnosis, question=request.question)
    return None
