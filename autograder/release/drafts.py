"""Notebooks of a source folder that look like drafts: copies, and notebooks that nobody meant to hand out."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from autograder._util.notebook import read_source_notebook
from autograder.course.nbgrader_config import file_patterns, read_nbgrader_config
from autograder.records.course import Assignment, Course
from autograder.release.formats import format_of
from autograder.release.left_out import source_notebooks
from autograder.release.release_files import ask_for_notebook

_COPY = re.compile(r"(?P<original>.+?)(?:[-_ ]copy[-_ ]?\d*| \(\d+\))", re.IGNORECASE)
"""The names that Jupyter, file managers and browsers give to copies."""
_DRAFT = re.compile(r"(draft|untitled)[-_ ]?\d*", re.IGNORECASE)
"""The names of notebooks that nobody has named yet."""


def drafts(course: Course, assignment: Assignment) -> dict[str, str]:
    """Find notebooks that go to students only if they are named: file name → a sentence with what to do."""
    paths = source_notebooks(course, assignment)
    patterns = file_patterns(read_nbgrader_config(course.root))
    marked = {path for path in paths if _is_marked(path, path.relative_to(course.root).as_posix())}
    sentences = {}
    for path in paths:
        reason = ""
        if patterns.ignores(path.name):
            reason = "a notebook that c.CourseDirectory.ignore leaves out, and nbgrader's generate_assignment does not"
        elif (copied := _COPY.fullmatch(path.stem)) and path.with_stem(copied["original"]) in paths:
            reason = f"a copy of {copied['original']}.ipynb: its questions would be there twice"
        elif _DRAFT.fullmatch(path.stem) and (original := _sharing(path, marked)):
            reason = f"a draft of {original.name}: its questions would be there twice"
        elif marked and path not in marked:
            reason = "a notebook without any cell that nbgrader knows: it would be released as it is"
        if reason and (request := ask_for_notebook(course, assignment, path.name, reason)):
            sentences[path.name] = request
    return sentences


def _sharing(draft: Path, notebooks: Collection[Path]) -> Path | None:
    """Return the first other notebook that has an ID of the draft's cells, too; None if there is none."""
    ids = _ids(draft)
    return next((path for path in sorted(notebooks) if path != draft and ids & _ids(path)), None)


def _ids(path: Path) -> set[str]:
    cells = read_source_notebook(path, name=path.name).cells
    return {str(cell.metadata["nbgrader"].get("grade_id")) for cell in cells if "nbgrader" in cell.metadata}


def _is_marked(path: Path, label: str) -> bool:
    notebook = read_source_notebook(path, name=label)
    return format_of(notebook, path.name) is not None or any("nbgrader" in cell.metadata for cell in notebook.cells)
