"""Verdicts near a threshold: whoever reaches it loses points by chance in at most one case of twenty."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.check import verdict
from autograder.check.credit import Credit, credit_of
from autograder.errors import CourseError
from autograder.extensions.networks import training_verdict

Draw = Callable[[np.random.Generator, int], np.ndarray]

BELOW_0 = credit_of("x", 0.0, None, higher_is_better=False)


def losses(draw: np.random.Generator, rows: int) -> np.ndarray:
    """Skewed as the losses of a classifier are (2.8): many small, some large; mean 0, standard deviation 1."""
    return (draw.gamma(0.5, 1.0, rows) - 0.5) / math.sqrt(0.5)


def heavy(draw: np.random.Generator, rows: int) -> np.ndarray:
    """As in a regression with outliers: skewness 6.2."""
    return (draw.lognormal(0.0, 1.0, rows) - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e)


def mistakes(draw: np.random.Generator, rows: int) -> np.ndarray:
    """A quarter of all rows is wrong, as in an accuracy of 0.75."""
    return (draw.random(rows) < 0.25) - 0.25


# --- one holdout -------------------------------------------------------------------------------------


def lost(draw: Draw, rows: int, standard_errors_worse: float, holdouts: int, spread: float) -> float:
    """How often a model loses its points that is so much worse than the threshold."""
    shift = standard_errors_worse * spread / math.sqrt(rows)
    samples = (draw(np.random.default_rng([number, rows]), rows) + shift for number in range(holdouts))
    return sum(verdict.judge(sample, BELOW_0).share == 0 for sample in samples) / holdouts


@pytest.mark.integration
@pytest.mark.parametrize(
    ("draw", "spread"), [pytest.param(losses, 1.0, marks=pytest.mark.slow), (heavy, 1.0), (mistakes, math.sqrt(0.1875))]
)
def test_the_error_rate_is_as_stated(draw: Draw, spread: float) -> None:
    """True loss at the threshold: at most 5 % lose, within three standard errors of 200 holdouts; 4 worse: nearly all."""
    monte_carlo = 3 * math.sqrt(0.05 * 0.95 / 200)
    assert lost(draw, 150, 0.0, 200, spread) <= verdict.ALPHA + monte_carlo
    assert lost(draw, 150, 4.0, 200, spread) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("rows", [50, 500, 2000])
@pytest.mark.parametrize(("draw", "spread"), [(losses, 1.0), (heavy, 1.0), (mistakes, math.sqrt(0.1875))])
def test_the_error_rate_is_as_stated_for_many_holdouts(draw: Draw, spread: float, rows: int) -> None:
    """The table of docs/explanation/verdicts.md."""
    rates = [lost(draw, rows, worse, 2_000, spread) for worse in (0.0, 2.0, 4.0)]
    print(f"| {draw.__name__} | {rows} | " + " | ".join(f"{rate:.1%}" for rate in rates))
    assert rates[0] <= verdict.ALPHA + 3 * math.sqrt(0.05 * 0.95 / 2_000)
    assert rates[2] >= 0.95


ROWS = losses(np.random.default_rng(1), 400)


def at(distance: float) -> np.ndarray:
    """Rows whose mean is so many standard errors above 0."""
    centred = ROWS - ROWS.mean()
    return np.asarray(centred + distance * verdict.standard_error(centred))


@pytest.mark.parametrize(
    ("distance", "close_calls", "share", "tested"),
    [
        (-1.0, "student", 1.0, False),
        (0.5, "student", 1.0, True),
        (0.5, "exact", 0.0, False),
        (2.0, "student", 0.0, True),
        (5.0, "student", 0.0, False),
    ],
)
def test_a_close_call_is_tested_and_said_to_be_one(
    distance: float, close_calls: str, share: float, tested: bool
) -> None:
    found = verdict.judge(at(distance), BELOW_0, close_calls)
    assert found.share == share
    assert bool(found.note) is bool(found.detail) is ("resamples" in found.evidence) is tested
    assert found.evidence["standard_error"] == pytest.approx(verdict.standard_error(ROWS))
    if tested:
        assert ("so it counts as met" if share else "that is too rare") in found.note


def test_a_miss_that_no_draw_of_the_rows_comes_near_is_not_called_close() -> None:
    """It is within the distance in which draws decide, and the student reads nothing of a close call."""
    found = verdict.judge(at(4.0), BELOW_0)
    assert (found.share, found.note) == (0, "")
    assert "close_call" not in found.evidence
    assert "none of" in found.detail


def test_the_same_rows_have_the_same_verdict() -> None:
    np.random.seed(1)
    first = verdict.judge(at(1.6), BELOW_0)
    np.random.seed(2)
    assert verdict.judge(at(1.6), BELOW_0) == first


def test_an_accuracy_is_judged_from_the_other_side() -> None:
    right = np.repeat([1.0, 0.0], [740, 260])
    assert verdict.judge(right, credit_of("x", 0.75, None, higher_is_better=True)).share == 1
    assert verdict.judge(right, credit_of("x", 0.79, None, higher_is_better=True)).share == 0


def test_a_line_without_a_cliff_takes_the_value_as_it_is() -> None:
    line = credit_of("x", None, [(0.1, 0.0), (-0.1, 1.0)], higher_is_better=False)
    found = verdict.judge(at(0.5), line)
    assert found.share == line.share(float(at(0.5).mean()))
    assert not found.note


def test_a_line_that_begins_with_a_cliff_is_close_there() -> None:
    line = credit_of("x", None, [(0.0, 0.4), (-1.0, 1.0)], higher_is_better=False)
    assert verdict.judge(at(0.5), line).share == 0.4


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_benefit_of_a_doubt(value: float) -> None:
    """Acceptance test 30."""
    rows = at(0.0)
    rows[3] = value
    for close_calls in verdict.CLOSE_CALLS:
        with np.errstate(invalid="ignore"):
            assert verdict.judge(rows, credit_of("x", 1e308, None, higher_is_better=False), close_calls).share == 0
            assert verdict.judge(rows, credit_of("x", -1e308, None, higher_is_better=True), close_calls).share == 0


def test_absurd_rows_buy_nothing() -> None:
    """A model that is far from the threshold can raise its standard error with a few absurd answers, but not pass."""
    for absurd in (1, 2, 5):
        rows = at(6.0)
        rows[:absurd] = 1e6
        assert rows.mean() < 2 * verdict.standard_error(rows) * math.sqrt(absurd)
        assert verdict.judge(rows, BELOW_0).share == 0


def test_a_single_row_is_taken_as_it_is() -> None:
    assert verdict.judge(np.array([0.01]), BELOW_0).share == 0
    assert verdict.judge(np.array([-0.01]), BELOW_0).share == 1


def test_many_rows_cost_no_more_than_twenty_thousand() -> None:
    rows = np.repeat(at(0.5), 300)
    assert len(verdict._pooled(rows)) == 17_142
    assert verdict.standard_error(verdict._pooled(rows)) == pytest.approx(verdict.standard_error(rows), rel=0.03)


@pytest.mark.parametrize(
    ("share", "resamples"),
    [(0.5, 30), (0.2, 150), (0.0, 300)],
)
def test_a_clear_case_needs_few_resamples(share: float, resamples: int) -> None:
    """P*(mean >= threshold) is ``share``, and the test stops long before its limit."""
    rows = np.random.default_rng(3).normal(size=400)
    threshold = rows.mean() + verdict.standard_error(rows) * {0.5: 0.0, 0.2: 0.84, 0.0: 4.0}[share]
    found = verdict.resample(rows, threshold)
    assert found.resamples <= resamples
    assert found.rejected is (share < verdict.ALPHA)


def test_the_sequential_test_seldom_decides_against_what_all_resamples_would_say() -> None:
    """Coins that fall on heads with probability 0.03 and 0.08: in the end they are on the right side of 0.05."""
    for probability in (0.03, 0.08):
        for number in range(50):
            hits = np.cumsum(np.random.default_rng(number).random(verdict.MAX_RESAMPLES) < probability)
            ends = next(
                (n for n, met in enumerate(hits, 1) if n % 10 == 0 and verdict._decided(int(met), n, 0.05)), None
            )
            assert ends is None or bool(hits[ends - 1] / ends < 0.05) is (probability < 0.05)


# --- several trainings -------------------------------------------------------------------------------


def judged(
    values: list[float], *, rows_apart: float = 0.001, credit: Credit = BELOW_0, **keywords: Any
) -> training_verdict.Trainings:
    """Trainings with these losses on 100 rows that differ by ``rows_apart``."""
    apart = rows_apart * np.linspace(-1, 1, 100)
    arguments: dict[str, Any] = {"seeds": 3, "most_seeds": 10, **keywords}
    return training_verdict.judge_trainings(lambda number: values[number] + apart, credit, **arguments)


def test_three_trainings_that_agree_decide() -> None:
    for mean, share in ((-0.01, 1.0), (0.01, 0.0)):
        found = judged([mean, mean + 1e-4, mean - 1e-4])
        assert (found.verdict.share, len(found.values)) == (share, 3)
        assert not found.verdict.note
    assert "spread of 3 trainings" in found.verdict.detail


def test_trainings_that_disagree_are_followed_by_more() -> None:
    worse = [0.02, 0.01, 0.05, 0.03, 0.04, 0.03, 0.02, 0.03, 0.04, 0.03]
    found = judged(worse)
    assert found.verdict.share == 0
    assert 3 < len(found.values) < 10
    assert "so it counts as missed" in found.verdict.note
    found = judged([0.02, -0.01, 0.01, 0.01, -0.03])
    assert (found.verdict.share, len(found.values)) == (1.0, 5)
    assert judged(worse, close_calls="exact").values.tolist() == pytest.approx(worse[:3])


def test_what_the_rows_explain_needs_no_more_trainings() -> None:
    found = judged([0.02, 0.021, 0.019], rows_apart=0.2)
    assert (found.verdict.share, len(found.values)) == (1.0, 3)
    assert "chance among the rows" in found.verdict.note
    assert found.verdict.evidence["close_call"]


def test_a_network_that_fails_wildly_does_not_pass_by_its_spread() -> None:
    """Its mean is not significantly above the threshold, but one training of ten reaches it."""
    found = judged([1.0, 1.0, 90.0, 1.0, -0.1, 80.0, 1.0, 1.0, 99.0, 1.0])
    assert (found.verdict.share, len(found.values)) == (0.0, 10)
    assert "1 of 10 trainings" in found.verdict.note


def test_a_training_that_gave_nan_ends_it() -> None:
    found = judged([-1.0, math.nan, -1.0])
    assert found.verdict.share == 0
    assert found.verdict.note == "1 of 3 trainings ended in NaN or infinite values"


def test_a_margin_is_given_before_anything_is_tested() -> None:
    assert judged([0.05, 0.0501, 0.0499], margin=0.06).verdict == judged([-0.05, -0.0501, -0.0499]).verdict
    accuracy = credit_of("x", 0.7, None, higher_is_better=True)
    assert judged([0.65, 0.651, 0.649], credit=accuracy, margin=0.06).verdict.share == 1
    assert judged([0.65, 0.651, 0.649], credit=accuracy, margin=0.04).verdict.share == 0


@pytest.mark.integration
@pytest.mark.parametrize(("worse", "most_lost", "least_lost"), [(0.0, 0.05, 0.0), (0.15, 1.0, 0.9)])
def test_the_error_rate_of_trainings_is_as_stated(worse: float, most_lost: float, least_lost: float) -> None:
    """Seeds and rows are random: at the threshold at most 5 % lose; 4 standard errors worse, most do."""
    lost = 0
    for number in range(40):
        draw = np.random.default_rng([number, 5])
        rows = 0.2 * losses(draw, 100) + worse

        def train(_: int, draw: np.random.Generator = draw, rows: np.ndarray = rows) -> np.ndarray:
            return np.asarray(rows + 0.05 * draw.normal() + 0.1 * draw.normal(size=100))

        lost += training_verdict.judge_trainings(train, BELOW_0, seeds=3, most_seeds=10).verdict.share == 0
    assert least_lost <= lost / 40 <= most_lost


def test_the_error_rates_add_up() -> None:
    total = training_verdict.ALPHA_ROWS + training_verdict.ALPHA_MEAN + training_verdict.ALPHA_COUNT
    assert total == pytest.approx(verdict.ALPHA)
    assert (
        0.5**training_verdict.MIN_TRAININGS_FOR_SIGN_TEST
        <= training_verdict.ALPHA_COUNT
        < 0.5 ** (training_verdict.MIN_TRAININGS_FOR_SIGN_TEST - 1)
    )


def test_an_unknown_rule_is_the_authors_fault() -> None:
    with pytest.raises(CourseError, match="'student' or 'exact'"):
        verdict.known_close_calls("check.loss", "teacher")
