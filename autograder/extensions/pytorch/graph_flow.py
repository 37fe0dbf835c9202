"""The layers of a graph with what each depends on, and the other ways to count them.

A linear layer whose units go different ways is as many layers as there are ways, and linear layers of one input are one
together. An activation of tensors that were joined is one of each. Which units go where is no question of spelling: the
number of each unit is sent through the operators that only move numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.check.orders import Flow, Tile
from autograder.check.readings import LayerReading
from autograder.extensions.pytorch.computation import call_operator
from autograder.extensions.pytorch.graph_layers import Entry, OperatorCall, Walk, activation, layer_of, walked
from autograder.extensions.pytorch.kernel_side.torch_operators import ARRANGEMENTS, SIZES
from autograder.extensions.pytorch.operator_graph import Graph, Node, ValueRef

MAX_TRACED = 4_000_000
"""Most numbers of a tensor that is traced."""
MAX_PARTS = 16
"""Most layers that one is split into, or tensors that are joined, before they count as one."""
MAX_MERGED = 4
"""Most layers of one input of which all groups are tried; of more, only all together."""

Shapes = Mapping[int, tuple[int, ...]]
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
        return self.flow

    def _node(self, call: OperatorCall) -> None:
        upstream = self._upstream(call.node)
        again = self.walk.again.get(call.number)
        if again is not None and id(again) in self.masks:
            self._restrict(self.masks[id(again)], upstream)
            self.sources[call.number] = {(call.number, 0): upstream | self.masks[id(again)]}
            return
        entries = self.made.get(call.number, [])
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

    def _restrict(self, atoms: int, upstream: int) -> None:
        """Let a layer that is called again stand where either of its calls may."""
        for number in range(len(self.flow.atoms)):
            if atoms >> number & 1:
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
            part = _with_units(entry, size) if len(sizes) > 1 else entry
            bit = self.flow.add(part.step(), upstream)
            self.own[entry.output, place] = bit
            result[entry.output, place], bits = upstream | bit, bits | bit
            self._note_alike(product, part, bit)
        self.sources[entry.output], self.masks[id(entry)] = result, self.masks.get(id(entry), 0) | bits

    def _split(self, entry: Entry) -> list[int]:
        """Return the units of each part of a layer of which parts go different ways."""
        ways = self.tracer.ways(entry.output, -1 if entry.kind in ("Linear", "Dense") else 1)
        if len(ways.sizes) > 1:
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


UNITS = {
    "Dense": "units", "Linear": "out_features",
    **{f"Conv{rank}D": "filters" for rank in (1, 2, 3)}, **{f"Conv{rank}d": "out_channels" for rank in (1, 2, 3)},
}  # fmt: skip
"""Kind of layer → the setting that says how many units it has."""


def _with_units(entry: Entry, units: int) -> Entry:
    others = [
        replace(other, config={**other.config, UNITS[other.kind]: units})
        for other in entry.others
        if other.kind in UNITS
    ]
    return replace(entry, config={**entry.config, UNITS[entry.kind]: units}, others=tuple(others))


def treats_alone(call: OperatorCall) -> bool:
    """Return whether an operator computes from each number alone, with nothing else than numbers that are written."""
    name = activation(call)
    return (name is not None and "softmax" not in name) or (
        call.operator in ("add", "sub", "rsub", "mul", "div", "neg", "dropout") and len(call.node.refs) == 1
    )


# --- other layers that a product is --------------------------------------------------------------------------


def equivalents(call: OperatorCall, entry: Entry, tracer: Tracer) -> Iterator[LayerReading]:
    """Yield the convolutions that a linear layer is, and the linear layers that a convolution is.

    A convolution of width 1 is a linear layer of the channels, and one whose windows do not overlap is one of patches.
    A pooling over all places is one, whatever it is called.
    """
    kind, config = entry.kind, entry.config
    if kind in ("Linear", "Dense"):
        before, source = _before(call, entry), tracer.data(call)
        windows = [((1,) * rank, (1,) * rank) for rank in (1, 2, 3)]
        found = tracer.window(source, before) if source is not None else None
        for kernel, stride in [*windows, *([found] if found else [])]:
            yield _convolution(entry, before // math.prod(kernel), kernel, stride)
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


def _before(call: OperatorCall, entry: Entry) -> int:
    if entry.kind == "Linear":
        return int(entry.config["in_features"])
    layer = layer_of(call, set(call.node.refs[:1]))
    return int(layer.torch_config["in_features"]) if layer is not None and layer.torch == "Linear" else 1


def _convolution(entry: Entry, channels: int, kernel: tuple[int, ...], stride: tuple[int, ...]) -> LayerReading:
    rank = len(kernel)
    ones, zeros = (1,) * rank, (0,) * rank
    if entry.kind == "Dense":
        settings = {
            "filters": entry.config["units"], "kernel_size": kernel, "strides": stride, "dilation_rate": ones,
            "groups": 1, "padding": "valid", "use_bias": entry.config["use_bias"],
        }  # fmt: skip
        return LayerReading(f"Conv{rank}D", settings, only_with=frozenset(["kernel_size"]))
    settings = {
        "in_channels": channels, "out_channels": entry.config["out_features"], "kernel_size": kernel, "stride": stride,
        "dilation": ones, "padding": zeros, "groups": 1, "bias": entry.config["bias"],
    }  # fmt: skip
    return LayerReading(f"Conv{rank}d", settings, only_with=frozenset(["kernel_size"]))


# --- where numbers go ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ways:
    """The parts of a layer's units that go different ways."""

    sizes: list[int] = field(default_factory=list)
    parts: dict[int, frozenset[int]] = field(default_factory=dict)
    """Number of a value that was moved from the layer's result → the parts that are in it."""


class Tracer:
    """Numbers that are sent through the operators which only move them."""

    def __init__(self, graph: Graph, shapes: Shapes) -> None:
        self.graph, self.shapes = graph, shapes
        self.of_data = set(range(len(graph.inputs)))
        self.users: dict[int, list[int]] = {}
        for number, node in graph.needed_nodes():
            if self.of_data & set(node.refs) and (node.operator not in SIZES or node.operator == "getitem"):
                self.of_data.add(number)
            for ref in set(node.refs):
                self.users.setdefault(ref, []).append(number)

    def call(self, number: int) -> OperatorCall:
        """Return the operator that gives a value."""
        return OperatorCall(self.graph, self.shapes, number, self.graph.nodes[number - self.graph.first_node])

    def data(self, call: OperatorCall) -> int | None:
        """Return the one argument of an operator that depends on an input; None if there are several."""
        found = [ref for ref in call.node.refs if ref in self.of_data]
        return found[0] if len(found) == 1 else None

    def moves(self, number: int) -> bool:
        """Return whether an operator only moves numbers."""
        if number < self.graph.first_node:
            return False
        operator = self.graph.nodes[number - self.graph.first_node].operator
        return operator in ARRANGEMENTS or operator == "getitem"

    def ways(self, start: int, axis: int) -> Ways:
        """Follow the units of a result until they are computed with.

        Args:
            start: the number of the result.
            axis: where its units are.
        """
        import torch

        shape = self.shapes.get(start, ())
        if not shape or math.prod(shape) > MAX_TRACED or not self._is_cut(start):
            return Ways()
        units = shape[axis]
        labels = torch.arange(units).reshape([-1 if place == axis % len(shape) else 1 for place in range(len(shape))])
        known: dict[int, Any] = {start: labels.expand(shape)}
        used: dict[int, frozenset[int]] = {}
        ends: set[frozenset[int]] = set()
        try:
            for number in self._after(start):
                call = self.call(number)
                if self.moves(number):
                    known[number] = self._value(number, known)
                    used[number] = _labels(known[number])
                elif treats_alone(call):
                    known[number] = next(known[ref] for ref in call.node.refs if ref in known)
                    used[number] = _labels(known[number])
                else:
                    halves = call.operator == "glu"
                    for ref in set(call.node.refs) & known.keys():
                        tensors = known[ref].chunk(2, call.get(1, "dim", -1)) if halves else [known[ref]]
                        ends |= {_labels(tensor) for tensor in tensors}
            ends |= {_labels(known[number]) for number in self.graph.outputs if number in known}
        except Exception:  # sizes that are not known, or an operator that moves other things than whole numbers
            return Ways()
        groups: dict[tuple[bool, ...], list[int]] = {}
        for unit in range(units):
            groups.setdefault(tuple(unit in end for end in ends), []).append(unit)
        if not 1 < len(groups) <= MAX_PARTS:
            return Ways()
        parts = {
            number: frozenset(n for n, group in enumerate(groups.values()) if group[0] in labels)
            for number, labels in used.items()
        }
        return Ways([len(group) for group in groups.values()], parts)

    def _is_cut(self, start: int) -> bool:
        """Return whether a value that is moved from a result, or what is computed from it, has fewer numbers."""
        whole = math.prod(self.shapes[start])
        for number in self._after(start):
            if self.call(number).operator == "glu":
                return True
            if self.moves(number) and self.shapes.get(number) and math.prod(self.shapes[number]) < whole:
                return True
        return False

    def _after(self, start: int) -> list[int]:
        """Return the values that are moved from a result and those that are computed from them, in order."""
        found, waiting = set[int](), [start]
        while waiting:
            for number in self.users.get(waiting.pop(), []):
                if number not in found and number in self.of_data:
                    found.add(number)
                    data = [ref for ref in self.call(number).node.refs if ref in self.of_data]
                    if (self.moves(number) and len(data) == 1) or treats_alone(self.call(number)):
                        waiting.append(number)
        return sorted(found)

    def window(self, value: int, width: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Return the kernel and stride of the windows that the last axis of a value is cut from; None if it is not.

        Args:
            value: its number.
            width: the size of its last axis, or of the one before it.
        """
        import torch

        start = value
        while self.moves(start) and (before := self.data(self.call(start))) is not None:
            start = before
        shape, cut = self.shapes.get(start, ()), self.shapes.get(value, ())
        if start == value or not 3 <= len(shape) <= 4 or len(cut) < 2 or math.prod(cut) > MAX_TRACED:
            return None
        labels = torch.arange(1, math.prod(shape[1:]) + 1).reshape(1, *shape[1:]).expand(shape)
        try:
            moved = self._value(value, {start: labels})[0]
        except Exception:  # as above
            return None
        if moved.ndim > 1 and moved.shape[-1] != width:
            moved = moved.transpose(-1, -2)
        if moved.shape[-1] != width:
            return None
        return _window_of(moved.reshape(-1, width).long().numpy() - 1, shape[1:])

    def _value(self, number: int, known: dict[int, Any]) -> Any:
        """Compute a value from those that are known.

        Raises:
            Exception: it depends on something else.
        """
        if number in known:
            return known[number]
        held = self.graph.tensor(ValueRef(number))
        if held is not None:
            import torch

            return torch.from_numpy(held.array)
        if number < self.graph.first_node:
            raise LookupError("an input")
        node = self.graph.nodes[number - self.graph.first_node]
        if node.operator == "sym_size.int":
            return self.shapes[node.refs[0]][node.args[1]]
        if not self.moves(number) and number in self.of_data:
            raise LookupError("computed")
        args = {ref: self._value(ref, known) for ref in node.refs}
        return call_operator(node, args)


def _labels(value: Any) -> frozenset[int]:
    tensors = value if isinstance(value, list | tuple) else [value]
    return frozenset(label for tensor in tensors for label in tensor.unique().tolist())


def _window_of(cut: Any, shape: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the kernel and stride of windows over an array, with channels before or behind the other axes.

    Args:
        cut: place in the array, (windows, numbers of each); -1 for padding.
        shape: the shape of the array.
    """
    import numpy as np

    whole = cut[(cut >= 0).all(axis=1)]
    if not len(whole):
        return None
    places = np.stack(np.unravel_index(whole, shape), axis=-1)  # (windows, numbers, axes)
    low, high = places.min(axis=1), places.max(axis=1)
    extents = high[0] - low[0] + 1
    if math.prod(extents) != cut.shape[1] or not (high - low + 1 == extents).all():
        return None
    channels = 0 if extents[0] == shape[0] else len(shape) - 1
    if extents[channels] != shape[channels]:
        return None
    steps = [sorted(set(low[:, axis])) for axis in range(len(shape)) if axis != channels]
    strides = [int(at[1] - at[0]) if len(at) > 1 else 1 for at in steps]
    kernel = tuple(int(size) for axis, size in enumerate(extents) if axis != channels)
    return kernel, tuple(strides)
