"""The comparison of two networks as computations, and what is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from autograder.extensions.computes.elements import MEAN, VARIANCE, ComparedRows, Elements, Roles, roles
from autograder.extensions.computes.number_matching import Matcher, difference
from autograder.extensions.computes.search_budget import SearchBudget, SearchTimeout
from autograder.extensions.computes.weight_signs import turned_signs
from autograder.extensions.networks.weight_function import NumberKind, WeightFunction

_EXACT = 1e-6
"""Largest difference of outputs in double precision, relative to the largest output, that counts as none."""
_NEARLY = 5e-3
"""Largest difference that another formula of the same thing makes: an epsilon, or an approximated activation."""
_ROUNDED = 2.0**-18
"""Most that the rounding of constants in single precision adds up to, relative to the largest beside it."""
_MOST_ROUNDED = 5e-5
"""Most that it may change of the outputs, relative to the largest."""
_DRAWS = (1.0, 0.5, 1.7, 6.0)
"""Factors of the weights with which matched networks are compared; the last shows where values are cut."""
_FROM_OWN = (0.0, 0.2)
"""How far from the student's own weights they are compared, too, by the usual size of each."""
_ROUNDS, _SECONDS = 600, 40.0
_MAX_SEARCHED = 400_000
"""Most numbers that are told apart one by one."""
_WEIGHTS: tuple[NumberKind, ...] = ("weight", "frozen")

Verdict = Literal["same", "other", "undecided"]


@dataclass(frozen=True)
class Sameness:
    """Whether two networks compute the same, and why that is said."""

    verdict: Verdict
    sentence: str
    shows_shapes: bool = False
    """Whether the sentence tells shapes or numbers of either network."""
    is_unfinished: bool = False
    """Whether nothing was found out: the networks are too large, or the time was over."""


SAME = Sameness("same", "with the same weights, it gives the same outputs")
_DIFFERENT = Sameness(
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
_OWN_STATISTICS = (
    "One of the networks normalizes by statistics and the other holds constants, which may be statistics of its own."
)
_PARAMETRIZED = "Your network computes weights from other numbers, so that they cannot be matched."
_NEAR = (
    "Your network computes nearly what is asked: outputs differ by a little, as by another epsilon or an approximation."
)
_OTHERWISE = "With its own weights, your network computes something else than with others."
_TIME = "The weights of your network could not be matched with those of the asked one in time."
_UNTOLD = "What the weights change in the outputs of these networks cannot be told."
_REDUNDANT = "Your network has another number of weights than the asked one, and may compute the same without some."


def compare(
    reference: WeightFunction,
    student: WeightFunction,
    comparison: ComparedRows,
    rows: Any,
    *,
    seconds: float = _SECONDS,
) -> Sameness:
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
    budget = SearchBudget(_ROUNDS, seconds)
    first: Sameness | None = None
    for kinds in _exchanged(reference, student):
        sides = [Elements(function, kinds, budget) for function in (reference, student)]
        pair = _Pair(sides[0], sides[1], comparison, rows)
        finding = pair.finding()
        if finding.verdict == "same":
            return _of_constants(reference, student) if "constant" in kinds else finding
        if first is None or (first.verdict == "other" and finding.verdict == "undecided"):
            first = finding if "constant" not in kinds else first
    assert first is not None
    if first.verdict == "other" and _has_own_statistics(reference, student):
        budget = SearchBudget(_ROUNDS, seconds)
        return _with_statistics(reference, student, comparison, rows, budget)
    if first.verdict == "other" and student.is_parametrized:
        return Sameness("undecided", _PARAMETRIZED, is_unfinished=True)
    return first


def _has_own_statistics(reference: WeightFunction, student: WeightFunction) -> bool:
    """Return whether one network may hold as constants what the other has as statistics of normalizations."""
    sides = [Counter(function.kinds) for function in (reference, student)]
    counts = [kinds["mean"] + kinds["variance"] for kinds in sides]
    return counts[0] != counts[1] and sides[counts[0] > counts[1]]["constant"] >= abs(counts[0] - counts[1])


def _with_statistics(
    reference: WeightFunction, student: WeightFunction, comparison: ComparedRows, rows: Any, budget: SearchBudget
) -> Sameness:
    """Compare networks of which one normalizes by a formula of its own: its constants become statistics, in turn."""
    for constants in ((MEAN, VARIANCE), (VARIANCE, MEAN)):
        sides = [Elements(function, _WEIGHTS, budget, constants) for function in (reference, student)]
        if _Pair(sides[0], sides[1], comparison, rows).finding().verdict == "same":
            return SAME
    return Sameness("undecided", _OWN_STATISTICS)


def _of_constants(reference: WeightFunction, student: WeightFunction) -> Sameness:
    """Say of networks that are the same with other constants which of them holds weights as constants."""
    ours, theirs = (
        sum(array.size for array, kind in zip(function.arrays, function.kinds, strict=True) if kind in _WEIGHTS)
        for function in (reference, student)
    )
    if theirs < ours:
        return Sameness("other", _UNREGISTERED)
    return Sameness("other", _TRAINS_CONSTANTS) if theirs > ours else Sameness("undecided", _CONSTANTS)


def _exchanged(reference: WeightFunction, student: WeightFunction) -> Iterator[tuple[NumberKind, ...]]:
    """Yield the kinds of numbers that may be exchanged: a frozen layer is one of weights, or of constants."""
    yield _WEIGHTS
    kinds = {*reference.kinds, *student.kinds}
    if "frozen" in kinds:
        yield ("weight",)
    if "constant" in kinds:
        yield (*_WEIGHTS, "constant")


def _other_outputs(reference: WeightFunction, student: WeightFunction, comparison: ComparedRows) -> Sameness | None:
    """Return what is said of outputs of another number or shape."""
    ours = reference.outputs(reference.arrays, comparison.rows)
    theirs = student.outputs(student.arrays, comparison.rows)
    part = comparison.part
    if part is None and len(ours) != len(theirs):
        return Sameness("other", f"Your network has {len(theirs)} outputs; the asked one has {len(ours)}", True)
    if part is not None and not max(-len(theirs), -len(ours)) <= part < min(len(theirs), len(ours)):
        return Sameness("other", f"Your network has {len(theirs)} outputs", True)
    for our_output, their_output in zip(comparison.chosen(ours), comparison.chosen(theirs), strict=True):
        if _sides(our_output) != _sides(their_output):
            shapes = [_row_shape(output) for output in (their_output, our_output)]
            text = f"Your network gives outputs of the shape {shapes[0]}; the asked one gives {shapes[1]}"
            return Sameness("other", text, True)
    return None


def _sides(array: np.ndarray) -> list[int]:
    return [size for size in array.shape if size != 1]


def _row_shape(array: np.ndarray) -> str:
    return f"({', '.join(['rows', *map(str, array.shape[1:])])})"


class _Pair:
    """Two networks whose numbers are matched and compared."""

    def __init__(self, reference: Elements, student: Elements, comparison: ComparedRows, rows: Any) -> None:
        self.reference, self.student = reference, student
        self.comparison, self.rows = comparison, rows
        self.roles: Roles | None = None
        """The parts that the student's numbers play; None where each is matched in its order."""

    @cached_property
    def exact(self) -> float:
        """Largest difference of outputs that counts as none."""
        sides = (self.reference, self.student)
        return max(_EXACT, *(max(10 * side.function.rounding, self._rounding_of_constants(side)) for side in sides))

    def _rounding_of_constants(self, side: Elements) -> float:
        """Return what the rounding of constants may change of the outputs: sines of a table are computed in steps."""
        if "constant" not in side.function.kinds:
            return 0.0
        draws = np.random.default_rng([self.comparison.seed, 23])
        numbers, base = draws.normal(size=side.count) * side.scales, side.base
        plain = side.outputs(numbers, self.comparison)
        side.base = [
            array + _ROUNDED * np.abs(array).max() * draws.normal(size=array.shape)
            if kind == "constant" and array.size
            else array
            for array, kind in zip(base, side.function.kinds, strict=True)
        ]
        try:
            return min(difference(plain, side.outputs(numbers, self.comparison)), _MOST_ROUNDED)
        finally:
            side.base = base

    def finding(self) -> Sameness:
        """Match the numbers, and tell what follows."""
        near: Sameness | None = None
        try:
            order = _by_shape(self.reference, self.student)
            if order is not None:
                in_order = self._difference(np.arange(self.reference.count), order)
                if in_order <= self.exact:
                    return self._with_own(np.arange(self.reference.count), order)
                near = Sameness("undecided", _NEAR) if in_order <= _NEARLY else None
            if not self.reference.count or not self.student.count:
                return Sameness("other", _other_weights(self.reference, self.student), True)
            if max(self.reference.count, self.student.count) > _MAX_SEARCHED:
                raise SearchTimeout
            return self._matched(near)
        except SearchTimeout:
            return near or Sameness("undecided", _TIME, is_unfinished=True)

    def _matched(self, near: Sameness | None) -> Sameness:
        ours, theirs = roles(self.reference, self.comparison), roles(self.student, self.comparison)
        self.roles = theirs
        if not len(ours.own) and not len(theirs.own):
            return near or Sameness("undecided", _UNTOLD, is_unfinished=True)
        is_known = len(ours.own) == len(theirs.own)
        for ours_own, theirs_own in _matchable(ours, theirs):
            finding = self._searched(ours_own, theirs_own)
            if finding is not None:
                return finding
        if near is not None:
            return near
        if is_known:
            return _DIFFERENT
        if ours.dimension == theirs.dimension:
            return Sameness("undecided", _REDUNDANT)
        return Sameness("other", _other_weights(self.reference, self.student), True)

    def _searched(self, ours: np.ndarray, theirs: np.ndarray) -> Sameness | None:
        """Return that the networks are the same or nearly so; None if no assignment makes them so."""
        for tolerance in (0.0, _NEARLY):
            matcher = Matcher(self.reference, self.student, (ours, theirs), self.comparison, tolerance=tolerance)
            for _ in turned_signs(self.student, self.student.budget.end) if not tolerance else [None]:
                if not matcher.fits_at_start():
                    continue
                places = matcher.match()
                gap = np.inf if places is None else self._difference(ours, theirs[places])
                if places is not None and gap <= _NEARLY:
                    return self._with_own(ours, theirs[places]) if gap <= self.exact else Sameness("undecided", _NEAR)
        return None

    def _with_own(self, ours: np.ndarray, theirs: np.ndarray) -> Sameness:
        """Say of networks that are the same at drawn weights whether they are so where the student's weights are.

        A network could tell drawn weights from its own, and compute something else with them.
        """
        own_numbers, signs, draws = (
            self.student.own,
            self.student.signs,
            np.random.default_rng([self.comparison.seed, 19]),
        )
        if self.roles is not None:
            summed = self.roles.summed(own_numbers)
            outputs = [
                self.student.outputs(values * signs, self.comparison, self.rows) for values in (own_numbers, summed)
            ]
            if difference(*outputs) > _NEARLY:
                return Sameness("undecided", _OTHERWISE)
            own_numbers = summed
        for share in _FROM_OWN:
            values = (own_numbers * signs)[theirs] + share * draws.normal(size=len(theirs)) * self.reference.scales[
                ours
            ]
            if difference(*self._outputs_at(values, ours, theirs)) > _NEARLY:
                return Sameness("undecided", _OTHERWISE)
        return SAME

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
        outputs = self._outputs_at(values, ours, theirs)
        return np.inf if any(np.isnan(output).all() for output in outputs[0]) else difference(*outputs)

    def _outputs_at(self, values: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> list[list[np.ndarray]]:
        """Compute the outputs of both networks at these weights, and zeros for all others."""
        outputs = []
        for side, places in ((self.reference, ours), (self.student, theirs)):
            numbers = np.zeros(side.count)
            numbers[places] = values
            with np.errstate(all="ignore"):
                outputs.append(side.outputs(numbers, self.comparison, self.rows))
        return outputs


def _by_shape(reference: Elements, student: Elements) -> np.ndarray | None:
    """Match arrays of the same shape in their order, and return the places of the student's numbers.

    Returns:
        The places, in the order of the reference's numbers; None if an array has none of its shape.
    """
    unmatched = list(range(len(student.shapes)))
    starts = np.cumsum([0, *student.sizes])
    matched = []
    for shape in reference.shapes:
        fitting = [array for array in unmatched if student.shapes[array] in (shape, shape[::-1])]
        if not fitting:
            return None
        chosen = next((array for array in fitting if student.shapes[array] == shape), fitting[0])
        unmatched.remove(chosen)
        numbers = starts[chosen] + np.arange(student.sizes[chosen]).reshape(student.shapes[chosen])
        matched.append((numbers if student.shapes[chosen] == shape else numbers.T).ravel())
    return np.concatenate(matched) if matched and not unmatched else None


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
            our_places, their_places = np.setdiff1d(ours.own, without_ours), np.setdiff1d(theirs.own, without_theirs)
            if len(our_places) == len(their_places):
                yield our_places, their_places


def _other_weights(reference: Elements, student: Elements) -> str:
    """Say what differs between the shapes of the weights, in a sentence that a student can act on."""
    wanted, had = Counter(map(_sorted, reference.shapes)), Counter(map(_sorted, student.shapes))
    differing = sorted(
        (shape for shape in {**wanted, **had} if wanted[shape] != had[shape]),
        key=lambda shape: (-len(shape), not (wanted[shape] and had[shape]), -int(np.prod(shape))),
    )
    if not differing:
        return f"Your network uses another number of its {student.count:,} weights than the asked one"
    first = differing[0]
    shape = _as_written(student if had[first] else reference, first)
    text = f"Your network has {_weights(had[first])} of the shape {shape}; the asked one has {wanted[first] or 'none'}"
    more = next((shape for shape in differing if wanted[shape] < had[shape]), None)
    if had[first] or more is None:
        return text
    return f"{text}. It has {_weights(had[more])} of the shape {_as_written(student, more)} instead"


def _sorted(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of a shape, which stay as they are however an array is turned."""
    return tuple(sorted((size for size in shape if size != 1), reverse=True))


def _as_written(elements: Elements, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the first shape of a network with these sizes."""
    return next(shape for shape in elements.shapes if _sorted(shape) == sizes)


def _weights(number: int) -> str:
    return f"{number or 'no'} weight{'' if number == 1 else 's'}"
