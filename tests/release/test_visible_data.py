"""Data beside tests go to students with the visible tests that name them, and only if no hidden test does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from helpers.exams import exam_of

from autograder.records.exam import Exam, Role
from autograder.release.visible_data import visible_data

NAMES = ("a.npz", "b.csv", "test_shown.npz", "test_shown[1].npz", "test_other.npz", "unnamed.txt")


def exam(*tests: tuple[str, str, bool]) -> Exam:
    """Make an exam of pytest functions: name, code, whether students have it."""
    cells = exam_of(*((Role.TEST, code) for _, code, _ in tests)).cells
    return dataclasses.replace(
        exam_of(),
        cells=tuple(
            dataclasses.replace(
                cell,
                file="tests/test_nb.py",
                grade_id=f"tests/test_nb.py::{name}",
                released=f"# {name}\n{code}" if seen else f"# {name}",
            )
            for cell, (name, code, seen) in zip(cells, tests, strict=True)
        ),
    )


@pytest.mark.parametrize(
    ("visible", "hidden", "released"),
    [
        ("x = 1", None, set(NAMES)),
        ("x = 1", "y = 1", {"test_shown.npz", "test_shown[1].npz"}),
        ("x = 'a.npz'", "y = 1", {"a.npz", "test_shown.npz", "test_shown[1].npz"}),
        ("x = 'data/b.csv'", "y = 1", {"b.csv", "test_shown.npz", "test_shown[1].npz"}),
        ("x = 'a'", "y = 1", {"test_shown.npz", "test_shown[1].npz"}),
        ("x = 'a.npz'", "y = 'a'", {"test_shown.npz", "test_shown[1].npz"}),
        ("x = 'a.npz'", "y = '_snapshots/a.npz'", {"test_shown.npz", "test_shown[1].npz"}),
        ("x = 1", "y = 'test_shown'", set()),
    ],
)
def test_a_file_goes_to_students_if_visible_tests_alone_name_it(
    tmp_path: Path, visible: str, hidden: str | None, released: set[str]
) -> None:
    folder = tmp_path / "tests/_snapshots"
    folder.mkdir(parents=True)
    (tmp_path / "tests/test_nb.py").write_text("")
    for name in NAMES:
        (folder / name).write_text("")
    tests = [("test_shown", visible, True), *([("test_hidden", hidden, False)] if hidden is not None else [])]
    found = visible_data(tmp_path, [(exam(*tests), {"tests/test_nb.py": visible})])
    assert {Path(path).name for path in found} == released
