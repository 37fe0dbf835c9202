"""Intervals: equal to scipy's where it has them, and as often right as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from autograder.extensions.trust.calibration_statistics import (
    looks_normal,
    share_interval,
    tail_interval,
    tail_probability,
    tolerance_factor,
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


@pytest.mark.parametrize("count", [3, 5, 20, 100])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.2])
def test_the_tolerance_factor_is_the_quantile_of_the_noncentral_t(count: int, rate: float) -> None:
    root = math.sqrt(count)
    wanted = stats.nct.ppf(0.95, count - 1, root * stats.norm.ppf(1 - rate)) / root
    assert tolerance_factor(rate, count) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("distance", [-2.0, 0.0, 1.0, 3.0, 6.0])
def test_a_tail_and_its_interval_agree_with_scipy(distance: float) -> None:
    count, root = 20, math.sqrt(20)
    assert tail_probability(distance, count) == pytest.approx(
        float(stats.t.sf(distance / math.sqrt(1 + 1 / count), count - 1)), rel=1e-6
    )
    found = tail_interval(distance, count)
    for end, level in ((found.low, 0.025), (found.high, 0.975)):
        shift = root * stats.norm.isf(end)
        assert stats.nct.cdf(root * distance, count - 1, shift) == pytest.approx(level, abs=2e-4)


def test_what_is_normal_is_seldom_denied_and_a_training_that_sometimes_fails_is() -> None:
    draw = np.random.default_rng(1)
    normal = [looks_normal(draw.normal(size=20)) for _ in range(1000)]
    assert 0.97 < np.mean(normal) <= 0.998  # the risk is 1 %
    failing = [looks_normal([*draw.normal(size=18), 30.0, 31.0]) for _ in range(100)]
    assert sum(failing) == 0
    assert looks_normal([1.0] * 20)


@pytest.mark.slow
@pytest.mark.parametrize("count", [5, 20])
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.5])
def test_the_stated_intervals_cover_the_true_probability(count: int, rate: float) -> None:
    """20,000 calibrations of a solution whose loss is normal: docs/explanation/trust.md has the numbers."""
    draw = np.random.default_rng(20170311)
    threshold, times = stats.norm.isf(rate), 20_000
    values = draw.normal(size=(times, count))
    distances = (threshold - values.mean(axis=1)) / values.std(axis=1, ddof=1)
    root = math.sqrt(count)
    # The interval covers the rate if the noncentral t distribution of the rate puts the distance between its quantiles.
    level = stats.nct.cdf(root * distances, count - 1, root * threshold)
    covered = np.mean((level >= 0.025) & (level <= 0.975))
    assert covered == pytest.approx(0.95, abs=0.006)
    hits = (values > threshold).sum(axis=1)
    intervals = {k: share_interval(k, count) for k in range(count + 1)}
    counted = np.mean([intervals[k].low <= rate <= intervals[k].high for k in hits])
    assert counted >= 0.949
    factor = tolerance_factor(rate, count)
    kept = np.mean(stats.norm.sf(values.mean(axis=1) + factor * values.std(axis=1, ddof=1)) <= rate)
    assert kept == pytest.approx(0.95, abs=0.006)
    some = draw.choice(times, 60, replace=False)
    found = [tail_interval(float(distances[i]), count) for i in some]
    inside = [one.low <= rate <= one.high for one in found]
    assert inside == [bool(0.025 <= level[i] <= 0.975) for i in some]
