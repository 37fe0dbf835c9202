"""All names by which a learning system may know this course's students."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from autograder.lms.matching import CANVAS, PARTICIPANT, REGISTRY, Known, numbers
from autograder.term import people
from autograder.term.people import Person, Roster

_NUMBERED = re.compile(r"(?P<name>.+) \((?P<number>\w+)\)")
"""Name of one of several people of one name, as ``collect`` gives it."""
_LOGINS = ("sis_login", "username", "blackboard_id")
"""Columns of the roster with login names."""


def known_students(roster: Roster, assignment: str, students: Iterable[str]) -> Mapping[str, Known]:
    """Return the names of each student, by the name of their folder: the roster's, and the folder's own."""
    return {student: _known(student, roster.find(student), assignment) for student in students}


def _known(student: str, person: Person | None, assignment: str) -> Known:
    numbered = _NUMBERED.fullmatch(student)
    name = numbered["name"] if numbered else student
    if person is None:  # the number may be either system's; collect took it from the download
        found = [numbered["number"]] if numbered else []
        ids = numbers(CANVAS, found) + numbers(PARTICIPANT, found) + numbers(REGISTRY, [student])
        return Known(ids, (student,), (name,))
    registry = (value for system, value in person.ids.items() if _is_registry(system))
    ids = (
        numbers(CANVAS, [person.ids.get("canvas_id", "")])
        + numbers(PARTICIPANT, [person.ids.get(people.PARTICIPANT + assignment, "")])
        + numbers(REGISTRY, [student, *registry])
    )
    logins = (student, person.email, *(person.ids.get(system, "") for system in _LOGINS))
    return Known(ids, tuple(filter(None, logins)), (person.name or name,))


def _is_registry(system: str) -> bool:
    """Tell whether a column of the roster has numbers that the university gave."""
    own = system == "canvas_id" or system.startswith(people.PARTICIPANT)
    return system == "integration_id" or (people.is_system_id(system) and not own and system not in _LOGINS)
