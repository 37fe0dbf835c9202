"""The grading worksheet of one assignment that Moodle exports, in English or German."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.extensions.lms.columns_by_title import nonempty_cells
from autograder.extensions.lms.matching import PARTICIPANT, REGISTRY, PersonNames, numbers
from autograder.extensions.lms.moodle import Moodle
from autograder.extensions.lms.sheet import Sheet
from autograder.extensions.lms.systems import Column, Layout, SystemKind

_GERMAN = ("Bewertung kann geändert werden", "Zuletzt geändert (Bewertung)")
"""Headings that tell the worksheet in German from a table of one's own."""


def recognize(sheet: Sheet, titles: Sequence[str], column: str) -> Layout | None:
    """Read a grading worksheet of Moodle; None for the file of another system."""
    in_english = sheet.column("Identifier") is not None and sheet.column("Grade") is not None
    in_german = sheet.column("Bewertung") is not None and sheet.column(*_GERMAN) is not None
    if not in_english and not in_german:
        return None
    rows = list(range(1, len(sheet.rows)))
    grade = sheet.column("Grade", "Bewertung")
    identifier = sheet.column("Identifier", "ID") or 0
    identities = tuple(
        PersonNames(
            numbers(PARTICIPANT, [re.sub(r"\D", "", sheet.rows[row][identifier])])
            + numbers(REGISTRY, nonempty_cells(sheet, row, ("ID number", "ID-Nummer"))),
            tuple(nonempty_cells(sheet, row, ("Email address", "E-Mail-Adresse", "Username", "Anmeldename"))),
            tuple(nonempty_cells(sheet, row, ("Full name", "Vollständiger Name"))),
        )
        for row in rows
    )
    grades = Column(
        grade or 0,
        comments=sheet.column("Feedback comments", "Feedback als Kommentar"),
        locked=sheet.column("Grade can be changed", "Bewertung kann geändert werden"),
        maximum=sheet.column("Maximum Grade", "Bestwertung"),
    )
    return Layout("Moodle", tuple(rows), identities, grades)


SYSTEM = SystemKind("Moodle", recognize, Moodle)
