"""Record of a notebook's versions, which :mod:`~autograder.release.stripping` makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder._util.notebook_format import NotebookNode


@dataclass(frozen=True, slots=True)
class NotebookVersions:
    """Three versions of one notebook; their cells correspond by position."""

    instructor: NotebookNode
    """With header, footer and generated tests; with solutions."""
    grader: NotebookNode
    """Without solutions, with hidden tests and mark schemes, as nbgrader saves it in its gradebook."""
    student: NotebookNode
    """The released version."""
    hidden_markers: tuple[str, ...] = ()
    """Texts that mark the first and the last line of a hidden part."""
    tests: Mapping[str, str] = field(default_factory=dict)
    """Files with visible tests that are released beside the notebook: path → content."""
    prelude: str = ""
    """Code that runs before each code cell when the notebook is graded."""
    warnings: tuple[str, ...] = ()
    """Sentences about the source, for its author."""
