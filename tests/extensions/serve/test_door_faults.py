"""Faults that are no hand-in's own, while the door's worker grades: each receipt ends in its grade once they are over."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from helpers.doors import OTHER, Door, settle
from helpers.injected_faults import FAULTS
from helpers.service_attempts import Attempts, graded, without_walls

from autograder.coordinator import batch, service
from autograder.coordinator.submission_grading import write_grade
from autograder.errors import CourseError, HostError, SandboxError
from autograder.exchange.work import Work
from autograder.extensions.serve import jobs
from autograder.extensions.serve import services as services_module
from autograder.extensions.serve import worker as worker_module
from autograder.extensions.serve.models import Job, JobState
from autograder.records.checks import Outcome
from autograder.records.ending import Ending, EndingKind, Whose
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.waits import Waits
from autograder.results import publication

FULL = OSError(errno.ENOSPC, "No space left on device")
SECONDS = 60


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    monkeypatch.setattr(services_module, "RETRY_SECONDS", 0.0)
    return without_walls(monkeypatch)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("words")
    error.sqlite_errorcode = code
    return error


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def works_until(worker: Any, is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_there():
        assert time.monotonic() < deadline, list(Job.objects.values("state", "detail"))
        worker.look()
        time.sleep(0.01)


HOSTS = {
    "full disk": caused(HostError("cannot be written"), FULL),
    "full gradebook": caused(HostError("cannot be used"), sqlite_error(sqlite3.SQLITE_FULL)),
    "locked gradebook": caused(HostError("is locked"), sqlite_error(sqlite3.SQLITE_BUSY)),
    "no walls": SandboxError("no namespaces left"),
}
COURSES = {"course file": CourseError("people.csv: line 2 is wrong")}
PLACES = {
    "collecting": (worker_module, "bring_in"),
    "opening": (service, "check_hidden_data"),
    "locking": (batch, "exclusive"),
    "publishing": (service, "record_some"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", [*HOSTS, *COURSES])
def test_a_fault_of_machine_or_course_costs_no_try_wherever_it_strikes(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch, place: str, fault: str
) -> None:
    door.hand_in()
    whose = Whose.COURSE if fault in COURSES else Whose.HOST
    with door.worker() as worker:
        with monkeypatch.context() as faulty:
            error = (HOSTS | COURSES)[fault]
            faulty.setattr(*PLACES[place], failing(error))
            begun: list[int] = []
            begin = jobs.begin
            faulty.setattr(jobs, "begin", lambda job: (begun.append(job.number), begin(job)))
            works_until(worker, lambda: len(begun) > jobs.MAX_TRIES + 1)
            works_until(worker, lambda: Job.objects.get().whose == whose)
            assert Job.objects.get().tries <= 1
            assert not Job.objects.get().is_final
        settle(worker)
    job = Job.objects.get()
    assert (job.state, job.score, job.whose, job.next_try) == (JobState.DONE, 2.0, "", None)


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_each_receipt_ends_in_its_grade(door: Door, attempts: Attempts, fault: str) -> None:
    """After two tries that failed, or once staff let a hand-in run again that a person was to look at."""
    ending = FAULTS[fault]
    endings = iter([ending] * (1 if ending.whose is Whose.SUBMISSION else 2))
    attempts.act = lambda work: next(endings, None) or graded(work)
    door.hand_in()
    with door.worker() as worker:
        works_until(worker, lambda: Job.objects.get().is_final or Job.objects.get().next_try is not None)
        assert Job.objects.get().score is None, "nobody has 0 by a fault"
        if ending.whose is Whose.SUBMISSION:
            assert Job.objects.get().state == JobState.PERSON
            door.visitor("meier").post("/staff/acts/again/hw/ada/")

        def is_graded() -> bool:
            Job.objects.update(next_try=None)
            return bool(Job.objects.filter(state=JobState.DONE, score=2.0).exists())

        works_until(worker, is_graded)


def test_a_fault_that_nobody_thought_of_has_three_tries(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "bring_in", failing(ValueError("nobody thought of it")))
    door.hand_in()
    with door.worker() as worker:
        for state in (JobState.WAITING, JobState.WAITING, JobState.PERSON):
            worker.look()
            assert Job.objects.get().state == state


def test_an_assignment_that_left_the_course_for_a_while_loses_no_hand_in(door: Door, attempts: Attempts) -> None:
    settings = door.root / "course.yaml"
    text = settings.read_text()
    door.hand_in()
    (door.root / "source/other").mkdir()
    settings.write_text(text.replace("  hw:", "  other:"))
    with door.worker() as worker:
        for _ in range(jobs.MAX_TRIES + 1):
            worker.look()
        assert Job.objects.values_list("state", "whose", "tries").get() == (JobState.WAITING, Whose.COURSE, 0)
        settings.write_text(text)
        settle(worker)
    assert Job.objects.get().state == JobState.DONE


@pytest.mark.parametrize("step", ["begin", "finish", "try_again"])
def test_a_full_disk_of_the_queue_ends_no_worker_and_costs_no_try(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    full = caused(OperationalError("database or disk is full"), sqlite_error(sqlite3.SQLITE_FULL))
    door.hand_in("ada")
    door.hand_in("bob", OTHER)
    with door.worker() as worker:
        with monkeypatch.context() as faulty:
            if step == "try_again":
                faulty.setattr(worker_module, "bring_in", failing(FULL))
            faulty.setattr(jobs, step, failing(full))
            for _ in range(10):
                worker.look()
                time.sleep(0.02)
        settle(worker)
    assert list(Job.objects.values_list("state", "tries")) == [(JobState.DONE, 1)] * 2


def test_a_hand_in_that_the_machine_is_always_too_busy_for_is_tried_ever_more_seldom(
    door: Door, attempts: Attempts
) -> None:
    """A notebook can starve itself: it must not keep the door from others, and is never given up."""
    attempts.act = lambda work: (
        Ending(EndingKind.BUSY, Whose.HOST, "too busy") if work.student == "ada" else graded(work)
    )
    door.hand_in("ada")
    Job.objects.update(received=datetime.now(UTC) - timedelta(hours=2))
    with door.worker() as worker:
        works_until(worker, lambda: Job.objects.get(student="ada").next_try is not None)
        job = Job.objects.get()
        assert (job.state, job.tries) == (JobState.WAITING, 0)
        assert timedelta(minutes=59) < job.next_try - datetime.now(UTC) < timedelta(minutes=62)
        door.hand_in("bob")
        works_until(worker, lambda: Job.objects.get(student="bob").is_final)
        assert attempts.of.count("ada") == 2
        Job.objects.filter(student="ada").update(next_try=datetime.now(UTC))
        attempts.act = graded
        settle(worker)


def undecided(work: Work) -> str:
    """Grade as an examiner does that leaves a question to a person."""
    question = QuestionGrade("test-double", 0.0, 2.0, Outcome.FAILED, "", waits=Waits.UNDECIDED)
    book = NotebookGrade("nb", "completed", "", (question,))
    write_grade(work, Grade(work.student, "hw", (book,), content_keys=work.content_keys), {})
    return ""


def test_each_end_of_a_hand_in_has_a_list_a_number_and_a_column(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = {
        "ada": graded,
        "bob": undecided,
        "cy": lambda work: Ending(EndingKind.NO_SPACE, Whose.HOST, "the disk is full"),
    }
    people = door.root / "people.csv"
    people.write_text(people.read_text() + "cy,Cy C.\ndi,Di D.\n")
    attempts.act = lambda work: acts[work.student](work)
    for person in acts:
        door.hand_in(person)
    door.hand_in("di", b"no zip", "x.zip")
    staff = door.visitor("meier")
    with door.worker() as worker:
        works_until(worker, lambda: {jobs.hand_ins(name).count() for name in jobs.LISTS} == {1})
        worker.beat()
        numbers = staff.get("/metrics").content.decode()
        for name, person in zip(jobs.LISTS, ("ada", "bob", "di", "cy"), strict=True):
            assert f"autograder_serve_hand_ins_{name.replace(' ', '_')} 1\n" in numbers
            page = staff.get("/staff/submissions/", {"list": name}).content.decode()
            receipts = [job.receipt for job in Job.objects.all() if f"<code>{job.receipt}</code>" in page]
            assert receipts == [Job.objects.get(student=person).receipt]
            assert f"{name.capitalize()}</th>" in staff.get("/staff/").content.decode()
        page = staff.get("/staff/submissions/", {"list": "for a person"}).content.decode()
        assert "test cannot tell: test-double" in page, "the question, and why it waits"
        page = staff.get("/staff/submissions/", {"list": "not graded yet"}).content.decode()
        assert "Tried again after" in page
        assert "since the machine is at fault" in page
        answer = door.visitor().get("/healthz")
        assert (answer.status_code, answer.content[:31]) == (503, b"1 in line cannot be graded now,")
        assert "by a fault of this machine" in staff.get("/staff/").content.decode()


def test_a_hand_in_that_waited_for_a_person_is_graded_once_the_points_are_given(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts.act = undecided
    receipt = door.hand_in().headers["Location"]
    door.work()
    assert Job.objects.get().state == JobState.PERSON
    assert "Read the feedback" in door.visitor("ada").get(receipt).content.decode()
    monkeypatch.setattr(worker_module, "SETTLE_SECONDS", 0.0)
    with door.worker() as worker:
        worker.look()
        assert Job.objects.get().state == JobState.PERSON
        given = QuestionGrade("test-double", 1.0, 2.0, Outcome.FAILED, "", by_hand=True)
        grade = Grade("ada", "hw", (NotebookGrade("nb", "completed", "", (given,)),))
        monkeypatch.setattr(publication, "for_people", lambda course, grades: (grade,))
        worker.look()
    assert Job.objects.get().state == JobState.DONE
