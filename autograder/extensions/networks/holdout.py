"""Checks of loss and accuracy on data that the examiner owns; the examiner computes them, the model does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder._util.text import credit_percent
from autograder.check.asking import asking_question, examines_solution, note_loss
from autograder.check.credit import Credit, credit_of
from autograder.check.properties import demanded_of, registered_property
from autograder.check.results import report
from autograder.check.verdict import Verdict, judge, known_close_calls
from autograder.errors import CourseError
from autograder.extensions.networks import metrics
from autograder.extensions.networks.mistaken import CHANCES, LOGITS, VALUES, hidden_bits, note_mistakes
from autograder.extensions.networks.prediction import NoPrediction, predict, row_count
from autograder.extensions.networks.reading import as_examined
from autograder.extensions.networks.subject import (
    may_show,
    may_tell_of,
    no_predictions,
    parameter_count,
    prediction_place,
    reading_of,
)
from autograder.extensions.networks.unreadable import report_for_a_person
from autograder.records.checks import ASKS_PROBABILITIES, CONSTANT, CheckResult


def loss(
    model: Any,
    on: tuple[Any, Any],
    below: float | None = None,
    credit: Sequence[tuple[float, float]] | None = None,
    loss: str = "categorical_crossentropy",
    *,
    from_logits: bool = False,
    part: int | None = None,
    causal: bool | int = False,
    close_calls: str = "student",
    show: bool = True,
    mistakes: bool = False,
    name: str = "loss",
    weight: float = 1.0,
) -> CheckResult:
    """Check the loss of a model on data.

    Args:
        model: a built ``keras.Model`` with one output, or another model that predicts.
        on: ``(X, y)``, rows first; y is one-hot (n, classes), integers (n,), or numbers for a regression. For classes
            at each position, outputs are (n, positions, classes) and y is (n, positions). For several inputs, X is a
            list, a tuple, or a dict by the inputs' names.
        below: full credit at this loss or less, otherwise none.
        credit: instead of ``below``, points (loss, share): ``[(0.80, 0.0), (0.70, 0.5), (0.62, 1.0)]``. Between the
            points the share is interpolated linearly; a loss above the largest earns nothing.
        loss: ``categorical_crossentropy``, ``sparse_categorical_crossentropy``, ``binary_crossentropy``,
            ``mean_squared_error`` (``mse``) or ``mean_absolute_error`` (``mae``).
        from_logits: True if the model returns scores (logits); softmax or sigmoid is then applied here.
        part: the number of the output, from 0, for a model that returns several, such as ``logits, loss``.
        causal: True earns credit only if no output depends on later positions. The examiner exchanges what comes later
            in the very batches that give the loss. For rows (n, ., .), the axis of the positions, as in
            :func:`check.causal`.
        close_calls: with ``student``, a loss that misses the threshold by less than the noise of the rows meets it;
            with ``exact``, the loss counts as it is. See docs/explanation/verdicts.md.
        show: False keeps the thresholds out of the student's message, and what the model gets wrong off the page.
        mistakes: True shows what the model gets wrong on hidden rows, too, in counts rounded to 5, of 50 rows or more.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        A result with the evidence ``loss``, ``standard_error``, ``rows`` and ``parameters``.

    Raises:
        CourseError: the arguments do not fit together.

    >>> check.loss(model, on=(X, y), below=0.62)  # doctest: +SKIP
    ✓ loss: loss 0.5874 on 2,000 rows; full credit at 0.62 or less
    """
    wanted = credit_of("check.loss", below, credit, higher_is_better=False)
    measure = metrics.loss_named("check.loss", loss, from_logits=from_logits)
    known_close_calls("check.loss", close_calls)
    kind = (LOGITS if from_logits else CHANCES) if metrics.is_crossentropy(loss) else VALUES
    return _check_measure(
        model,
        on,
        "loss",
        measure,
        wanted,
        close_calls,
        part,
        kind,
        causal,
        mistakes,
        loss=loss,
        show=show,
        name=name,
        weight=weight,
    )


def accuracy(
    model: Any,
    on: tuple[Any, Any],
    above: float | None = None,
    credit: Sequence[tuple[float, float]] | None = None,
    *,
    probabilities: bool = False,
    part: int | None = None,
    causal: bool | int = False,
    close_calls: str = "student",
    show: bool = True,
    mistakes: bool = False,
    name: str = "accuracy",
    weight: float = 1.0,
) -> CheckResult:
    """Check the share of rows for which the output of the right class is the largest.

    Args:
        model: as in :func:`loss`.
        on: as in :func:`loss`.
        above: full credit at this accuracy or more, otherwise none.
        credit: instead of ``above``, points (accuracy, share): ``[(0.6, 0.0), (0.7, 0.5), (0.75, 1.0)]``.
        probabilities: False ranks the outputs, probabilities or scores (logits); True requires probabilities.
        part: as in :func:`loss`.
        causal: as in :func:`loss`.
        close_calls: as in :func:`loss`.
        show: as in :func:`loss`.
        mistakes: as in :func:`loss`.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        A result with the evidence ``accuracy``, ``standard_error``, ``rows`` and ``parameters``.

    Raises:
        CourseError: the arguments do not fit together.

    >>> check.accuracy(model, on=(X, y), above=0.75)  # doctest: +SKIP
    ✓ accuracy: accuracy 0.7710 on 2,000 rows; full credit at 0.75 or more
    """
    wanted = credit_of("check.accuracy", above, credit, higher_is_better=True)
    measure = metrics.accuracy_of_probabilities if probabilities else metrics.accuracy
    known_close_calls("check.accuracy", close_calls)
    return _check_measure(
        model,
        on,
        "accuracy",
        measure,
        wanted,
        close_calls,
        part,
        CHANCES,
        causal,
        mistakes,
        show=show,
        name=name,
        weight=weight,
    )


def _check_measure(
    model: Any,
    on: Any,
    label: str,
    measure: metrics.Measure,
    wanted: Credit,
    close_calls: str,
    part: int | None,
    kind: str,
    causal: bool | int,
    mistakes: bool,
    *,
    loss: str = "",
    show: bool,
    name: str,
    weight: float,
) -> CheckResult:
    inputs, labels = rows_of(f"check.{label}", "on", on)
    demanded = [*demanded_of(model), *([registered_property("causal", causal)] if causal is not False else [])]
    model = as_examined(model, rows=inputs)
    problem = no_predictions(model)
    if problem:
        return report(name, 0.0, problem, weight=weight)
    try:
        prediction = predict(model, inputs, labels, decided=label == "accuracy", part=part)
        rows = measure(prediction.outputs, labels)
        shortcoming = next(filter(None, (lacks(model, inputs, part, prediction) for lacks in demanded)), None)
    except (NoPrediction, metrics.BadOutput) as error:
        return report(name, 0.0, output_problem(model, error), weight=weight, detail=str(error))
    if shortcoming is not None and not shortcoming.for_a_person:
        return report(name, 0.0, shortcoming.message, weight=weight, detail=shortcoming.detail)
    may_tell = may_tell_of(model)
    counts = 0
    if show and may_tell and metrics.has_class_of_row(measure, prediction.outputs):
        counts = note_mistakes(asking_question(), name, prediction.outputs, labels, kind, hidden_too=mistakes)
    value = float(rows.mean())
    if loss and show and may_tell and part is None:
        note_loss(model, loss, value)
    verdict = judge(rows, wanted, close_calls)
    if shortcoming is not None and verdict.share:
        return report_for_a_person(name, shortcoming.message, weight, detail=shortcoming.detail)
    how, count = prediction_place(model), parameter_count(model) if may_show(model) else None
    reading = reading_of(model)
    surprise = metrics.surprise(measure, prediction.outputs) if may_tell else ""
    value_text = f"{label} {value:.4f} on {len(rows):,} rows{surprise}"
    measured = ", ".join(filter(None, [value_text, how, reading, prediction.remark]))
    evidence = {label: value, "rows": len(rows), **({} if count is None else {"parameters": count})}
    evidence |= {"in_kernel": True} if how else {model.read_as: True} if reading else {}
    evidence |= hidden_bits(1, counts)
    evidence |= wanted.evidence | {"close_calls": wanted.cliff is not None and close_calls == "student"}
    evidence |= {ASKS_PROBABILITIES: True} if metrics.asks_probabilities(measure) else {}
    if examines_solution():
        alike = np.broadcast_to(prediction.outputs.mean(axis=0), prediction.outputs.shape)
        evidence |= {CONSTANT: float(measure(alike, labels).mean())}
    message, detail = messages(measured, wanted, verdict, show=show)
    undecided = False
    if measure is metrics.accuracy:
        best = judge(metrics.accuracy_at_best(prediction.outputs, labels), wanted, close_calls)
        if undecided := best.share > verdict.share:
            detail = f"{detail}; {_TWO_LIMITS}"
    evidence |= verdict.evidence
    return report(name, verdict.share, message, weight=weight, detail=detail, evidence=evidence, undecided=undecided)


_TWO_LIMITS = (
    "some outputs are outside 0 to 1, and whether class 1 begins at 0 or at 0.5 decides the points: see how the model "
    "was trained"
)


def output_problem(model: Any, error: Exception) -> str:
    """Return the message about outputs that cannot be measured.

    It contains no shape that the kernel reported after the last cell.
    """
    if isinstance(error, metrics.BadShape) and not may_show(model):
        return "The model's output does not have the expected shape."
    return str(error)


def messages(measured: str, wanted: Credit, verdict: Verdict, *, show: bool) -> tuple[str, str]:
    """Return the message for the student and the detail for the instructor about a measured value."""
    partly = f"{credit_percent(verdict.share)}% of the credit" if 0 < verdict.share < 1 else ""
    message = [measured, str(wanted) if show else "", verdict.note, partly]
    return "; ".join(filter(None, message)), "; ".join(filter(None, [measured, str(wanted), verdict.detail]))


def rows_of(check_name: str, argument: str, on: Any) -> tuple[Any, np.ndarray]:
    """Return the inputs and labels of an instructor's ``(X, y)``.

    Raises:
        CourseError: the argument is not such a pair, or X and y do not fit together.
    """
    if not isinstance(on, tuple | list) or len(on) != 2:
        raise CourseError(f"{check_name}: {argument} is (X, y).")
    inputs, labels = on
    if inputs is None or labels is None:
        raise CourseError(f"{check_name}: X or y is missing.")
    target = np.asarray(labels)
    if target.dtype.kind not in "biuf" or not np.isfinite(target).all():
        raise CourseError(f"{check_name}: y must be finite numbers, not {target.dtype}.")
    try:
        rows = row_count(inputs)
    except TypeError:
        raise CourseError(f"{check_name}: X must be an array, or a list or dict of arrays.") from None
    if target.ndim == 0 or rows != len(target) or rows == 0:
        raise CourseError(f"{check_name}: X has {rows} rows and y has shape {target.shape}.")
    return inputs, target
