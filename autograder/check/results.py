"""How a check reports: recorded in the examiner, raised in a student's own notebook."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autograder.errors import CourseError
from autograder.records import CheckResult, Outcome

_recorder: ContextVar[list[CheckResult] | None] = ContextVar("autograder_check_recorder", default=None)


class Report(CheckResult):
    """A :class:`CheckResult` that reads well as the last line of a notebook cell."""

    __slots__ = ()

    def __repr__(self) -> str:
        mark = {Outcome.PASSED: "✓", Outcome.PARTIAL: "◐"}.get(self.outcome, "✗")
        return f"{mark} {self.name}: {self.message}"


@contextmanager
def recording() -> Iterator[list[CheckResult]]:
    """Collects the results of all checks made inside; a failed one does not raise there.

    Yields:
        The list that grows with each check, in order.
    """
    results: list[CheckResult] = []
    token = _recorder.set(results)
    try:
        yield results
    finally:
        _recorder.reset(token)


def report(
    name: str,
    fraction: float,
    message: str,
    *,
    weight: float = 1.0,
    detail: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> CheckResult:
    """Ends a check with the share of its credit that was earned.

    Args:
        name: what was checked, in the student's words.
        fraction: 0 to 1; not a number counts as 0.
        message: for the student.
        weight: the check's share among the checks of its cell, > 0.
        detail: for the examiner alone.
        evidence: numbers that reports plot.

    Raises:
        AssertionError: it failed, and nothing records.
        CourseError: the weight is not a positive number.
    """
    if type(weight) not in (int, float) or not 0 < weight < math.inf:
        raise CourseError(f"check {name!r}: weight is {weight!r}; give a number greater than 0.")
    fraction = min(max(float(fraction), 0.0), 1.0) if fraction == fraction else 0.0
    outcome = Outcome.PASSED if fraction == 1 else Outcome.PARTIAL if fraction > 0 else Outcome.FAILED
    fields: dict[str, Any] = {
        "name": name,
        "outcome": outcome,
        "fraction": fraction,
        "message": message,
        "detail": detail or message,
        "weight": float(weight),
        "evidence": dict(evidence or {}),
    }
    recorder = _recorder.get()
    if recorder is not None:
        recorder.append(CheckResult(**fields))
    elif outcome is Outcome.FAILED:
        raise AssertionError(f"{name}: {message}")
    return Report(**fields)


def in_examiner() -> bool:
    """Whether checks are recorded: this is the examiner, and no notebook."""
    return _recorder.get() is not None


def score(results: Iterable[CheckResult], points: float) -> float:
    """The points that recorded checks are worth: points × Σ weight·fraction / Σ weight.

    Args:
        results: what :func:`recording` collected.
        points: the cell's points.

    Raises:
        CourseError: there are no results, so that there is nothing to share the points by.
    """
    collected = list(results)
    total = sum(result.weight for result in collected)
    if total <= 0:
        raise CourseError("A score needs at least one check; the test made none.")
    return points * sum(result.weight * result.fraction for result in collected) / total
