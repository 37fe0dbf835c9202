"""Provisional numbers: those of a learning system that came with nothing but a person's name.

A display name is the student's own choice, so the number that comes with it may be another person's. It stands in a
column of its own, ``canvas_id?`` beside ``canvas_id``, with ``;`` between several, until a list of the course or a
person confirms it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from autograder._util.text import one_line
from autograder._util.yaml_record import suggest
from autograder.errors import UsageError
from autograder.term.people import PARTICIPANT, PROVISIONAL, UNLISTED, Person, Roster, is_system_id

_SEPARATOR = "; "


class Provisional:
    """Provisional numbers of a roster that nobody in the course has for good, by person and by number."""

    def __init__(self, roster: Roster) -> None:
        self._of: dict[str, dict[str, tuple[str, ...]]] = {}
        self._holders: dict[tuple[str, str], list[str]] = {}
        for person in roster.people:
            for column, text in person.ids.items():
                heading = column.removesuffix(PROVISIONAL)
                if column != heading and heading not in person.ids:
                    for number in _split(text):
                        if _owner(roster, heading, number) is None:
                            self.add(person.id, heading, number)

    def add(self, student: str, heading: str, number: str) -> None:
        """Add a number that came with a person's name."""
        numbers = self._of.setdefault(student, {})
        if number not in numbers.get(heading, ()):
            numbers[heading] = (*numbers.get(heading, ()), number)
            self._holders.setdefault((heading, number), []).append(student)

    def numbers(self, student: str, assignment: str = "") -> dict[str, tuple[str, ...]]:
        """Return a person's numbers by their heading.

        Args:
            student: the person's id.
            assignment: leave out Moodle's participant numbers of other assignments; empty: keep all.
        """

        def fits(heading: str) -> bool:
            return not (assignment and heading.startswith(PARTICIPANT)) or heading == PARTICIPANT + assignment

        return {heading: some for heading, some in self._of.get(student, {}).items() if fits(heading)}

    def is_contested(self, student: str, heading: str, numbers: Collection[str]) -> bool:
        """Tell whether several numbers claim a person's name, or one of them came under another person's, too."""
        return len(numbers) > 1 or any(
            holder != student for number in numbers for holder in self._holders.get((heading, number), ())
        )

    def holder(self, heading: str, number: str) -> str | None:
        """Return the id of the only person who has a number; None if there is none, or several."""
        holders = self._holders.get((heading, number), ())
        return holders[0] if len(holders) == 1 else None

    def contested(self, assignment: str = "") -> dict[str, str]:
        """Return each person whose name or number two claim → a sentence."""
        return {
            student: claimed(heading, numbers)
            for student in sorted(self._of)
            for heading, numbers in self.numbers(student, assignment).items()
            if self.is_contested(student, heading, numbers)
        }

    def claim_of(self, number: str, assignment: str = "") -> str:
        """Say whose name a number claims beside others; empty if it claims none."""
        for student, reason in self.contested(assignment).items():
            if any(number in some for some in self.numbers(student, assignment).values()):
                return reason
        return ""


def _split(text: str) -> list[str]:
    return [number.strip() for number in text.split(";") if number.strip()]


def _owner(roster: Roster, heading: str, number: str) -> Person | None:
    """Return the person of the course with this number; people who stand on no list own none for good."""
    owner = roster.with_id(heading, number)
    return None if owner is None or owner.status == UNLISTED else owner


def with_number(person: Person, heading: str, number: str) -> Person:
    """Return the person with one provisional number more."""
    numbers = _split(person.ids.get(heading + PROVISIONAL, ""))
    return replace(
        person,
        ids={**person.ids, heading + PROVISIONAL: _SEPARATOR.join(dict.fromkeys([*numbers, number]))},
    )


def demoted(person: Person) -> Person:
    """Return the person with all confirmed numbers of learning systems made provisional."""
    ids = {heading: text for heading, text in person.ids.items() if not is_system_id(heading)}
    provisional = replace(person, ids=ids)
    for heading, number in person.ids.items():
        if is_system_id(heading):
            provisional = with_number(provisional, heading, number)
    return provisional


def with_confirmed(person: Person, heading: str, number: str) -> Person:
    """Return the person with this number for good."""
    return replace(person, ids={**person.ids, heading: number})


def confirm(roster: Roster, student: str, number: str = "") -> tuple[tuple[Person, ...], str, str]:
    """Make a provisional number a student's for good.

    Args:
        roster: the roster.
        student: the student's id.
        number: the number; empty: the only one that is provisional.

    Returns:
        All people afterwards, the number's heading, and the number.

    Raises:
        UsageError: there is no such student or number, or it is not clear which one is meant.
    """
    person = roster.find(student)
    if person is None:
        raise UsageError(f"there is no student “{one_line(student, 60)}” in the roster{suggest(student, roster.by_id)}")
    waiting = [(heading, each) for heading, some in Provisional(roster).numbers(student).items() for each in some]
    fitting = [pair for pair in waiting if number in ("", pair[1])]
    listed = ", ".join(f"{heading} {one_line(each, 40)}" for heading, each in waiting) or "none"
    if not fitting:
        raise UsageError(f"{student} has no such number that waits to be confirmed (numbers that wait: {listed})")
    if len(fitting) > 1:
        raise UsageError(f"several numbers wait; choose one by --number, or edit {roster_name(roster)} ({listed})")
    heading, chosen = fitting[0]
    people = (with_confirmed(each, heading, chosen) if each.id == student else each for each in roster.people)
    return settled(people), heading, chosen


def roster_name(roster: Roster) -> str:
    """Return the name of the roster's file."""
    return roster.path.name if roster.path is not None else "people.csv"


def settled(people: Iterable[Person]) -> tuple[Person, ...]:
    """Drop provisional numbers of people who have a confirmed one, and those that are confirmed for others.

    Somebody who stands on no list loses a number that a person of the course has.
    """
    people = tuple(people)
    owned = {(h, n.casefold()) for p in people if p.status != UNLISTED for h, n in p.ids.items()}

    def kept(person: Person) -> dict[str, str]:
        ids = {}
        for column, text in person.ids.items():
            heading = column.removesuffix(PROVISIONAL)
            if column != heading:
                numbers = [n for n in _split(text) if (heading, n.casefold()) not in owned]
                text = "" if heading in person.ids else _SEPARATOR.join(numbers)
            elif person.status == UNLISTED and (heading, text.casefold()) in owned:
                text = ""
            if text:
                ids[column] = text
        return ids

    return tuple(replace(person, ids=kept(person)) for person in people)


def claimed(heading: str, numbers: Sequence[str]) -> str:
    """Say that it is not clear whose a name is."""
    listed = " and ".join(one_line(number, 40) for number in numbers)
    if len(numbers) > 1:
        return f"{heading} {listed} both claim this name; say whose it is with `autograder people confirm`"
    return f"{heading} {listed} came under two names; say whose it is with `autograder people confirm`"
