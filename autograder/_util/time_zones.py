"""Time zones of courses: dates without a zone are meant in one, and people read all times in it."""

from __future__ import annotations

import contextlib
import difflib
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


def time_zone(name: str) -> ZoneInfo:
    """Return the zone of a name such as Europe/Berlin; ValueError: there is none, and what is near."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        near = difflib.get_close_matches(name, available_timezones(), n=1)
        hint = f"; did you mean {near[0]}?" if near else "; write it like Europe/Berlin"
        raise ValueError(f"{name!r} is no time zone{hint}") from None


def placed(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return a moment in a zone, where it is meant if it names none; without: its own, or UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone or UTC)
    with contextlib.suppress(OverflowError):  # at the ends of the calendar
        return aware.astimezone(UTC).astimezone(zone) if zone else aware  # what clocks skip is the time after
    return aware


def in_words(moment: datetime) -> str:
    """Format a moment as pages write it: 2 March 2026, 18:00 UTC."""
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".rstrip()


def lateness(due: datetime, submitted_at: datetime) -> timedelta:
    """Return how late a submission is by the clock: days of a change of time are as long as others."""
    due = placed(due, None)
    return placed(submitted_at, None).astimezone(due.tzinfo) - due
