"""Several regrades in one process, where tests leave nothing behind: the same grades, and nobody's failure is another's."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kernels import InProcessKernel
from tiny import TEST, YAML, Here, submit, tiny_course, tiny_release

from autograder import batch, processes, servers, worker
from autograder.course import load_course
from autograder.examiner import figures, files, names, reading
from autograder.grade import read_tests
from autograder.processes import in_processes
from autograder.records import Course
from autograder.worker import Work

NAMES = tuple(f"s{number:02}" for number in range(12))


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """Graded once, so that all runs are kept; its hidden test is another now."""
    monkeypatch.setattr(worker, "start_kernel", lambda work: InProcessKernel())
    made = tiny_course(tmp_path)
    for number, name in enumerate(NAMES):
        submit(made, name, f"def double(x):\n    return 2 * x + (x == 21) * ({number} == 5)  # {name}")
    assert len(batch.run(plan(made), execute=Here()).graded) == len(NAMES)
    return tiny_course(tmp_path, test=TEST.replace("== 42", "== 43"))


@pytest.fixture(autouse=True)
def copied(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Processes are forked from a copy of this one, whatever other tests have imported, and in the names' order."""
    monkeypatch.setattr(batch, "longest_first", list)
    monkeypatch.setattr(worker, "HEAVY", ("numpy",))
    monkeypatch.setattr(servers, "STARTS_THREADS", ())
    monkeypatch.setattr("autograder.servers.threading.active_count", lambda: 1)
    servers.stop_copy()
    yield
    servers.stop_copy()


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Who is in each process that is started."""
    begun: list[list[str]] = []
    start = processes._start

    def counted(works: tuple[Work, ...], *args: object, **options: object) -> object:
        begun.append([work.student for work in works])
        return start(works, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(processes, "_start", counted)
    return begun


def plan(course: Course) -> tuple[Work, ...]:
    return batch.plan(load_course(course.root), tiny_release(course))


def regraded(course: Course) -> batch.Batch:
    done = batch.run(plan(course), workers=2)
    assert done.not_graded == ()
    assert {grade.student: grade.score for grade in done.grades} == {n: 2 if n == "s05" else 0 for n in NAMES}
    return done


def kept(done: batch.Batch) -> set[str]:
    return {grade.student for grade in done.grades if grade.notebooks[0].kept}


def disturb(monkeypatch: pytest.MonkeyPatch, student: str, act: Callable[[Work], object]) -> None:
    """In the process that regrades this student, before it does."""
    attempt = worker.attempt

    def disturbed(work: Work) -> str:
        (work.log.parent / f"{work.student}.pid").write_text(str(os.getpid()))
        if work.kept and work.student == student:
            act(work)
        return attempt(work)

    monkeypatch.setattr(worker, "attempt", disturbed)


def test_a_class_is_regraded_in_few_processes(course: Course, began: list[list[str]]) -> None:
    assert kept(regraded(course)) == set(NAMES)
    assert [len(names) for names in began] == [6, 6]


def test_what_is_asked_of_tests_is_known_before_processes_are_forked(course: Course) -> None:
    asked = (
        names._vocabulary, names.loaded_names, names.meant_names, files.looks_at_files, files._paths,
        figures.asks_for_the_current_figure, reading._only_looked_at,
    )  # fmt: skip
    for function in asked:
        function.cache_clear()
    work = plan(course)[0]
    read_tests(work.exams[0])
    before = [function.cache_info().misses for function in asked]
    assert all(before)
    worker.grade_submission(work)
    assert [function.cache_info().misses for function in asked] == before


def test_tests_that_can_not_be_read_are_no_matter_until_somebody_grades(course: Course) -> None:
    exam = plan(course)[0].exams[0]
    read_tests(replace(exam, cells=tuple(replace(cell, source="def (") for cell in exam.cells)))


def test_each_has_a_log_of_its_own(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    disturb(monkeypatch, "s01", lambda work: os.write(2, b"a warning of a library\n"))
    regraded(course)
    logs = {path.stem: path.read_text() for path in (course.state / "log/hw").glob("*.log")}
    assert logs == {**dict.fromkeys(NAMES, ""), "s01": "a warning of a library\n"}


@pytest.mark.parametrize(
    ("test", "yaml"),
    [
        (f"import random\n{TEST}", YAML),
        (
            TEST,
            YAML.replace("limits:", "due: 2030-01-01\n    late: {kind: plugin, plugin: 'late.py:Late'}\n    limits:"),
        ),
    ],
)
def test_what_may_leave_something_behind_has_a_process_for_each(
    course: Course, began: list[list[str]], test: str, yaml: str
) -> None:
    """A module of the instructor's may remember what it was asked."""
    (course.root / "late.py").write_text("class Late:\n    def late_submission_penalty(self, *_):\n        return 0\n")
    tiny_course(course.root, test=test.replace("import random", "import random as r\nr.seed(1)"), yaml=yaml)
    processed = batch.run(plan(course), workers=2)
    assert processed.not_graded == ()
    assert all(len(names) == 1 for names in began)


def test_one_whose_process_dies_takes_nobody_with_them(
    course: Course, began: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are tried alone, then executed; the others go on in another process."""
    disturb(monkeypatch, "s01", lambda work: os.kill(os.getpid(), signal.SIGKILL))
    assert kept(regraded(course)) == set(NAMES) - {"s01"}
    (own,) = [names for names in began if "s01" in names and len(names) > 1]
    assert began.count(["s01"]) == 2  # alone from the kept run, and executed
    assert own[own.index("s01") + 1 :] in began


def test_one_that_hangs_is_stopped_at_their_own_deadline(
    course: Course, began: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "seconds", 2.0)
    disturb(monkeypatch, "s01", lambda work: time.sleep(60))
    assert kept(regraded(course)) == set(NAMES) - {"s01"}
    assert began.count(["s01"]) == 1  # executed


def test_a_reason_is_of_the_one_in_hand(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(work: Work) -> None:
        raise OSError(28, "No space left on device")

    disturb(monkeypatch, "s01", fail)
    works = [replace(work, kept=True) for work in plan(course)]
    outcomes = {work.student: reason for work, reason in in_processes(works, 2)}
    assert {name for name, reason in outcomes.items() if reason} == {"s01"}
    assert outcomes["s01"].endswith("can not be written (No space left on device); free space or rights?")


def test_where_something_is_left_all_the_same_another_process_goes_on(
    course: Course, began: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(monkeypatch, "s00", lambda work: os.environ.update(SEEN="1"))
    assert kept(regraded(course)) == set(NAMES)
    first = next(names for names in began if "s00" in names)
    after = first[first.index("s00") + 1 :]
    assert after in began
    pids = {name: (course.state / f"log/hw/{name}.pid").read_text() for name in first}
    assert pids["s00"] not in {pids[name] for name in after}


def test_where_an_answer_was_one_of_the_examiners_modules_another_process_goes_on(
    tmp_path: Path, began: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that calls a method of that answer calls the module's function, and it may remember."""
    monkeypatch.setattr(worker, "start_kernel", lambda work: InProcessKernel())
    solution = "import decimal\n### BEGIN SOLUTION\ndouble = decimal.Decimal\n### END SOLUTION"
    visible = "### BEGIN HIDDEN TESTS\nassert double.getcontext().prec == {}\n### END HIDDEN TESTS"
    course = tiny_course(tmp_path, solution=solution, test=visible.format(28))
    for name in NAMES:
        submit(course, name, f"import decimal\ndouble = {'decimal' if name == 's01' else 7}  # {name}")
    batch.run(plan(course), execute=Here())
    began.clear()
    course = tiny_course(tmp_path, solution=solution, test=visible.format("14 + 14"))
    done = batch.run(plan(course), workers=2)
    assert {grade.student for grade in done.grades if grade.score} == {"s01"}
    (own,) = [names for names in began if "s01" in names]
    assert own[own.index("s01") + 1 :] in began
