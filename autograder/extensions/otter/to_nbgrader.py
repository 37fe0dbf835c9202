"""nbgrader's source notebook, made of an otter source; and what of it that format cannot hold."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder._util.notebook_format import NotebookNode, nbformat
from autograder.extensions.otter.blocks import Piece, pieces
from autograder.extensions.otter.cells import ANSWER_TAG, SOLUTION_TAG, Layout, MadeCell, Part, Question, lay_out
from autograder.extensions.otter.examined import ALL_OR_NOTHING, HEAD, case_blocks
from autograder.extensions.otter.marks import nbgrader_marks, slug
from autograder.extensions.otter.settings import Settings
from autograder.extensions.otter.solutions import prompt_lines, solution_lines, without_ignored
from autograder.release.languages import check_language

BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
_EXPORT_TAGS = re.compile(r"^(?:<!-- (?:BEGIN|END) QUESTION -->\n\n)+")
_KEPT = frozenset({"ok_format", "config_file", "show_question_points"})
"""Settings that the cells themselves hold."""
_COUNTERPARTS = {
    "name": "a notebook of another assignment will not be recognized",
    "files": "nbgrader releases all files beside the notebook",
    "autograder_files": "nbgrader releases all files beside the notebook; put these into hidden/",
    "strip_all": "nbgrader removes solutions of answers only, so those of other cells are left out",
    "student_files": "students hand in what they like",
    "seed": "cells and tests are not seeded when they are graded",
    "seed_variable": "the variable has the value that the cell gives it",
    "student_seed": "the variable has the value that the cell gives it",
}
"""Setting → what is so without it."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A source notebook in the other format."""

    notebook: NotebookNode
    losses: tuple[str, ...]
    """What the format cannot hold, a sentence each; it names the cell where there is one."""


def to_nbgrader(notebook: NotebookNode, *, folder: Path, file: str, label: str) -> Converted:
    """Convert an otter source notebook.

    Args:
        notebook: it is not changed.
        folder: its folder, where ``config_file`` is looked up.
        file: its file name.
        label: its name in messages.

    Raises:
        CourseError: it is not as otter's sources are.
    """
    check_language(notebook, label)
    layout = lay_out(pieces(notebook, label), folder, file)
    losses = [*_lost_settings(layout.settings), *(loss for q in layout.questions for loss in _lost_of(q))]
    cells: list[NotebookNode] = []
    released = [cell for cell in layout.cells if cell.released is not None]
    marks = dict(zip(map(id, released), nbgrader_marks(released, label), strict=True))
    # Questions whose answer has the texts of all their solution cells.
    whole = {id(cell.question) for cell in layout.cells if cell.piece is None and cell.part is Part.ANSWER}
    for cell in layout.cells:
        losses += _lost_of_cell(cell, marks.get(id(cell)))
        if cell.piece is None and cell.part not in (Part.CHECK, Part.ANSWER):
            continue  # otter writes it: the calls of its own library
        if cell.released is None:  # text of a solution, beside a prompt
            if id(cell.question) not in whole:
                _put_into_answer(cells, cell)
            continue
        metadata = {k: v for k, v in cell.metadata.items() if k not in ("editable", "deletable", "otter")}
        if tags := [tag for tag in metadata.pop("tags", []) if tag not in (ANSWER_TAG, SOLUTION_TAG)]:
            metadata["tags"] = tags
        mark = marks[id(cell)]
        if mark is not None and cell.part in (Part.CHECK, Part.TEXT, Part.ANSWER):
            metadata["nbgrader"] = mark
        source = cell.source if cell.part is Part.ANSWER and mark is None else _source(cell, layout)
        cells.append(_node(cell, metadata, source))
    head = {key: value for key, value in copy.deepcopy({**notebook.metadata}).items() if key != "otter"}
    made: NotebookNode = nbformat.from_dict({"cells": cells, "metadata": head, "nbformat": 4, "nbformat_minor": 4})
    return Converted(made, tuple(losses))


# --- what is lost ------------------------------------------------------------------------------------


def _lost_settings(settings: Settings) -> Iterator[str]:
    plain = Settings()
    for one in dataclasses.fields(Settings):
        if one.name not in _KEPT and getattr(settings, one.name) != getattr(plain, one.name):
            without = _COUNTERPARTS.get(one.name, "it concerns the cells that call otter-grader, which are left out")
            yield f"{one.name!r} of the assignment config: {without}"


def _lost_of(question: Question) -> Iterator[str]:
    settings, where = question.settings, f"cell {question.piece.number}: the question {question.settings.name!r}"
    if slug(settings.name) != settings.name:
        yield f"{where} is called {slug(settings.name)!r}"
    if settings.export and not settings.manual:
        yield f"{where} has 'export': nbgrader exports no questions"
    if not settings.check_cell and any(not case.hidden for case in question.cases):
        yield f"{where} has 'check_cell: false': the cell of its tests is shown"
    if settings.manual and question.cases:
        yield f"{where} has tests without points, as a person grades it; they are tests of 0 points"


def _lost_of_cell(cell: MadeCell, mark: object) -> Iterator[str]:
    if cell.part is not Part.ANSWER or cell.piece is None or cell.released is None:
        return
    where = f"cell {cell.piece.number}"
    if mark is None:
        yield f"{where}: a text for an answer that nobody grades; it is an ordinary cell"
    elif cell.cell_type == "code":
        for number, line in prompt_lines(without_ignored(cell.piece)):
            if line.strip() and not line.lstrip().startswith("#"):
                yield f"{where}: line {number}: text of a prompt, {line.strip()[:80]!r}, which is left out"


# --- cells -------------------------------------------------------------------------------------------


def _source(cell: MadeCell, layout: Layout) -> str:
    if cell.part is Part.CHECK:
        assert cell.question is not None
        return _tests(cell.question, layout)
    if cell.part is not Part.ANSWER:
        return _EXPORT_TAGS.sub("", str(cell.released))  # of ordinary cells nbgrader removes nothing
    source = cell.source
    if cell.piece is None:  # the blank of a written answer, whose source is the solution
        return "\n".join([BEGIN_SOLUTION, source, END_SOLUTION])
    if cell.cell_type != "code":
        return "\n".join([source, BEGIN_SOLUTION, END_SOLUTION])
    return _answer(cell.piece)


def _answer(piece: Piece) -> str:
    """Mark the lines of a solution as nbgrader does; a cell without such gets an empty part, so that its text stays."""
    lines: list[str] = []
    inside = False
    for line, is_solution in solution_lines(piece, without_ignored(piece)):
        if is_solution != inside:
            margin = line[: len(line) - len(line.lstrip())] if is_solution else _margin(lines[-1])
            lines.append(margin + (BEGIN_SOLUTION if is_solution else END_SOLUTION))
            inside = is_solution
        lines.append(line)
    if inside:
        lines.append(_margin(lines[-1]) + END_SOLUTION)
    if not any(line.strip() == BEGIN_SOLUTION for line in lines):
        lines += [BEGIN_SOLUTION, END_SOLUTION]
    return "\n".join(lines)


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _tests(question: Question, layout: Layout) -> str:
    blocks = [*case_blocks(question.settings, question.resolved, ok_format=layout.settings.ok_format, places=False)]
    shown = [
        f"{BEGIN_HIDDEN}\n{block}\n{END_HIDDEN}" if case.hidden else block
        for block, case in zip(blocks, question.resolved, strict=True)
    ]
    if not question.settings.all_or_nothing:
        return "\n".join([HEAD, *shown])
    inner = "\n".join(["pass", *shown]).split("\n")
    return "\n".join([HEAD, ALL_OR_NOTHING, "with _otter_all():", *(f"    {line}" for line in inner)])


def _put_into_answer(cells: Sequence[NotebookNode], cell: MadeCell) -> None:
    """Put the text of a solution into the answer before it."""
    answer = cells[-1]
    answer.source = answer.source.removesuffix(f"\n{END_SOLUTION}") + f"\n{cell.source}\n{END_SOLUTION}"


def _node(cell: MadeCell, metadata: dict[str, Any], source: str) -> NotebookNode:
    node: dict[str, Any] = {"cell_type": cell.cell_type, "metadata": metadata, "source": source}
    if cell.cell_type == "code":
        node |= {"execution_count": None, "outputs": []}
    made: NotebookNode = nbformat.from_dict(copy.deepcopy(node))
    return made
