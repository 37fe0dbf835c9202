"""A time limit that counts a notebook's own time: what others kept it waiting does not count."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_STRETCH = 4.0
"""How many times its limit something may take by the wall clock, however long it was kept waiting.

Four is what a busy machine does to a notebook (two to five times as long, with three to six runnable processes for each
core), and still an end: who has the lowest priority, by their own doing, holds a worker no longer than that. What
reaches it is neither too slow nor in time; it is run again alone."""


class Allowance:
    """The time for one thing, from now on.

    Args:
        seconds: own time that is allowed.
        waited: seconds that others have kept it waiting until now.
        clock: seconds, as ``time.monotonic`` counts them.
    """

    def __init__(
        self, seconds: float, waited: Callable[[], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self._waited, self._clock = waited, clock
        self._began, self._before = clock(), waited()

    def wall(self) -> float:
        """Seconds by the wall clock."""
        return self._clock() - self._began

    def waited(self) -> float:
        """Seconds of these that do not count."""
        return min(max(0.0, self._waited() - self._before), self.wall())

    def left(self) -> float:
        """Own time that is left; 0 also where the wall clock has come to its end."""
        wall = self.wall()
        if wall >= MAX_STRETCH * self.seconds:
            return 0.0
        return max(0.0, self.seconds - (wall - self.waited()))

    def over(self) -> bool:
        """Whether nothing is left."""
        return self.wall() >= self.seconds and self.left() <= 0.0

    def is_starved(self) -> bool:
        """Whether it is over by the wall clock alone: it was kept waiting, and has own time left."""
        wall = self.wall()
        return wall >= MAX_STRETCH * self.seconds and wall - self.waited() < self.seconds

    def story(self) -> str:
        """What became of the time, for a person."""
        wall = self.wall()
        return f"{wall - self.waited():.3g} s of its own in {wall:.3g} s"
