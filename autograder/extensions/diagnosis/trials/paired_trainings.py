"""Trainings without and with a change, compared row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.extensions.diagnosis.trials.candidates import Remedy
from autograder.extensions.diagnosis.trials.recipe import CATEGORICAL, Recipe
from autograder.extensions.diagnosis.trials.symptoms import lowest_point
from autograder.extensions.diagnosis.trials.training_bench import Training
from autograder.records.diagnosis import HelpfulChange, LossCurve, TriedChange


@dataclass(frozen=True)
class PairedTrainings:
    """Trainings without and with a change, from the same seeds."""

    remedy: Remedy
    own: Recipe
    changed: Recipe
    before: list[Training]
    after: list[Training]
    cap: float
    """Largest loss of a row that counts; a training that diverged has it on each row."""

    @property
    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """The losses without and with the change, each (seeds, rows); NaN where a training diverged."""
        without, changed = (np.stack([one.rows[-1] for one in side]) for side in (self.before, self.after))
        if self.remedy.kind == "overfit":
            changed = _stopped(np.stack([training.rows for training in self.before]))
        return without, changed

    @property
    def capped(self) -> tuple[np.ndarray, np.ndarray]:
        """The same, each row with its cap at most."""
        without, changed = (np.minimum(np.nan_to_num(side, nan=np.inf), self.cap) for side in self.losses)
        return without, changed

    @property
    def halves_loss(self) -> bool:
        """Whether the change takes away at least half of the loss."""
        without, changed = self.capped
        return float(changed.mean()) <= float(without.mean()) / 2

    @property
    def is_better(self) -> bool:
        """Whether the mean loss is smaller with the change, absurd rows included."""
        without, changed = (_mean(side) for side in self.losses)
        return changed is not None and (without is None or changed < without)

    @property
    def gains(self) -> np.ndarray:
        """How much smaller each row's loss is with the change, (seeds, rows)."""
        without, changed = self.capped
        return np.asarray(without - changed)

    @property
    def gain(self) -> float:
        """The mean gain."""
        return float(self.gains.mean())

    @property
    def trial(self) -> TriedChange:
        """The change with the mean losses."""
        without, changed = (_mean(side) for side in self.losses)
        return TriedChange(self.remedy.kind, self.remedy.change, without, changed)


def _stopped(curves: np.ndarray) -> np.ndarray:
    """Return the losses at the end that each half of the rows chooses for the other, (seeds, rows).

    Rows that choose an epoch are not compared with it: its loss on them is lower by chance.

    Args:
        curves: (seeds, measurements, rows).
    """
    losses = curves[:, -1].copy()
    for half in range(2):
        chosen = lowest_point(curves[:, :, 1 - half :: 2].mean(axis=(0, 2)))
        losses[:, half::2] = curves[:, chosen, half::2]
    return losses


def _mean(losses: np.ndarray) -> float | None:
    return float(losses.mean()) if np.isfinite(losses).all() else None


def finding(comparison: PairedTrainings, goal: str, extent: str, number: int) -> HelpfulChange:
    """Say what a change gains.

    Args:
        comparison: the trainings that have shown it.
        goal: the loss that is measured.
        extent: how much of a long training was tried; empty for all of it.
        number: how many changes were told before.
    """
    trial = comparison.trial
    before = "no number at all" if trial.before is None else f"{trial.before:.2f}"
    without = f"before {before}" if number else f"without it {before}" if extent else f"now {before}"
    part = f"; both after {extent}" if extent else ""
    word = "loss" if goal == CATEGORICAL else goal.replace("_", " ")
    also = "" if not number else " also"
    message = (
        f"With {trial.change}, your network{also} reaches a {word} of {trial.after:.2f} on rows that it was not "
        f"trained on ({without}{part}). {comparison.remedy.lesson}"
    )
    return HelpfulChange(trial, message, mean_curve(comparison.after))


def mean_curve(trainings: Sequence[Training]) -> LossCurve:
    """Average the curves at the epochs where all trainings were measured."""
    means = [dict(zip(training.epochs, training.rows.mean(axis=1), strict=True)) for training in trainings]
    common = sorted(set(means[0]).intersection(*means))
    losses = {epoch: float(np.mean([mean[epoch] for mean in means])) for epoch in common}
    finite = [epoch for epoch in common if np.isfinite(losses[epoch])]
    return LossCurve(tuple(finite), tuple(losses[epoch] for epoch in finite))
