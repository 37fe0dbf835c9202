"""Headings of questions: the nearest one above a question's cell is its title on pages."""

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
            matches = _HEADING.findall(_FENCED.sub("", source[:MAX_HEADING_SOURCE]))
            heading = matches[-1].strip() if matches else heading
        if grade_id:
            titles[grade_id] = one_line(_MARKUP.sub("", heading), 120)
    return titles
