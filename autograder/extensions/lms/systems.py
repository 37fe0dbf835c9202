"""CSV files of learning systems: which columns name the student, and which takes the grade.

Canvas: a gradebook, one column for each assignment, ``Hands-on (5678)``; the points possible stand in a row.
Moodle: the grading worksheet of one assignment, in English or German. Blackboard: a column is
``Hands-on [Total Pts: 20 Score] |5678``.
Brightspace: ``Hands-on Points Grade <Numeric MaxPoints:20>``, and ``#`` before numbers and names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder._util import registry
from autograder.errors import UsageError
from autograder.extensions.lms.account import System
from autograder.extensions.lms.matching import CANVAS, PARTICIPANT, REGISTRY, Known, numbers
from autograder.extensions.lms.rest import Client
from autograder.extensions.lms.sheet import Sheet
from autograder.records.course import Assignment, Course

_CANVAS = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)")
_BLACKBOARD = re.compile(r"(?P<title>.*?) \[Total Pts: (?:up to )?(?P<points>[\d.,]+)[^\]]*\] ?\|(?P<id>\d+)")
_GERMAN_WORKSHEET = ("Bewertung kann geändert werden", "Zuletzt geändert (Bewertung)")
"""Headings that tell Moodle's grading worksheet in German from a table of one's own."""
_BRIGHTSPACE = re.compile(r"(?P<title>.*) Points Grade(?: <.*?MaxPoints:(?P<points>[\d.,]+).*>)?")


@dataclass(frozen=True)
class Column:
    """The column that takes the grades."""

    index: int
    points: float | None = None
    """Points that the learning system counts for it, where the file tells."""
    comments: int | None = None
    """Index of the column for comments."""
    locked: int | None = None
    """Index of a column that says ``No`` or ``Nein`` where a grade cannot be changed."""
    maximum: int | None = None
    """Index of a column with the points that each row counts."""


@dataclass(frozen=True)
class Layout:
    """What one file is."""

    system: str
    people: tuple[int, ...]
    """Rows of students."""
    known: tuple[Known, ...]
    """Names of each of ``people``."""
    column: Column


@dataclass(frozen=True)
class SystemKind:
    """A learning system that a package registers."""

    title: str
    """The name that people know, for messages; also that of its layouts."""
    recognize: Callable[[Sheet, Sequence[str], str], Layout | None] | None = None
    """Reads a grade file, given the titles of the assignment and the heading of ``--column`` or ``""``; returns None
    for the file of another system. None: ``--into`` takes no file of it."""
    connect: Callable[[Client, int, int], System] | None = None
    """Opens an assignment by the API, given the numbers of course and assignment; None: it has no API."""
    open: Callable[[Course, Assignment], System] | None = None
    """Opens an assignment by what the extension itself knows; course.yaml then needs no address, and no numbers."""


def recognize(sheet: Sheet, titles: Sequence[str], column: str = "", key: str = "") -> Layout:
    """Find out whose file it is, and where the grades of an assignment go.

    Args:
        sheet: the file.
        titles: the assignment's name, title and number, as the learning system may have them.
        column: the heading of the grades' column, where the titles do not tell.
        key: the heading of the column that names the student, for a file of another system.

    Raises:
        UsageError: no column, or more than one, fits; or the file is of no known system and ``key`` is not given.
    """
    if key:
        return _generic(sheet, column, key)
    if sheet.column("SIS Login ID", "SIS User ID") is not None and sheet.column("Student") is not None:
        return _canvas(sheet, titles, column)
    if sheet.column("Identifier") is not None and sheet.column("Grade") is not None:
        return _moodle(sheet)
    if sheet.column("Bewertung") is not None and sheet.column(*_GERMAN_WORKSHEET) is not None:
        return _moodle(sheet)
    if any(_BLACKBOARD.fullmatch(heading.strip()) for heading in sheet.header):
        return _graded(sheet, "Blackboard", _BLACKBOARD, titles, column, ("Student ID",), ("Username", "User Name"))
    if sheet.column("OrgDefinedId", "Org Defined ID") is not None or sheet.column("End-of-Line Indicator") is not None:
        ids = ("OrgDefinedId", "Org Defined ID")
        return _graded(sheet, "Brightspace", _BRIGHTSPACE, titles, column, ids, ("Username", "Email"))
    return _registered(sheet, titles, column)


def _registered(sheet: Sheet, titles: Sequence[str], column: str) -> Layout:
    """Ask the registered learning systems in turn."""
    kinds = [registered(name) for name in registry.names(registry.SYSTEMS)]
    readers = [kind.recognize for kind in kinds if kind.recognize is not None]
    layouts = (reader(sheet, titles, column) for reader in readers)
    layout = next((layout for layout in layouts if layout is not None), None)
    if layout is None:
        titled = ["Canvas", "Moodle", "Blackboard", "Brightspace", *(kind.title for kind in kinds if kind.recognize)]
        raise UsageError(
            f"{sheet.name} is no grade file of {', '.join(titled[:-1])} or {titled[-1]}; name the column with the "
            f"students by --key and the one for the grades by --column ({_headings(sheet)})"
        )
    return layout


def registered(name: str) -> SystemKind:
    """Import a registered learning system.

    Raises:
        HostError: nobody registers it, or it cannot be imported.
    """
    kind: SystemKind = registry.load(registry.SYSTEMS, name)
    return kind


def _canvas(sheet: Sheet, titles: Sequence[str], column: str) -> Layout:
    student = sheet.column("Student")
    rows = [number for number in range(1, len(sheet.rows)) if not _is_canvas_note(sheet.rows[number])]
    chosen = _choose(sheet, _CANVAS, titles, column)
    points = next(
        (_number(row[chosen]) for row in sheet.rows[1:] if row[student or 0].strip() == "Points Possible"), None
    )
    identities = tuple(
        Known(
            numbers(CANVAS, _cells(sheet, row, ("ID",)))
            + numbers(REGISTRY, _cells(sheet, row, ("SIS User ID", "Integration ID"))),
            tuple(_cells(sheet, row, ("SIS Login ID", "Email"))),
            tuple(_cells(sheet, row, ("Student",))),
        )
        for row in rows
    )
    return Layout("Canvas", tuple(rows), identities, Column(chosen, points))


def _is_canvas_note(row: Sequence[str]) -> bool:
    """Tell a row of Canvas's own: points possible, posting policies, its test student."""
    first = row[0].strip()
    return first in ("", "Points Possible", "Student, Test", "Test Student")


def _moodle(sheet: Sheet) -> Layout:
    rows = list(range(1, len(sheet.rows)))
    grade = sheet.column("Grade", "Bewertung")
    identifier = sheet.column("Identifier", "ID") or 0
    identities = tuple(
        Known(
            numbers(PARTICIPANT, [re.sub(r"\D", "", sheet.rows[row][identifier])])
            + numbers(REGISTRY, _cells(sheet, row, ("ID number", "ID-Nummer"))),
            tuple(_cells(sheet, row, ("Email address", "E-Mail-Adresse", "Username", "Anmeldename"))),
            tuple(_cells(sheet, row, ("Full name", "Vollständiger Name"))),
        )
        for row in rows
    )
    column = Column(
        grade or 0,
        comments=sheet.column("Feedback comments", "Feedback als Kommentar"),
        locked=sheet.column("Grade can be changed", "Bewertung kann geändert werden"),
        maximum=sheet.column("Maximum Grade", "Bestwertung"),
    )
    return Layout("Moodle", tuple(rows), identities, column)


def _graded(
    sheet: Sheet,
    system: str,
    pattern: re.Pattern[str],
    titles: Sequence[str],
    column: str,
    ids: Sequence[str],
    logins: Sequence[str],
) -> Layout:
    """Read a file whose headings tell the points."""
    rows = list(range(1, len(sheet.rows)))
    chosen = _choose(sheet, pattern, titles, column)
    match = pattern.fullmatch(sheet.header[chosen].strip())
    points = _number(match["points"] or "") if match else None
    first, last = sheet.column("First Name"), sheet.column("Last Name")
    identities = tuple(
        Known(
            numbers(REGISTRY, _cells(sheet, row, ids)),
            tuple(text.lstrip("#") for text in _cells(sheet, row, logins)),
            () if first is None or last is None else (f"{sheet.rows[row][last]}, {sheet.rows[row][first]}",),
        )
        for row in rows
    )
    return Layout(system, tuple(rows), identities, Column(chosen, points))


def _generic(sheet: Sheet, column: str, key: str) -> Layout:
    index, grade = sheet.column(key), sheet.column(column) if column else None
    if index is None:
        raise UsageError(f"{sheet.name} has no column “{key}” ({_headings(sheet)})")
    if grade is None:
        missing = f"it has no column “{column}”" if column else "name the column for the grades by --column"
        raise UsageError(f"{sheet.name}: {missing} ({_headings(sheet)})")
    rows = tuple(range(1, len(sheet.rows)))
    identities = tuple(Known(numbers(REGISTRY, [value := sheet.rows[row][index]]), (value,), (value,)) for row in rows)
    return Layout("table", rows, identities, Column(grade))


def _choose(sheet: Sheet, pattern: re.Pattern[str], titles: Sequence[str], column: str) -> int:
    """Choose the column by its whole heading, its title or its number."""
    offered = {number: match for number, h in enumerate(sheet.header) if (match := pattern.fullmatch(h.strip()))}
    wanted = {_title(text) for text in ([column] if column else titles)} - {""}
    fitting = [
        number
        for number, match in offered.items()
        if wanted & {_title(sheet.header[number]), _title(match["title"]), match.groupdict().get("id", "")}
    ]
    if len(fitting) == 1:
        return fitting[0]
    listed = "; ".join(sheet.header[number].strip() for number in (fitting or offered)) or "none"
    problem = "more than one column fits" if fitting else f"no column is named “{column or titles[-1]}”"
    raise UsageError(f"{sheet.name}: {problem}; choose one by --column (columns for grades: {listed})")


def _title(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text).casefold().split())


def _cells(sheet: Sheet, row: int, headings: Sequence[str]) -> list[str]:
    """Return a row's cells below these headings, as far as they are there and not empty."""
    columns = [sheet.column(heading) for heading in headings]
    return [text for column in columns if column is not None and (text := sheet.rows[row][column].strip())]


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def _headings(sheet: Sheet) -> str:
    return "its columns: " + ", ".join(heading.strip() or "(empty)" for heading in sheet.header[:20])
