"""Presence: who of the roster has handed in, who has not, and who is in nobody's list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from autograder._util.text import one_line
from autograder.term.people import ACTIVE, LEFT, UNLISTED, Person, Roster
from autograder.term.provisional import Provisional


@dataclass(frozen=True, slots=True)
class Presence:
    """People and hand-ins of one assignment, compared."""

    unknown: tuple[str, ...] = ()
    """Students who handed in and are not in the course, by the roster."""
    missing: tuple[Person, ...] = ()
    """People of the course who have not handed in."""
    left: tuple[Person, ...] = ()
    """People who handed in and have left the course."""
    by_name: tuple[str, ...] = ()
    """Students whom nothing but the name of an upload told."""
    contested: Mapping[str, str] = field(default_factory=dict)
    """Student → how two numbers of a learning system claim one name."""

    @property
    def remarks(self) -> dict[str, str]:
        """Student → a remark, for those whose hand-in a person should look at."""
        unknown = dict.fromkeys(self.unknown, "handed in, and is not in the roster")
        return {**unknown, **{person.id: "handed in, and has left the course" for person in self.left}}

    @property
    def doubts(self) -> list[str]:
        """Lines on the students of whom it is not certain that their hand-ins are theirs."""
        lines = [f"{one_line(student, 60)}: {why}" for student, why in self.contested.items()]
        if self.by_name:
            listed = ", ".join(one_line(student, 60) for student in self.by_name[:_LISTED])
            more = f" and {len(self.by_name) - _LISTED} more" if len(self.by_name) > _LISTED else ""
            lines.append(f"found by the name of the upload alone, see `autograder people confirm`: {listed}{more}")
        return lines


_LISTED = 20
"""Number of students whom a sentence names."""


def presence(roster: Roster, handed_in: Collection[str], assignment: str) -> Presence:
    """Compare the roster with the students who handed in; without a list of the course, nothing can be said."""
    if not roster.is_list:
        return Presence()
    students = sorted(set(handed_in))
    doubtful = Provisional(roster)
    contested = doubtful.contested(assignment)
    status = {person.id: person.status for person in roster.people}
    return Presence(
        tuple(student for student in students if status.get(student, UNLISTED) == UNLISTED),
        tuple(person for person in roster.people if person.status == ACTIVE and person.id not in set(students)),
        tuple(person for person in roster.people if person.status == LEFT and person.id in set(students)),
        tuple(s for s in students if s not in contested and doubtful.numbers(s, assignment)),
        contested,
    )
