"""Sections that extensions add to the class report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autograder._util import registry
from autograder.errors import HostError
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade, NotebookGrade

if TYPE_CHECKING:
    from markupsafe import Markup

Titles = Mapping[tuple[str, str], str]
"""Notebook and id of a question → the heading above it."""


@dataclass(frozen=True)
class ReportedClass:
    """What a section of the class report may show."""

    course: Course
    assignment: Assignment
    grades: Sequence[Grade]
    """The grades whose notebooks ran, with points given by hand, details and names."""
    titles: Titles = field(default_factory=dict)
    term: Sequence[Grade] = ()
    """The grades of all assignments, without their texts; empty where a report is made from one assignment."""


WriteSection = Callable[[ReportedClass], "Markup"]
"""Makes a section as safe Markup, empty if there is nothing to say; what is registered as ``autograder.sections``."""


@dataclass(frozen=True)
class ReportedNotebook:
    """What a section of a notebook's feedback may show."""

    grade: NotebookGrade
    assignment: Assignment
    headings: Mapping[str, str] = field(default_factory=dict)
    """Heading of the notebook, as Jupyter's links write it (``Early-stopping``) → the link to it on the page."""


WriteNotebookSection = Callable[[ReportedNotebook], "Markup"]
"""Makes a section of a notebook's feedback as safe Markup, empty if there is nothing to say."""


def notebook_sections(reported: ReportedNotebook) -> list[Markup]:
    """Make the sections that extensions add below a notebook's questions, without those that cannot be made."""
    sections: list[Markup] = []
    for name in registry.names(registry.NOTEBOOK_SECTIONS):
        with contextlib.suppress(Exception):  # the pages of a class do not stop at a section
            write: WriteNotebookSection = registry.load(registry.NOTEBOOK_SECTIONS, name)
            sections.append(write(reported))
    return sections


def extension_sections(reported: ReportedClass) -> tuple[list[Markup], list[str]]:
    """Make the registered sections, in the order of their names.

    Returns:
        The sections, and a sentence for each one that cannot be loaded.
    """
    sections: list[Markup] = []
    faults: list[str] = []
    for name in registry.names(registry.SECTIONS):
        try:
            write: WriteSection = registry.load(registry.SECTIONS, name)
        except HostError as error:
            faults.append(str(error))
        else:
            sections.append(write(reported))
    return sections, faults
