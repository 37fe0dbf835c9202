"""Diagnosis by counterfactuals: what a model would reach with one change, told only where trainings have shown it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.extensions.diagnosis.candidates import Candidate, candidates
from autograder.extensions.diagnosis.noise import ALPHA, certain_gain
from autograder.extensions.diagnosis.recipe import (
    CATEGORICAL,
    Recipe,
    compiled_loss,
    loss_name,
)
from autograder.extensions.diagnosis.symptoms import Symptoms, constant_loss
from autograder.extensions.diagnosis.training_bench import Data, OutOfBudget, Training, TrainingBench
from autograder.kernel.random_state import preserve_random_state
from autograder.records.diagnosis import Diagnosis, Finding, Trial

DEFAULT_SECONDS = 3.0
MIN_ROWS = 100
"""Fewest rows that can be split into fit rows and comparison rows."""
_SEEDS = (3, 5)
"""Trainings without and with a change that is tested: at least, and at most, if the budget allows them."""
_COMPARED, MAX_COMPARED = 0.3, 1000
"""Share of the rows that is kept for comparison, and the most rows."""
_LEAST = 0.05
"""Smallest gain that is told, as a share of the constant answer's loss."""
_CLEARLY = 0.8
"""A change earlier in the table is told rather than a later one if its gain is at least this share of the other's."""
MAX_FINDINGS = 2


@dataclass(frozen=True)
class Settings:
    """How a model is trained, and what is measured."""

    epochs: int
    batch_size: int = 32
    loss: str | None = None
    """The loss to measure, in Keras's word; None: what the model is compiled with."""
    optimizer: Any = None
    """A Keras optimizer; None: the one that the model is compiled with, else Adam."""
    seed: int = 0


def diagnose(model: Any, x: Any, y: np.ndarray, settings: Settings, seconds: float = DEFAULT_SECONDS) -> Diagnosis:
    """Train a model with one change after the other, and say which change helps by more than its noise.

    Args:
        model: a built ``keras.Model``; its weights are not used and do not change.
        x: rows to train on: an array, or a list or dict of arrays. A part of them is kept for comparison.
        y: labels (n, …): one-hot, whole numbers, or values.
        settings: how the model is trained.
        seconds: processor time that all trainings may take together.

    Returns:
        The diagnosis. If the model cannot be trained here, its note says why.
    """
    recipe = _recipe(model, settings)
    goal = loss_name(settings.loss) if settings.loss else recipe.loss if recipe else None
    if recipe is None or goal is None:
        return Diagnosis("", 0, 0.0, note="Only crossentropies, squared and absolute errors are tried here.")
    if len(y) < MIN_ROWS:
        return Diagnosis(goal, 0, 0.0, note=f"There are {len(y)} rows; a comparison takes {MIN_ROWS}.")
    data = _split(x, np.asarray(y), settings.seed)
    least = _LEAST * constant_loss(goal, data.compared_labels)
    with preserve_random_state():
        search = Search(TrainingBench(data, goal, seconds), goal, least, settings.seed)
        try:
            return search.diagnosis(recipe)
        except OutOfBudget:
            note = f"Its training takes too long to be tried in {seconds:g} s."
        except Exception as error:
            note = f"This network cannot be trained on these data ({type(error).__name__})."
    return Diagnosis(goal, len(data.compared_labels), least, note=note)


def _recipe(model: Any, settings: Settings) -> Recipe | None:
    import keras

    own = compiled_loss(model) or ((loss_name(settings.loss), False) if settings.loss else None)
    if own is None or own[0] is None:
        return None
    optimizer = settings.optimizer or getattr(model, "optimizer", None) or keras.optimizers.Adam()
    if getattr(keras.optimizers, type(optimizer).__name__, None) is not type(optimizer):
        optimizer = keras.optimizers.Adam()
    return Recipe(model, own[0], own[1], optimizer, settings.epochs, settings.batch_size)


def _split(x: Any, y: np.ndarray, seed: int) -> Data:
    order = np.random.default_rng([seed, len(y)]).permutation(len(y))
    count = min(int(_COMPARED * len(y)), MAX_COMPARED)
    compared, fit = np.sort(order[:count]), np.sort(order[count:])

    def take(rows: np.ndarray) -> Any:
        if isinstance(x, dict):
            return {name: _floats(array)[rows] for name, array in x.items()}
        return [_floats(array)[rows] for array in x] if isinstance(x, list | tuple) else _floats(x)[rows]

    return Data(take(fit), y[fit], take(compared), y[compared])


def _floats(array: Any) -> np.ndarray:
    array = np.asarray(array)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


@dataclass
class Search:
    """The search for at most two changes that help."""

    bench: TrainingBench
    goal: str
    """The loss that is measured."""
    least: float
    """Smallest gain that is told."""
    seed: int
    suspected: list[Candidate] = field(default_factory=list)
    """Changes whose signs the model shows."""
    told: list[Comparison] = field(default_factory=list)
    is_short: bool = False
    """Whether the budget was too small to try everything."""

    def diagnosis(self, recipe: Recipe) -> Diagnosis:
        """Train the model itself, look for signs, and try what they suggest."""
        symptoms = Symptoms(recipe, self.goal, self.bench.data, [self._train(recipe)])
        self.suspected = list(candidates(symptoms))
        tried: list[Trial] = []
        try:
            self._search(recipe, tried)
        except OutOfBudget:
            self.is_short = True
        return Diagnosis(
            self.goal,
            len(self.bench.data.compared_labels),
            self.least,
            tuple(_finding(comparison, self.goal, number) for number, comparison in enumerate(self.told)),
            tuple(tried),
            tuple(float(value) for value in symptoms.curve if np.isfinite(value)),
            "There was no time to try everything." if self.is_short else "",
        )

    def _search(self, recipe: Recipe, tried: list[Trial]) -> None:
        """Look for the change that helps most, then for the one that helps most on top of it."""
        alpha = ALPHA / max(1, len(self.suspected) * MAX_FINDINGS - 1)
        left = list(self.suspected)
        while left and len(self.told) < MAX_FINDINGS:
            best = self._best(recipe, left, alpha, [] if self.told else tried)
            if best is None:
                return
            self.told.append(best)
            recipe = best.changed
            left = [other for other in left if other.kind != best.candidate.kind]

    def _best(
        self, recipe: Recipe, suspected: Sequence[Candidate], alpha: float, tried: list[Trial]
    ) -> Comparison | None:
        """Return the change that helps most and by more than its noise; earlier ones of the table come first."""
        certain: list[Comparison] = []
        for comparison in sorted(self._screened(recipe, suspected, tried), key=lambda one: -one.gain):
            if certain and comparison.gain < _CLEARLY * certain[0].gain:
                break
            full = self._tested(comparison)
            if full.gain > self.least and full.is_certain(alpha):
                certain.append(full)
        return min(certain, key=lambda one: suspected.index(one.candidate), default=None)

    def _screened(self, recipe: Recipe, suspected: Sequence[Candidate], tried: list[Trial]) -> Iterator[Comparison]:
        """Train from one seed with each change, and yield those that may help."""
        own = self._train(recipe)
        for candidate in suspected:
            try:
                changed = candidate.recipe(recipe)
                reserve = (_SEEDS[0] - 1) * (self.bench.seconds_of(recipe) + self.bench.seconds_of(changed))
                comparison = Comparison(candidate, recipe, changed, [own], [self._train(changed, reserve=reserve)])
            except OutOfBudget:
                self.is_short = True
                continue
            except Exception:  # Keras cannot build or train the network with this change
                continue
            tried.append(comparison.trial)
            if comparison.gain > self.least:
                yield comparison

    def _tested(self, comparison: Comparison) -> Comparison:
        """Train from more seeds, as many as the budget allows, without a look at the results."""
        before, after = comparison.own, comparison.changed
        pair = self.bench.seconds_of(before) + self.bench.seconds_of(after)
        count = int(np.clip(1 + self.bench.left / max(pair, 1e-3) / 2, *_SEEDS))
        sides = [[self._train(recipe, number) for number in range(count)] for recipe in (before, after)]
        return replace(comparison, before=sides[0], after=sides[1])

    def _train(self, recipe: Recipe, number: int = 0, reserve: float = 0.0) -> Training:
        return self.bench.train(recipe, 1000 * self.seed + number, reserve)


@dataclass(frozen=True)
class Comparison:
    """Trainings without and with a change, from the same seeds."""

    candidate: Candidate
    own: Recipe
    changed: Recipe
    before: list[Training]
    after: list[Training]

    @property
    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses without and with the change, each (seeds, rows)."""
        rows = slice(1, None, 2) if self.candidate.kind == "overfit" else slice(None)  # the others chose the epoch
        without, changed = (np.stack([one.rows[-1, rows] for one in side]) for side in (self.before, self.after))
        return without, changed

    @property
    def gain(self) -> float:
        """The mean gain; infinite if only the change keeps the training from diverging."""
        without, changed = self.losses
        if not np.isfinite(changed).all():
            return -np.inf
        return float((without - changed).mean()) if np.isfinite(without).all() else np.inf

    def is_certain(self, alpha: float) -> bool:
        without, changed = self.losses
        if self.gain == np.inf:
            return True
        return certain_gain(without - changed, alpha) > 0

    @property
    def trial(self) -> Trial:
        without, changed = (_mean(side) for side in self.losses)
        return Trial(self.candidate.kind, self.candidate.change, without, changed)


def _mean(losses: np.ndarray) -> float | None:
    return float(losses.mean()) if np.isfinite(losses).all() else None


def _finding(comparison: Comparison, goal: str, number: int) -> Finding:
    trial = comparison.trial
    now = "no number at all" if trial.before is None else f"{trial.before:.2f}"
    word = "loss" if goal == CATEGORICAL else goal.replace("_", " ")
    also = "" if not number else " also"
    message = (
        f"With {trial.change}, your network{also} reaches a {word} of {trial.after:.2f} on rows that it was not trained "
        f"on ({'before' if number else 'now'} {now}). {comparison.candidate.lesson}"
    )
    curve = np.mean([training.rows.mean(axis=1) for training in comparison.after], axis=0)
    return Finding(trial, message, tuple(float(value) for value in curve if np.isfinite(value)))
