"""People of a source: whose each upload is by the roster, and what its name tells that the roster does not know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from autograder._util.files import write_atomically
from autograder.records.course import Course
from autograder.submissions.claims import claims_file, read_claims
from autograder.submissions.lms import Item
from autograder.submissions.names import SYSTEMS
from autograder.term.people import PARTICIPANT, UNLISTED, Person, Roster, load_roster, save_roster

_COLUMNS = {"canvas": "canvas_id", "brightspace": "brightspace_id", "ilias": "ilias_id", "blackboard": "blackboard_id"}
"""System → the roster's column with its number, or its name, of a student."""
_FULL_NAMES = frozenset({"moodle", "moodle-groups", "brightspace", "classroom"})
"""Systems whose names for uploads have the student's full name."""


class People:
    """The course's roster while a source is collected."""

    def __init__(self, course: Course, assignment: str) -> None:
        self.course, self.assignment = course, assignment
        self.roster: Roster = load_roster(course)
        self.learned: dict[str, Person] = {}
        self.claims = read_claims(course, assignment)

    def identified(self, item: Item, student: str) -> tuple[str, tuple[str, ...]]:
        """Return the student's id by the roster, and notes; the name as it came if the roster knows nobody like that.

        A number of the learning system's outweighs the name: students may change their names there.
        """
        column, value = self._id(item, student)
        person = self.roster.with_id(column, value)
        if person is None:
            person = self.roster.called(student, turned=item.system == "canvas")
            if person is not None and value and person.ids.get(column, value).casefold() != value.casefold():
                person = None
        if person is None:
            return student, ("not in the roster",) if self.roster.is_list else ()
        return person.id, ("has left the course, by the roster",) if person.status == "left" else ()

    def has_number(self, item: Item, student: str) -> bool:
        """Tell whether the roster knows this student's number in the system that the upload came from."""
        column, _ = self._id(item, student)
        person = self.roster.find(student)
        return person is not None and column in person.ids

    def learn(self, item: Item, given: str, student: str) -> None:
        """Remember what the name of an upload told: a number of the learning system's, and the full name.

        Args:
            item: the upload.
            given: the student as the upload's name has it.
            student: the student's id.
        """
        column, value = self._id(item, given)
        if not item.system or not item.is_given:
            return
        before = self.learned.get(student) or self.roster.find(student) or Person(student, status=UNLISTED)
        name = before.name or (given.removesuffix(f" ({item.key})") if item.system in _FULL_NAMES else "")
        if not value and not name:
            return
        ids = {**before.ids, column: value} if value else before.ids
        self.learned[student] = replace(before, name=name, ids=ids)

    def claim(self, student: str, team: Sequence[str]) -> None:
        """Remember whom a student's package names; names are the roster's ids where it knows them."""
        people = [self.roster.called(name) for name in team]
        ids = [name if person is None else person.id for name, person in zip(team, people, strict=True)]
        if ids or student in self.claims:
            self.claims[student] = ids

    def save(self) -> None:
        """Write what was learned into the roster, if it is new, and the teams that packages name."""
        if self.claims != read_claims(self.course, self.assignment):
            write_atomically(claims_file(self.course, self.assignment), json.dumps(self.claims, indent=1), mode=0o600)
        known = self.roster.by_id
        if all(known.get(id) == person for id, person in self.learned.items()):
            return
        people = [self.learned.get(person.id, person) for person in self.roster.people]
        people += [person for id, person in self.learned.items() if id not in known]
        save_roster(self.course, people, self.roster)

    def _id(self, item: Item, student: str) -> tuple[str, str]:
        """Return the roster's column for this system, and the value there."""
        if item.system == "moodle":
            return PARTICIPANT + self.assignment, item.key
        if item.system == "moodle-blind":
            return PARTICIPANT + self.assignment, student.rpartition(" ")[2]
        column = _COLUMNS.get(item.system, "")
        value = student if item.system == "blackboard" else item.key
        return (column, value) if column and item.system in SYSTEMS else ("", "")
