"""Tally of how submissions ended, while a batch runs and when it is done."""

from __future__ import annotations

from collections import Counter

from autograder.records.grade import Grade, NotGraded
from autograder.records.run import RunStatus

NOT_GRADED = "not graded"
_ORDER = (*(status.value for status in RunStatus), "missing", "invalid", NOT_GRADED)


def status_of(outcome: Grade | NotGraded) -> str:
    """Return the grade's status, or :data:`NOT_GRADED`."""
    return NOT_GRADED if isinstance(outcome, NotGraded) else outcome.status


def in_order(counts: Counter[str]) -> list[tuple[str, int]]:
    """List status and number, from the best status to submissions that could not be graded."""
    return [(status, counts[status]) for status in _ORDER if counts[status]]


def in_words(counts: Counter[str]) -> str:
    """Format the counts: ``completed 12 · cell_error 3 · not graded 1``."""
    return " · ".join(f"{status} {number}" for status, number in in_order(counts)) or "none"
