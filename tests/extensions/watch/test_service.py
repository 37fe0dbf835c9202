"""The service: what is submitted is graded at once, recorded, and shown; what it holds, others can have in between."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from helpers.service_attempts import Attempts, graded, without_walls
from helpers.tiny import SOLUTION, YAML, cell, notebook, observe_here, submit, tiny_course

from autograder.coordinator import batch, locks, service
from autograder.coordinator.assignment import Options
from autograder.coordinator.service import Service
from autograder.errors import HostError
from autograder.exchange.work import Work
from autograder.extensions.watch import arrivals as arrivals_module
from autograder.extensions.watch.arrivals import Arrivals, Inbox
from autograder.records.course import Course
from autograder.records.ending import Ending, EndingKind, Whose, failed
from autograder.records.grade import Grade, NotGraded
from autograder.results import second_look
from autograder.submissions.collection import collect
from autograder.submissions.delivery import Collected

SECONDS = 30


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return tiny_course(tmp_path)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    return without_walls(monkeypatch)


@pytest.fixture
def opened(course: Course, attempts: Attempts) -> Iterator[Service]:
    with Service(course, course.assignments["hw"], Options(workers=2)) as made:
        yield made


def test_a_submission_is_graded_recorded_and_shown_before_its_future_is_done(course: Course, opened: Service) -> None:
    submit(course, "ada")
    outcome = opened.submit("ada").result(SECONDS)
    assert isinstance(outcome, Grade)
    assert outcome.score == 2
    assert "test-double" in (course.feedback("ada", "hw") / "nb.html").read_text()
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as book:
        assert book.execute("select auto_score from grade").fetchall() == [(2.0,)]


def test_report_and_csv_are_written_at_the_end(course: Course, attempts: Attempts) -> None:
    for student in ("ada", "bob"):
        submit(course, student)
    with Service(course, course.assignments["hw"]) as made:
        for student in ("ada", "bob"):
            made.submit(student)
    assert [line.split(",")[1] for line in course.grades_csv.read_text().splitlines()[1:]] == ["ada", "bob"]
    assert (course.reports / "hw.html").is_file()


def test_why_a_page_was_not_written_is_told_once_and_the_grade_stands(course: Course, attempts: Attempts) -> None:
    file = second_look.path(course, "ada", "hw")
    file.parent.mkdir(parents=True)
    file.write_text("- question: q\n")
    told: list[str] = []
    with Service(course, course.assignments["hw"], tell=told.append) as made:
        for student in ("ada", "bob"):
            submit(course, student)
            assert isinstance(made.submit(student).result(SECONDS), Grade)
    (reason,) = told
    assert reason.startswith("second-look/ada/hw.yaml:1: the key 'request'")
    assert not (course.feedback("ada", "hw") / "nb.html").exists()
    assert (course.feedback("bob", "hw") / "nb.html").is_file()
    assert (course.reports / "hw.html").is_file()


def test_a_current_grade_is_made_anew_where_this_is_asked(course: Course, opened: Service, attempts: Attempts) -> None:
    submit(course, "ada")
    for anew in (False, True, False):
        assert isinstance(opened.submit("ada", anew=anew).result(SECONDS), Grade)
    assert attempts.of == ["ada", "ada"]


def test_a_current_grade_is_told_without_grading_again(course: Course, opened: Service, attempts: Attempts) -> None:
    submit(course, "ada")
    first = opened.submit("ada").result(SECONDS)
    assert opened.submit("ada").result(SECONDS) == first
    submit(course, "ada", "def double(x):\n    return x + x")
    opened.submit("ada").result(SECONDS)
    assert attempts.of == ["ada", "ada"]


def test_so_many_at_a_time_and_never_the_same_student_twice(
    course: Course, opened: Service, attempts: Attempts
) -> None:
    """A student who submits again is graded again, once the first run has ended."""
    at_once: list[str] = []
    twice: list[str] = []

    def act(work: Work) -> str:
        twice.extend([work.student] if work.student in at_once else [])
        at_once.append(work.student)
        time.sleep(0.05)
        at_once.remove(work.student)
        return graded(work)

    attempts.act = act
    futures = []
    for number in range(6):
        submit(course, f"s{number % 3}", f"def double(x):\n    return {number} and 2 * x")
        futures.append(opened.submit(f"s{number % 3}"))
    assert all(isinstance(future.result(SECONDS), Grade) for future in futures)
    assert (attempts.most, twice) == (2, [])


def test_what_cannot_be_graded_says_why(course: Course, opened: Service, attempts: Attempts) -> None:
    submit(course, "ada")
    attempts.act = lambda work: "its examiner died"
    assert opened.submit("ada").result(SECONDS) == NotGraded("ada", "hw", failed("its examiner died"))


def test_a_submission_that_cannot_even_be_looked_at_holds_up_no_other(
    course: Course, opened: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = batch.Planner.work

    def work(planner: batch.Planner, student: str) -> Work:
        if student == "eve":
            raise ValueError("a name that nobody thought of")
        return plan(planner, student)

    monkeypatch.setattr(batch.Planner, "work", work)
    for student in ("eve", "ada"):
        submit(course, student)
    eve, ada = opened.submit("eve"), opened.submit("ada")
    assert isinstance(ada.result(SECONDS), Grade)
    assert eve.result(SECONDS) == NotGraded("eve", "hw", failed("ValueError: a name that nobody thought of"))


def test_a_service_that_ends_by_a_fault_says_so(
    course: Course, opened: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a fault of the service's own")

    monkeypatch.setattr(batch, "verified", fails)
    submit(course, "ada")
    future = opened.submit("ada")
    with pytest.raises(CancelledError):
        future.result(SECONDS)
    with pytest.raises(HostError, match="a fault of the service's own"):
        opened.changed()


def test_a_submission_that_the_machine_was_too_busy_for_is_tried_again_alone(
    course: Course, opened: Service, attempts: Attempts
) -> None:
    def act(work: Work) -> str | Ending:
        time.sleep(0.05)
        is_busy = attempts.of.count("ada") < 2 and work.student == "ada"
        return Ending(EndingKind.BUSY, Whose.HOST, "too busy") if is_busy else graded(work)

    attempts.act = act
    futures = []
    for student in ("ada", "bob", "cleo"):
        submit(course, student)
        futures.append(opened.submit(student))
    assert all(isinstance(future.result(SECONDS), Grade) for future in futures)
    assert attempts.of[-1] == "ada"


def test_stopped_it_ends_at_once(course: Course, attempts: Attempts) -> None:
    submit(course, "ada")
    attempts.act = lambda work: "stopped" if attempts.stopped.wait(SECONDS) else ""

    def stopped_by_a_person() -> None:
        with Service(course, course.assignments["hw"], Options(workers=1)) as made:
            futures.extend([made.submit("ada"), made.submit("bob")])
            until = time.monotonic() + SECONDS
            while not attempts.running and time.monotonic() < until:
                time.sleep(0.01)
            raise KeyboardInterrupt

    futures: list[service.Result] = []
    with pytest.raises(KeyboardInterrupt):
        stopped_by_a_person()
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(0)


def test_others_may_work_in_the_course_while_nothing_is_to_do(
    course: Course, opened: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "IDLE_SECONDS", 0.2)
    submit(course, "ada")
    with batch.exclusive(course):
        future = opened.submit("ada")
        time.sleep(0.3)
        assert not future.done(), "another command holds the course"
    future.result(SECONDS)
    until = time.monotonic() + SECONDS
    while True:
        with contextlib.suppress(HostError), batch.exclusive(course):
            break
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_course_that_cannot_be_locked_ends_the_service_with_the_reason(
    course: Course, opened: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise HostError("the disk is full")

    monkeypatch.setattr(service.batch, "exclusive", full)
    submit(course, "ada")
    with pytest.raises(CancelledError):
        opened.submit("ada").result(SECONDS)
    with pytest.raises(HostError, match="the disk is full"):
        opened.changed()


def test_an_assignment_has_one_service(course: Course, opened: Service) -> None:
    with pytest.raises(HostError, match="another command grades hw as it arrives"):
        Service(course, course.assignments["hw"]).__enter__()


def test_it_knows_that_the_exam_has_changed(course: Course, opened: Service) -> None:
    submit(course, "ada")
    opened.submit("ada").result(SECONDS)
    assert not opened.changed()
    tiny_course(course.root, solution=SOLUTION.replace("2 * x", "x + x"))
    assert opened.changed()


# --- several attempts, of which the best counts

RIGHT, WRONG = "def double(x):\n    return 2 * x", "def double(x):\n    return 3"


def graded_by_content(work: Work) -> str:
    (path,) = work.submission.glob("*.ipynb")
    return graded(work, 2.0 if "2 * x" in path.read_text() else 0.0)


@pytest.fixture
def best(course: Course, attempts: Attempts) -> Course:
    attempts.act = graded_by_content
    return tiny_course(course.root, yaml=f"{YAML}    attempts: best\n")


def hand_in(course: Course, folder: Path, answer: str, day: int) -> None:
    """Collect a hand-in of Ada's of that day."""
    folder.mkdir(exist_ok=True)
    path = put(folder, "ada", answer)
    os.utime(path, (day * 86400, day * 86400))
    collect(course, "hw", path)


def test_the_best_of_several_attempts_is_recorded_and_each_is_graded_once(
    best: Course, attempts: Attempts, tmp_path: Path
) -> None:
    with Service(best, best.assignments["hw"]) as opened:
        hand_in(best, tmp_path / "in", RIGHT, 1)
        assert opened.submit("ada").result(SECONDS).score == 2
        hand_in(best, tmp_path / "in", WRONG, 2)
        assert opened.submit("ada").result(SECONDS).score == 2
        of_two = len(attempts.of)
        hand_in(best, tmp_path / "in", f"{WRONG}  # again", 3)
        assert opened.submit("ada").result(SECONDS).score == 2
        assert len(attempts.of) == of_two + 1
    (row,) = csv.DictReader(best.grades_csv.read_text().splitlines())
    assert float(row["score"]) == 2


def test_attempts_of_one_second_are_each_graded_once(best: Course, attempts: Attempts, tmp_path: Path) -> None:
    with Service(best, best.assignments["hw"]) as opened:
        for answer in (WRONG, RIGHT, f"{WRONG}  # again"):
            hand_in(best, tmp_path / "in", answer, 1)
        assert opened.submit("ada").result(SECONDS).score == 2
    assert len(attempts.of) == 4, "three attempts, and the best of them"


def test_if_an_attempt_cannot_be_graded_the_best_is_not_known(best: Course, attempts: Attempts, tmp_path: Path) -> None:
    """The grade that stands is kept; the next arrival, or a batch, tries again."""
    with Service(best, best.assignments["hw"]) as opened:
        hand_in(best, tmp_path / "in", RIGHT, 1)
        first = opened.submit("ada").result(SECONDS)
        hand_in(best, tmp_path / "in", WRONG, 2)
        attempts.act = lambda work: "its examiner died"
        reason = "which attempt is the best is not known: its examiner died"
        assert opened.submit("ada").result(SECONDS) == NotGraded("ada", "hw", failed(reason))
        attempts.act = graded_by_content
        assert opened.submit("ada").result(SECONDS).score == first.score == 2


def test_a_new_attempt_arrives_once_although_an_earlier_one_counts(
    best: Course, attempts: Attempts, tmp_path: Path
) -> None:
    arrivals = Arrivals(best, best.assignments["hw"])
    hand_in(best, tmp_path / "in", RIGHT, 1)
    assert (arrivals.look(), arrivals.look()) == ([], ["ada"])
    hand_in(best, tmp_path / "in", WRONG, 2)
    assert (arrivals.look(), arrivals.look()) == ([], ["ada"])
    with Service(best, best.assignments["hw"]) as opened:
        opened.submit("ada").result(SECONDS)
    assert (arrivals.look(), arrivals.look()) == ([], []), "the grades of attempts are no arrivals"


# --- arrivals


def test_a_submission_arrives_once_it_is_still(course: Course) -> None:
    arrivals = Arrivals(course, course.assignments["hw"])
    submit(course, "ada")
    assert arrivals.look() == []
    assert arrivals.look() == ["ada"]
    assert arrivals.look() == []
    submit(course, "ada", "def double(x):\n    return x + x  # another size")
    assert arrivals.look() == []
    assert arrivals.look() == ["ada"]


@pytest.mark.parametrize(("whose", "listed"), [("host", 5), ("course", 5), ("kit", 3), ("submission", 1)])
def test_what_could_not_be_graded_is_listed_again_while_whoever_is_at_fault_has_a_try_left(
    course: Course, monkeypatch: pytest.MonkeyPatch, whose: str, listed: int
) -> None:
    monkeypatch.setattr(arrivals_module, "RETRY_SECONDS", 0.0)
    arrivals = Arrivals(course, course.assignments["hw"])
    submit(course, "ada")
    assert arrivals.look() == []
    count = 0
    for _ in range(5):
        for student in arrivals.look():
            count += 1
            arrivals.try_again(student, Whose(whose))
    assert count == listed
    submit(course, "ada", "def double(x):\n    return x + x  # another size")
    arrivals.look()
    assert arrivals.look() == ["ada"]
    assert arrivals.try_again("ada", Whose.KIT), "another version has tries of its own"


def test_an_empty_folder_is_no_arrival(course: Course) -> None:
    arrivals = Arrivals(course, course.assignments["hw"])
    course.submitted("ada", "hw").mkdir(parents=True)
    assert (arrivals.look(), arrivals.look()) == ([], [])


def test_a_folder_that_is_replaced_during_a_look_arrives_later(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(folder: Path, pattern: str) -> Iterator[Path]:
        raise FileNotFoundError(folder)

    arrivals = Arrivals(course, course.assignments["hw"])
    submit(course, "ada")
    with monkeypatch.context() as during:
        during.setattr(Path, "rglob", gone)
        assert (arrivals.look(), arrivals.look()) == ([], [])
    assert (arrivals.look(), arrivals.look()) == ([], ["ada"])


# --- an inbox


@pytest.fixture
def inbox(course: Course, tmp_path: Path) -> tuple[Inbox, Path]:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return Inbox(course, course.assignments["hw"], folder), folder


def put(folder: Path, student: str, source: str = SOLUTION) -> Path:
    """A notebook as a student's upload."""
    path = folder / f"{student}.ipynb"
    path.write_text(notebook(cell(source, "double", solution=True)))
    return path


def told(found: Sequence[Collected]) -> list[tuple[str | None, str]]:
    return [(one.student, one.status.value) for one in found]


def test_a_file_in_the_inbox_is_collected_once_it_is_still(course: Course, inbox: tuple[Inbox, Path]) -> None:
    looking, folder = inbox
    path = put(folder, "ada")
    assert looking.look() == []
    assert told(looking.look()) == [("ada", "collected")]
    assert [file.suffix for file in course.submitted("ada", "hw").iterdir()].count(".ipynb") == 1
    assert looking.look() == []
    assert path.is_file(), "the inbox stays as it is"


def test_a_new_version_in_the_inbox_replaces_the_earlier_one(course: Course, inbox: tuple[Inbox, Path]) -> None:
    looking, folder = inbox
    put(folder, "ada")
    looking.look(), looking.look()
    put(folder, "ada", "def double(x):\n    return x + x  # another size")
    looking.look()
    assert told(looking.look()) == [("ada", "replaced")]


def test_what_cannot_be_collected_is_refused_once_and_holds_up_nothing(inbox: tuple[Inbox, Path]) -> None:
    looking, folder = inbox
    (folder / "bob.zip").write_bytes(b"no archive")
    (folder / ".hidden.ipynb").write_text("")
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    (folder / "sub").mkdir()
    put(folder, "ada")
    looking.look()
    assert sorted(told(looking.look()), key=str) == [("ada", "collected"), ("bob", "refused")]
    assert looking.look() == []


def test_an_inbox_that_is_not_there_is_made(course: Course, tmp_path: Path) -> None:
    looking = Inbox(course, course.assignments["hw"], tmp_path / "new/inbox")
    assert looking.look() == []
    put(tmp_path / "new/inbox", "ada")
    looking.look()
    assert told(looking.look()) == [("ada", "collected")]


def test_an_inbox_that_cannot_be_one_is_said_at_once(course: Course, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match=r"the inbox .* cannot be read"):
        Inbox(course, course.assignments["hw"], tmp_path / "file").look()


def test_an_inbox_waits_while_another_command_collects(course: Course, inbox: tuple[Inbox, Path]) -> None:
    looking, folder = inbox
    put(folder, "ada")
    looking.look()
    with locks.held(course, locks.COLLECTING):
        assert looking.look() == []
    assert told(looking.look()) == [("ada", "collected")]


# --- the command


@pytest.mark.sandbox
def test_the_command_grades_what_arrives_until_it_is_stopped(course: Course, inbox: tuple[Inbox, Path]) -> None:
    submit(course, "ada")
    observe_here(course)
    command = [sys.executable, "-m", "autograder", "grade", "hw", "--course", str(course.root), "--watch"]
    command += ["--inbox", str(inbox[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        try:
            assert "ada" in running.stdout.readline()
            submit(course, "bob", "def double(x):\n    return x")
            line = running.stdout.readline()
            put(inbox[1], "cleo")
            assert "cleo" in running.stdout.readline()
        finally:
            running.send_signal(signal.SIGINT)
        assert ("bob" in line, "0 / 2" in line) == (True, True)
        assert running.wait(SECONDS) == 0, running.stderr.read()
    assert (course.feedback("bob", "hw") / "nb.html").is_file()


@pytest.mark.slow
@pytest.mark.sandbox
def test_the_command_records_the_best_of_several_attempts(course: Course, tmp_path: Path) -> None:
    tiny_course(course.root, yaml=f"{YAML}    attempts: best\n")
    hand_in(course, tmp_path / "in", RIGHT, 1)
    command = [sys.executable, "-m", "autograder", "grade", "hw", "--course", str(course.root), "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        try:
            first = running.stdout.readline()
            hand_in(course, tmp_path / "in", WRONG, 2)
            second = running.stdout.readline()
        finally:
            running.send_signal(signal.SIGINT)
        assert ("2 / 2" in first, "2 / 2" in second) == (True, True)
        assert running.wait(SECONDS) == 0, running.stderr.read()
    assert (course.feedback("ada", "hw") / "nb.html").is_file()
