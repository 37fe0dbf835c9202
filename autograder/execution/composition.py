"""The composition of the notebook that is run: the instructor's cells with the student's answers and own cells.

The exam decides which cells exist, in which order, of which type and worth how much. A submission contributes only
sources: of answers, which are found by their grade_id, and of cells without an id of the exam.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograder.records import Composed, ComposedCell, Exam, ExamCell, Role

if TYPE_CHECKING:
    from autograder._util.notebook_format import NotebookNode

WRITABLE = frozenset({Role.ANSWER, Role.MANUAL})
_CELL_TYPES = frozenset({"code", "markdown", "raw"})


def compose(exam: Exam, submission: NotebookNode) -> Composed:
    """Put a submission's answers and extra cells into the exam.

    Every cell of the exam that has an id is in the result exactly once, in the exam's order. Of several cells with one
    id the first counts; the others are extra cells. An extra cell stays behind the identified cell that it followed.
    Extra cells of the release that the student deleted stay deleted. Metadata of the submission is never used.

    Args:
        exam: the cells, from the instructor's notebook.
        submission: as :func:`~autograder._util.notebook.read_notebook` returns it.
    """
    identified = [cell for cell in exam.cells if cell.grade_id is not None]
    handed_in, extras, notes = _sort(exam, identified, submission)
    cells = list(extras.get(-1, ()))
    for position, expected in enumerate(identified):
        cell = _composed(expected, handed_in.get(str(expected.grade_id)))
        if cell.note:
            notes.append(f"{cell.grade_id}: {cell.note}")
        cells += [cell, *extras.get(position, ())]
    return Composed(exam, tuple(cells), tuple(notes))


def _sort(
    exam: Exam, identified: Sequence[ExamCell], submission: NotebookNode
) -> tuple[dict[str, NotebookNode], dict[int, list[ComposedCell]], list[str]]:
    """Sort a submission: the first cell of each id, extra cells by the position they follow, and notes."""
    positions = {str(cell.grade_id): index for index, cell in enumerate(identified)}
    given = [(_grade_id(cell), cell) for cell in submission.cells]
    present = {grade_id for grade_id, _ in given if grade_id is not None} & positions.keys()
    handed_in: dict[str, NotebookNode] = {}
    extras: dict[int, list[ComposedCell]] = {}
    follows = _released_places(exam)
    anchor = -1
    for grade_id, cell in given:
        if grade_id in positions and grade_id not in handed_in:
            handed_in[grade_id] = cell
            anchor = positions[grade_id]
            continue
        if grade_id is None:
            anchor = _past_missing(anchor, follows.get(_source(cell), ()), identified, present)
        extras.setdefault(anchor, []).append(_extra(cell))
    return handed_in, extras, list(_notes(given, positions, list(handed_in)))


def _notes(given: Sequence[tuple[str | None, Any]], known: Mapping[str, int], order: list[str]) -> Iterator[str]:
    """List the repairs that belong to no single cell. They quote nothing that a student wrote."""
    counts = Counter(grade_id for grade_id, _ in given)
    for grade_id, count in counts.items():
        if grade_id in known and count > 1:
            yield f"{grade_id}: {count} cells of the submission have this id; the first one counts."
    if order != sorted(order, key=lambda grade_id: known[grade_id]):
        yield "Cells of the assignment were moved; they were put back into their order."
    unknown = sum(count for grade_id, count in counts.items() if grade_id is not None and grade_id not in known)
    if unknown:
        yield f"Cells with an id that the assignment does not have: {unknown}. They were taken as extra."


# --- one cell ----------------------------------------------------------------------------------------


def _composed(expected: ExamCell, cell: NotebookNode | None) -> ComposedCell:
    """Fill the exam's cell with the parts that the student may change."""
    source, note = expected.released, ""
    if cell is None:
        note = "This cell was missing from the submission and was put back."
    elif expected.role in WRITABLE:
        source = _source(cell)
        if cell.get("cell_type") != expected.cell_type:
            note = f"The type of this cell was changed; it was read as {expected.cell_type}."
    elif _source(cell) != expected.released or cell.get("cell_type") != expected.cell_type:
        note = "This cell was edited in the submission and was restored."
    return ComposedCell(
        role=expected.role,
        cell_type=expected.cell_type,
        source=source,
        grade_id=expected.grade_id,
        # nbgrader's checksum covers source, type, flags, id and points; all but the source come from the exam.
        unchanged=expected.role in WRITABLE and source == expected.released,
        metadata=expected.metadata,
        note=note,
    )


def _extra(cell: NotebookNode) -> ComposedCell:
    cell_type = cell.get("cell_type")
    return ComposedCell(Role.FREE, cell_type if cell_type in _CELL_TYPES else "raw", _source(cell))


def _grade_id(cell: NotebookNode) -> str | None:
    """Return the grade_id that the cell claims: any text, or None."""
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, Mapping) else None
    return grade_id if isinstance(grade_id, str) and grade_id else None


def _source(cell: NotebookNode) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else ""


# --- where extra cells belong when the cell before them was deleted -----------------------------------


def _released_places(exam: Exam) -> dict[str, list[int]]:
    """Map the source of a released extra cell to the identified cells that it follows (-1: none)."""
    places: dict[str, list[int]] = {}
    position = -1
    for cell in exam.cells:
        if cell.grade_id is not None:
            position += 1
        elif cell.released.strip():
            places.setdefault(cell.released, []).append(position)
    return places


def _past_missing(anchor: int, places: Sequence[int], identified: Sequence[ExamCell], present: set[str]) -> int:
    """Return the first of ``places`` reachable from ``anchor`` over deleted cells only; else ``anchor``.

    A released extra cell whose predecessor was deleted still comes after it once the predecessor is put back: for
    example a plot after the imports that a careless key deleted.
    """
    for place in places:
        if place > anchor and not any(str(c.grade_id) in present for c in identified[anchor + 1 : place + 1]):
            return place
    return anchor
