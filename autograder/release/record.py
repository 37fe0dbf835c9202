"""Record of a release: the students' version of an assignment, and the exams that only the grader has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.records.course import Assignment
from autograder.records.exam import Exam

if TYPE_CHECKING:
    from autograder._util.notebook_format import NotebookNode

OWN_MODULES = ("*.py", "*/__init__.py")
"""Patterns of the course's own modules, in the folders that tests import from."""


@dataclass(frozen=True, slots=True)
class ReleasedNotebook:
    """One notebook of a release."""

    text: str
    """The student's notebook as it is written, equal to the output of ``nbgrader generate_assignment``."""
    exam: Exam
    tests: Mapping[str, str] = field(default_factory=dict)
    """Files with visible tests that are released beside it: path → content."""

    @property
    def name(self) -> str:
        """Name without ``.ipynb``."""
        return self.exam.notebook

    @property
    def released(self) -> NotebookNode:
        """Student's notebook, parsed."""
        from autograder._util.notebook_format import nbformat

        notebook: NotebookNode = nbformat.reads(self.text, as_version=4)
        return notebook


@dataclass(frozen=True, slots=True)
class Release:
    """An assignment, ready to be written to release/."""

    assignment: Assignment
    notebooks: tuple[ReleasedNotebook, ...]
    files: Mapping[str, Path]
    """Path in the release (with ``/``) → the file that is copied there."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Path that a file or a folder would have in the release → why it is left out."""
    modules: frozenset[str] = frozenset()
    """Files of the course's own modules, beside the notebooks or at the top of the course: tests may import them."""
    bundle: Mapping[str, Path] = field(default_factory=dict)
    """Path in the release → file of this package that students get, and that grading never uses."""
    warnings: tuple[str, ...] = ()
    """Sentences about the sources, for their author; a release that was read from the cache has none."""

    @property
    def exams(self) -> tuple[Exam, ...]:
        """Exam of each notebook."""
        return tuple(notebook.exam for notebook in self.notebooks)
