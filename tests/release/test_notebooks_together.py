"""Notebooks of one assignment that need one another, and data that students hand in."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.tiny import cell, notebook

from autograder.course.configuration import load_course
from autograder.release.build import build, linted

WRITES = "open('weights.npz', 'wb').write(b'7')"
READS = "w = open('weights.npz', 'rb').read()"


def warnings(root: Path, config: str = "", data: str = "", **notebooks: str) -> list[str]:
    """What is said of notebooks with these solutions, and of this file beside them."""
    folder = root / "source/hw"
    folder.mkdir(parents=True)
    for name, source in notebooks.items():
        answer = cell(f"### BEGIN SOLUTION\n{source}\n### END SOLUTION", "a", solution=True)
        (folder / f"{name}.ipynb").write_text(notebook(answer))
    if data:
        (folder / data).write_text("1")
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{config}\n")
    course = load_course(root)
    return linted(build(course, course.assignments["hw"]))[1]


def test_a_file_that_a_later_notebook_writes_is_a_warning(tmp_path: Path) -> None:
    (said,) = warnings(tmp_path, first=READS, second=WRITES)
    assert said.startswith("source/hw/first.ipynb: it names 'weights.npz', which second.ipynb writes")
    assert "in the order of their names" in said


@pytest.mark.parametrize(
    ("first", "second", "data"),
    [
        (WRITES, READS, ""),
        (READS, WRITES, "weights.npz"),
        (f"{WRITES}\n{READS}", WRITES, ""),
        (WRITES, "print('other.npz')", ""),
    ],
)
def test_a_file_that_a_notebook_or_an_earlier_one_has_is_none(
    tmp_path: Path, first: str, second: str, data: str
) -> None:
    assert warnings(tmp_path, first=first, second=second, data=data) == []


@pytest.mark.parametrize("statement", ["from ipynb.fs.full.{} import f", "import ipynb.fs.defs.{} as other"])
def test_an_import_of_a_later_notebook_is_a_warning(tmp_path: Path, statement: str) -> None:
    """One of an earlier notebook is none."""
    (said,) = warnings(tmp_path, first=statement.format("second"), second=statement.format("first"))
    assert "first.ipynb: it imports second.ipynb" in said


EXCLUDED = "c.Autograde.exclude_overwriting = {'hw': ['weights.npz']}"


def test_released_data_that_the_solution_makes_and_students_hand_in_is_a_warning(tmp_path: Path) -> None:
    (said,) = warnings(tmp_path, EXCLUDED, data="weights.npz", first=WRITES)
    assert said.startswith("weights.npz is handed in by students, and your solution writes it")


def test_data_that_students_hand_in_need_not_lie_in_the_source_folder_of_an_nbgrader_course(tmp_path: Path) -> None:
    assert warnings(tmp_path, EXCLUDED, first=WRITES) == []
