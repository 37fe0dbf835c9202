"""The matching of the numbers of two networks, found by what each number changes.

No order, name, shape or layer is compared. All numbers begin alike: with one value for all, two networks that compute
the same give the same outputs, in whatever tensors their numbers lie. What a number changes of the outputs tells it
from others, so that numbers fall into classes. The next values are drawn for each class, and tell more numbers apart
(the refinement of colors that compares graphs). Numbers that stay alike, such as the units of a hidden layer, may be
exchanged for one another. They are given different values in one order, and where that does not fit, one by one.
"""

from __future__ import annotations

import numpy as np

from autograder.extensions.computes.elements import ComparedRows, Elements, refined
from autograder.extensions.computes.search_budget import SearchTimeout

_ROUNDING = 1e-7
"""Difference of outputs that counts as rounding in double precision, relative to the largest."""
_STARTS = (1.0, 0.3, 0.1, 0.03)
"""Factors of the one value that all numbers begin with; the one that tells most numbers apart is taken."""
_FACTORS = (1.0, 0.4, 1.6)
_STEP, _SLOPE_ROUNDING, _KINK = 1e-5, 1e-5, 1e-3
"""A step of a number relative to its usual size; relative differences of two slopes that count as none, and of a slope
and a gradient."""
_MOST_SLOPES = 2_000
"""Most numbers of which each is stepped by itself."""


class Matcher:
    """The search for the numbers of a student's network that play the part of those of the reference.

    Args:
        reference: the asked network.
        student: the student's.
        matched: places of the numbers that are matched, of the one and of the other; as many.
        tolerance: difference of outputs that counts as none, relative to the largest; 0 for rounding alone. If it is
            more, numbers are told apart in each network by itself, and matched by their order.
    """

    def __init__(
        self,
        reference: Elements,
        student: Elements,
        matched: tuple[np.ndarray, np.ndarray],
        comparison: ComparedRows,
        *,
        tolerance: float = 0.0,
    ) -> None:
        self.rounding = max(reference.function.rounding, student.function.rounding)
        self.is_loose = tolerance > 0
        self.tolerance = tolerance or max(_ROUNDING, self.rounding)
        self.sides = (reference, student)
        self.matched = matched
        self.comparison = comparison
        self.draws = np.random.default_rng([comparison.seed, 13])
        self.scales = reference.scales[matched[0]]
        self.start = self._start()
        """The value that all numbers begin with."""
        self.expected: list[np.ndarray] | None = None
        """The outputs of the reference there."""

    def fits_at_start(self) -> bool:
        """Return whether the outputs are the same where all numbers are; else no assignment makes them so."""
        self.expected = self.expected or self._outputs(0)
        return agree(self.expected, self._outputs(1), self.tolerance)

    def _outputs(self, side: int) -> list[np.ndarray]:
        """Compute the outputs of a network where all numbers are the same."""
        numbers = np.zeros(self.sides[side].count)
        numbers[self.matched[side]] = self.start
        with np.errstate(all="ignore"):
            return self.sides[side].outputs(numbers, self.comparison)

    def match(self) -> np.ndarray | None:
        """Return, for each matched number of the reference, its place among those of the student; None if none fits.

        Raises:
            SearchTimeout: that was not decided.
        """
        labels_matched = self._search(self._begin())
        if labels_matched is None:
            return None
        places = np.empty(len(self.matched[0]), dtype=int)
        places[np.argsort(labels_matched[0])] = np.argsort(labels_matched[1])
        return places

    def _start(self) -> float:
        """Choose the value that all numbers begin with."""
        best, most = 0.0, -1
        usual = float(np.mean(self.scales)) if len(self.scales) else 1.0
        for factor in _STARTS:
            values = short(np.full(len(self.matched[0]), usual * factor))
            outputs, signature = self._signature(0, values)
            classes = 0
            if all(np.isfinite(output).all() for output in outputs):
                classes = int(refined(np.zeros(len(values), dtype=int), signature).max(initial=0))
            if classes > most:
                best, most = float(values[0]), classes
        return best

    def _begin(self) -> tuple[np.ndarray, np.ndarray] | None:
        count = len(self.matched[0])
        labels = np.zeros(count, dtype=int)
        values = np.full(count, self.start)
        return self._told_apart((labels, labels), (values, values))

    def _search(self, labels: tuple[np.ndarray, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray] | None:
        labels = self._stable(labels)
        if labels is None:
            return None
        alike, sizes = np.unique(labels[0], return_counts=True)
        if (sizes == 1).all():
            return labels
        chosen = alike[np.argmin(np.where(sizes > 1, sizes, np.iinfo(int).max))]
        ours, theirs = (np.flatnonzero(side == chosen) for side in labels)
        new = int(alike.max()) + 1
        labels_matched = self._search(self._given(labels, ours, theirs, new))
        for other in theirs if labels_matched is None and len(ours) > 2 else []:
            labels_matched = self._search(self._given(labels, ours[:1], np.array([other]), new))
            if labels_matched is not None:
                break
        return labels_matched

    def _given(
        self, labels: tuple[np.ndarray, np.ndarray], ours: np.ndarray, theirs: np.ndarray, new: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes with some numbers of both networks in new classes of their own."""
        finer = (labels[0].copy(), labels[1].copy())
        finer[0][ours] = finer[1][theirs] = new + np.arange(len(ours))
        return finer

    def _stable(self, labels: tuple[np.ndarray, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray] | None:
        """Draw values for the classes until they tell no more numbers apart; None if the networks differ."""
        idle = 0
        while labels is not None:
            count = len(np.unique(labels[0]))
            if idle == 2 or (count == len(labels[0]) and idle):
                return labels
            labels = self._told_apart(labels, self._drawn(labels))
            if labels is not None:
                idle = idle + 1 if len(np.unique(labels[0])) == count else 0
        return None

    def _drawn(self, labels: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Draw a value for each class, of the size that is usual for its numbers in the reference."""
        classes = int(max(labels[0].max(), labels[1].max())) + 1
        members = np.maximum(np.bincount(labels[0], minlength=classes), 1)
        scales = np.bincount(labels[0], self.scales, minlength=classes) / members
        sizes = np.abs(self.draws.normal(size=classes)) * 0.7 + 0.3
        signs = np.where(self.draws.random(classes) < 0.35, -1, 1)
        values = short(scales * sizes * signs * _FACTORS[self.draws.integers(len(_FACTORS))])
        if not all(np.isfinite(output).all() for output in self._signature(0, values[labels[0]])[0]):
            values = np.abs(values)
        return values[labels[0]], values[labels[1]]

    def _told_apart(
        self, labels: tuple[np.ndarray, np.ndarray], values: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return finer classes; None if the networks give other outputs, or have other numbers in a class."""
        self.sides[0].budget.spend()
        (ours, our_signature), (theirs, their_signature) = (self._signature(side, values[side]) for side in (0, 1))
        if not agree(ours, theirs, self.tolerance):
            return None
        gradients = (our_signature, their_signature)
        finer = self._finer(labels, gradients, self.rounding)
        if finer is None and any(self._is_at_kink(side, values[side], gradients[side]) for side in (0, 1)):
            finer = self._finer(labels, (self._slopes(0, values[0]), self._slopes(1, values[1])), _SLOPE_ROUNDING)
        return finer

    def _finer(
        self, labels: tuple[np.ndarray, np.ndarray], signatures: tuple[np.ndarray, np.ndarray], rounding: float
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return classes of numbers that change the same; None if the networks have other numbers in one."""
        ours, theirs = map(np.nan_to_num, signatures)
        if self.is_loose:
            finer = refined(labels[0], ours), refined(labels[1], theirs)
        else:
            joined = refined(
                np.concatenate(labels), np.concatenate([ours, theirs]), relative=rounding, absolute=rounding / 100
            )
            finer = joined[: len(labels[0])], joined[len(labels[0]) :]
        return finer if np.array_equal(np.sort(finer[0]), np.sort(finer[1])) else None

    def _is_at_kink(self, side: int, values: np.ndarray, gradients: np.ndarray) -> bool:
        """Return whether gradients there are no slopes, as those of equal numbers of which the largest is taken.

        Each library shares such a gradient in its own way, so that it tells nothing of a network.
        """
        turned = self.draws.normal(size=len(values)) * self.sides[side].scales[self.matched[side]]
        turned_gradients = turned @ gradients
        up, down = self._stepped(side, values, np.outer([_STEP, -_STEP], turned))
        limit = _KINK * float(np.abs(turned_gradients).max(initial=0.0))
        return not np.allclose(turned_gradients, (up - down) / (2 * _STEP), rtol=_KINK, atol=limit)

    def _slopes(self, side: int, values: np.ndarray) -> np.ndarray:
        """Return what a step up and one down of each number change, (numbers, twice the combinations).

        Raises:
            SearchTimeout: there are too many numbers.
        """
        if len(values) > _MOST_SLOPES:
            raise SearchTimeout
        scales = self.sides[side].scales[self.matched[side]]
        (before,) = self._stepped(side, values, np.zeros((1, len(values))))
        changed = [
            (after - before) / scales[:, None]
            for after in (self._stepped(side, values, np.diag(step * scales)) for step in (_STEP, -_STEP))
        ]
        return np.concatenate(changed, axis=1)

    def _stepped(self, side: int, values: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return combinations of the outputs behind each step, (steps, combinations)."""
        elements, numbers = self.sides[side], np.zeros((len(steps), self.sides[side].count))
        numbers[:, self.matched[side]] = values + steps
        with np.errstate(all="ignore"):
            return np.stack([elements.combinations(line, self.comparison) for line in numbers])

    def _signature(self, side: int, values: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        numbers = np.zeros(self.sides[side].count)
        numbers[self.matched[side]] = values
        with np.errstate(all="ignore"):
            outputs, signature = self.sides[side].signature(numbers, self.comparison)
        return outputs, signature[self.matched[side]]


def short(values: np.ndarray) -> np.ndarray:
    """Return numbers of few digits, whose sums of products are exact: equal units stay equal in any order of sums."""
    mantissas, exponents = np.frexp(values)
    return np.asarray(np.ldexp(np.round(mantissas * 128), exponents - 7))


def agree(ours: list[np.ndarray], theirs: list[np.ndarray], tolerance: float = _ROUNDING) -> bool:
    """Return whether two networks gave the same outputs, but for rounding."""
    return difference(ours, theirs) <= tolerance


def difference(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """Return the largest difference of outputs, relative to the largest output beside it; infinite for NaN in one."""
    if len(ours) != len(theirs):
        return np.inf
    largest = 0.0
    for our_output, their_output in zip(ours, theirs, strict=True):
        expected, actual = our_output.ravel(), their_output.ravel()
        if len(expected) != len(actual) or not np.array_equal(np.isnan(expected), np.isnan(actual)):
            return np.inf
        differing = ~np.isnan(expected) & ~(expected == actual)
        with np.errstate(all="ignore"):
            size = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)) or 1.0
            gap = float(np.abs(expected[differing] - actual[differing]).max(initial=0.0)) / size
        largest = max(largest, np.inf if np.isnan(gap) else gap)
    return largest
