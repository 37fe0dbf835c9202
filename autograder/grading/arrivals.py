"""Arrivals: submissions that are new or have changed, found by looking at ``submitted/``."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from autograder.grading.batch import students
from autograder.records import Assignment, Course

Files = tuple[tuple[str, int, int], ...]
"""Path, time of the last change in nanoseconds, and size of each file of a submission."""


class Arrivals:
    """Submissions of an assignment that are new or have changed, once they have been still for a look."""

    def __init__(self, course: Course, assignment: Assignment) -> None:
        self._course, self._name = course, assignment.name
        self._seen: dict[str, Files] = {}
        self._given: dict[str, Files] = {}

    def look(self) -> Sequence[str]:
        """List the students whose submissions are as they were at the last look, and have not been listed so."""
        now = {student: self._files(student) for student in students(self._course, self._name)}
        ready = [
            student
            for student, files in now.items()
            if files and self._seen.get(student) == files and self._given.get(student) != files
        ]
        self._seen = now
        self._given.update((student, now[student]) for student in ready)
        return ready

    def _files(self, student: str) -> Files:
        folder = self._course.submitted(student, self._name)
        found = []
        try:
            paths = sorted(folder.rglob("*"))
        except OSError:  # a folder was replaced meanwhile: the next look sees what came
            return ()
        for path in paths:
            with contextlib.suppress(OSError):
                status = path.lstat()
                found.append((str(path), status.st_mtime_ns, status.st_size))
        return tuple(found)
