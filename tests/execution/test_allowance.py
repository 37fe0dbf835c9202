"""Time limits that count own time."""

from __future__ import annotations

import pytest

from autograder.execution.allowance import MAX_IDLE_STRETCH, Allowance, longest
from autograder.records.run import MAX_STRETCH


class Times:
    """The wall clock, and what was waited."""

    now = 50.0
    waited = 7.0

    def allow(self, seconds: float) -> Allowance:
        return Allowance(seconds, lambda: self.waited, lambda: self.now)

    def spend(self, wall: float, waited: float) -> None:
        self.now += wall
        self.waited += waited


@pytest.fixture(autouse=True)
def load(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the machine is busy."""
    busy = [True]
    monkeypatch.setattr("autograder.execution.allowance.is_busy", lambda: busy[0])
    return busy


@pytest.mark.parametrize(
    ("wall", "waited", "left", "over", "starved"),
    [
        (0, 0, 10, False, False),
        (9, 0, 1, False, False),
        (10, 0, 0, True, False),
        (25, 14, 0, True, False),
        (25, 16, 1, False, False),
        (39, 30, 1, False, False),
        (40, 31, 0, True, True),
        (40, 30, 0, True, False),
        (9, -5, 1, False, False),
        (9, 99, 10, False, False),
    ],
)
def test_what_others_took_does_not_count(wall: float, waited: float, left: float, over: bool, starved: bool) -> None:
    times = Times()
    allowance = times.allow(10)
    times.spend(wall, waited)
    assert (allowance.left(), allowance.over(), allowance.is_starved()) == (left, over, starved)


def test_a_short_limit_is_not_given_up_at_once() -> None:
    assert [longest(seconds) for seconds in (0, 1, 10, 60)] == [30, 31, 40, 240]


def test_whoever_waits_forever_comes_to_an_end() -> None:
    times = Times()
    allowance = times.allow(10)
    while not allowance.over():
        times.spend(1, 1)
    assert times.now - 50 == MAX_STRETCH * 10
    assert allowance.story() == "0 s of its own in 40 s"


def test_own_time_alone_decides_where_the_machine_has_no_load(load: list[bool]) -> None:
    times = Times()
    load[0] = False
    allowance = times.allow(10)
    times.spend(60, 54)
    assert (allowance.left(), allowance.over(), allowance.is_starved()) == (4, False, False)
    times.spend(40, 36)
    assert (allowance.left(), allowance.over(), allowance.is_starved()) == (0, True, False)


def test_what_gets_no_processor_at_all_comes_to_an_end_without_load_too(load: list[bool]) -> None:
    times = Times()
    load[0] = False
    allowance = times.allow(10)
    times.spend(MAX_IDLE_STRETCH * longest(10), MAX_IDLE_STRETCH * longest(10))
    assert (allowance.over(), allowance.is_starved()) == (True, True)


def test_what_was_given_up_on_a_busy_machine_stays_so(load: list[bool]) -> None:
    times = Times()
    allowance = times.allow(10)
    times.spend(40, 39)
    assert allowance.over()
    load[0] = False
    assert allowance.is_starved()
