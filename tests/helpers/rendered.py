"""Notebooks whose cells are rendered, as grading leaves them."""

from __future__ import annotations

from collections.abc import Sequence

from nbformat import NotebookNode

from autograder.exchange.pieces import RENDERED
from autograder.exchange.rendering import MAX_SECONDS, render


def render_into(notebooks: Sequence[NotebookNode], seconds: float = MAX_SECONDS) -> None:
    """Write into each cell's metadata what the feedback page is to show of its source."""
    sources = [[(cell.cell_type, cell.source) for cell in notebook.cells] for notebook in notebooks]
    for notebook, rendered in zip(notebooks, render(sources, seconds), strict=True):
        for cell, said in zip(notebook.cells, rendered, strict=True):
            if said:
                cell.metadata.setdefault("autograder", {})[RENDERED] = said
