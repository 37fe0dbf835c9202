"""Formats of source notebooks beside nbgrader's: packages register them, and the release asks them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from autograder._util import registry
from autograder.errors import CourseError

if TYPE_CHECKING:  # a batch asks for the rules of files alone
    from autograder._util.notebook_format import NotebookNode
    from autograder.records.course import Course
    from autograder.release.notebook_versions import NotebookVersions
    from autograder.release.record import Release

_OTTER = re.compile(r"\A#\s*assignment\s+config\b", re.IGNORECASE)
"""First line of a cell that every source notebook of otter-grader has."""


class FileRules(Protocol):
    """Rules for which files of a source folder are released."""

    @property
    def sources(self) -> Sequence[Path]:
        """Files that the notebooks' settings were read from, in the folder or elsewhere in the course."""

    @property
    def answers(self) -> Sequence[Path]:
        """Files in which students write."""

    def why_not(self, path: Path) -> str | None:
        """Return why a file is not released; None if it is."""

    def without_solutions(self, text: str, label: str) -> str:
        """Return the text of an answer file as students get it; ``label`` names it in messages.

        Raises:
            CourseError: a marker has no partner, or is misspelled.
        """


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """Settings of source notebooks that concern Gradescope."""

    visibility: str
    """When students see points and messages, in Gradescope's words."""
    public_summary: bool
    """Whether they see at once which public tests pass."""
    requirements: tuple[str, ...]
    """Lines of the libraries that the notebooks name, as in a requirements file."""


class Convert(Protocol):
    """Reader of a source notebook."""

    def __call__(self, notebook: NotebookNode, *, folder: Path, file: str, label: str) -> NotebookVersions:
        """Make the versions of a notebook; ``label`` names it in messages.

        Raises:
            CourseError: it is not as this format's sources are.
        """


@dataclass(frozen=True)
class SourceFormat:
    """A format of source notebooks. Its module imports nothing heavy; the functions do."""

    marker: re.Pattern[bytes]
    """Text that every file in this format holds, and hardly any other: without it, nothing is read."""
    is_source: Callable[[NotebookNode], bool]
    """Tells whether a notebook is in this format."""
    convert: Convert
    check_folder: Callable[[Path], None]
    """Refuses a source folder that holds what this format cannot examine, with a CourseError."""
    check_other: Callable[[NotebookNode, str, str], None]
    """Refuses a notebook of another format that should be in this one, such as the students' in the place of its
    source, with a CourseError; given the notebook, its name and that of the assignment."""
    file_rules: Callable[[Path, Mapping[Path, bytes]], FileRules | None]
    """Reads which files are released from the notebooks of a source folder; None if it has none in this format."""
    is_test: Callable[[str], bool]
    """Tells whether :attr:`convert` made the code of a test cell; its visible tests may pass before an answer."""
    place_in_source: Callable[[str, int], str]
    """Returns cell and line of the source for a line of a test cell's code; empty if it is of another format."""
    update_outputs: Callable[[Course, Release], Mapping[str, Sequence[object]]]
    """Runs the solution and saves in the source what its tests print: notebook → what was stale, a line each."""
    platform_settings: Callable[[Path, Mapping[Path, bytes]], PlatformSettings | None]
    """Reads what the notebooks of a source folder say of Gradescope; None if it has none in this format."""


def formats() -> list[SourceFormat]:
    """Import the registered formats, in the order of their names.

    Raises:
        HostError: one cannot be imported.
    """
    return [registry.load(registry.FORMATS, name) for name in registry.names(registry.FORMATS)]


def format_of(notebook: NotebookNode, label: str) -> SourceFormat | None:
    """Return the format of a source notebook; None for nbgrader's.

    Raises:
        CourseError: it is otter-grader's, and the extension for that is not installed.
    """
    for source_format in formats():
        if source_format.is_source(notebook):
            return source_format
    absent = registry.absence("otter", registry.FORMATS)
    if absent and any(_OTTER.match(cell.source) for cell in notebook.cells):
        raise CourseError(f"{label}: an otter notebook {absent}")
    return None


def is_foreign_test(code: str) -> bool:
    """Tell whether a test cell's code was made from a source that is not nbgrader's."""
    return any(each.is_test(code) for each in formats())


def place_in_source(code: str, line: int) -> str:
    """Return cell and line of the source for a test cell's line; empty in the source's own cells."""
    return next((position for each in formats() if (position := each.place_in_source(code, line))), "")


def file_rules(source: Path, notebooks: Mapping[Path, bytes]) -> list[FileRules]:
    """Read which files of a source folder are released, for each format that a notebook may have.

    Args:
        source: the source folder, without links.
        notebooks: its notebooks, with their content.

    Raises:
        CourseError: a notebook's settings are wrong, or a listed file is missing.
    """
    used = [each for each in formats() if any(map(each.marker.search, notebooks.values()))]
    return [rules for each in used if (rules := each.file_rules(source, notebooks)) is not None]


def platform_settings(source: Path) -> PlatformSettings | None:
    """Read what the notebooks of a source folder say of Gradescope; None if none of their formats has such settings.

    Raises:
        CourseError: a notebook's settings are wrong.
    """
    notebooks = {path: path.read_bytes() for path in sorted(source.glob("*.ipynb"))}
    used = [each for each in formats() if any(map(each.marker.search, notebooks.values()))]
    return next(
        (settings for each in used if (settings := each.platform_settings(source, notebooks)) is not None), None
    )
