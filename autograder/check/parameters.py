"""Counts a model's parameters."""

from __future__ import annotations

import math
from typing import Any

from autograder.check.results import report
from autograder.check.subject import NOT_BUILT, built, not_a_model
from autograder.errors import CourseError
from autograder.records import CheckResult

_KINDS = {"total": "weights", "trainable": "trainable_weights", "non_trainable": "non_trainable_weights"}


def parameters(
    model: Any,
    exactly: int | None = None,
    at_most: int | None = None,
    at_least: int | None = None,
    *,
    kind: str = "total",
    show: bool = True,
    name: str = "parameters",
    weight: float = 1.0,
) -> CheckResult:
    """Checks the number of parameters; an optimizer's state is not counted.

    Args:
        model: a ``keras.Model`` that has its weights.
        exactly, at_most, at_least: what is asked; at least one of them.
        kind: ``total``, ``trainable`` or ``non_trainable``.
        show: False keeps the limits out of the student's message.

    Raises:
        CourseError: nothing is asked, or not in whole numbers.
    """
    limits = {"exactly": exactly, "at most": at_most, "at least": at_least}
    asked = {word: limit for word, limit in limits.items() if limit is not None}
    if not asked or any(type(limit) is not int or limit < 0 for limit in asked.values()):
        raise CourseError("check.parameters: give exactly=, at_most= or at_least= as whole numbers.")
    if kind not in _KINDS:
        raise CourseError(f"check.parameters: kind is {kind!r}; it may be {', '.join(_KINDS)}.")
    problem = not_a_model(model) or (None if built(model) else NOT_BUILT)
    if problem:
        return report(name, 0.0, problem, weight=weight)
    count = sum(math.prod(variable.shape) for variable in getattr(model, _KINDS[kind]))
    fits = (
        (exactly is None or count == exactly)
        and (at_most is None or count <= at_most)
        and (at_least is None or count >= at_least)
    )
    label = "parameters" if kind == "total" else f"{kind.replace('_', '-')} parameters"
    wanted = " and ".join(f"{word} {limit:,}" for word, limit in asked.items())
    message = f"{count:,} {label}"
    detail = f"{message}, {wanted} asked"
    if show or fits:
        message = detail if show else message
    else:
        message += ", which is not what is asked"
    return report(name, float(fits), message, weight=weight, detail=detail, evidence={"parameters": int(count)})
