"""Boundary cells of an otter source notebook: raw cells, or fenced parts of Markdown cells."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from autograder._util.notebook_format import NotebookNode
from autograder.errors import CourseError

BLOCKS = ("question", "prompt", "solution", "tests")
CONFIG = "config"
_FENCE = "```otter"
_BOUNDARY = re.compile(rf"#\s+(begin|end)\s+({'|'.join(BLOCKS)})", re.IGNORECASE)
_CONFIG = re.compile(r"#\s+assignment\s+config", re.IGNORECASE)
_NEAR = re.compile(r"\s*#*\s*(begin|end|start|stop)[\s_-]+[a-z]+\s*$|\s*#*\s*assignment[\s_-]*conf", re.IGNORECASE)
"""First line of a raw cell that was meant as a boundary."""
_MISPLACED = re.compile(r"\s*#+\s*(begin|end)\s+(question|tests?)\s*$", re.IGNORECASE)
"""First line of a code or Markdown cell that can only have been meant as a boundary."""
_IGNORED = re.compile(r"(##\s*ignore\s*##\s*|#\s*ignore\s*)", re.IGNORECASE)
_HOW = "a boundary is a raw cell, or a part of a Markdown cell between ```otter and ```"


@dataclass(frozen=True, slots=True)
class CellPart:
    """A cell of the source, or a part of one that fences divide."""

    label: str
    """The notebook, for messages."""
    cell: NotebookNode
    number: int
    """Number of the source's cell, from 1; 0 for a cell that the source does not have."""
    first: int = 1
    """Line of the source's cell with which the piece begins."""

    @property
    def lines(self) -> list[str]:
        """Lines of the piece."""
        return re.split("\r?\n", self.cell.source)

    def fault(self, message: str, line: int = 0) -> CourseError:
        """Make an error that names notebook, cell and line; ``line`` counts within the piece, 0 is the whole cell."""
        cell = f"{self.label}: cell {self.number}" if self.number else self.label  # an answer file has no cells
        return CourseError(f"{cell}: line {self.first + line - 1}: {message}" if line else f"{cell}: {message}")


@dataclass(frozen=True, slots=True)
class Boundary:
    """Beginning or end of a block, or the assignment's configuration."""

    kind: str
    """One of :data:`BLOCKS`, or :data:`CONFIG`."""
    begins: bool = True


def is_otter_source(notebook: NotebookNode) -> bool:
    """Tell whether a notebook is one for ``otter assign``: it has a boundary cell."""
    for cell in notebook.cells:
        first = _first_line(cell)
        if cell.cell_type == "raw" and (_BOUNDARY.match(first) or _CONFIG.match(first)):
            return True
        if cell.cell_type == "markdown" and any(line.strip() == _FENCE for line in cell.source.split("\n")):
            return True
    return False


def pieces(notebook: NotebookNode, label: str) -> list[CellPart]:
    """Divide a notebook into its pieces, without those that otter ignores.

    Raises:
        CourseError: a fence is not closed, or a cell is a misspelled boundary.
    """
    parts = [piece for n, cell in enumerate(notebook.cells, 1) for piece in _divided(CellPart(label, cell, n))]
    parts_kept = [piece for piece in parts if not _IGNORED.match(piece.lines[0])]
    for cell_part in parts_kept:
        if boundary_of(cell_part) is None:
            _check_no_boundary(cell_part)
    return parts_kept


def boundary_of(cell_part: CellPart) -> Boundary | None:
    """Return the boundary that a piece is; None if it is none."""
    if cell_part.cell.cell_type != "raw":
        return None
    first = cell_part.lines[0]
    if _CONFIG.match(first):
        return Boundary(CONFIG)
    match = _BOUNDARY.match(first)
    return Boundary(match[2].lower(), match[1].lower() == "begin") if match else None


def _first_line(cell: NotebookNode) -> str:
    return str(cell.source).partition("\n")[0]


def _check_no_boundary(cell_part: CellPart) -> None:
    first = cell_part.lines[0]
    if cell_part.cell.cell_type == "raw" and _NEAR.match(first):
        names = ", ".join(f"# BEGIN {name.upper()}" for name in BLOCKS)
        raise cell_part.fault(f"{first.strip()!r} begins or ends nothing; write one of # ASSIGNMENT CONFIG, {names}", 1)
    if cell_part.cell.cell_type != "raw" and _MISPLACED.match(first):
        raise cell_part.fault(
            f"{first.strip()!r} is in a {cell_part.cell.cell_type} cell, and so no boundary; {_HOW}", 1
        )


def _divided(cell_part: CellPart) -> Iterator[CellPart]:
    """Yield the parts of a cell: what fences enclose as raw cells, the text around them as Markdown."""
    lines = cell_part.lines
    starts = [i for i, line in enumerate(lines) if line.strip() == _FENCE]
    if cell_part.cell.cell_type != "markdown" or not starts:
        yield cell_part
        return
    before = 0
    for start in starts:
        if start < before:
            _unclosed(cell_part, start)
        end = next((i for i in range(start + 1, len(lines)) if lines[i].strip() == "```"), None)
        if end is None:
            _unclosed(cell_part, start)
        yield from _part(cell_part, before, lines[before:start], "markdown")
        yield from _part(cell_part, start + 1, lines[start + 1 : end], "raw")
        before = end + 1
        if before < len(lines) and not lines[before].strip():
            before += 1  # as otter does: the empty line belongs to the block
    yield from _part(cell_part, before, lines[before:], "markdown")


def _part(cell_part: CellPart, start: int, lines: Sequence[str], cell_type: str) -> Iterator[CellPart]:
    if any(line.strip() for line in lines):
        cell = NotebookNode(
            cell_type=cell_type, metadata=copy.deepcopy(cell_part.cell.metadata), source="\n".join(lines)
        )
        yield CellPart(cell_part.label, cell, cell_part.number, start + 1)


def _unclosed(cell_part: CellPart, start: int) -> NoReturn:
    raise cell_part.fault("this ```otter has no ``` that closes it", start + 1)
