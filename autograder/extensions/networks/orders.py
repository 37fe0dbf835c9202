"""The orders in which the layers of a network may be written, and the one that fits a pattern best.

A network with branches has no order: only what a layer needs stands before it. Its steps are a partially ordered set,
and a pattern fits if it fits one of its linear extensions. Several atoms may be one layer, as two linear layers of one
input are, or be several, as one whose output is split. A search goes from nothing to all atoms, cheapest way first. A
place in it is a state of the pattern and the set of atoms that were passed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from autograder.extensions.networks.differences import EXTRA, MISSING, Automaton, PatternMatches
from autograder.extensions.networks.pattern import ANY_KIND, LayerPattern, Repeat, Run, kinds_of
from autograder.extensions.networks.steps import Step

MAX_PLACES = 60_000
"""Most places of a search, which take a few seconds. If none of these orders fits, a person decides."""
PERSON = "The network has too many orders in which its layers could stand."
_BENT = frozenset(["gelu", "silu", "mish", "hard_silu"])
"""Activations that fall somewhere, so that a maximum before them is not one after them."""
_THROUGH_ZERO = ("relu", "leaky_relu")
"""Activations that a positive factor passes, as the one of dropout is."""
_MOVING = frozenset(["Flatten", "Reshape", "Permute", "Unflatten", "PixelShuffle", "PixelUnshuffle", "ChannelShuffle"])


@dataclass(frozen=True)
class Tile:
    """A layer that stands for one or more atoms of a network."""

    step: Step
    covers: int
    """The numbers of its atoms, as bits."""


@dataclass
class Flow:
    """The atoms of a network, with what has to stand before each."""

    atoms: list[Step] = field(default_factory=list)
    upstream: list[int] = field(default_factory=list)
    """For each atom the atoms that its input depends on, as bits."""
    wholes: list[Tile] = field(default_factory=list)
    """Layers that several atoms are together."""
    apart: set[tuple[int, int]] = field(default_factory=set)
    """Pairs of atoms of which either may stand first, though the second depends on the other."""

    def add(self, step: Step, upstream: int) -> int:
        """Add an atom and return its bit."""
        self.atoms.append(step)
        self.upstream.append(upstream)
        return 1 << (len(self.atoms) - 1)

    def before(self) -> list[int]:
        """Return for each atom the atoms that must stand before it, as bits."""
        masks: list[int] = []
        for number, upstream in enumerate(self.upstream):
            mask = 0
            for earlier in _numbers(upstream & ((1 << number) - 1)):
                if (earlier, number) not in self.apart and not commute(self.atoms[earlier], self.atoms[number]):
                    mask |= masks[earlier] | 1 << earlier
            masks.append(mask)
        return masks

    def branches(self) -> bool:
        """Tell whether layers that compute something else stand on different branches."""
        masks = self.before()
        alone = [number for number, step in enumerate(self.atoms) if not step.free]
        return any(not masks[late] >> early & 1 for slot, late in enumerate(alone) for early in alone[:slot])


def commute(first: Step, second: Step) -> bool:
    """Return whether two steps, one directly on the result of the other, may change places.

    What treats each number alone passes what only moves numbers. A rising activation passes a maximum.
    """
    for step, earlier in ((first, second), (second, first)):
        if step.pointwise:
            if earlier.kind in _MOVING or (
                "Max" in earlier.kind and "Pool" in earlier.kind and step.pointwise not in _BENT
            ):
                return True
            if earlier.kind.startswith("Dropout") and step.pointwise.startswith(_THROUGH_ZERO):
                return True
        if step.kind.startswith("Dropout") and earlier.kind in _MOVING:
            return True
    return False


def _numbers(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


_Position = tuple[int, int]
"""A state of the pattern, and the atoms that were passed, as bits."""


@dataclass(frozen=True)
class Order:
    """The outcome of a search."""

    steps: list[Step] | None
    """The layers in the order that fits best; None if the search was given up."""
    fits: bool | None
    """Whether a pattern fits; None if that is not known."""


def best_order(pattern: Run, flow: Flow, most: int = MAX_PLACES) -> Order:
    """Return the order that fits a pattern best.

    Args:
        pattern: what is asked.
        flow: the network.
        most: how many places to look at. An order that fits is looked for first.
    """
    search = _Search(pattern, flow)
    return search.run(most)


class _Search:
    def __init__(self, pattern: Run, flow: Flow) -> None:
        wanted = kinds_of(pattern)
        before = flow.before()
        kept_numbers = [n for n, step in enumerate(flow.atoms) if not step.free or _is_asked(step, wanted)]
        left_out = ((1 << len(flow.atoms)) - 1) & ~sum(1 << number for number in kept_numbers)
        self.tiles = [Tile(flow.atoms[number], 1 << number) for number in kept_numbers]
        self.tiles += [
            tile for tile in flow.wholes
            if not tile.covers & left_out and (not tile.step.free or _is_asked(tile.step, wanted))
        ]  # fmt: skip
        self.every = sum(1 << number for number in kept_numbers)
        self.needs = [self._needed(tile, before) & ~left_out for tile in self.tiles]
        self.pattern = pattern
        self.states = Automaton(pattern, len(kept_numbers)).states
        self.matches = PatternMatches([tile.step for tile in self.tiles])
        self.ready: dict[int, list[int]] = {}

    @staticmethod
    def _needed(tile: Tile, before: Sequence[int]) -> int:
        needed = 0
        for number in _numbers(tile.covers):
            needed |= before[number]
        return needed & ~tile.covers

    def run(self, most: int) -> Order:
        last, start = len(self.states) - 1, (0, 0)
        cheapest = {start: 0.0}
        came: dict[_Position, tuple[_Position, int | None]] = {}
        heap, count, looked = [(0.0, 0, 0, start)], 0, 0
        while heap:
            cost, _, _, slot = heapq.heappop(heap)
            if cost > cheapest[slot]:
                continue
            if slot == (last, self.every):
                return Order(self._way(came, slot), cost == 0)
            looked += 1
            if looked > most:
                return Order(None, False if cost > 0 or not self._could_fit() else None)
            for after, price, tile in self._moves(*slot):
                if cost + price < cheapest.get(after, float("inf")):
                    cheapest[after], came[after] = cost + price, (slot, tile)
                    count += 1
                    heapq.heappush(heap, (cost + price, -after[1].bit_count(), count, after))
        raise AssertionError("a pattern has no end")

    def _moves(self, number: int, passed: int) -> Iterable[tuple[_Position, float, int | None]]:
        """Yield the places that follow: each with its cost, and the tile that is passed."""
        state = self.states[number]
        for target in state.jumps:
            yield (target, passed), 0.0, None
        for _, target in state.edges:
            yield (target, passed), MISSING, None
        if passed not in self.ready:
            self.ready[passed] = [
                n for n, tile in enumerate(self.tiles) if not tile.covers & passed and not self.needs[n] & ~passed
            ]
        for tile in self.ready[passed]:
            after = passed | self.tiles[tile].covers
            for pattern, target in state.edges:
                yield (target, after), self.matches(pattern, tile, state.free)[0], tile
            yield (number, after), 0.0 if state.free or self.tiles[tile].step.free else EXTRA, tile

    def _way(self, came: dict[_Position, tuple[_Position, int | None]], slot: _Position) -> list[Step]:
        steps = []
        while slot in came:
            slot, tile = came[slot]
            if tile is not None:
                steps.append(self.tiles[tile].step)
        return steps[::-1]

    def _could_fit(self) -> bool:
        """Return whether each layer that must be there has one of its own in the network, in whatever order."""
        wanted = [item for item in _certain(self.pattern) if item.kind != ANY_KIND]
        fitting = [[n for n in range(len(self.tiles)) if not self.matches(item, n, True)[0]] for item in wanted]
        owners: dict[int, int] = {}
        return all(_takes(number, fitting, owners, set()) for number in range(len(wanted)))


def _takes(number: int, fitting: Sequence[Sequence[int]], owners: dict[int, int], tried: set[int]) -> bool:
    """Give a layer to one that is asked, moving others to another one where that is needed."""
    for tile in fitting[number]:
        if tile not in tried:
            tried.add(tile)
            if tile not in owners or _takes(owners[tile], fitting, owners, tried):
                owners[tile] = number
                return True
    return False


def _certain(run: Run) -> Iterable[LayerPattern]:
    """Yield the layers that any network must have which fits."""
    for item in run:
        if isinstance(item, LayerPattern):
            yield item
        elif isinstance(item, Repeat):
            for _ in range(item.low):
                yield from _certain(item.run)


def _is_asked(step: Step, kinds: set[str]) -> bool:
    return any(step.named(kind) for kind in kinds) or (step.activation is not None and "Activation" in kinds)
