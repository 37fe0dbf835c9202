"""Requests for a diagnosis: what would have made a student's model better.

Tests make requests while they run, and an extension answers them after the last one. A diagnosis is never graded.
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
from autograder.check.holdout import rows_of
from autograder.check.metrics import loss_named
from autograder.check.reading import as_examined
from autograder.check.results import in_examiner
from autograder.errors import CourseError, HostError
from autograder.models.network import Network
from autograder.models.step_calculus import OptimizerSettings
from autograder.records.diagnosis import Diagnosis

_CHECK = "check.diagnose"
MAX_EPOCHS = 1000
USUAL_EPOCHS, USUAL_BATCH_SIZE = 10, 32


@dataclass(frozen=True)
class DiagnosisRequest:
    """A model of which a test wants to know what holds it back."""

    model: Any
    """A Keras model or a :class:`~autograder.models.network.Network`, in the examiner a rebuilt one."""
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
    optimizers: dict[str, OptimizerSettings] = field(default_factory=dict)
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


def _with_optimizer(request: DiagnosisRequest, optimizers: Mapping[str, OptimizerSettings]) -> DiagnosisRequest:
    if request.optimizer is not None or not isinstance(request.model, Network):
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


def note_optimizer(optimizer: OptimizerSettings) -> None:
    """Note an optimizer of ``torch.optim`` that a test names or checks, for the diagnoses of the same notebook."""
    collected = _collected.get()
    if collected is not None and optimizer.rate == "lr":
        collected.optimizers.setdefault(asking_question(), optimizer)


def own_epochs(model: Any, otherwise: int) -> int:
    """Return how long the model's last ``fit`` was, as its history says, or another number without one."""
    epochs = getattr(getattr(model, "history", None), "epoch", None)
    return len(epochs) if isinstance(epochs, list) and 0 < len(epochs) <= MAX_EPOCHS else otherwise


def own_batch_size(model: Any, rows: int, otherwise: int) -> int:
    """Return the batch size of the last ``fit`` on so many rows, or another number.

    It follows from the optimizer's steps, and counts only if it is larger than the other number. Steps of earlier calls
    of ``fit`` are counted, too, so that a smaller number shows nothing.
    """
    epochs = own_epochs(model, 0)
    steps = int(getattr(getattr(model, "optimizer", None), "iterations", 0))
    return max(otherwise, min(rows, round(rows * epochs / steps))) if 0 < epochs <= steps else otherwise


def diagnose(
    model: Any,
    on: tuple[Any, Any],
    epochs: int | None = None,
    *,
    batch_size: int | None = None,
    loss: str | None = None,
    from_logits: bool = False,
    seconds: float = 10.0,
) -> Diagnosis:
    """Say what would make a network better: a few changes are tried on it, each trained from the same seeds.

    In a student's own notebook the answer comes at once. In the examiner the diagnosis is made after the last test, and
    shown on the feedback page. It is never graded.

    Args:
        model: a compiled ``keras.Model``, or a PyTorch module, for which ``loss`` must be given. Its weights are not
            used, and stay as they are.
        on: ``(X, y)`` to train on and to compare on; y is one-hot, whole numbers, or values.
        epochs: epochs of each training; None: as many as the model's last ``fit`` had, else 10.
        batch_size: rows of a batch; None: as many as the model's last ``fit`` had, else 32.
        loss: the loss that is compared, as in :func:`check.loss`; None: the one that the model is compiled with.
        from_logits: True if a PyTorch module returns scores (logits).
        seconds: processor time that all trainings together may take; in the examiner, course.yaml says it.

    Returns:
        The diagnosis, which reads well as the last line of a cell.

    Raises:
        CourseError: the arguments do not fit together.

    >>> check.diagnose(model, on=(X, y), epochs=10)  # doctest: +SKIP
    With a learning rate of 0.001, the default of Adam, in place of 1e-05, your network reaches a loss of 0.77 on …
    """
    inputs, labels = rows_of(_CHECK, "on", on)
    for label, value, most in [("epochs", epochs, MAX_EPOCHS), ("batch_size", batch_size, 1_000_000)]:
        if value is not None and (type(value) is not int or not 1 <= value <= most):
            raise CourseError(f"{_CHECK}: {label} is {value!r}; give a whole number from 1 to {most:,}.")
    if loss is not None:
        loss_named(_CHECK, loss)
    model = as_examined(model, rows=inputs)
    length = epochs or own_epochs(model, USUAL_EPOCHS)
    size = batch_size or own_batch_size(model, len(labels), USUAL_BATCH_SIZE)
    request = DiagnosisRequest(model, inputs, labels, length, size, loss, from_logits=from_logits)
    if in_examiner():
        request_diagnosis(request)
        return Diagnosis(loss or "", 0, 0.0, note="The diagnosis is made after the tests.")
    diagnosis = answered(request, {"diagnosis": True, "diagnosis_seconds": seconds})
    return diagnosis or Diagnosis(loss or "", 0, 0.0, note="This network cannot be diagnosed here.")


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
