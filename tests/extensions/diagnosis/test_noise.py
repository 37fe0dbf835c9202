"""A gain is told only where neither the rows nor the seeds explain it."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.extensions.diagnosis.trials.noise import certain_gain


@pytest.mark.parametrize("seed_noise", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_a_change_that_does_nothing_is_told_no_more_often_than_alpha(seeds: int, seed_noise: float) -> None:
    draw = np.random.default_rng(seeds)

    def gains() -> np.ndarray:
        rows = draw.exponential(1.0, 150) - 1.0  # skewed, as losses are
        return rows + draw.normal(0, seed_noise, (seeds, 1)) + draw.normal(0, 0.5, (seeds, 150))

    alarms = sum(certain_gain(gains(), 0.05) > 0 for _ in range(400))
    assert alarms <= 0.05 * 400 + 3 * np.sqrt(0.05 * 0.95 * 400)


def test_a_gain_that_is_larger_than_its_noise_is_certain() -> None:
    gains = np.random.default_rng(0).normal(0.3, 0.2, (3, 100))
    assert 0.2 < certain_gain(gains, 0.01) < gains.mean()


@pytest.mark.parametrize("gains", [np.ones((1, 50)), np.ones((3, 1)), np.full((3, 50), np.nan)])
def test_of_one_seed_one_row_or_no_numbers_nothing_is_certain(gains: np.ndarray) -> None:
    assert certain_gain(gains, 0.05) == -np.inf
