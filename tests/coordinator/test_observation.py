"""A solution is observed once for an exam: by a proof, or before the first batch; what it did is kept."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import YAML, Here, cell, notebook, submit, tiny_course, tiny_release

from autograder.cli.batch_display import ForecastDisplay
from autograder.coordinator import assignment as grading
from autograder.coordinator import batch, observation
from autograder.coordinator.proof import prove
from autograder.errors import CourseError, HostError
from autograder.examiner import permissions
from autograder.examiner.remote import callbacks
from autograder.exchange.work import Work
from autograder.records.checks import Outcome
from autograder.records.course import Course
from autograder.records.observations import Act
from autograder.release.build import Release
from autograder.results.publication import ResultPublisher

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
    assert notes == ("hw: the solution ran twice, to see what answers may do; a release does it before",)
    assert changes(release) == {("test-double:2:2 double", "0")}
    assert here.started == [grading.SOLUTION] * 2
    assert grading.observed_release(course, course.assignments["hw"])[1] == ()
    assert here.started == [grading.SOLUTION] * 2


def test_tests_in_which_the_solution_itself_misses_points_are_named_before_the_batch(
    tmp_path: Path, here: Here
) -> None:
    course = tiny_course(tmp_path, solution=SORTS, test=TEST.replace("[1, 1, 2, 2]", "[3]"))
    _, (note,) = grading.observed_release(course, course.assignments["hw"])
    assert ". It misses points itself in test-double: where an answer does, a person decides; see why with" in note


def test_what_a_person_grades_is_no_test_that_the_solution_misses(tmp_path: Path, here: Here) -> None:
    course = tiny_course(tmp_path, solution=SORTS, test=TEST)
    (path,) = course.source("hw").glob("*.ipynb")
    essay = json.loads(notebook(cell("words", "essay", grade=True, solution=True, points=2)))["cells"]
    text = json.loads(path.read_text())
    path.write_text(json.dumps(text | {"cells": text["cells"] + essay}))
    release, (note,) = grading.observed_release(course, course.assignments["hw"])
    assert "misses points itself" not in note
    assert [exam.observations.missed for exam in release.exams] == [frozenset()]


def test_where_the_solution_itself_misses_points_a_person_decides_about_answers_that_do(
    tmp_path: Path, here: Here
) -> None:
    """The test may need what it would find in nbgrader alone. A release refuses it; here nobody loses points by it."""
    course = tiny_course(tmp_path, solution=SORTS, test=TEST.replace("[1, 1, 2, 2]", "[3]"))
    release, _ = grading.observed_release(course, course.assignments["hw"])
    for name, answer in {"ada": "def double(xs):\n    xs.sort()", "bob": "def double(xs):\n    xs[:] = [3]"}.items():
        submit(course, name, answer)
    submit(course, "cyd", "import os")
    (course.submitted("cyd", "hw") / "nb.ipynb").unlink()
    grades = {grade.student: grade for grade in batch.run(batch.plan(course, release), execute=Here()).grades}
    ada, bob, cyd = (grades[name].notebooks[0].questions[0] for name in ("ada", "bob", "cyd"))
    assert (ada.score, ada.needs_manual_grade) == (0, True)
    assert ada.message.endswith("The solution of this course loses points in this test, too, so a person decides.")
    assert (bob.score, bob.needs_manual_grade) == (2, False)
    assert (cyd.score, cyd.needs_manual_grade) == (0, False)


def test_a_test_that_the_solution_misses_by_chance_is_one_that_it_misses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: Here
) -> None:
    course = tiny_course(tmp_path, solution=SORTS_BY_CHANCE, test="assert double([2, 1]) == [2, 4]\nassert COIN()")
    path = course.root / "source/hw/nb.ipynb"
    path.write_text(path.read_text().replace("import os", "import os\\nCOIN = lambda: os.environ['COIN'] == 'heads'"))
    Coin(monkeypatch, "tails", "heads")
    release, (note,) = grading.observed_release(course, course.assignments["hw"])
    assert release.exams[0].observations.missed == {"test-double"}
    assert "misses points itself in test-double" in note


def test_a_changed_exam_is_observed_anew(course: Course, here: Here) -> None:
    grading.observed_release(course, course.assignments["hw"])
    changed = tiny_course(course.root, solution=SORTS, test=TEST.replace("[2, 1]", "[2, 1, 0]"))
    _, notes = grading.observed_release(changed, changed.assignments["hw"])
    assert len(notes) == 1


def test_a_changed_number_of_a_test_executes_nothing(course: Course, here: Here) -> None:
    """The recordings of the solution's two runs answer, as a student's does."""
    grading.observed_release(course, course.assignments["hw"])
    path = course.root / "source/hw/nb.ipynb"
    path.write_text(path.read_text().replace("[1, 1, 2, 2]", "[1, 1, 2, 2][:]"))
    seen = []
    original = here.grade
    here.grade = lambda work: seen.append(work.replay_only) or original(work)
    grading.observed_release(course, course.assignments["hw"])
    assert seen == [True, True]


@pytest.mark.parametrize("runs", [1, 2])
def test_a_solution_that_does_not_run_to_its_end_allows_what_was_seen_and_a_person_decides(
    course: Course, here: Here, runs: int
) -> None:
    grade = here.grade
    here.grade = lambda work: grade(absent(work) if len(here.started) == runs else work)
    release, (note,) = grading.observed_release(course, course.assignments["hw"])
    assert observation.is_observed(release.exams) is (runs == 2)
    if runs == 1:
        assert note.startswith(
            "hw: the solution could not be run (nb: nb.ipynb was not submitted), so nothing is known"
        )
    else:
        assert changes(release) == {("test-double:2:2 double", "0")}


def absent(work: Work) -> Work:
    for path in work.submission.glob("*.ipynb"):
        path.unlink()
    return work


@pytest.mark.parametrize("first", [1, 2])
def test_a_run_that_the_machine_ends_each_time_grades_nobody(
    course: Course, here: Here, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """As where the examiner is killed each time: nothing is known of the solution, and the next command tries again."""
    submit(course, "ada")
    grade = here.grade
    here.grade = lambda work: fails(work) if first <= len(here.started) < first + 3 else grade(work)
    monkeypatch.setattr(grading, "require_walls", lambda _: False)
    monkeypatch.setattr(grading, "prestart_templates", lambda due, **_: contextlib.nullcontext({}))
    display, publisher = ForecastDisplay(quiet=True), ResultPublisher()

    def graded() -> list[float]:
        done = grading.run_assignment(course, course.assignments["hw"], grading.Options(), display, publisher)
        return [grade.score for grade in done.batch.grades]

    with pytest.raises(HostError, match=r"hw: no run of the solution.*no kernel today\).*the same command tries"):
        graded()
    assert not course.autograded("ada", "hw").exists()
    assert not list(course.state.glob("observations/*"))
    assert graded() == [0]
    assert changes(grading.load_release(course, course.assignments["hw"])) == {("test-double:2:2 double", "0")}


@pytest.mark.parametrize("later", ["after the solution's runs", "after the attempts"])
def test_a_second_planning_that_fails_for_everybody_is_the_hosts_fault(
    course: Course, monkeypatch: pytest.MonkeyPatch, later: str
) -> None:
    """As where the disk goes away between: not an error of the kit's own, and nobody is graded."""
    submit(course, "ada")
    monkeypatch.setattr(grading, "require_walls", lambda _: False)
    monkeypatch.setattr(grading, "prestart_templates", lambda due, **_: contextlib.nullcontext({}))
    monkeypatch.setattr(batch, "submission_work", fails_later(1))
    if later == "after the attempts":
        monkeypatch.setattr(observation, "is_observed", lambda exams: True)
        monkeypatch.setattr(batch, "trials", lambda *_: [[]])
    else:
        monkeypatch.setattr(grading, "observe", lambda course, release, execute: (release, ""))
        monkeypatch.setattr(observation, "is_observed", lambda exams: False)
    with pytest.raises(HostError, match="no submission of hw can be graded; ada: "):
        grading.run_assignment(
            course, course.assignments["hw"], grading.Options(), ForecastDisplay(quiet=True), ResultPublisher()
        )


def fails_later(times: int) -> Callable[..., Work]:
    """A function that plans so many students' submissions, and then none."""
    real, planned = batch.submission_work, []

    def work(course: Course, release: Release, student: str, *rest: Any, **more: Any) -> Work:
        if student:
            planned.append(student)
            if len(planned) > times:
                raise OSError(5, "Input/output error")
        return real(course, release, student, *rest, **more)

    return work


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
    before = set(course.root.rglob("observations.json"))
    batch.run(works, execute=Here())
    assert set(course.root.rglob("observations.json")) == before


# --- chance


SORTS_BY_CHANCE = """\
import os
### BEGIN SOLUTION
def double(xs):
    if os.environ["COIN"] == "heads":
        xs.sort()
    return sorted(2 * x for x in xs)
### END SOLUTION"""
GIVES_BY_CHANCE = """\
import os
import numpy as np
### BEGIN SOLUTION
def double(xs):
    kind = np.uint8 if os.environ["COIN"] == "heads" else int
    return [kind(2 * x) for x in sorted(xs)]
### END SOLUTION"""
DOUBLED = "### BEGIN HIDDEN TESTS\nassert double([2, 1]) == [2, 4]\n### END HIDDEN TESTS"


class Coin:
    """A coin that each run of a solution tosses; the sides are chosen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *sides: str) -> None:
        self.sides = sides
        self.runs = 0
        self.patch = monkeypatch
        monkeypatch.setenv("COIN", sides[0])
        monkeypatch.setattr(tiny, "start_kernel", self.start)

    def start(self, work: Work) -> InProcessKernel:
        if work.observe or work.student == "solution":
            self.patch.setenv("COIN", self.sides[self.runs % len(self.sides)])
            self.runs += 1
        return InProcessKernel()


@pytest.mark.parametrize("sides", [("tails", "heads"), ("heads", "tails")])
@pytest.mark.parametrize(
    ("solution", "act", "value", "said"),
    [
        (SORTS_BY_CHANCE, Act.CHANGES, "0", "`double` may change its argument 1"),
        (GIVES_BY_CHANCE, Act.GIVES, "uint8", "what `double` gives may be of kind uint8"),
    ],
)
def test_what_only_one_of_the_proofs_two_runs_showed_is_allowed_and_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sides: tuple[str, str],
    solution: str,
    act: Act,
    value: str,
    said: str,
) -> None:
    course = tiny_course(tmp_path, solution=solution, test=DOUBLED)
    coin = Coin(monkeypatch, *sides)
    proof = prove(course, tiny_release(course), execute=Here())
    facts = proof.release.exams[0].observations.facts
    assert {fact.value for fact in facts if fact.act is act} == {value}
    assert grading.load_release(course, course.assignments["hw"]).exams == proof.release.exams
    assert coin.runs == 2
    (note,) = [text for text in proof.warnings if "in one of two runs" in text]
    assert note.startswith("nb, test-double: line 2 (assert double([2, 1]) == [2, 4]): ")
    assert said in note


@pytest.mark.parametrize("sides", [("tails", "heads"), ("heads", "tails")])
def test_what_only_one_of_two_runs_showed_is_allowed_where_no_proof_has_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: Here, sides: tuple[str, str]
) -> None:
    course = tiny_course(tmp_path, solution=SORTS_BY_CHANCE, test=DOUBLED)
    coin = Coin(monkeypatch, *sides)
    release, _ = grading.observed_release(course, course.assignments["hw"])
    assert changes(release) == {("test-double:2:4 double", "0")}
    assert grading.load_release(course, course.assignments["hw"]).exams == release.exams
    assert coin.runs == 2


def test_a_run_that_the_machine_ended_is_made_again(course: Course, here: Here) -> None:
    """As where its examiner was killed."""
    grade = here.grade
    here.grade = lambda work: fails(work) if len(here.started) == 1 else grade(work)
    release, _ = grading.observed_release(course, course.assignments["hw"])
    assert changes(release) == {("test-double:2:2 double", "0")}
    assert len(here.started) == 3


def test_a_solution_without_chance_runs_twice_and_nothing_is_told(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    coin = Coin(monkeypatch, "tails", "heads")
    warnings = prove(course, tiny_release(course), execute=Here()).warnings
    assert not any("in one of two runs" in text for text in warnings)
    assert coin.runs == 2  # observed once, and graded as a student's


def test_a_solution_that_loses_points_by_chance_is_observed_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solution = SORTS_BY_CHANCE.replace("xs.sort()", "xs[:] = sorted(2 * x for x in xs)\n        return None")
    test = "xs = [2, 1]\n### BEGIN HIDDEN TESTS\ngot = double(xs) or xs\nassert got == [2, 4]\n### END HIDDEN TESTS"
    course = tiny_course(tmp_path, solution=solution, test=test)
    coin = Coin(monkeypatch, "tails", "heads")
    proof = prove(course, tiny_release(course), execute=Here())
    assert changes(proof.release) == {("test-double:3:3 double", "0")}
    assert coin.runs == 4


# --- lines of course.yaml


def allowing(test: str, line: str) -> str:
    return f"{YAML.rstrip()}\n    examine: {{allow: {{{test}: [{line}]}}}}\n"


def test_a_line_of_course_yaml_allows_what_the_solution_does_not_show(tmp_path: Path) -> None:
    either = "xs = [2, 1]\nxs = double(xs) or xs\nassert xs == [1, 2]"
    solution = "### BEGIN SOLUTION\ndef double(xs):\n    return sorted(xs)\n### END SOLUTION"
    scores = {}
    for name, yaml in {"plain": YAML, "line": allowing("test-double", "double changes xs")}.items():
        course = tiny_course(tmp_path / name, solution=solution, test=either, yaml=yaml)
        release = prove(course, tiny_release(course), execute=Here()).release
        submit(course, "ada", "def double(xs):\n    xs.sort()")
        (grade,) = batch.run(batch.plan(course, release), execute=Here()).grades
        scores[name] = grade.score
    assert scores == {"plain": 0, "line": 2}


@pytest.mark.parametrize(
    ("test", "line", "message"),
    [
        ("test-duble", "double changes xs", "names 'test-duble', which is no test; did you mean 'test-double'"),
        ("test-double", "duble changes xs", "'test-double': .*this test calls no duble with xs"),
        ("test-double", "double alters xs", "'test-double': .*is not understood; write `FUNCTION changes ARGUMENT`"),
    ],
)
def test_a_line_of_course_yaml_that_cannot_be_meant_is_an_error(
    tmp_path: Path, test: str, line: str, message: str
) -> None:
    course = tiny_course(tmp_path, test=TEST, yaml=allowing(test, line))
    with pytest.raises(CourseError, match=message):
        tiny_release(course)


def test_lines_stand_with_their_assignment_and_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"course.yaml:2: ids of test cells belong into 'examine' of an assignment"):
        tiny_course(tmp_path, yaml=YAML.replace("assignments:", "examine: {allow: {t: [answers draw]}}\nassignments:"))
    with pytest.raises(CourseError, match="did you mean 'allow'"):
        tiny_course(tmp_path, yaml=allowing("t", "answers draw").replace("allow", "alow"))


def test_a_function_of_a_test_that_is_called_very_often_is_named_at_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solution = "### BEGIN SOLUTION\ndef double(f):\n    return sum(f(n) for n in range(9))\n### END SOLUTION"
    course = tiny_course(tmp_path, solution=solution, test="def one(n): return 1\nassert double(one) == 9")
    release = tiny_release(course)
    for limit, count in ((10, 0), (9, 1)):
        monkeypatch.setattr(callbacks, "MANY_QUESTIONS", limit)
        warnings = [text for text in prove(course, release, execute=Here()).warnings if "very often" in text]
        assert len(warnings) == count
    assert warnings[0].startswith("nb, test-double: your solution calls `one` of this test very often")


def test_a_test_that_takes_long_is_named_at_the_release(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    release = tiny_release(course)
    monkeypatch.setattr(permissions, "LONG_SECONDS", (0, 1000))
    (warning,) = (text for text in prove(course, release, execute=Here()).warnings if " s with your solution" in text)
    assert warning.startswith(
        "nb, test-double: this test takes more than 0 s with your solution; one test may take 120 s"
    )
    assert "300 s" in warning
