"""How a check reports: recorded in the examiner, raised in a student's own notebook."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autograder.errors import CourseError
from autograder.records import CheckResult, Outcome
from autograder.text import printable


class Recording(list[CheckResult]):
    """The results of one test cell, in order, and what else decides its points."""

    def __init__(self, earned: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.earned = earned or {}
        """Of the test cells before this one: grade_id → the share of the points."""
        self.unmet: list[str] = []
        """Why the cell earns nothing, whatever its checks say."""


_recorder: ContextVar[Recording | None] = ContextVar("autograder_check_recorder", default=None)


class Report(CheckResult):
    """A :class:`CheckResult` that reads well as the last line of a notebook cell, and is true where it is passed."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self.outcome is Outcome.PASSED

    def __repr__(self) -> str:
        mark = {Outcome.PASSED: "✓", Outcome.PARTIAL: "◐"}.get(self.outcome, "✗")
        return printable(f"{mark} {self.name}: {self.message}", sys.stdout)


@contextmanager
def recording(earned: Mapping[str, float] | None = None) -> Iterator[Recording]:
    """Collects the results of all checks made inside; a failed one does not raise there.

    Args:
        earned: what the test cells before this one gave, for :func:`autograder.check.requires`.

    Yields:
        The list that grows with each check, in order.
    """
    results = Recording(earned)
    token = _recorder.set(results)
    try:
        yield results
    finally:
        _recorder.reset(token)


def current() -> Recording | None:
    """Where results are recorded; None in a student's notebook."""
    return _recorder.get()


def report(
    name: str,
    fraction: float,
    message: str,
    *,
    weight: float = 1.0,
    detail: str = "",
    evidence: Mapping[str, Any] | None = None,
) -> CheckResult:
    """A check of your own: states the share of its credit that was earned.

    Args:
        name: what was checked, in the student's words.
        fraction: 0 to 1; not a number counts as 0.
        message: for the student.
        weight: the check's share among the checks of its cell; 0 for one that others depend on and that earns nothing.
        detail: for the examiner alone.
        evidence: numbers that reports plot.

    Raises:
        AssertionError: it failed, and nothing records.
        CourseError: the weight is no number from 0.

    >>> check.report("words", 0.5, "5 of 10 words are found")
    ◐ words: 5 of 10 words are found
    """
    if type(weight) not in (int, float) or not 0 <= weight < math.inf:
        raise CourseError(f"check {name!r}: weight is {weight!r}; give a number that is not negative.")
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
    """The points that recorded checks are worth: points × Σ weight·fraction / Σ weight, and on top what bonuses earned.

    Args:
        results: what :func:`recording` collected.
        points: the cell's points.

    Raises:
        CourseError: there are no results, or only such of weight 0, so that there is nothing to share the points by.
    """
    collected = list(results)
    if not collected:
        raise CourseError("A score needs at least one check; the test made none.")
    return points * share(collected) + bonus_points(collected)


def share(results: Iterable[CheckResult]) -> float:
    """The share of a cell's points, 0 to 1, that recorded checks earn; 1 where they are bonuses all.

    Raises:
        CourseError: all their weights are 0.
    """
    counted = [result for result in results if not result.bonus]
    total = sum(result.weight for result in counted)
    if counted and not total:
        raise CourseError("A score needs a check that counts; the weights are all 0.")
    return sum(result.weight * result.fraction for result in counted) / total if counted else 1.0


def bonus_points(results: Iterable[CheckResult]) -> float:
    """The points that bonuses earned beyond the cell's own."""
    return sum(result.bonus * result.fraction for result in results)
