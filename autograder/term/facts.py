"""The facts of a term: the roster, and the extensions of course.yaml and extensions.csv, read together and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path

from autograder._util.files import Versions, versions_of, write_atomically
from autograder._util.text import one_line
from autograder._util.yaml_record import aware, suggest
from autograder.errors import CourseError, UsageError
from autograder.records.course import Course
from autograder.records.dates import Dates, Extension
from autograder.term import csv_tables
from autograder.term.csv_tables import MAX_FAULTS, Faults, Row, Table
from autograder.term.people import CSV_FILE, UNLISTED, YAML_FILE, Person, Roster, load_roster
from autograder.term.student_dates import own_dates, with_late_days
from autograder.term.teams import TEAMS_FILE, Membership, check_teams, read_teams

EXTENSIONS_FILE = "extensions.csv"
TERM_FILES = (CSV_FILE, YAML_FILE, EXTENSIONS_FILE, TEAMS_FILE)
_COLUMNS = ("student", "section", "assignment", "due", "days", "excused", "reason")
MAX_EXTENSION_DAYS = 366.0


@dataclass(frozen=True)
class Term:
    """The facts of a course's term."""

    course: Course
    roster: Roster = field(default_factory=Roster)
    extensions: tuple[Extension, ...] = ()
    memberships: tuple[Membership, ...] = ()
    """The lines of teams.csv."""

    def person(self, student: str) -> Person:
        """Return a student's entry in the roster, or one without anything."""
        return self.roster.find(student) or Person(student, status=UNLISTED)

    def dates(self, student: str, handed_in: Mapping[str, datetime]) -> dict[str, Dates]:
        """Return a student's dates for every assignment.

        Args:
            student: the student.
            handed_in: assignment → when the submission that counts was handed in.
        """
        person, assignments = self.person(student), tuple(self.course.assignments.values())
        before_late_days = {one.name: own_dates(one, person, self.extensions) for one in assignments}
        return with_late_days(assignments, before_late_days, handed_in, self.course.late_days, person)

    def has_late_days(self, student: str) -> bool:
        """Tell whether the student has late days, so that the dates of one assignment depend on the others."""
        return self.course.late_days.budget + self.person(student).extra_late_days > 0


def load_term(course: Course) -> Term:
    """Read the files of the term.

    Raises:
        CourseError: a line is wrong; all faults of a file are named.
        HostError: a file cannot be read.
    """
    roster = load_roster(course)
    path = course.table(EXTENSIONS_FILE)
    extensions = (*course.extensions, *(read_extensions(path, course.zone) if path.exists() else ()))
    faults = [f"{one.place}: {fault}" for one in extensions for fault in extension_faults(one, course, roster)]
    if faults:
        raise CourseError("\n".join(faults[:MAX_FAULTS]))
    teams = course.table(TEAMS_FILE)
    memberships = read_teams(teams) if teams.exists() else ()
    check_teams(memberships, course, roster)
    return Term(course, roster, extensions, memberships)


def term_versions(course: Course) -> Versions:
    """Return the versions of the term's files."""
    return versions_of(course.table(name) for name in TERM_FILES)


def read_extensions(path: Path, zone: tzinfo | None = None) -> tuple[Extension, ...]:
    """Read extensions.csv; a date without a zone is meant in the course's, or UTC.

    Raises:
        CourseError: lines are wrong; all of them are named.
    """
    table = csv_tables.read_table(path)
    faults = Faults(table.name)
    csv_tables.check_headings(table, faults, _COLUMNS)
    extensions = [_extension(faults, table.name, row, zone) for row in table.rows]
    faults.check()
    return tuple(extensions)


def add_extension(course: Course, extension: Extension) -> None:
    """Add a line to extensions.csv, unless it is there; UsageError: it is wrong.

    The caller holds the lock of what is collected.
    """
    path = course.table(EXTENSIONS_FILE)
    before = read_extensions(path, course.zone) if path.exists() else ()
    if faults := extension_faults(extension, course, load_roster(course)):
        raise UsageError("; ".join(faults))
    if any(replace(each, place="") == extension for each in before):
        return
    table = csv_tables.read_table(path) if path.exists() else Table(path.name, _COLUMNS, ())
    due = extension.due.isoformat(" ", "seconds") if extension.due else ""
    days = f"{extension.days:g}" if extension.days else ""
    cells = {**asdict(extension), "due": due, "days": days, "excused": "yes" if extension.excused else ""}
    rows = (*table.rows, Row(0, {key: cells[key] for key in _COLUMNS}))
    headings = tuple(dict.fromkeys([*table.headings, *_COLUMNS]))
    modes = [file.stat().st_mode & 0o777 for file in (path, course.root / CSV_FILE) if file.exists()]
    text = csv_tables.write_text(replace(table, headings=headings, rows=rows))
    write_atomically(path, text, mode=(*modes, 0o600)[0])  # who may read the people may read this


def _extension(faults: Faults, name: str, row: Row, zone: tzinfo | None) -> Extension:
    due, days, excused = None, 0.0, False
    try:
        due = csv_tables.moment(row.get("due"), zone) if row.get("due") else None
    except ValueError as error:
        faults.add(row.line, f"due: {error}")
    try:
        days = csv_tables.number(row.get("days")) if row.get("days") else 0.0
    except ValueError as error:
        faults.add(row.line, f"days: {error}")
    try:
        excused = csv_tables.truth(row.get("excused"))
    except ValueError as error:
        faults.add(row.line, f"excused: {error}")
    words = {key: row.get(key) for key in ("student", "section", "assignment", "reason")}
    return Extension(due=due, days=days, excused=excused, place=f"{name}:{row.line}", **words)


def extension_faults(extension: Extension, course: Course, roster: Roster) -> list[str]:
    """List what is wrong with an extension, and what to do."""
    faults = []
    if extension.student and extension.section:
        faults.append("name a student or a section, not both")
    if extension.student and roster.is_list and roster.find(extension.student) is None:
        near = suggest(extension.student, roster.by_id)
        faults.append(f"there is no student “{one_line(extension.student, 60)}” in the roster{near}")
    sections = {person.section.casefold(): person.section for person in roster.people if person.section}
    if extension.section and extension.section.casefold() not in sections:
        near = (
            suggest(extension.section, sections.values())
            or f"; sections: {', '.join(sorted(sections.values())) or 'none'}"
        )
        faults.append(f"there is no section “{one_line(extension.section, 60)}” in the roster{near}")
    if extension.assignment and extension.assignment not in course.assignments:
        near = suggest(extension.assignment, course.assignments) or f"; assignments: {', '.join(course.assignments)}"
        faults.append(f"there is no assignment “{one_line(extension.assignment, 60)}”{near}")
        return faults
    if not (extension.due or extension.days or extension.excused):
        faults.append("neither due, nor days, nor excused is set; set one of them, or delete the line")
    if extension.due and extension.days:
        faults.append("set due or days, not both")
    if extension.days and not 0 < extension.days <= MAX_EXTENSION_DAYS:
        faults.append(f"days is {extension.days:g}; it must be above 0 and at most {MAX_EXTENSION_DAYS:g}")
    if extension.due and not extension.assignment:
        faults.append("a due date is that of one assignment; name it, or set days")
    if extension.assignment and (extension.due or extension.days):
        due = course.assignments[extension.assignment].due
        if due is None:
            faults.append(f"{extension.assignment} has no due date; set it in course.yaml")
        elif extension.due and aware(extension.due) <= aware(due):
            faults.append(
                f"due is not later than the due date of {extension.assignment} ({aware(due):%Y-%m-%d %H:%M %Z}); write "
                "a later one, or delete the line"
            )
    return faults
