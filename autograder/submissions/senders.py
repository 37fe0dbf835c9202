"""Senders: under which number of a learning system an attempt came, where a name alone told whose it is.

.autograder/senders/<assignment>.json holds them: student → digest of the attempt's folder → sender. If the number turns
out to be another person's, the attempt is known and finds its owner.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder._util.digests import folder_key
from autograder._util.files import write_atomically
from autograder._util.plain_records import from_plain, to_plain
from autograder.records.course import Course
from autograder.submissions.claims import superseded_folder


@dataclass(frozen=True, slots=True)
class Sender:
    """Number under which an upload came, and the name beside it."""

    heading: str
    """The roster's column for such numbers, such as ``canvas_id``."""
    number: str
    name: str
    """The student as the upload's name has it."""


class Senders:
    """Senders of an assignment's attempts."""

    def __init__(self, course: Course, assignment: str) -> None:
        self._course, self._assignment = course, assignment
        self._path = course.state / "senders" / f"{assignment}.json"
        self._of: dict[str, dict[str, Sender]] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
            content = json.loads(self._path.read_bytes())
            self._of = {
                student: {key: from_plain(Sender, one) for key, one in attempts.items()}
                for student, attempts in content.items()
            }
        self._before = to_plain(self._of)

    def of(self, student: str, folder: Path) -> Sender | None:
        """Return the sender of a student's attempt; None if the name of its upload was not what told the student."""
        senders = self._of.get(student)
        return senders.get(folder_key(folder)) if senders and folder.is_dir() else None

    def record(self, student: str, folder: Path, sender: Sender) -> None:
        """Keep the sender of an attempt that lies in ``folder``."""
        self._of.setdefault(student, {})[folder_key(folder)] = sender

    def attempts(self) -> Iterator[tuple[str, Path, Sender]]:
        """Yield student, folder and sender of each attempt that has one, the current one of a student first."""
        for student in list(self._of):
            earlier = superseded_folder(self._course, self._assignment, student)
            current = self._course.submitted(student, self._assignment)
            for folder in [current, *(sorted(earlier.iterdir()) if earlier.is_dir() else ())]:
                sender = self.of(student, folder)
                if sender is not None:
                    yield student, folder, sender

    def save(self) -> None:
        """Write the senders, if they have changed."""
        if (plain := to_plain(self._of)) != self._before:
            write_atomically(self._path, json.dumps(plain, indent=1), mode=0o600)
            self._before = plain
