"""Attempts: of all that a student or a team handed in, which one counts.

Everything here is a pure function. docs/how-to/a-term.md states the rules for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

from autograder._util.yaml_record import aware
from autograder.records.policies import Attempts


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-in, as it was collected."""

    submitter: str
    folder: Path
    time: datetime | None = None
    """None: nobody knows; such an attempt is taken for the newest."""


def in_order(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Sort attempts by time; equal ones as they come."""
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(attempts, key=lambda one: aware(one.time) if one.time is not None else never)


def within_limits(
    attempts: Sequence[Attempt], rule: Attempts, zone: tzinfo = UTC
) -> tuple[list[Attempt], list[Attempt]]:
    """Split attempts, in order, into those within the limits and those beyond.

    A day is one of the zone. An attempt beyond the limit of a day does not count for the limit in all.
    """
    allowed: list[Attempt] = []
    beyond: list[Attempt] = []
    of_day: dict[date | None, int] = {}
    for attempt in in_order(attempts):
        day = aware(attempt.time).astimezone(zone).date() if attempt.time is not None else None
        full = rule.total is not None and len(allowed) >= rule.total
        if full or (rule.daily is not None and of_day.get(day, 0) >= rule.daily):
            beyond.append(attempt)
            continue
        of_day[day] = of_day.get(day, 0) + 1
        allowed.append(attempt)
    return allowed, beyond


def counting(
    allowed: Sequence[Attempt], rule: Attempts, due: datetime | None, scores: Mapping[Path, float]
) -> Attempt | None:
    """Choose the attempt that counts; None if there is none.

    Args:
        allowed: the attempts that may count, in order.
        rule: ``last``; ``last_before_due``: the last one in time, else the first one after it. ``best``: the one with
            the highest score, the earliest of equal ones, once all are graded; until then the last.
        due: the student's due date.
        scores: folder → score, of attempts that are graded.
    """
    if not allowed:
        return None
    if rule.counts == "best" and all(one.folder in scores for one in allowed):
        return max(allowed, key=lambda one: scores[one.folder])
    if rule.counts == "last_before_due" and due is not None:
        in_time = [one for one in allowed if one.time is None or aware(one.time) <= due]
        return in_time[-1] if in_time else allowed[0]
    return allowed[-1]
