"""Steps that descend by another way than the asked one, such as along clipped gradients: a person decides them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from autograder.extensions.networks.step_calculus import Weights
from autograder.extensions.training_steps import gradient_changes
from autograder.extensions.training_steps.gradient_changes import GradientChange, Gradients
from autograder.extensions.training_steps.step_fitting import LoopNumbers, StepFitting
from autograder.extensions.training_steps.step_loops import HALF_PRECISION, LoopSettings, run_loop

Guesses = Sequence[LoopNumbers]
_CLOSE = 1e-4
"""Share of the largest gradient by which the formulas of libraries may differ."""
_LIKE_ONE = 0.003
"""Relative difference below which two multiples of the learning rate are one."""
_SHARES_OF_NORMS, _SHARES_OF_VALUES = (0.0, 0.5, 0.9), (0.1, 0.6, 0.95)
"""Quantiles of what is clipped from which a search begins."""


@dataclass(frozen=True)
class StepHints:
    """What numbers are guessed from."""

    gradients: Sequence[Gradients]
    """Gradients of the right steps."""
    ratio: float
    """How many times as long the first move is as the right one; 1 for another direction."""


@dataclass(frozen=True)
class StepDescent:
    """A way to descend, with numbers that only the student's loop knows."""

    sentence: str
    """What the loop does, for the student and for a person; it has a place for each number that it says."""
    loop: Callable[[LoopSettings, LoopNumbers], LoopSettings]
    """Changes the right loop."""
    guesses: Callable[[StepHints], Guesses]
    """Returns the numbers from which a search begins."""
    accepts: Callable[[LoopNumbers], bool] = all
    """Tells whether the numbers are those of such a loop."""
    short: str = ""
    """The sentence where the weights do not tell the number."""


def _changed(change: Callable[..., GradientChange]) -> Callable[[LoopSettings, LoopNumbers], LoopSettings]:
    return lambda right, numbers: replace(right, change=change(*numbers))


def _added(right: LoopSettings, numbers: LoopNumbers) -> LoopSettings:
    return replace(right, batches_per_step=2, change=gradient_changes.scaled(*numbers))


def _scheduled(right: LoopSettings, numbers: LoopNumbers) -> LoopSettings:
    return replace(right, rates=numbers)


def _shortened(right: LoopSettings, numbers: LoopNumbers) -> LoopSettings:
    """Give each step a factor of its gradients, and a multiple of the learning rate."""
    count = len(numbers) // 2
    return replace(right, change=gradient_changes.scaled(*numbers[:count]), rates=numbers[count:])


def _constant(number: float) -> Callable[[StepHints], Guesses]:
    return lambda hints: [(number,)]


def _multiples(hints: StepHints) -> Guesses:
    """Guess that all steps are as short as the first."""
    return [(hints.ratio,) * len(hints.gradients)]


def _factors_and_multiples(hints: StepHints) -> Guesses:
    return [tuple(float(np.sqrt(hints.ratio)) for _ in range(2 * len(hints.gradients)))]


def _norms(hints: StepHints) -> Guesses:
    """Guess the norm that makes the first step as short as it is, and one between those of the steps."""
    lengths = [gradient_changes.norm(arrays) for arrays in hints.gradients]
    return [(min(hints.ratio, 0.9) * lengths[0],), (float(np.sqrt(lengths[0] * lengths[-1])),)]


def _norms_of_arrays(hints: StepHints) -> Guesses:
    lengths = [gradient_changes.norm([array]) for array in hints.gradients[0] if array is not None]
    return [(float(np.quantile(lengths, share)),) for share in _SHARES_OF_NORMS]


def _values(hints: StepHints) -> Guesses:
    sizes = np.concatenate([np.abs(array).ravel() for array in hints.gradients[0] if array is not None])
    return [(float(np.quantile(sizes, share)),) for share in _SHARES_OF_VALUES]


def _is_share(numbers: LoopNumbers) -> bool:
    return 0 < numbers[0] < 1 + _LIKE_ONE


def _is_schedule(numbers: LoopNumbers) -> bool:
    """Tell a schedule from another rate, which all steps have, and from steps that are too long."""
    return max(numbers) < 1 + _LIKE_ONE and max(numbers) - min(numbers) > _LIKE_ONE * max(numbers)


def _is_shorter(numbers: LoopNumbers) -> bool:
    """Tell whether no step is too long, and whether they are shorter by more than another rate."""
    rates = numbers[len(numbers) // 2 :]
    lengths = [factor * rate for factor, rate in zip(numbers, rates, strict=False)]
    return max(rates) < 1 + _LIKE_ONE and max(lengths) - min(lengths) > _LIKE_ONE * max(lengths)


_CLIPPED = "The steps are those of gradients that are clipped"
_TOGETHER = "No step is taken with the first batch; the one with the second is for the gradients of both"
DESCENTS = (
    StepDescent(
        f"{_TOGETHER}: {{:.3g}} times their sum.",
        _added,
        _constant(1.0),
        _is_share,
        f"{_TOGETHER}.",
    ),
    StepDescent(
        f"{_CLIPPED} to the norm {{:.3g}}.",
        _changed(gradient_changes.clipped_to_norm),
        _norms,
        short=f"{_CLIPPED} to a norm.",
    ),
    StepDescent(
        f"{_CLIPPED} to the norm {{:.3g}}, those of each array by themselves.",
        _changed(gradient_changes.each_clipped_to_norm),
        _norms_of_arrays,
        short=f"{_CLIPPED} to a norm, those of each array by themselves.",
    ),
    StepDescent(
        f"{_CLIPPED} to values of at most {{:.3g}}.",
        _changed(gradient_changes.clipped_to_values),
        _values,
        short=f"{_CLIPPED} to values.",
    ),
    StepDescent(
        "The steps have {:.3g} and {:.3g} times the learning rate, as with a warm-up or another schedule.",
        _scheduled,
        _multiples,
        _is_schedule,
    ),
    StepDescent(
        "The loss has a penalty on the weights, as a weight decay of {:.3g}.",
        _changed(gradient_changes.with_penalty),
        _constant(0.01),
    ),
    StepDescent(
        "The loss has a penalty on the weights, but for those of one axis, as a weight decay of {:.3g}.",
        _changed(partial(gradient_changes.with_penalty, min_axes=2)),
        _constant(0.01),
    ),
    StepDescent(
        "The steps go in the right direction and are shorter than the asked ones, as with clipping and a schedule.",
        _shortened,
        _factors_and_multiples,
        _is_shorter,
    ),
)
_ALMOST = "The weights move as they should; the statistics of a normalization"
_SECOND_PASSES = (
    ("after", f"{_ALMOST} move again after the step: the network is evaluated in training mode."),
    ("before", f"{_ALMOST} move twice: the network is called in training mode once more."),
)
_OTHER_STATISTICS = f"{_ALMOST} do not."
_HALF_PRECISION = "The weights move about as they should, as with numbers of 16 bits."
_ROUGHLY = "Numbers of 16 bits explain the rest."


class DescentSearch:
    """The search for another way to descend that leads to a kernel's weights."""

    def __init__(self, fitting: StepFitting) -> None:
        self.fitting, self.right = fitting, fitting.right

    def sentence(self) -> str:
        """Say which way explains the weights; empty if none does."""
        if not self.fitting.is_finite:
            return ""
        near: list[tuple[StepDescent, LoopNumbers]] = []
        for descent, numbers in self._nearest():
            if self._explains(descent, numbers, _CLOSE):
                return self._told(descent, numbers)
            near.append((descent, numbers))
        if self.fitting.explains_training(self.right, HALF_PRECISION):
            return _HALF_PRECISION
        rough = (pair for pair in near if self._explains(*pair, HALF_PRECISION))
        return next((f"{self._told(*pair, HALF_PRECISION)} {_ROUGHLY}" for pair in rough), "")

    def second_pass(self) -> str:
        """Say what moves the statistics of normalizations beside right steps; empty if the steps are wrong."""
        passes = (text for kind, text in _SECOND_PASSES if self.fitting.explains(replace(self.right, passes=kind)))
        only_statistics = self.fitting.explains_training(self.right)
        return next(passes, _OTHER_STATISTICS) if only_statistics else ""

    def _nearest(self) -> Iterator[tuple[StepDescent, LoopNumbers]]:
        """Yield each way with the numbers that come next to the weights, if they are numbers of such a way."""
        hints = StepHints(self._gradients(), self.fitting.ratio(self.right) or 1.0)
        for descent in DESCENTS:
            for guess in descent.guesses(hints):
                numbers = self.fitting.numbers(partial(descent.loop, self.right), guess)
                if numbers is not None and descent.accepts(numbers):
                    yield descent, numbers

    def _explains(self, descent: StepDescent, numbers: LoopNumbers, share: float) -> bool:
        return self.fitting.explains_training(descent.loop(self.right, numbers), share)

    def _told(self, descent: StepDescent, numbers: LoopNumbers, share: float = _CLOSE) -> str:
        """Say what the loop does, with its numbers if no others explain the weights as well."""
        is_open = descent.short and self._explains(descent, tuple(0.7 * number for number in numbers), share)
        return descent.short if is_open else descent.sentence.format(*numbers)

    def _gradients(self) -> list[Gradients]:
        """Return the gradients of the right steps."""
        steps: list[Gradients] = []

        def noted(gradients: Gradients, weights: Weights, step: int) -> Gradients:
            steps.append(gradients)
            return gradients

        fitting = self.fitting
        run_loop(fitting.calculus, fitting.start, fitting.batches, replace(self.right, change=noted), fitting.seed)
        return steps
