"""Ways to take training steps: the right one, and those that a slip of a loop amounts to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.extensions.networks.rows import take_rows
from autograder.extensions.networks.step_calculus import OptimizerSettings, StepCalculus, Weights
from autograder.extensions.training_steps.gradient_changes import GradientChange, Gradients, unchanged
from autograder.extensions.training_steps.step_losses import Objective, output_gradient

Batch = tuple[Any, np.ndarray]
"""Inputs, rows first, and labels."""


@dataclass(frozen=True)
class LoopSettings:
    """How a loop takes its steps."""

    objective: Objective
    optimizer: OptimizerSettings
    clears: bool = True
    """Whether gradients are cleared for each step; otherwise they add up."""
    updates: str = "after"
    """``after`` the gradients are there, ``before`` (so with those of the step before), or ``never``."""
    keeps_optimizer: bool = True
    """Whether one optimizer takes all steps; otherwise each step has a new one."""
    training: str = "on"
    """``on``, ``off``, or ``first`` (on in the first step only)."""
    passes: str = ""
    """A second pass of the batch in training mode: ``before`` or ``after`` the step; empty for none."""
    repeats: int = 1
    """Steps that are taken with each batch."""
    rows: str = "all"
    """``all``, ``first`` (one row) or ``half``: those that the loss is computed of."""
    batch: str = "own"
    """``own``, or ``first``: the batch that a step uses."""
    labels: str = "own"
    """``own``, or ``rolled``: those of the next row."""
    change: GradientChange = unchanged
    """What becomes of the gradients of a batch."""
    batches_per_step: int = 1
    """The batches whose gradients are added before a step is taken."""
    rates: tuple[float, ...] = ()
    """For each step, the multiple of the learning rate; empty for 1."""
    frozen: frozenset[int] = frozenset()
    """The positions of weights that stay as they are."""


def run_loop(
    calculus: StepCalculus,
    start: Weights,
    batches: Sequence[Batch],
    loop: LoopSettings,
    seed: int,
    noise: GradientNoise | None = None,
) -> list[Weights]:
    """Take a step with each batch, and return the weights after each.

    Args:
        calculus: computes with the network.
        start: the weights before the first step.
        batches: the batches in their order.
        loop: how steps are taken.
        seed: what each step draws follows from it and the number of the step.
        noise: an error of all gradients, to learn how far it moves the weights.

    Raises:
        ValueError: the labels do not fit the outputs.
    """
    run, history = _LoopRun(calculus, start, loop, noise), []
    for number in range(len(batches)):
        batch = _rows_of(loop, batches[0 if loop.batch == "first" else number])
        for _ in range(loop.repeats):
            run.step(batch, number, seed + number)
        history.append(run.weights)
    return history


class _LoopRun:
    """A loop that runs: its weights, its gradients and its optimizer."""

    def __init__(self, calculus: StepCalculus, start: Weights, loop: LoopSettings, noise: GradientNoise | None) -> None:
        self.calculus, self.loop, self.noise = calculus, loop, noise
        self.weights = start
        self.gradients: Gradients = []
        self.update = calculus.update(loop.optimizer)

    def step(self, batch: Batch, number: int, seed: int) -> None:
        """Take the step of a number, from 0, with a batch."""
        inputs, labels = batch
        loop, start = self.loop, self.weights
        if loop.passes == "before":
            start = self.calculus.forward(start, inputs, training=True, seed=seed).weights
        if not loop.keeps_optimizer:
            self.update = self.calculus.update(loop.optimizer)
        is_training = loop.training == "on" or (loop.training == "first" and number == 0)
        computed = self.calculus.forward(start, inputs, training=is_training, seed=seed)
        moved = computed.weights
        if loop.updates == "before" and self.gradients:
            moved = self._updated(moved, number)
        self._add(computed.gradients(output_gradient(loop.objective, computed.outputs, labels)), start, number)
        if loop.updates == "after" and (number + 1) % loop.batches_per_step == 0:
            moved = self._updated(moved, number)
        self.weights = [start[k] if k in loop.frozen else array for k, array in enumerate(moved)]
        if loop.passes == "after":
            self.weights = self.calculus.forward(self.weights, inputs, training=True, seed=seed).weights

    def _updated(self, weights: Weights, number: int) -> Weights:
        """Let the optimizer take a step, of the length that it has at the number of the step."""
        stepped, rates = self.update(weights, self.gradients), self.loop.rates
        if not rates:
            return stepped
        return [array + rates[number] * (moved - array) for array, moved in zip(weights, stepped, strict=True)]

    def _add(self, gradients: Gradients, weights: Weights, number: int) -> None:
        """Put new gradients in place of those of the batch before, or add them to these."""
        loop = self.loop
        gradients = gradients if self.noise is None else self.noise.added(gradients)
        changed = loop.change(gradients, weights, number)
        if self.gradients and (not loop.clears or number % loop.batches_per_step):
            changed = [_sum(before, after) for before, after in zip(self.gradients, changed, strict=True)]
        self.gradients = changed


def _sum(before: np.ndarray | None, after: np.ndarray | None) -> np.ndarray | None:
    return after if before is None or after is None else before + after


def _rows_of(loop: LoopSettings, batch: Batch) -> Batch:
    inputs, labels = batch
    count = {"first": 1, "half": max(1, len(labels) // 2)}.get(loop.rows, len(labels))
    labels = np.roll(labels, -1, axis=0) if loop.labels == "rolled" else labels
    return (inputs, labels) if count == len(labels) else (take_rows(inputs, np.arange(count)), labels[:count])


class GradientNoise:
    """An error of gradients: a share of the largest one, up or down at each position, in all steps alike."""

    def __init__(self, seed: int, share: float) -> None:
        self.seed, self.share = seed, share

    def added(self, gradients: Gradients) -> Gradients:
        """Return the gradients with the error."""
        draw = np.random.default_rng(self.seed)
        size = self.share * max(
            (float(np.abs(array).max(initial=0)) for array in gradients if array is not None), default=0.0
        )
        return [
            None if array is None else array + size * draw.choice([-1.0, 1.0], array.shape).astype(array.dtype)
            for array in gradients
        ]


EXACT = 1e-5
"""Share of the largest gradient that rounding may change."""
HALF_PRECISION = 0.02
"""Share of the largest gradient that numbers of 16 bits may change: bfloat16 keeps 8 bits of each."""
_SHAKES = 2
"""How many errors of gradients are tried, each with both signs: the sign of a gradient that is rounding is chance."""


class ExpectedSteps:
    """The weights after each step of one loop, with what rounding may change of them."""

    def __init__(
        self, calculus: StepCalculus, start: Weights, batches: Sequence[Batch], loop: LoopSettings, seed: int
    ) -> None:
        self.calculus, self.start, self.batches, self.loop, self.seed = calculus, start, batches, loop, seed
        self.history = self.run(loop)
        self._tolerances: dict[float, list[Weights]] = {}

    def run(self, loop: Any, noise: GradientNoise | None = None) -> list[Weights]:
        """Take the steps of a loop from the same start, see :func:`run_loop`."""
        return run_loop(self.calculus, self.start, self.batches, loop, self.seed, noise)

    def tolerances(self, share: float) -> list[Weights]:
        """Return the difference that is allowed at each position, after each step.

        It is twice what an error of the gradients changes, and the same share of how far an array moves.
        """
        if share not in self._tolerances:
            noises = [GradientNoise(number, sign * share) for number in range(_SHAKES) for sign in (1, -1)]
            shaken = [self.run(self.loop, noise) for noise in noises]
            self._tolerances[share] = [
                [
                    2 * np.max([np.abs(run[step][position] - array) for run in shaken], axis=0)
                    + self._rounding(array, position, share)
                    for position, array in enumerate(weights)
                ]
                for step, weights in enumerate(self.history)
            ]
        return self._tolerances[share]

    def _rounding(self, array: np.ndarray, position: int, share: float) -> float:
        moved = float(np.abs(array - self.start[position]).max(initial=0))
        size = float(np.abs(array).max(initial=0))
        return share * moved + 16 * float(np.finfo(np.float32).eps) * max(size, 1e-3)

    def fits(self, answer: Sequence[Weights], share: float = EXACT, *, trained_only: bool = False) -> bool:
        """Return whether the weights that a kernel has after each step, or after the last one alone, are these.

        Args:
            answer: the weights of the kernel.
            share: the error of the gradients that may explain a difference, as a share of the largest.
            trained_only: whether the statistics of normalizations may be any.
        """
        count, trained = len(answer), self.calculus.trained
        tolerances_of_steps = self.tolerances(share)[-count:]
        return all(
            bool((np.abs(array - expected) <= allowed).all()) or (trained_only and not is_trained)
            for arrays, weights, tolerances in zip(answer, self.history[-count:], tolerances_of_steps, strict=True)
            for array, expected, allowed, is_trained in zip(arrays, weights, tolerances, trained, strict=True)
        )

    def shows_updates(self, steps: int = 0) -> bool:
        """Return whether a loop that never updates leads to other weights, so that an empty function does not fit.

        Args:
            steps: the number of the last steps after which weights are compared; 0 for all.
        """
        still = replace(self.loop, updates="never")
        return not self.fits(self.run(still)[-steps:])

    def is_near(self, answer: Sequence[Weights]) -> bool:
        """Return whether most weights are about right: a cheap test before the exact one."""
        far = [
            (np.abs(array - expected) > 0.01 * np.abs(expected - start).max(initial=0) + 1e-5).ravel()
            for arrays, weights in zip(answer, self.history[-len(answer) :], strict=False)
            for array, expected, start in zip(arrays, weights, self.start, strict=True)
        ]
        return not far or float(np.concatenate(far).mean()) <= 0.5
