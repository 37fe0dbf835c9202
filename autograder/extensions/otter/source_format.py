"""Otter's source notebooks, as the release asks for them; what reads them is imported when there are any."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.release.formats import FileRules, PlatformSettings, SourceFormat

if TYPE_CHECKING:
    from autograder._util.notebook_format import NotebookNode
    from autograder.records.course import Course
    from autograder.release.notebook_versions import NotebookVersions
    from autograder.release.record import Release

_MARKER = re.compile(rb"assignment\s+config|begin\s+question", re.IGNORECASE)


def _is_source(notebook: NotebookNode) -> bool:
    from autograder.extensions.otter.blocks import is_otter_source

    return is_otter_source(notebook)


def _convert(notebook: NotebookNode, *, folder: Path, file: str, label: str) -> NotebookVersions:
    from autograder.extensions.otter.source_notebook import convert

    return convert(notebook, folder=folder, file=file, label=label)


def _check_folder(folder: Path) -> None:
    from autograder.extensions.otter.language_check import check_folder

    check_folder(folder)


def _check_other(notebook: NotebookNode, label: str, assignment: str) -> None:
    from autograder.extensions.otter.student_notebook import check_source

    check_source(notebook, label, assignment)


def _file_rules(source: Path, notebooks: Mapping[Path, bytes]) -> FileRules | None:
    from autograder.extensions.otter.notebook_files import otter_files

    return otter_files(source, notebooks)


def _platform_settings(source: Path, notebooks: Mapping[Path, bytes]) -> PlatformSettings | None:
    from autograder.extensions.otter.platform import platform_settings

    return platform_settings(source, notebooks)


def _is_test(code: str) -> bool:
    from autograder.extensions.otter.examined import is_otter_test

    return is_otter_test(code)


def _place_in_source(code: str, line: int) -> str:
    from autograder.extensions.otter.examined import place_in_source

    return place_in_source(code, line)


def _update_outputs(course: Course, release: Release) -> Mapping[str, Sequence[object]]:
    from autograder.extensions.otter.recorded_outputs import update_source

    return update_source(course, release)


OTTER = SourceFormat(
    marker=_MARKER,
    is_source=_is_source,
    convert=_convert,
    check_folder=_check_folder,
    check_other=_check_other,
    file_rules=_file_rules,
    is_test=_is_test,
    place_in_source=_place_in_source,
    update_outputs=_update_outputs,
    platform_settings=_platform_settings,
)
