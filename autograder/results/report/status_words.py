"""Words for statuses, outcomes and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from autograder._util.time_zones import in_words
from autograder.records.checks import Outcome
from autograder.records.course import Assignment
from autograder.records.grade import Grade
from autograder.records.run import RunStatus
from autograder.records.waits import Waits
from autograder.term.student_dates import deadline

OUTCOMES = {
    Outcome.PASSED: ("✓", "passed"),
    Outcome.PARTIAL: ("◐", "partly"),
    Outcome.FAILED: ("✕", "not passed"),
    Outcome.SKIPPED: ("–", "skipped"),
    Outcome.MANUAL: ("…", "for a person"),
    Outcome.BROKEN: ("!", "test broken"),
}
"""Outcome → sign and word: many readers cannot tell colors apart."""
WAITS: Mapping[Waits | None, str] = {
    Waits.WRITTEN: "grade by hand",
    Waits.BROKEN: "test broken",
    Waits.UNREAD: "answer not read",
    Waits.UNDECIDED: "test cannot tell",
    Waits.SLOW: "slow calls",
    Waits.MARKS_LOST: "marks of cells lost",
    Waits.SEVERAL_FILES: "several files of one name",
    Waits.STRANGE: "another assignment's",
    Waits.CUT_SHORT: "stopped early",
    Waits.MISSED: "solution loses points, too",
    Waits.GRADED_ANEW: "graded anew",
}
"""Why a question waits for a person → words for staff."""

_STATUSES: Mapping[str, tuple[str, str]] = {
    RunStatus.COMPLETED: ("passed", "Ran to the end"),
    RunStatus.CELL_ERROR: ("partial", "Ran with errors"),
    RunStatus.TIMED_OUT: ("failed", "Out of time"),
    RunStatus.OUT_OF_MEMORY: ("failed", "Out of memory"),
    RunStatus.OUT_OF_CPU: ("failed", "Out of processor time"),
    RunStatus.OUT_OF_PROCESSES: ("failed", "Too many processes"),
    RunStatus.OUT_OF_DISK: ("failed", "Out of disk"),
    RunStatus.TOO_MUCH_OUTPUT: ("failed", "Too much output"),
    RunStatus.KILLED: ("failed", "Stopped"),
    "invalid": ("broken", "Not a notebook"),
    "missing": ("broken", "Missing"),
}

NOT_GRADED = frozenset({"invalid", "missing"})
"""Statuses that say nothing about the student's work: left out of median and mean."""


def status_title(status: str) -> tuple[str, str]:
    """Return (color name, short title) of a status; the notebook's own message says more."""
    return _STATUSES.get(status, ("broken", status))


def graded(grade: Grade) -> bool:
    """Tell whether a part of the submission ran."""
    return grade.status not in NOT_GRADED


def points(value: float) -> str:
    """Format points with at most two decimals, without trailing zeros: 4, 3.2, 12.25."""
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def percent(part: float, whole: float) -> float:
    """Return 100 · part / whole, between 0 and 100; 0 if the whole is 0."""
    return min(100.0, max(0.0, 100.0 * part / whole)) if whole > 0 else 0.0


def moment(when: datetime | None, zone: tzinfo | None = None) -> str:
    """Format a moment: 2 March 2026, 18:00 UTC; in a zone, if it has one of its own."""
    if when is None:
        return ""
    return in_words(when.astimezone(zone) if zone is not None and when.tzinfo else when)


def lateness(submitted: datetime | None, due: datetime | None) -> str:
    """Format the lateness: ``3 h 20 min late``; empty if in time, or if a date is unknown."""
    time = late_by(submitted, due)
    return f"{time} late" if time else ""


def late_by(submitted: datetime | None, due: datetime | None) -> str:
    """Format the time by which a submission is late: ``3 h 20 min``; empty as for :func:`lateness`."""
    if submitted is None or due is None or (submitted.tzinfo is None) != (due.tzinfo is None):
        return ""
    return duration(submitted - due) if submitted > due else ""


def due_date(grade: Grade, assignment: Assignment) -> datetime | None:
    """Return the student's own due date, late days included."""
    return assignment.due if grade.dates is None else deadline(grade.dates)


def reckoning(submitted: datetime | None, assignment: Assignment, *, by_hand: bool = False) -> str:
    """Say what a late penalty was reckoned from: the two times and the rule; empty if a time is unknown.

    Points that a person gave (``by_hand``) have no part in it.
    """
    late, due = assignment.late, assignment.due
    if submitted is None or due is None or late.kind == "none":
        return ""
    rule = {
        "zero": "late work counts 0",
        "per_day": f"{100 * late.per_day:g} % of the points for each day begun",
        "plugin": "by your course's own rule",
    }.get(late.kind, late.kind)
    grace = f", {late.grace_hours:g} h of grace" if late.grace_hours else ""
    without = "; points that a person gave do not count for it" if by_hand and late.kind == "per_day" else ""
    return f"handed in {moment(submitted, due.tzinfo)}, due {moment(due)}{grace}: {rule}{without}"


def duration(span: timedelta) -> str:
    """Format the two largest units: 2 d 3 h, 3 h 20 min, 4 min, under a minute."""
    minutes = int(span.total_seconds() // 60)
    days, hours, minutes_left = minutes // 1440, minutes % 1440 // 60, minutes % 60
    units = [(days, "d"), (hours, "h"), (minutes_left, "min")]
    parts = [f"{count} {unit}" for count, unit in units if count]
    return " ".join(parts[:2]) or "under a minute"
