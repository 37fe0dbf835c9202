"""Data beside test files: students get those of visible tests, and none of a hidden one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from autograder._util.syntax import parsed
from autograder.records.exam import Exam, ExamCell, Role
from autograder.syntax.course_modules import tests_data


def visible_data(source: Path, notebooks: Iterable[tuple[Exam, Mapping[str, str]]]) -> dict[str, Path]:
    """Find the data that visible tests name and no hidden test does; all of them if no test is hidden.

    A test names a file by a text that is its name, or by having its name: a snapshot of ``test_rope`` is
    ``test_rope.npz``. For a hidden test, a text without the suffix is enough. ``conftest.py`` and modules of helpers
    count as hidden tests do.

    Args:
        source: the assignment's source folder.
        notebooks: each exam, with the released text of its test files.

    Returns:
        Path from the assignment's folder → file.
    """
    visible, hidden, is_any_hidden = set[str](), set[str](), False
    for exam, texts in notebooks:
        cells = [cell for cell in exam.cells if cell.role is Role.TEST]
        is_any_hidden |= not all(map(_is_visible, cells))
        hidden |= {word for cell in cells if not _is_visible(cell) for word in _names(cell, cell.source)}
        in_release = [cell for cell in cells if _is_visible(cell)]
        visible |= {word for cell in in_release for word in _names(cell, texts.get(cell.file, "")) if "." in word}
        visible |= {f"{_test(cell)}." for cell in in_release}
    data = tests_data(source)
    if not is_any_hidden:
        return data
    for helper in (source / "tests").rglob("*.py"):  # a fixture may read a file for a hidden test
        if not helper.name.startswith("test_"):
            hidden |= _file_names(helper.read_text(encoding="utf-8", errors="replace"))
    return {
        path: file
        for path, file in data.items()
        if visible & {file.name, f"{file.stem.partition('[')[0]}."}
        and not hidden & {file.name, file.stem, file.stem.partition("[")[0]}
    }


def _is_visible(cell: ExamCell) -> bool:
    """Tell whether students have the test; a hidden pytest function is one line there."""
    return "\n" in cell.released if cell.file else cell.source.strip() == cell.released.strip()


def _names(cell: ExamCell, text: str) -> set[str]:
    """Return what may name a file: the last parts of the paths in a text, and the test's name."""
    return _file_names(text) | {_test(cell)}


def _file_names(text: str) -> set[str]:
    constants = [node.value for node in ast.walk(parsed(text) or ast.Module([], [])) if isinstance(node, ast.Constant)]
    return {PurePosixPath(one).name for one in constants if isinstance(one, str)}


def _test(cell: ExamCell) -> str:
    return str(cell.grade_id).rpartition("::")[2]
