"""The layers of a graph with what each depends on, and the other ways to count them.

A linear layer whose units go different ways is as many layers as there are ways, and linear layers of one input are one
together. An activation of tensors that were joined is one of each. Which units go where is no question of spelling: the
number of each unit is sent through the operators that only move numbers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from autograder.extensions.networks.flow_reader import FlowReader
from autograder.extensions.networks.orders import Flow, Tile
from autograder.extensions.networks.readings import LayerReading
from autograder.extensions.networks.steps import Step
from autograder.extensions.pytorch.graph_layers import LayerEntry, OperatorCall, Walk, layer_of, walked
from autograder.extensions.pytorch.kernel_side.torch_operators import ARRANGEMENTS, SIZES
from autograder.extensions.pytorch.operator_graph import Graph, Shapes
from autograder.extensions.pytorch.own_computations import own_norms, shifted_products
from autograder.extensions.pytorch.unit_traces import (
    UNITS,
    Tracer,
    Window,
    convolutions,
    summed_axes,
    treats_alone,
    unit_axes,
)


def flow(graph: Graph, shapes: Shapes, vocabulary: str, asked_kinds: Collection[str] = ()) -> Flow:
    """Return the layers of a graph in the words of ``keras`` or ``torch``, with what each depends on."""
    return _GraphReader(graph, shapes, vocabulary, asked_kinds).flow_of_graph()


class _GraphReader(FlowReader):
    def __init__(self, graph: Graph, shapes: Shapes, vocabulary: str, asked_kinds: Collection[str]) -> None:
        super().__init__()
        self.graph, self.shapes, self.vocabulary = graph, shapes, vocabulary
        self.walk: Walk = walked(graph, shapes, vocabulary, asked_kinds=asked_kinds)
        self.made: dict[Any, list[LayerEntry]] = {}
        for entry in self.walk.entries:
            self.made.setdefault(entry.output, []).append(entry)
        self.tracer = Tracer(graph, shapes)
        self.norms = {n: norm for n, norm in own_norms(self.tracer).items() if n not in self.walk.read}
        self.inside = frozenset(held for norm in self.norms.values() for held in norm.inside)
        self.sources = {number: {(number, 0): 0} for number in range(len(graph.inputs))}
        self.masks: dict[int, int] = {}
        """``id`` of an entry → its atoms, as bits."""
        self.apart: dict[Any, list[tuple[int, LayerEntry, int]]] = {}
        """Convolutions of values that were cut from one: the value, the layer, and its atom."""

    def flow_of_graph(self) -> Flow:
        for number, node in self.graph.needed_nodes():
            if any(ref in self.sources for ref in node.refs):
                self._node(OperatorCall(self.graph, self.shapes, number, node))
        self.merge()
        for (origin, _, units), layers in self.apart.items():
            if len({data for data, _, _ in layers}) == len(layers) > 1 and self._divide(origin, layers):
                step = _in_groups(layers[0][1], units, len(layers))
                self.flow.wholes.append(Tile(step, sum(bits for _, _, bits in layers)))
        for entries, (reading, *alternatives) in shifted_products(self.tracer, self.made):
            bits = sum(self.masks.get(id(entry), 0) for entry in entries)
            whole = LayerEntry(entries[0].number, reading.kind, reading.config, others=tuple(alternatives))
            self.flow.wholes.append(Tile(whole.step(), bits))
        return self.flow

    def _node(self, call: OperatorCall) -> None:
        number, upstream = call.number, self.upstream(call.node.refs)
        again = self.masks.get(id(self.walk.again.get(number)), 0)
        if again:
            self.call_again(again, upstream)
            self.sources[number] = {(number, 0): upstream | again}
            return
        entries = self.made.get(number, []) if number not in self.inside else []
        if number in self.norms:
            entries = [self.norms[number].entry(self.vocabulary, self.walk.layers, number)]
        if call.operator == "glu" and self.vocabulary == "torch":
            gate = LayerEntry(self.walk.layers, "Sigmoid", {}, operation=True, free=True)
            upstream |= self.flow.add(gate.step(), upstream)
        if not entries:
            is_moved = call.node.operator in ARRANGEMENTS | SIZES or treats_alone(call)
            refs = [self.walk.joined[number]] if number in self.walk.joined else call.node.refs
            moved = self.moved(number, refs) if is_moved or number in self.walk.joined else None
            self.sources[number] = moved or {(number, 0): upstream}
        for entry in entries:
            self.masks[id(entry)] = (
                self.add_activation(entry.step(), entry.source, number, self._is_alone)
                if entry.pointwise
                else self._layer(call, entry, upstream)
            )

    def _divide(self, origin: int | None, layers: list[tuple[int, LayerEntry, int]]) -> bool:
        """Return whether values are as many as the channels that they were cut from need."""
        shape = self.shapes.get(origin, ()) if origin is not None else ()
        return len(shape) > 2 and sum(self.shapes[data][1] for data, _, _ in layers) == shape[1]

    def _is_alone(self, value: Any) -> bool:
        return self.walk.uses.get(value) == 1

    def _layer(self, call: OperatorCall, entry: LayerEntry, upstream: int) -> int:
        product = entry.call or call
        entry.others = (*entry.others, *equivalents(product, entry, self.tracer))
        units = UNITS.get(entry.kind)
        if units is None:
            return self.add_layer(entry.output, [entry.step()], upstream)
        ways = self.tracer.ways(entry.output, unit_axes(entry, self.tracer.of_data))
        if ways.sizes:
            self.parts[entry.output] = ways.parts
        sizes = ways.sizes or [entry.config[units]]
        with_units = partial(_with_units, entry)
        bits = self.add_layer(entry.output, [with_units(size) for size in sizes], upstream)
        if sum(sizes) < entry.config[units]:
            self.flow.wholes.append(Tile(entry.step(), bits))  # with units that nothing needs
        data = self.tracer.data(product)
        if data is not None and entry.config.get("groups", 1) == 1:
            settings = tuple(sorted((key, str(value)) for key, value in entry.config.items() if key != units))
            if len(sizes) == 1 and "kernel_size" in entry.config:
                self.apart.setdefault((self.tracer.origin(data), settings, sizes[0]), []).append((data, entry, bits))
            layers = [(self.own[entry.output, slot], size, with_units) for slot, size in enumerate(sizes)]
            self.alike.setdefault((data, entry.kind, settings), []).extend(layers)
        return bits


def _in_groups(entry: LayerEntry, units: int, groups: int) -> Step:
    """Return the one layer that as many convolutions are, each of its own channels."""
    config = {**entry.config, UNITS[entry.kind]: units * groups, "groups": groups}
    config |= {"in_channels": config["in_channels"] * groups} if "in_channels" in config else {}
    return replace(entry, config=config, others=()).step()


def _with_units(entry: LayerEntry, units: int) -> Step:
    if entry.config[UNITS[entry.kind]] == units:
        return entry.step()
    alternatives = [
        replace(earlier, config={**earlier.config, UNITS[earlier.kind]: units})
        for earlier in entry.others
        if earlier.kind in UNITS
    ]
    changed = replace(entry, config={**entry.config, UNITS[entry.kind]: units}, others=tuple(alternatives))
    return changed.step()


# --- other layers that a product is --------------------------------------------------------------------------


def equivalents(call: OperatorCall, entry: LayerEntry, tracer: Tracer) -> Iterator[LayerReading]:
    """Yield the convolutions that a linear layer is, and the linear layers that a convolution is.

    A convolution of width 1 is a linear layer of the channels, and one whose windows do not overlap is one of patches.
    A pooling over all places is one, whatever it is called.
    """
    kind, config = entry.kind, entry.config
    if kind in ("Linear", "Dense"):
        layer, source = layer_of(call, tracer.of_data), tracer.data(call)
        before = layer.torch_config["in_features"] if layer is not None and layer.torch == "Linear" else 1
        sides = len(tracer.shapes.get(source, ())) - 2 if source is not None else 0
        for rank in (1, 2, 3):
            for ones in convolutions(entry, Window(before, (1,) * rank, (1,) * rank, (1,) * rank)):
                yield replace(ones, only_with=frozenset()) if rank == sides else ones
        window = tracer.window([(source, summed_axes(call, tracer.of_data))]) if source is not None else None
        yield from convolutions(entry, window) if window is not None else ()
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
