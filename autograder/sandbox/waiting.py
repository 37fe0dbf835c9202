"""The time that others keep a sandbox waiting: it could run, and nothing of it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

MIN_SECONDS, MAX_SECONDS = 0.05, 1.0
"""Bounds of the time between two looks: an earlier look is ignored, and one look decides about one second at most."""


class WaitingTime:
    """Seconds in which a sandbox had something to run and got no processor, estimated from looks at random moments.

    Between two looks, a sandbox whose threads want to run could have run all the time. It did run for its CPU time, and
    others took the difference. This is no sum over threads: threads that wait for one another add nothing, because the
    sandbox uses CPU time while one of them runs.

    ============================  =============  ==========  ==========
    what it does, in a second     wants to run   CPU time    waited
    ============================  =============  ==========  ==========
    computes, on a quiet machine  1 s            1 s         0 s
    computes, gets one third      1 s            0.33 s      0.67 s
    sleeps                        0 s            0 s         0 s
    64 threads, a quiet machine   1 s            1 s or more 0 s
    ============================  =============  ==========  ==========

    Args:
        clock: seconds, as ``time.monotonic`` counts them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: tuple[float, float] | None = None
        self._seconds = 0.0

    def look(self, cpu_seconds: float, wants_to_run: Callable[[], bool]) -> float:
        """Take one look, and return the seconds so far.

        They may decrease a little from one look to the next. A look that finds nothing to run corrects an earlier one
        that took too much for waiting, so that the mean over many looks is right.

        Args:
            cpu_seconds: CPU time of the sandbox so far.
            wants_to_run: tells whether one of its threads runs or could run.
        """
        with self._lock:
            now = self._clock()
            if self._last is None:
                self._last = (now, cpu_seconds)
                return 0.0
            elapsed = now - self._last[0]
            if elapsed < MIN_SECONDS:
                return self._seconds
            interval = min(elapsed, MAX_SECONDS)
            ran = min(max(0.0, cpu_seconds - self._last[1]), interval)
            self._last = (now, cpu_seconds)
            if ran < 0.95 * interval:  # else it has hardly waited
                self._seconds += (interval if wants_to_run() else 0.0) - ran
            return self._seconds


def wants_to_run(threads: Iterable[int]) -> bool:
    """Tell whether one of these threads runs or could run."""
    return any(_state(thread) == "R" for thread in threads)


def _state(thread: int) -> str:
    try:
        with open(f"/proc/{thread}/task/{thread}/stat", "rb") as file:  # noqa: PTH123 - many, several times a second
            return chr(file.read(512).rpartition(b") ")[2][0])
    except (OSError, IndexError):
        return ""
