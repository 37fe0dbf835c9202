"""Steps of a generator and a discriminator in turns: the right ones, and those that a slip amounts to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.extensions.networks.step_calculus import OptimizerSettings, StepCalculus, Weights
from autograder.extensions.training_steps.gradient_changes import Gradients
from autograder.extensions.training_steps.step_loops import Batch, ExpectedSteps, GradientNoise
from autograder.extensions.training_steps.step_losses import Objective, output_gradient

PLAYERS = ("generator", "discriminator")


@dataclass(frozen=True)
class PairLoop:
    """How a loop trains a generator and a discriminator."""

    objective: Objective
    optimizers: tuple[OptimizerSettings, ...]
    """The generator's and the discriminator's."""
    order: tuple[str, ...] = ("discriminator", "generator")
    """The players that take a step with each batch."""
    keeps_rows: bool = False
    """Whether the second player takes its step for what was generated before the first one took its."""
    share: float = 1.0
    """Factor of the sum of the discriminator's two losses."""
    is_joined: bool = False
    """Whether the discriminator gets real and generated rows at once."""
    labels: tuple[float, float, float] = (1.0, 0.0, 1.0)
    """Labels of real rows, of generated ones, and those that the generator wants for these."""
    kinds: tuple[float, float] = (1.0, 1.0)
    """Factors of the losses for real and for generated rows."""
    generator_sign: float = 1.0
    """-1 for a generator that ascends."""
    clears: str = "before"
    """When gradients are cleared: ``before`` a player's own, at the ``begin`` of a batch, ``after`` its step."""
    uncleared: tuple[str, ...] = ()
    """The players whose gradients are never cleared."""
    detaches: bool = True
    """Whether the discriminator's loss has no gradients for the generator."""
    moves_both: tuple[str, ...] = ()
    """The players whose optimizer trains both networks, and clears the gradients of both."""


class ExpectedPair(ExpectedSteps):
    """The weights of both networks after each batch, with what rounding may change of them."""

    def run(self, loop: Any, noise: GradientNoise | None = None) -> list[Weights]:
        """Take the steps of a :class:`PairLoop`."""
        running, history = _PairRun(self.calculus, self.start, loop, noise, self.seed), []
        for batch in self.batches:
            running.step(batch)
            history.append(running.weights)
        return history


class _PairRun:
    """A loop that runs: the weights of both networks, their gradients and their optimizers."""

    def __init__(
        self, calculus: StepCalculus, start: Weights, loop: PairLoop, noise: GradientNoise | None, seed: int
    ) -> None:
        self.calculus, self.weights, self.loop, self.noise, self.seed = calculus, start, loop, noise, seed
        self.gradients: Gradients = [None] * len(start)
        self.updates = [calculus.update(optimizer) for optimizer in loop.optimizers]
        if loop.moves_both == PLAYERS:
            self.updates[1] = self.updates[0]  # it is one optimizer, with one memory

    def step(self, batch: Batch) -> None:
        """Take the steps of a batch: real rows, and the noise of each of the two steps."""
        (real, noises), _ = batch
        start = self.weights
        if self.loop.clears == "begin":
            self._clear(*PLAYERS)
        for index, player in enumerate(self.loop.order):
            if self.loop.clears == "before":
                self._clear(player)
            held = start if self.loop.keeps_rows else self.weights
            self._add(player, self._gradients(player, held, real, noises[0 if self.loop.keeps_rows else index]))
            self._update(player)
            if self.loop.clears == "after":
                self._clear(player)

    def _gradients(self, player: str, weights: Weights, real: Any, noise: Any) -> Gradients:
        """Return the gradients of a player's loss, of both networks."""
        loop, is_judge = self.loop, player == "discriminator"
        rows = [real, noise, loop.is_joined and is_judge]
        computed = self.calculus.forward(weights, rows, training=True, seed=self.seed)
        halves = np.split(computed.outputs, [len(real)])
        factors = [loop.share * kind for kind in loop.kinds] if is_judge else [0.0, loop.generator_sign]
        labels = loop.labels[:2] if is_judge else (0.0, loop.labels[2])
        of_outputs = [
            factor * output_gradient(loop.objective, half, np.full(half.shape, label))
            for half, factor, label in zip(halves, factors, labels, strict=True)
        ]
        gradients = computed.gradients(np.concatenate(of_outputs))
        return gradients if self.noise is None else self.noise.added(gradients)

    def _add(self, player: str, gradients: Gradients) -> None:
        is_apart = player == "discriminator" and self.loop.detaches
        self.gradients = [
            before if after is None or (is_apart and self._is_of("generator", index)) else _sum(before, after)
            for index, (before, after) in enumerate(zip(self.gradients, gradients, strict=True))
        ]

    def _update(self, player: str) -> None:
        chosen = [
            gradient if player in self.loop.moves_both or self._is_of(player, index) else None
            for index, gradient in enumerate(self.gradients)
        ]
        self.weights = self.updates[PLAYERS.index(player)](self.weights, chosen)

    def _clear(self, *players: str) -> None:
        chosen = PLAYERS if set(players) & set(self.loop.moves_both) else players
        cleared = [player for player in chosen if player not in self.loop.uncleared]
        self.gradients = [
            None if any(self._is_of(player, index) for player in cleared) else gradient
            for index, gradient in enumerate(self.gradients)
        ]

    def _is_of(self, player: str, index: int) -> bool:
        return self.calculus.names[index].startswith(f"{PLAYERS.index(player)}.")


def _sum(before: np.ndarray | None, after: np.ndarray) -> np.ndarray:
    return after if before is None else before + after


Change = Callable[[PairLoop], PairLoop]
_GENERATOR_FIRST = ("generator", "discriminator")


def right_loops(loop: PairLoop, first: str | None) -> Iterator[PairLoop]:
    """Yield the loops that are as asked: of each order, and with each way to take the two losses together.

    Args:
        loop: a right one.
        first: the player that takes its step first; None for any.
    """
    orders = [] if first == "generator" else [loop]
    if first != "discriminator":
        of_generator = replace(loop, order=_GENERATOR_FIRST)
        orders += [of_generator, replace(of_generator, keeps_rows=True)]
    for ordered in orders:
        yield from (replace(ordered, share=share, is_joined=joined) for share, joined in _SHARES)


_SHARES = ((1.0, False), (0.5, False), (0.5, True), (1.0, True))


def _changed(**changes: Any) -> Change:
    return lambda loop: replace(loop, **changes)


_LATE = "the discriminator's loss moves the generator: detach the generated rows, or clear its gradients later"
_LEFT_OVER = "the gradients that the generator's loss has for the discriminator stay for its {}: clear them before it"
_FOUND_OUT = "the generator's loss has the label of generated rows: it needs that of real ones"
_ONE_OPTIMIZER = "one optimizer trains both networks in each step"
_TURNED = "The generator's loss is the discriminator's, turned around."
_UNCLEARED = "the gradients of both networks are never cleared"
MISSING_STEPS: Sequence[tuple[str, Change]] = (
    ("no weight changes: no step is taken", _changed(order=())),
    ("the generator takes no step", _changed(order=("discriminator",))),
    ("the discriminator takes no step", _changed(order=("generator",))),
)
OTHER_LOSSES: Sequence[tuple[str, Change]] = (
    ("real and generated rows have changed their labels", _changed(labels=(0.0, 1.0, 1.0))),
    ("the discriminator sees no generated rows", _changed(kinds=(1.0, 0.0))),
    ("the discriminator sees no real rows", _changed(kinds=(0.0, 1.0))),
)
SLIPS: Sequence[tuple[str, Change]] = (
    *MISSING_STEPS,
    ("the discriminator's gradients are never cleared", _changed(uncleared=("discriminator",))),
    ("the generator's gradients are never cleared", _changed(uncleared=("generator",))),
    (_UNCLEARED, _changed(uncleared=PLAYERS)),
    (_UNCLEARED, _changed(uncleared=PLAYERS, detaches=False)),
    (_LEFT_OVER.format("next step"), _changed(clears="after")),
    (_LEFT_OVER.format("step"), _changed(clears="begin")),
    (_LATE, _changed(clears="begin", detaches=False)),
    (_LATE, _changed(clears="after", detaches=False)),
    ("the discriminator's optimizer trains both networks", _changed(moves_both=("discriminator",), detaches=False)),
    ("the generator's optimizer trains both networks", _changed(moves_both=("generator",))),
    (_ONE_OPTIMIZER, _changed(moves_both=PLAYERS)),
    (_ONE_OPTIMIZER, _changed(moves_both=PLAYERS, detaches=False)),
    OTHER_LOSSES[0],
    (_FOUND_OUT, _changed(labels=(1.0, 0.0, 0.0))),
    *OTHER_LOSSES[1:],
)
"""Sentence for the student → the loop that the slip amounts to."""
UNLIKE: Sequence[tuple[str, Change]] = (
    ("Real rows have the label 0, and generated ones 1.", _changed(labels=(0.0, 1.0, 0.0))),
    (_TURNED, _changed(labels=(1.0, 0.0, 0.0), generator_sign=-1.0)),
    ("The labels of real rows are 0.9.", _changed(labels=(0.9, 0.0, 1.0))),
)
"""Sentence for a person → another loop that trains both."""
