"""Standing of a student: own dates, attempts and late days for each assignment, and what was handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext, ngettext

from autograder._util.yaml_record import aware
from autograder.extensions.serve import jobs
from autograder.extensions.serve.models import Job, JobState
from autograder.extensions.serve.pages import feedback_path
from autograder.records.course import Assignment, Course
from autograder.records.dates import Dates
from autograder.results.report import status_words
from autograder.submissions.hand_ins import HandIns
from autograder.term.attempts import Attempt, within_limits
from autograder.term.student_dates import deadline


@dataclass(frozen=True)
class Standing:
    """One assignment as a student stands in it."""

    assignment: Assignment
    dates: Dates
    attempts: str
    """Sentence on the attempts that are left; empty if there is no limit."""
    job: Job | None
    """The newest hand-in at the door."""
    handed_in: datetime | None
    """When the submission that counts was handed in, however it came."""
    has_feedback: bool

    @property
    def due(self) -> datetime | None:
        """Due date of the student, with the late days that were taken."""
        return deadline(self.dates)

    @property
    def late(self) -> str:
        """How late the submission that counts is, ``3 h 20 min``; empty if it is not, or there is none."""
        return status_words.late_by(self.handed_in, self.due)

    @property
    def lateness(self) -> str:
        """What a hand-in would be now: empty in time, else ``late`` or ``closed``."""
        now = datetime.now(UTC)
        if self.dates.close is not None and now > self.dates.close:
            return "closed"
        return "late" if self.due is not None and now > self.due else ""


@dataclass(frozen=True)
class StudentStanding:
    """All assignments of a student that are open to see."""

    standings: tuple[Standing, ...]
    late_days: str
    """Late days that are left; empty in a course without them."""


def standing_of(course: Course, student: str) -> StudentStanding:
    """Read a student's standing from the course as it is on disk."""
    hand_ins = HandIns(course)
    dates = hand_ins.all_dates(student)
    standings = tuple(_standing(course, hand_ins, student, each, dates[each.name]) for each in released(course))
    budget = course.late_days.budget + hand_ins.term.person(student).extra_late_days
    days_left = budget - sum(each.late_days for each in dates.values())
    return StudentStanding(standings, _late_days(days_left) if budget else "")


def late_at(course: Course, student: str, assignment: Assignment, moment: datetime) -> str:
    """Return by how much a hand-in of a moment is late, ``3 h 20 min``; empty if it is not."""
    if assignment.due is None:
        return ""
    return status_words.late_by(moment, deadline(HandIns(course).dates(student, assignment.name)))


def released(course: Course) -> list[Assignment]:
    """List the assignments that students may have."""
    return [each for each in course.assignments.values() if is_released(course, each)]


def is_released(course: Course, assignment: Assignment) -> bool:
    """Tell whether students may have an assignment: its release is made, and the release's date is over."""
    is_due = assignment.release is None or aware(assignment.release) <= datetime.now(UTC)
    return is_due and is_made(course, assignment)


def is_made(course: Course, assignment: Assignment) -> bool:
    """Tell whether a release is on the disk; without one, no hand-in could be compared with it."""
    try:
        return any(course.release(assignment.name).iterdir())
    except OSError:
        return False


def _standing(course: Course, hand_ins: HandIns, student: str, assignment: Assignment, dates: Dates) -> Standing:
    attempt = hand_ins.chosen(student, assignment.name)
    return Standing(
        assignment,
        dates,
        _attempts(hand_ins, student, assignment),
        jobs.of_assignment(assignment.name, student).first(),
        attempt.time if attempt is not None else None,
        feedback_path(course, student, assignment.name) is not None,
    )


def _attempts(hand_ins: HandIns, student: str, assignment: Assignment) -> str:
    """Say how many attempts are left, with those counted that wait in line."""
    rule = assignment.attempts
    if rule.total is None and rule.daily is None:
        return ""
    now = datetime.now(UTC)
    zone = hand_ins.zone(assignment)
    waiting = jobs.of_assignment(assignment.name, student).filter(state=JobState.WAITING)
    attempts = hand_ins.attempts(student, assignment.name)
    attempts += [Attempt(student, hand_ins.course.root, job.received) for job in waiting]
    counted, _ = within_limits(attempts, rule, zone)
    today = [a for a in counted if a.time is not None and a.time.astimezone(zone).date() == now.astimezone(zone).date()]
    parts = []
    if rule.total is not None:
        parts.append(_remaining(gettext("%(left)s of %(total)s attempts left"), rule.total, counted))
    if rule.daily is not None:
        parts.append(_remaining(gettext("%(left)s of %(total)s left today"), rule.daily, today))
    return ", ".join(parts)


def _remaining(text: str, total: int, counted: Sequence[Attempt]) -> str:
    return text % {"left": max(0, total - len(counted)), "total": total}


def _late_days(count: float) -> str:
    text = f"{count:.2f}".rstrip("0").rstrip(".")
    words: str = ngettext("%(count)s late day", "%(count)s late days", 1 if text == "1" else 2)
    return words % {"count": text}
