"""Columns for grades whose headings name the assignment, and what the cells of a grade file say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.errors import UsageError
from autograder.extensions.lms.sheet import Sheet


def choose_column(sheet: Sheet, pattern: re.Pattern[str], titles: Sequence[str], column: str) -> int:
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


def nonempty_cells(sheet: Sheet, row: int, headings: Sequence[str]) -> list[str]:
    """Return a row's cells below these headings, as far as they are there and not empty."""
    columns = [sheet.column(heading) for heading in headings]
    return [text for column in columns if column is not None and (text := sheet.rows[row][column].strip())]


def read_number(text: str) -> float | None:
    """Read a number with a decimal point or comma; None for any other text."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
