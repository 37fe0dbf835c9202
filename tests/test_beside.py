"""What is done in a process beside this one."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

import pytest

from autograder.beside import Beside
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
