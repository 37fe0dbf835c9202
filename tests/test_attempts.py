"""A kernel that was killed: by its own code, which does that again at the same place, or by somebody outside."""

from __future__ import annotations

import pytest

from autograder.attempts import Death, Killed, Killer, settled
from autograder.errors import HostError

OUTSIDE = Death(Killed(Killer.OUTSIDE, 1.0), 2)


def after(*deaths: Death | None) -> tuple[int, bool]:
    """How many runs there were where one after the other ended so, and whether the last one's death was believed."""
    runs = iter(deaths)
    said = []

    def attempt(believed):
        death = next(runs)
        said.append(death is not None and believed(death))
        return "a grade" if death is None or said[-1] else None

    assert settled(attempt) == "a grade"
    return len(said), said[-1]


def own(cell: int = 2, cpu: float = 1.0) -> Death:
    return Death(Killed(Killer.UNKNOWN, cpu), cell)


def test_a_kernel_that_was_not_killed_is_not_asked_again():
    assert after(None) == (1, False)


@pytest.mark.parametrize("first", [own(), OUTSIDE])
def test_a_run_that_is_not_killed_the_next_time_counts(first):
    assert after(first, None) == (2, False)
    assert after(first, first, None) == (3, False)


def test_three_deaths_at_the_same_place_are_its_own():
    assert after(own(), own(), own()) == (3, True)


def test_the_same_place_is_the_same_cell_after_the_same_work():
    assert after(own(cpu=1.0), own(cpu=1.1), own(cpu=1.05)) == (3, True)
    assert after(own(cpu=10.0), own(cpu=10.5), own(cpu=10.2)) == (3, True)
    assert after(own(), own(cell=3), own(), own()) == (4, True)
    assert after(own(), own(cpu=1.5), own(), own()) == (4, True)


def test_what_somebody_outside_killed_says_nothing_about_the_notebook():
    assert after(own(), own(), OUTSIDE, own()) == (4, True)
    assert after(OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, None) == (5, False)


def test_a_kernel_that_was_started_dies_after_other_work_than_one_that_was_forked():
    """Two kinds of start, five runs: three are alike."""
    assert after(own(cpu=3.0), own(cpu=3.0), own(cpu=0.0), own(cpu=0.0), own(cpu=3.0)) == (5, True)


@pytest.mark.parametrize(
    ("deaths", "who"),
    [
        ([OUTSIDE] * 5, "by somebody outside"),
        ([own(cpu=cpu) for cpu in (1, 2, 3, 4, 5)], "by its own code, or somebody outside, and not at the same place"),
        ([own(), own(), own(cpu=3.0), OUTSIDE, OUTSIDE], "by its own code, or somebody outside"),
    ],
)
def test_five_deaths_that_are_not_known_to_be_its_own_are_the_machines_failure(deaths, who):
    with pytest.raises(HostError, match=f"killed each of 5 times, and no limit was reached: {who}"):
        after(*deaths)
