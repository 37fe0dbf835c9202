"""A solution is observed once for an exam: by a proof, or before the first batch; what it did is kept."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from helpers.tiny import Here, submit, tiny_course, tiny_release

from autograder.coordinator import assignment as grading
from autograder.coordinator import batch, observation
from autograder.coordinator.proof import prove
from autograder.errors import HostError
from autograder.records.checks import Outcome
from autograder.records.course import Course
from autograder.records.observations import Act

SORTS = "### BEGIN SOLUTION\ndef double(xs):\n    xs *= 2\n    xs.sort()\n### END SOLUTION"
TEST = "xs = [2, 1]\ndouble(xs)\n### BEGIN HIDDEN TESTS\nassert xs == [1, 1, 2, 2]\n### END HIDDEN TESTS"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return tiny_course(tmp_path, solution=SORTS, test=TEST)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    executor = Here()
    monkeypatch.setattr(grading, "in_processes", lambda due, workers, **_: executor(due, workers))
    return executor


def changes(release) -> set[tuple[str, str]]:
    return {(f.subject, f.value) for e in release.exams for f in e.observations.facts if f.act is Act.CHANGES}


def test_a_proof_keeps_what_the_solution_did(course: Course) -> None:
    proof = prove(course, tiny_release(course), execute=Here())
    assert changes(proof.release) == {("test-double:2:2 double", "0")}
    loaded = grading.load_release(course, course.assignments["hw"])
    assert observation.is_observed(loaded.exams)
    assert loaded.exams == proof.release.exams


def test_a_course_that_was_never_released_is_observed_with_a_note(course: Course, here: Here) -> None:
    release, notes = grading.observed_release(course, course.assignments["hw"])
    assert notes == ("hw: the solution ran once, to see what answers may do; a release does it before",)
    assert changes(release) == {("test-double:2:2 double", "0")}
    assert here.started == [grading.SOLUTION]
    assert grading.observed_release(course, course.assignments["hw"])[1] == ()
    assert here.started == [grading.SOLUTION]


def test_a_changed_exam_is_observed_anew(course: Course, here: Here) -> None:
    grading.observed_release(course, course.assignments["hw"])
    changed = tiny_course(course.root, solution=SORTS, test=TEST.replace("[2, 1]", "[2, 1, 0]"))
    _, notes = grading.observed_release(changed, changed.assignments["hw"])
    assert len(notes) == 1


def test_a_changed_number_of_a_test_executes_nothing(course: Course, here: Here) -> None:
    """The recording of the solution answers, as a student's does."""
    grading.observed_release(course, course.assignments["hw"])
    path = course.root / "source/hw/nb.ipynb"
    path.write_text(path.read_text().replace("[1, 1, 2, 2]", "[1, 1, 2, 2][:]"))
    seen = []
    original = here.grade
    here.grade = lambda work: seen.append(work.replay_only) or original(work)
    grading.observed_release(course, course.assignments["hw"])
    assert seen == [True]


def test_a_solution_that_does_not_run_allows_nothing_and_a_person_decides(tmp_path: Path, here: Here) -> None:
    course = tiny_course(tmp_path, solution="import os\nos._exit(3)", test=TEST)
    here.grade = fails
    release, (note,) = grading.observed_release(course, course.assignments["hw"])
    assert not observation.is_observed(release.exams)
    assert note.startswith("hw: the solution could not be run (no kernel today), so nothing is known of what an answer")


def fails(work):
    raise HostError("no kernel today.")


def test_without_a_record_a_change_waits_for_a_person(course: Course) -> None:
    submit(course, "ada", "def double(xs):\n    xs *= 2\n    xs.sort()")
    (work,) = batch.plan(course, tiny_release(course))
    (grade,) = batch.run([work], execute=Here()).grades
    (question,) = grade.notebooks[0].questions
    assert question.outcome is Outcome.FAILED
    assert question.needs_manual_grade
    assert "so a person will look at it" in question.message


@pytest.mark.parametrize("content", ["", "[]", '{"key": "1"}', '{"key": "%s", "notebooks": {"nb": {"facts": [1]}}}'])
def test_a_damaged_record_counts_for_nothing(course: Course, content: str) -> None:
    release = prove(course, tiny_release(course), execute=Here()).release
    path = course.state / "observations/hw.json"
    key = json.loads(path.read_text())["key"]
    path.write_text(content % key if "%" in content else content)
    bare = observation.with_record(release, [None])
    assert not observation.is_observed(observation.with_kept(course, bare).exams)


def test_a_grade_is_made_again_when_the_record_changes(course: Course) -> None:
    release = prove(course, tiny_release(course), execute=Here()).release
    submit(course, "ada", "def double(xs):\n    xs *= 2\n    xs.sort()")
    works = batch.plan(course, release)
    assert [g.score for g in batch.run(works, execute=Here()).grades] == [2]
    assert batch.current(works[0]) is not None
    other = observation.with_record(release, [dataclasses.replace(release.exams[0].observations, facts=())])
    assert batch.current(batch.plan(course, other)[0]) is None


def test_a_students_submission_is_never_observed(course: Course) -> None:
    release = prove(course, tiny_release(course), execute=Here()).release
    submit(course, "ada")
    works = batch.plan(course, release)
    assert not any(work.observe for work in works)
    batch.run(works, execute=Here())
    assert not list(course.root.rglob("observations.json"))
