"""Pieces of a network between its layers, known by their values: an activation is one, however it is written.

``torch.where(h > 0, h, 0)`` and ``(h + abs(h)) / 2`` give the values of ``relu``. The library that reads the network
evaluates a piece; the points are drawn here, and drawn again around each place where a value inside the piece turns.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_PIECE = 40
"""Most operations of a piece."""
FREE, AFFINE, UNREAD = 0.0, 1.0, 10.0
"""What an operation costs that is read by itself."""
_NAMED_COST, _UNNAMED_COST = 0.5, 3.0
"""What a piece of several operations costs; one operation that has a name is free."""
OWN_OPERATION = "an own element-wise operation"
ROUNDS = 12
"""Times that the places where a value of a piece turns are looked at more closely, ten times each."""
_MAX_TURNS = 100
"""Most such places of one value."""
_MAX_NUMBERS = 200_000
"""Most numbers of the rows on which a piece is evaluated at once."""
_MAX_LOOKS = 500
"""Most pieces of a network that are looked at; of the others, it is not known what they are."""
_OVERFLOW = {"f4": 20.0, "f8": 80.0}
"""From this size on, a formula with ``exp`` may give what is no number."""

Function = Callable[[np.ndarray], Sequence[np.ndarray]]
"""A piece: rows → what each of its operations gives, its result last."""
Reference = Callable[[np.ndarray], np.ndarray]


# --- equal values --------------------------------------------------------------------------------------


def agree(region: Function, reference: Reference, shape: tuple[int, ...], *, alone: bool) -> bool:
    """Return whether a piece gives the values of a known function.

    Args:
        region: the piece.
        reference: the function.
        shape: the shape of one row.
        alone: whether each number of a result comes from one number of the row.
    """
    if not _agree_on(region, reference, shape, 0.0, rounds=1, alone=alone):  # most functions end here
        return False
    if alone and _mixes(region, shape):
        return False
    count = min(500, max(10, _MAX_NUMBERS // max(1, math.prod(shape))))
    near = _draws().normal(size=(count, *shape)) * _draws().uniform(0, 12, (count, *[1] * len(shape)))
    if not _agree_in_single_precision(region, reference, near, alone=alone):
        return False
    return all(_agree_on(region, reference, shape, offset, ROUNDS, alone=alone) for offset in (0.0, 1.0, 100.0))


def _agree_on(
    region: Function, reference: Reference, shape: tuple[int, ...], offset: float, rounds: int, *, alone: bool
) -> bool:
    """Compare along a line through the rows; each round looks more closely at where a value of the piece turns."""
    start, direction = offset * _draws().normal(size=shape), _draws().normal(size=shape)
    large = 10.0 ** _draws().uniform(-36, 36, 600)
    points = np.unique(np.concatenate([large[::2], -large[1::2], _draws().uniform(-12, 12, 500), [0.0]]))
    for _ in range(rounds):
        most = max(10, _MAX_NUMBERS // max(1, direction.size))
        points = points if len(points) <= most else np.sort(_draws().choice(points, most, replace=False))
        rows = start + points.reshape(-1, *[1] * len(shape)) * direction
        values = region(rows)
        if not _close(values, reference(rows), rows, 2e-5, 1e-6, alone=alone):
            return False
        points = _turns(points, values)
        if not len(points):
            return True
    # A comparison such as ``h == 3`` turns at one number of single precision alone.
    return rounds == 1 or _agree_in_single_precision(region, reference, rows, alone=alone)


def _agree_in_single_precision(region: Function, reference: Reference, rows: np.ndarray, *, alone: bool) -> bool:
    exact = rows[np.abs(rows).reshape(len(rows), -1).max(axis=1) < 1e4].astype(np.float32)
    exact = np.concatenate([exact, np.nextafter(exact, np.float32(-1e9)), np.nextafter(exact, np.float32(1e9))])
    return not len(exact) or _close(region(exact), reference(exact), exact, 2e-3, 2e-3, alone=alone)


def _mixes(region: Function, shape: tuple[int, ...]) -> bool:
    """Return whether a number in a piece depends on several numbers of a row."""
    count = math.prod(shape)
    places = _draws().permutation(count)[: min(64, max(8, _MAX_NUMBERS // max(1, count)))]
    rows = np.repeat(_draws().normal(size=(1, count)), len(places) + 1, axis=0)
    rows[np.arange(len(places)) + 1, places] += 1
    for value in region(rows.reshape(-1, *shape)):
        axis = next((axis for axis, size in enumerate(value.shape) if size == len(rows)), None)
        if axis is not None:
            table = np.moveaxis(value, axis, 0).reshape(len(rows), -1)
            if ((~np.isclose(table[1:], table[:1], rtol=1e-9, atol=1e-12)).sum(axis=0) > 1).any():
                return True
    return False


def _close(
    values: Sequence[np.ndarray],
    expected: np.ndarray,
    rows: np.ndarray,
    absolute: float,
    relative: float,
    *,
    alone: bool,
) -> bool:
    actual = values[-1]
    if actual.shape != expected.shape or not np.isfinite(expected).all():
        return False
    largest = np.abs(rows).reshape(len(rows), -1).max(axis=1).reshape(-1, *[1] * (rows.ndim - 1))
    with np.errstate(all="ignore"):
        near = np.abs(actual - expected) <= absolute + relative * np.abs(expected)
    overflow = ~np.isfinite(actual)
    if not alone:  # exp(z) / sum(exp(z)) is wrong in the whole row where the sum passes the range of its type
        for value in values:
            if value.ndim and len(value) == len(rows):
                overflow |= _is_out_of_range(value).reshape(largest.shape)
    return bool((near | ((largest > _OVERFLOW[rows.dtype.str[1:]]) & overflow)).all())


def _is_out_of_range(value: np.ndarray) -> np.ndarray:
    """Return the rows in which a value is infinite, no number, or so small that its type cuts digits off."""
    if value.dtype.kind != "f" or not value.size:
        return np.zeros(len(value), bool)
    size, type_ = np.abs(value).reshape(len(value), -1).max(axis=1), np.finfo(value.dtype)
    out: np.ndarray = ~np.isfinite(size) | ((size > 0) & (size < type_.tiny / type_.eps))
    return out


def _turns(points: np.ndarray, values: Sequence[np.ndarray]) -> np.ndarray:
    """Return points between those where a value changes its sign or its direction."""
    chosen = set[int]()
    for value in values:
        if value.ndim and len(value) == len(points) > 2 and value.size:
            table = np.nan_to_num(value.reshape(len(points), -1)[:, :64].astype(np.float64))
            signs, steps = np.sign(table), np.diff(table, axis=0)
            steps[np.abs(steps) <= 1e-12 * np.abs(table[1:])] = 0
            turns = (np.sign(steps[1:]) * np.sign(steps[:-1]) < 0).any(axis=1)
            changes = (signs[1:] != signs[:-1]).any(axis=1)
            changes[1:] |= turns
            changes[:-1] |= turns
            places = np.flatnonzero(changes)
            chosen.update(_draws().choice(places, min(len(places), _MAX_TURNS), replace=False))
    places = np.array(sorted(chosen), int)
    inside = points[places, None] + np.diff(points)[places, None] * np.linspace(0, 1, 11)
    return np.unique(inside)


# --- pieces --------------------------------------------------------------------------------------------


@functools.cache
def _draws() -> np.random.Generator:
    """Return the generator of the points, which the author of a network cannot know."""
    return np.random.default_rng()


@dataclass(frozen=True)
class Value:
    """A value of a network that depends on its inputs."""

    parents: tuple[int, ...]
    """The values of this kind that it is computed from."""
    cost: float | None
    """What it costs to read its operation by itself; None for a layer, which no piece contains."""


@dataclass(frozen=True)
class Region:
    """Operations that compute one value from another one alone."""

    start: int
    end: int
    inside: frozenset[int]
    """The values that are computed in it, its end among them."""
    names: Sequence[Any] = ()
    """What the piece is; nothing if that is not known."""


def named_pieces(
    values: Mapping[int, Value],
    outputs: Iterable[int],
    names: Callable[[Region], Sequence[Any] | None],
    *,
    with_own: bool,
) -> tuple[dict[int, Region], set[int]]:
    """Return the pieces that have a name, by their last value, and all values that only they need.

    Args:
        values: number → value, each after those that it is computed from.
        outputs: the values that the network gives.
        names: tells what a piece is; None for one that cannot be an activation.
        with_own: whether one that may be an activation is a piece without a name, too.
    """
    return _Reading(values, names, with_own).read(outputs)


class _Reading:
    """The cheapest reading of each value: as a piece with a name, or its operation by itself."""

    def __init__(
        self, values: Mapping[int, Value], names: Callable[[Region], Sequence[Any] | None], with_own: bool
    ) -> None:
        self.values, self.names, self.own = values, names, with_own
        self.above = _dominators(values)
        self.costs: dict[int, float] = {}
        self.looks = 0
        self.picks: dict[int, Region] = {}

    def read(self, outputs: Iterable[int]) -> tuple[dict[int, Region], set[int]]:
        for number, value in self.values.items():
            self._value(number, value)
        waiting, visited, pieces = list(outputs), set[int](), dict[int, Region]()
        alone: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number in visited or number not in self.values:
                continue
            visited.add(number)
            region = self.picks.get(number)
            if region is None:
                alone.add(number)
                waiting += self.values[number].parents
            else:
                pieces[number] = region
                waiting.append(region.start)
        return pieces, {number for region in pieces.values() for number in region.inside} - alone

    def _value(self, number: int, value: Value) -> None:
        if value.cost is None:
            self.costs[number] = 0.0
            return
        self.costs[number] = min(1e6, value.cost + sum(self.costs.get(parent, 0.0) for parent in value.parents))
        for region in self._pieces_to(number):
            before = self.costs.get(region.start, 0.0)
            cost_if_named = before + _NAMED_COST * (len(region.inside) > 1)
            names = self._names(region) if cost_if_named < self.costs[number] else None
            cost = cost_if_named if names else before + _UNNAMED_COST
            if cost < self.costs[number] and (names or (self.own and names is not None)):
                self.costs[number] = cost
                self.picks[number] = Region(region.start, number, region.inside, names)

    def _names(self, region: Region) -> Sequence[Any] | None:
        self.looks += 1
        return self.names(region) if self.looks <= _MAX_LOOKS else ()

    def _pieces_to(self, number: int) -> Iterator[Region]:
        """Yield the pieces that end with a value, the shortest first."""
        inside: set[int] = set()
        start = number
        while start in self.values:
            waiting, start = [start], self.above[start]
            while waiting:
                at = waiting.pop()
                if at == start or at in inside:
                    continue
                value = self.values.get(at)
                if value is None or value.cost is None or len(inside) >= MAX_PIECE:
                    return
                inside.add(at)
                waiting += value.parents
            yield Region(start, number, frozenset(inside))


def _dominators(values: Mapping[int, Value]) -> dict[int, int]:
    """Map each value to the nearest one that all ways to it pass; -1 if there is none."""
    above: dict[int, int] = {}
    for number, value in values.items():
        common = value.parents[0] if value.parents else -1
        for second in value.parents[1:]:
            while common != second:
                if common > second:
                    common = above.get(common, -1)
                else:
                    second = above.get(second, -1)
        above[number] = common
    return above
