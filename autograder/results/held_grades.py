"""Grades that staff hold back from students: ``.autograder/held/<assignment>.json`` says who did, when and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from autograder._util.files import write_atomically
from autograder.errors import UsageError
from autograder.records.course import Course


def hold(course: Course, assignment: str, by: str, reason: str) -> None:
    """Hold an assignment's grades back from students."""
    facts = {"by": by, "time": datetime.now(UTC).isoformat(timespec="seconds"), "why": reason}
    write_atomically(_path(course, assignment), json.dumps(facts, ensure_ascii=False) + "\n")


def let_go(course: Course, assignment: str) -> None:
    """Hold an assignment's grades back no longer."""
    _path(course, assignment).unlink(missing_ok=True)


def is_held(course: Course, assignment: str) -> bool:
    """Tell whether an assignment's grades are held back; what is in the file is for people."""
    return _path(course, assignment).exists()


def refuse_held(course: Course, assignment: str) -> None:
    """Raise UsageError where an assignment's grades are held back."""
    if is_held(course, assignment):
        raise UsageError(
            f"the grades of {assignment} are held back from students; publish them at the door, or delete "
            f"{_path(course, assignment).relative_to(course.root)}"
        )


def _path(course: Course, assignment: str) -> Path:
    return course.state / "held" / f"{assignment}.json"
