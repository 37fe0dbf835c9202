"""What a hand-in answers, compared with the release: so that no wrong file replaces the right one in silence."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder._util.text import one_line
from autograder.submissions.notebook_inspection import assignment_of, compare, marks_of, source_of

MAX_JUDGED = 4 << 20
"""Bytes of a notebook that is judged: more of them could take gigabytes as objects."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a hand-in answers, by the marks and texts of the release."""

    count: int = 0
    total: int = 0
    faults: tuple[str, ...] = ()
    """Why a notebook is none of this assignment, a sentence for each."""
    is_known: bool = False
    """Whether answers could be counted: where an editor dropped all marks, they cannot."""
    has_work: bool = False
    """Whether a notebook of this assignment is in it."""

    def __str__(self) -> str:
        return f"{self.count} of {self.total} answered"


def answered(release: Path, notebooks: Mapping[str, bytes | None]) -> Answered:
    """Count the answers in a hand-in's notebooks.

    Args:
        release: the folder of the release.
        notebooks: released name of a notebook → what was handed in; None: too large to be judged.
    """
    faults, count, total, has_marks = [], 0, 0, []
    for name, data in notebooks.items():
        if data is None:
            return Answered(has_work=True)
        try:
            released, names = _released((release / name).read_bytes())
        except (OSError, ValueError, RecursionError):  # it is being released
            return Answered(has_work=True)
        cells, fault = _own_cells(name, data, names)
        faults += [fault] if fault else []
        has_marks.append(any(map(marks_of, cells)) or not cells)
        answers, gaps, _ = compare(cells, released)
        count, total = count + len(answers), total + len(answers) + len(gaps)
    return Answered(count, total, tuple(faults), bool(notebooks) and all(has_marks), len(faults) < len(notebooks))


@functools.lru_cache(maxsize=8)
def _released(content: bytes) -> tuple[list[Mapping[str, Any]], frozenset[str]]:
    """Return the cells of a released notebook and what they are known by, for all hand-ins of a class."""
    cells = _cells(content)
    return cells, frozenset(_names(cells))


def _own_cells(name: str, data: bytes, names: Set[str]) -> tuple[list[Mapping[str, Any]], str]:
    """Return a student's cells; none, and a sentence, if they are no notebook's, or the release has none of them."""
    try:
        cells = _cells(data)
    except (ValueError, RecursionError) as error:
        return [], f"{name} is no notebook ({one_line(str(error))}). Save it in Jupyter again, and hand that in."
    if names and not names & set(_names(cells)):
        origin = one_line(assignment_of(data))
        whose = f": it is that of “{origin}”" if origin else ""
        return [], f"{name} has no cell of the released notebook in it{whose}"
    return cells, ""


def _cells(data: bytes) -> list[Mapping[str, Any]]:
    content = json.loads(data.decode("utf-8-sig"))
    if not isinstance(content, dict):
        raise ValueError("not an object of JSON")
    sheets = content.get("worksheets")  # of format 3
    parts = [content, *(sheets if isinstance(sheets, list) else [])]
    listed = [part.get("cells") for part in parts if isinstance(part, dict)]
    return [cell for cells in listed if isinstance(cells, list) for cell in cells if isinstance(cell, dict)]


def _names(cells: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a cell is known by: its mark, which some editors drop, its text, the names that it binds."""
    from autograder.syntax.cell_matching import bound_names  # a student's installation packs, and compares nothing

    for cell in cells:
        if marks := marks_of(cell):
            yield f"mark {marks['grade_id']}"
        text = source_of({"source": cell.get("source", cell.get("input", ""))}).strip()
        if text:
            yield f"text {text}"
        if cell.get("cell_type") == "code":
            yield from (f"name {name}" for name in bound_names(text) or ())
