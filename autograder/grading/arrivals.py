"""Arrivals: submissions that are new or have changed, found by looking at ``submitted/``."""

from __future__ import annotations

from collections.abc import Sequence

from autograder._util.files import Versions, versions
from autograder.records import Assignment, Course
from autograder.submissions.hand_ins import HandIns


class Arrivals:
    """Submissions of an assignment that are new or have changed, once they have been still for a look."""

    def __init__(self, course: Course, assignment: Assignment) -> None:
        self._hand_ins, self._name = HandIns(course), assignment.name
        self._seen: dict[str, Versions] = {}
        self._given: dict[str, Versions] = {}

    def look(self) -> Sequence[str]:
        """List the students whose submissions are as they were at the last look, and have not been listed so."""
        self._hand_ins.look_again()
        now = {student: self._files(student) for student in self._hand_ins.students(self._name)}
        ready = [
            student
            for student, files in now.items()
            if files and self._seen.get(student) == files and self._given.get(student) != files
        ]
        self._seen = now
        self._given.update((student, now[student]) for student in ready)
        return ready

    def _files(self, student: str) -> Versions:
        return versions(self._hand_ins.folder(student, self._name), follow_symlinks=False)
