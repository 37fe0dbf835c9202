"""The verdict on several trainings of one architecture, where both the seed and the holdout's rows are random."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder._util.distributions import t_quantile
from autograder.check.credit import Credit
from autograder.check.verdict import Verdict, allowance, standard_error

ALPHA_ROWS = 0.02
ALPHA_MEAN = 0.0175
ALPHA_COUNT = 0.0125
"""The three add up to 0.05, the largest probability that an architecture which meets the threshold loses points."""

MIN_TRAININGS_FOR_SIGN_TEST = 7
"""With fewer trainings even "none meets the threshold" is too probable: 0.5 ** 6 > ALPHA_COUNT."""


@dataclass(frozen=True)
class Trainings:
    """The results of the trainings."""

    rows: np.ndarray
    """(trainings, rows): the value of each training on each row of the holdout."""
    verdict: Verdict

    @property
    def values(self) -> np.ndarray:
        """The metric of each training."""
        return np.asarray(self.rows.mean(axis=1))

    @property
    def mean(self) -> float:
        """The mean of the metric over the trainings."""
        return float(self.values.mean())

    @property
    def spread(self) -> float:
        """The standard deviation over the trainings; 0 for a single training."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else 0.0


def judge_trainings(
    train: Callable[[int], np.ndarray],
    credit: Credit,
    *,
    seeds: int,
    most_seeds: int,
    margin: float = 0.0,
    close_calls: str = "student",
) -> Trainings:
    """Train ``seeds`` times, more often in a close call, and decide.

    The mean, improved by ``margin``, is compared with the threshold. If it misses, points are lost only if chance does
    not explain the miss. The rows come first: a bootstrap of the averaged rows (:data:`ALPHA_ROWS`). If they do not
    explain it, the seeds may. Trainings are added one at a time until one of two tests decides. After each training, a
    t-test may reject the mean (:data:`ALPHA_MEAN`, shared evenly among all looks). At ``most_seeds``, a sign test may
    reject it because too few trainings meet the threshold (:data:`ALPHA_COUNT`). The sign test is needed for networks
    that sometimes fail wildly: they could inflate the standard deviation on purpose.

    Args:
        train: returns the values on each row of the holdout after training number 0, 1, 2 ...; NaN if the training
            diverged.
        credit: the threshold or line.
        seeds: how many trainings.
        most_seeds: how many trainings at most.
        margin: how much worse than asked the mean may be.
        close_calls: ``student`` or ``exact``.
    """
    sign = 1.0 if credit.higher_is_better else -1.0
    rows = [train(number) for number in range(seeds)]
    while True:
        losses = np.stack(rows)
        values = losses.mean(axis=1)
        if not np.isfinite(values).all():
            return Trainings(losses, _diverged(values))
        value = float(values.mean()) + sign * margin
        share = credit.share(value)
        if share > 0 or credit.cliff is None or close_calls == "exact":
            return Trainings(losses, Verdict(share, evidence=_evidence(losses)))
        ends = _decided(sign * losses, sign * credit.cliff - margin, seeds, most_seeds)
        if ends is not None:
            met, reason = ends
            detail = f"misses {credit.cliff:g} by {abs(value - credit.cliff):.4f}; {reason}"
            note = f"a close call: {reason}; so it counts as {'met' if met else 'missed'}"
            close = met or len(rows) > seeds
            evidence = _evidence(losses) | ({"close_call": True} if close else {})
            share = credit.points[0][1] if met else 0.0
            return Trainings(losses, Verdict(share, note if close else "", detail, evidence))
        rows.append(train(len(rows)))


def _decided(rows: np.ndarray, threshold: float, seeds: int, most_seeds: int) -> tuple[bool, str] | None:
    """Return whether the mean counts as meeting ``threshold``, and why; None if another training is needed."""
    count = len(rows)
    values = rows.mean(axis=1)
    luck = allowance(rows.mean(axis=0), ALPHA_ROWS)
    short = threshold - luck - float(values.mean())
    if short <= 0:
        return True, f"chance among the rows explains up to {luck:.4f}"
    looks = max(1, most_seeds - max(2, seeds) + 1)
    if count > 1 and short > t_quantile(1 - ALPHA_MEAN / looks, count - 1) * values.std(ddof=1) / math.sqrt(count):
        return False, f"neither chance among the rows ({luck:.4f}) nor the spread of {count} trainings explains it"
    if count < most_seeds:
        return None
    met = int((values >= threshold - luck).sum())
    few = sum(math.comb(count, k) for k in range(met + 1)) / 2**count <= ALPHA_COUNT
    return not few, f"{met} of {count} trainings come near enough"


def _diverged(values: np.ndarray) -> Verdict:
    lost = int((~np.isfinite(values)).sum())
    return Verdict(0.0, f"{lost} of {len(values)} trainings ended in NaN or infinite values")


def _evidence(rows: np.ndarray) -> dict[str, float]:
    """Return the standard error of the mean by the rows alone; the spread over trainings is reported separately."""
    return {"standard_error": standard_error(rows.mean(axis=0))}
