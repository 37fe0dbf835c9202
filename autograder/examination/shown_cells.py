"""Cells for people, reduced from a run: texts, and pictures that are encoded anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autograder.exchange import images
from autograder.exchange.annotated_notebook import ShownCell, notebook_of, shown_output
from autograder.records.composed_notebook import Composed
from autograder.records.grade import NotebookGrade
from autograder.records.run import CellRun, Run

if TYPE_CHECKING:
    from autograder._util.notebook_format import NotebookNode

_NOT_RUN = CellRun(status="not_run")


def shown_cells(composed: Composed, run: Run) -> tuple[ShownCell, ...]:
    """Reduce the run to the cells that people see."""
    encode = images.Encoder().encode
    runs = [*run.cells, *[_NOT_RUN] * (len(composed.cells) - len(run.cells))]
    return tuple(
        ShownCell(
            grade_id=cell.grade_id,
            cell_type=cell.cell_type,
            source=cell.source,
            note=cell.note,
            status=did.status,
            execution_count=did.execution_count,
            outputs=tuple(view for one in outputs if (view := shown_output(one, encode)) is not None),
            number=cell.number,
        )
        for cell, did in zip(composed.cells, runs, strict=False)
        for outputs in [map(_without_trace, did.outputs) if cell.instead else did.outputs]
    )


def _without_trace(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an output of code that ran in a cell's place; of an error, what it says alone."""
    if output.get("output_type") != "error":
        return output
    return {**output, "traceback": [f"{output.get('ename')}: {output.get('evalue')}"]}


def annotated_notebook(composed: Composed, run: Run, grade: NotebookGrade) -> NotebookNode:
    """Make the annotated notebook: the composed cells with their outputs, TEST cells with their verdicts.

    The metadata is nbgrader's (schema 3), made from the exam and not from the submission. A verdict is such that
    nbgrader's ``determine_grade`` gives the question's score. An ``error`` output stands for 0, an ``execute_result``
    with the number for partial credit, and text alone for full marks. Of the student's outputs, it has text, and
    pictures (PNG, JPEG) as the kit encodes them anew. ``run.cells`` may be shorter than the notebook (the run ended
    early).
    """
    from autograder._util.notebook_format import nbformat

    content = notebook_of(composed.exam, shown_cells(composed, run), grade)
    notebook: NotebookNode = nbformat.from_dict(content)
    return notebook
