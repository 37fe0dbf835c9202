"""Settings of otter notebooks that concern Gradescope: what students see there, and which libraries are installed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from autograder.errors import CourseError
from autograder.extensions.otter.notebook_files import read_notebook_pieces
from autograder.extensions.otter.notebook_layout import NotebookLayout, lay_out
from autograder.extensions.otter.otter_settings import in_course
from autograder.release.formats import PlatformSettings

_COMMENT = re.compile(r"(^|\s)#.*")
_OTTER = re.compile(r"otter-grader\b", re.IGNORECASE)
"""Library that the kit has a stand-in for."""


def platform_settings(folder: Path, notebooks: Mapping[Path, bytes]) -> PlatformSettings | None:
    """Read the settings of a source folder's otter notebooks; of several, the strictest counts.

    Args:
        folder: the source folder.
        notebooks: its notebooks, with their content.

    Raises:
        CourseError: a notebook is not as otter's sources are, or its file of requirements cannot be read.
    """
    sources = {path: read_notebook_pieces(path, content, folder) for path, content in notebooks.items()}
    layouts = [lay_out(pieces, folder, path.name) for path, pieces in sources.items() if pieces]
    if not layouts:
        return None
    return PlatformSettings(
        visibility=_visibility(layouts),
        public_summary=any(layout.settings.public_summary for layout in layouts),
        requirements=tuple(dict.fromkeys(line for each in layouts for line in _requirements(each, folder))),
    )


def _visibility(layouts: Sequence[NotebookLayout]) -> str:
    """Say when students see a question's points, as otter decides it."""
    cases = [case for layout in layouts for question in layout.questions for case in question.cases]
    if all(layout.settings.show_all_public for layout in layouts) and not any(case.hidden for case in cases):
        return "visible"
    return "after_published" if all(layout.settings.show_hidden for layout in layouts) else "hidden"


def _requirements(layout: NotebookLayout, folder: Path) -> Iterator[str]:
    """Yield the lines of the libraries that a config lists, or that the one file in it lists."""
    for text in layout.settings.requirements:
        lines = [text] if layout.settings.lists_libraries else _lines(folder, text)
        for line in (_COMMENT.sub("", each).strip() for each in lines):
            if line and not _OTTER.match(line):
                yield line


def _lines(folder: Path, name: str) -> list[str]:
    try:
        return in_course(folder, name).read_text(encoding="utf-8").splitlines()
    except ValueError as error:
        raise CourseError(f"source/{folder.name}: requirements: {name!r} {error}") from None
    except OSError as error:
        raise CourseError(f"source/{folder.name}: requirements: {name!r} cannot be read ({error.strerror})") from None
