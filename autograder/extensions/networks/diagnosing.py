"""The question what would have made a student's model better."""

from __future__ import annotations

from typing import Any

from autograder.check.diagnosis_requests import DiagnosisRequest, answered, request_diagnosis
from autograder.check.results import in_examiner
from autograder.errors import CourseError
from autograder.extensions.networks.holdout import rows_of
from autograder.extensions.networks.metrics import loss_named
from autograder.extensions.networks.reading import as_examined
from autograder.records.diagnosis import Diagnosis

_CHECK = "check.diagnose"
MAX_EPOCHS = 1000
USUAL_EPOCHS, USUAL_BATCH_SIZE = 10, 32


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
