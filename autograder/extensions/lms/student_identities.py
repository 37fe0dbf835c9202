"""All names by which a learning system may know this course's students."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from autograder.extensions.lms.matching import CANVAS, PARTICIPANT, REGISTRY, SUBJECT, PersonNames, numbers
from autograder.submissions.senders import Senders
from autograder.submissions.settling import misplaced
from autograder.term import people
from autograder.term.people import Roster
from autograder.term.provisional import Provisional

_NUMBERED = re.compile(r"(?P<name>.+) \((?P<number>\w+)\)")
"""Name of one of several people of one name, as ``collect`` gives it."""
_LOGINS = ("sis_login", "username", "blackboard_id")
"""Columns of the roster with login names."""


def known_students(
    roster: Roster, assignment: str, students: Iterable[str], senders: Senders | None = None
) -> Mapping[str, PersonNames]:
    """Return the names of each student, by the name of their folder: the roster's, and the folder's own.

    Args:
        roster: the roster.
        assignment: the assignment.
        students: the students.
        senders: the numbers under which attempts came; None: there are none.
    """
    moves = list(misplaced(roster, senders)) if senders is not None else []
    strange = {move.student: f"it came under {move.sender.heading} {move.sender.number}, {_STRANGE}" for move in moves}
    doubtful = Provisional(roster)
    waits = {**doubtful.contested(assignment), **strange}
    return {
        student: replace(
            _names_of(student, roster, doubtful, assignment),
            waits=waits.get(student, "") or _claim(student, roster, doubtful, assignment),
        )
        for student in students
    }


_STRANGE = "another person's number by the roster; run `autograder people confirm`"


def _claim(student: str, roster: Roster, doubtful: Provisional, assignment: str) -> str:
    """Return why a student waits who was set apart because the number claims somebody's name, too."""
    numbered = _NUMBERED.fullmatch(student) if roster.find(student) is None else None
    return doubtful.claim_of(numbered["number"], assignment) if numbered else ""


def _names_of(student: str, roster: Roster, doubtful: Provisional, assignment: str) -> PersonNames:
    person = roster.find(student)
    numbered = _NUMBERED.fullmatch(student)
    name = numbered["name"] if numbered else student
    if person is None:  # the number may be either system's; collect took it from the download
        participant = [numbered["number"]] if numbered else []
        ids = numbers(CANVAS, participant) + numbers(PARTICIPANT, participant) + numbers(REGISTRY, [student])
        return PersonNames(ids, (student,), (name,))
    registry = (value for system, value in person.ids.items() if _is_registry(system))
    ids = (
        numbers(CANVAS, [person.ids.get("canvas_id", "")])
        + numbers(PARTICIPANT, [person.ids.get(people.PARTICIPANT + assignment, "")])
        + numbers(SUBJECT, [person.ids.get("lti_id", "")])
        + numbers(REGISTRY, [student, *registry])
    )
    logins = (student, person.email, *(person.ids.get(system, "") for system in _LOGINS))
    claimed = [
        number
        for heading, claims in doubtful.numbers(student, assignment).items()
        for number in numbers(_kind(heading), claims)
    ]
    return PersonNames(ids, tuple(filter(None, logins)), (person.name or name,), tuple(claimed))


def _kind(heading: str) -> str:
    """Return the kind of a column's numbers in the roster, where a system's lists have the same ones."""
    return CANVAS if heading == "canvas_id" else PARTICIPANT if heading.startswith(people.PARTICIPANT) else heading


def _is_registry(system: str) -> bool:
    """Tell whether a column of the roster has numbers that the university gave."""
    of_platform = system == "canvas_id" or system.startswith(people.PARTICIPANT)
    return system == "integration_id" or (people.is_system_id(system) and not of_platform and system not in _LOGINS)
