"""Edits of a notebook beyond its answers; each function changes a NotebookNode in place."""

from __future__ import annotations

import copy
from typing import Any


def keep_only_answers(notebook: Any) -> None:
    """Delete every cell that is not an answer."""
    notebook.cells = [cell for cell in notebook.cells if _nbgrader(cell).get("solution")]


def duplicate_graded(notebook: Any) -> None:
    """Copy each answer and each test below itself, with a cell id of its own and the same grade_id."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if _nbgrader(cell).get("solution") or _nbgrader(cell).get("grade"):
            twin = copy.deepcopy(cell)
            twin["id"] = f"{cell['id']}-copy"
            cells.append(twin)
    notebook.cells = cells


def rewrite_tests(notebook: Any) -> None:
    """Empty the tests and raise their points."""
    for cell in notebook.cells:
        if _nbgrader(cell).get("grade"):
            cell.source = "100"
            cell.metadata.nbgrader["points"] = 100


def truncate(text: str) -> str:
    """Return the first two thirds of a file's text."""
    return text[: len(text) * 2 // 3]


def _nbgrader(cell: Any) -> Any:
    return cell.metadata.get("nbgrader", {})
