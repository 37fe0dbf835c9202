"""What nbgrader's own tests of `nbgrader autograde` ask of a batch, asked of `autograder grade` on the same notebooks.

The course is nbgrader's: no course.yaml; due dates in gradebook.db, the late penalty in nbgrader_config.py.
"""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.pipeline import Graded, grade, release

from autograder.course.configuration import load_course
from autograder.extensions.gradebook.database import opened
from autograder.records.course import Course

pytestmark = pytest.mark.sandbox

if find_spec("nbgrader") is None:
    pytest.skip("nbgrader is not installed", allow_module_level=True)
APPS = Path(find_spec("nbgrader").submodule_search_locations[0]) / "tests/apps/files"
DUE = "2015-02-02 14:58:23.948203 America/Los_Angeles"
HOUR_LATE = "2015-02-02 15:58:23.948203 America/Los_Angeles"
FOUR_HOURS_LATE = "2015-02-02 18:58:23.948203 America/Los_Angeles"
PLUGIN = """\
from __future__ import division
from nbgrader.plugins import BasePlugin

class Blarg(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        # loss 1 mark per hour late
        hours_late = total_seconds_late / 3600
        return int(hours_late)
"""
CHANGED, UNCHANGED = "submitted-changed", "submitted-unchanged"
CLASS: dict[str, tuple[dict[str, str], str | None]] = {
    # student: (notebook that is handed in → nbgrader's fixture, text of timestamp.txt)
    "foo": ({"p1": UNCHANGED, "p2": UNCHANGED}, FOUR_HOURS_LATE),
    "bar": ({"p1": CHANGED, "p2": UNCHANGED}, HOUR_LATE),
    "untimed": ({"p1": CHANGED}, None),
    "blank-stamp": ({"p1": CHANGED, "p1 copy": UNCHANGED}, ""),
    "garbled-stamp": ({"p1": CHANGED}, "But I want to be a timestamp string :("),
    "punctual": ({"p1": "side-effects"}, DUE),
    "nothing": ({}, None),
}


def hand_in(course: Course, student: str, notebooks: dict[str, str], stamp: str | None, name: str = "ps1") -> Path:
    folder = course.submitted(student, name)
    folder.mkdir(parents=True)
    for notebook, fixture in notebooks.items():
        shutil.copyfile(APPS / f"{fixture}.ipynb", folder / f"{notebook}.ipynb")
    if stamp is not None:
        (folder / "timestamp.txt").write_text(stamp)
    return folder


def _name_kernel(path: Path, name: str) -> None:
    content = json.loads(path.read_text())
    content["metadata"]["kernelspec"] = {"name": name, "display_name": name, "language": name}
    path.write_text(json.dumps(content))


def make_course(root: Path, **sources: str) -> Course:
    """An assignment ps1 of nbgrader's fixtures, due; being late costs a point an hour."""
    (root / "source/ps1").mkdir(parents=True)
    for notebook, fixture in sources.items():
        shutil.copyfile(APPS / f"{fixture}.ipynb", root / f"source/ps1/{notebook}.ipynb")
    (root / "late_plugin.py").write_text(PLUGIN)
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.AssignLatePenalties.plugin_class = 'late_plugin.Blarg'\n"
    )
    with opened(load_course(root)) as book:
        book.update_or_create_assignment("ps1", duedate=DUE)
    return load_course(root)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Graded]:
    course = make_course(tmp_path_factory.mktemp("batch") / "course", p1=UNCHANGED, p2=UNCHANGED)
    release(course, "ps1", proof=False)
    for student, (notebooks, stamp) in CLASS.items():
        hand_in(course, student, notebooks, stamp)
    _name_kernel(course.submitted("untimed", "ps1") / "p1.ipynb", "blarg")
    return course, grade(course, "--workers", "2", name="ps1")


@pytest.mark.parametrize(
    ("student", "earned", "penalty"),
    [
        ("foo", [1, 1], 2),
        ("bar", [2, 1], 2),
        ("untimed", [2, 0], 0),
        ("blank-stamp", [2, 0], 0),
        ("garbled-stamp", [2, 0], 0),
        ("punctual", [1, 0], 0),
        ("nothing", [0, 0], 0),
    ],
)
def test_points_and_late_penalties(graded, student: str, earned: list[float], penalty: float) -> None:
    """By nbgrader's example plugin, once for each notebook and never more than its score."""
    _, done = graded
    assert [book.score for book in done.grades[student].notebooks] == earned
    assert done.grades[student].late_penalty == penalty
    assert done.grades[student].max_score == 14


def test_the_kernel_that_a_submission_names_does_not_matter(graded) -> None:
    course, done = graded
    assert "blarg" in (course.submitted("untimed", "ps1") / "p1.ipynb").read_text()
    assert done.grades["untimed"].status == "missing", "of the other notebook; this one has its points"
    assert done.grades["untimed"].notebooks[0].status == "completed"


def test_nobody_is_left_out(graded) -> None:
    _, done = graded
    assert (done.exit_code, done.grades.keys(), done.not_graded) == (0, CLASS.keys(), [])


@pytest.mark.parametrize(("student", "score", "penalty"), [("foo", 2, 2), ("bar", 3, 2), ("punctual", 1, 0)])
def test_the_gradebook_has_score_and_penalty_of_a_submission(
    graded, student: str, score: float, penalty: float
) -> None:
    """Of several notebooks each bears its part in the proportion of the scores; nbgrader keeps them apart."""
    course, _ = graded
    with opened(course) as book:
        rows = book.find_submission("ps1", student)
        assert sum(row.score for row in rows.notebooks) == score
        assert sum(row.late_submission_penalty or 0 for row in rows.notebooks) == pytest.approx(penalty)
        assert (rows.total_seconds_late > 0) == (penalty > 0)


@pytest.mark.parametrize("cell", ["set_a", "baz", "quux"])
def test_an_unchanged_answer_is_no_response(graded, cell: str) -> None:
    """For the answer of an autograded test our comment says what the test found, where nbgrader's says No response."""
    course, _ = graded
    with opened(course) as book:
        said = book.find_comment(cell, "p1", "ps1", "foo").comment
        assert said if cell == "set_a" else said == "No response."
        assert book.find_comment("baz", "p1", "ps1", "bar").comment is None


def test_a_missing_notebook_is_0_and_waits_for_nobody(graded) -> None:
    course, done = graded
    missing = done.grades["untimed"].notebooks[1]
    assert (missing.notebook, missing.status, missing.score) == ("p2", "missing", 0)
    assert not any(q.needs_manual_grade for q in missing.questions)
    assert not (course.autograded("untimed", "ps1") / "p2.ipynb").exists()
    with opened(course) as book:
        row = book.find_submission_notebook("p2", "ps1", "untimed")
        assert (row.score, row.needs_manual_grade) == (0, False)


def test_a_folder_without_a_notebook_is_a_submission_worth_0(graded) -> None:
    """nbgrader passes it over."""
    _, done = graded
    assert (done.grades["nothing"].status, done.grades["nothing"].score) == ("missing", 0)


def test_a_notebook_that_the_assignment_does_not_have_is_passed_over(graded) -> None:
    course, _ = graded
    names = {p.name for p in course.autograded("blank-stamp", "ps1").iterdir()}
    assert names == {"p1.ipynb", "timestamp.txt", "result.json"}


def test_what_a_notebook_writes_stays_in_the_sandbox(graded) -> None:
    """nbgrader leaves it in autograded/."""
    course, _ = graded
    assert not list(course.root.rglob("side-effect.txt"))


def test_the_time_of_handing_in_goes_along(graded) -> None:
    course, _ = graded
    assert (course.autograded("bar", "ps1") / "timestamp.txt").read_text() == HOUR_LATE


def test_a_penalty_goes_when_the_time_of_handing_in_is_corrected(graded) -> None:
    course, _ = graded
    (course.submitted("bar", "ps1") / "timestamp.txt").write_text(DUE)
    done = grade(course, name="ps1")
    assert done.graded == ["bar"]
    assert (done.grades["bar"].late_penalty, done.grades["bar"].score) == (0, 3)


def test_a_policy_that_fails_is_nobodys_0(tmp_path: Path) -> None:
    """The late one is "not graded", the others have their points."""
    course = make_course(tmp_path, p1=UNCHANGED)
    (tmp_path / "late_plugin.py").write_text(PLUGIN.replace("/ 3600", "/ 0"))
    release(course, "ps1", proof=False)
    hand_in(course, "late", {"p1": CHANGED}, HOUR_LATE)
    hand_in(course, "punctual", {"p1": CHANGED}, DUE)
    done = grade(course, name="ps1")
    assert (done.exit_code, done.graded) == (3, ["punctual"])
    (failed,) = done.not_graded
    assert failed["student"] == "late"
    assert (
        "late_plugin.py:7: Blarg.late_submission_penalty(score=2, total_seconds_late=3600) failed" in failed["reason"]
    )


def test_the_instructors_files_are_put_back_and_can_be_opened(tmp_path: Path) -> None:
    """A test that opens a file of the release; the student handed in another under its name."""
    course = make_course(tmp_path, p1="open_relative_file")
    shutil.copyfile(APPS / "data.txt", tmp_path / "source/ps1/data.txt")
    release(course, "ps1", proof=False)
    (hand_in(course, "foo", {"p1": "open_relative_file"}, None) / "data.txt").write_text("shorter")
    assert grade(course, name="ps1").points("foo") == {"open_file": 10}
