"""Loss and accuracy on data that the examiner owns, computed here and not by the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.check import metrics
from autograder.check.credit import Credit, credit_of
from autograder.check.prediction import NoPrediction, predictions, row_count
from autograder.check.results import report
from autograder.check.subject import NOT_BUILT, built, not_a_model
from autograder.errors import CourseError
from autograder.records import CheckResult


def loss(
    model: Any,
    on: tuple[Any, Any],
    below: float | None = None,
    credit: Sequence[tuple[float, float]] | None = None,
    loss: str = "categorical_crossentropy",
    *,
    show: bool = True,
    name: str = "loss",
    weight: float = 1.0,
) -> CheckResult:
    """Checks the loss of a model on data.

    Args:
        model: a built ``keras.Model`` with one output.
        on: ``(X, y)``: rows first; y one-hot (n, classes) or integers (n,), or numbers for a regression.
        below: full credit at this loss or less, else none.
        credit: instead of ``below``, points (loss, share): ``[(0.80, 0.0), (0.70, 0.5), (0.62, 1.0)]``.
        Between
            them the share is interpolated linearly; a loss above the largest earns nothing.
        loss: ``categorical_crossentropy``, ``sparse_categorical_crossentropy``, ``binary_crossentropy``,
            ``mean_squared_error`` (``mse``) or ``mean_absolute_error`` (``mae``).
        show: False keeps the thresholds out of the student's message.

    Returns:
        A result with the evidence ``loss``, ``rows`` and ``parameters``.

    Raises:
        CourseError: the arguments do not fit together.
    """
    wanted = credit_of("check.loss", below, credit, higher_is_better=False)
    measure = metrics.LOSSES.get(loss)
    if measure is None:
        raise CourseError(f"check.loss: loss is {loss!r}; it may be {', '.join(metrics.LOSSES)}.")
    return _measured(model, on, "loss", measure, wanted, show=show, name=name, weight=weight)


def accuracy(
    model: Any,
    on: tuple[Any, Any],
    above: float | None = None,
    credit: Sequence[tuple[float, float]] | None = None,
    *,
    probabilities: bool = True,
    show: bool = True,
    name: str = "accuracy",
    weight: float = 1.0,
) -> CheckResult:
    """Checks the share of rows whose most probable class is the right one.

    Args:
        model, on, show: as in :func:`loss`.
        above: full credit at this accuracy or more, else none.
        credit: instead of ``above``, points (accuracy, share): ``[(0.6, 0.0), (0.7, 0.5), (0.75, 1.0)]``.
        probabilities: the outputs must be probabilities; False accepts any scores (logits).

    Raises:
        CourseError: the arguments do not fit together.
    """
    wanted = credit_of("check.accuracy", above, credit, higher_is_better=True)
    measure = metrics.accuracy if probabilities else metrics.accuracy_of_scores
    return _measured(model, on, "accuracy", measure, wanted, show=show, name=name, weight=weight)


def _measured(
    model: Any,
    on: Any,
    label: str,
    measure: Callable[[np.ndarray, np.ndarray], float],
    wanted: Credit,
    *,
    show: bool,
    name: str,
    weight: float,
) -> CheckResult:
    inputs, labels = _data(label, on)
    problem = not_a_model(model) or (None if built(model) else NOT_BUILT)
    if problem:
        return report(name, 0.0, problem, weight=weight)
    try:
        outputs = predictions(model, inputs)
        value = measure(outputs, labels)
    except (NoPrediction, metrics.BadOutput) as error:
        return report(name, 0.0, str(error), weight=weight)
    share = wanted.share(value)
    count = sum(math.prod(variable.shape) for variable in model.weights)
    found = f"{label} {value:.4f} on {len(labels):,} rows"
    detail = f"{found}; {wanted}"
    message = detail if show else found
    if 0 < share < 1:
        message += f"; {share:.0%} of the credit"
    evidence = {label: value, "rows": len(labels), "parameters": int(count)}
    return report(name, share, message, weight=weight, detail=detail, evidence=evidence)


def _data(label: str, on: Any) -> tuple[Any, np.ndarray]:
    if not isinstance(on, tuple | list) or len(on) != 2:
        raise CourseError(f"check.{label}: on is (X, y).")
    inputs, labels = on
    if inputs is None or labels is None:
        raise CourseError(f"check.{label}: X or y is missing.")
    target = np.asarray(labels)
    if target.dtype.kind not in "biuf" or not np.isfinite(target).all():
        raise CourseError(f"check.{label}: y must be finite numbers, not {target.dtype}.")
    try:
        rows = row_count(inputs)
    except TypeError:
        raise CourseError(f"check.{label}: X must be an array, or a list or dict of arrays.") from None
    if target.ndim == 0 or rows != len(target) or rows == 0:
        raise CourseError(f"check.{label}: X has {rows} rows and y has shape {target.shape}.")
    return inputs, target
