"""Intervals: equal to scipy's where it has them, and as often right as they say."""

from __future__ import annotations

import pytest
from scipy import stats

from autograder.extensions.trust.calibration_findings import at_most
from autograder.extensions.trust.calibration_statistics import (
    runs_needed,
    share_interval,
    upper_bound,
)


@pytest.mark.parametrize(("hits", "trials"), [(0, 20), (1, 20), (7, 20), (20, 20), (3, 1000), (500, 1000)])
def test_the_interval_of_a_share_is_clopper_and_pearsons(hits: int, trials: int) -> None:
    found, wanted = share_interval(hits, trials), stats.binomtest(hits, trials).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_the_interval_of_no_trial_is_everything() -> None:
    assert (share_interval(0, 0).low, share_interval(0, 0).high) == (0, 1)


def test_the_interval_of_fractional_hits_lies_between_those_of_the_counts_around_it() -> None:
    one, between, two = share_interval(1, 20), share_interval(1.5, 20), share_interval(2, 20)
    assert one.low < between.low < two.low
    assert one.high < between.high < two.high


@pytest.mark.parametrize(("hits", "trials"), [(0, 20), (1, 20), (7, 20), (19, 20), (3, 1000)])
def test_the_upper_bound_is_clopper_and_pearsons_with_one_side(hits: int, trials: int) -> None:
    wanted = stats.binomtest(hits, trials, alternative="less").proportion_ci(confidence_level=0.95, method="exact")
    assert upper_bound(hits, trials) == pytest.approx(wanted.high, abs=1e-9)


def test_the_upper_bound_without_losses_is_the_tolerance_limit_of_the_worst_run() -> None:
    assert upper_bound(0, 20) == pytest.approx(1 - 0.05 ** (1 / 20))
    assert (upper_bound(20, 20), upper_bound(0, 0)) == (1, 1)


@pytest.mark.parametrize(("rate", "runs"), [(0.5, 5), (0.1, 29), (0.05, 59), (0.01, 299), (0.001, 2995)])
def test_the_runs_that_show_a_rate_are_just_enough(rate: float, runs: int) -> None:
    assert runs_needed(rate) == runs
    assert upper_bound(0, runs) <= rate < upper_bound(0, runs - 1)


def test_an_upper_bound_is_rounded_up() -> None:
    shown = [at_most(value) for value in (0.1391, 0.01, 0.009967, 0.6316, 0.00101, 1.0)]
    assert shown == [f"at most {text} %" for text in ("14", "1", "1", "64", "0.11", "100")]
