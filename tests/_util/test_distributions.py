"""Distribution functions against scipy, which neither students nor graders need to have."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy import stats

from autograder._util.distributions import f_quantile, t_quantile
from autograder.check.credit import Credit
from autograder.extensions.diagnosis.trials.noise import certain_gain
from autograder.extensions.networks.training_verdict import judge_trainings


@pytest.mark.parametrize("freedom", [1, 1.3, 2, 5, 11.7, 300, 100_000])
@pytest.mark.parametrize("probability", [0.5, 0.75, 0.95, 0.99, 0.9999])
def test_the_quantile_of_students_t_is_scipys(probability: float, freedom: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("above", "below"), [(7, 7), (11, 110), (28, 56), (3, 1000)])
@pytest.mark.parametrize("probability", [0.025, 0.5, 0.975])
def test_the_quantile_of_f_is_scipys(probability: float, above: float, below: float) -> None:
    assert f_quantile(probability, above, below) == pytest.approx(stats.f.ppf(probability, above, below), rel=1e-9)


def test_neither_a_diagnosis_nor_retraining_needs_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    rows = np.random.default_rng(0).normal(0.3, 0.2, (3, 100))
    assert certain_gain(rows, 0.01) > 0
    credit = Credit(points=((0.0, 1.0),), higher_is_better=False)
    assert judge_trainings(lambda number: rows[number % 3], credit, seeds=3, most_seeds=10).verdict.share == 0
