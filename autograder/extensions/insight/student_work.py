"""What students wrote into a notebook, without what the exam gave them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograder._util.notebook import read_notebook
from autograder._util.syntax import parsed
from autograder.errors import SubmissionError
from autograder.records.exam import Exam, Role
from autograder.records.limits import MAX_ANSWER_BYTES
from autograder.syntax.cell_matching import WRITABLE, match, source_of

if TYPE_CHECKING:
    from autograder._util.notebook_format import NotebookNode

MAX_SOURCE = 50_000
"""Characters of a cell that are compared; the rest is left out."""
MAX_CELLS_COMPARED = 500
"""Cells of a notebook that are compared."""


@dataclass(frozen=True)
class WrittenCell:
    """A cell that a student wrote or changed."""

    question: str
    """Id of the answer, or of the last one before the cell; empty before the first."""
    kind: str
    """``code``, ``markdown`` or ``raw``."""
    source: str
    added: bool = False
    """Whether no cell of the exam is its origin."""
    cell_id: str = ""
    """The notebook's own id of the cell."""


@dataclass(frozen=True)
class StudentWork:
    """What one student, or one team, wrote for an assignment."""

    students: tuple[str, ...]
    """The students who handed it in; of an old submission, its path below the given folder."""
    cells: tuple[WrittenCell, ...]
    run_numbers: tuple[int, ...] = ()
    """Numbers that Jupyter gave the executed code cells, in the order of the cells."""
    edits: tuple[str, ...] = ()
    """What was done to the exam's cells beside answering, in their order, in words."""
    old: bool = False
    """Whether it is of an earlier term."""
    remarks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Kind of trace → traces that are not in the notebook, see :mod:`autograder.extensions.insight.traces`."""

    @property
    def label(self) -> str:
        """Name of the work in tables."""
        return ", ".join(self.students)


def written_in(exam: Exam, path: Path) -> StudentWork | None:
    """Read what a student wrote into the notebook at a path; None if there is none that can be read."""
    try:
        notebook = read_notebook(path)
    except (SubmissionError, OSError):
        return None
    work = work_of(exam, notebook.cells[:MAX_CELLS_COMPARED])
    return replace(work, cells=(*work.cells, *_written_in_files(exam, path.parent)))


def _written_in_files(exam: Exam, folder: Path) -> Iterator[WrittenCell]:
    """Yield the functions, classes and other statements of answer files that are not as they were released."""
    for cell in exam.answer_files:
        path = folder / cell.file
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_ANSWER_BYTES:
            text = path.read_text("utf-8", "replace").replace("\r\n", "\n")
            released = {part.strip() for part in _statements(cell.released.replace("\r\n", "\n"))}
            parts = (part for part in _statements(text) if part.strip() not in released)
            yield from (WrittenCell(cell.file, "code", part[:MAX_SOURCE]) for part in parts)


def _statements(source: str) -> list[str]:
    """Take a module apart into its statements; one that is not Python is one part."""
    tree = parsed(source)
    if tree is None:
        return [source]
    return [text for node in tree.body if (text := ast.get_source_segment(source, node))]


def work_of(exam: Exam, cells: Sequence[NotebookNode]) -> StudentWork:
    """Take what a student wrote from the cells of a notebook; whose work it is, the caller adds."""
    origins = {index: position for position, index in match(exam, cells).cells.items()}
    released = {cell.released.strip() for cell in exam.cells}
    own_cells: list[WrittenCell] = []
    edits: list[str] = []
    question = ""
    for index, cell in enumerate(cells):
        origin = exam.cells[origins[index]] if index in origins else None
        if origin is not None and origin.role in (*WRITABLE, Role.TASK):
            question = str(origin.grade_id)
        source = source_of(cell)[:MAX_SOURCE]
        if source.strip() in released or not source.strip() or (origin is not None and origin.role not in WRITABLE):
            continue
        kind, cell_id = str(cell.get("cell_type")), str(cell.get("id", ""))
        own_cells.append(WrittenCell(question, kind, source, origin is None, cell_id))
        edits += [f"a {kind} cell added after {question or 'the beginning'}"] if origin is None else []
    edits += _lost(exam, set(origins.values()), {source_of(cell).strip() for cell in cells})
    return StudentWork((), tuple(own_cells), tuple(_run_numbers(cells)), tuple(edits))


def _lost(exam: Exam, present: set[int], sources: set[str]) -> Iterator[str]:
    """Yield which cells of the exam were removed or changed, that students need not touch."""
    for position, cell in enumerate(exam.cells):
        if cell.role is Role.FREE and cell.released.strip() and cell.released.strip() not in sources:
            yield f"given cell {position + 1} changed or removed"
        elif cell.grade_id is not None and position not in present and not cell.file:
            yield f"cell {cell.grade_id} removed"


def _run_numbers(cells: Sequence[NotebookNode]) -> Iterator[int]:
    for cell in cells:
        number = cell.get("execution_count")
        if cell.get("cell_type") == "code" and type(number) is int:
            yield number
