"""Source notebooks from templates: a text file for each kind, whose headers say what a cell is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder._util.notebook_format import NotebookNode, nbformat

_FOLDER = Path(__file__).with_name("templates")
KINDS = ("numpy", "keras", "pytorch", "nbgrader", "otter")
"""Kinds of assignment for which there is a template."""
_HEADER = re.compile(
    r"^%% (?P<kind>\w+) (?P<id>[\w-]+)(?: points=(?P<points>\d+))?(?: output=(?P<output>\S+))?\n", re.M
)
_FLAGS: dict[str, dict[str, bool]] = {
    "answer": {"solution": True},
    "test": {"grade": True, "locked": True},
    "manual": {"grade": True, "solution": True},
}
_PYTHON = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}


def template_notebook(kind: str, assignment: str) -> NotebookNode:
    """Make the source notebook of a kind.

    Args:
        kind: one of :data:`KINDS`.
        assignment: the assignment's name.
    """
    text = (_FOLDER / f"{kind}.txt").read_text(encoding="utf-8").replace("{name}", assignment)
    return new_notebook(list(_cells(text)))


def new_notebook(cells: list[NotebookNode]) -> NotebookNode:
    """Make a Python notebook of cells."""
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=_PYTHON)
    return notebook


def marked_cell(kind: str, grade_id: str, source: str, points: float | None = None) -> NotebookNode:
    """Make a cell with an id of its own and nbgrader's marks.

    Args:
        kind: ``answer``, ``test`` or ``manual`` with marks; ``code``, ``text`` or ``raw`` without.
        grade_id: its id, also in the marks.
        source: its text.
        points: what a test, or an answer that a person grades, is worth.
    """
    makers = {"text": "markdown", "manual": "markdown", "raw": "raw"}
    make = getattr(nbformat.v4, f"new_{makers.get(kind, 'code')}_cell")
    return make(source, id=grade_id, metadata=marks(kind, grade_id, points))  # type: ignore[no-any-return]


def marks(kind: str, grade_id: str, points: float | None = None) -> dict[str, Any]:
    """Return the metadata of a cell with nbgrader's marks, as its toolbar writes them; empty for a cell without."""
    if kind not in _FLAGS:
        return {}
    plain = {"grade": False, "locked": False, "solution": False, "task": False} | _FLAGS[kind]
    worth = {} if points is None else {"points": points}
    return {"nbgrader": {"schema_version": 3, "grade_id": grade_id, **plain, **worth}}


def _cells(text: str) -> Iterator[NotebookNode]:
    headers = list(_HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    for header, end in zip(headers, ends, strict=True):
        points = float(header["points"]) if header["points"] else None
        cell = marked_cell(header["kind"], header["id"], text[header.end() : end].strip("\n"), points)
        if header["output"]:
            data = {"text/plain": header["output"]}
            cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=None)]
        yield cell
