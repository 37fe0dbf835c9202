"""Kernels that are lent: what an examiner's process may ask for, and what it may not."""

from __future__ import annotations

import os
from typing import Any

import pytest

from autograder.coordinator import kernels
from autograder.coordinator.kernels import Kernels, Lent
from autograder.errors import SandboxError
from autograder.sandbox.base import Usage
from autograder.sandbox.kernel_job import SOCKET_NAMES


class FakeProcess:
    """Stands for a kernel's process."""

    pid, label = 1, "walled in"

    def __init__(self) -> None:
        self.killed = self.closed = False
        self.waited: list[float | None] = []

    def poll(self) -> int | None:
        return 137 if self.killed else None

    def wait(self, timeout: float | None = None) -> int | None:
        self.waited.append(timeout)
        return self.poll()

    def kill(self) -> None:
        self.killed = True

    def usage(self) -> Usage:
        return Usage(1.5, 80.0, False)

    def stderr(self) -> str:
        return "x" * 100_000

    def close(self) -> None:
        self.closed = True


class Started:
    """Starts fake kernels, and remembers them."""

    def __init__(self) -> None:
        self.processes: list[FakeProcess] = []
        self.broken = False

    def __call__(self) -> Lent:
        if self.broken:
            raise SandboxError("no namespaces left")
        self.processes.append(FakeProcess())
        sockets = {name: os.open(os.devnull, os.O_RDONLY) for name in SOCKET_NAMES}
        return Lent(self.processes[-1], sockets, "secret")  # type: ignore[arg-type]


@pytest.fixture
def started() -> Started:
    return Started()


def test_a_kernel_comes_with_its_sockets_and_key_and_ends_with_the_examination(started: Started) -> None:
    with Kernels(started, limit=2) as lent:
        told, descriptors = lent.answer({"ask": "start"})
        assert told == {"kernel": 0, "key": "secret", "label": "walled in"}
        assert len(set(descriptors)) == len(SOCKET_NAMES)
        assert lent.answer({"ask": "start"})[0]["kernel"] == 1
        assert [process.closed for process in started.processes] == [True, False], "one at a time"
        assert lent.answer({"ask": "usage", "kernel": 0})[0]["cpu_seconds"] == 1.5
    assert all(process.closed for process in started.processes)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(descriptors[0])


def test_the_first_one_may_be_started_ahead(started: Started) -> None:
    """It ends with the others, also where nobody has asked for it."""
    with Kernels(started, limit=2, ahead=True) as lent:
        assert lent.answer({"ask": "start"})[0]["kernel"] == 0
        assert len(started.processes) == 1
        assert lent.answer({"ask": "start"})[0]["kernel"] == 1
    with Kernels(started, limit=1, ahead=True):
        pass
    assert [process.closed for process in started.processes] == [True] * 3


def test_it_is_known_when_the_first_was_lent_and_not_when_it_was_started_ahead(started: Started) -> None:
    with Kernels(started, limit=2, ahead=True) as lent:
        assert lent.first_lent is None
        lent.answer({"ask": "start"})
        first = lent.first_lent
        lent.answer({"ask": "start"})
        assert first is not None
        assert lent.first_lent == first


def test_it_may_be_asked_how_it_fares(started: Started) -> None:
    with Kernels(started, limit=1) as lent:
        lent.answer({"ask": "start"})

        def ask(what: str, **more: Any) -> dict[str, Any]:
            return lent.answer({"ask": what, "kernel": 0, **more})[0]

        assert ask("poll") == {"status": None}
        assert ask("usage")["cpu_seconds"] == 1.5
        assert len(ask("stderr")["said"]) == kernels.MAX_STDERR
        assert ask("wait", seconds=0.5) == {"status": None}
        assert ask("wait", seconds=1e9) == {"status": None}
        assert started.processes[0].waited == [0.5, kernels.MAX_WAIT_SECONDS]
        assert ask("kill") == {"status": 137}


def test_that_there_is_none_is_told_and_ends_nothing(started: Started) -> None:
    started.broken = True
    with Kernels(started, limit=1) as lent:
        assert lent.answer({"ask": "start"}) == ({"error": "no namespaces left"}, ())


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"ask": "open", "kernel": 0},
        {"ask": "poll"},
        {"ask": "poll", "kernel": 1},
        {"ask": "poll", "kernel": -1},
        {"ask": "poll", "kernel": "0"},
        {"ask": ["poll"], "kernel": 0},
        {"ask": "__class__", "kernel": 0},
        {"ask": "close", "kernel": 0},
    ],
)
def test_whatever_else_it_asks_for_ends_the_examination(started: Started, request_: dict[str, Any]) -> None:
    with Kernels(started, limit=1) as lent:
        lent.answer({"ask": "start"})
        with pytest.raises(ValueError, match="sent an unknown request"):
            lent.answer(request_)


def test_it_gets_no_more_kernels_than_an_examination_takes(started: Started) -> None:
    with Kernels(started, limit=1) as lent:
        lent.answer({"ask": "start"})
        with pytest.raises(ValueError, match="more than 1 kernels"):
            lent.answer({"ask": "start"})


def test_it_does_not_ask_without_end(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "MAX_REQUESTS", 3)
    with Kernels(started, limit=1) as lent:
        for request in ({"ask": "start"}, *[{"ask": "poll", "kernel": 0}] * 2):
            lent.answer(request)
        with pytest.raises(ValueError, match="more than 3 requests"):
            lent.answer({"ask": "poll", "kernel": 0})
