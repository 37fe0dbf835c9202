"""Arrivals: submissions that are new or have changed, found by looking at ``submitted/`` and at an inbox."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder._util.files import Versions, version, versions
from autograder.coordinator import locks
from autograder.errors import HostError
from autograder.extensions.watch.uploads import collect_upload
from autograder.records.course import Assignment, Course
from autograder.records.ending import Whose
from autograder.submissions.delivery import Collected
from autograder.submissions.hand_ins import HandIns

RETRY_SECONDS = 10.0
"""Seconds until a submission is listed again of which a try failed."""


class Arrivals:
    """Submissions of an assignment that are new, have changed or are tried again, once they were still for a look."""

    def __init__(self, course: Course, assignment: Assignment) -> None:
        self._hand_ins, self._name = HandIns(course), assignment.name
        self._seen: dict[str, Versions] = {}
        self._given: dict[str, Versions] = {}
        self._tries: Counter[tuple[str, Versions]] = Counter()
        self._again: dict[str, float] = {}
        """Student → time from which the submission is listed again, as it is."""

    def try_again(self, student: str, whose: Whose) -> bool:
        """List a submission again after a while, if it has a try left; tell whether it will be."""
        tried = student, self._given.get(student, ())
        self._tries[tried] += whose is Whose.KIT
        is_left = max(1, self._tries[tried]) < whose.tries
        if is_left:
            self._again[student] = time.monotonic() + RETRY_SECONDS
        return is_left

    def look(self) -> Sequence[str]:
        """List the students whose submissions are as at the last look, and were not listed so or are tried again."""
        self._hand_ins.look_again()
        for student in [student for student, at in self._again.items() if at <= time.monotonic()]:
            del self._again[student]
            self._given.pop(student, None)
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
        folders = self._hand_ins.folders(student, self._name)
        return tuple(file for folder in folders for file in versions(folder, follow_symlinks=False))


class Inbox:
    """Folder whose files are collected into ``submitted/`` as they arrive; it stays as it is.

    Args:
        course: the course.
        assignment: the assignment that all files belong to.
        folder: has archives and notebooks, each of one student, whom only its own name tells. It is made if it is not
            there; folders in it are not looked at.
    """

    def __init__(self, course: Course, assignment: Assignment, folder: Path) -> None:
        self._course, self._name, self._folder = course, assignment.name, folder
        self._seen: dict[Path, tuple[int, ...]] = {}
        self._collected: dict[Path, tuple[int, ...]] = {}

    def look(self) -> Sequence[Collected]:
        """Collect the files that are as they were at the last look, and have not been collected so.

        Raises:
            HostError: the folder cannot be made or read.
        """
        now = self._files()
        ready = [path for path, at in now.items() if self._seen.get(path) == at and self._collected.get(path) != at]
        self._seen = now
        return self._collect(ready, now) if ready else []

    def _collect(self, ready: Sequence[Path], now: Mapping[Path, tuple[int, ...]]) -> Sequence[Collected]:
        collected: list[Collected] = []
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locks.held(self._course, locks.COLLECTING))
            except locks.LockedError:  # later
                return []
            for path in ready:
                collected += collect_upload(self._course, self._name, path, [each.name for each in now])
                self._collected[path] = now[path]
        return collected

    def _files(self) -> dict[Path, tuple[int, ...]]:
        versions = {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            paths = sorted(self._folder.iterdir())
        except OSError as error:
            raise HostError(f"the inbox {self._folder} cannot be read: {error}") from error
        for path in paths:
            with contextlib.suppress(OSError):  # it has gone since
                if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                    versions[path] = version(path)
        return versions
