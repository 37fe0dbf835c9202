"""Dates of a submission, and what moves them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

TIMESTAMP = "timestamp.txt"
"""Name of nbgrader's file with the time at which a submission was handed in."""
ORIGIN = ".origin"
"""Name of the file beside it that says of which commit a submission is; hidden files of students are not collected."""


@dataclass(frozen=True, slots=True)
class Extension:
    """Another date, or no duty at all, for some students and assignments: a line of extensions.csv."""

    student: str = ""
    """Empty: not of one student."""
    section: str = ""
    """Empty: not of one section."""
    assignment: str = ""
    """Empty: every assignment that has a due date."""
    due: datetime | None = None
    """The other due date."""
    days: float = 0.0
    """Days after the assignment's due date, if ``due`` is None."""
    excused: bool = False
    """The assignment does not count for them."""
    reason: str = ""
    """Words for people; the student reads them, too."""
    place: str = ""
    """File and line, for messages."""


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates that were applied to one submission."""

    due: datetime | None = None
    """With extensions, without late days; None: there is none."""
    close: datetime | None = None
    """Time after which nothing is accepted; None: there is none."""
    late_days: float = 0.0
    """Late days of the student's budget that it took."""
    excused: bool = False
    """The assignment does not count for the student."""
    closed: bool = False
    """Whether the hand-in came after ``close``, and so is worth nothing."""
    notes: tuple[str, ...] = ()
    """What was applied and why, for people; the student reads it, too."""
