"""Versions of an otter notebook: otter's student notebook with nbgrader's metadata, and the exam's cells beside it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from autograder._util.notebook_format import NotebookNode, nbformat
from autograder.extensions.otter.blocks import is_otter_source, pieces
from autograder.extensions.otter.examined import examined_code, place_in_source
from autograder.extensions.otter.metadata import file_text, notebook_metadata, saved_output, visible_test
from autograder.extensions.otter.nbgrader_marks import nbgrader_marks
from autograder.extensions.otter.notebook_layout import CellRole, MadeCell, NotebookLayout, OtterQuestion, lay_out
from autograder.extensions.otter.old_formats import check_blocks
from autograder.release.languages import check_language
from autograder.release.notebook_versions import NotebookVersions

__all__ = ["convert", "is_otter_source", "place_in_source"]


def convert(notebook: NotebookNode, *, folder: Path, file: str, label: str) -> NotebookVersions:
    """Make the versions of an otter source notebook.

    Args:
        notebook: the instructor's; it is not changed.
        folder: the assignment's source folder, where ``config_file`` is looked up.
        file: its file name.
        label: its name in messages.

    Raises:
        CourseError: it is not as otter's sources are, or asks for what the kit refuses.
    """
    check_language(notebook, label)
    check_blocks(notebook, label)
    layout = lay_out(pieces(notebook, label), folder, file)
    cells = [cell for cell in layout.cells if cell.released is not None]
    marks = [*nbgrader_marks(cells)]
    ids = _Ids(notebook)
    instructor, student = [], []
    for cell, mark in zip(cells, marks, strict=True):
        metadata = copy.deepcopy(cell.metadata)
        if mark is not None:
            metadata["nbgrader"] = mark
        node = _node(cell, metadata, ids.of(cell, mark))
        student.append(node)
        source = _examined(cell, layout) if cell.part is CellRole.CHECK else cell.source
        instructor.append(NotebookNode(copy.deepcopy(node) | {"source": source}))
    tests = {q.settings.name: _visible(q, layout) for q in layout.questions if q.cases}
    head = copy.deepcopy({**notebook.metadata})
    head.pop("otter", None)
    if otter_metadata := notebook_metadata(layout.settings, tests):
        head["otter"] = otter_metadata
    files = {f"tests/{name}.py": file_text(test) for name, test in tests.items()} if layout.settings.test_files else {}
    return NotebookVersions(
        _notebook(notebook, instructor, head),
        _notebook(notebook, instructor, head),
        _notebook(notebook, student, head),
        tests=files,
        prelude=_prelude(layout),
        warnings=layout.warnings,
    )


def _prelude(layout: NotebookLayout) -> str:
    """Return the code that otter runs before each code cell when it grades: seeds."""
    settings = layout.settings
    if settings.seed is None:
        return ""
    if settings.seed_variable:
        return f"{settings.seed_variable} = {settings.seed}"
    # No name is bound, as the notebook may have bound it; a kernel may lack numpy.
    has_numpy = '__import__("importlib.util").util.find_spec("numpy")'
    seeds = f'__import__("random").seed({settings.seed})', f'__import__("numpy").random.seed({settings.seed})'
    return f"{seeds[0]}; {has_numpy} and {seeds[1]}"


def _examined(cell: MadeCell, layout: NotebookLayout) -> str:
    assert cell.question is not None
    settings = layout.settings
    seed = None if settings.seed_variable else settings.seed
    return examined_code(cell.question.settings, cell.question.resolved, ok_format=settings.ok_format, seed=seed)


def _visible(question: OtterQuestion, layout: NotebookLayout) -> dict[str, Any] | str:
    outputs = [saved_output(case) for case in question.cases]
    return visible_test(question.settings, question.cases, outputs, ok_format=layout.settings.ok_format)


# --- nodes -------------------------------------------------------------------------------------------


class _Ids:
    """Ids of cells, where the notebook's format has them: the source's, else made from what the cell is."""

    def __init__(self, notebook: NotebookNode) -> None:
        self.wanted = (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
        self.used: set[str] = set()

    def of(self, cell: MadeCell, mark: dict[str, Any] | None) -> str | None:
        """Return the id of the next cell; None if it needs none."""
        if not self.wanted:
            return None
        source_id = cell.piece.cell.get("id") if cell.piece else None
        cell_id = source_id or (mark["grade_id"] if mark else f"otter-free-{len(self.used)}")
        cell_id = str(cell_id)[:60]
        while cell_id in self.used:
            cell_id += "x"
        self.used.add(cell_id)
        return cell_id


def _node(cell: MadeCell, metadata: dict[str, Any], cell_id: str | None) -> NotebookNode:
    node: dict[str, Any] = {"cell_type": cell.cell_type, "metadata": metadata, "source": cell.released}
    if cell.cell_type == "code":
        node |= {"execution_count": None, "outputs": []}
    if cell_id is not None:
        node["id"] = cell_id
    released_cell: NotebookNode = nbformat.from_dict(node)
    return released_cell


def _notebook(source: NotebookNode, cells: list[NotebookNode], metadata: dict[str, Any]) -> NotebookNode:
    released: NotebookNode = nbformat.from_dict(
        {
            "cells": copy.deepcopy(cells),
            "metadata": copy.deepcopy(metadata),
            "nbformat": source.nbformat,
            "nbformat_minor": source.nbformat_minor,
        }
    )
    return released
