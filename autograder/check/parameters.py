"""The check of a model's number of parameters."""

from __future__ import annotations

from typing import Any

from autograder.check.reading import as_examined
from autograder.check.results import report
from autograder.check.subject import (
    NOT_BUILT,
    ParameterCount,
    count_parameters,
    has_weights,
    may_show,
    not_a_model,
    refusal,
)
from autograder.check.unreadable import report_unreadable
from autograder.errors import CourseError
from autograder.records.checks import CheckResult

_KINDS = ("total", "trainable", "non_trainable")


def parameters(
    model: Any,
    exactly: int | None = None,
    at_most: int | None = None,
    at_least: int | None = None,
    *,
    kind: str = "total",
    show: bool | None = None,
    name: str = "parameters",
    weight: float = 1.0,
) -> CheckResult:
    """Check the number of parameters; the optimizer's state is not counted.

    Args:
        model: a ``keras.Model`` that has its weights, a PyTorch module, a fitted scikit-learn estimator, or a Keras
            model that could not be rebuilt. In the examiner, the count of all but the first is the one that the
            notebook reports.
        exactly: the expected number. At least one of the three limits is needed.
        at_most: the largest number that is accepted.
        at_least: the smallest number that is accepted.
        kind: ``total``, ``trainable`` or ``non_trainable``.
        show: False keeps the limits out of the student's message. True names the number also if the model was returned
            by a call of the test or stays in the notebook's kernel. By default the message about such a model says only
            whether it is right, because its code has seen the test's hidden inputs.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        A result with the evidence ``parameters``.

    Raises:
        CourseError: no limit is given, or one is not a whole number.

    >>> check.parameters(model, at_most=100_000)  # doctest: +SKIP
    ✓ parameters: 50,890 parameters, at most 100,000 asked
    """
    limits = {"exactly": exactly, "at most": at_most, "at least": at_least}
    asked = {word: limit for word, limit in limits.items() if limit is not None}
    if not asked or any(type(limit) is not int or limit < 0 for limit in asked.values()):
        raise CourseError("check.parameters: give exactly=, at_most= or at_least= as whole numbers.")
    if kind not in _KINDS:
        raise CourseError(f"check.parameters: kind is {kind!r}; it may be {', '.join(_KINDS)}.")
    model = as_examined(model, guess=True)
    problem = not_a_model(model) or (None if has_weights(model) else NOT_BUILT)
    found = None if problem else count_parameters(model)
    count = None if found is None else found.of(kind)
    if found is None or count is None:
        unread = refusal(model)
        if not problem and unread is not None:
            return report_unreadable(name, model, unread, weight)
        return report(name, 0.0, problem or NOT_COUNTED, weight=weight)
    fits = (
        (exactly is None or count == exactly)
        and (at_most is None or count <= at_most)
        and (at_least is None or count >= at_least)
    )
    wanted = " and ".join(f"{word} {limit:,}" for word, limit in asked.items())
    message = _count_text(count, kind, found)
    detail = f"{message}, {wanted} asked"
    if not may_show(model, show or None):
        message = "as many as asked" if fits else "not as many as asked"
        return report(name, float(fits), f"The {_label(kind)} are {message}.", weight=weight, detail=detail)
    if show is not False:
        message = detail
    elif not fits:
        message += ", which is not what is asked"
    evidence: dict[str, int | bool] = {"parameters": count} | ({"reported": True} if found.reported else {})
    if exactly is None and (limit := at_least if at_most is None else at_most) is not None:
        evidence |= {"threshold": limit, "higher_is_better": at_most is None}
    return report(name, float(fits), message, weight=weight, detail=detail, evidence=evidence)


NOT_COUNTED = "This model has nothing that could be counted as its parameters."


def _count_text(count: int, kind: str, found: ParameterCount) -> str:
    notes = [*([found.what] if found.what else []), *(["as the notebook reports"] if found.reported else [])]
    return f"{count:,} {_label(kind)}" + (f" ({', '.join(notes)})" if notes else "")


def _label(kind: str) -> str:
    return "parameters" if kind == "total" else f"{kind.replace('_', '-')} parameters"
