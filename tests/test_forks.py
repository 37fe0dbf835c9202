"""Processes that are forked from a copy of this one: what they have of it, what they do not, and how they end."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path

import pytest

from autograder import forks
from autograder.forks import Copy, Process

SHARED = {"a": "large object"}
seen: list[str] = []


@pytest.fixture
def copy() -> Iterator[Copy]:
    made = Copy([SHARED])
    yield made
    made.close()


def started(copy: Copy, target: object, *args: object) -> tuple[Process, Connection]:
    receiver, sender = Pipe(duplex=False)
    process = copy.process(target, args, sender)  # type: ignore[arg-type]
    process.start()
    sender.close()
    return process, receiver


def said_by(copy: Copy, target: object, *args: object) -> object:
    process, report = started(copy, target, *args)
    found = report.recv()
    process.join()
    assert process.exitcode == 0
    return found


def same(value: object, address: int, report: Connection) -> None:
    report.send((id(value) == address, value))


def test_what_is_shared_is_not_sent_and_what_is_not_arrives(copy: Copy) -> None:
    assert said_by(copy, same, SHARED, id(SHARED)) == (True, SHARED)
    other = {"x" * 300_000: [1, 2.5, None]}
    assert said_by(copy, same, other, id(SHARED)) == (False, other)
    assert copy.has([SHARED])
    assert not copy.has([dict(SHARED)])
    assert not copy.has([])


def remember(name: str, report: Connection) -> None:
    seen.append(name)
    os.environ["SEEN"] = name
    report.send((seen, os.getpid()))


def test_a_process_knows_nothing_of_the_one_before(copy: Copy) -> None:
    """Nor does this one."""
    first, second = said_by(copy, remember, "ada"), said_by(copy, remember, "bob")
    assert [first[0], second[0]] == [["ada"], ["bob"]]  # type: ignore[index]
    assert len({first[1], second[1], os.getpid(), copy.pid}) == 4  # type: ignore[index]
    assert seen == []


def end(how: str, report: Connection) -> None:
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "raises":
        raise ValueError("a fault")
    if how == "sleeps":
        report.send(os.getpid())
        time.sleep(60)
    sys.exit(7)


@pytest.mark.parametrize(("how", "code"), [("killed", -9), ("raises", 1), ("exits", 7)])
def test_each_end_is_told_and_is_nobody_elses(copy: Copy, how: str, code: int) -> None:
    slow, report = started(copy, end, "sleeps")
    process, _ = started(copy, end, how)
    assert wait([process.sentinel, slow.sentinel], 10) == [process.sentinel]
    process.join()
    assert process.exitcode == code
    assert report.recv() == slow.pid
    assert not wait([slow.sentinel], 0)
    slow.kill()
    slow.join()
    assert slow.exitcode == -signal.SIGKILL
    assert said_by(copy, same, 1, 0) == (False, 1)


def test_where_no_process_can_be_made_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """And there may be room for a later one."""
    fork, count = forks.fork, iter(range(9))

    def full_once() -> int:
        if next(count) == 1:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return fork()

    here = os.getpid()
    monkeypatch.setattr(forks, "fork", lambda: fork() if os.getpid() == here else full_once())
    made = Copy()
    slow, report = started(made, end, "sleeps")
    with pytest.raises(BlockingIOError, match="Resource temporarily unavailable"):
        started(made, end, "exits")
    assert report.recv() == slow.pid
    assert made.runs()
    process, _ = started(made, end, "exits")
    process.join()
    assert process.exitcode == 7
    assert not wait([slow.sentinel], 0)
    made.close()


def test_half_a_request_ends_the_copy_and_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch, copy: Copy) -> None:
    """A Ctrl-C comes at any moment."""
    slow, report = started(copy, end, "sleeps")
    report.recv()

    def interrupted(to: socket.socket, message: bytes, descriptors: list[int]) -> None:
        socket.send_fds(to, [b"half"], descriptors)
        raise KeyboardInterrupt

    monkeypatch.setattr(forks, "_send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        started(copy, end, "exits")
    slow.kill()
    assert wait([slow.sentinel], 10)
    slow.join()
    assert slow.exitcode in (255, -signal.SIGKILL)


def test_killing_one_that_has_just_ended_is_no_error(copy: Copy) -> None:
    process, report = started(copy, end, "sleeps")
    report.recv()
    process.kill()
    process.join()
    reader, writer = os.pipe()
    process.sentinel = reader  # nobody has told yet
    process.kill()
    os.close(reader)
    os.close(writer)


def test_closing_ends_all_that_runs() -> None:
    made = Copy()
    process, report = started(made, end, "sleeps")
    report.recv()
    made.close()
    assert wait([process.sentinel], 10)
    assert nothing(process.pid)
    assert not made.has([])


def test_where_the_copy_is_killed_its_processes_end_and_no_other_begins() -> None:
    made = Copy()
    process, report = started(made, end, "sleeps")
    report.recv()
    os.kill(made.pid, signal.SIGKILL)
    assert wait([process.sentinel], 10)
    process.join()
    assert process.exitcode == 255
    assert nothing(process.pid)
    with pytest.raises((OSError, EOFError)):
        started(made, end, "exits")
    made.close()


def nothing(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not Path(f"/proc/{pid}").exists()


def test_it_holds_no_lock_of_this_process(tmp_path: Path) -> None:
    """Or a command that is killed would keep its course until the last of its processes has ended."""
    path = tmp_path / "lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = Copy()
        process, report = started(made, end, "sleeps")
        report.recv()
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    process.kill()
    made.close()


def test_what_waits_to_be_printed_is_printed_once(capfd: pytest.CaptureFixture[str]) -> None:
    print("once", end="")
    made = Copy()
    said_by(made, same, 1, 0)
    made.close()
    assert capfd.readouterr().out == "once"
