"""Places for grading that the workers of several courses share: files, each locked by the worker that has it.

Fair between courses: one that has its share takes no further place while another waits for one. What a worker that
died had is free at once.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

VARIABLE = "AUTOGRADER_SERVE_POOL"
"""Environment variable of a worker that shares places: their number, that of the courses, and the folder."""


class WorkerPool:
    """Places of one worker and the others.

    Args:
        folder: the folder with the places.
        places: submissions that are graded at a time, of all courses.
        courses: number of courses that share them.
    """

    def __init__(self, folder: Path, places: int, courses: int) -> None:
        self._folder, self._places, self._share = folder, places, max(1, places // courses)
        self._taken: list[IO[str]] = []
        self._wish = (folder / f"wish-{os.getpid()}").open("w")

    @classmethod
    def of_environment(cls) -> WorkerPool | None:
        """Return the pool that this process is to share; None if it is alone."""
        if not (setting := os.environ.get(VARIABLE)):
            return None
        places, courses, folder = setting.split(":", 2)
        return cls(Path(folder), int(places), int(courses))

    def take(self) -> IO[str] | None:
        """Take a place, free again once it is closed; None: there is none, and others know the wish."""
        self._taken = [slot for slot in self._taken if not slot.closed]
        slot = None if len(self._taken) >= self._share and self._others_wait() else self._free()
        fcntl.flock(self._wish, fcntl.LOCK_UN if slot else fcntl.LOCK_EX)
        self._taken += [slot] if slot else []
        return slot

    def wish_nothing(self) -> None:
        """Let others take what is free: nothing waits here."""
        fcntl.flock(self._wish, fcntl.LOCK_UN)

    def _free(self) -> IO[str] | None:
        for number in range(self._places):
            if slot := _locked(self._folder / f"place-{number}", fcntl.LOCK_EX):
                return slot
        return None

    def _others_wait(self) -> bool:
        for path in self._folder.glob("wish-*"):
            if path.name != Path(self._wish.name).name:
                if (wish := _locked(path, fcntl.LOCK_SH)) is None:
                    return True
                wish.close()
        return False


def _locked(path: Path, how: int) -> IO[str] | None:
    """Open and lock a file; None if another one has it."""
    file = path.open("a")
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
