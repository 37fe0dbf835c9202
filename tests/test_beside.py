"""What is done in a process beside this one."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from autograder.beside import Beside, Helper
from autograder.errors import CourseError


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.beside.threading.active_count", lambda: 1)
    monkeypatch.setattr("autograder.beside.os.sched_getaffinity", lambda _: {0, 1})


def test_its_result_comes_here() -> None:
    with Beside(lambda: {"pid": os.getpid(), "large": b"x" * 1_000_000}) as begun:
        found = begun.result()
    assert found["pid"] != os.getpid()
    assert len(found["large"]) == 1_000_000  # type: ignore[arg-type]


def test_an_error_is_raised_here() -> None:
    def fail() -> None:
        raise ValueError("the third cell")

    with Beside(fail) as begun, pytest.raises(ValueError, match="the third cell"):
        begun.result()


def test_an_error_of_the_courses_is_raised_here_and_made_there(tmp_path: Path) -> None:
    """What took long to fail does not fail twice; nor does the instructor's code run twice."""

    def fail() -> None:
        with (tmp_path / "runs").open("a") as file:
            file.write("once ")
        raise CourseError("the third cell")

    with Beside(fail) as begun, pytest.raises(CourseError, match="the third cell"):
        begun.result()
    assert (tmp_path / "runs").read_text() == "once "


def test_where_there_can_be_no_other_process_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("autograder.beside.fork", full)
    with Beside(os.getpid) as begun:
        assert begun.result() == os.getpid()


def test_what_dies_or_can_not_be_sent_is_done_here() -> None:
    here = os.getpid()

    def die() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 3

    with Beside(die) as begun, Beside(lambda: lambda: 4) as other:
        assert begun.result() == 3
        assert other.result()() == 4


@pytest.mark.parametrize("what", ["os.sched_getaffinity", "threading.active_count"])
def test_with_one_core_or_beside_a_thread_it_is_done_here(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """What a thread holds, nobody would let go in the other process."""
    monkeypatch.setattr(f"autograder.beside.{what}", {"os": lambda _: {0}, "threading": lambda: 2}[what.split(".")[0]])
    with Beside(os.getpid) as begun:
        assert begun.result() == os.getpid()


def test_it_ends_where_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    """After a Ctrl-C, for one."""

    def hang() -> None:
        (tmp_path / "half").write_text(str(os.getpid()))
        (tmp_path / "half").rename(tmp_path / "pid")
        time.sleep(60)

    def interrupted() -> None:
        with Beside(hang):
            while not (tmp_path / "pid").exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not Path("/proc", (tmp_path / "pid").read_text()).exists()


# --- a helper --------------------------------------------------------------------------------------------

_remembered: list[str] = []


def remember(text: str) -> list[str]:
    _remembered.append(text)
    return [*_remembered, str(os.getpid())]


def fail(kind: type[Exception]) -> None:
    raise kind("the third cell")


@pytest.fixture
def forgetful() -> Iterator[None]:
    yield
    _remembered.clear()


@pytest.mark.usefixtures("forgetful")
def test_a_helper_does_one_thing_after_another_and_keeps_what_it_has() -> None:
    with Helper(partial(remember, "prepared")) as helper:
        first, second = helper.begin(remember, "one"), helper.begin(remember, "two")
        *done, pid = first.result()
        assert done == ["prepared", "one"]
        assert second.result() == ["prepared", "one", "two", pid]
    assert pid != str(os.getpid())
    assert _remembered == []


@pytest.mark.usefixtures("forgetful")
def test_what_nobody_asks_for_is_done_all_the_same() -> None:
    with Helper(list) as helper:
        helper.begin(remember, "one")
        helper.begin(fail, CourseError)
        assert helper.begin(remember, "three").result()[:2] == ["one", "three"]


def test_a_helpers_errors_are_raised_here() -> None:
    with Helper(list) as helper:
        courses, faults = helper.begin(fail, CourseError), helper.begin(fail, ValueError)
        with pytest.raises(CourseError, match="the third cell"):
            courses.result()
        with pytest.raises(ValueError, match="the third cell"):
            faults.result()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def imports_nothing() -> None:
    raise ImportError("there is no nbgrader")


@pytest.mark.usefixtures("forgetful")
def test_what_a_helper_that_has_ended_was_asked_is_done_here() -> None:
    with Helper(die) as helper:
        asked = [helper.begin(remember, "one")]
        time.sleep(0.2)  # it is known to be gone for the second, or not: both are done
        asked.append(helper.begin(remember, "two"))
        assert [one.result() for one in asked] == [["one", str(os.getpid())], ["one", "two", str(os.getpid())]]


@pytest.mark.usefixtures("forgetful")
def test_what_can_not_be_told_to_a_helper_is_done_here() -> None:
    with Helper(list) as helper:
        before = helper.begin(remember, "before")
        assert helper.begin(lambda: os.getpid()).result() == os.getpid()
        assert before.result() == ["before", str(os.getpid())]
        assert helper.begin(remember, "after").result() == ["before", "after", str(os.getpid())]


def test_a_helper_ends_with_whoever_has_it() -> None:
    with Helper(list) as helper:
        pid = helper.begin(os.getpid).result()
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()


def hang(folder: Path) -> None:
    (folder / "half").write_text(str(os.getpid()))
    (folder / "half").rename(folder / "begun")
    try:
        time.sleep(60)
    finally:
        (folder / "in order").touch()


def test_who_is_interrupted_while_a_helper_works_lets_it_put_things_in_order(tmp_path: Path) -> None:
    """After a Ctrl-C, no half-written page stays behind, and nothing is written any more."""

    def interrupted() -> None:
        with Helper(list) as helper:
            asked = helper.begin(hang, tmp_path)
            while not (tmp_path / "begun").exists():
                time.sleep(0.01)
            previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            try:
                asked.result()
            finally:
                signal.signal(signal.SIGALRM, previous)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "in order").exists()
    assert not Path("/proc", (tmp_path / "begun").read_text()).exists()


def deaf(folder: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hang(folder)


def test_but_it_waits_for_none_that_does_not_listen(tmp_path: Path) -> None:
    with Helper(list) as helper:
        helper.begin(deaf, tmp_path)
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        helper._process.end(0.2)
    assert not Path("/proc", (tmp_path / "begun").read_text()).exists()
    assert not (tmp_path / "in order").exists()


def test_what_it_could_not_prepare_it_keeps_to_itself(capfd: pytest.CaptureFixture[str]) -> None:
    with Helper(imports_nothing) as helper:
        assert helper.begin(os.getpid).result() != os.getpid()
    assert capfd.readouterr() == ("", "")
