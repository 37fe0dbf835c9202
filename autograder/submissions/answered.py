"""What a hand-in answers, compared with the release: so that no wrong file replaces the right one in silence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder._util.text import one_line
from autograder.errors import SubmissionError
from autograder.submissions.notebook_inspection import assignment_of, compare, marks_of, source_of

MAX_READ = 16 << 20
"""Bytes of a notebook that is read here; a larger one is not judged."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers in a hand-in, by the marks of the release."""

    count: int
    total: int

    def __str__(self) -> str:
        return f"{self.count} of {self.total} answered"


def answered(release: Path, notebooks: Mapping[str, bytes]) -> Answered | None:
    """Count the answers in a hand-in's notebooks; None where it cannot be told, as where an editor dropped all marks.

    Args:
        release: the folder of the release.
        notebooks: released name of a notebook → what was handed in.

    Raises:
        SubmissionError: each of the notebooks cannot be read, or has nothing of the release in it.
    """
    counts, faults = Answered(0, 0), []
    is_known = bool(notebooks)
    for name, data in notebooks.items():
        released = _cells((release / name).read_bytes())
        try:
            cells = _own_cells(name, data, released)
        except SubmissionError as error:
            faults.append(str(error))
            cells = []
        is_known = is_known and (any(map(marks_of, cells)) or bool(faults))
        answers, gaps, _ = compare(list(cells), released)
        counts = Answered(counts.count + len(answers), counts.total + len(answers) + len(gaps))
    if faults and len(faults) == len(notebooks):
        raise SubmissionError("; ".join(faults))
    return counts if is_known else None


def _own_cells(name: str, data: bytes, released: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Read a student's cells.

    Raises:
        SubmissionError: they are none, or the release has none of them.
    """
    if len(data) > MAX_READ:
        return []
    try:
        cells = _cells(data)
    except (ValueError, RecursionError) as error:
        text = f"{name} is no notebook ({one_line(str(error))})"
        raise SubmissionError(f"{text}. Save it in Jupyter again, and hand that in.") from error
    names = set(_names(released))
    if names and not names & set(_names(cells)):
        origin = one_line(assignment_of(data))
        whose = f": it is that of “{origin}”" if origin else ""
        raise SubmissionError(f"{name} has no cell of the released notebook in it{whose}")
    return cells


def _cells(data: bytes) -> list[Mapping[str, Any]]:
    content = json.loads(data.decode("utf-8-sig"))
    if not isinstance(content, dict):
        raise ValueError("not an object of JSON")
    sheets = content.get("worksheets")  # of format 3
    parts = [content, *(sheets if isinstance(sheets, list) else [])]
    listed = [part.get("cells") for part in parts if isinstance(part, dict)]
    return [cell for cells in listed if isinstance(cells, list) for cell in cells if isinstance(cell, dict)]


def _names(cells: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what a cell is known by: its mark, which some editors drop, and its text."""
    for cell in cells:
        if marks := marks_of(cell):
            yield f"mark {marks['grade_id']}"
        if text := source_of(cell).strip() or str(cell.get("input", "")):
            yield f"text {text}"
