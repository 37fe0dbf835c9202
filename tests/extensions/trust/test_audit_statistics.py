"""Intervals and comparisons of an audit, against published values and scipy."""

from __future__ import annotations

import math

import pytest

from autograder._util.distributions import student_p
from autograder._util.intervals import wilson
from autograder.extensions.trust.audit_statistics import difference


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_is_wilsons(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(
    ("t", "freedom", "p"),
    [(0.0, 5, 1.0), (2.571, 5, 0.05), (12.706, 1, 0.05), (-2.228, 10, 0.05), (3.169, 10, 0.01), (1.96, 10**6, 0.05)],
)
def test_p_is_that_of_the_tables(t: float, freedom: int, p: float) -> None:
    assert student_p(t, freedom) == pytest.approx(p, abs=5e-5)


def test_p_and_effect_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    one, other = [0.51, 0.55, 0.49, 0.53, 0.52], [0.58, 0.6, 0.55, 0.61, 0.57]
    found = difference(one, other)
    assert found.p == pytest.approx(stats.ttest_ind(one, other).pvalue, rel=1e-9)
    pooled = math.sqrt((stats.tvar(one) + stats.tvar(other)) / 2)
    assert found.d == pytest.approx((found.second - found.first) / pooled)
    assert found.is_different


@pytest.mark.parametrize(
    ("one", "other", "is_different"),
    [
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], False),
        ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], True),
        ([0.5, 0.6, 0.7], [0.55, 0.6, 0.68], False),
        ([0.5], [0.5], False),
        ([0.5], [0.6], True),
    ],
)
def test_groups_differ_only_beyond_their_noise(one: list[float], other: list[float], is_different: bool) -> None:
    assert difference(one, other).is_different is is_different


@pytest.mark.parametrize(("noise", "is_different"), [(0.0, True), (0.009, True), (0.02, False)])
def test_without_chance_a_difference_is_more_than_another_holdout_may_turn_round(
    noise: float, is_different: bool
) -> None:
    assert difference([0.70, 0.70], [0.71, 0.71], noise=noise).is_different is is_different


def test_with_chance_the_spread_of_the_trainings_decides_alone() -> None:
    one, other = [0.70, 0.701, 0.699, 0.7], [0.71, 0.711, 0.709, 0.71]
    assert difference(one, other, noise=0.02).is_different
