"""How long a sandbox was kept waiting by others: it could run, and nothing of it did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

MIN_SECONDS, MAX_SECONDS = 0.05, 1.0
"""Between two looks: one that follows sooner is none, and one look decides about so much time at most."""


class WaitingTime:
    """Time in which a sandbox had something to run and got no processor, estimated from looks at random moments.

    Between two looks a sandbox whose threads want to run could have run all the time; what it ran is its CPU time. The
    difference is what others took. It is no sum over threads: those that wait for one another make no time here, for as
    long as one of them runs, the sandbox uses the processor.

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
        """Take one look; gives the seconds until now.

        They may become a little less from one look to the next: a look that finds nothing to run takes back what an
        earlier one took for waiting, so that over many looks the mean is right.

        Args:
            cpu_seconds: what the sandbox has used until now.
            wants_to_run: whether one of its threads runs, or could.
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
            if ran < 0.95 * interval:  # else there is nothing to find out
                self._seconds += (interval if wants_to_run() else 0.0) - ran
            return self._seconds


def wants_to_run(threads: Iterable[int]) -> bool:
    """Whether one of these threads runs or could run, as Linux says."""
    return any(_state(thread) == "R" for thread in threads)


def _state(thread: int) -> str:
    try:
        with open(f"/proc/{thread}/task/{thread}/stat", "rb") as file:  # noqa: PTH123 - many, several times a second
            return chr(file.read(512).rpartition(b") ")[2][0])
    except (OSError, IndexError):
        return ""
