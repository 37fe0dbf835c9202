"""The layers of a graph with what each depends on, and the other ways to count them.

A linear layer whose units go different ways is as many layers as there are ways, and linear layers of one input are one
together. An activation of tensors that were joined is one of each. Which units go where is no question of spelling: the
number of each unit is sent through the operators that only move numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from autograder.check.orders import Flow, Tile
from autograder.check.readings import LayerReading
from autograder.extensions.pytorch.graph_layers import Entry, OperatorCall, Walk, layer_of, walked
from autograder.extensions.pytorch.kernel_side.torch_operators import ARRANGEMENTS, SIZES
from autograder.extensions.pytorch.operator_graph import Graph, Node
from autograder.extensions.pytorch.own_computations import own_norms, shifted_products
from autograder.extensions.pytorch.unit_traces import (
    MAX_PARTS,
    UNITS,
    Shapes,
    Tracer,
    Window,
    convolution,
    summed_axis,
    treats_alone,
    unit_axes,
)

MAX_MERGED = 4
"""Most layers of one input of which all groups are tried; of more, only all together."""

Sources = dict[tuple[int, int], int]
"""What a value was moved together from: number and part of a result → the atoms that it depends on, as bits."""


def flow(graph: Graph, shapes: Shapes, vocabulary: str) -> Flow:
    """Return the layers of a graph in the words of ``keras`` or ``torch``, with what each depends on."""
    return _Reader(graph, shapes, vocabulary).read()


class _Reader:
    def __init__(self, graph: Graph, shapes: Shapes, vocabulary: str) -> None:
        self.graph, self.shapes, self.vocabulary = graph, shapes, vocabulary
        self.walk: Walk = walked(graph, shapes, vocabulary)
        self.made: dict[int, list[Entry]] = {}
        for entry in self.walk.entries:
            self.made.setdefault(entry.output, []).append(entry)
        self.tracer = Tracer(graph, shapes)
        self.norms = own_norms(self.tracer)
        self.inside = frozenset(held for norm in self.norms.values() for held in norm.inside)
        self.flow = Flow()
        self.sources: dict[int, Sources] = {number: {(number, 0): 0} for number in range(len(graph.inputs))}
        self.parts: dict[int, dict[int, frozenset[int]]] = {}
        """Result of a layer that is split → value that is moved from it → its parts there."""
        self.masks: dict[int, int] = {}
        """``id`` of an entry → its atoms, as bits."""
        self.own: dict[tuple[int, int], int] = {}
        """Number and part of a layer's result → its atom, as a bit."""
        self.alike: dict[Any, list[tuple[int, int, Entry]]] = {}
        """Layers that are one together: the bit, the units and the entry of each."""

    def read(self) -> Flow:
        for number, node in self.graph.needed_nodes():
            if any(ref in self.sources for ref in node.refs):
                self._node(OperatorCall(self.graph, self.shapes, number, node))
        self._merge()
        for entries, reading in shifted_products(self.tracer, self.made):
            bits = sum(self.masks.get(id(entry), 0) for entry in entries)
            whole = Entry(entries[0].number, reading.kind, reading.config)
            self.flow.wholes.append(Tile(whole.step(), bits))
        return self.flow

    def _node(self, call: OperatorCall) -> None:
        upstream = self._upstream(call.node)
        again = self.walk.again.get(call.number)
        if again is not None and id(again) in self.masks:
            self._call_again(self.masks[id(again)], upstream)
            self.sources[call.number] = {(call.number, 0): upstream | self.masks[id(again)]}
            return
        entries = self.made.get(call.number, []) if call.number not in self.inside else []
        if call.number in self.norms:
            entries = [self.norms[call.number].entry(self.vocabulary, self.walk.layers, call.number)]
        if not entries:
            self.sources[call.number] = self._moved(call) or {(call.number, 0): upstream}
        for entry in entries:
            if entry.pointwise:
                self._pointwise(entry)
            else:
                self._layer(call, entry, upstream)

    def _upstream(self, node: Node) -> int:
        mask = 0
        for ref in node.refs:
            for bits in self.sources.get(ref, {}).values():
                mask |= bits
        return mask

    def _call_again(self, atoms: int, upstream: int) -> None:
        """Let a layer that is called again stand where either of its calls may; note one that takes what it gave."""
        for number, step in enumerate(self.flow.atoms):
            if atoms >> number & 1:
                step.recurs = step.recurs or bool(upstream & atoms)
                self.flow.upstream[number] &= upstream

    # --- what computes nothing -------------------------------------------------------------------------

    def _moved(self, call: OperatorCall) -> Sources | None:
        """Return the sources of a value that is only moved, or computed from each number alone; else None."""
        if call.node.operator not in ARRANGEMENTS | SIZES and not treats_alone(call):
            return None
        moved: Sources = {}
        for ref in call.node.refs:
            for key, mask in self.sources.get(ref, {}).items():
                kept = self.parts.get(key[0], {}).get(call.number)
                if kept is None or key[1] in kept:
                    moved[key] = moved.get(key, 0) | mask
        return moved if 0 < len(moved) <= MAX_PARTS else None

    def _pointwise(self, entry: Entry) -> None:
        """Add an activation once for each tensor that was moved together before it."""
        sources, bits = self.sources.get(entry.source, {(entry.source, 0): 0}), 0
        result: Sources = {}
        for key, mask in sources.items():
            bit = self.flow.add(entry.step(), mask)
            result[key], bits = mask | bit, bits | bit
            if entry.activation:
                self._fuse(entry, key, bit)
        if len(sources) > 1:
            self.flow.wholes.append(Tile(entry.step(), bits))
        self.sources[entry.output], self.masks[id(entry)] = result, bits

    def _fuse(self, entry: Entry, key: tuple[int, int], bit: int) -> None:
        """Note that a layer and its activation are one layer in Keras's words."""
        own = self.own.get(key, 0)
        before = self.flow.atoms[own.bit_length() - 1]
        if own and before.activation == "linear" and (self.walk.uses.get(key[0]) == 1 or key[0] in self.parts):
            equals = tuple(replace(reading, activation=entry.activation) for reading in before.equals)
            self.flow.wholes.append(Tile(replace(before, activation=entry.activation, equals=equals), own | bit))

    # --- layers ------------------------------------------------------------------------------------------

    def _layer(self, call: OperatorCall, entry: Entry, upstream: int) -> None:
        product = entry.call or call
        entry.others = (*entry.others, *equivalents(product, entry, self.tracer))
        sizes = self._split(entry) if entry.kind in UNITS else []
        result, bits = Sources(), 0
        for place, size in enumerate(sizes or [0]):
            part = _with_units(entry, size) if sizes else entry
            bit = self.flow.add(part.step(), upstream)
            self.own[entry.output, place] = bit
            result[entry.output, place], bits = upstream | bit, bits | bit
            self._note_alike(product, part, bit)
        self.sources[entry.output], self.masks[id(entry)] = result, self.masks.get(id(entry), 0) | bits
        if sizes and sum(sizes) < entry.config[UNITS[entry.kind]]:
            self.flow.wholes.append(Tile(entry.step(), bits))  # with units that nothing needs

    def _split(self, entry: Entry) -> list[int]:
        """Return the units of each part of a layer of which parts go different ways."""
        ways = self.tracer.ways(entry.output, unit_axes(entry, self.tracer.of_data))
        if ways.sizes:
            self.parts[entry.output] = ways.parts
        return ways.sizes

    def _note_alike(self, call: OperatorCall, entry: Entry, bit: int) -> None:
        units = UNITS.get(entry.kind)
        data = [ref for ref in call.node.refs if ref in self.sources]
        if units is not None and len(data) == 1 and entry.config.get("groups", 1) == 1:
            rest = tuple(sorted((key, str(value)) for key, value in entry.config.items() if key != units))
            self.alike.setdefault((data[0], entry.kind, rest), []).append((bit, entry.config[units], entry))

    def _merge(self) -> None:
        """Note that layers of one input with equal settings are one layer together."""
        for layers in self.alike.values():
            counts = range(2, len(layers) + 1) if len(layers) <= MAX_MERGED else [len(layers)]
            for group in itertools.chain.from_iterable(itertools.combinations(layers, n) for n in counts):
                whole = _with_units(group[0][2], sum(units for _, units, _ in group))
                self.flow.wholes.append(Tile(whole.step(), sum(bit for bit, _, _ in group)))


def _with_units(entry: Entry, units: int) -> Entry:
    others = [
        replace(other, config={**other.config, UNITS[other.kind]: units})
        for other in entry.others
        if other.kind in UNITS
    ]
    return replace(entry, config={**entry.config, UNITS[entry.kind]: units}, others=tuple(others))


# --- other layers that a product is --------------------------------------------------------------------------


def equivalents(call: OperatorCall, entry: Entry, tracer: Tracer) -> Iterator[LayerReading]:
    """Yield the convolutions that a linear layer is, and the linear layers that a convolution is.

    A convolution of width 1 is a linear layer of the channels, and one whose windows do not overlap is one of patches.
    A pooling over all places is one, whatever it is called.
    """
    kind, config = entry.kind, entry.config
    if kind in ("Linear", "Dense"):
        layer, source = layer_of(call, tracer.of_data), tracer.data(call)
        before = layer.torch_config["in_features"] if layer is not None and layer.torch == "Linear" else 1
        for rank in (1, 2, 3):
            yield convolution(entry, Window(before, (1,) * rank, (1,) * rank, (1,) * rank, False))
        if source is not None and (found := tracer.window([(source, summed_axis(call, tracer.of_data))])) is not None:
            yield convolution(entry, found)
        if source is not None and tracer.is_one_hot(source):
            name = "num_embeddings" if kind == "Linear" else "input_dim"
            width = "embedding_dim" if kind == "Linear" else "output_dim"
            yield LayerReading("Embedding", {name: before, width: entry.config[UNITS[kind]]})
    elif "Pool" in kind and kind.endswith("d"):
        yield from _pooled(call, kind, config)
    elif kind.startswith("Conv") and kind[-2:] in ("1d", "2d", "3d", "1D", "2D", "3D") and config.get("groups") == 1:
        kernel = tuple(config["kernel_size"])
        stride = tuple(config["stride"] if "stride" in config else config["strides"])
        is_padded = config["padding"] not in ("valid", (0,) * len(kernel))
        is_once = set(call.result[2:]) == {1}
        if "Transpose" not in kind and (set(kernel) == {1} or (not is_padded and (stride == kernel or is_once))):
            before = call.shape(1)[1] * math.prod(kernel)
            if kind.endswith("D"):
                yield LayerReading("Dense", {"units": config["filters"], "use_bias": config["use_bias"]})
            else:
                settings = {"in_features": before, "out_features": config["out_channels"], "bias": config["bias"]}
                yield LayerReading("Linear", settings)


def _pooled(call: OperatorCall, kind: str, config: Mapping[str, Any]) -> Iterator[LayerReading]:
    """Yield the other poolings that one over all places is."""
    word = "Max" if "Max" in kind else "Avg"
    places = call.shape()[2:]
    if kind.startswith("Adaptive") and set(config["output_size"]) == {1}:
        for rank in (1, 2, 3):
            yield LayerReading(f"Adaptive{word}Pool{rank}d", {"output_size": (1,) * rank})
        yield LayerReading(f"{word}Pool{len(places)}d", {"kernel_size": places, "stride": places, "padding": (0,) * 3})
    elif config.get("kernel_size") == places and not any(config["padding"]):
        yield LayerReading(f"Adaptive{word}Pool{len(places)}d", {"output_size": (1,) * len(places)})
