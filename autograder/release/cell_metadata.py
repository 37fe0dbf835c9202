"""Faults of nbgrader's marks in a source notebook, each with its cell and what to click."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder._util.notebook_format import NotebookNode

TOOLBAR = "in Jupyter's Create Assignment toolbar"


def cell_name(index: int, cell: NotebookNode) -> str:
    """Name a cell: ``cell 4 ('squares')``, the position in Jupyter, counted from 1, and its grade_id."""
    meta = cell.metadata.get("nbgrader")
    grade_id = meta.get("grade_id") if isinstance(meta, dict) else None
    return f"cell {index + 1} ({grade_id!r})" if grade_id else f"cell {index + 1}"


def metadata_faults(notebook: NotebookNode) -> Iterator[str]:
    """Yield the faults of a notebook's marks, one a cell at most."""
    from nbgrader.nbgraderformat import MetadataValidator

    validator = MetadataValidator()
    first: dict[str, int] = {}
    for index, cell in enumerate(notebook.cells):
        cell_label = cell_name(index, cell)
        meta = cell.metadata.get("nbgrader", {})
        try:
            validator.validate_cell(cell)
        except Exception as error:  # jsonschema's errors, and KeyError or TypeError for unexpected types
            yield f"{cell_label}: {_fault(error, meta)}"
            continue
        if not any(meta.get(flag) for flag in ("grade", "solution", "locked", "task")):
            continue
        if not meta.get("grade_id"):
            yield f"{cell_label}: {_NO_ID}"
        elif meta["grade_id"] in first:
            number = first[meta["grade_id"]] + 1
            yield f"{cell_label}: cell {number} has the same ID; give one of them another {TOOLBAR}"
        elif meta.get("task") and "points" not in meta:
            yield f"{cell_label}: {_NO_POINTS}"
        first.setdefault(meta.get("grade_id", ""), index)


def readable_marks(cell: NotebookNode) -> dict[str, Any]:
    """Return a cell's marks with an ID and points that an exam can have; wrong points count as 1."""
    meta = cell.metadata.get("nbgrader")
    if not isinstance(meta, dict):
        return {}
    points = meta.get("points")
    return {
        **meta,
        "grade_id": str(meta.get("grade_id", "")),
        "points": points if isinstance(points, int | float) else 1,
    }


def _fault(error: Exception, meta: Any) -> str:
    """Say in the kit's words what is wrong with a cell's marks."""
    key = ".".join(map(str, getattr(error, "path", ())))
    match key, getattr(error, "validator", ""):
        case "points", _:
            return f"its points are {meta['points']!r}; write a number from 0 into the field Points {TOOLBAR}"
        case "grade_id", _:
            return (
                f"its ID is {meta['grade_id']!r}, but an ID has letters, digits, `_` and `-` only; write another into "
                f"the field ID {TOOLBAR}"
            )
        case "", "required":
            return f"its marks lack a key ({_message(error)}); {_CHOOSE_AGAIN}"
        case "", "additionalProperties":
            return f"its marks have a key that nbgrader does not know ({_message(error)}); {_CHOOSE_AGAIN}"
        case str(name), _ if name:
            return f"its mark {name!r} is {meta[name]!r}; {_CHOOSE_AGAIN}"
    return next((own for words, own in _OWN_WORDS.items() if words in str(error)), "") or (
        f"nbgrader's marks of the cell cannot be read; {_CHOOSE_AGAIN}"
    )


def _message(error: Exception) -> str:
    return " ".join(str(getattr(error, "message", error)).split())[:200]


_CHOOSE_AGAIN = f"choose the kind of the cell again {TOOLBAR}"
_NO_ID = f"it has no ID; write one into the field ID {TOOLBAR}"
_NO_POINTS = f"it has no points; write some into the field Points {TOOLBAR}"
_TEXT = f"it is a text, and tests run code only; choose “Manually graded answer” {TOOLBAR}, or make it a code cell"
_OWN_WORDS = {
    # nbgrader's message about a cell: the kit's
    "grade_id is empty": _NO_ID,
    "does not have a grade_id": _NO_ID,
    "does not have points": _NO_POINTS,
    "is not marked as a solution cell": _TEXT,
    "is not marked as a grade cell": _TEXT,
    "Task cells have to be markdown": (
        f"it is a task in a code cell; make it a Markdown cell, or choose another kind {TOOLBAR}"
    ),
    "Schema version is too new": "a newer nbgrader wrote its marks; update nbgrader where this kit is installed",
}
