"""The comparison of two networks as computations, and what is said of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from autograder.extensions.computes.elements import Comparison, Elements, Roles, roles
from autograder.extensions.computes.matching import Budget, Matcher, OutOfTime, difference
from autograder.models.weight_function import NumberKind, WeightFunction

_EXACT = 1e-6
"""Largest difference of outputs in double precision, relative to the largest output, that counts as none."""
_NEARLY = 5e-3
"""Largest difference that another formula of the same thing makes: an epsilon, or an approximated activation."""
_DRAWS = (1.0, 0.5, 1.7, 6.0)
"""Factors of the weights with which matched networks are compared; the last shows where values are cut."""
_SIGN_SECONDS = 4.0
"""Processor time for the search of weights that stand with another sign."""
_ROUNDS, _SECONDS = 600, 40.0
_MAX_SEARCHED = 400_000
"""Most numbers that are told apart one by one."""
_WEIGHTS: tuple[NumberKind, ...] = ("weight", "frozen")

Verdict = Literal["same", "other", "undecided"]


@dataclass(frozen=True)
class Finding:
    """Whether two networks compute the same, and why that is said."""

    verdict: Verdict
    sentence: str
    shows_shapes: bool = False
    """Whether the sentence tells shapes or numbers of either network."""


SAME = Finding("same", "with the same weights, it gives the same outputs")
_OTHER = Finding(
    "other",
    "With the same weights, your network computes something else than the asked one. Its weights are as many as asked: "
    "look at activations, at what is added or joined, and at the order of the layers",
)
_CONSTANTS = "Your network computes what is asked if the constants that it holds are exchanged for others."
_UNREGISTERED = (
    "Numbers that are weights of the asked network are constants of yours: no optimizer trains them. Layers in a plain "
    "list or a tensor that is no parameter are not found; use nn.ModuleList, nn.Parameter or a layer"
)
_TRAINS_CONSTANTS = "Numbers that are constants of the asked network are weights of yours, so that they are trained"
_NEAR = (
    "Your network computes nearly what is asked: outputs differ by a little, as by another epsilon or an approximation."
)
_TIME = "The weights of your network could not be matched with those of the asked one in time."
_REDUNDANT = "Your network has another number of weights than the asked one, and may compute the same without some."


def compare(
    reference: WeightFunction, student: WeightFunction, comparison: Comparison, rows: Any, *, seconds: float = _SECONDS
) -> Finding:
    """Tell whether two networks compute the same, for some assignment of weights.

    Args:
        reference: the asked network.
        student: the student's.
        comparison: the rows with which weights are matched.
        rows: those with which matched networks are compared.
        seconds: processor time that the search may take.
    """
    problem = _other_outputs(reference, student, comparison)
    if problem is not None:
        return problem
    budget = Budget(_ROUNDS, seconds)
    first: Finding | None = None
    for kinds in _exchanged(reference, student):
        pair = _Pair(Elements(reference, kinds), Elements(student, kinds), comparison, rows, budget)
        finding = pair.finding()
        if finding.verdict == "same":
            return _of_constants(reference, student) if "constant" in kinds else finding
        if first is None or (first.verdict == "other" and finding.verdict == "undecided"):
            first = finding if "constant" not in kinds else first
    assert first is not None
    return first


def _of_constants(reference: WeightFunction, student: WeightFunction) -> Finding:
    """Say of networks that are the same with other constants which of them holds weights as constants."""
    ours, theirs = (Elements(function, ("weight", "frozen")).count for function in (reference, student))
    if theirs < ours:
        return Finding("other", _UNREGISTERED)
    return Finding("other", _TRAINS_CONSTANTS) if theirs > ours else Finding("undecided", _CONSTANTS)


def _exchanged(reference: WeightFunction, student: WeightFunction) -> Iterator[tuple[NumberKind, ...]]:
    """Yield the kinds of numbers that may be exchanged: a frozen layer is one of weights, or of constants."""
    yield _WEIGHTS
    kinds = {*reference.kinds, *student.kinds}
    if "frozen" in kinds:
        yield ("weight",)
    if "constant" in kinds:
        yield (*_WEIGHTS, "constant")


def _other_outputs(reference: WeightFunction, student: WeightFunction, comparison: Comparison) -> Finding | None:
    """Return what is said of outputs of another number or shape."""
    ours = reference.outputs(reference.arrays, comparison.rows)
    theirs = student.outputs(student.arrays, comparison.rows)
    part = comparison.part
    if part is None and len(ours) != len(theirs):
        return Finding("other", f"Your network has {len(theirs)} outputs; the asked one has {len(ours)}", True)
    if part is not None and not max(-len(theirs), -len(ours)) <= part < min(len(theirs), len(ours)):
        return Finding("other", f"Your network has {len(theirs)} outputs", True)
    for one, other in zip(comparison.chosen(ours), comparison.chosen(theirs), strict=True):
        if one.shape != other.shape:
            if _sides(one) == _sides(other):
                continue
            text = f"Your network gives outputs of the shape {_named(other)}; the asked one gives {_named(one)}"
            return Finding("other", text, True)
    return None


def _sides(array: np.ndarray) -> list[int]:
    return [size for size in array.shape if size != 1]


def _named(array: np.ndarray) -> str:
    return f"({', '.join(['rows', *map(str, array.shape[1:])])})"


class _Pair:
    """Two networks whose numbers are matched and compared."""

    def __init__(
        self, reference: Elements, student: Elements, comparison: Comparison, rows: Any, budget: Budget
    ) -> None:
        self.reference, self.student = reference, student
        self.comparison, self.rows, self.budget = comparison, rows, budget
        self.exact = max(_EXACT, 10 * reference.function.rounding, 10 * student.function.rounding)

    def finding(self) -> Finding:
        """Match the numbers, and tell what follows."""
        in_order, order = np.inf, _by_shape(self.reference, self.student)
        if order is not None:
            in_order = self._difference(np.arange(self.reference.count), order)
            if in_order <= self.exact:
                return SAME
        near = Finding("undecided", _NEAR) if in_order <= _NEARLY else None
        if not self.reference.count or not self.student.count:
            return Finding("other", _other_weights(self.reference, self.student), True)
        if max(self.reference.count, self.student.count) > _MAX_SEARCHED:
            return near or Finding("undecided", _TIME)
        try:
            return self._matched(near)
        except OutOfTime:
            return near or Finding("undecided", _TIME)

    def _matched(self, near: Finding | None) -> Finding:
        ours, theirs = roles(self.reference, self.comparison), roles(self.student, self.comparison)
        is_known = len(ours.own) == len(theirs.own)
        for ours_own, theirs_own in _matchable(ours, theirs):
            finding = self._searched(ours_own, theirs_own)
            if finding is not None:
                return finding
        if near is not None:
            return near
        if is_known:
            return _OTHER
        if ours.dimension == theirs.dimension:
            return Finding("undecided", _REDUNDANT)
        return Finding("other", _other_weights(self.reference, self.student), True)

    def _searched(self, ours: np.ndarray, theirs: np.ndarray) -> Finding | None:
        """Return that the networks are the same or nearly so; None if no assignment makes them so."""
        for tolerance in (0.0, _NEARLY):
            matcher = Matcher(
                self.reference, self.student, (ours, theirs), self.comparison, self.budget, tolerance=tolerance
            )
            for _ in _signs(self.student, self.budget) if not tolerance else [None]:
                if not matcher.fits_at_start():
                    continue
                places = matcher.match()
                gap = np.inf if places is None else self._difference(ours, theirs[places])
                if gap <= _NEARLY:
                    return SAME if gap <= self.exact else Finding("undecided", _NEAR)
        return None

    def _difference(self, ours: np.ndarray, theirs: np.ndarray) -> float:
        """Return the largest difference of the outputs at drawn weights of which these play the same part."""
        draws = np.random.default_rng([self.comparison.seed, 17])
        largest = 0.0
        for factor in _DRAWS:
            values = draws.normal(size=self.reference.count) * self.reference.scales * factor
            gap = self._difference_at(values[ours], ours, theirs)
            if np.isinf(gap):  # a root or logarithm of a negative weight
                gap = self._difference_at(np.abs(values[ours]), ours, theirs)
            largest = max(largest, gap)
            if largest > _NEARLY:
                break
        return largest

    def _difference_at(self, values: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> float:
        outputs = []
        for side, own in ((self.reference, ours), (self.student, theirs)):
            numbers = np.zeros(side.count)
            numbers[own] = values
            with np.errstate(all="ignore"):
                outputs.append(side.outputs(numbers, self.comparison, self.rows))
        return np.inf if any(np.isnan(one).all() for one in outputs[0]) else difference(*outputs)


def _by_shape(reference: Elements, student: Elements) -> np.ndarray | None:
    """Return the places of the student's numbers if arrays of the same shape are the same in their order, else None."""
    left = list(range(len(student.shapes)))
    starts = np.cumsum([0, *student.sizes])
    pieces = []
    for shape in reference.shapes:
        fitting = [place for place in left if student.shapes[place] in (shape, shape[::-1])]
        if not fitting:
            return None
        place = next((place for place in fitting if student.shapes[place] == shape), fitting[0])
        left.remove(place)
        numbers = starts[place] + np.arange(student.sizes[place]).reshape(student.shapes[place])
        pieces.append((numbers if student.shapes[place] == shape else numbers.T).ravel())
    return np.concatenate(pieces) if pieces and not left else None


def _matchable(ours: Roles, theirs: Roles) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield numbers that may be matched: all, or without those that change nothing of their own."""
    if len(ours.own) == len(theirs.own):
        yield ours.own, theirs.own
        return
    if ours.dimension != theirs.dimension:
        return
    none = np.array([], dtype=int)
    for without_ours in (none, *ours.redundant):
        for without_theirs in (none, *theirs.redundant):
            left = np.setdiff1d(ours.own, without_ours), np.setdiff1d(theirs.own, without_theirs)
            if len(left[0]) == len(left[1]):
                yield left


def _signs(student: Elements, budget: Budget) -> Iterator[None]:
    """Yield once for the student's weights, and for each turn of signs that a way of writing may bring.

    A gate may be open where that of the reference is closed: ``1 - sigmoid(z)`` is ``sigmoid(-z)``. It is a layer, or a
    part of one that computes several gates at once.
    """
    yield
    end = time.process_time() + _SIGN_SECONDS
    places = range(len(student.places))
    groups = [*([place] for place in places), *map(list, pairwise(places))]
    for count in range(1, _MAX_GATES + 1):
        for group in groups:
            for axis in (0, -1):
                for gate in range(count):
                    signs = _turned_signs(student, group, count, gate, axis)
                    if signs is not None and time.process_time() < min(end, budget.end):
                        student.signs = signs
                        yield
    student.signs = np.ones(student.count)


_MAX_GATES = 4


def _turned_signs(student: Elements, group: Sequence[int], count: int, gate: int, axis: int) -> np.ndarray | None:
    """Return signs in which one part of each of some arrays is turned; None if they have no such parts."""
    pieces = [np.ones(shape) for shape in student.shapes]
    for place in group:
        shape = student.shapes[place]
        if not shape or shape[axis] % count or (axis == 0 and all(len(student.shapes[one]) < 2 for one in group)):
            return None
        width = shape[axis] // count
        moved = np.moveaxis(pieces[place], axis, 0)
        moved[gate * width : (gate + 1) * width] = -1
    return np.concatenate([piece.ravel() for piece in pieces])


def _other_weights(reference: Elements, student: Elements) -> str:
    """Say what differs between the shapes of the weights, in a sentence that a student can act on."""
    asked, had = Counter(map(_turned, reference.shapes)), Counter(map(_turned, student.shapes))
    differing = sorted(
        (shape for shape in {**asked, **had} if asked[shape] != had[shape]),
        key=lambda shape: (not (asked[shape] and had[shape]), -len(shape), -int(np.prod(shape))),
    )
    missing = next((shape for shape in differing if asked[shape] > had[shape]), None)
    more = next((shape for shape in differing if asked[shape] < had[shape]), None)
    if not differing:
        return f"Your network uses another number of its {student.count:,} weights than the asked one"
    first = differing[0]
    shown = _shown(student if had[first] else reference, first)
    text = f"Your network has {_weights(had[first])} of the shape {shown}; the asked one has {asked[first] or 'none'}"
    if missing == first and more is not None and not had[first]:
        text += f". It has {_weights(had[more])} of the shape {_shown(student, more)} instead"
    return text


def _turned(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape as it is however an array is turned."""
    return tuple(sorted((size for size in shape if size != 1), reverse=True))


def _shown(elements: Elements, turned: tuple[int, ...]) -> tuple[int, ...]:
    return next(shape for shape in elements.shapes if _turned(shape) == turned)


def _weights(number: int) -> str:
    return f"{number or 'no'} weight{'' if number == 1 else 's'}"
