"""The check of the losses that a student noted while training."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.check.handle import comparable, refusal
from autograder.check.numeric import numeric
from autograder.check.results import report
from autograder.errors import CourseError
from autograder.extensions.networks.subject import may_show
from autograder.records.checks import CheckResult

_CHECK = "check.curve"


def curve(
    train_losses: Any,
    valid_losses: Any = None,
    *,
    epochs: int | None = None,
    below: float | None = None,
    show: bool = True,
    name: str = "learning curve",
    weight: float = 1.0,
) -> CheckResult:
    """Check the losses of a training: one finite number for each epoch, and a training loss that falls.

    The numbers are the student's own notes, and anyone can write some. Give the check few points.

    Args:
        train_losses: the training loss of each epoch: a list, an array, a tensor, or a list of tensors.
        valid_losses: the validation loss of each epoch; None if the test does not ask for it.
        epochs: how many there have to be; None for any number from 2.
        below: what the lowest validation loss (without one, the lowest training loss) may be at most.
        show: False keeps the limits out of the student's message.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is all or nothing.

    Raises:
        CourseError: the limits are no numbers.

    >>> check.curve([2.0, 1.0, 0.7], [2.1, 1.3, 1.2])
    ✓ learning curve: 3 epochs; training loss 2 → 0.7; validation loss 2.1 → 1.2, lowest 1.2 after epoch 3
    """
    if not (epochs is None or type(epochs) is int) or not (below is None or type(below) in (int, float)):
        raise CourseError(f"{_CHECK}: epochs is a whole number, and below is a number.")
    curves = {"training": train_losses, **({} if valid_losses is None else {"validation": valid_losses})}
    numbers: dict[str, np.ndarray] = {}
    for label, losses in curves.items():
        values, problem = _losses(losses)
        if values is None:
            return report(name, 0.0, f"the {label} losses are not one number for each epoch: {problem}", weight=weight)
        numbers[label] = values
    is_shown = may_show(train_losses) and may_show(valid_losses)
    problems = _problems(numbers, epochs, below, show=show)
    summary = _summary(numbers) if is_shown else "as asked"
    message = "; ".join([*problems, *([summary] if is_shown else [])]) if problems else summary
    return report(name, float(not problems), message, weight=weight, detail="; ".join([*problems, _summary(numbers)]))


def _losses(losses: Any) -> tuple[np.ndarray | None, str]:
    """Return losses as an array (epochs,); None and the reason if they are something else."""
    losses = comparable(losses)
    if problem := refusal(losses):
        return None, problem
    parts = list(losses) if type(losses) in (list, tuple) else [losses]
    arrays = []
    for part in parts:
        array, problem = numeric(part)
        if array is None or array.dtype.kind not in "iuf":
            return None, problem or "they are no numbers"
        arrays.append(np.asarray(array, dtype=np.float64).reshape(-1))
    values = np.concatenate(arrays) if arrays else np.zeros(0)
    if type(losses) in (list, tuple) and len(values) != len(losses):
        return None, "some have several numbers"
    return (values, "") if np.isfinite(values).all() else (None, "some are NaN or infinite")


def _problems(numbers: dict[str, np.ndarray], epochs: int | None, below: float | None, *, show: bool) -> list[str]:
    problems = []
    counts = {len(values) for values in numbers.values()}
    if len(counts) > 1:
        problems.append("there is not one validation loss for each training loss")
    if epochs is not None and max(counts) != epochs:
        problems.append(
            f"there are {max(counts)} epochs" + (f", expected {epochs}" if show else ", which is not what is asked")
        )
    elif min(counts) < 2:
        problems.append("there are fewer than two epochs")
    training = numbers["training"]
    if len(training) > 1 and not training[len(training) // 2 :].mean() < training[: max(1, len(training) // 2)].mean():
        problems.append("the training loss does not fall")
    measured = numbers.get("validation", training)
    if below is not None and measured.size and measured.min() > below:
        problems.append("the lowest loss is too high" + (f": at most {below:g} is asked" if show else ""))
    return problems


def _summary(numbers: dict[str, np.ndarray]) -> str:
    training = numbers["training"]
    if not all(map(len, numbers.values())):
        return "no epochs"
    texts = [f"{len(training)} epochs", f"training loss {training[0]:.4g} → {training[-1]:.4g}"]
    if (valid := numbers.get("validation")) is not None:
        lowest = f"lowest {valid.min():.4g} after epoch {int(valid.argmin()) + 1}"
        texts.append(f"validation loss {valid[0]:.4g} → {valid[-1]:.4g}, {lowest}")
    return "; ".join(texts)
