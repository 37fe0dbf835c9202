"""Presence: who of the roster has handed in, who has not, and who is in nobody's list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from autograder.term.people import ACTIVE, LEFT, UNLISTED, Person, Roster


@dataclass(frozen=True, slots=True)
class Presence:
    """People and hand-ins of one assignment, compared."""

    unknown: tuple[str, ...] = ()
    """Students who handed in and are not in the course, by the roster."""
    missing: tuple[Person, ...] = ()
    """People of the course who have not handed in."""
    left: tuple[Person, ...] = ()
    """People who handed in and have left the course."""

    @property
    def remarks(self) -> dict[str, str]:
        """Student → a remark, for those whose hand-in a person should look at."""
        unknown = dict.fromkeys(self.unknown, "handed in, and is not in the roster")
        return {**unknown, **{person.id: "handed in, and has left the course" for person in self.left}}


def presence(roster: Roster, handed_in: Collection[str]) -> Presence:
    """Compare the roster with the students who handed in; without a list of the course, nothing can be said."""
    if not roster.is_list:
        return Presence()
    students = sorted(set(handed_in))
    status = {person.id: person.status for person in roster.people}
    return Presence(
        tuple(student for student in students if status.get(student, UNLISTED) == UNLISTED),
        tuple(person for person in roster.people if person.status == ACTIVE and person.id not in set(students)),
        tuple(person for person in roster.people if person.status == LEFT and person.id in set(students)),
    )
