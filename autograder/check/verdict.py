"""Verdicts near a threshold: what noise a measured value has, and whether it says anything against the model.

A threshold is a promise: who reaches it gets the credit. What is measured on n rows is only an estimate of what the
model does in general. So a value that misses its threshold by less than the rows can tell is looked at again, and
points are lost only where the null hypothesis "this model meets the threshold" is rejected, with a one-sided error of
at most :data:`ALPHA`. How the test is made, and its simulated error rate: docs/explanation/verdicts.md.
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
"""The largest probability that a model which meets the threshold loses points by the luck of the holdout's rows."""

CLOSE = math.sqrt(1 / ALPHA - 1)
"""Farther than so many standard errors (4.4) no test is needed: by Cantelli's inequality fewer than ALPHA of all
resampled means lie below their own mean by more, whatever their distribution."""

MAX_RESAMPLES = 10_000
RESAMPLING_RISK = 0.001
"""The largest probability that infinitely many resamples would have decided otherwise."""

CLOSE_CALLS = ("student", "exact")
_SEED = 20170311
_MAX_ROWS = 20_000


@dataclass(frozen=True)
class Verdict:
    """What a measured value earns, and how a close call was decided."""

    share: float
    note: str = ""
    """For the student; empty where nothing was close. Names no threshold."""
    detail: str = ""
    """For the examiner."""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Resampling:
    """How many of the resampled holdouts meet the threshold, and what that says."""

    met: int
    resamples: int
    rejected: bool
    """Fewer than alpha of the resampled means meet the threshold."""


def known_close_calls(where: str, close_calls: str) -> None:
    """Raises CourseError where the rule's name is unknown."""
    if close_calls not in CLOSE_CALLS:
        raise CourseError(f"{where}: close_calls is {close_calls!r}; it may be {' or '.join(map(repr, CLOSE_CALLS))}.")


def standard_error(rows: np.ndarray) -> float:
    """The standard error of the mean of per-row values; 0 for a single row, where nothing is known."""
    return float(rows.std(ddof=1) / math.sqrt(len(rows))) if len(rows) > 1 else 0.0


def judge(rows: np.ndarray, credit: Credit, close_calls: str = "student") -> Verdict:
    """The share that a model earns by its per-row values on a holdout.

    Args:
        rows: the loss (or 1 for right, 0 for wrong) of each row, (n,).
        credit: a threshold or a line. A line that begins at share 0 has no cliff: what was measured counts.
        close_calls: ``student`` gives a value that misses the threshold within its noise what the threshold gives;
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
    found = resample(sign * rows, sign * threshold)
    detail = (
        f"close call: {away:.4f} from {threshold:g}, standard error {error:.4f}; {found.met} of {found.resamples} "
        f"resampled holdouts meet it; {'rejected' if found.rejected else 'not rejected'} at {ALPHA:g}"
    )
    evidence |= {"close_call": True, "resamples": found.resamples, "resamples_met": found.met}
    return Verdict(0.0 if found.rejected else at_threshold, _note(found, error), detail, evidence)


def _note(found: Resampling, error: float) -> str:
    told = f"a close call: among so many rows chance moves the result by ± {error:.4f}, and in {found.met} of "
    told += f"{found.resamples} draws of these rows it is good enough; "
    if found.rejected:
        return told + "that is too rare"
    return told + "so it counts as met"


def resample(rows: np.ndarray, threshold: float, alpha: float = ALPHA) -> Resampling:
    """Whether fewer than ``alpha`` of the bootstrap's means are ``threshold`` or more, by a sequential test.

    Rows are drawn with replacement until the sequence of hits decides: under a true share of exactly alpha,
    (n + 1)·Binomial(hits; n, alpha) falls to :data:`RESAMPLING_RISK` with at most that probability, ever (Robbins 1970,
    Lai 1976; for Monte Carlo tests Ding, Gandy & Hahn 2020). Undecided after :data:`MAX_RESAMPLES`: not rejected.

    The percentiles of resampled means are used, and not the standard error, since a few absurd rows raise the latter as
    fast as the mean: they would buy a pass. Here they cannot, since some draws leave them out.

    Args:
        rows: values (n,), larger is better.
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
    """By how much the mean of ``rows`` (larger is better) may lie below the truth by chance, but for a share ``alpha``:
    what the (1 - alpha)-quantile of 1,000 resampled means lies above it."""
    pool = _pooled(rows)
    draw = np.random.default_rng(_SEED)
    means = [pool[draw.integers(len(pool), size=len(pool))].mean() for _ in range(1_000)]
    return float(max(0.0, np.quantile(means, 1 - alpha) - pool.mean()))


def _pooled(rows: np.ndarray) -> np.ndarray:
    """The rows; above 20,000 the means of random groups of them, which have the same mean and the same noise."""
    groups = len(rows) // _MAX_ROWS + 1
    if groups == 1:
        return rows
    shuffled = np.random.default_rng(_SEED).permutation(rows)
    return np.asarray(shuffled[: len(rows) // groups * groups].reshape(-1, groups).mean(axis=1))
