"""How long a sandbox is kept waiting: what counts, and what a notebook cannot make count."""

from __future__ import annotations

import os
import random

import pytest

from autograder.sandbox.waiting import WaitingTime, wants_to_run


class Machine:
    """A clock, and a sandbox that is looked at as the kernel's watch looks at one: at random moments."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waiting = WaitingTime(lambda: self.now)
        self.cpu = 0.0
        self.random = random.Random(5)
        self.waiting.look(0.0, lambda: False)

    def pass_by(self, seconds: float, rate: float, runnable: float) -> float:
        """``rate`` CPU seconds a second, and something to run in this share of the time; gives what was waited."""
        end, waited = self.now + seconds, 0.0
        while self.now < end:
            step = self.random.uniform(0.1, 0.3)
            self.now += step
            self.cpu += rate * step
            waited = self.waiting.look(self.cpu, lambda: self.random.random() < runnable)
        return waited


@pytest.mark.parametrize(
    ("does", "rate", "runnable", "share"),
    [
        ("computes, on a quiet machine", 1.0, 1.0, 0.0),
        ("computes, and gets a third", 1 / 3, 1.0, 2 / 3),
        ("sleeps", 0.0, 0.0, 0.0),
        ("spins with many threads, on a quiet machine with two cores", 2.0, 1.0, 0.0),
        ("spins with many threads, and gets a fifth of one core", 0.2, 1.0, 0.8),
        ("runs a millisecond in each hundred, on a quiet machine", 0.01, 0.01, 0.0),
        ("computes half of the time, on a quiet machine", 0.5, 0.5, 0.0),
    ],
)
def test_only_what_others_take_is_waited(does: str, rate: float, runnable: float, share: float) -> None:
    waited = Machine().pass_by(300, rate, runnable)
    assert abs(waited - share * 300) < 300 * 0.04, does


def test_what_was_computed_earlier_makes_no_later_sleep_a_wait() -> None:
    machine = Machine()
    machine.pass_by(10, 2.0, 1.0)
    assert machine.pass_by(100, 0.0, 0.0) <= 0


def test_a_look_decides_about_a_second_at_most() -> None:
    machine = Machine()
    machine.now += 60
    assert machine.waiting.look(0.0, lambda: True) == 1.0


def test_looks_that_follow_at_once_are_none() -> None:
    machine = Machine()
    for _ in range(1000):
        machine.now += 0.0001
        machine.waiting.look(0.0, lambda: True)
    assert machine.waiting.look(0.0, lambda: True) == pytest.approx(0.1)


def test_a_thread_that_runs_wants_to_run_and_one_that_is_gone_does_not() -> None:
    assert wants_to_run([os.getpid()])
    assert not wants_to_run([2**30, 0])
