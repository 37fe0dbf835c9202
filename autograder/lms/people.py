"""All names by which a learning system may know this course's students."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from autograder.lms.matching import Known

_NUMBERED = re.compile(r"(?P<name>.+) \((?P<number>\w+)\)")
"""Name of one of several people of one name, as ``collect`` gives it."""


def known_students(students: Iterable[str]) -> Mapping[str, Known]:
    """Return the names of each student, by the name of their folder."""
    return {student: _known(student) for student in students}


def _known(student: str) -> Known:
    numbered = _NUMBERED.fullmatch(student)
    name = numbered["name"] if numbered else student
    return Known((numbered["number"],) if numbered else (), (student,), (name,))
