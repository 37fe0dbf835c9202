"""Import of people: lists of Canvas, Moodle, nbgrader and others, merged into the roster."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograder._util.student_names import student_name
from autograder._util.text import one_line
from autograder.errors import SubmissionError
from autograder.extensions.people.list_headings import columns_of, system_of
from autograder.extensions.people.nbgrader_people import people_of_gradebook
from autograder.term import csv_tables
from autograder.term.csv_tables import Faults, Row
from autograder.term.people import (
    ACTIVE,
    COLUMNS,
    LEFT,
    NUMBERS,
    PARTICIPANT,
    UNLISTED,
    Person,
    Roster,
    is_system_id,
    read_days,
    read_status,
)
from autograder.term.provisional import demoted, settled

if TYPE_CHECKING:
    from sqlalchemy import URL

_IDS = ("id", "sis_login", "username", "blackboard_id", "moodle_id", "sis_id", "email")
"""Columns that may become the id of a new person, the first one that has a value."""
SYSTEMS = ("canvas", "moodle", "blackboard", "brightspace", "nbgrader", "table")


@dataclass(frozen=True)
class ImportedRoster:
    """What an import would do."""

    people: tuple[Person, ...]
    """The roster afterwards."""
    new: tuple[Person, ...] = ()
    changed: tuple[Person, ...] = ()
    gone: tuple[Person, ...] = ()
    """People in the course before who are not in the imported list."""
    left_out: tuple[str, ...] = ()
    """Lines that are no students, each with the reason."""
    by_name: tuple[str, ...] = ()
    """Ids of people whom the name alone found, and who get a number by it."""


def read_people(
    source: Path | URL | str, system: str = "", assignment: str = "", columns: Mapping[str, str] | None = None
) -> tuple[tuple[Person, ...], tuple[str, ...]]:
    """Read a learning system's list: people, whose ids may still be empty, and the lines that are no students.

    Args:
        source: the gradebook of Canvas, Blackboard or Brightspace as CSV; Moodle's participants, gradebook or grading
            worksheet as CSV. Or nbgrader's gradebook.db, the address of its database, or a table with the headings of
            people.csv.
        system: one of :data:`SYSTEMS`; empty: the headings tell.
        assignment: the assignment of Moodle's grading worksheet, whose participant numbers are its own.
        columns: what a column holds (``id``, ``name``, ``first``, …) → its heading, for other lists.

    Raises:
        CourseError: the list is wrong; all faults are named.
        UsageError: it cannot be told what it is.
        HostError: it cannot be read.
    """
    if not isinstance(source, Path) or system == "nbgrader" or (not system and source.suffix == ".db"):
        return people_of_gradebook(source), ()
    table = csv_tables.read_table(source)
    system = system or system_of(table)
    meaning = columns_of(table, system, columns or {})
    mark = "#" if system == "brightspace" else ""  # stands before its numbers and names
    faults, people, left_out = Faults(table.name), [], []
    for row in table.rows:
        cells = {held: row.get(heading).lstrip(mark) for held, heading in meaning.items() if row.get(heading)}
        if reason := _no_student(cells, row):
            left_out.append(f"{table.name}:{row.line}: {reason}")
            continue
        people.append(_read(faults, row, cells, assignment))
    faults.check()
    return tuple(people), tuple(left_out)


def _no_student(cells: Mapping[str, str], row: Row) -> str:
    """Return why a line is no student; empty if it is one."""
    name = cells.get("name", "")
    if name.startswith("Points Possible") or any(text.startswith("Manual Posting") for text in row.cells.values()):
        return "Canvas's line about the assignments"
    if name in ("Student, Test", "Test Student"):
        return "Canvas's test student"
    if cells.get("blackboard_id", "").endswith("_previewuser"):
        return "Blackboard's preview user"
    return "" if any(cells.values()) else "no name and no id"


def _read(faults: Faults, row: Row, cells: Mapping[str, str], assignment: str) -> Person:
    cells = dict(cells)
    name = cells.pop("name", "")
    first, last = cells.pop("first", ""), cells.pop("last", "")
    last_name, comma, first_name = name.partition(",")
    name = f"{first_name.strip()} {last_name.strip()}" if comma else name
    name = name or f"{first} {last}".strip()
    participant = cells.pop("participant", "")
    if participant and assignment:
        number = re.search(r"(\d+)$", participant)
        if number is None:
            faults.add(
                row.line, f"“{one_line(participant, 40)}” is no participant number of Moodle's (Participant 123)"
            )
        else:
            cells[PARTICIPANT + assignment] = number[1]
    fields = {key: cells.pop(key) for key in ("email", "section", "id", "team", "accommodations") if key in cells}
    numbers = {key: read_days(faults, row.line, key, cells.pop(key, "")) for key in NUMBERS}
    status = read_status(faults, row.line, cells.pop("status", ""))
    for key, text in [("id", fields.get("id", "")), *cells.items()]:
        if csv_tables.is_rounded(text):
            faults.add(
                row.line, f"{key} “{text}” was rounded by a spreadsheet; export the list again and do not save it"
            )
    ids = {key: text for key, text in cells.items() if text}
    return Person(fields.pop("id", ""), name, status=status, ids=ids, line=row.line, **fields, **numbers)  # type: ignore[arg-type]


def merge(
    roster: Roster, listed: Sequence[Person], name: str, id_column: str = "", *, whole: bool = True
) -> ImportedRoster:
    """Merge an imported list into the roster.

    A person is the same if an id of a learning system's, the e-mail address, or else the name is the same. What the
    list says replaces what the roster had; what it does not say stays, and so do id, status, team and accommodations.

    Args:
        roster: the roster.
        listed: the people of the list.
        name: the list's file name, for messages.
        id_column: the column that gives the ids of new people (``sis_login``, ``email``, …).
        whole: whether the list has everybody, so that others have left.

    Raises:
        CourseError: somebody is on the list twice, or has no possible id; all faults are named.
    """
    faults = Faults(name)
    people = {person.id: person for person in roster.people}
    lines: dict[str, int] = {}
    new, changed, by_name, imported_ids = [], [], [], set()
    for person in listed:
        before, is_sure = _same(roster, person)
        if before is None:
            merged = _with_id(faults, person, id_column)
            if merged is None:
                continue
        else:
            merged = _merged(before, person, is_sure=is_sure)
            if not is_sure and any(is_system_id(heading) for heading in person.ids.keys() - before.ids.keys()):
                by_name.append(before.id)
        if merged.id in imported_ids:
            first_place = f"line {lines[merged.id]}" if lines[merged.id] else "another entry"
            faults.add(person.line, f"“{one_line(merged.id, 60)}” is on the list twice (see {first_place}); delete one")
            continue
        if before is None and merged.id in people:
            clash = one_line(merged.id, 60)
            faults.add(
                person.line,
                f"the id “{clash}” is another person's in the roster ({one_line(people[merged.id].shown, 60)})",
            )
            continue
        imported_ids.add(merged.id)
        lines[merged.id] = person.line
        people[merged.id] = merged
        if before is None:
            new.append(merged)
        elif merged != before:
            changed.append(merged)
    faults.check()
    gone = [p for p in roster.people if whole and p.id not in imported_ids and p.status == ACTIVE]
    everybody = settled(people.values())
    return ImportedRoster(everybody, tuple(new), tuple(changed), tuple(gone), by_name=tuple(by_name))


def mark_left(imported: ImportedRoster) -> ImportedRoster:
    """Set the status of those who are no longer on the list to ``left``."""
    gone = {person.id for person in imported.gone}
    people = (replace(p, status=LEFT) if p.id in gone else p for p in imported.people)
    return replace(imported, people=tuple(people))


def _same(roster: Roster, person: Person) -> tuple[Person | None, bool]:
    """Find a person of the list in the roster, and tell whether more than the name agrees."""
    if person.id:
        return roster.find(person.id), True
    for system, value in person.ids.items():
        if is_system_id(system) and (match := roster.with_id(system, value)):
            return match, True
    for text in (person.email, *(person.ids.get(key, "") for key in ("sis_login", "username", "sis_id")), person.name):
        match = roster.called(text) if text else None
        if match is not None and not _contradicts(match, person):
            return match, text != person.name
    return None, False


def _contradicts(first: Person, second: Person) -> bool:
    """Tell whether the ids of two people of one name say that they are two."""
    common = [s for s in first.ids.keys() & second.ids.keys() if is_system_id(s)]
    different_mail = bool(first.email and second.email) and first.email.casefold() != second.email.casefold()
    return any(first.ids[s].casefold() != second.ids[s].casefold() for s in common) or (different_mail and not common)


def _merged(before: Person, listed: Person, *, is_sure: bool) -> Person:
    if before.status == UNLISTED and listed.status == ACTIVE and not is_sure:
        before = demoted(before)  # whoever handed in under this name need not be the one on the list
    return replace(
        before,
        name=listed.name or before.name,
        email=listed.email or before.email,
        section=listed.section or before.section,
        status=ACTIVE if before.status == UNLISTED and listed.status == ACTIVE else before.status,
        ids={**before.ids, **listed.ids},
    )


def _with_id(faults: Faults, person: Person, id_column: str) -> Person | None:
    values = {"id": person.id, "email": person.email, "name": person.name, **person.ids}
    text = values.get(id_column, "") if id_column else next((values[k] for k in _IDS if values.get(k)), person.name)
    try:
        return replace(person, id=student_name(text), line=0)
    except SubmissionError as error:
        problem = f"{error}" if text else f"there is no {id_column or 'id'} for “{one_line(person.shown, 60)}”"
        faults.add(person.line, f"{problem}; say with --id which column has the students' ids")
        return None


def is_known_column(held: str) -> bool:
    """Tell whether ``--column`` may name it."""
    return held in (*COLUMNS, "first", "last", "username", "participant") or is_system_id(held)
