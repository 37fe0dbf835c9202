"""Checks of one's own about what a model predicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.check.properties import demanded_of
from autograder.check.results import report
from autograder.extensions.networks.holdout import output_problem
from autograder.extensions.networks.metrics import BadOutput
from autograder.extensions.networks.mistaken import hidden_bits
from autograder.extensions.networks.prediction import NoPrediction, predict
from autograder.extensions.networks.reading import as_examined
from autograder.extensions.networks.subject import no_predictions, prediction_place, reading_of
from autograder.extensions.networks.unreadable import report_for_a_person
from autograder.records.checks import CheckResult

Judge = Callable[[np.ndarray], tuple[float, str]]
"""``judge(outputs)`` turns outputs (n, ...), float64 and rows first, into the share of the points and a message."""
_DIGITS = 4
"""Decimal digits for which one number counts of what pages tell."""


def report_outputs(
    model: Any, rows: Any, judge: Judge, *, labels: Any = None, part: int | None = None, name: str, weight: float = 1.0
) -> CheckResult:
    """Report what a function says of a model's outputs, whatever library the model is of.

    The examiner predicts with a model that it holds, and asks the student's process otherwise. Rows come to the model
    in an order of the examiner's, and some of them twice. A model gains nothing by counting rows or calls. What is no
    model, has no weights yet, or does not take the rows fails with its sentence. Properties that the test demands of
    the model hold here, too. The digits of the message count for what an assignment's pages may tell of hidden labels.

    Args:
        model: the object of the check, as the test has it.
        rows: the inputs, rows first: an array, or a list, tuple or dict of arrays.
        judge: computes the share and the message. A :class:`BadOutput` that it raises fails the check with its text.
        labels: those of the rows, for an estimator that does not know all classes. The model never gets them.
        part: the number of the output, from 0, for a model that returns several.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Raises:
        CourseError: as the checks of models raise it, for rows that are none.
    """
    demanded, model = demanded_of(model), as_examined(model, rows=rows)
    if problem := no_predictions(model):
        return report(name, 0.0, problem, weight=weight)
    try:
        prediction = predict(model, rows, None if labels is None else np.asarray(labels), part=part)
        share, message = judge(prediction.outputs)
        shortcoming = next(filter(None, (lacks(model, rows, part, prediction) for lacks in demanded)), None)
    except (NoPrediction, BadOutput) as error:
        return report(name, 0.0, output_problem(model, error), weight=weight, detail=str(error))
    if shortcoming is not None and not shortcoming.for_a_person:
        return report(name, 0.0, shortcoming.message, weight=weight, detail=shortcoming.detail)
    if shortcoming is not None and share:
        return report_for_a_person(name, shortcoming.message, weight, detail=shortcoming.detail)
    remarks = ", ".join(filter(None, [message, prediction_place(model), reading_of(model), prediction.remark]))
    bits = hidden_bits(1 + sum(map(str.isdigit, message)) // _DIGITS)
    return report(name, share, remarks, weight=weight, evidence=bits)
