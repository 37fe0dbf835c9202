"""Verdicts near a threshold: how noisy a measured value is, and whether it is evidence against the model.

A threshold is a promise: a model that reaches it gets the credit. A value measured on n rows only estimates the model's
true performance. So a value that misses its threshold by less than the noise of the rows is tested. Points are lost
only if the null hypothesis "this model meets the threshold" is rejected, with a one-sided error of at most
:data:`ALPHA`. docs/explanation/verdicts.md describes the test and its simulated error rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.check.credit import Credit
from autograder.errors import CourseError

ALPHA = 0.05
"""The largest probability that a model which meets the threshold loses points because of the holdout's rows."""

CLOSE = math.sqrt(1 / ALPHA - 1)
"""Standard errors (4.4) beyond which no test is needed. By Cantelli's inequality fewer than ALPHA of all resampled
means lie farther below their own mean, whatever their distribution."""

MAX_RESAMPLES = 10_000
RESAMPLING_RISK = 0.001
"""The largest probability that infinitely many resamples would have decided otherwise."""

CLOSE_CALLS = ("student", "exact")
_SEED = 20170311
_MAX_ROWS = 20_000


@dataclass(frozen=True)
class Verdict:
    """The share that a measured value earns, and how a close call was decided."""

    share: float
    note: str = ""
    """For the student; empty if nothing was close. It names no threshold."""
    detail: str = ""
    """For the instructor."""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Resampling:
    """How many of the resampled holdouts meet the threshold, and the decision."""

    met: int
    resamples: int
    rejected: bool
    """Whether fewer than alpha of the resampled means meet the threshold."""


def known_close_calls(check_name: str, close_calls: str) -> None:
    """Require a known rule for close calls.

    Raises:
        CourseError: the rule's name is unknown.
    """
    if close_calls not in CLOSE_CALLS:
        raise CourseError(
            f"{check_name}: close_calls is {close_calls!r}; it may be {' or '.join(map(repr, CLOSE_CALLS))}."
        )


def standard_error(rows: np.ndarray) -> float:
    """Return the standard error of the mean of per-row values; 0 for a single row, where it is unknown."""
    return float(rows.std(ddof=1) / math.sqrt(len(rows))) if len(rows) > 1 else 0.0


def judge(rows: np.ndarray, credit: Credit, close_calls: str = "student") -> Verdict:
    """Return the share that a model earns by its per-row values on a holdout.

    Args:
        rows: the loss (or 1 for right, 0 for wrong) of each row, (n,).
        credit: a threshold or a line. A line that begins at share 0 has no jump, so the measured value counts as it is.
        close_calls: ``student`` gives a value that misses the threshold within its noise the credit of the threshold;
            ``exact`` takes the value as it is.
    """
    value = float(rows.mean())
    share = credit.share(value)
    if not math.isfinite(value):
        return Verdict(0.0)
    error = standard_error(rows)
    evidence = {"standard_error": error}
    if share > 0 or credit.cliff is None or close_calls == "exact":
        return Verdict(share, evidence=evidence)
    threshold, at_threshold = credit.points[0]
    away = abs(value - threshold)
    if away > CLOSE * error:
        return Verdict(0.0, evidence=evidence)
    sign = 1.0 if credit.higher_is_better else -1.0
    resampling = resample(sign * rows, sign * threshold)
    if not resampling.met:  # so far away that no draw comes near it: nothing about it is close
        detail = f"{away:.4f} from {threshold:g}, standard error {error:.4f}; none of {resampling.resamples} resampled "
        return Verdict(0.0, detail=f"{detail}holdouts meets it", evidence=evidence)
    detail = (
        f"close call: {away:.4f} from {threshold:g}, standard error {error:.4f}; {resampling.met} of "
        f"{resampling.resamples} resampled holdouts meet it; "
        f"{'rejected' if resampling.rejected else 'not rejected'} at {ALPHA:g}"
    )
    evidence |= {"close_call": True, "resamples": resampling.resamples, "resamples_met": resampling.met}
    return Verdict(0.0 if resampling.rejected else at_threshold, _note(resampling, error), detail, evidence)


def _note(resampling: Resampling, error: float) -> str:
    note = f"a close call: among so many rows chance moves the result by ± {error:.4f}, and in {resampling.met} of "
    note += f"{resampling.resamples} draws of these rows it is good enough; "
    if resampling.rejected:
        return note + "that is too rare"
    return note + "so it counts as met"


def resample(rows: np.ndarray, threshold: float, alpha: float = ALPHA) -> Resampling:
    """Test sequentially whether fewer than ``alpha`` of the bootstrap's means reach ``threshold``.

    Rows are drawn with replacement until the sequence of hits decides. If the true share is exactly alpha, (n +
    1)·Binomial(hits; n, alpha) ever falls to :data:`RESAMPLING_RISK` with at most that probability. See Robbins 1970
    and Lai 1976; for Monte Carlo tests Ding, Gandy & Hahn 2020. If :data:`MAX_RESAMPLES` draws do not decide, the
    hypothesis is not rejected.

    The test uses the percentiles of resampled means instead of the standard error. A few absurd rows raise the standard
    error as fast as the mean, and could so buy a pass. They cannot here, since some draws leave them out.

    Args:
        rows: values (n,), larger is better.
        threshold: the value to reach.
        alpha: the share of means below which the hypothesis is rejected.
    """
    pool = _pooled(rows)
    draw = np.random.default_rng(_SEED)
    met = 0
    for count in range(1, MAX_RESAMPLES + 1):
        met += bool(pool[draw.integers(len(pool), size=len(pool))].mean() >= threshold)
        if _decided(met, count, alpha):
            return Resampling(met, count, met < alpha * count)
    return Resampling(met, MAX_RESAMPLES, rejected=False)


def _decided(hits: int, count: int, alpha: float) -> bool:
    log_binomial = (
        math.lgamma(count + 1)
        - math.lgamma(hits + 1)
        - math.lgamma(count - hits + 1)
        + hits * math.log(alpha)
        + (count - hits) * math.log1p(-alpha)
    )
    return math.log(count + 1) + log_binomial <= math.log(RESAMPLING_RISK)


def allowance(rows: np.ndarray, alpha: float) -> float:
    """Return by how much the mean of ``rows`` may lie below the truth by chance, except with probability ``alpha``.

    ``rows`` are values of which larger is better. The result is the distance from the mean to the (1 - alpha)-quantile
    of 1,000 resampled means.
    """
    pool = _pooled(rows)
    draw = np.random.default_rng(_SEED)
    means = [pool[draw.integers(len(pool), size=len(pool))].mean() for _ in range(1_000)]
    return float(max(0.0, np.quantile(means, 1 - alpha) - pool.mean()))


def _pooled(rows: np.ndarray) -> np.ndarray:
    """Return the rows; above 20,000, the means of random groups, which have the same mean and the same noise."""
    groups = len(rows) // _MAX_ROWS + 1
    if groups == 1:
        return rows
    shuffled = np.random.default_rng(_SEED).permutation(rows)
    return np.asarray(shuffled[: len(rows) // groups * groups].reshape(-1, groups).mean(axis=1))
