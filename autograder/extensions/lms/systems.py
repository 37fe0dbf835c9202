"""Learning systems: which columns of a grade file name the student and take the grade, and who has an API.

Each system registers, those of this extension as those of any package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder._util import registry
from autograder.errors import UsageError
from autograder.extensions.lms.account import System
from autograder.extensions.lms.matching import REGISTRY, PersonNames, numbers
from autograder.extensions.lms.rest import Client
from autograder.extensions.lms.sheet import Sheet
from autograder.records.course import Assignment, Course


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
    known: tuple[PersonNames, ...]
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

    @property
    def has_api(self) -> bool:
        """Whether it takes results by an API."""
        return self.connect is not None or self.open is not None


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
    systems = []
    for kind in map(registered, system_names()):
        if kind.recognize is not None:
            if (layout := kind.recognize(sheet, titles, column)) is not None:
                return layout
            systems.append(kind.title)
    raise UsageError(
        f"{sheet.name} is no grade file of {', '.join(systems[:-1])} or {systems[-1]}; name the column with the "
        f"students by --key and the one for the grades by --column ({_headings(sheet)})"
    )


def system_names() -> list[str]:
    """List the registered learning systems: first the kit's own, so that no package takes their files."""
    names = registry.names(registry.SYSTEMS)
    return sorted(names, key=lambda name: not registry.is_own(registry.SYSTEMS, name))


def registered(name: str) -> SystemKind:
    """Import a registered learning system.

    Raises:
        HostError: nobody registers it, or it cannot be imported.
    """
    kind: SystemKind = registry.load(registry.SYSTEMS, name)
    return kind


def _generic(sheet: Sheet, column: str, key: str) -> Layout:
    index, grade = sheet.column(key), sheet.column(column) if column else None
    if index is None:
        raise UsageError(f"{sheet.name} has no column “{key}” ({_headings(sheet)})")
    if grade is None:
        missing = f"it has no column “{column}”" if column else "name the column for the grades by --column"
        raise UsageError(f"{sheet.name}: {missing} ({_headings(sheet)})")
    rows = tuple(range(1, len(sheet.rows)))
    identities = tuple(
        PersonNames(numbers(REGISTRY, [value := sheet.rows[row][index]]), (value,), (value,)) for row in rows
    )
    return Layout("table", rows, identities, Column(grade))


def _headings(sheet: Sheet) -> str:
    return "its columns: " + ", ".join(heading.strip() or "(empty)" for heading in sheet.header[:20])
