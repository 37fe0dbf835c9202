"""What a calibration states holds as often as it says, whatever distribution the losses of a training come from."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from autograder.extensions.trust.calibration_findings import at_most
from autograder.extensions.trust.calibration_statistics import met_by_all, upper_bound

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/explanation/trust.md"
DRAWS = 2_000
"""Simulated calibrations of each distribution and number of runs."""
HOLDS = 0.93
"""Share of them in which each statement must be true; 95 % are promised, and 2,000 draws know it to about 1 %."""
RATES = (0.005, 0.05, 0.2)
"""Rates at which the solution misses the test's threshold, as far as a distribution has such a threshold."""


@dataclass(frozen=True)
class Losses:
    """A distribution of a training's loss."""

    name: str
    draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
    beyond: Callable[[np.ndarray], np.ndarray]
    """Value -> how many trainings are worse."""
    quantile: Callable[[float], float]


def continuous(name: str, distribution: stats.rv_continuous) -> Losses:
    return Losses(
        name,
        lambda draw, shape: distribution.rvs(size=shape, random_state=draw),
        distribution.sf,
        lambda rate: float(distribution.isf(rate)),
    )


def stuck(share: float) -> Losses:
    """Most trainings are normal; some learn nothing, ten standard deviations away."""

    def drawn(draw: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        return draw.normal(size=shape) + 10 * (draw.random(shape) < share)

    def beyond(x: np.ndarray | float) -> np.ndarray:
        return np.asarray((1 - share) * stats.norm.sf(x) + share * stats.norm.sf(np.subtract(x, 10)))

    def quantile(rate: float) -> float:
        low, high = -10.0, 20.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if beyond(middle) > rate else (low, middle)
        return high

    return Losses(f"normal, {share:.0%} stuck".replace("%", " %"), drawn, beyond, quantile)


def recorded(name: str, values: np.ndarray) -> Losses:
    """The trainings of a lesson are the distribution: each run is one of them."""
    ordered = np.sort(values)
    return Losses(
        name,
        lambda draw, shape: draw.choice(ordered, size=shape),
        lambda x: 1 - np.searchsorted(ordered, x, side="right") / len(ordered),
        lambda rate: float(np.quantile(ordered, 1 - rate, method="higher")),
    )


def trainings_of_the_lessons() -> list[Losses]:
    """Each check of a lesson whose value varies, with the worse side above."""
    found = []
    for path in sorted((ROOT / "source").glob("*/calibration.json")):
        for check in json.loads(path.read_bytes())["checks"]:
            values = np.array(check["values"]) * (-1 if check["higher_is_better"] else 1)
            if check["threshold"] is not None and len(set(values)) > 10:
                found.append(recorded(f"{path.parent.name}: {check['name']}", values))
    return found


SYNTHETIC = [
    continuous("normal", stats.norm()),
    continuous("gamma, skewness 1.4", stats.gamma(2)),
    continuous("lognormal, skewness 1.7", stats.lognorm(0.5)),
    continuous("gamma, skewness 2.8", stats.gamma(0.5)),
    continuous("lognormal, skewness 6.2", stats.lognorm(1.0)),
    stuck(0.05),
    stuck(0.2),
]
DISTRIBUTIONS = [*SYNTHETIC, *trainings_of_the_lessons()]


def kept(losses: Losses, thresholds: np.ndarray, rate: float) -> float:
    """Return the share of thresholds that no more than ``rate`` of all trainings miss."""
    return float(np.mean(losses.beyond(thresholds) <= rate + 1e-12))


def bounds_that_hold(losses: Losses, values: np.ndarray) -> float:
    """Return the smallest share of calibrations, over the rates, whose count's bound is not below the true rate."""
    count = values.shape[1]
    bounds = np.array([upper_bound(hits, count) for hits in range(count + 1)])
    shares = []
    for threshold in (losses.quantile(rate) for rate in RATES):
        true = float(losses.beyond(np.array(threshold)))
        shares.append(float(np.mean(bounds[(values > threshold).sum(axis=1)] >= true - 1e-12)))
    return min(shares)


def with_one_percent_by(model: str, values: np.ndarray) -> np.ndarray:
    """Return the thresholds that a model of the values would offer for 1 %."""
    count = values.shape[1]
    spread = values.std(axis=1, ddof=1)
    if model == "normal":
        root = math.sqrt(count)
        factor = stats.nct.ppf(0.95, count - 1, root * stats.norm.isf(0.01)) / root
        return np.asarray(values.mean(axis=1) + factor * spread)
    return np.asarray(values.max(axis=1) + spread)


@pytest.mark.slow
@pytest.mark.parametrize("losses", DISTRIBUTIONS, ids=[each.name for each in DISTRIBUTIONS])
def test_what_is_stated_holds_and_the_page_has_the_numbers(losses: Losses) -> None:
    draw = np.random.default_rng(20170311)
    page = PAGE.read_text(encoding="utf-8")
    for count in (5, 20, 299):
        values = losses.draw(draw, (DRAWS, count))
        offered = np.array(list(map(partial(met_by_all, higher_is_better=False), spread_out(values))))
        bound = bounds_that_hold(losses, values)
        keeps = kept(losses, offered, upper_bound(0, count))
        assert bound >= HOLDS
        assert keeps >= HOLDS
        models = [kept(losses, with_one_percent_by(model, values), 0.01) for model in ("normal", "worst")]
        promised = at_most(upper_bound(0, count)).removeprefix("at most ")
        shares = " | ".join(f"{100 * share:.1f} %" for share in (bound, keeps, *models))
        line = f"| {losses.name} | {count} | {promised} | {shares} |"
        print(line)
        assert line in page or losses not in SYNTHETIC or count != 20


def spread_out(values: np.ndarray) -> list[list[float]]:
    """Return the calibrations as lists; a digit far behind the comma parts equal values, as no threshold needs them."""
    return [[*row[:-1], row[-1] + (1e-9 if len(set(row)) == 1 else 0.0)] for row in values.tolist()]


def test_a_lesson_has_trainings_to_simulate() -> None:
    assert len(trainings_of_the_lessons()) >= 5
