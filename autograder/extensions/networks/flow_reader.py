"""What readers of networks have in common: which atoms a value depends on, and which layers are one together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from autograder.extensions.networks.orders import Flow, Tile
from autograder.extensions.networks.steps import Step

MAX_PARTS = 16
"""Most layers that one is split into, or tensors that are joined, before they count as one."""
MAX_MERGED = 4
"""Most layers of one input of which all groups are tried; of more, only all together."""

Sources = dict[tuple[Hashable, int], int]
"""What a value was moved together from: a result and its part → the atoms that it depends on, as bits."""


def units_by_way(units: int, ends: Collection[frozenset[int]]) -> list[list[int]]:
    """Return the units of a layer in groups by their ways; none if there is one way, or too many.

    Args:
        units: how many there are.
        ends: the units that are computed with at each end of a way.
    """
    groups: dict[tuple[bool, ...], list[int]] = {}
    for unit in range(units):
        groups.setdefault(tuple(unit in end for end in ends), []).append(unit)
    groups.pop((False,) * len(ends), None)  # units that nothing needs
    is_whole = len(groups) == 1 and units == sum(map(len, groups.values()))
    return [] if is_whole or len(groups) > MAX_PARTS else list(groups.values())


class FlowReader:
    """A reader that writes down the layers of a network in the order in which they are computed."""

    def __init__(self) -> None:
        self.flow = Flow()
        self.sources: dict[Hashable, Sources] = {}
        self.parts: dict[Hashable, dict[Any, frozenset[int]]] = {}
        """Result of a layer that is split → value that is moved from it → its parts there."""
        self.own: dict[tuple[Hashable, int], int] = {}
        """Result of a layer and its part → the atom, as a bit."""
        self.alike: dict[Any, list[tuple[int, int, Callable[[int], Step]]]] = {}
        """Layers that are one together: bit and units of each, and what makes a step with other units."""

    def upstream(self, values: Iterable[Hashable]) -> int:
        """Return the atoms that values depend on."""
        mask = 0
        for value in values:
            for bits in self.sources.get(value, {}).values():
                mask |= bits
        return mask

    def moved(self, output: Hashable, values: Iterable[Hashable]) -> Sources | None:
        """Return what a value was moved together from; None if these are too many, or none."""
        collected: Sources = {}
        for value in values:
            for key, mask in self.sources.get(value, {}).items():
                kept_numbers = self.parts.get(key[0], {}).get(output)
                if kept_numbers is None or key[1] in kept_numbers:
                    collected[key] = collected.get(key, 0) | mask
        return collected if 0 < len(collected) <= MAX_PARTS else None

    def add_layer(self, output: Hashable, steps: Sequence[Step], upstream: int) -> int:
        """Add a layer, or the parts of one, and return its atoms."""
        result, bits = Sources(), 0
        for slot, step in enumerate(steps):
            bit = self.own[output, slot] = self.flow.add(step, upstream)
            result[output, slot], bits = upstream | bit, bits | bit
        self.sources[output] = result
        return bits

    def add_activation(self, step: Step, source: Hashable, output: Hashable, alone: Callable[[Any], bool]) -> int:
        """Add an activation once for each tensor that was moved together before it, and return its atoms.

        Args:
            step: the activation.
            source: the value that it is applied to.
            output: the value that it gives.
            alone: whether a result goes nowhere else.
        """
        bits, result = 0, Sources()
        for key, mask in self.sources.get(source, {(source, 0): 0}).items():
            bit = self.flow.add(replace(step), mask)
            result[key], bits = mask | bit, bits | bit
            own_bit = self.own.get(key, 0)
            self._let_pass_joins(own_bit, mask, bit)
            before = self.flow.atoms[own_bit.bit_length() - 1]
            if (
                step.activation
                and own_bit
                and before.activation == "linear"
                and (alone(key[0]) or key[0] in self.parts)
            ):
                equals = tuple(replace(reading, activation=step.activation) for reading in before.equals)
                self.flow.wholes.append(Tile(replace(before, activation=step.activation, equals=equals), own_bit | bit))
        if len(result) > 1:
            self.flow.wholes.append(Tile(step, bits))
        self.sources[output] = result
        return bits

    def _let_pass_joins(self, own_bit: int, mask: int, bit: int) -> None:
        """Let an activation after tensors were joined stand before the join, since it is one of each of them."""
        before = self.flow.upstream[own_bit.bit_length() - 1] if own_bit else 0
        for number, step in enumerate(self.flow.atoms):
            if (mask & ~before) >> number & 1 and step.kind == "Concatenate":
                self.flow.apart.add((number, bit.bit_length() - 1))

    def call_again(self, atoms: int, upstream: int) -> None:
        """Let a layer that is called again stand where any call may; note one that takes its result."""
        for number, step in enumerate(self.flow.atoms):
            if atoms >> number & 1:
                step.recurs = step.recurs or bool(upstream & atoms)
                self.flow.upstream[number] &= upstream

    def merge(self) -> None:
        """Note that layers of one input with equal settings are one layer together."""
        for layers in self.alike.values():
            counts = range(2, len(layers) + 1) if len(layers) <= MAX_MERGED else [len(layers)]
            for group in itertools.chain.from_iterable(itertools.combinations(layers, n) for n in counts):
                step = replace(group[0][2](sum(units for _, units, _ in group)))
                step.recurs = any(self.flow.atoms[bit.bit_length() - 1].recurs for bit, _, _ in group)
                self.flow.wholes.append(Tile(step, sum(bit for bit, _, _ in group)))
