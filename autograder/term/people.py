"""The roster: who is in the course, from ``people.csv`` or ``people.yaml`` in the course folder."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from autograder._util.files import write_atomically
from autograder._util.student_names import student_name
from autograder._util.text import one_line
from autograder.errors import CourseError, HostError, SubmissionError
from autograder.records.course import Course
from autograder.term import csv_tables
from autograder.term.csv_tables import Faults, Row, Table

CSV_FILE = "people.csv"
YAML_FILE = "people.yaml"
ACTIVE, LEFT, UNLISTED = "active", "left", "unlisted"
"""Statuses: in the course; has left it; handed something in, and stands on no list of the course."""
STATUSES = (ACTIVE, LEFT, UNLISTED)
COLUMNS = (
    *("id", "name", "email", "section", "status", "team"),
    *("extra_days", "extra_late_days", "accommodations"),
)
"""Columns with a meaning; every other one is an id in another system, or a note, and is kept as it is."""
NUMBERS = ("extra_days", "extra_late_days")
"""Columns with a number of days."""
MAX_EXTRA_DAYS = 366.0


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the course."""

    id: str
    """The folder's name in submitted/, and the student's id in the gradebook."""
    name: str = ""
    email: str = ""
    section: str = ""
    status: str = ACTIVE
    """One of :data:`STATUSES`."""
    team: str = ""
    extra_days: float = 0.0
    """Days by which every date of an assignment is later for this person."""
    extra_late_days: float = 0.0
    """Late days in addition to those that everybody has."""
    accommodations: str = ""
    """Words for people."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """All further columns, as text: ``canvas_id``, ``sis_id``, ``sis_login``, ``moodle_id``,
    ``moodle_participant/<assignment>``, ``brightspace_id``, ``ilias_id``, and the course's own.
    """
    line: int = 0
    """Line in the file; 0 for a person who is not in it."""

    @property
    def shown(self) -> str:
        """Name for people, else the id."""
        return self.name or self.id


@dataclass(frozen=True)
class Roster:
    """The people of a course, in the order of the file."""

    people: tuple[Person, ...] = ()
    path: Path | None = None
    """None: the course has no roster yet."""
    table: Table | None = None
    """The CSV that it was read from: its separator, its encoding, and the order of its columns."""

    @cached_property
    def by_id(self) -> Mapping[str, Person]:
        """Id → person."""
        return {person.id: person for person in self.people}

    @property
    def is_list(self) -> bool:
        """Whether it says who is in the course; one of collected people alone does not."""
        return any(person.status != UNLISTED for person in self.people)

    def find(self, id: str) -> Person | None:
        """Return the person with this id; None if there is none."""
        return self.by_id.get(id)

    def name(self, id: str) -> str:
        """Return a person's name; empty if it is not known."""
        person = self.by_id.get(id)
        return person.name if person is not None else ""

    def with_id(self, system: str, value: str) -> Person | None:
        """Return the only person with this id in another system (``canvas_id``); None if there is none, or several."""
        return self._ids.get((system, value.casefold())) if value else None

    def called(self, name: str, *, turned: bool = False) -> Person | None:
        """Return the only person with this name, e-mail address or id; None if there is none, or several.

        White space, accents, case, and “Doe, Jane” for “Jane Doe” make no difference.

        Args:
            name: the name.
            turned: whether the last name may come first without a comma, as in Canvas's ``doejane``.
        """
        return (
            self.by_id.get(name) or self._names.get(plain(name)) or (turned and self._turned.get(plain(name))) or None
        )

    def namesakes(self, name: str) -> tuple[Person, ...]:
        """Return the people of a list who have this name; those who were collected alone are left out."""
        wanted = plain(name)
        return tuple(p for p in self.people if p.status != UNLISTED and wanted and plain(p.name) == wanted)

    @cached_property
    def _ids(self) -> Mapping[tuple[str, str], Person | None]:
        holders: dict[tuple[str, str], Person | None] = {}
        for person in self.people:
            for system, value in person.ids.items():
                key = (system, value.casefold())
                holders[key] = None if key in holders else person
        return holders

    @cached_property
    def _names(self) -> Mapping[str, Person | None]:
        return self._unique(lambda person: (person.id, person.email, person.name))

    @cached_property
    def _turned(self) -> Mapping[str, Person | None]:
        def spellings(person: Person) -> Iterable[str]:
            words = person.name.replace(",", " ").split()
            return (" ".join([*words[i:], *words[:i]]) for i in range(len(words)))

        return self._unique(spellings)

    def _unique(self, spellings: Callable[[Person], Iterable[str]]) -> Mapping[str, Person | None]:
        holders: dict[str, Person | None] = {}
        for person in self.people:
            for key in {plain(text) for text in spellings(person)} - {""}:
                holders[key] = None if key in holders else person
        return holders


def plain(name: str) -> str:
    """Reduce a name to its letters and digits, without case and accents; ``Doe, Jane`` is put in order before."""
    last, comma, first = name.partition(",")
    decomposed = unicodedata.normalize("NFKD", f"{first} {last}" if comma else name)
    return "".join(c for c in decomposed.casefold() if c.isalnum())


def load_roster(course: Course) -> Roster:
    """Read the course's roster; an empty one if it has none.

    Raises:
        CourseError: a line is wrong, or there are two files; all faults are named.
        HostError: it cannot be read.
    """
    csv, yaml = course.table(CSV_FILE), course.table(YAML_FILE)
    if csv.exists() and yaml.exists():
        raise CourseError(f"{CSV_FILE} and {YAML_FILE} are both there; keep one of them")
    if yaml.exists():
        return Roster(tuple(_from_yaml(yaml)), yaml)
    if not csv.exists():
        return Roster()
    return _roster(csv, csv_tables.read_content(csv))


@lru_cache(maxsize=4)
def _roster(path: Path, content: bytes) -> Roster:
    """Read the same content once: a door asks for the roster at each request."""
    table = csv_tables.parse_table(path.name, content)
    return Roster(people_of(table), path, table)


def people_of(table: Table) -> tuple[Person, ...]:
    """Read people from a table with the kit's own headings.

    Raises:
        CourseError: lines are wrong; all of them are named.
    """
    faults = Faults(table.name)
    if "id" not in table.headings:
        raise CourseError(
            f"{table.name}:1: there is no column “id”; name the column with the students' ids so, or read a learning "
            "system's list with `autograder people import`"
        )
    people = [_person(faults, row) for row in table.rows]
    check_unique(faults, people)
    faults.check()
    return tuple(people)


def _person(faults: Faults, row: Row) -> Person:
    values: dict[str, Any] = {name: row.get(name) for name in COLUMNS}
    values["status"] = read_status(faults, row.line, values["status"])
    for name in NUMBERS:
        values[name] = read_days(faults, row.line, name, values[name])
    ids = {name: text for name, text in row.cells.items() if name and name not in COLUMNS and text}
    for name, text in [("id", values["id"]), *ids.items()]:
        if csv_tables.is_rounded(text):
            faults.add(row.line, f"{name} “{text}” was rounded by a spreadsheet; format the column as text")
    try:
        values["id"] = student_name(values["id"])
    except SubmissionError as error:
        faults.add(row.line, f"id: {error}" if values["id"] else "there is no id")
    return Person(**values, ids=ids, line=row.line)


def read_status(faults: Faults, line: int, text: str) -> str:
    """Read a status; one that is none is a fault."""
    status = text.casefold() or ACTIVE
    if status not in STATUSES:
        faults.add(line, f"status “{one_line(status, 40)}” is none of {', '.join(STATUSES)}")
    return status


def read_days(faults: Faults, line: int, name: str, text: str) -> float:
    """Read a number of extra days; one that is none, or too large, is a fault."""
    try:
        days = csv_tables.number(text or "0")
        if not 0 <= days <= MAX_EXTRA_DAYS:
            raise ValueError(f"{days:g} is not between 0 and {MAX_EXTRA_DAYS:g}")
    except ValueError as error:
        faults.add(line, f"{name}: {error}")
        return 0.0
    return days


def check_unique(faults: Faults, people: Iterable[Person]) -> None:
    """Add a fault for each id, and each id in a learning system, that two people have."""
    owners: dict[tuple[str, str], Person] = {}
    for person in people:
        for system, value in [("id", person.id), *((s, v) for s, v in person.ids.items() if is_system_id(s))]:
            key = (system, value.casefold())
            if value and key in owners:
                first = owners[key].line
                faults.add(
                    person.line, f"{system} “{one_line(value, 60)}” is that of line {first}, too; delete or correct one"
                )
            owners.setdefault(key, person)


SYSTEM_IDS = ("canvas_id", "sis_id", "sis_login", "moodle_id", "blackboard_id", "brightspace_id", "ilias_id")
PROVISIONAL = "?"
"""End of the columns with numbers that came with a name alone: see :mod:`autograder.term.provisional`."""
PARTICIPANT = "moodle_participant/"
"""Beginning of the columns with Moodle's participant numbers, which are others for each assignment."""


def is_system_id(heading: str) -> bool:
    """Tell whether a column has a learning system's ids, so that no two people share one."""
    return heading in SYSTEM_IDS or (heading.startswith(PARTICIPANT) and not heading.endswith(PROVISIONAL))


def _from_yaml(path: Path) -> Sequence[Person]:
    import yaml

    from autograder._util.yaml_record import YamlReader, is_null, parse

    reader, node = YamlReader(path.name), parse(path)
    rows: list[Row] = []
    for item in reader.items(node, "people"):
        pairs = reader.pairs(item, "a person")
        cells = {}
        for key, (_, value) in pairs.items():
            if not isinstance(value, yaml.ScalarNode):
                raise reader.error(value, f"{key!r} must be a single value")
            cells[key] = "" if is_null(value) else " ".join(str(value.value).split())
        rows.append(Row(item.start_mark.line + 1, cells))
    return people_of(Table(path.name, ("id",), tuple(rows)))


# --- writing -----------------------------------------------------------------------------------------


def as_rows(people: Sequence[Person]) -> tuple[list[str], list[dict[str, str]]]:
    """Return headings and rows; columns without any value are left out, but for id and name."""
    rows = []
    for person in people:
        cells = {name: _cell_text(getattr(person, name)) for name in COLUMNS}
        cells["status"] = "" if person.status == ACTIVE else person.status
        rows.append({**cells, **person.ids})
    every = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
    used = [name for name in every if name in ("id", "name") or any(row.get(name) for row in rows)]
    return used, rows


def _cell_text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6f}".rstrip("0").rstrip(".") if value else ""


def save_roster(course: Course, people: Sequence[Person], before: Roster) -> Path:
    """Write the roster in one step; the file before is kept in .autograder/people/, and its mode stays.

    Args:
        course: the course.
        people: all people, in the order of the file.
        before: the roster as it was read; its file is written, in its manner.

    Returns:
        The file.

    Raises:
        CourseError: two people have one id.
        HostError: it cannot be written.
    """
    path = course.root / (before.path.name if before.path else CSV_FILE)
    numbered = [replace(person, line=line) for line, person in enumerate(people, 2)]
    faults = Faults(path.name)
    check_unique(faults, numbered)
    faults.check()
    headings, rows = as_rows(people)
    if path.suffix == ".yaml":
        import yaml

        content = [{name: row[name] for name in headings if row.get(name)} for row in rows]
        data = yaml.safe_dump(content, allow_unicode=True, sort_keys=False).encode()
    else:
        first = before.table.headings if before.table else ()
        data = csv_tables.as_text(dict.fromkeys([*first, *headings]), rows, before.table)
    mode = 0o600
    if path.exists():
        _keep(course, path)
        mode = path.stat().st_mode & 0o777
    write_atomically(path, data, mode=mode)
    return path


def _keep(course: Course, path: Path) -> None:
    folder = course.state / "people"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / f"{path.stem}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z{path.suffix}")
    except OSError as error:
        raise HostError(f"{folder} cannot be written ({error.strerror}); check free space and permissions") from error
