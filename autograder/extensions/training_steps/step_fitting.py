"""The comparison of loops with the weights that came from a kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autograder.extensions.networks.step_calculus import Weights
from autograder.extensions.training_steps.step_loops import EXACT, Batch, ExpectedSteps, LoopSettings, run_loop

LoopNumbers = tuple[float, ...]
"""What only the student's loop knows, such as a learning rate."""
LoopOf = Callable[[LoopNumbers], LoopSettings]
_MAX_NOISE = 0.1
"""Share of the largest move in an array that rounding may explain, so that a weight tells something of a loop."""
_MIN_COSINE = 0.8
"""Cosine of the angle between two moves in one direction."""
_MAX_ROUNDS = 8
_DIFFERENCE = 0.05
"""Share of a number by which it is changed in place of a derivative."""
_ENOUGH = 1e-6
"""Share of the way that may be left, and of a number that makes no difference."""
_MIN_EFFECT = 0.02
"""Share of the way that a number has to move the weights, so that they tell it."""
_MIN_SINGULAR = 0.03
"""Smallest share of the largest singular value: two numbers with one effect get the same change."""
_LIMITS = (np.inf, 0.7, 0.3)
"""For each round, the share of the way or of the distance before that may be left; the last holds for later rounds."""


class StepFitting:
    """The weights that a kernel has after each step, or after the last one alone, and what may explain them."""

    def __init__(self, right_steps: ExpectedSteps, answer: Sequence[Weights]) -> None:
        self.calculus, self.start, self.batches = right_steps.calculus, right_steps.start, right_steps.batches
        self.right, self.seed, self.answer = right_steps.loop, right_steps.seed, answer
        self.before_first = self.batches[: len(self.batches) - len(answer) + 1]
        """The batches before the first weights that came."""
        self.is_finite = all(bool(np.isfinite(array).all()) for weights in answer for array in weights)
        self._telling = _telling(right_steps)[-len(answer) :]
        self._target = self._in_a_row(answer)
        self._length = float(np.linalg.norm(self._target - self._in_a_row([self.start] * len(answer))))

    def expected(self, loop: LoopSettings, batches: Sequence[Batch] | None = None) -> ExpectedSteps:
        """Take the steps of a loop."""
        return ExpectedSteps(self.calculus, self.start, batches or self.batches, loop, self.seed)

    def explains(self, loop: LoopSettings) -> bool:
        """Return whether a loop leads to the weights that came; the first of them rule most ways out."""
        try:
            is_near = self.expected(loop, self.before_first).is_near(self.answer)
            return is_near and self.expected(loop).fits(self.answer)
        except Exception:  # the loop cannot be computed with this network
            return False

    def explains_training(self, loop: LoopSettings, share: float = EXACT) -> bool:
        """Return whether a loop leads to the trained weights, whatever the statistics of normalizations are."""
        try:
            return self.expected(loop).fits(self.answer, share, trained_only=True)
        except Exception:  # the loop cannot be computed with this network
            return False

    def ratio(self, loop: LoopSettings) -> float:
        """Return how many times as far the first weights that came lie as a loop leads; 0 for another direction."""
        try:
            history = run_loop(self.calculus, self.start, self.before_first, loop, self.seed)
        except Exception:  # the loop cannot be computed with this network
            return 0.0
        start = self._in_a_row([self.start])
        move, target = self._in_a_row(history[-1:]) - start, self._in_a_row(self.answer[:1]) - start
        with np.errstate(all="ignore"):
            product, length = float(move @ target), float(np.linalg.norm(move))
            is_along = product >= _MIN_COSINE * length * float(np.linalg.norm(target))
        return product / length**2 if is_along and length and np.isfinite(product) else 0.0

    def numbers(self, loop_of: LoopOf, guess: LoopNumbers) -> LoopNumbers | None:
        """Return the numbers with which a loop comes next to the trained weights that came.

        The search is Gauss and Newton's, with differences in place of derivatives.

        Args:
            loop_of: makes the loop of numbers; none of them is negative.
            guess: where the search begins.

        Returns:
            The numbers; None if there are too few weights to tell them, or if the loop does not come near.
        """
        if not self.is_finite or self._target.size < 2 * len(guess):
            return None
        try:
            with np.errstate(all="ignore"):
                return self._search(loop_of, guess)
        except Exception:  # the loop cannot be computed with this network
            return None

    def _search(self, loop_of: LoopOf, guess: LoopNumbers) -> LoopNumbers | None:
        numbers, distance = guess, np.inf
        for number in range(_MAX_ROUNDS):
            reached = self._reached(loop_of(numbers))
            gap = self._target - reached
            limit = _LIMITS[min(number, len(_LIMITS) - 1)] * max(distance, self._length)
            distance = float(np.linalg.norm(gap))
            if not distance <= limit:
                return None
            if distance <= _ENOUGH * self._length:
                break
            changed = self._improved(loop_of, numbers, reached, gap)
            if np.allclose(changed, numbers, rtol=_ENOUGH, atol=0):
                break
            numbers = changed
        return numbers

    def _improved(self, loop_of: LoopOf, numbers: LoopNumbers, reached: np.ndarray, gap: np.ndarray) -> LoopNumbers:
        """Return the numbers that would close the gap if the weights were linear in them."""
        effects = [self._effect(loop_of, numbers, position, reached) for position in range(len(numbers))]
        sizes = [float(np.linalg.norm(effect)) for effect in effects]
        sizes = [size if size > _MIN_EFFECT * self._length else np.inf for size in sizes]
        matrix = np.stack([effect / size for effect, size in zip(effects, sizes, strict=True)], axis=1)
        shares = np.linalg.lstsq(matrix, gap, rcond=_MIN_SINGULAR)[0]
        changes = zip(numbers, shares, sizes, strict=True)
        return tuple(max(0.0, value + _scale(value) * float(share) / size) for value, share, size in changes)

    def _effect(self, loop_of: LoopOf, numbers: LoopNumbers, position: int, reached: np.ndarray) -> np.ndarray:
        """Return what a change of one number by its own size would do to the trained weights."""
        moved = list(numbers)
        moved[position] += _DIFFERENCE * _scale(numbers[position])
        change: np.ndarray = self._reached(loop_of(tuple(moved))) - reached
        return change / _DIFFERENCE

    def _reached(self, loop: LoopSettings) -> np.ndarray:
        history = run_loop(self.calculus, self.start, self.batches, loop, self.seed)
        return self._in_a_row(history[-len(self.answer) :])

    def _in_a_row(self, history: Sequence[Weights]) -> np.ndarray:
        """Return the weights of the first steps that tell something of a loop, in float64."""
        pairs = [pair for steps in zip(history, self._telling, strict=False) for pair in zip(*steps, strict=True)]
        return np.concatenate([array[is_telling] for array, is_telling in pairs]).astype(np.float64)


def _telling(steps: ExpectedSteps) -> list[list[np.ndarray]]:
    """Return which weights move by more than what rounding makes of a step: Adam moves others by a whole length."""
    return [
        [
            (allowed <= _MAX_NOISE * np.abs(array - start).max(initial=0)) & is_trained
            for array, allowed, start, is_trained in zip(*arrays, steps.start, steps.calculus.trained, strict=True)
        ]
        for arrays in zip(steps.history, steps.tolerances(EXACT), strict=True)
    ]


def _scale(number: float) -> float:
    return max(number, 0.01)
