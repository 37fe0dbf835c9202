"""Choices: a person's word on which attempt of a student or a team counts, in place of the assignment's rule.

A choice sets aside all else that was there; for what comes in later, whenever it was made, the rule goes on. All
choices are kept, the last one holds: ``.autograder/choices/<assignment>/<student>.json``, with a copy beside it that
serves where that file is damaged.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder._util.files import write_atomically
from autograder._util.plain_records import from_plain, loads, to_plain
from autograder.errors import HostError
from autograder.records.course import Course


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision."""

    attempt: str
    """Name of the attempt, a digest of its files and its time."""
    time: datetime
    """When the person decided."""
    by: str
    """Name of the student, or of the member of staff, who decided."""
    why: str = ""
    set_aside: tuple[str, ...] = ()
    """Names of the attempts that it sets aside: those that were there. What comes in later is not among them."""


def choices(course: Course, assignment: str, students: Sequence[str]) -> list[Choice]:
    """Read all choices of a student or of a team, in order; HostError: a file and its copy are damaged."""
    decisions: list[Choice] = []
    for student in students:
        path = _path(course, assignment, student)
        try:
            decisions += _read(path)
        except HostError:
            if not _copy(path).exists():
                raise
            decisions += _read(_copy(path))
    return sorted(decisions, key=lambda choice: choice.time)


def choice_faults(course: Course) -> list[str]:
    """List the files of choices that are damaged, in place of which their copies serve."""
    faults = []
    for path in sorted((course.state / "choices").glob("*/[!.]*.json")):
        try:
            _read(path)
        except HostError as error:
            faults.append(str(error))
    return faults


def add_choice(course: Course, assignment: str, student: str, choice: Choice) -> None:
    """Note a decision; the caller holds the lock of what is collected."""
    listed = to_plain([*choices(course, assignment, [student]), choice])
    path = _path(course, assignment, student)
    for file in (path, _copy(path)):
        write_atomically(file, json.dumps(listed, ensure_ascii=False, indent=1) + "\n")


def _read(path: Path) -> list[Choice]:
    try:
        return [from_plain(Choice, entry) for entry in loads(path.read_bytes())]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise HostError(f"{path} cannot be read ({error}); restore it, or delete it and decide again") from error


def _copy(path: Path) -> Path:
    return path.with_name(f".{path.name}")


def _path(course: Course, assignment: str, student: str) -> Path:
    return course.state / "choices" / assignment / f"{student}.json"
