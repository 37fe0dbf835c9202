"""A time limit on a notebook's own time, which leaves out the time that others keep it waiting."""

from __future__ import annotations

import time
from collections.abc import Callable

from autograder.execution.machine_load import is_busy
from autograder.records.run import MAX_STRETCH

MAX_IDLE_STRETCH = 4.0
"""How many times longer it may take where the machine has no load, as in a container with little processor time."""
MIN_PATIENCE_SECONDS = 30.0
"""Shortest time beyond the limit that waiting may take: a limit of a second is not given up after four."""


def longest(seconds: float) -> float:
    """Return the wall-clock time that own time of ``seconds`` may take at most."""
    return max(MAX_STRETCH * seconds, seconds + MIN_PATIENCE_SECONDS)


def is_given_up(seconds: float, wall: float) -> bool:
    """Tell whether what has ``seconds`` of its own was kept waiting for so long that its own time stays unknown.

    Where the machine's load does not show that others took the processors, own time alone decides, within a bound.
    """
    if wall < longest(seconds):
        return False
    return wall >= MAX_IDLE_STRETCH * longest(seconds) or is_busy()


class Allowance:
    """Time that one cell, call or test may take, from now on.

    Args:
        seconds: own time that is allowed.
        waited: tells the seconds that others have kept it waiting so far.
        clock: tells seconds, as ``time.monotonic`` counts them.
    """

    def __init__(
        self, seconds: float, waited: Callable[[], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self._waited, self._clock = waited, clock
        self._given_up = False
        self._began, self._before = clock(), waited()

    def wall(self) -> float:
        """Return the seconds by the wall clock."""
        return self._clock() - self._began

    def waited(self) -> float:
        """Return the seconds of these that do not count."""
        return min(max(0.0, self._waited() - self._before), self.wall())

    def own(self) -> float:
        """Return the seconds that count."""
        return self.wall() - self.waited()

    def left(self) -> float:
        """Return the own time that is left; 0 also at the bound on the wall clock."""
        wall = self.wall()
        return 0.0 if self._is_given_up(wall) else max(0.0, self.seconds - (wall - self.waited()))

    def _is_given_up(self, wall: float) -> bool:
        self._given_up = self._given_up or is_given_up(self.seconds, wall)
        return self._given_up

    def over(self) -> bool:
        """Tell whether nothing is left."""
        return self.wall() >= self.seconds and self.left() <= 0.0

    def is_starved(self) -> bool:
        """Tell whether it is over by the wall clock alone, with own time left."""
        wall = self.wall()
        return self._is_given_up(wall) and self.own() < self.seconds

    def story(self) -> str:
        """Describe both times for a person."""
        wall = self.wall()
        return f"{wall - self.waited():.3g} s of its own in {wall:.3g} s"
