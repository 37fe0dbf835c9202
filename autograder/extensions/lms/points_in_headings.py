"""Grade files of Blackboard and Brightspace, whose headings tell an assignment's points.

Blackboard: ``Hands-on [Total Pts: 20 Score] |5678``. Brightspace: ``Hands-on Points Grade <Numeric MaxPoints:20>``, and
``#`` before numbers and names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.extensions.lms.columns_by_title import choose_column, nonempty_cells, read_number
from autograder.extensions.lms.matching import REGISTRY, PersonNames, numbers
from autograder.extensions.lms.sheet import Sheet
from autograder.extensions.lms.systems import Column, Layout, SystemKind

_BLACKBOARD = re.compile(r"(?P<title>.*?) \[Total Pts: (?:up to )?(?P<points>[\d.,]+)[^\]]*\] ?\|(?P<id>\d+)")
_BRIGHTSPACE = re.compile(r"(?P<title>.*) Points Grade(?: <.*?MaxPoints:(?P<points>[\d.,]+).*>)?")
_BRIGHTSPACE_IDS = ("OrgDefinedId", "Org Defined ID")


def recognize_blackboard(sheet: Sheet, titles: Sequence[str], column: str) -> Layout | None:
    """Read a grade file of Blackboard; None for the file of another system."""
    if not any(_BLACKBOARD.fullmatch(heading.strip()) for heading in sheet.header):
        return None
    return _graded(sheet, "Blackboard", _BLACKBOARD, titles, column, ("Student ID",), ("Username", "User Name"))


def recognize_brightspace(sheet: Sheet, titles: Sequence[str], column: str) -> Layout | None:
    """Read a grade file of Brightspace; None for the file of another system."""
    if sheet.column(*_BRIGHTSPACE_IDS, "End-of-Line Indicator") is None:
        return None
    return _graded(sheet, "Brightspace", _BRIGHTSPACE, titles, column, _BRIGHTSPACE_IDS, ("Username", "Email"))


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
    chosen = choose_column(sheet, pattern, titles, column)
    match = pattern.fullmatch(sheet.header[chosen].strip())
    points = read_number(match["points"] or "") if match else None
    first, last = sheet.column("First Name"), sheet.column("Last Name")
    identities = tuple(
        PersonNames(
            numbers(REGISTRY, nonempty_cells(sheet, row, ids)),
            tuple(text.lstrip("#") for text in nonempty_cells(sheet, row, logins)),
            () if first is None or last is None else (f"{sheet.rows[row][last]}, {sheet.rows[row][first]}",),
        )
        for row in rows
    )
    return Layout(system, tuple(rows), identities, Column(chosen, points))


BLACKBOARD = SystemKind("Blackboard", recognize_blackboard)
BRIGHTSPACE = SystemKind("Brightspace", recognize_brightspace)
