"""Replay: the same grade again, or which question differs and what has changed around it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import TEST, Here, copied, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.errors import UsageError
from autograder.exchange.work import Work
from autograder.extensions.trust.bundle_environment import Environment, differences, environment_here
from autograder.extensions.trust.replay import FOLDER, ReplayCase, ReplayReport, course_cases, replay
from autograder.extensions.trust.replay_report import rows, sentences, to_json
from autograder.extensions.trust.work_folder import work_folder
from autograder.records.course import Course


@pytest.fixture(autouse=True)
def observed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No solution runs before the submissions: what it does decides nothing here."""
    monkeypatch.setattr("autograder.coordinator.observation.is_observed", lambda exams: True)


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course and the grades of ada (2 of 2), bob (0 of 2) and eve (2 of 2)."""
    made = tiny_course(tmp_path_factory.mktemp("graded"))
    submit(made, "ada")
    submit(made, "bob", "def double(x):\n    return 2")
    submit(made, "eve", "def double(x):\n    return x + x")
    batch.run(batch.plan(made, tiny_release(made)), execute=Here())
    return made


@pytest.fixture
def course(graded_course: Course, tmp_path: Path) -> Course:
    return copied(graded_course, tmp_path)


@contextmanager
def cases_of(course: Course, **options: Any) -> Iterator[tuple[ReplayCase, ...]]:
    with course_cases(course, course.assignments["hw"], **options) as cases:
        yield cases


def replayed(course: Course, **options: Any) -> ReplayReport:
    with cases_of(course, **options) as cases, work_folder(course, FOLDER) as folder:
        return replay(cases, folder, execute=Here())


def state(course: Course) -> dict[str, tuple[str, int]]:
    """Every file of the course and when it was last touched, but for locks and logs."""
    files = [
        p
        for p in course.root.rglob("*")
        if p.is_file() and p.suffix != ".lock" and p.name != "lock" and p.parent.name != "log"
    ]
    return {str(p): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files}


def test_the_same_grades_come_again_from_the_recordings_and_from_executions(course: Course) -> None:
    report = replayed(course)
    assert rows(report) == [
        ("ada", "2/2", "same", "same", ""),
        ("bob", "0/2", "same", "same", ""),
        ("eve", "2/2", "same", "same", ""),
    ]
    assert sentences(report)[0] == "0 of 3 grades differ."
    assert "environment: no difference is known." in sentences(report)


def test_nothing_of_the_course_is_changed_not_even_when_a_recording_was_last_used(course: Course) -> None:
    replayed(course)  # the first command after a release makes the cache of its exams
    before = state(course)
    replayed(course)
    assert state(course) == before


def test_a_question_with_another_grade_is_named_with_both(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada's answer depends on something outside of it, which has changed: only her execution differs.

    Messages of executions may differ by chance, so they alone are no difference.
    """
    real = InProcessKernel.run

    def run(self: InProcessKernel, source: str, seconds: float) -> Any:
        return real(self, source.replace("return 2 * x", "return 3 * x"), seconds)

    monkeypatch.setattr(InProcessKernel, "run", run)
    report = replayed(course)
    assert rows(report)[0] == ("ada", "2/2", "same", "0/2", "test-double 2 → 0 (executed)")
    assert [one.case.grade.student for one in report.differing] == ["ada"]
    found = report.flakiness
    assert (found.submissions, found.submissions_differing, found.questions, found.questions_differing) == (3, 1, 3, 1)
    assert found.submission_share.low < 1 / 3 < found.submission_share.high
    assert any("1 of 3 submissions have another grade" in said for said in sentences(report))
    assert "environment: no difference is known, so it is chance or time." in sentences(report)


def test_a_submission_without_a_recording_is_executed_all_the_same(course: Course) -> None:
    for path in course.runs.iterdir():
        path.unlink()
    report = replayed(course)
    assert [row[2:4] for row in rows(report)] == [("–", "same")] * 3
    assert (
        "not examined anew from the recording: ada, bob, eve: no recording fits today's release and installation"
        in sentences(report)
    )


def test_a_recording_that_does_not_answer_the_tests_of_today_is_said(course: Course) -> None:
    tiny_course(course.root, test=TEST.replace("double(21) == 42", "double(5) == 10"))
    report = replayed(course, only=["ada"])
    (one,) = report.cases
    assert one.recording.reason == "its recording does not answer all that the tests ask now"
    assert one.case.changes == ("the grade is not current: exam has changed since",)


def test_a_notebook_that_cannot_be_executed_now_is_no_difference(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(work: Work) -> InProcessKernel:
        raise OSError("no space")

    monkeypatch.setattr(tiny, "start_kernel", start)
    report = replayed(course, only=["ada"])
    assert report.differing == ()
    assert [one.case.grade.student for one in report.not_executed] == ["ada"]
    assert sentences(report)[0] == "Not verified: the grade is the same from its recording."
    assert "no space" in sentences(report)[1]


def test_a_sample_is_drawn_by_its_seed_from_those_with_a_grade(course: Course) -> None:
    submit(course, "joe")

    def drawn(**options: Any) -> list[str]:
        with cases_of(course, **options) as cases:
            return [case.grade.student for case in cases]

    assert drawn() == ["ada", "bob", "eve"]
    first = drawn(sample=2, seed=1)
    assert drawn(sample=2, seed=1) == first
    assert any(drawn(sample=2, seed=seed) != first for seed in range(2, 20))
    assert drawn(sample=50) == ["ada", "bob", "eve"]
    with pytest.raises(UsageError, match="joe: no grade in hw yet"):
        drawn(only=["joe"])


def test_the_json_has_both_grades_and_the_intervals(course: Course) -> None:
    content = json.loads(json.dumps(to_json(replayed(course))))
    assert content["cases"][0]["execution"] == {"score": 2.0, "differing": [], "other": [], "reason": ""}
    low, high = content["flakiness"]["submissions_interval"]
    assert low == 0
    assert high == pytest.approx(0.7076, abs=1e-4)  # 1 - 0.025 ** (1 / 3)


def test_cores_linear_algebra_and_time_zone_are_part_of_the_environment() -> None:
    here = environment_here()
    assert int(here.cores) >= 1
    assert here.blas
    assert here.time_zone
    there = replace(here, cores="96", blas="mkl 2025.1", time_zone="CET/CEST")
    assert differences(there, here) == [
        f"cores: 96 → {here.cores}",
        f"linear algebra: mkl 2025.1 → {here.blas}",
        f"time zone: CET/CEST → {here.time_zone}",
    ]


def test_what_differs_between_two_machines_is_named() -> None:
    then = Environment("1.0", "a", "3.11.1", "Linux x86_64", "Old", ("avx2", "sse"), {"numpy": "2.0", "six": "1"})
    now = Environment("1.0", "b", "3.12.0", "Linux x86_64", "New", ("avx512f", "sse"), {"numpy": "2.1", "tqdm": "4"})
    assert differences(then, now) == [
        "Python: 3.11.1 → 3.12.0",
        "processor: Old → New",
        "kit: its code was changed, at the same version 1.0",
        "packages: numpy 2.0 → 2.1, six 1 → none, tqdm none → 4",
        "processor's instructions: avx2 missing here",
        "processor's instructions: avx512f only here",
    ]
    assert differences(then, then) == []
    assert differences(Environment(), now) == []
