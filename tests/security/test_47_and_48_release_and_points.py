"""Attacks 47 and 48: what slips out with a release, and points by hand that appear while a batch runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpers.tiny import (
    SOLUTION,
    TEST,
    Here,
    cell,
    copied,
    grade_in_this_process,
    notebook,
    submit,
    tiny_course,
)

from autograder._util.notebook import read_source_notebook
from autograder.cli import main
from autograder.coordinator import batch
from autograder.course.configuration import load_course
from autograder.course.nbgrader_config import read_nbgrader_config
from autograder.records.course import Course
from autograder.records.grade import Batch
from autograder.release.stripping import strip

CANARY = "canary-release-0123456789abcdef"
HIDDEN = f"assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(21) == 42, '{CANARY}'\n### END HIDDEN TESTS"
ANSWER = SOLUTION.replace("return 2 * x", f"return 2 * x  # {CANARY}")


def course_with(root: Path, *, test: str = HIDDEN, answer: str = ANSWER) -> Course:
    """An nbgrader course without a course.yaml."""
    course = tiny_course(root, solution=answer, test=test)
    (root / "course.yaml").unlink()
    return load_course(course.root)


def released(course: Course) -> Result:
    return CliRunner().invoke(main, ["release", "hw", "--no-prove", "--course", str(course.root)])


def holds_canary(folder: Path) -> bool:
    return any(CANARY.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


# --- 47: a release -----------------------------------------------------------------------------------

SLIPS = {
    "singular": ("BEGIN HIDDEN TESTS", "BEGIN HIDDEN TEST"),
    "lower case": ("BEGIN HIDDEN TESTS", "begin hidden tests"),
    "without BEGIN": ("BEGIN HIDDEN TESTS", "HIDDEN TESTS"),
    "without the line": ("### BEGIN HIDDEN TESTS\n", ""),
    "both lower case": ("HIDDEN TESTS", "hidden tests"),
    "underscore": ("HIDDEN TESTS", "HIDDEN_TESTS"),
    "two letters": ("BEGIN HIDDEN", "BEGN HIDEN"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_47_a_misspelt_marker_releases_nothing(tmp_path: Path, slip: str) -> None:
    course = course_with(tmp_path, test=HIDDEN.replace(*SLIPS[slip]))
    said = released(course)
    assert said.exit_code == 1, said.output
    assert "source/hw/nb.ipynb: cell 2 ('test-double'): line " in said.stderr
    assert "BEGIN HIDDEN TESTS" in said.stderr
    assert not (course.root / "release").exists()


@pytest.mark.parametrize("slip", SLIPS)
def test_47_control_nbgraders_own_steps_hand_it_out(tmp_path: Path, slip: str) -> None:
    course = course_with(tmp_path, test=HIDDEN.replace(*SLIPS[slip]))
    source = read_source_notebook(course.source("hw") / "nb.ipynb", name="nb")
    config = read_nbgrader_config(course.root)
    student = strip(source, root=course.root, folder=course.source("hw"), config=config, label="nb").student
    assert CANARY in json.dumps(student)


REAL = 'c = get_config()\nc.CourseDirectory.ignore = ["*.md", "_*", "media", "old", "private"]\n'
PAIRS = ("nb.md", "_nb.py", "old/nb.py", "private/notes.txt")


def test_47_what_a_real_course_ignores_is_not_released(tmp_path: Path) -> None:
    """jupytext pairs beside the notebook, with all solutions and hidden tests."""
    course = course_with(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text(REAL)
    for name in PAIRS:
        path = course.source("hw") / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{ANSWER}\n{HIDDEN}\n")
    (course.source("hw") / "data.csv").write_text("x\n1\n")
    said = released(course)
    assert said.exit_code == 0, said.output
    assert {path.name for path in course.release("hw").iterdir()} == {"nb.ipynb", "data.csv"}
    assert not holds_canary(course.release("hw"))
    assert all(f"left out: {name.split('/')[0]}" in said.stdout for name in PAIRS)


@pytest.mark.parametrize("name", [*PAIRS, "solution.py", ".nb.py", "solved.ipynb"])
def test_47_nor_is_it_where_nobody_ignores_it(tmp_path: Path, name: str) -> None:
    course = course_with(tmp_path)
    path = course.source("hw") / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(notebook(cell(f"{ANSWER}\n{HIDDEN}")) if name.endswith("ipynb") else f"{ANSWER}\n{HIDDEN}\n")
    said = released(course)
    assert said.exit_code == 1, said.output
    assert name in said.stderr
    assert not (course.root / "release").exists()


def test_47_control_an_honest_release_goes_out_with_its_prose(tmp_path: Path) -> None:
    said = f"# Hidden tests\n# hidden tests run later, on your solution\n{HIDDEN}"
    course = course_with(tmp_path, test=said)
    (course.source("hw") / "read.md").write_text("## Solution\n\nHidden tests check your solution.\n")
    assert released(course).exit_code == 0
    assert not holds_canary(course.release("hw"))
    assert "hidden tests run later" in (course.release("hw") / "nb.ipynb").read_text()


# --- 48: points by hand ------------------------------------------------------------------------------


def graded(course: Course) -> Result:
    """Run ``autograder grade`` without sandboxes: what is told of points is none of their business."""
    with pytest.MonkeyPatch.context() as patch:
        grade_in_this_process(patch, Here())
        said = CliRunner().invoke(main, ["grade", "hw", "--course", str(course.root)])
    assert said.exit_code == 0, said.output
    return said


def enter(course: Course, student: str, points: float) -> None:
    """What formgrader writes, and what an attack wrote."""
    with sqlite3.connect(course.gradebook) as book:
        done = book.execute(
            "UPDATE grade SET manual_score = ? WHERE notebook_id IN (SELECT n.id FROM submitted_notebook n "
            "JOIN submitted_assignment a ON n.assignment_id = a.id WHERE a.student_id = ?)",
            (points, student),
        )
        assert done.rowcount == 1
    book.close()


def manual(course: Course) -> list[float]:
    with sqlite3.connect(course.gradebook) as book:
        return [row[0] for row in book.execute("SELECT manual_score FROM grade WHERE manual_score IS NOT NULL")]


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """ada has 2 of 2, eve 0; both are graded."""
    made = tiny_course(tmp_path_factory.mktemp("graded") / "course")
    submit(made, "ada")
    submit(made, "eve", "def double(x):\n    return 3")
    graded(made)
    return made


@pytest.fixture
def course(graded_course: Course, tmp_path: Path) -> Course:
    """The same in a folder of the test's own."""
    return copied(graded_course, tmp_path / "course")


def with_another_test(course: Course) -> Course:
    """What is graded again, from the recordings."""
    return tiny_course(course.root, test=TEST.replace("42", "42.0"))


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Does something in the middle of the next batches."""
    run = batch.run

    def do(act: Callable[[], None]) -> None:
        def and_act(*args: Any, **options: Any) -> Batch:
            act()
            return run(*args, **options)

        monkeypatch.setattr(batch, "run", and_act)

    return do


@pytest.mark.integration
def test_48_points_that_appear_while_a_batch_runs_are_told_by_name(course: Course, meanwhile) -> None:
    changed = with_another_test(course)
    meanwhile(lambda: enter(course, "eve", 16))
    said = graded(changed)
    line = "points by hand: eve: nb/test-double: 16 points given by hand while this batch ran (no points before)"
    assert line in said.stderr
    assert "points by hand: eve: nb/test-double: 16 points by hand, of 2" in said.stderr
    assert "ada: nb" not in said.stderr
    assert manual(course) == [16.0], "a person's points are never written over"
    page = (course.reports / "hw.html").read_text()
    assert "eve: nb/test-double: 16 points by hand, of 2" in page
    exported = CliRunner().invoke(main, ["export", "--course", str(course.root)])
    assert "hw, eve: nb/test-double: 16 points by hand, of 2" in exported.stderr


@pytest.mark.integration
def test_48_they_are_told_where_nothing_is_executed_either(course: Course, meanwhile) -> None:
    meanwhile(lambda: enter(course, "eve", 1))
    said = graded(course)
    assert "eve: nb/test-double: 1 point given by hand while this batch ran" in said.stderr
    assert ", of 2" not in said.stderr


@pytest.mark.integration
def test_48_control_a_persons_points_before_the_batch_count_and_are_no_news(course: Course) -> None:
    enter(course, "eve", 1)
    said = graded(with_another_test(course))
    assert "by hand" not in said.stderr
    assert manual(course) == [1.0]
    assert "eve,1" in course.grades_csv.read_text()
    assert "given by hand" not in (course.reports / "hw.html").read_text()
