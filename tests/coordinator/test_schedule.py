"""What is executed, and once: kept runs, identical submissions, and what happens when one of them fails."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import TEST, YAML, Here, ending_here, grade_here, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.coordinator.pool import in_processes
from autograder.coordinator.schedule import Execute
from autograder.course.configuration import load_course
from autograder.errors import BusyError, HostError, SandboxError
from autograder.exchange.work import Endings, Work
from autograder.records.course import Course
from autograder.records.ending import Ending, EndingKind, Whose, failed
from autograder.records.grade import Batch, Grade
from autograder.records.run import CellRun
from autograder.testing.executor_contract import ExecutorContract

NAMES = ("ada", "bob", "eve", "joe")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose notebook a kernel was started for."""
    names: list[str] = []

    def start(work: Work) -> InProcessKernel:
        names.append(work.student)
        return InProcessKernel()

    monkeypatch.setattr(tiny, "start_kernel", start)
    return names


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Four students with answers of their own."""
    made = tiny_course(tmp_path)
    for name in NAMES:
        submit(made, name, f"def double(x):\n    return 2 * x  # {name}")
    return made


def run(course: Course, **options: object) -> Batch:
    course = load_course(course.root)
    options = {"execute": Here()} | options
    return batch.run(batch.plan(course, tiny_release(course)), **options)  # type: ignore[arg-type]


def scores(done: Batch) -> dict[str, float]:
    return {grade.student: grade.score for grade in done.grades}


def change_test(course: Course, old: str, new: str) -> None:
    tiny_course(course.root, test=TEST.replace(old, new))


# --- a machine that is busy --------------------------------------------------------------------------------


class Starved(InProcessKernel):
    """Others had the processors."""

    def run(self, source: str, seconds: float) -> CellRun:
        raise BusyError("it got 1 s of its own in 80 s")


def busy_for(monkeypatch: pytest.MonkeyPatch, times: dict[str, int]) -> list[str]:
    """Whose kernel was started; the first so many of a student's get no processor."""
    names: list[str] = []

    def start(work: Work) -> InProcessKernel:
        names.append(work.student)
        return Starved() if names.count(work.student) <= times.get(work.student, 0) else InProcessKernel()

    monkeypatch.setattr(tiny, "start_kernel", start)
    return names


@pytest.mark.parametrize("force", [False, True])
def test_who_got_no_processor_is_run_again_alone_at_the_end(
    course: Course, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    names = busy_for(monkeypatch, {"ada": 1, "eve": 1})
    batches: list[tuple[list[str], int]] = []
    here = Here()

    def execute(due: Sequence[Work], workers: int) -> Endings:
        batches.append(([work.student for work in due], workers))
        yield from here(due, workers)

    seen: list[str] = []
    done = run(course, execute=execute, workers=3, force=force, progress=lambda student, _: seen.append(student))
    assert scores(done) == dict.fromkeys(NAMES, 2)
    assert names == [*NAMES, "ada", "eve"]
    assert batches == [(list(NAMES), 3), (["ada"], 1), (["eve"], 1)]
    assert seen == ["bob", "joe", "ada", "eve"]


def test_who_gets_no_processor_alone_is_not_graded_and_nothing_is_recorded(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy_for(monkeypatch, {"bob": 2})
    done = run(course)
    assert sorted(scores(done)) == ["ada", "eve", "joe"]
    assert done.not_graded[0].reason == (
        "not the submission's fault: Cell 1 (double): it got 1 s of its own in 80 s; it was tried twice, the second "
        "time alone; end what else keeps this machine busy, and grade again"
    )
    change_test(course, "== 42", "== 43")
    done = run(course)
    kept = {grade.student: grade.notebooks[0].replayed for grade in done.grades}
    assert kept == {"ada": True, "bob": False, "eve": True, "joe": True}


def test_an_identical_submission_takes_the_place_of_one_that_got_no_processor(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        submit(course, name)
    names = busy_for(monkeypatch, {"ada": 1})
    assert scores(run(course)) == dict.fromkeys(NAMES, 2)
    assert names == ["ada", "bob", "ada"]


@pytest.mark.parametrize(
    ("ending", "tries"),
    [
        (failed("its examiner died", kind=EndingKind.LOST), 3),
        (failed("a bug", kind=EndingKind.FAULT), 3),
        (failed("too busy", Whose.HOST, EndingKind.BUSY), 2),
        (failed("the disk is full", Whose.HOST, EndingKind.NO_SPACE), 1),
        (failed("its late policy fails", Whose.COURSE), 1),
        (failed("it needs too much memory", Whose.SUBMISSION), 1),
    ],
)
def test_a_batch_tries_again_at_the_end_as_often_as_whoever_is_at_fault_has_tries(
    course: Course, ending: Ending, tries: int
) -> None:
    """It waits for no course and no machine: the next batch does."""
    given: list[str] = []

    def execute(due: Sequence[Work], workers: int) -> Endings:
        for work in due:
            given.append(work.student)
            yield work, ending if work.student == "ada" and given.count("ada") <= 3 else ending_here(work)

    done = run(course, execute=execute, workers=2)
    assert given == [*NAMES, *["ada"] * (tries - 1)]
    assert [each.student for each in done.not_graded] == ["ada"]
    assert scores(run(course)) == dict.fromkeys(NAMES, 2)


def test_a_fault_that_all_meet_is_not_tried_again_for_each(course: Course) -> None:
    """So that a class of 200 takes no three gradings each; the next batch grades all."""
    students: list[str] = []

    def execute(due: Sequence[Work], workers: int) -> Endings:
        for work in due:
            students.append(work.student)
            yield work, failed("its examiner died", Whose.KIT)

    done = run(course, execute=execute, workers=2)
    assert students == [*NAMES, "ada", "ada", "bob", "bob", "eve", "eve"]
    assert {each.reason for each in done.not_graded} == {"its examiner died"}
    assert scores(run(course)) == dict.fromkeys(NAMES, 2)


def test_where_the_time_is_over_the_first_try_counts(course: Course) -> None:
    """As in an audit, whose executor yields nothing after its deadline."""
    begun: list[int] = []

    def execute(due: Sequence[Work], workers: int) -> Endings:
        begun.append(len(due))
        if len(begun) == 1:
            yield from ((work, failed("its examiner died")) for work in due)

    assert {each.reason for each in run(course, execute=execute).not_graded} == {"its examiner died"}


def test_what_a_second_try_grades_is_graded(course: Course) -> None:
    """As where the system killed one examiner for its memory."""
    tried: list[str] = []

    def grade(work: Work) -> Grade:
        tried.append(work.student)
        if tried.count("bob") == 1 and work.student == "bob":
            raise HostError("its process ended without an outcome")
        return grade_here(work)

    assert scores(run(course, execute=Here(grade))) == dict.fromkeys(NAMES, 2)
    assert tried == [*NAMES, "bob"]


# --- a changed exam --------------------------------------------------------------------------------------


def test_a_changed_hidden_test_executes_nothing_and_grades_all(course: Course, started: list[str]) -> None:
    assert set(scores(run(course)).values()) == {2}
    assert sorted(started) == list(NAMES)
    change_test(course, "== 42", "== 43")
    done = run(course)
    assert (scores(done), done.graded) == (dict.fromkeys(NAMES, 0), NAMES)
    assert sorted(started) == list(NAMES)
    assert all(grade.notebooks[0].replayed for grade in done.grades)
    masked = (course.autograded("ada", "hw") / "nb.ipynb").read_text()
    assert "2 * x  # ada" in masked


def test_a_new_call_executes_each_once_and_its_next_change_none(course: Course, started: list[str]) -> None:
    run(course)
    change_test(course, "double(21) == 42", "double(4) == 8")
    assert scores(run(course)) == dict.fromkeys(NAMES, 2)
    assert len(started) == 8
    change_test(course, "double(21) == 42", "double(4) == 9")
    assert scores(run(course)) == dict.fromkeys(NAMES, 0)
    assert len(started) == 8


@pytest.mark.parametrize(
    ("what", "path", "text"),
    [
        ("limits", "course.yaml", YAML.replace("cell_seconds: 20", "cell_seconds: 21")),
        ("a released file", "source/hw/data.csv", "1,2"),
        ("a student's file", "submitted/ada/hw/own.txt", "mine"),
    ],
)
def test_what_a_run_is_made_from_executes_anew(
    course: Course, started: list[str], what: str, path: str, text: str
) -> None:
    run(course)
    (course.root / path).write_text(text)
    run(course)
    assert len(started) == (5 if "own.txt" in path else 8)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("source/hw/hidden/holdout.csv", "1,2,3"),
        ("course.yaml", YAML + "    due: 2031-01-01\n    late: zero\n"),
        ("submitted/ada/hw/timestamp.txt", "2026-01-01 00:00:00 UTC"),
    ],
)
def test_what_only_the_examiner_sees_executes_nothing(course: Course, started: list[str], path: str, text: str) -> None:
    run(course)
    (course.root / path).parent.mkdir(exist_ok=True)
    (course.root / path).write_text(text)
    assert run(course).graded == (("ada",) if "ada" in path else NAMES)
    assert len(started) == 4


def test_force_executes_everything_and_keeps_it(course: Course, started: list[str]) -> None:
    run(course)
    for path in course.runs.iterdir():
        path.write_bytes(b"old")
    done = run(course, force=True)
    assert len(started) == 8
    assert not any(grade.notebooks[0].replayed for grade in done.grades)
    assert all(path.stat().st_size > len(b"old") for path in course.runs.iterdir())


def test_without_its_runs_a_course_is_executed_as_ever(course: Course, started: list[str]) -> None:
    run(course)
    shutil.rmtree(course.runs)
    change_test(course, "== 42", "== 43")
    assert scores(run(course)) == dict.fromkeys(NAMES, 0)
    assert len(started) == 8


def test_a_missing_or_unreadable_notebook_needs_no_kernel_and_no_run(course: Course, started: list[str]) -> None:
    (course.submitted("ada", "hw") / "nb.ipynb").unlink()
    (course.submitted("bob", "hw") / "nb.ipynb").write_text("{")
    done = run(course)
    assert [grade.status for grade in done.grades[:2]] == ["missing", "invalid"]
    assert sorted(started) == ["eve", "joe"]


# --- identical submissions -------------------------------------------------------------------------------


@pytest.fixture
def copies(tmp_path: Path) -> Course:
    """ada's notebook, three times; joe has one of his own."""
    made = tiny_course(tmp_path)
    for name in NAMES[:3]:
        submit(made, name)
    submit(made, "joe", "def double(x):\n    return x + x")
    return made


def test_identical_submissions_run_once(copies: Course, started: list[str]) -> None:
    """Each has a grade of its own, that says from where it is."""
    (copies.submitted("eve", "hw") / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")
    done = run(copies)
    assert scores(done) == dict.fromkeys(NAMES, 2)
    assert started == ["ada", "joe"]
    assert [grade.notebooks[0].replayed for grade in done.grades] == [False, True, True, False]
    assert len(list(copies.runs.iterdir())) == 2


def test_a_file_of_ones_own_makes_a_submission_another(copies: Course, started: list[str]) -> None:
    (copies.submitted("bob", "hw") / "own.txt").write_text("mine")
    run(copies)
    assert sorted(started) == ["ada", "bob", "joe"]


def test_where_the_first_of_them_can_not_be_graded_the_next_is_executed(copies: Course, started: list[str]) -> None:
    def grade(work: Work) -> Grade:
        if work.student == "ada" and not work.replay_only:
            raise SandboxError("no room")
        return grade_here(work)

    done = run(copies, execute=Here(grade))
    assert [n.student for n in done.not_graded] == ["ada"]
    assert started == ["joe", "bob"]
    assert scores(done) == {"bob": 2, "eve": 2, "joe": 2}


def test_where_none_of_them_can_be_graded_each_is_tried(copies: Course, started: list[str]) -> None:
    def grade(work: Work) -> Grade:
        if work.student != "joe" and not work.replay_only:
            raise SandboxError("no room")
        return grade_here(work)

    assert [n.student for n in run(copies, execute=Here(grade)).not_graded] == ["ada", "bob", "eve"]


def test_identical_submissions_whose_run_is_not_kept_run_each(
    copies: Course, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.coordinator.recording_store.MAX_RECORDING_BYTES", 10)
    assert scores(run(copies)) == dict.fromkeys(NAMES, 2)
    assert sorted(started) == list(NAMES)


def test_an_attempt_that_fails_is_no_outcome(copies: Course, started: list[str]) -> None:
    """Whatever becomes of it: a process that dies, a fault of the kit."""
    run(copies)
    change_test(copies, "== 42", "== 43")

    def grade(work: Work) -> Grade:
        if work.replay_only:
            raise ValueError("a fault")
        return grade_here(work)

    seen: list[str] = []
    done = run(copies, execute=Here(grade), progress=lambda student, _: seen.append(student))
    assert scores(done) == dict.fromkeys(NAMES, 0)
    assert sorted(seen) == list(NAMES)
    assert len(started) == 6


def test_each_submission_has_one_outcome_however_it_is_cut_into_waves(copies: Course) -> None:
    """An engine that ends in any order, and lies about what was needed."""

    def backwards(due: Sequence[Work], workers: int) -> Endings:
        for work in reversed(due):
            yield work, failed("the same" if work.replay_only else "broken")

    seen: list[str] = []
    done = run(copies, execute=backwards, progress=lambda student, _: seen.append(student))
    assert sorted(seen) == list(NAMES)
    assert {n.reason for n in done.not_graded} == {"broken"}


def test_works_without_a_place_for_runs_are_executed(copies: Course, started: list[str]) -> None:
    works = [replace(work, runs=None) for work in batch.plan(copies, tiny_release(copies))]
    assert len(batch.run(works, execute=Here()).graded) == 4
    assert sorted(started) == list(NAMES)
    assert not copies.runs.exists()


def test_an_interrupt_closes_the_wave_that_runs(copies: Course, started: list[str]) -> None:
    here = Here()

    def interrupt(student: str, outcome: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(copies, execute=here, progress=interrupt)
    assert here.closed
    assert started == ["ada"]


def test_runs_are_pruned_at_the_end(copies: Course, started: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.coordinator.recording_store.RecordingStore.prune", prune_all)
    run(copies)
    assert not list(copies.runs.iterdir())


def prune_all(self: object) -> None:
    for path in self.folder.iterdir():  # type: ignore[attr-defined]
        path.unlink()


@pytest.mark.sandbox
@pytest.mark.slow
class TestProcessesAsExecutor(ExecutorContract):
    """The processes of this machine hold what every executor must hold."""

    def make(self, root: Path) -> Execute:
        return in_processes
