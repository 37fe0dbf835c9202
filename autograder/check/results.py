"""Reporting of checks: recorded in the examiner, raised in a student's own notebook."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autograder._util.text import printable
from autograder.errors import CourseError
from autograder.records.checks import CheckResult, Outcome
from autograder.records.waits import Waits


class CheckRecorder(list[CheckResult]):
    """The results of one test cell in order, with everything else that decides its points."""

    def __init__(self, earned: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.earned = earned or {}
        """Earlier test cells: grade_id → the share of their points."""
        self.unmet: list[str] = []
        """Reasons why the cell earns nothing, whatever its checks find."""


_recorder: ContextVar[CheckRecorder | None] = ContextVar("autograder_check_recorder", default=None)


class Report(CheckResult):
    """A :class:`CheckResult` that reads well as the last line of a notebook cell; it is true if the check passed."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self.outcome is Outcome.PASSED

    def __repr__(self) -> str:
        mark = {Outcome.PASSED: "✓", Outcome.PARTIAL: "◐"}.get(self.outcome, "✗")
        return printable(f"{mark} {self.name}: {self.message}", sys.stdout)


@contextmanager
def recording(earned: Mapping[str, float] | None = None) -> Iterator[CheckRecorder]:
    """Collect the results of all checks made inside the block, where a failed check does not raise.

    Args:
        earned: the shares that earlier test cells earned, for :func:`autograder.check.requires`.

    Yields:
        The list that grows with each check, in order.

    >>> with check.recording() as results:
    ...     _ = check.close(1.0, 2.0)
    >>> results[0].message
    'the value is not right'
    """
    results = CheckRecorder(earned)
    token = _recorder.set(results)
    try:
        yield results
    finally:
        _recorder.reset(token)


def current() -> CheckRecorder | None:
    """Return where results are recorded; None in a student's notebook."""
    return _recorder.get()


def report(
    name: str,
    fraction: float,
    message: str,
    *,
    weight: float = 1.0,
    detail: str = "",
    evidence: Mapping[str, Any] | None = None,
    undecided: bool = False,
) -> CheckResult:
    """Report a check of your own by the share of its credit that was earned.

    Args:
        name: what was checked, in the student's words.
        fraction: 0 to 1; NaN counts as 0.
        message: for the student.
        weight: the check's share among the checks of its cell; 0 for a check that earns nothing itself but that others
            depend on.
        detail: for the instructor only; by default the message.
        evidence: numbers that reports plot.
        undecided: whether the test cannot tell: without full credit, the question then waits for a person.

    Returns:
        The result; it is true if the check passed.

    Raises:
        AssertionError: the check failed, and no examiner records it.
        CourseError: the weight is negative or not a number.

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
        "waits": Waits.UNDECIDED if undecided else None,
    }
    recorder = _recorder.get()
    if recorder is not None:
        recorder.append(CheckResult(**fields))
    elif outcome is Outcome.FAILED:
        raise AssertionError(f"{name}: {message}")
    return Report(**fields)


def in_examiner() -> bool:
    """Return whether checks are recorded, as in the examiner, rather than raised, as in a notebook."""
    return _recorder.get() is not None


def score(results: Iterable[CheckResult], points: float) -> float:
    """Return the points that recorded checks earn: points × Σ weight·fraction / Σ weight, plus the bonus points.

    Args:
        results: what :func:`recording` collected.
        points: the cell's points.

    Returns:
        The points, bonuses included.

    Raises:
        CourseError: there are no results, or all have weight 0, so that there is nothing to share the points by.

    >>> with check.recording() as results:
    ...     _ = check.report("words", 0.5, "5 of 10 words are found")
    >>> check.score(results, points=4)
    2.0
    """
    collected = list(results)
    if not collected:
        raise CourseError("A score needs at least one check; the test made none.")
    return points * share(collected) + bonus_points(collected)


def share(results: Iterable[CheckResult]) -> float:
    """Return the share of a cell's points, 0 to 1, that recorded checks earn; 1 if all are bonuses.

    Raises:
        CourseError: all their weights are 0.
    """
    counted = [result for result in results if not result.bonus]
    total = sum(result.weight for result in counted)
    if counted and not total:
        raise CourseError("A score needs a check that counts; the weights are all 0.")
    return sum(result.weight * result.fraction for result in counted) / total if counted else 1.0


def bonus_points(results: Iterable[CheckResult]) -> float:
    """Return the points that bonuses earned beyond the cell's own."""
    return sum(result.bonus * result.fraction for result in results)
