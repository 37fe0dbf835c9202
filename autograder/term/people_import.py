"""Import of people: lists of Canvas, Moodle, nbgrader and others, merged into the roster."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder._util.student_names import student_name
from autograder._util.text import one_line
from autograder.errors import CourseError, SubmissionError, UsageError
from autograder.term import tables
from autograder.term.people import ACTIVE, COLUMNS, LEFT, PARTICIPANT, UNLISTED, Person, Roster, is_system_id
from autograder.term.tables import Faults, Row, Table

_HEADINGS: Mapping[str, Mapping[str, str]] = {
    "canvas": {
        "student": "name",
        "id": "canvas_id",
        "sis user id": "sis_id",
        "sis login id": "sis_login",
        "section": "section",
        "integration id": "integration_id",
    },
    "moodle": {
        "identifier": "participant",
        "id": "participant",
        "kennung": "participant",
        "full name": "name",
        "vollständiger name": "name",
        "first name": "first",
        "vorname": "first",
        "last name": "last",
        "surname": "last",
        "nachname": "last",
        "id number": "moodle_id",
        "id-nummer": "moodle_id",
        "username": "username",
        "anmeldename": "username",
        "email address": "email",
        "e-mail-adresse": "email",
        "e-mail": "email",
        "groups": "section",
        "gruppen": "section",
        "group": "section",
    },
}
"""System → heading in small letters → what the column holds."""
_CANVAS = {"student", "id", "section"}
"""Headings that tell Canvas's gradebook."""
_IDS = ("id", "sis_login", "username", "moodle_id", "sis_id", "email")
"""Columns that may become the id of a new person, the first one that has a value."""
SYSTEMS = ("canvas", "moodle", "nbgrader", "table")


@dataclass(frozen=True)
class Imported:
    """What an import would do."""

    people: tuple[Person, ...]
    """The roster afterwards."""
    new: tuple[Person, ...] = ()
    changed: tuple[Person, ...] = ()
    gone: tuple[Person, ...] = ()
    """People in the course before who are not in the imported list."""
    left_out: tuple[str, ...] = ()
    """Lines that are no students, each with the reason."""


def read_people(
    path: Path, system: str = "", assignment: str = "", columns: Mapping[str, str] | None = None
) -> tuple[tuple[Person, ...], tuple[str, ...]]:
    """Read a learning system's list: people, whose ids may still be empty, and the lines that are no students.

    Args:
        path: Canvas's gradebook as CSV, Moodle's participants, gradebook or grading worksheet as CSV, nbgrader's
            gradebook.db, or a table with the headings of people.csv.
        system: one of :data:`SYSTEMS`; empty: the headings tell.
        assignment: the assignment of Moodle's grading worksheet, whose participant numbers are its own.
        columns: what a column holds (``id``, ``name``, ``first``, …) → its heading, for other lists.

    Raises:
        CourseError: the list is wrong; all faults are named.
        UsageError: it cannot be told what it is.
        HostError: it cannot be read.
    """
    if system == "nbgrader" or (not system and path.suffix == ".db"):
        return _of_nbgrader(path), ()
    table = tables.read_table(path)
    meaning = _meaning(table, system, columns or {})
    faults, people, left_out = Faults(table.name), [], []
    for row in table.rows:
        cells = {held: row.get(heading) for held, heading in meaning.items() if row.get(heading)}
        if reason := _no_student(cells, row):
            left_out.append(f"{table.name}:{row.line}: {reason}")
            continue
        people.append(_read(faults, row, cells, assignment))
    faults.check()
    return tuple(people), tuple(left_out)


def _meaning(table: Table, system: str, columns: Mapping[str, str]) -> dict[str, str]:
    """Return what a column holds → its heading."""
    by_name = {heading.casefold(): heading for heading in table.headings}
    known = set(by_name)
    if columns:
        for heading in columns.values():
            if heading.casefold() not in known:
                raise UsageError(f"{table.name} has no column “{heading}”: {', '.join(table.headings)}")
        return {held: by_name[heading.casefold()] for held, heading in columns.items()}
    if not system and known >= _CANVAS:
        system = "canvas"
    if not system and "id" in table.headings:
        system = "table"
    if system == "table":
        return {heading: heading for heading in table.headings}
    if not system:
        of_moodle = {_HEADINGS["moodle"].get(heading) for heading in known}
        told = of_moodle & {"first", "name", "participant"} and of_moodle & {"email", "moodle_id"}
        system = "moodle" if told else ""
    if system not in _HEADINGS:
        raise UsageError(
            f"{table.name} is no list of Canvas's, Moodle's or nbgrader's, and has no column “id”: name its columns "
            f"with --column id=HEADING (its headings: {one_line(', '.join(table.headings), 300)})"
        )
    found: dict[str, str] = {}
    for heading in table.headings:
        held_by = _HEADINGS[system].get(heading.casefold())
        if held_by is not None:
            found.setdefault(held_by, heading)
    return found


def _no_student(cells: Mapping[str, str], row: Row) -> str:
    """Return why a line is no student; empty if it is one."""
    name = cells.get("name", "")
    if name.startswith("Points Possible") or any(text.startswith("Manual Posting") for text in row.cells.values()):
        return "Canvas's line about the assignments"
    if name in ("Student, Test", "Test Student"):
        return "Canvas's test student"
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
    given = {key: cells.pop(key) for key in ("email", "section", "id", "team", "accommodations") if key in cells}
    numbers = {}
    for key in ("extra_days", "extra_late_days"):
        try:
            numbers[key] = tables.number(cells.pop(key, "0") or "0")
        except ValueError as error:
            faults.add(row.line, f"{key}: {error}")
    status = cells.pop("status", ACTIVE).casefold() or ACTIVE
    for key, text in [("id", given.get("id", "")), *cells.items()]:
        if tables.is_rounded(text):
            faults.add(
                row.line, f"{key} “{text}” was rounded by a spreadsheet; export the list again and do not save it"
            )
    ids = {key: text for key, text in cells.items() if text}
    return Person(given.pop("id", ""), name, status=status, ids=ids, line=row.line, **given, **numbers)  # type: ignore[arg-type]


def _of_nbgrader(path: Path) -> tuple[Person, ...]:
    """Read the students of nbgrader's gradebook; the file is opened read-only."""
    if not path.is_file():
        raise UsageError(f"there is no gradebook {path}")
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute("SELECT id, first_name, last_name, email, lms_user_id FROM student ORDER BY id")
            return tuple(
                Person(id, f"{first or ''} {last or ''}".strip(), email or "", ids={"lms_user_id": lms} if lms else {})
                for id, first, last, email, lms in found
            )
    except sqlite3.Error as error:
        raise CourseError(f"{path.name}: is no gradebook of nbgrader's ({error})") from error


def merge(roster: Roster, found: Sequence[Person], name: str, id_column: str = "", *, whole: bool = True) -> Imported:
    """Merge an imported list into the roster.

    A person is the same if an id of a learning system's, the e-mail address, or else the name is the same. What the
    list says replaces what the roster had; what it does not say stays, and so do id, status, team and accommodations.

    Args:
        roster: the roster.
        found: the people of the list.
        name: the list's file name, for messages.
        id_column: the column that gives the ids of new people (``sis_login``, ``email``, …).
        whole: whether the list has everybody, so that others have left.

    Raises:
        CourseError: somebody is on the list twice, or has no possible id; all faults are named.
    """
    faults = Faults(name)
    people = {person.id: person for person in roster.people}
    lines: dict[str, int] = {}
    new, changed, seen = [], [], set()
    for person in found:
        before = _same(roster, person)
        if before is None:
            made = _with_id(faults, person, id_column)
            if made is None:
                continue
        else:
            made = _merged(before, person)
        if made.id in seen:
            where = f"line {lines[made.id]}" if lines[made.id] else "another entry"
            faults.add(person.line, f"“{one_line(made.id, 60)}” is on the list twice (see {where}); delete one")
            continue
        if before is None and made.id in people:
            clash = one_line(made.id, 60)
            faults.add(
                person.line,
                f"the id “{clash}” is another person's in the roster ({one_line(people[made.id].shown, 60)})",
            )
            continue
        seen.add(made.id)
        lines[made.id] = person.line
        people[made.id] = made
        if before is None:
            new.append(made)
        elif made != before:
            changed.append(made)
    faults.check()
    gone = [p for p in roster.people if whole and p.id not in seen and p.status == ACTIVE]
    return Imported(tuple(people.values()), tuple(new), tuple(changed), tuple(gone))


def mark_left(imported: Imported) -> Imported:
    """Set the status of those who are no longer on the list to ``left``."""
    gone = {person.id for person in imported.gone}
    people = (replace(p, status=LEFT) if p.id in gone else p for p in imported.people)
    return replace(imported, people=tuple(people))


def _same(roster: Roster, person: Person) -> Person | None:
    """Find a person of the list in the roster."""
    if person.id:
        return roster.find(person.id)
    for system, value in person.ids.items():
        if is_system_id(system) and (found := roster.with_id(system, value)):
            return found
    for text in (person.email, person.name, *(person.ids.get(key, "") for key in ("sis_login", "username", "sis_id"))):
        found = roster.called(text) if text else None
        if found is not None and not _contradicts(found, person):
            return found
    return None


def _contradicts(one: Person, other: Person) -> bool:
    """Tell whether the ids of two people of one name say that they are two."""
    common = [s for s in one.ids.keys() & other.ids.keys() if is_system_id(s)]
    different_mail = bool(one.email and other.email) and one.email.casefold() != other.email.casefold()
    return any(one.ids[s].casefold() != other.ids[s].casefold() for s in common) or (different_mail and not common)


def _merged(before: Person, found: Person) -> Person:
    return replace(
        before,
        name=found.name or before.name,
        email=found.email or before.email,
        section=found.section or before.section,
        status=ACTIVE if before.status == UNLISTED and found.status == ACTIVE else before.status,
        ids={**before.ids, **found.ids},
    )


def _with_id(faults: Faults, person: Person, id_column: str) -> Person | None:
    values = {"id": person.id, "email": person.email, "name": person.name, **person.ids}
    text = values.get(id_column, "") if id_column else next((values[k] for k in _IDS if values.get(k)), person.name)
    try:
        return replace(person, id=student_name(text), line=0)
    except SubmissionError as error:
        what = f"{error}" if text else f"there is no {id_column or 'id'} for “{one_line(person.shown, 60)}”"
        faults.add(person.line, f"{what}; say with --id which column has the students' ids")
        return None


def is_known_column(held: str) -> bool:
    """Tell whether ``--column`` may name it."""
    return held in (*COLUMNS, "first", "last", "username", "participant") or is_system_id(held)
