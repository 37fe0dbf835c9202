"""The lesson and its demonstration class in the real sandbox."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from helpers.lessons import prepared_course
from helpers.pipeline import Graded, grade, release, seen_by_student

from autograder import demo
from autograder.coordinator import batch
from autograder.coordinator.batch import common_keys, submission_work
from autograder.demo.answers import PATCHES, WORKED
from autograder.extensions.diagnosis.why import explained
from autograder.records.course import Course
from autograder.release.build import build
from autograder.release.exam_construction import solution_notebook

pytestmark = [pytest.mark.sandbox, pytest.mark.keras]


@pytest.mark.slow
def test_a_model_behind_a_patched_evaluate_gets_what_it_is_worth(tmp_path: Path) -> None:
    """evaluate, predict, count_params and numpy's assertions say what the student likes; the score is that of the
    worked network behind them: all of the size, little of the loss, none of the hidden layers."""
    course = prepared_course(demo.ASSIGNMENT, demo.make_course(tmp_path / "course"))
    built = build(course, course.assignments[demo.ASSIGNMENT])
    (released,) = built.notebooks
    notebook = solution_notebook(released.exam)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "build-model":
            cell.source = PATCHES
    path = tmp_path / "submitted" / f"{released.name}.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    work = submission_work(course, built, "eve", common_keys(course, built), submission=path.parent)
    done = batch.run([replace(work, target=tmp_path / "autograded", details=tmp_path / "details.json")])
    (given,) = done.grades[0].notebooks
    scores = {q.id: q.score for q in given.questions}
    low, high = demo.expected("patches-evaluate")
    assert WORKED in PATCHES
    assert scores["test-count-parameters"] == 3
    assert 0 < scores["test-loss"] < 2.5
    assert low <= sum(scores.values()) <= high


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Graded, float]:
    """The demonstration's course, released with proof, its class graded as one batch, and the seconds that it took."""
    course = prepared_course(demo.ASSIGNMENT, demo.make_course(tmp_path_factory.mktemp("demo") / "course"))
    release(course, demo.ASSIGNMENT)
    demo.make_class(course.root, demo.ASSIGNMENT)
    began = time.monotonic()
    done = grade(course, "--workers", "2", name=demo.ASSIGNMENT)
    return course, done, time.monotonic() - began


@pytest.mark.slow
def test_every_student_of_the_demonstration_gets_what_is_right(demonstration) -> None:
    _, done, seconds = demonstration
    assert done.exit_code == 0, done.output
    print(f"{len(done.graded)} submissions in {seconds:.0f} s")
    found = {s.name: (done.grades[s.name].score, demo.expected(s.name)) for s in demo.STUDENTS}
    assert {n: v for n, v in found.items() if not v[1][0] - 1e-6 <= v[0] <= v[1][1] + 1e-6} == {}


@pytest.mark.slow
def test_the_demonstration_leaves_everything_for_people(demonstration) -> None:
    course, done, _ = demonstration
    for name in ("gradebook.db", "grades.csv", f"reports/{demo.ASSIGNMENT}.html"):
        assert (course.root / name).stat().st_size > 0
    for student in demo.STUDENTS:
        assert list(course.feedback(student.name, demo.ASSIGNMENT).glob("*.html")), student.name
        shown = seen_by_student(course, student.name, demo.ASSIGNMENT)
        assert "92_169" not in shown
        assert "111_146" not in shown
    assert (course.root / "grades.csv").read_text().count("\n") == len(demo.STUDENTS) + 1
    (curve,) = [n.history for n in done.grades["full-marks"].notebooks]
    assert {"loss", "val_loss"} <= set(curve)
    row = json.loads((course.autograded("full-marks", demo.ASSIGNMENT) / "result.json").read_text())
    assert row["versions"]["keras"]


@pytest.mark.slow
def test_why_tells_of_each_student_of_the_demonstration_what_was_compared(demonstration) -> None:
    """Each question that a test took points from has a line of the test, or the check with what it found."""
    course, _, _ = demonstration
    told = {s.name: "\n".join(explained(course, course.assignments[demo.ASSIGNMENT], s.name)) for s in demo.STUDENTS}
    assert "full credit at 0.57 or less, beginning at 0.66" in told["loss-above-threshold"]
    assert "layer 3: Dense with activation sigmoid, expected softmax" in told["wrong-output-layer"]
    silent = {
        name: block
        for name, text in told.items()
        for block in text.split("\n\n")[1:]
        if not any(words in block for words in (", line ", "  line ", "  check ", "waits for a person", "nothing to"))
    }
    assert silent == {}
