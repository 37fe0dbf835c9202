"""Numbers that are sent through a graph, to see where units go and where windows are cut from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from autograder.extensions.networks.flow_reader import units_by_way
from autograder.extensions.networks.readings import LayerReading
from autograder.extensions.pytorch.computation import call_operator
from autograder.extensions.pytorch.graph_layers import LayerEntry, OperatorCall, einsum_letters
from autograder.extensions.pytorch.kernel_side.torch_operators import ARRANGEMENTS, OPERATORS
from autograder.extensions.pytorch.operator_graph import Graph, Node, Shapes, ValueRef, overload

MAX_TRACED = 4_000_000
"""Most numbers of a tensor that is traced."""
MAX_ALL = 20 * MAX_TRACED
"""Most numbers that are traced of a graph, which takes seconds; what comes later stays as it is written."""
UNITS = {
    "Dense": "units", "Linear": "out_features",
    **{f"Conv{rank}D": "filters" for rank in (1, 2, 3)}, **{f"Conv{rank}d": "out_channels" for rank in (1, 2, 3)},
}  # fmt: skip
"""Kind of layer → the setting that says how many units it has."""


def unit_axes(entry: LayerEntry, of_data: set[int]) -> list[int]:
    """Return the axes of a result along which the units of a layer lie."""
    call = entry.call
    if call is not None and call.operator == "einsum":
        data, result = _letters_of_data(call.node, of_data)
        places = [slot for slot, axis in enumerate(result) if axis not in data]
        return [slot - len(result) if "." in result[:slot] else slot for slot in places]
    if call is not None and call.operator in ("matmul", "mm") and call.node.args[0].value not in of_data:
        return [-2]
    return [-1 if entry.kind in ("Linear", "Dense") else 1]


def treats_alone(call: OperatorCall) -> bool:
    """Return whether an operator computes from each number alone, with nothing else than numbers that are written."""
    return len(call.node.refs) == 1 and (call.operator == "dropout" or _is_pointwise(call.node.operator))


@cache
def _is_pointwise(operator: str) -> bool:
    """Return whether PyTorch says of an operator that it treats each number alone."""
    import torch

    function = overload(operator) if operator in OPERATORS else None
    return function is not None and torch.Tag.pointwise in function.tags


def summed_axes(call: OperatorCall, of_data: set[int]) -> list[int]:
    """Return the axes of its data that a product sums."""
    if call.operator == "einsum":
        data, result = _letters_of_data(call.node, of_data)
        return [slot - len(data) for slot, axis in enumerate(data) if axis not in result]
    return [-2] if call.operator in ("matmul", "mm") and call.node.args[0].value not in of_data else [-1]


def _letters_of_data(node: Node, of_data: set[int]) -> tuple[str, str]:
    """Return the letters of the data of an ``einsum``, and those of its result."""
    terms, result = einsum_letters(node)
    return next(term for term, ref in zip(terms, node.args[1], strict=True) if ref.value in of_data), result


def convolutions(entry: LayerEntry, window: Window) -> Iterator[LayerReading]:
    """Yield the convolutions that a linear layer of windows is: of what was padded before, or one that pads."""
    rank = len(window.kernel)
    is_keras = entry.kind in ("Dense", f"Conv{rank}D")
    units = entry.config[UNITS[entry.kind]]
    if is_keras:
        settings = {
            "filters": units, "kernel_size": window.kernel, "strides": window.stride,
            "dilation_rate": window.dilation, "groups": 1, "use_bias": entry.config["use_bias"],
        }  # fmt: skip
    else:
        settings = {
            "in_channels": window.channels, "out_channels": units, "groups": 1, "kernel_size": window.kernel,
            "stride": window.stride, "dilation": window.dilation, "bias": entry.config["bias"],
        }  # fmt: skip
    for padding in dict.fromkeys([(0,) * rank, window.padding or (0,) * rank]):
        words: Any = ("same" if any(padding) else "valid") if is_keras else padding
        kind = f"Conv{rank}{'D' if is_keras else 'd'}"
        yield LayerReading(kind, {**settings, "padding": words}, only_with=frozenset(["kernel_size"]))


@dataclass(frozen=True)
class Ways:
    """The parts of a layer's units that go different ways."""

    sizes: list[int] = field(default_factory=list)
    parts: dict[int, frozenset[int]] = field(default_factory=dict)
    """Number of a value that was moved from the layer's result → the parts that are in it."""


@dataclass(frozen=True)
class Window:
    """Windows that a product slides over an array, as a convolution does."""

    channels: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[int, ...] | None = None
    """Zeros on both sides of each axis; None if there are none, or other ones."""


class Tracer:
    """Numbers that are sent through the operators which only move them."""

    def __init__(self, graph: Graph, shapes: Shapes) -> None:
        self.graph, self.shapes = graph, shapes
        self.left = MAX_ALL
        self.of_data = graph.of_data()
        self.users: dict[int, list[int]] = {}
        for number, node in graph.needed_nodes():
            for ref in set(node.refs):
                self.users.setdefault(ref, []).append(number)

    def call(self, number: int) -> OperatorCall:
        """Return the operator that gives a value."""
        return OperatorCall(self.graph, self.shapes, number, self.graph.node(number))

    def data(self, call: OperatorCall) -> int | None:
        """Return the one argument of an operator that depends on an input; None if there are several."""
        collected = [ref for ref in call.node.refs if ref in self.of_data]
        return collected[0] if len(collected) == 1 else None

    def is_one_hot(self, value: int) -> bool:
        """Return whether a value was moved from choices of one of several classes."""
        origin = self.origin(value)
        return origin is not None and origin >= self.graph.first_node and self.call(origin).operator == "one_hot"

    def moves(self, number: int) -> bool:
        """Return whether an operator only moves numbers."""
        if number < self.graph.first_node:
            return False
        operator = self.graph.node(number).operator
        is_arranged = operator in ARRANGEMENTS and operator != "one_hot.default"
        return is_arranged or operator in ("getitem", "im2col.default")

    def ways(self, start: int, axes: Sequence[int]) -> Ways:
        """Follow the units of a result until they are computed with.

        Args:
            start: the number of the result.
            axes: where its units are.
        """
        import torch

        shape = self.shapes.get(start, ())
        if not shape or math.prod(shape) > MAX_TRACED or not self._is_cut(start):
            return Ways()
        sizes = [size if slot in {axis % len(shape) for axis in axes} else 1 for slot, size in enumerate(shape)]
        units = math.prod(sizes)
        labels = torch.arange(units).reshape(sizes)
        computed: dict[int, Any] = {start: labels.expand(shape)}
        used: dict[int, frozenset[int]] = {}
        ends: set[frozenset[int]] = set()
        try:
            for number, is_moved in self._after(start):
                call = self.call(number)
                if is_moved:
                    computed[number] = self.value(number, computed)
                    used[number] = _labels(computed[number])
                elif treats_alone(call):
                    computed[number] = next(computed[ref] for ref in call.node.refs if ref in self.of_data)
                    used[number] = _labels(computed[number])
                else:
                    halves = call.operator == "glu"
                    for ref in set(call.node.refs) & computed.keys() & self.of_data:
                        tensors = computed[ref].chunk(2, call.get(1, "dim", -1)) if halves else [computed[ref]]
                        ends |= {_labels(tensor) for tensor in tensors}
            ends |= {_labels(computed[number]) for number in self.graph.outputs if number in computed}
        except Exception:  # sizes that are not known, or an operator that moves other things than whole numbers
            return Ways()
        groups = units_by_way(units, ends)
        if not groups:
            return Ways()
        parts = {
            number: frozenset(n for n, group in enumerate(groups) if group[0] in labels)
            for number, labels in used.items()
        }
        return Ways([len(group) for group in groups], parts)

    def _is_cut(self, start: int) -> bool:
        """Return whether a value that is moved from a result, or what is computed from it, has fewer numbers."""
        whole = math.prod(self.shapes[start])
        for number, is_moved in self._after(start):
            if self.call(number).operator == "glu":
                return True
            if is_moved and self.shapes.get(number) and math.prod(self.shapes[number]) < whole:
                return True
        return False

    def _after(self, start: int) -> Iterator[tuple[int, bool]]:
        """Yield the values that are computed from a result, in order, and whether each is only moved from it.

        After a value that is computed with others, the way ends.
        """
        passed = {start}
        for number, node in self.graph.needed_nodes():
            data = {ref for ref in node.refs if ref in self.of_data}
            if number in self.of_data and data & passed:
                is_moved = self.moves(number) and data <= passed
                if is_moved or treats_alone(self.call(number)):
                    passed.add(number)
                yield number, is_moved

    def origin(self, value: int) -> int | None:
        """Return the one value that a value was moved from; None if there are several."""
        waiting = {value}
        while any(self.moves(number) for number in waiting):
            last = max(number for number in waiting if self.moves(number))
            waiting = waiting - {last} | {ref for ref in self.call(last).node.refs if ref in self.of_data}
            if not waiting:
                return None
        return waiting.pop() if len(waiting) == 1 else None

    def window(self, values: Sequence[tuple[int, Sequence[int]]]) -> Window | None:
        """Return the windows that vectors are cut from; None if they are not.

        Args:
            values: the number of each value that is a part of the vectors, and along which of its axes it lies.
        """
        import torch

        start = self.origin(values[0][0])
        shape = self.shapes.get(start, ()) if start is not None else ()
        if start is None or not 3 <= len(shape) <= 4 or math.prod(shape) > MAX_TRACED:
            return None
        labels = torch.arange(1, math.prod(shape[1:]) + 1).reshape(1, *shape[1:]).expand(shape)
        cut = []
        try:
            for value, axes in values:
                moved = self.value(value, {start: labels})
                if moved.numel() > MAX_TRACED:
                    return None
                cut.append(moved.movedim(list(axes), list(range(-len(axes), 0))).flatten(-len(axes))[0])
            return _window_of(torch.cat(cut, -1).long().numpy() - 1, shape[1:])
        except Exception:  # sizes that are not known, or an operator that moves other things than whole numbers
            return None

    def value(self, number: int, computed: dict[int, Any], *, computes: bool = False) -> Any:
        """Compute a value from those that are known, which it joins.

        Args:
            number: the number of the value.
            computed: number → value.
            computes: whether operators may do more than move numbers.

        Raises:
            Exception: it depends on something else.
        """
        if number in computed:
            return computed[number]
        held = self.graph.tensor(ValueRef(number))
        if held is not None:
            import torch

            return torch.from_numpy(held.array)
        if number < self.graph.first_node:
            raise LookupError("an input")
        node = self.graph.node(number)
        if node.operator == "sym_size.int":
            return self.shapes[node.refs[0]][node.args[1]]
        if not computes and not self.moves(number) and number in self.of_data:
            raise LookupError("computed")
        size = math.prod(self.shapes.get(number, ()))
        self.left -= size
        if size > MAX_TRACED or self.left < 0:
            raise LookupError("too large")
        computed[number] = _moved(node, {ref: self.value(ref, computed, computes=computes) for ref in node.refs})
        return computed[number]


def _moved(node: Node, values: dict[int, Any]) -> Any:
    """Return the result of an operator; windows of whole numbers are cut as fractions, as PyTorch cuts no others."""
    if node.operator != "im2col.default" or any(value.is_floating_point() for value in values.values()):
        return call_operator(node, values)
    return call_operator(node, {ref: value.double() for ref, value in values.items()}).long()


def _labels(value: Any) -> frozenset[int]:
    tensors = value if isinstance(value, list | tuple) else [value]
    return frozenset(label for tensor in tensors for label in tensor.unique().tolist())


def _window_of(cut: Any, shape: Sequence[int]) -> Window | None:
    """Return the windows over an array, with channels before or behind the other axes.

    Args:
        cut: place in the array, (..., numbers of a window); -1 for padding.
        shape: the shape of the array.
    """
    import numpy as np

    flat = cut.reshape(-1, cut.shape[-1])
    (numbers,) = np.nonzero((flat >= 0).all(axis=1))
    if not len(numbers):
        return None
    whole = flat[numbers]
    places = np.stack(np.unravel_index(whole, shape), axis=-1)  # (windows, numbers, axes)
    low = places.min(axis=1)
    offsets = [sorted(set(places[0, :, axis] - low[0, axis])) for axis in range(len(shape))]
    channels = 0 if len(offsets[0]) == shape[0] else len(shape) - 1
    same = (np.sort(whole - whole.min(axis=1, keepdims=True)) == np.sort(whole[:1] - whole[:1].min())).all()
    if not same or math.prod(map(len, offsets)) != flat.shape[1] or len(offsets[channels]) != shape[channels]:
        return None
    sides = [axis for axis in range(len(shape)) if axis != channels]
    starts = [sorted(set(low[:, axis])) for axis in sides]
    gaps = [set(np.diff(offsets[axis])) or {1} for axis in sides]
    if any(len(gap) > 1 for gap in gaps):
        return None
    kernel = tuple(len(offsets[axis]) for axis in sides)
    stride = tuple(int(at[1] - at[0]) if len(at) > 1 else 1 for at in starts)
    dilation = tuple(int(gap.pop()) for gap in gaps)
    padding = None
    if len(cut.shape) - 1 == len(sides):
        first = np.unravel_index(numbers[0], cut.shape[:-1])
        pads = [int(stride[n] * first[n] - low[0, axis]) for n, axis in enumerate(sides)]
        ends = [stride[n] * (cut.shape[n] - 1) - pads[n] + dilation[n] * (kernel[n] - 1) for n in range(len(sides))]
        is_even = all(end - shape[axis] + 1 == pad for end, axis, pad in zip(ends, sides, pads, strict=True))
        padding = tuple(pads) if is_even else None
    return Window(int(shape[channels]), kernel, stride, dilation, padding)
