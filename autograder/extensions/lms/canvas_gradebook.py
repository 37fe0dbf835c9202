"""The gradebook that Canvas exports: a column for each assignment, ``Hands-on (5678)``.

The points possible stand in a row of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.extensions.lms.canvas import Canvas
from autograder.extensions.lms.columns_by_title import choose_column, nonempty_cells, read_number
from autograder.extensions.lms.matching import CANVAS, REGISTRY, PersonNames, numbers
from autograder.extensions.lms.sheet import Sheet
from autograder.extensions.lms.systems import Column, Layout, SystemKind

_ASSIGNMENT = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)")


def recognize(sheet: Sheet, titles: Sequence[str], column: str) -> Layout | None:
    """Read a gradebook of Canvas; None for the file of another system."""
    if sheet.column("SIS Login ID", "SIS User ID") is None or sheet.column("Student") is None:
        return None
    student = sheet.column("Student")
    rows = [number for number in range(1, len(sheet.rows)) if not _is_canvas_note(sheet.rows[number])]
    chosen = choose_column(sheet, _ASSIGNMENT, titles, column)
    points = next(
        (read_number(row[chosen]) for row in sheet.rows[1:] if row[student or 0].strip() == "Points Possible"), None
    )
    identities = tuple(
        PersonNames(
            numbers(CANVAS, nonempty_cells(sheet, row, ("ID",)))
            + numbers(REGISTRY, nonempty_cells(sheet, row, ("SIS User ID", "Integration ID"))),
            tuple(nonempty_cells(sheet, row, ("SIS Login ID", "Email"))),
            tuple(nonempty_cells(sheet, row, ("Student",))),
        )
        for row in rows
    )
    return Layout("Canvas", tuple(rows), identities, Column(chosen, points))


def _is_canvas_note(row: Sequence[str]) -> bool:
    """Tell whether a row is Canvas's own: points possible, posting policies, its test student."""
    first = row[0].strip()
    return first in ("", "Points Possible", "Student, Test", "Test Student")


SYSTEM = SystemKind("Canvas", recognize, Canvas)
