"""Points here and in a learning system."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.errors import UsageError

_TOLERANCE = 0.005
"""Learning systems round to two places."""


def factor(label: str, points_there: float | None, points_here: float, *, scale: bool) -> float:
    """Return what a point of ours counts there.

    Args:
        label: the learning system, or its file.
        points_there: points that it counts; None: it does not say.
        points_here: points of the assignment.
        scale: whether points are converted.

    Raises:
        UsageError: it counts other points, and ``scale`` is false.
    """
    if points_there is None or is_same(points_there, points_here) or points_here <= 0:
        return 1.0
    if not scale:
        raise UsageError(
            f"{label} counts {points_there:g} points, the assignment here {points_here:g}; change it there, "
            "or let --scale convert the points"
        )
    return points_there / points_here


@dataclass(frozen=True)
class SystemStanding:
    """What stands in a learning system for one student."""

    score: float | None
    """None: nothing, or no number."""
    shown: str
    """As people see it there; empty: nothing."""
    fixed: str = ""
    """Why it cannot be changed there."""


def why_kept(stands: SystemStanding, before: float | None, score: float, number_text: str, *, overwrite: bool) -> str:
    """Return why a score is not handed over; empty if it is.

    What a person changed there is kept: a score that is neither the one handed over last nor this one.

    Args:
        stands: what stands there.
        before: the score handed over last; None: there was none.
        score: the score here.
        number_text: the score here, as people see it.
        overwrite: whether a score that is not this course's is replaced.
    """
    if stands.fixed:
        return stands.fixed
    ours = is_same(stands.score, before) or is_same(stands.score, score)
    return "" if not stands.shown or ours or overwrite else f"{stands.shown} stands there, {number_text} here"


def is_same(first: float | None, second: float | None) -> bool:
    """Tell whether two scores are the same for a learning system; None is the same as nothing."""
    return first is not None and second is not None and abs(first - second) < _TOLERANCE
