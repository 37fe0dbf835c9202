"""Attempts of a student or a team: what each answers, which counts and why, and the choice of another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder._util.text import one_line
from autograder._util.time_zones import in_words, placed
from autograder._util.yaml_record import aware
from autograder.errors import UsageError
from autograder.extensions.serve import state_folder
from autograder.records.course import Course
from autograder.submissions.choices import Choice, add_choice
from autograder.submissions.collection import answered_in
from autograder.submissions.hand_ins import HandIns, attempt_name
from autograder.term.attempts import Attempt

_RULES = {"last": "the last", "last_before_due": "the last in time, else the first one late", "best": "the best"}


@dataclass(frozen=True, slots=True)
class ListedAttempt:
    """One attempt, for people."""

    name: str
    attempt: Attempt
    answers: str
    """``4 of 6 answered``; empty: that cannot be counted."""
    counts: bool
    why: str
    """Why it counts, or cannot; empty: another one counts by the rule."""


def listed(hand_ins: HandIns, student: str, assignment: str) -> Iterator[ListedAttempt]:
    """Yield all attempts of a student's team, in order."""
    course, settings = hand_ins.course, hand_ins.course.assignments[assignment]
    choice, chosen = hand_ins.choice(student, assignment), hand_ins.chosen(student, assignment)
    allowed, beyond = hand_ins.allowed(student, settings)
    for attempt in hand_ins.attempts(student, assignment):
        name, counts = attempt_name(attempt), chosen is not None and attempt.folder == chosen.folder
        if choice is not None and choice.attempt == name:
            decided = f"{choice.by} chose it on {in_words(placed(choice.time, course.zone))}"
            reason = f"{decided}: {choice.why}" if choice.why else decided
        elif counts:
            reason = _RULES[settings.attempts.counts]
        elif attempt in beyond:
            reason = "beyond the limit"
        else:
            reason = "" if attempt in allowed else "set aside by that choice"
        answers = answered_in(course, assignment, attempt.folder)
        yield ListedAttempt(name, attempt, str(answers) if answers.is_known else "", counts, reason)


def may_choose(hand_ins: HandIns, student: str, assignment: str, when: datetime) -> bool:
    """Tell whether a student may say which attempt counts: the course allows it, and staff have not decided."""
    close, last = hand_ins.dates(student, assignment).close, hand_ins.choice(student, assignment)
    is_theirs = last is None or last.by in hand_ins.teams(assignment).members(student)
    is_open = close is None or when <= close
    return is_theirs and is_open and hand_ins.course.assignments[assignment].attempts.use == "student"


def choosable(hand_ins: HandIns, student: str, assignment: str, when: datetime) -> list[Attempt]:
    """List the attempts of which a student may say that they count."""
    if not may_choose(hand_ins, student, assignment, when):
        return []
    beyond = hand_ins.allowed(student, hand_ins.course.assignments[assignment])[1]
    return [each for each in hand_ins.attempts(student, assignment) if each not in beyond]


def choose(
    course: Course, student: str, assignment: str, wanted: str, *, by: str, reason: str, when: datetime | None = None
) -> tuple[str, str]:
    """Let another attempt count; the caller holds the lock of what is collected.

    It is ``wanted`` by the beginning of its name, or by a receipt; UsageError: it is none of theirs, or may not be
    chosen. Returned are the attempts that counted before and that count now, in words.
    """
    hand_ins, settings, when = HandIns(course), course.assignments[assignment], when or datetime.now(UTC)
    attempts = list(listed(hand_ins, student, assignment))
    received = _received(course, student, assignment, wanted)
    fitting = [each for each in attempts if received is not None and each.attempt.time == received]
    fitting = fitting or [each for each in attempts if len(wanted) >= 6 and each.name.startswith(wanted)]
    if len(fitting) != 1:
        names = ", ".join(each.name[:8] for each in attempts) or "none"
        raise UsageError(f"{student} has no attempt “{one_line(wanted, 40)}” at {assignment} (attempts: {names})")
    if by == student:
        if not may_choose(hand_ins, student, assignment, when):
            raise UsageError("which hand-in counts is your teachers' decision; ask them")
        if fitting[0].attempt in hand_ins.allowed(student, settings)[1]:
            raise UsageError("this hand-in is beyond the number of attempts")
    before = next((_words(course, each) for each in attempts if each.counts), "none")
    times = ((each.name, each.attempt.time) for each in attempts if each is not fitting[0])
    set_aside = tuple(name for name, time in times if time is None or aware(time) <= when)
    add_choice(course, assignment, student, Choice(fitting[0].name, when, by, one_line(reason, 500), set_aside))
    return before, _words(course, fitting[0])


def _words(course: Course, entry: ListedAttempt) -> str:
    time, name = entry.attempt.time, entry.name[:8]
    return f"{name}, handed in {in_words(placed(time, course.zone))}" if time is not None else name


def _received(course: Course, student: str, assignment: str, receipt: str) -> datetime | None:
    """Return when a student's hand-in with this receipt came, as the record beside the upload says; else None."""
    try:
        record = json.loads((state_folder.uploads(course) / f"{Path(receipt).name}.json").read_bytes())
        is_own = (record["student"], record["assignment"]) == (student, assignment)
        return datetime.fromisoformat(record["received"]) if is_own else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
