"""Pages that are written while a batch runs, so that a submission without end holds back no other's."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

from autograder.coordinator.batch import Progress
from autograder.errors import AutograderError
from autograder.records.grade import Grade, NotGraded

SHARE = 10
"""Writing takes at most one part in so many of the batch's time."""


class EarlyPages:
    """Writer of the pages of what is done; what it cannot write is told at the end of the batch.

    Args:
        write: writes gradebook and pages of some grades.
        ready: tells whether the libraries for that are loaded.
        clock: seconds, as ``time.monotonic`` counts them.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Grade]], object],
        ready: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._ready, self._clock = write, ready, clock
        self._waiting: list[Grade] = []
        self._next = clock()

    def after(self, progress: Progress) -> Progress:
        """Return a function that calls ``progress`` and writes."""

        def done(student: str, outcome: Grade | NotGraded) -> None:
            progress(student, outcome)
            if isinstance(outcome, Grade):
                self._waiting.append(outcome)
                self._write_waiting()

        return done

    def _write_waiting(self) -> None:
        began = self._clock()
        if began < self._next or not self._ready():
            return
        grades, self._waiting = self._waiting, []
        with contextlib.suppress(AutograderError):
            self._write(grades)
        now = self._clock()
        self._next = now + (SHARE - 1) * (now - began)
