"""Answer files that go on to the next assignment: a student's own, else the course's, and the same in a regrade."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from click.testing import CliRunner
from helpers.answer_files import LAYERS, solved
from helpers.carried_files import HEAD, hand_in, make_carried_course, run

from autograder.cli import main
from autograder.coordinator import batch
from autograder.coordinator.assignment import load_release
from autograder.errors import HostError
from autograder.exchange.work import Work
from autograder.records.course import Course
from autograder.release.build import Release

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

RIGHT, WRONG = solved(LAYERS), solved(LAYERS).replace("np.maximum(x, 0)", "x")
UNUSUAL = "from .mine import clip\n" + solved(LAYERS).replace("np.maximum(x, 0)", "clip(x)")
MINE = "def clip(x):\n    return (abs(x) + x) / 2\n"
SHADOWS = {"net/solver.py": "GIVEN = 7.0\n", "head.py": "head = print\n", "net/__init__.py": "raise RuntimeError\n"}
PACKAGE = {"net/solver/__init__.py": "GIVEN = 7.0\n", "net/head.py": "head = print\n"}
LEFT = "the one that you handed in for hw1"
STUDENTS: Mapping[str, tuple[Mapping[str, str] | None, Mapping[str, str], float, str]] = {
    # hw1, hw2 beside the notebook and a right head.py, points, what the page says of net/layers.py
    "own": ({"net/layers.py": RIGHT}, {}, 2, LEFT),
    "unusual": ({"net/layers.py": UNUSUAL, "net/mine.py": MINE}, {}, 2, LEFT),
    "flat": ({"layers.py": RIGHT}, {}, 2, LEFT),
    "wrong": ({"net/layers.py": WRONG}, {}, 0, LEFT),
    "none": (None, {}, 2, "your course's: none of yours was found"),
    "mended": ({"net/layers.py": WRONG}, {"net/layers.py": RIGHT}, 2, "handed in here, and ran in place of your hw1's"),
    "skeleton": ({"net/layers.py": RIGHT}, {"net/layers.py": "as released"}, 2, LEFT),
    "shadows": ({"net/layers.py": RIGHT, **SHADOWS}, {}, 2, LEFT),
    "package": ({"net/layers.py": RIGHT, **PACKAGE}, {}, 2, LEFT),
    "blank": ({"net/layers.py": RIGHT}, {"head.py": "as released"}, 0, LEFT),
    "blank-without": (None, {"head.py": "as released"}, 0, "your course's"),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_carried_course(tmp_path_factory.mktemp("carried"), "net/*")
    for student, (earlier, later, _, _) in STUDENTS.items():
        for name, files in (("hw1", earlier), ("hw2", {"head.py": solved(HEAD), **later})):
            if files is not None:
                hand_in(course, student, name, files)
    run(course, "grade", "hw2")
    return course


def _result(course: Course, student: str) -> tuple[float, dict[str, str]]:
    result = json.loads((course.autograded(student, "hw2") / "result.json").read_text())
    return result["score"], result["files"]


@pytest.mark.parametrize("student", STUDENTS)
def test_a_students_own_module_goes_on_else_the_courses(graded: Course, student: str) -> None:
    """The page says which; given modules stay the course's, and no module of hw1 answers a question of hw2."""
    *_, points, said = STUDENTS[student]
    score, files = _result(graded, student)
    assert (score, said in files["net/layers.py"]) == (points, True), files


def test_the_release_has_the_gaps_and_asks_for_new_files_alone(graded: Course) -> None:
    assert "raise NotImplementedError" in (graded.release("hw2") / "net/layers.py").read_text()
    metadata = json.loads((graded.release("hw2") / "hw2.ipynb").read_text())["metadata"]
    assert metadata["autograder"]["files"] == ["head.py"]


def test_a_regrade_takes_the_bytes_that_were_graded(graded: Course) -> None:
    """Whatever becomes of hw1: nothing is due, and where all is done again, the points stay; new work takes the new."""
    (graded.submitted("own", "hw1") / "net/layers.py").write_text(WRONG)
    (graded.submitted("wrong", "hw1") / "net/layers.py").write_text(RIGHT)
    hand_in(graded, "none", "hw1", {"net/layers.py": WRONG})
    before = {student: _result(graded, student) for student in STUDENTS}
    run(graded, "grade", "hw2")
    run(graded, "grade", "hw2", "--force")
    assert {student: _result(graded, student) for student in STUDENTS} == before
    with (graded.submitted("wrong", "hw2") / "head.py").open("a") as file:
        file.write("# handed in again\n")
    run(graded, "grade", "hw2")
    assert _result(graded, "wrong")[0] == 2


def test_what_was_kept_and_changed_since_is_not_taken(graded: Course) -> None:
    """A folder is named by the digests of its files; where they differ, hw1 is asked again."""
    for path in (graded.state / "carried").rglob("net/layers.py"):
        path.write_text("raise RuntimeError")
    run(graded, "grade", "hw2", "--force")
    assert _result(graded, "unusual")[0] == 2


def test_a_student_who_cannot_be_planned_stops_no_other(graded: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = batch.submission_work

    def one_fails(course: Course, release: Release, student: str, *rest: Any, **options: Any) -> Work:
        if student == "own":
            raise HostError("no file of that name can be written")
        return usual(course, release, student, *rest, **options)

    monkeypatch.setattr(batch, "submission_work", one_fails)
    with (graded.submitted("flat", "hw2") / "head.py").open("a") as file:
        file.write("# handed in again\n")
    done = CliRunner().invoke(main, ["grade", "hw2", "--course", str(graded.root)])
    assert "no file of that name can be written" in done.output
    assert (
        batch.current(batch.Planner(graded, load_release(graded, graded.assignments["hw2"])).work("flat")) is not None
    )
