"""A composed notebook: the exam's cells with a student's answers in them, ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.records.exam import BRIEF, RAISES, Exam, Role, has_tag


@dataclass(frozen=True, slots=True)
class ComposedCell:
    """A cell of the notebook that is run: the student's where students may write it, else the instructor's."""

    role: Role
    cell_type: str
    source: str
    """Source that runs and that feedback shows. For TEST cells: the released source, never the hidden one."""
    grade_id: str | None = None
    unchanged: bool = False
    """For ANSWER and MANUAL cells: the student left it as released."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    """For people: ``This cell was missing from the submission and was put back.``"""
    doubtful: bool = False
    """For ANSWER and MANUAL cells: the blank stands here, and cells behind it, or other files, may be the answer."""
    instead: str = ""
    """Source that runs in place of ``source``; empty: none."""
    file: str = ""
    """Answer file that the cell is."""
    number: int = 0
    """Place in the file that was handed in, from 1; 0 for a cell that is not in it."""


@dataclass(frozen=True, slots=True)
class Composed:
    """One notebook of one submission, ready to run.

    Every cell of the exam that is not FREE is in it exactly once, in the exam's order, whatever the student did to
    them.
    """

    exam: Exam
    cells: tuple[ComposedCell, ...]
    notes: tuple[str, ...] = ()
    """Sentences for people about what was repaired."""

    def may_raise(self, cell: ComposedCell) -> bool:
        """Tell whether the instructor marked this cell as meant to raise."""
        return self._is_tagged(cell, RAISES)

    def is_brief(self, cell: ComposedCell) -> bool:
        """Tell whether a proof gives this cell a short time."""
        return self._is_tagged(cell, BRIEF)

    def _is_tagged(self, cell: ComposedCell, tag: str) -> bool:
        """Tell whether the exam's cell has a tag; a free cell is known by its source."""
        if cell.role is not Role.FREE:
            return has_tag(cell.metadata, tag)
        free = (one for one in self.exam.cells if one.role is Role.FREE)
        return any(one.released == cell.source and has_tag(one.metadata, tag) for one in free)


def cell_number(cells: Sequence[ComposedCell], index: int) -> str:
    """Return how people find a cell: its number in the student's file, or a missing cell's id."""
    cell = cells[index]
    if cell.number or any(other.number for other in cells):
        return str(cell.number or cell.grade_id)
    return str(index + 1)
