"""Dates of one student: extensions, late days, excused assignments, the close of an assignment.

    assignment, person, extensions ─ own_dates ─▶ Dates ─ with_late_days ─▶ Dates of all assignments

Everything here is a pure function. docs/how-to/a-term.md states the rules for people.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from autograder._util.time_zones import in_words, lateness
from autograder._util.yaml_record import aware
from autograder.records.course import Assignment
from autograder.records.dates import Dates, Extension
from autograder.records.policies import LateDays
from autograder.term.people import Person

DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600


def own_dates(assignment: Assignment, person: Person, extensions: Iterable[Extension]) -> Dates:
    """Return a student's dates for an assignment, before late days.

    A person's ``extra_days`` move the due date. Of the extensions that fit, the one with the latest date counts; they
    are not added up. The close moves to the due date where it would come before it.
    """
    fitting = [one for one in extensions if fits(one, assignment, person)]
    notes = [_with_reason("excused", one) for one in fitting if one.excused]
    due, close = assignment.due, assignment.close
    if due is not None:
        due = base = aware(due) + timedelta(days=person.extra_days)
        if person.extra_days:
            notes.append(f"{person.extra_days:g} more days by arrangement")
        extended = [(_date(one, base), one) for one in fitting if one.due is not None or one.days]
        if extended:
            latest, extension = max(extended, key=lambda pair: pair[0])
            if latest > due:
                due = latest
                notes.append(_with_reason(f"extended to {in_words(due.astimezone(base.tzinfo))}", extension))
    if close is not None:
        close = aware(close)
        close = max(close, due) if due is not None and due > aware(assignment.due or due) else close
    return Dates(due, close, excused=any(one.excused for one in fitting), notes=tuple(notes))


def fits(extension: Extension, assignment: Assignment, person: Person) -> bool:
    """Tell whether an extension is for this student and this assignment."""
    return (
        extension.assignment in ("", assignment.name)
        and extension.student in ("", person.id)
        and extension.section.casefold() in ("", person.section.casefold())
    )


def _date(extension: Extension, base: datetime) -> datetime:
    return aware(extension.due) if extension.due is not None else base + timedelta(days=extension.days)


def _with_reason(text: str, extension: Extension) -> str:
    return f"{text}: {extension.reason}" if extension.reason else text


def with_late_days(
    assignments: Sequence[Assignment],
    dates: Mapping[str, Dates],
    handed_in: Mapping[str, datetime],
    rule: LateDays,
    person: Person,
) -> dict[str, Dates]:
    """Return a student's dates for all assignments, with the late days that each took from the budget.

    Assignments take them in the order of the student's own due dates. Each takes as many as it is late, rounded, up to
    its most and to what is left; what they do not cover is late. An assignment that is excused, was handed in after
    its close, or has no late policy takes none.

    Args:
        assignments: all assignments, in the order of course.yaml.
        dates: assignment → the dates of :func:`own_dates`.
        handed_in: assignment → when the submission that counts was handed in.
        rule: the budget.
        person: the student.
    """
    days_left = rule.budget + person.extra_late_days
    final = dict(dates)
    never = datetime.max.replace(tzinfo=UTC)
    ordered = sorted(assignments, key=lambda one: dates[one.name].due or never)
    for assignment in ordered:
        before = dates[assignment.name]
        when = handed_in.get(assignment.name)
        if when is None:
            continue
        if before.close is not None and aware(when) > before.close and not before.excused:
            text = f"handed in after the close ({in_words(before.close)})"
            final[assignment.name] = replace(before, closed=True, notes=(*before.notes, text))
        elif not before.excused and before.due is not None and assignment.late.kind != "none":
            grace = timedelta(hours=assignment.late.grace_hours)
            late = lateness(before.due, when) - grace
            wanted = rounded(late.total_seconds(), rule.round)
            used = min(wanted, days_left, most_late_days(assignment, rule))
            if used > 0:
                days_left -= used
                text = f"{days(used)} taken, {days(days_left)} left"
                final[assignment.name] = replace(before, late_days=used, notes=(*before.notes, text))
    return final


def most_late_days(assignment: Assignment, rule: LateDays) -> float:
    """Return how many late days an assignment may take."""
    most = assignment.late_days if assignment.late_days is not None else rule.per_assignment
    return math.inf if most is None else most


def rounded(seconds: float, how: str) -> float:
    """Return lateness in days, rounded up to whole days or hours; 0 for what is in time."""
    if seconds <= 0:
        return 0.0
    if how == "day":
        return float(math.ceil(seconds / DAY_SECONDS))
    return math.ceil(seconds / HOUR_SECONDS) / 24 if how == "hour" else seconds / DAY_SECONDS


def days(count: float) -> str:
    """Format a number of late days: ``1 late day``, ``2.5 late days``."""
    text = f"{count:.2f}".rstrip("0").rstrip(".")
    return f"{text} late day" if text == "1" else f"{text} late days"


def deadline(dates: Dates) -> datetime | None:
    """Return the due date with the late days that were taken; being late is counted from there."""
    return None if dates.due is None else dates.due + timedelta(days=dates.late_days)
