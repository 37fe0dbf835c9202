"""Diagnosis by counterfactuals: what a model would reach with one change, told only where trainings have shown it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder._util.plain_records import from_plain, to_plain
from autograder.extensions.diagnosis.budget import DEFAULT_SECONDS
from autograder.extensions.diagnosis.trials.candidates import Remedy, candidates, structural_candidates
from autograder.extensions.diagnosis.trials.keras_architecture import KerasArchitecture, keras_optimizer
from autograder.extensions.diagnosis.trials.network_architecture import network_architecture, network_optimizer
from autograder.extensions.diagnosis.trials.noise import ALPHA, certain_gain
from autograder.extensions.diagnosis.trials.output_units import is_trainable, label_problem, measured_loss, read_labels
from autograder.extensions.diagnosis.trials.paired_trainings import PairedTrainings, finding, mean_curve
from autograder.extensions.diagnosis.trials.recipe import OF_CLASSES, Recipe, compiled_loss, loss_name
from autograder.extensions.diagnosis.trials.split_rows import split
from autograder.extensions.diagnosis.trials.symptoms import Symptoms, constant_loss
from autograder.extensions.diagnosis.trials.training_bench import TOGETHER, OutOfBudget, Training, TrainingBench
from autograder.extensions.diagnosis.trials.trial_architecture import Architecture
from autograder.extensions.networks.model_calls import made_of_twin, twin_model
from autograder.extensions.networks.network import Network
from autograder.extensions.networks.step_calculus import OptimizerSettings
from autograder.kernel.random_state import preserve_random_state
from autograder.models.computing_process import ERRORS
from autograder.records.diagnosis import Diagnosis, TriedChange

ERRORS["OutOfBudget"] = lambda _: OutOfBudget()
MIN_ROWS = 100
"""Fewest rows that can be split into fit rows and comparison rows."""
_SEEDS = (TOGETHER, 6, 12)
"""Trainings without and with a change at the first look at it, and at the next ones if the budget allows them."""
_ALPHAS = (0.8 * ALPHA, 0.2 * ALPHA)
"""Probability of a wrong first finding, and of a wrong second one."""
_OWN_SHARES, _PART_SHARE = (0.35, 0.55), 0.2
"""Largest share of the budget for the model's own trainings, with and without a sign of a fault in its structure, and
the share of longer ones, of which only a part is tried."""
_OF_LENGTH = ("overfit", "epochs", "capacity")
"""Kinds of which a part of a training says nothing. They are no second findings either: how long and how wide to train
shows when what is wrong has been mended."""
_LEAST = 0.1
"""Smallest gain that is told, as a share of the constant answer's loss."""
_CAP = 10.0
"""Largest loss of a row that counts, as a share of the same: a few absurd rows decide nothing."""
MAX_FINDINGS = len(_ALPHAS)


@dataclass(frozen=True)
class Settings:
    """How a model is trained, and what is measured."""

    epochs: int
    batch_size: int = 32
    loss: str | None = None
    """The loss to measure, in Keras's word; None: what the model is compiled with."""
    optimizer: Any = None
    """A name or an optimizer of the model's library; None: the one that the model is compiled with, else Adam."""
    from_logits: bool = False
    """Whether a model that is not compiled returns scores."""
    seed: int = 0


def diagnose(model: Any, x: Any, y: Any, settings: Settings, seconds: float = DEFAULT_SECONDS) -> Diagnosis:
    """Train a model with one change after the other, and say which change helps by more than its noise.

    Args:
        model: a built ``keras.Model`` or a ``Network``; its weights are not used and do not change.
        x: rows to train on: an array, or a list or dict of arrays. A part of them is kept for comparison.
        y: labels (n, …): one-hot, whole numbers, or values.
        settings: how the model is trained.
        seconds: processor time that all trainings may take together.

    Returns:
        The diagnosis. If the model cannot be trained here, its note says why.
    """
    try:
        with preserve_random_state():
            trained = _trained_as(model, settings)
            is_here = trained is None or isinstance(model, Network) or not _are_numbers(x)
            part = None if is_here else made_of_twin(ComputedDiagnosis, model)
            if trained is None or part is None:
                return _diagnosis(model, x, y, settings, trained, seconds)
            plain = vars(settings) | {"optimizer": None}
            loss, from_logits, optimizer = trained
            chosen = [loss, from_logits, [optimizer.kind, dict(optimizer.settings), optimizer.rate]]
            return from_plain(Diagnosis, part.ask("diagnosis", x, y, plain, chosen, seconds))
    except OutOfBudget:
        note = f"Its training takes too long to be tried in {seconds:g} s."
    except Exception:  # whatever a student built: a diagnosis is never graded, and costs nothing
        note = "This network cannot be trained on these data."
    return _untried(note)


class ComputedDiagnosis:
    """The trainings of a Keras model's twin, where strangers' networks are computed."""

    def __init__(self, claim: Sequence[Any], weights: Sequence[np.ndarray]) -> None:
        self.model = twin_model(claim, weights)

    def diagnosis(self, x: Any, y: Any, settings: Mapping[str, Any], trained: Sequence[Any], seconds: float) -> Any:
        """Return a :class:`Diagnosis` as plain data."""
        loss, from_logits, optimizer = trained
        as_trained = (loss, from_logits, OptimizerSettings(*optimizer))
        with preserve_random_state():
            return to_plain(_diagnosis(self.model, x, y, Settings(**settings), as_trained, seconds))


_Trained = tuple[str, bool, OptimizerSettings]
"""What a training minimizes, whether the outputs are scores, and the optimizer."""


def _are_numbers(rows: Any) -> bool:
    arrays = rows.values() if isinstance(rows, dict) else rows if isinstance(rows, list | tuple) else [rows]
    return all(isinstance(array, np.ndarray) and array.dtype.kind in "biuf" for array in arrays)


def _diagnosis(model: Any, x: Any, y: Any, settings: Settings, trained: _Trained | None, seconds: float) -> Diagnosis:
    recipe = _recipe(model, settings, trained)
    goal = loss_name(settings.loss) if settings.loss else recipe.loss if recipe else None
    if recipe is None or goal is None:
        return _untried("Only crossentropies, squared and absolute errors are tried here.")
    if len(y) < MIN_ROWS:
        return _untried(f"There are {len(y)} rows; a comparison takes {MIN_ROWS}.")
    labels = read_labels(np.asarray(y))
    if labels is None:
        return _untried("The labels are not all finite numbers.")
    if not settings.loss:
        goal = measured_loss(goal, labels, recipe.architecture.output_shape[-1])
    if problem := label_problem(goal, labels):
        return _untried(problem)
    if goal not in OF_CLASSES and not is_trainable(recipe, goal, labels):
        return _untried("The network has another number of outputs than a row has labels.")
    data = split(recipe.architecture.arranged(x), labels, settings.seed)
    recipe = replace(recipe, batch_size=min(recipe.batch_size, len(data.labels)))
    constant = constant_loss(goal, data.compared_labels)
    bench = TrainingBench(data, goal, seconds)
    return Search(bench, goal, _LEAST * constant, _CAP * constant, settings.seed).diagnosis(recipe)


def _untried(note: str) -> Diagnosis:
    return Diagnosis("", 0, 0.0, note=note)


def _trained_as(model: Any, settings: Settings) -> _Trained | None:
    """Return how a model is trained; None where its loss is none that is tried."""
    loss, from_logits = compiled_loss(model) or (loss_name(settings.loss or ""), settings.from_logits)
    if loss is None:
        return None
    is_network = isinstance(model, Network)
    return loss, from_logits, (network_optimizer if is_network else keras_optimizer)(model, settings.optimizer)


def _recipe(model: Any, settings: Settings, trained: _Trained | None = None) -> Recipe | None:
    trained = trained or _trained_as(model, settings)
    if trained is None:
        return None
    architecture: Architecture = network_architecture(model) if isinstance(model, Network) else KerasArchitecture(model)
    return Recipe(architecture, *trained, settings.epochs, max(1, settings.batch_size))


@dataclass
class Search:
    """The search for at most two changes that help."""

    bench: TrainingBench
    goal: str
    """The loss that is measured."""
    least: float
    """Smallest gain that is told."""
    cap: float
    """Largest loss of a row that counts."""
    seed: int
    suspected: list[Remedy] = field(default_factory=list)
    """Changes whose signs the model shows."""
    told: list[PairedTrainings] = field(default_factory=list)
    extent: str = ""
    """How much of a long training is tried; empty for all of it."""
    is_short: bool = False
    """Whether the budget was too small to try everything."""

    def diagnosis(self, recipe: Recipe) -> Diagnosis:
        """Train the model itself, look for signs, and try what they suggest."""
        recipe, symptoms = self._own(recipe)
        self.suspected = [remedy for remedy in candidates(symptoms) if not (self.extent and remedy.kind in _OF_LENGTH)]
        tried: list[TriedChange] = []
        self._search(recipe, tried)
        return Diagnosis(
            self.goal,
            len(self.bench.data.compared_labels),
            self.least,
            tuple(finding(comparison, self.goal, self.extent, n) for n, comparison in enumerate(self.told)),
            tuple(self._shown(tried)),
            mean_curve(symptoms.trainings),
            self._note(),
        )

    def _shown(self, tried: Sequence[TriedChange]) -> Iterator[TriedChange]:
        """Yield what was tried with the numbers of the finding, which come from more seeds than the first look."""
        first = self.told[0].trial if self.told else None
        for trial in tried:
            is_told = first is not None and trial.change == first.change
            yield first if first and is_told else replace(trial, before=first.before) if first else trial

    def _own(self, recipe: Recipe) -> tuple[Recipe, Symptoms]:
        """Train the model itself, or the part of its training that fits into the budget."""
        untrained = Symptoms(recipe, self.goal, self.bench.data, [])
        structural = list(structural_candidates(untrained))
        trainable = recipe if untrained.is_trainable else structural[0].recipe(recipe)
        share = _OWN_SHARES[0 if structural else 1]
        short = replace(recipe, epochs=self.bench.shorten(trainable, share, _PART_SHARE).epochs)
        rows, all_rows = self.bench.rows, len(self.bench.data.labels)
        tried = short.epochs * rows / (recipe.epochs * all_rows)
        if tried < 1:
            of_rows = f" on {rows:,} of {all_rows:,} rows" if rows < all_rows else ""
            self.extent = f"{short.epochs} of {recipe.epochs} epochs{of_rows}"
        return short, replace(untrained, recipe=short, trainings=self._first(short), share=tried)

    def _note(self) -> str:
        notes = []
        if self.extent:
            notes.append(f"Your training is long: {self.extent} were tried, and only what halves the loss is told.")
        if self.is_short:
            notes.append("There was no time to try everything.")
        return " ".join(notes)

    def _search(self, recipe: Recipe, tried: list[TriedChange]) -> None:
        """Look for the change that helps most, then for the one that helps most on top of it."""
        untold = list(self.suspected)
        while untold and len(self.told) < MAX_FINDINGS:
            alpha = _ALPHAS[len(self.told)] / len(untold)
            best = self._best(recipe, untold, alpha, [] if self.told else tried)
            if best is None:
                return
            self.told.append(best)
            recipe = best.changed
            untold = [remedy for remedy in untold if remedy.kind not in (best.remedy.kind, *_OF_LENGTH)]

    def _best(
        self, recipe: Recipe, suspected: Sequence[Remedy], alpha: float, tried: list[TriedChange]
    ) -> PairedTrainings | None:
        """Return the first change of the table that halves the loss, else the first that helps.

        On top of another change, or of a part of a long training, only one that halves the loss is worth telling.
        """
        smaller: list[PairedTrainings] = []
        for comparison in self._screened(recipe, suspected, tried):
            if not comparison.halves_loss:
                smaller.append(comparison)
            elif certain := self._certain(comparison, alpha):
                return certain
        if self.told or self.extent:
            return None
        return next(filter(None, (self._certain(comparison, alpha) for comparison in smaller)), None)

    def _certain(self, comparison: PairedTrainings, alpha: float) -> PairedTrainings | None:
        """Return the comparison if its gain is larger than its noise: looked at with more and more seeds.

        The error is shared among the looks.
        """
        for count in _SEEDS:
            try:
                full = self._tested(comparison, count)
            except OutOfBudget:
                self.is_short = True
                return None
            if full.gain > self.least and full.is_better and certain_gain(full.gains, alpha / len(_SEEDS)) > 0:
                return full
            if full.gain < self.least / 2:
                return None
        return None

    def _screened(
        self, recipe: Recipe, suspected: Sequence[Remedy], tried: list[TriedChange]
    ) -> Iterator[PairedTrainings]:
        """Train with each change from one seed, or from the first few at once, and yield those that may help."""
        for remedy in suspected:
            try:
                unchanged = self._first(recipe)
                changed = remedy.recipe(recipe)
                missing = _SEEDS[0] - self.bench.together(changed)
                trained = self._first(changed, reserve=missing * self._pair_seconds(recipe, changed))
            except OutOfBudget:
                self.is_short = True
                continue
            except Exception:  # the network cannot be built or trained with this change
                continue
            comparison = PairedTrainings(remedy, recipe, changed, unchanged[: len(trained)], trained, self.cap)
            tried.append(comparison.trial)
            if comparison.gain > self.least:
                yield comparison

    def _tested(self, comparison: PairedTrainings, count: int) -> PairedTrainings:
        """Train without and with the change from this many seeds."""
        before, after = comparison.own, comparison.changed
        by_length = sorted((before, after), key=lambda recipe: -recipe.epochs)  # the shorter one may be its beginning
        trainings = {id(recipe): [self._train(recipe, number) for number in range(count)] for recipe in by_length}
        return replace(comparison, before=trainings[id(before)], after=trainings[id(after)])

    def _pair_seconds(self, before: Recipe, after: Recipe) -> float:
        """Estimate the processor time of trainings without and with a change from one seed."""
        longer = before.graph == after.graph and (before.rate, before.scaled) == (after.rate, after.scaled)
        seconds = self.bench.seconds_of(before), self.bench.seconds_of(after)
        return max(seconds) if longer else sum(seconds)

    def _first(self, recipe: Recipe, reserve: float = 0.0) -> list[Training]:
        """Train from the first seed, and return all trainings that are made with it."""
        return [self._train(recipe, number, reserve) for number in range(self.bench.together(recipe))]

    def _train(self, recipe: Recipe, number: int = 0, reserve: float = 0.0) -> Training:
        return self.bench.train(recipe, 1000 * self.seed + number, reserve)
