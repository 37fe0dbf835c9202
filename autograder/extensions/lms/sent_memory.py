"""Memory of what this course handed to a learning system, by which a person's changes there are recognized.

.autograder/posted/<system>/<assignment>.json holds, for each student, what was handed over last. Without the file
nothing is lost: grades that stand there are then taken for a person's, and are kept until somebody says otherwise.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder._util.files import write_atomically
from autograder._util.plain_records import from_plain, to_plain
from autograder.records.course import Course


@dataclass(frozen=True)
class Sent:
    """What one student got last."""

    score: float | None = None
    comment: str = ""
    """Digest of the comment."""
    comment_id: str = ""
    """The learning system's number of the comment, where it has one."""
    comment_there: str = ""
    """Digest of the comment as the learning system returned it, where it has a number."""
    comment_tried: str = ""
    """Digest of a comment that may stand there instead: the request failed, perhaps after it was carried out."""
    page: str = ""
    """Digest of the page."""


class Memory:
    """What was handed over, by student."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError):
            content = {}
        self._sent = {str(who): _sent(value) for who, value in content.items()} if isinstance(content, dict) else {}

    @classmethod
    def of(cls, course: Course, system: str, assignment: str) -> Memory:
        """Read what this course handed to a system for an assignment."""
        return cls(course.state / "posted" / system.lower() / f"{assignment}.json")

    def __getitem__(self, student: str) -> Sent:
        return self._sent.get(student, Sent())

    def remember(self, student: str, sent: Sent) -> None:
        """Keep what was handed over, on disk at once: a later failure does not lose it."""
        self.remember_all({student: sent})

    def remember_all(self, sent: dict[str, Sent]) -> None:
        """Keep what several students got."""
        self._sent.update(sent)
        text = json.dumps(to_plain(dict(sorted(self._sent.items()))), indent=0)
        write_atomically(self.path, text + "\n", mode=0o600)


def digest(content: str | bytes) -> str:
    """Digest a comment or a page; nothing has an empty one."""
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()[:32] if data else ""


def _sent(value: Any) -> Sent:
    try:
        return from_plain(Sent, value)
    except ValueError:
        return Sent()
