"""The numbers of a network that are exchanged for drawn ones, one by one, whatever tensors they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.extensions.computes.search_budget import SearchBudget
from autograder.extensions.networks.weight_function import NumberKind, WeightFunction

MEAN, VARIANCE = 0.3, 1.7
_STATISTICS: dict[NumberKind, float] = {"mean": MEAN, "variance": VARIANCE}
"""What all statistics of normalizations are set to: the library keeps them, and a right network has them, too."""
_PASSES = 2
"""Random combinations of outputs whose gradients tell one number from another."""
_POINTS, _MAX_POINTS = 3, 16
"""Random weights at which is looked which numbers change an output, and most of them where some do not."""
RELATIVE, ABSOLUTE = 1e-9, 1e-11
"""Differences that count as rounding in double precision: relative to a number, and to the largest one beside it."""


@dataclass(frozen=True)
class ComparedRows:
    """The rows and the combinations of outputs that two networks are compared with."""

    rows: Any
    part: int | None
    """The number of the output, None for all."""
    seed: int

    def chosen(self, outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs that are compared."""
        return list(outputs) if self.part is None else [outputs[self.part]]

    def weights_of(self, outputs: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """Draw combinations of outputs: the same ones for outputs of the same sizes."""
        draws = np.random.default_rng([self.seed, 7])
        places = range(len(outputs)) if self.part is None else [self.part % len(outputs)]
        combinations = []
        for _ in range(_PASSES):
            drawn = {place: draws.normal(size=outputs[place].size).reshape(outputs[place].shape) for place in places}
            combinations.append([drawn.get(place, np.zeros(held.shape)) for place, held in enumerate(outputs)])
        return combinations


class Elements:
    """A network as a function of a line of numbers."""

    def __init__(
        self,
        function: WeightFunction,
        kinds: Sequence[NumberKind],
        budget: SearchBudget,
        constants: Sequence[float] = (),
    ) -> None:
        """Take the numbers of some kinds for those that are exchanged.

        Args:
            function: the network.
            kinds: what is exchanged.
            budget: what its computations may take.
            constants: values that constants get in turn, for a normalization of the student's own; empty keeps them.
        """
        self.function, self.budget = function, budget
        self.base = [
            np.full(array.shape, _STATISTICS[kind]) if kind in _STATISTICS else np.asarray(array)
            for array, kind in zip(function.arrays, function.kinds, strict=True)
        ]
        held = [place for place, kind in enumerate(function.kinds) if kind == "constant" and constants]
        for number, constant in enumerate(held):
            self.base[constant] = np.full(self.base[constant].shape, constants[number % len(constants)])
        self.places = [place for place, kind in enumerate(function.kinds) if kind in kinds and self.base[place].size]
        self.shapes = [self.base[place].shape for place in self.places]
        self.sizes = [self.base[place].size for place in self.places]
        self.count = sum(self.sizes)
        self.tensor = np.repeat(np.arange(len(self.places)), self.sizes)
        """For each number, which of the exchanged arrays it lies in."""
        self.scales = np.repeat([_scale(shape) for shape in self.shapes], self.sizes)
        """The usual size of each number, by which signals neither vanish nor explode."""
        self.signs = np.ones(self.count)

    @property
    def own(self) -> np.ndarray:
        """The network's own numbers of these arrays, whatever their signs."""
        held = [np.asarray(self.function.arrays[place], dtype=np.float64).ravel() for place in self.places]
        return np.concatenate([np.zeros(0), *held])

    def arrays(self, numbers: np.ndarray) -> list[np.ndarray]:
        """Return the arrays of the network with these numbers."""
        held = list(self.base)
        parts = np.split(numbers * self.signs, np.cumsum(self.sizes)[:-1])
        for position, shape, part in zip(self.places, self.shapes, parts, strict=True):
            held[position] = part.reshape(shape)
        return held

    def outputs(self, numbers: np.ndarray, comparison: ComparedRows, rows: Any = None) -> list[np.ndarray]:
        """Compute the compared outputs.

        Raises:
            SearchTimeout: there is no time left.
        """
        self.budget.require_time()
        rows = comparison.rows if rows is None else rows
        return comparison.chosen(self.function.outputs(self.arrays(numbers), rows))

    def combinations(self, numbers: np.ndarray, comparison: ComparedRows) -> np.ndarray:
        """Compute the combinations of outputs, (combinations,).

        Raises:
            SearchTimeout: there is no time left.
        """
        self.budget.require_time()
        outputs = self.function.outputs(self.arrays(numbers), comparison.rows)
        sums = [
            sum(float(np.vdot(weight, output)) for weight, output in zip(weights, outputs, strict=True))
            for weights in comparison.weights_of(outputs)
        ]
        return np.array(sums)

    def signature(self, numbers: np.ndarray, comparison: ComparedRows) -> tuple[list[np.ndarray], np.ndarray]:
        """Compute the compared outputs, and what each number changes of some combinations of them.

        Returns:
            Outputs, and an array (numbers, combinations).

        Raises:
            SearchTimeout: there is no time left.
        """
        self.budget.require_time()
        passed = self.function.forward(self.arrays(numbers), comparison.rows)
        columns = []
        for weights in comparison.weights_of(passed.outputs):
            gradients = passed.gradients(weights)
            columns.append(np.concatenate([gradients[place].ravel() for place in self.places]) * self.signs)
        return comparison.chosen(passed.outputs), np.stack(columns, axis=1)


def _scale(shape: tuple[int, ...]) -> float:
    """Return a usual size of the numbers of an array."""
    sizes = sorted(shape)
    return min(0.5, float(np.prod(sizes[:-1], dtype=float) or 1.0) ** -0.5) if len(sizes) > 1 else 0.4


@dataclass(frozen=True)
class Roles:
    """Which numbers of a network play a part of their own."""

    own: np.ndarray
    """Places of the numbers that are exchanged. Of numbers of which only the sum counts, this is the last."""
    dimension: int
    """The number of ways in which the outputs change, which the way a network is written does not change."""
    redundant: tuple[np.ndarray, ...]
    """Places of numbers in ``own`` that change nothing that a later one does not change, as a bias before a
    normalization with a shift; and the same for an earlier one."""
    labels: np.ndarray
    """The class of each number; only the sum of a class counts, and class 0 changes nothing."""

    def summed(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers that mean the same, with zeros where none plays a part of its own."""
        result = np.zeros(len(numbers))
        result[self.own] = np.bincount(self.labels, numbers)[self.labels[self.own]]
        return result


def roles(elements: Elements, comparison: ComparedRows) -> Roles:
    """Find the numbers that play a part of their own, by what they change at random weights."""
    draws = np.random.default_rng([comparison.seed, 11])
    signatures: list[np.ndarray] = []
    with np.errstate(all="ignore"):
        while len(signatures) < _MAX_POINTS:
            numbers = np.abs(draws.normal(size=elements.count)) * elements.scales
            signs = np.where(draws.random(elements.count) < 0.4, -1, 1)
            # Behind positive weights, few units of a ReLU are closed for all rows, as some are behind signed ones.
            signature = elements.signature(numbers if len(signatures) % 2 else numbers * signs, comparison)[1]
            if not np.isfinite(signature).all():
                signature = elements.signature(numbers, comparison)[1]
            signatures.append(np.nan_to_num(signature / (np.abs(signature).max(initial=0.0) or 1.0)))
            silent = np.all([(np.abs(changes) < ABSOLUTE).all(axis=1) for changes in signatures], axis=0)
            if len(signatures) >= _POINTS and not silent.any():
                break
    labels = np.where(silent, 0, 1)
    for changes in signatures:
        labels = refined(labels, changes)
    directions = np.where(silent, 0, 1)
    for changes in signatures:
        lengths = np.linalg.norm(changes, axis=1, keepdims=True)
        turned = changes / np.where(lengths > 0, lengths, 1)
        largest = np.take_along_axis(turned, np.abs(turned).argmax(axis=1)[:, None], axis=1)
        directions = refined(directions, turned * np.where(largest < 0, -1, 1), relative=1e-6, absolute=1e-7)
    loud = np.flatnonzero(~silent)
    single = np.sort(loud[::-1][np.unique(labels[loud][::-1], return_index=True)[1]])
    last = {directions[place]: place for place in single}
    first = {directions[place]: place for place in single[::-1]}
    redundant = tuple(
        np.array([place for place in single if chosen[directions[place]] != place], dtype=int)
        for chosen in (last, first)
    )
    return Roles(single, len(last), redundant, np.where(silent, 0, labels + 1))


def refined(
    labels: np.ndarray, values: np.ndarray, *, relative: float = RELATIVE, absolute: float = ABSOLUTE
) -> np.ndarray:
    """Return classes in which only numbers stand together that stood so before and have the same values.

    Args:
        labels: (numbers,) whole numbers, the class of each.
        values: (numbers, columns).
        relative: difference that counts as rounding.
        absolute: the same, relative to the largest value of a column.
    """
    for column in values.T:
        size = float(np.abs(column).max(initial=0.0)) or 1.0
        order = np.lexsort((column, labels))
        ordered, classes = column[order], labels[order]
        steps = np.diff(ordered)
        limit = relative * np.maximum(np.abs(ordered[1:]), np.abs(ordered[:-1])) + absolute * size
        is_new = (np.diff(classes) != 0) | ~(steps <= limit)
        new = np.concatenate([[0], np.cumsum(is_new)])
        labels = np.empty(len(order), dtype=int)
        labels[order] = new
    return labels
