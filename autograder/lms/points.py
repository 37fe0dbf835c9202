"""Points here and in a learning system."""

from __future__ import annotations

from autograder.errors import UsageError

_TOLERANCE = 0.005
"""Learning systems round to two places."""


def factor(where: str, there: float | None, here: float, *, scale: bool) -> float:
    """Return what a point of ours counts there.

    Args:
        where: the learning system, or its file.
        there: points that it counts; None: it does not say.
        here: points of the assignment.
        scale: whether points are converted.

    Raises:
        UsageError: it counts other points, and ``scale`` is false.
    """
    if there is None or is_same(there, here) or here <= 0:
        return 1.0
    if not scale:
        raise UsageError(
            f"{where} counts {there:g} points, the assignment here {here:g}; change it there, or let --scale convert "
            "the points"
        )
    return there / here


def is_same(one: float | None, other: float | None) -> bool:
    """Tell whether two scores are the same for a learning system; None is the same as nothing."""
    return one is not None and other is not None and abs(one - other) < _TOLERANCE
