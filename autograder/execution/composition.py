"""The composition of the notebook that is run: the instructor's cells with the student's answers and own cells.

The exam decides which cells exist, in which order, of which type and worth how much. A submission contributes only
sources: of answers, as :mod:`~autograder.syntax.cell_matching` finds them, and of cells that are none of the exam's.
"""

from __future__ import annotations

import functools
import io
import json
import tokenize
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from autograder.kernel import answer_file, weight_file
from autograder.records.composed_notebook import Composed, ComposedCell
from autograder.records.exam import Exam, ExamCell, Role, has_tag
from autograder.records.weights import TRAIN, TrainedWeights
from autograder.submissions.answer_copies import copies
from autograder.syntax.cell_matching import WRITABLE, Matches, grade_id_of, match, same_text, source_of

if TYPE_CHECKING:
    from autograder._util.notebook_format import NotebookNode

IGNORED = "otter_ignore"
"""Tag of an extra cell that is not run, as in otter-grader."""
_CELL_TYPES = frozenset({"code", "markdown", "raw"})


def compose(exam: Exam, submission: NotebookNode, files: Mapping[str, Path] = MappingProxyType({})) -> Composed:
    """Put a submission's answers and extra cells into the exam.

    Every cell of the exam that has an id is in the result exactly once, in the exam's order. Of several cells with one
    id the first counts; the others are extra cells. An extra cell stays behind the identified cell that it followed.
    Extra cells of the release that the student deleted stay deleted. Metadata of the submission
    is used only to find a cell. Cells that may be a missing answer run behind its blank, and the answer is marked as
    doubtful.

    Args:
        exam: the cells, from the instructor's notebook.
        submission: as :func:`~autograder._util.notebook.read_notebook` returns it.
        files: the files that were handed in with it: path → host file. An answer file's content is that of its cell.
            With a file of weights, cells that train are not run.
    """
    identified = [cell for cell in exam.cells if cell.grade_id is not None]
    number = {index: place for place, index in enumerate(i for i, c in enumerate(exam.cells) if c.grade_id is not None)}
    matches = match(exam, submission.cells)
    handed_in = {number[position]: index for position, index in matches.cells.items()}
    extras = _extras(exam, identified, submission, handed_in, {i: number[p] for i, p in matches.moved.items()})
    doubtful = {number[position] for position in matches.doubtful}
    how = {number[position]: text for position, text in matches.how.items()}
    notes = list(_notes(identified, submission, handed_in, matches))
    cells = list(extras.get(-1, ()))
    for position, expected in enumerate(identified):
        if expected.is_answer_file:
            cell = _answer_file(expected, files, {cell.file for cell in exam.answer_files})
        else:
            submitted = submission.cells[handed_in[position]] if position in handed_in else None
            cell = _composed(expected, submitted, how.get(position, ""), position in doubtful)
            cell = replace(cell, number=handed_in.get(position, -1) + 1)
        if exam.weights.file in files and cell.cell_type == "code" and has_tag(cell.metadata, TRAIN):
            cell = _trained_elsewhere(cell, exam.weights)
        if cell.note:
            notes.append(f"{cell.grade_id}: {cell.note}")
        cells += [cell, *extras.get(position, ())]
    return Composed(exam, tuple(cells), tuple(notes))


def _extras(
    exam: Exam,
    identified: Sequence[ExamCell],
    submission: NotebookNode,
    handed_in: Mapping[int, int],
    moved: Mapping[int, int],
) -> dict[int, list[ComposedCell]]:
    """Collect the submission's extra cells by the place that they follow (-1: none)."""
    places = {index: place for place, index in handed_in.items()}
    present = {str(identified[place].grade_id) for place in handed_in}
    extras: dict[int, list[ComposedCell]] = {}
    follows = _released_places(exam)
    anchor = -1
    for index, cell in enumerate(submission.cells):
        if index in places:
            anchor = places[index]
            continue
        if index not in moved and grade_id_of(cell) is None:
            anchor = _past_missing(anchor, follows.get(source_of(cell), ()), identified, present)
        extras.setdefault(moved.get(index, anchor), []).append(_extra(cell, index + 1))
    return extras


def _notes(
    identified: Sequence[ExamCell], submission: NotebookNode, handed_in: Mapping[int, int], matches: Matches
) -> Iterator[str]:
    """List the repairs that belong to no single cell. They quote nothing that a student wrote."""
    grade_ids = {cell.grade_id for cell in identified}
    counts = Counter(grade_id_of(cell) for cell in submission.cells)
    for grade_id, count in counts.items():
        if grade_id in grade_ids and count > 1:
            yield f"{grade_id}: {count} cells of the submission have this id; the first one counts."
    order = sorted(handed_in, key=lambda place: handed_in[place])
    if order != sorted(order):
        yield "Cells of the assignment were moved; they were put back into their order."
    unknown = sum(
        grade_id_of(cell) not in {None, *grade_ids} and index not in handed_in.values()
        for index, cell in enumerate(submission.cells)
    )
    if unknown:
        yield f"Cells with an id that the assignment does not have: {unknown}. They were taken as extra."
    if matches.how or matches.doubtful:
        yield "The notebook has lost nbgrader's marks of cells, as some editors and converters remove them."


# --- one cell ----------------------------------------------------------------------------------------


def _composed(expected: ExamCell, cell: NotebookNode | None, how: str = "", doubtful: bool = False) -> ComposedCell:
    """Fill the exam's cell with the parts that the student may change."""
    source, note = expected.released, ""
    if expected.file:
        pass  # in no notebook
    elif doubtful:
        note = _DOUBTFUL
    elif cell is None:
        note = "This cell was missing from the submission and was put back."
    elif expected.role in WRITABLE:
        # Converters strip blanks at the ends of lines, and a blank answer stays one.
        source = source if how and same_text(source_of(cell), source) else source_of(cell)
        if cell.get("cell_type") != expected.cell_type:
            note = f"The type of this cell was changed; it was read as {expected.cell_type}."
        elif how:
            note = f"The submission has lost nbgrader's mark of this cell; the answer was found by {how}."
    elif source_of(cell) != expected.released or cell.get("cell_type") != expected.cell_type:
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
        doubtful=doubtful,
    )


def _trained_elsewhere(cell: ComposedCell, weights: TrainedWeights) -> ComposedCell:
    """Let a cell that trains read the weights in its place; the code leaves no name behind."""
    loader = _call(weight_file, f"load({weights.into}, {weights.file!r})")
    note = " ".join(filter(None, [cell.note, f"This cell was not run: {weights.file} was read in its place."]))
    return replace(cell, instead=loader, note=note)


def _call(module: ModuleType, call: str) -> str:
    """Write the call of a function whose module the kernel runs as a text; no name is left behind."""
    name, _, arguments = call.partition("(")
    return f"(lambda scope: (exec({_text_of(module)!r}, scope), scope[{name!r}]({arguments}))({{}})\nNone"


@functools.cache
def _text_of(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text(encoding="utf-8")


def released_notebook(exam: Exam) -> NotebookNode:
    """Make the notebook of a student who handed in files alone, where no answer is asked for in a cell."""
    from autograder._util.notebook_format import nbformat

    cells = [
        {"cell_type": cell.cell_type, "metadata": dict(cell.metadata), "source": cell.released}
        for cell in exam.cells
        if not cell.file
    ]
    notebook: NotebookNode = nbformat.from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    return notebook


def as_file(composed: Composed) -> bytes:
    """Write a composed notebook as a file, which later notebooks of the hand-in may import (package ipynb)."""
    cells: list[dict[str, Any]] = [
        {"cell_type": cell.cell_type, "metadata": {}, "source": cell.source}
        | ({"outputs": [], "execution_count": None} if cell.cell_type == "code" else {})
        for cell in composed.cells
        if not cell.file
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()


def answers_in_files_alone(exam: Exam) -> bool:
    """Tell whether no cell of the notebook is for students to write in."""
    return bool(exam.answer_files) and not any(cell.role in WRITABLE and not cell.file for cell in exam.cells)


def _answer_file(expected: ExamCell, files: Mapping[str, Path], reserved: Collection[str]) -> ComposedCell:
    """Make the cell of an answer file: it shows the student's text, and puts the file beside the notebook.

    It is doubtful if several files may be the missing one.
    """
    handed_in = files.get(expected.file)
    several = [] if handed_in else copies(expected.file, files, expected.released, reserved)
    released = expected.released.encode()
    fallback = expected.source if expected.carried else expected.released
    content = fallback.encode() if handed_in is None else handed_in.read_bytes()
    source = fallback if handed_in is None else _decoded(content)
    version = "your course has it" if expected.carried else "it was released"
    arguments = f"{expected.file!r}, {content!r}, {released!r}"
    return ComposedCell(
        role=expected.role,
        cell_type=expected.cell_type,
        source=source,
        grade_id=expected.grade_id,
        unchanged=handed_in is None or same_text(source, expected.released),
        metadata=expected.metadata,
        note=f"{expected.file} ran as {version}." if handed_in is None else "",  # why, the hand-in's files say
        doubtful=len(several) > 1,
        instead=_call(answer_file, f"put_beside({arguments})"),
        file=expected.file,
    )


def _decoded(content: bytes) -> str:
    """Decode a module for people, as Python would; what it cannot read becomes a sign in its place."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding, "replace")
    except (SyntaxError, LookupError, ValueError):
        return content.decode("utf-8", "replace")


_DOUBTFUL = (
    "The submission has lost nbgrader's mark of this cell, and which cell is the answer cannot be told. The cells that "
    "may be it run below; a person looks at what they did not earn."
)


def _extra(cell: NotebookNode, number: int) -> ComposedCell:
    cell_type = cell.get("cell_type")
    kind = cell_type if cell_type in _CELL_TYPES else "raw"
    metadata = cell.get("metadata")
    if kind == "code" and isinstance(metadata, Mapping) and has_tag(metadata, IGNORED):
        kind = "raw"
    return ComposedCell(Role.FREE, kind, source_of(cell), number=number)


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

    A released extra cell whose predecessor was deleted still comes after it once the predecessor is put back. An
    example is a plot after imports that a careless key deleted.
    """
    for position in places:
        if position > anchor and not any(str(c.grade_id) in present for c in identified[anchor + 1 : position + 1]):
            return position
    return anchor
