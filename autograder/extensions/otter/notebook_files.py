"""Files that an otter assignment releases: those that its configuration lists, and nothing else of its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder._util.notebook_format import NotebookNode, nbformat
from autograder.course.paths import inside
from autograder.errors import CourseError
from autograder.extensions.otter.blocks import CellPart, boundary_of, is_otter_source, pieces
from autograder.extensions.otter.otter_settings import OtterSettings, read_settings
from autograder.extensions.otter.solutions import without_solutions

NOT_LISTED = "not in files of the otter config"
_WITHHELD = "autograder_files or student_files of the otter config"


@dataclass(frozen=True, slots=True)
class OtterFiles:
    """Files of an assignment's folder, as its otter configurations name them."""

    only: bool
    """All its notebooks are otter's: nothing that is not listed is released."""
    listed: tuple[Path, ...]
    withheld: tuple[Path, ...]
    sources: tuple[Path, ...] = ()
    answers: tuple[Path, ...] = ()
    """Modules of ``student_files``."""

    def why_not(self, path: Path) -> str | None:
        """Return why a file in the source folder is not released; None if it is."""
        if any(path.is_relative_to(one) for one in self.withheld):
            return _WITHHELD
        if self.only and not any(path.is_relative_to(one) for one in self.listed):
            return NOT_LISTED
        return None

    def without_solutions(self, text: str, label: str) -> str:
        """Remove what otter's markers hide from a module of the students'.

        Raises:
            CourseError: a marker has no partner, or is misspelled.
        """
        part = CellPart(label, NotebookNode(cell_type="code", metadata={}, source=text), 0)
        return "\n".join(without_solutions(part, list(enumerate(part.lines, 1))))


def otter_files(folder: Path, notebooks: Mapping[Path, bytes]) -> OtterFiles | None:
    """Read which files the otter notebooks of a source folder name; None if it has no such notebook.

    Args:
        folder: the source folder, without links.
        notebooks: its notebooks, with their content.

    Raises:
        CourseError: a configuration is wrong, or a listed file is missing.
    """
    all_settings = ((path, _settings(path, content, folder)) for path, content in notebooks.items())
    settings_by_path = {path: settings for path, settings in all_settings if settings is not None}
    if not settings_by_path:
        return None
    listed = [_path_of(path, folder, name) for path, s in settings_by_path.items() for name in s.files]
    answers = [
        _path_of(path, folder, name)
        for path, s in settings_by_path.items()
        for name in s.student_files
        if name.endswith(".py")
    ]
    withheld = [
        _path_of(path, folder, name, must_exist=False)
        for path, s in settings_by_path.items()
        for name in (*s.autograder_files, *(name for name in s.student_files if not name.endswith(".py")))
    ]
    shared = dict.fromkeys(file for settings in settings_by_path.values() for file in settings.shared)
    return OtterFiles(
        len(settings_by_path) == len(notebooks), tuple(listed), tuple(withheld), tuple(shared), tuple(answers)
    )


def read_notebook_pieces(path: Path, content: bytes, folder: Path) -> list[CellPart]:
    """Read the pieces of an otter source; none if the notebook is of another format, or damaged."""
    try:
        notebook: NotebookNode = nbformat.from_dict(json.loads(content))
        for cell in notebook.cells:
            cell.source = "".join(cell.source)
        if not is_otter_source(notebook):
            return []
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return []  # told when the notebook is read
    return list(pieces(notebook, f"source/{folder.name}/{path.name}"))


def _settings(path: Path, content: bytes, folder: Path) -> OtterSettings | None:
    cell_parts = read_notebook_pieces(path, content, folder)
    settings = OtterSettings()
    for cell_part in cell_parts:
        boundary = boundary_of(cell_part)
        if boundary is not None and boundary.kind == "config":
            settings = read_settings(cell_part, folder, settings)
    return settings if cell_parts else None


def _path_of(notebook: Path, folder: Path, name: str, *, must_exist: bool = True) -> Path:
    label = f"source/{folder.name}/{notebook.name}"
    try:
        path = inside(folder, name, folder)
    except ValueError as error:
        raise CourseError(f"{label}: the file {name!r} of the otter config {error}") from None
    if must_exist and not path.exists():
        raise CourseError(
            f"{label}: the file {name!r} of the otter config is not there; put it into source/{folder.name}"
        )
    return path
