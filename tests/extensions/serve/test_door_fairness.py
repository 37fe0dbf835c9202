"""Two assignments at a door: an endless answer to one holds up no hand-in of the other."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from helpers.doors import NOTEBOOK, SECONDS, Door, settle
from helpers.service_attempts import Attempts, graded, without_walls

from autograder.coordinator import batch, locks, service
from autograder.extensions.serve import worker as worker_module
from autograder.extensions.serve.models import Job, JobState
from autograder.records.ending import Ending

pytestmark = pytest.mark.integration


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    return without_walls(monkeypatch)


@pytest.fixture
def two(door: Door) -> Door:
    """A door with the assignments hw and other, which are alike."""
    settings = door.root / "course.yaml"
    hw = "  hw:\n    title: Doubling\n    limits: {cell_seconds: 20, notebook_seconds: 60, memory_mib: 512}\n"
    assert hw in settings.read_text()
    settings.write_text(settings.read_text().replace(hw, hw + hw.replace("hw:", "other:")))
    for folder in ("source", "release"):
        shutil.copytree(door.root / folder / "hw", door.root / folder / "other")
    with (door.root / "people.csv").open("a") as people:
        people.write("eve,Eve E.,\n")
    return door


@pytest.fixture
def endless(attempts: Attempts) -> Iterator[threading.Event]:
    """Let answers to hw run until the event is set."""
    stopped = threading.Event()

    def act(work: Any) -> str | Ending:
        if work.assignment.name == "hw":
            assert stopped.wait(SECONDS)
        return graded(work)

    attempts.act = act
    yield stopped
    stopped.set()


def hand_in(door: Door, person: str, assignment: str, content: bytes = NOTEBOOK) -> None:
    upload = SimpleUploadedFile("nb.ipynb", content)
    assert door.visitor(person).post(f"/assignments/{assignment}/", {"file": upload}).status_code == 302


def state(assignment: str) -> str:
    return Job.objects.get(assignment=assignment).state


def work_until(worker: Any, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS / 4
    while not holds():
        assert time.monotonic() < deadline, list(Job.objects.values("assignment", "state", "detail"))
        worker.look()
        time.sleep(0.01)


def test_a_queue_behind_an_endless_answer_holds_up_no_other_assignment(
    two: Door, attempts: Attempts, endless: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many of its class are taken as can be."""
    monkeypatch.setattr(worker_module, "MAX_AT_ONCE", 1)
    hand_in(two, "ada", "hw")
    hand_in(two, "eve", "hw")
    hand_in(two, "bob", "other")
    with two.worker() as worker:
        work_until(worker, lambda: state("other") == JobState.DONE)
        assert attempts.of == ["ada", "bob"]
        endless.set()
        settle(worker)


def test_an_endless_answer_holds_up_no_other_assignment(
    two: Door, attempts: Attempts, endless: threading.Event
) -> None:
    hand_in(two, "ada", "hw")
    with two.worker() as worker:
        work_until(worker, lambda: attempts.of == ["ada"])
        hand_in(two, "bob", "other")
        work_until(worker, lambda: state("other") == JobState.DONE)
        assert state("hw") == JobState.BEGUN
        endless.set()
        work_until(worker, lambda: state("hw") == JobState.DONE)


def test_a_service_is_closed_beside_an_endless_answer(two: Door, attempts: Attempts, endless: threading.Event) -> None:
    """Its reports are written at once, so the worker takes what is handed in meanwhile."""
    hand_in(two, "bob", "other")
    with two.worker() as worker:
        work_until(worker, lambda: state("other") == JobState.DONE)
        hand_in(two, "ada", "hw")
        work_until(worker, lambda: attempts.of == ["bob", "ada"])
        worker._services._close("other")
        assert (two.course.reports / "other.html").is_file()
        assert state("hw") == JobState.BEGUN


def test_of_two_busy_assignments_each_goes_on(two: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more run at a time than the worker has places for; where limits hold for one alone, one."""
    monkeypatch.setattr(service, "require_walls", lambda _: True)
    order = []
    attempts.act = lambda work: order.append(work.assignment.name) or graded(work)
    for number in range(3):
        content = NOTEBOOK + b" " * number
        hand_in(two, "ada", "hw", content)
        hand_in(two, "bob", "other", content)
    with two.worker() as worker:
        settle(worker)
    assert attempts.most == 1
    assert order.count("hw") == order.count("other") > 0


def test_no_command_has_the_course_while_a_service_grades(
    two: Door, attempts: Attempts, endless: threading.Event
) -> None:
    hand_in(two, "ada", "hw")
    with two.worker() as worker:
        work_until(worker, lambda: attempts.of == ["ada"])
        with pytest.raises(locks.LockedError), batch.exclusive(two.course):
            pass
