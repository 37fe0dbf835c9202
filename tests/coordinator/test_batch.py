"""Batches: what is due, in which order, how many at a time, and that nobody's failure is another's."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from helpers.clock import own_seconds
from helpers.tiny import SOLUTION, TEST, YAML, Here, grade_here, submit, tiny_course, tiny_release
from helpers.unwalled_examiner import in_unwalled_processes

from autograder.coordinator import batch, submission_grading
from autograder.coordinator.pool import in_processes, in_threads
from autograder.course.configuration import load_course
from autograder.errors import HostError, SandboxError, UsageError
from autograder.exchange import result_json
from autograder.exchange.work import Endings, Work
from autograder.records.course import Course
from autograder.records.ending import GRADED
from autograder.records.grade import Batch, Grade

NAMES = ("ada", "bob", "eve", "joe")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = tiny_course(tmp_path)
    for name in NAMES:
        submit(made, name)
    submit(made, "bob", "def double(x):\n    return 2")
    return made


def plan(course: Course, *only: str) -> tuple[Work, ...]:
    return batch.plan(course, tiny_release(course), only)


def graded(course: Course, **options: object) -> tuple[str, ...]:
    """Those whom a batch grades now."""
    return batch.run(plan(course), execute=Here(), **options).graded


# --- what is done ----------------------------------------------------------------------------------------


def test_every_submission_gets_a_grade_in_the_order_of_the_names(course: Course) -> None:
    seen: list[str] = []
    done = batch.run(plan(course), execute=Here(), progress=lambda student, outcome: seen.append(student))
    assert [(g.student, g.score, g.max_score) for g in done.grades] == [
        ("ada", 2, 2), ("bob", 0, 2), ("eve", 2, 2), ("joe", 2, 2),
    ]  # fmt: skip
    assert done.graded == NAMES == tuple(seen)
    assert done.not_graded == ()
    for name in NAMES:
        folder = course.autograded(name, "hw")
        assert sorted(p.name for p in folder.iterdir()) == ["nb.ipynb", "result.json"]
    assert list((course.state / "work").iterdir()) == []


def test_only_the_students_that_are_named_are_graded(course: Course) -> None:
    assert [work.student for work in plan(course, "joe", "ada")] == ["ada", "joe"]
    with pytest.raises(UsageError, match=r"no submission of ida, max in .*submitted for hw"):
        plan(course, "max", "ada", "ida")


def test_a_course_without_submissions_has_nothing_to_do(tmp_path: Path) -> None:
    assert plan(tiny_course(tmp_path)) == ()
    assert batch.run((), execute=in_processes) == Batch((), (), ())


@pytest.mark.parametrize("error", [SandboxError("no room"), ValueError("a bug"), MemoryError()])
def test_a_failure_of_the_kit_is_not_graded_and_the_rest_goes_on(course: Course, error: Exception) -> None:
    def grade(work: Work) -> Grade:
        if work.student == "bob":
            raise error
        return grade_here(work)

    outcomes: dict[str, object] = {}
    done = batch.run(plan(course), execute=Here(grade), progress=outcomes.__setitem__)
    assert done.graded == ("ada", "eve", "joe")
    assert [(n.student, n.assignment) for n in done.not_graded] == [("bob", "hw")]
    assert (str(error) or type(error).__name__) in done.not_graded[0].reason
    assert outcomes["bob"] is done.not_graded[0]
    assert not course.autograded("bob", "hw").exists()


def test_who_could_not_be_graded_is_tried_again(course: Course) -> None:
    def grade(work: Work) -> Grade:
        raise HostError("no space")

    assert batch.run(plan(course), execute=Here(grade)).graded == ()
    assert graded(course) == NAMES


def test_a_report_of_success_without_a_result_is_not_believed(course: Course) -> None:
    def pretend(due: Sequence[Work], workers: int) -> Endings:
        yield from ((work, GRADED) for work in due)

    done = batch.run(plan(course), execute=pretend)
    assert {n.reason for n in done.not_graded} == {"no complete result was written"}


def test_an_interrupted_batch_closes_what_executes_and_keeps_what_is_graded(course: Course) -> None:
    here = Here()

    def interrupt(student: str, outcome: object) -> None:
        if student == "bob":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch.run(plan(course), execute=here, progress=interrupt)
    assert here.closed
    assert graded(course) == ("eve", "joe")


# --- what is due -----------------------------------------------------------------------------------------


def test_nothing_is_graded_twice_unless_forced(course: Course) -> None:
    assert graded(course) == NAMES
    assert graded(course) == ()
    assert graded(course, force=True) == NAMES


def change(course: Course, what: str) -> None:
    files = {
        "exam": ("source/hw/nb.ipynb", None),
        "hidden data": ("source/hw/hidden/holdout.csv", "1,2,3"),
        "released file": ("source/hw/data.csv", "4,5,6"),
        "imported module": ("helpers.py", "FACTOR = 2"),
        "limits": ("course.yaml", YAML.replace("cell_seconds: 20", "cell_seconds: 21")),
        "threads": ("course.yaml", YAML.replace("cell_seconds: 20", "cell_seconds: 20, threads: 2")),
        "training": ("course.yaml", YAML + "    training: exact\n"),
        "late policy": ("course.yaml", YAML + "    due: 2031-01-01\n    late: zero\n"),
        "due date": ("course.yaml", YAML + "    due: 2030-01-01\n"),
        "title": ("course.yaml", YAML.replace("Doubling", "Twice")),
        "another file": ("notes.txt", "for myself"),
    }
    path, text = files[what]
    if text is None:
        tiny_course(course.root, test=TEST.replace("42", "42.0"))
    else:
        (course.root / path).parent.mkdir(exist_ok=True)
        (course.root / path).write_text(text)


@pytest.mark.parametrize(
    "what",
    [
        *("exam", "hidden data", "released file", "imported module", "limits", "threads", "training"),
        *("late policy", "due date"),
    ],
)
def test_what_a_grade_is_made_from_makes_all_due_when_it_changes(tmp_path: Path, what: str) -> None:
    course = tiny_course(tmp_path, solution="import helpers\n" + SOLUTION)
    (tmp_path / "helpers.py").write_text("FACTOR = 1")
    for name in NAMES:
        submit(course, name)
    assert graded(course) == NAMES
    change(course, what)
    assert graded(load_course(course.root)) == NAMES


@pytest.mark.parametrize("what", ["title", "another file"])
def test_what_no_grade_is_made_from_makes_nothing_due(course: Course, what: str) -> None:
    assert graded(course) == NAMES
    change(course, what)
    assert graded(load_course(course.root)) == ()


def test_one_changed_submission_is_graded_anew_and_no_other(course: Course) -> None:
    assert graded(course) == NAMES
    submit(course, "bob")
    assert graded(course) == ("bob",)
    (course.submitted("eve", "hw") / "helper.py").write_text("a = 1")
    assert graded(course) == ("eve",)
    (course.submitted("joe", "hw") / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")
    assert graded(course) == ("joe",)
    (course.submitted("ada", "hw") / ".ipynb_checkpoints").mkdir()
    (course.submitted("ada", "hw") / ".ipynb_checkpoints/nb.ipynb").write_text("{}")
    assert graded(course) == ()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"version": 99}', "\0"])
def test_a_damaged_result_is_graded_anew(course: Course, content: str) -> None:
    assert graded(course) == NAMES
    (course.autograded("eve", "hw") / "result.json").write_text(content)
    assert graded(course) == ("eve",)


def test_another_students_result_is_no_grade_of_this_one(course: Course) -> None:
    assert graded(course) == NAMES
    mine, other = (course.autograded(name, "hw") / "result.json" for name in ("ada", "bob"))
    mine.write_text(other.read_text())
    assert graded(course) == ("ada",)


def test_what_cannot_be_read_or_is_no_file_stops_no_plan(course: Course) -> None:
    """A link that leads nowhere, a FIFO, a sparse terabyte: the plan is made at once."""
    folder = course.submitted("bob", "hw")
    (folder / "link").symlink_to("/nowhere")
    os.mkfifo(folder / "fifo")
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)
    began = own_seconds()
    assert [work.student for work in plan(course)] == list(NAMES)
    assert own_seconds() - began < 5


# --- the order, and how many at a time -------------------------------------------------------------------


def test_the_longest_known_is_first_and_the_unknown_go_by_the_median(course: Course) -> None:
    seconds = {"ada": 5.0, "bob": 90.0, "eve": 20.0}
    batch.run(plan(course), execute=Here())
    for name, spent in seconds.items():
        path = course.autograded(name, "hw") / "result.json"
        grade = result_json.read(path)
        result_json.write(path, replace(grade, notebooks=(replace(grade.notebooks[0], wall_seconds=spent),)))
    (course.autograded("joe", "hw") / "result.json").unlink()
    submit(course, "amy")
    here = Here()
    done = batch.run(plan(course), execute=here, force=True)
    assert here.started == ["bob", "amy", "eve", "joe", "ada"]
    assert [g.student for g in done.grades] == ["ada", "amy", "bob", "eve", "joe"]


@pytest.mark.parametrize(
    ("cores", "available", "peak", "count"),
    [
        (4, 32_000, None, 4),
        (4, 2_000, None, 2),  # 512 MiB is the limit, and a notebook needs no more than that
        (4, 700, None, 1),
        (4, 100, None, 1),  # one at least
        (64, 8_000, 144, 20),  # what has been measured counts
        (2, 8_000, 144, 2),
    ],
)
def test_as_many_at_a_time_as_cores_and_memory_allow(
    course: Course, cores: int, available: float, peak: float | None, count: int
) -> None:
    if peak is not None:
        batch.run(plan(course, "ada"), execute=Here())
        path = course.autograded("ada", "hw") / "result.json"
        grade = result_json.read(path)
        result_json.write(path, replace(grade, notebooks=(replace(grade.notebooks[0], peak_memory_mib=peak),)))
    assert batch.worker_count(plan(course), cores=cores, available_mib=available) == count


@pytest.mark.parametrize(("cores", "threads", "count"), [(8, 1, 8), (8, 2, 4), (8, 3, 2), (8, 16, 1), (1, 2, 1)])
def test_a_notebook_with_several_threads_takes_as_many_cores(
    course: Course, cores: int, threads: int, count: int
) -> None:
    limits = YAML.replace("memory_mib", f"threads: {threads}, memory_mib")
    (course.root / "course.yaml").write_text(limits)
    assert batch.worker_count(plan(load_course(course.root)), cores=cores, available_mib=32_000) == count


def test_this_machine_grades_at_least_one_at_a_time(course: Course) -> None:
    assert 1 <= batch.worker_count(plan(course)) <= len(os.sched_getaffinity(0))


# --- one at a time on a course ---------------------------------------------------------------------------


def test_a_second_batch_on_a_course_is_refused_and_leftovers_go(course: Course) -> None:
    left = course.state / "work/tmp123"
    left.mkdir(parents=True)
    half = course.root / "feedback/ada/hw/.nb.html.abcd1234.tmp"
    half.parent.mkdir(parents=True)
    for path in (half, course.root / ".grades.csv.abcd1234.tmp"):
        path.write_text("half")
        os.utime(path, (0, 0))
    (course.state / "log").mkdir()
    (course.state / "log/batch.log").write_text("of the last batch")
    with batch.exclusive(course):
        assert not left.exists()
        assert not list(course.root.rglob(".*.tmp"))
        assert (course.state / "log/batch.log").read_text() == ""
        with (
            pytest.raises(HostError, match=r"` has been at work since \d\d:\d\d in .*; wait until it has ended"),
            batch.exclusive(course),
        ):
            pass
    with batch.exclusive(course):
        pass


# --- real processes --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.integration
def test_grades_are_the_same_with_one_process_and_with_three(course: Course) -> None:
    def scores(workers: int) -> list[object]:
        done = batch.run(plan(course), workers=workers, force=True, execute=in_unwalled_processes)
        assert done.not_graded == ()
        return [
            (g.student, [(q.id, q.score, q.outcome, q.message) for q in g.notebooks[0].questions], g.content_keys)
            for g in done.grades
        ]

    assert scores(1) == scores(3)


def refuse(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_a_reason_that_says_so(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, and nothing half written."""
    monkeypatch.setattr(submission_grading, "fill", refuse)
    done = batch.run(plan(course, "bob"), execute=Here())
    why = "cannot be written (No space left on device); check free space and permissions"
    assert [n.reason for n in done.not_graded] == [f"{course.state / 'work'} {why}"]
    assert not course.autograded("bob", "hw").exists()


def bob_dies(work: Work) -> None:
    if work.student == "bob":
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.integration
def test_a_process_that_dies_is_one_students_reason(course: Course) -> None:
    """The next batch makes it good."""
    works = plan(course, "ada", "bob")
    done = batch.run(works, workers=2, execute=partial(in_unwalled_processes, misbehave=bob_dies))
    assert done.graded == ("ada",)
    assert [(n.student, n.reason) for n in done.not_graded] == [
        ("bob", "the process that examined it ended without an outcome (exit code -9)")
    ]
    assert batch.run(plan(course, "ada", "bob"), workers=2, execute=in_unwalled_processes).graded == ("bob",)


def test_a_fault_of_the_kit_is_a_reason_with_its_place(course: Course) -> None:
    """Quoted within bounds, with the last lines of the log that has all of it."""

    def fail(work: Work) -> Grade:
        raise ValueError("x" * 100_000)

    (only,) = batch.run(plan(course, "joe"), execute=Here(fail)).not_graded
    assert only.reason.startswith("ValueError: xxx")
    assert f"the last lines of {course.state / 'log/hw/joe.log'}" in only.reason
    assert len(only.reason) < 5000


def test_closing_stops_what_runs(course: Course) -> None:
    """So does an error on the way, a Ctrl-C for one."""
    stopped = threading.Event()

    def grade(work: Work) -> str:
        return "" if work.student == "ada" else str(stopped.wait(20))

    with contextlib.closing(in_threads(plan(course), 3, grade, stopped.set)) as outcomes:
        assert next(outcomes)[0].student == "ada"
        assert not stopped.is_set()
    assert stopped.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("grades ")]
