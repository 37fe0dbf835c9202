"""nbgrader's own course, unedited, through the sandbox; and nbgrader's commands on what comes of it."""

from __future__ import annotations

import copy
import csv
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from helpers.pipeline import Graded, grade, release, seen_by_student

from autograder.course.configuration import load_course
from autograder.extensions.gradebook.database import opened
from autograder.records.course import Course
from autograder.records.exam import Exam
from autograder.release.exam_construction import solution_notebook

pytestmark = pytest.mark.sandbox

if find_spec("nbgrader") is None:
    pytest.skip("nbgrader is not installed", allow_module_level=True)
NBGRADER = Path(find_spec("nbgrader").submodule_search_locations[0])
GUIDE = NBGRADER / "docs/source/user_guide"
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "course101"
c.IncludeHeaderFooter.header = "source/header.ipynb"
"""
AUTOMATIC = {
    "correct_squares": 1.0,
    "squares_invalid_input": 1.0,
    "correct_sum_of_squares": 0.5,
    "sum_of_squares_uses_squares": 0.5,
}
ALONE = "def sum_of_squares(n):\n    return sum(i * i for i in range(1, n + 1))"
CLASS: dict[str, tuple[dict[str, str] | None, dict[str, float]]] = {
    # student: (answers that differ from the solution; None: handed in as released), questions that lose points
    "solution": ({}, {}),
    "blank": (None, dict.fromkeys(AUTOMATIC, 0.0)),
    "without-helper": ({"sum_of_squares": ALONE}, {"sum_of_squares_uses_squares": 0.0}),
    "no-check": (
        {"squares": "def squares(n):\n    return [i ** 2 for i in range(1, n + 1)]"},
        {"squares_invalid_input": 0.0},
    ),
}


def nbgrader(root: Path, *arguments: str) -> None:
    """Run nbgrader's command as a person would, with nothing of this machine's configuration."""
    home = root.parent / "home"
    home.mkdir(exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home), "PATH": path}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def hand_in(course: Course, exams: list[Exam]) -> None:
    for student, (answers, _) in CLASS.items():
        folder = course.submitted(student, "ps1")
        folder.mkdir(parents=True)
        for exam in exams:
            if answers is None:
                shutil.copyfile(course.release("ps1") / f"{exam.notebook}.ipynb", folder / f"{exam.notebook}.ipynb")
                continue
            notebook = copy.deepcopy(solution_notebook(exam))
            for cell in notebook.cells:
                cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
            nbformat.write(notebook, folder / f"{exam.notebook}.ipynb")
        (folder / "timestamp.txt").write_text("2026-03-02 18:00:00.000000 UTC")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Graded]:
    """The user guide's course as it stands, released, and a class of four."""
    root = tmp_path_factory.mktemp("nbgrader") / "course101"
    shutil.copytree(GUIDE / "source/ps1", root / "source/ps1")
    shutil.copyfile(GUIDE / "source/header.ipynb", root / "source/header.ipynb")
    (root / "nbgrader_config.py").write_text(CONFIG)
    course = load_course(root)
    hand_in(course, release(course, "ps1", proof=False))
    return course, grade(course, "--workers", "2", name="ps1")


@pytest.mark.parametrize("student", CLASS)
def test_the_class_gets_what_nbgrader_would_give(graded, student: str) -> None:
    """Also by the test that deletes a helper and expects a NameError."""
    _, done = graded
    points = {k: v for k, v in done.points(student).items() if k in AUTOMATIC}
    assert points == {**AUTOMATIC, **CLASS[student][1]}
    assert done.grades[student].max_score == 13


def test_written_answers_wait_for_a_person(graded) -> None:
    _, done = graded
    waiting = {q.id for n in done.grades["solution"].notebooks for q in n.questions if q.needs_manual_grade}
    assert {"sum_of_squares_application", "part-b"} <= waiting


def test_the_student_sees_which_test_failed(graded) -> None:
    course, _ = graded
    assert "sum_of_squares does not use squares" in seen_by_student(course, "without-helper", "ps1")


@pytest.mark.slow
def test_nbgrader_export_gives_the_scores_of_our_csv(graded) -> None:
    course, _ = graded
    nbgrader(course.root, "export", "--to", "theirs.csv")
    theirs = _rows(course.root / "theirs.csv", "student_id")
    ours = _rows(course.grades_csv, "student")
    assert theirs.keys() == ours.keys() == CLASS.keys()
    for student, row in ours.items():
        assert float(theirs[student]["score"]) == pytest.approx(float(row["score"]))
        assert float(theirs[student]["max_score"]) == float(row["max_score"]) == 13


def _rows(path: Path, key: str) -> dict[str, dict[str, str]]:
    return {row[key]: row for row in csv.DictReader(path.read_text().splitlines())}


@pytest.mark.slow
def test_nbgrader_generates_feedback_from_our_autograded(graded) -> None:
    course, _ = graded
    for student in CLASS:
        shutil.rmtree(course.feedback(student, "ps1"), ignore_errors=True)
    nbgrader(course.root, "generate_feedback", "ps1", "--force")
    for student in CLASS:
        page = (course.feedback(student, "ps1") / "problem1.html").read_text()
        lost = sum(AUTOMATIC[q] for q in CLASS[student][1])
        assert f"(Score: {3 - lost:.1f} / 10.0)" in page


@pytest.mark.slow
def test_a_course_made_by_quickstart_is_released_with_proof(tmp_path: Path) -> None:
    nbgrader(tmp_path, "quickstart", "course101")
    course = load_course(tmp_path / "course101")
    assert course.course_id == "course101"
    release(course, "ps1")
    names = {p.name for p in course.release("ps1").iterdir()}
    assert names == {"problem1.ipynb", "problem2.ipynb", "jupyter.png"}


# --- nbgrader's own autograde on the same submissions ------------------------------------------------------

APPS = NBGRADER / "tests/apps/files"
PLUGIN = """\
from nbgrader.plugins import BasePlugin

class PerHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 7200
"""
SUBMISSIONS = {
    # assignment: source, what students hand in
    "submitted": (
        "submitted-unchanged",
        [
            *("submitted-unchanged", "submitted-changed", "submitted-grade-cell-changed"),
            *("submitted-cheat-attempt", "submitted-cheat-attempt-alternative"),
        ],
    ),
    "test": ("test", ["test"]),
    "hidden": ("test-hidden-tests", ["test-hidden-tests"]),
    "multi": ("autotest-multi", ["autotest-multi-unchanged", "autotest-multi-changed"]),
}


def _class_of_fixtures(root: Path) -> Course:
    """All are handed in an hour late, which costs half a point by a plugin."""
    for name, (source, submissions) in SUBMISSIONS.items():
        (root / f"source/{name}").mkdir(parents=True)
        shutil.copyfile(APPS / f"{source}.ipynb", root / f"source/{name}/p1.ipynb")
        for student in submissions:
            folder = root / f"submitted/{student}/{name}"
            folder.mkdir(parents=True)
            shutil.copyfile(APPS / f"{student}.ipynb", folder / "p1.ipynb")
            (folder / "timestamp.txt").write_text("2026-03-02 19:00:00 UTC")
    shutil.copyfile(APPS / "autotests.yml", root / "autotests.yml")
    (root / "late_plugin.py").write_text(PLUGIN)
    lines = ["c.CourseDirectory.course_id = 'c'", "c.AssignLatePenalties.plugin_class = 'late_plugin.PerHour'"]
    (root / "nbgrader_config.py").write_text("\n".join(["c = get_config()", *lines, ""]))
    with opened(load_course(root)) as book:
        for name in SUBMISSIONS:
            book.update_or_create_assignment(name, duedate="2026-03-02 18:00:00 UTC")
    return load_course(root)


def _exported(root: Path) -> dict[tuple[str, str], tuple[float, ...]]:
    nbgrader(root, "export", "--to", "theirs.csv")
    rows = csv.DictReader((root / "theirs.csv").read_text().splitlines())
    columns = ("raw_score", "late_submission_penalty", "score", "max_score")
    found = {(row["assignment"], row["student_id"]): tuple(float(row[column]) for column in columns) for row in rows}
    return {
        (name, student): found[name, student] for name, (_, handed_in) in SUBMISSIONS.items() for student in handed_in
    }


@pytest.mark.slow
def test_nbgraders_own_autograde_gives_the_same_scores_and_penalties(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs/course", tmp_path / "ours/course"
    _class_of_fixtures(theirs)
    course = _class_of_fixtures(ours)
    for name in SUBMISSIONS:
        nbgrader(theirs, "generate_assignment", name)
        nbgrader(theirs, "autograde", name)
        release(course, name, proof=False)
        grade(course, name=name)
    assert _exported(ours) == _exported(theirs)
