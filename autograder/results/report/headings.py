"""Headings of notebooks: the nearest one above a question's cell is its title on pages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autograder._util.text import one_line

HeadedCell = tuple[str, str, str | None]
"""Type, source and id of a cell."""
MAX_HEADING_SOURCE = 20_000
"""Characters of a text cell that are searched for headings."""
_HEADING = re.compile(r"^ {0,3}#{1,6} +([^\n]{1,300})$", re.MULTILINE)
_FENCED = re.compile(r"^```[^`]*^```", re.MULTILINE)
_MARKUP = re.compile(r"[*_`]|#+ *$")


def headings(cells: Iterable[HeadedCell]) -> dict[str, str]:
    """Find the heading above each cell with an id: id → heading, in plain words."""
    titles: dict[str, str] = {}
    heading = ""
    for kind, source, grade_id in cells:
        if kind == "markdown":
            heading = next(reversed(headings_of(source)), heading)
        if grade_id:
            titles[grade_id] = heading
    return titles


def headings_of(source: str) -> list[str]:
    """Find the headings in the source of a text cell, in plain words."""
    return [_plain(heading) for heading in _HEADING.findall(_FENCED.sub("", source[:MAX_HEADING_SOURCE]))]


def anchor(heading: str) -> str:
    """Write a heading as links to it do in Jupyter: ``Early stopping`` is ``Early-stopping``."""
    return _plain(heading).replace(" ", "-")


def _plain(heading: str) -> str:
    return one_line(_MARKUP.sub("", heading.strip()), 120)
