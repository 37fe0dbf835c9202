"""People of a source: whose each upload is, and what its name tells beyond the roster."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder._util.files import write_atomically
from autograder._util.text import one_line
from autograder.errors import SubmissionError
from autograder.records.course import Course
from autograder.submissions.claims import claims_file, read_claims
from autograder.submissions.export_names import SYSTEMS
from autograder.submissions.lms import Item, numbered
from autograder.submissions.senders import Sender, Senders
from autograder.term.people import PARTICIPANT, UNLISTED, Person, Roster, load_roster, save_roster
from autograder.term.provisional import Provisional, claimed, settled, with_confirmed, with_number

_COLUMNS = {"canvas": "canvas_id", "brightspace": "brightspace_id", "ilias": "ilias_id", "blackboard": "blackboard_id"}
"""System → the roster's column with its number, or its name, of a student."""
_FULL_NAMES = frozenset({"moodle", "moodle-groups", "brightspace", "classroom"})
"""Systems whose names for uploads have the student's full name."""


_LOGINS = frozenset({"sakai", "ilias", "blackboard"})
"""Systems whose names for uploads have a login, which no student chooses."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose an upload is."""

    student: str
    """Id of the student."""
    given: str
    """The student as the upload's name has it."""
    notes: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    """Ids of the people whose name came with a number that the roster does not know."""
    is_confirmed: bool = False
    """Whether that number is the person's for good, since a login came with it."""


class People:
    """The course's roster while a source is collected."""

    def __init__(self, course: Course, assignment: str) -> None:
        self.course, self.assignment = course, assignment
        self.roster: Roster = load_roster(course)
        self.learned: dict[str, Person] = {}
        self.claims = read_claims(course, assignment)
        self.senders = Senders(course, assignment)
        self.provisional = Provisional(self.roster)

    def identified(self, item: Item, student: str) -> Identity:
        """Return the student's id by the roster; the name as it came if the roster knows nobody like that.

        A number of the learning system's outweighs the name: students may change their names there.
        """
        heading, number = self._id(item, student)
        person = self.roster.with_id(heading, number)
        if person is not None:
            self._refuse_contradiction(item, student, person)
            return Identity(person.id, student, _remarks(person))
        name = student.removesuffix(f" ({item.key})") if item.key else student
        person = self.roster.called(student, turned=item.system == "canvas")
        person = person or self.roster.called(name, turned=item.system == "canvas")
        if person is not None and person.status == UNLISTED and name != student:
            person = None  # several people of this name, none of whom a list knows
        if person is not None and number and person.ids.get(heading, number).casefold() != number.casefold():
            is_another = name == student and self.roster.find(student) is not None
            other = numbered(student, item.key) if is_another and item.key else student
            return Identity(other, student, (_UNKNOWN,) if self.roster.is_list else ())
        person = person or self.roster.find(self.provisional.holder(heading, number) or "")
        if person is None and len(namesakes := self.roster.namesakes(name)) > 1:
            return self._of_several(item, student, name, namesakes)
        if person is None:
            return Identity(student, student, (_UNKNOWN,) if self.roster.is_list else ())
        if not number or person.status == UNLISTED:
            return Identity(person.id, student, _remarks(person))
        return self._by_name(item, student, name, person)

    def _refuse_contradiction(self, item: Item, student: str, person: Person) -> None:
        """Refuse a file ``ann_777_1_….ipynb`` whose number is Bob's: it is Canvas's, or Ann chose what follows her id.

        Raises:
            SubmissionError: it cannot be told which.
        """
        other = self.roster.find(student)
        if item.is_told or item.system != "canvas" or other is None or other.id == person.id:
            return
        if other.status == UNLISTED or person.id == numbered(student, item.key):
            return  # two people of one name, of whom the first got it as the id
        raise SubmissionError(
            f"by its number it is {one_line(person.id, 60)}'s, and by its name {one_line(other.id, 60)}'s: say by "
            "--layout canvas that Canvas gave it, or name the file after the student alone"
        )

    def _by_name(self, item: Item, student: str, name: str, person: Person) -> Identity:
        """Return whose an upload is that has a person's name, and a number that is not known to be theirs."""
        heading, number = self._id(item, student)
        if item.system in _LOGINS and name.casefold() in _logins(person):
            return Identity(person.id, student, _remarks(person), (person.id,), is_confirmed=True)
        numbers = tuple(dict.fromkeys((*self.provisional.numbers(person.id).get(heading, ()), number)))
        if name == student and not self.provisional.is_contested(person.id, heading, numbers):
            note = f"found by the name alone ({heading} {one_line(number, 40)})"
            return Identity(person.id, student, (note, *_remarks(person)), (person.id,))
        sender = self.senders.of(person.id, self.course.submitted(person.id, self.assignment))
        is_own = sender is not None and (sender.heading, sender.number) == (heading, number)
        note = f"it waits: {claimed(heading, numbers)} (by its name, it is {one_line(person.id, 60)}'s)"
        return Identity(person.id if is_own else numbered(name, number), student, (note,), (person.id,))

    def _of_several(self, item: Item, student: str, name: str, namesakes: Sequence[Person]) -> Identity:
        """Return whose an upload is that several people of the roster may have handed in; mostly it waits.

        Raises:
            SubmissionError: it came without a number that could be confirmed later.
        """
        heading, number = self._id(item, student)
        several = f"several people of the roster have this name ({', '.join(one_line(p.id, 60) for p in namesakes)})"
        if not number:
            raise SubmissionError(f"{several}: name it after the student's id")
        candidates = [person for person in namesakes if heading not in person.ids] or namesakes
        waiting = numbered(name, number)
        if len(candidates) == 1 and not self.course.submitted(waiting, self.assignment).is_dir():
            return self._by_name(item, name, name, candidates[0])  # the others have other numbers
        todo = f"`autograder people confirm {one_line(candidates[0].id, 60)} --number {one_line(number, 40)}`"
        note = f"it waits: {several}; say whose it is, as with {todo}"
        return Identity(waiting, student, (note,), tuple(person.id for person in candidates))

    def _everybody(self) -> tuple[Person, ...]:
        listed = self.roster.by_id
        people = [self.learned.get(person.id, person) for person in self.roster.people]
        return (*people, *(person for id, person in self.learned.items() if id not in listed))

    def has_number(self, item: Item, student: str) -> bool:
        """Tell whether the roster knows this student's number in the system that the upload came from."""
        column, _ = self._id(item, student)
        person = self.roster.find(student)
        return person is not None and column in person.ids

    def learn(self, item: Item, identity: Identity, student: str, folder: Path | None) -> None:
        """Remember what the name of an upload told: a number of the learning system's, and the full name.

        Args:
            item: the upload.
            identity: whose it is.
            student: the student's id in submitted/.
            folder: where the submission lies; None: nowhere.
        """
        heading, number = self._id(item, identity.given)
        if not item.system or not item.is_given:
            return
        for claimed_by in identity.claims:
            person = self.learned.get(claimed_by) or self.roster.by_id[claimed_by]
            add = with_confirmed if identity.is_confirmed else with_number
            self.learned[person.id] = add(person, heading, number)
            if not identity.is_confirmed:
                self.provisional.add(person.id, heading, number)
        if identity.claims:
            if folder is not None and not identity.is_confirmed:
                name = identity.given.removesuffix(f" ({item.key})")
                self.senders.record(student, folder, Sender(heading, number, name))
            return
        before = self.learned.get(student) or self.roster.find(student) or Person(student, status=UNLISTED)
        name = before.name or (identity.given.removesuffix(f" ({item.key})") if item.system in _FULL_NAMES else "")
        if number or name:
            ids = {**before.ids, heading: number} if number else before.ids
            self.learned[student] = replace(before, name=name, ids=ids)

    def claim(self, student: str, team: Sequence[str]) -> None:
        """Remember whom a student's package names; names are the roster's ids where it knows them."""
        people = [self.roster.called(name) for name in team]
        ids = [name if person is None else person.id for name, person in zip(team, people, strict=True)]
        if ids or student in self.claims:
            self.claims[student] = ids

    def save(self) -> None:
        """Write what was learned into the roster, if it is new, the senders, and the teams that packages name."""
        if self.claims != read_claims(self.course, self.assignment):
            write_atomically(claims_file(self.course, self.assignment), json.dumps(self.claims, indent=1), mode=0o600)
        self.senders.save()
        listed = self.roster.by_id
        if any(listed.get(id) != person for id, person in self.learned.items()):
            save_roster(self.course, settled(self._everybody()), self.roster)

    def _id(self, item: Item, student: str) -> tuple[str, str]:
        """Return the roster's column for this system, and the value there."""
        if item.system in ("moodle", "moodle-groups"):
            return PARTICIPANT + self.assignment, item.key
        if item.system == "moodle-blind":
            return PARTICIPANT + self.assignment, student.rpartition(" ")[2]
        column = _COLUMNS.get(item.system, "")
        value = student if item.system == "blackboard" else item.key
        return (column, value) if column and item.system in SYSTEMS else ("", "")


_UNKNOWN = "not in the roster"


def _remarks(person: Person) -> tuple[str, ...]:
    return ("has left the course, by the roster",) if person.status == "left" else ()


def _logins(person: Person) -> set[str]:
    """Return the logins of a person, which no student chooses."""
    columns = (person.ids.get(heading, "") for heading in ("sis_login", "username", "blackboard_id"))
    return {text.casefold() for text in (person.id, person.email, *columns) if text}
