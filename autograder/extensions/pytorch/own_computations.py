"""Layers that a student computed from their formula: norms, and convolutions as sums of shifted products.

What a formula computes is not read off its operators. It is computed on drawn numbers, and compared with the layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.extensions.networks.readings import LayerReading
from autograder.extensions.pytorch.graph_layers import LayerEntry, layer_of
from autograder.extensions.pytorch.kernel_side.torch_operators import ARRANGEMENTS, CALCULATIONS
from autograder.extensions.pytorch.operator_graph import Graph, Shapes, ValueRef
from autograder.extensions.pytorch.unit_traces import MAX_TRACED, Tracer, convolutions, summed_axes, treats_alone

_FAMILIES: Mapping[str, frozenset[str]] = {
    "norms": frozenset(["var", "var_mean", "std", "sqrt", "rsqrt", "norm", "linalg_vector_norm", "pow"]),
    "poolings": frozenset(["mean", "sum", "amax", "max", "min", "amin", "einsum"]),
    "sizes": frozenset(["repeat_interleave", "repeat", "tile", "index", "index_select", "pad", "constant_pad_nd"]),
}
"""What is computed beside layers → its operators."""
MAX_REGION = 24
"""Most operators of a formula."""
_MEANS = frozenset(["mean", "sum", "var", "var_mean", "std", "norm", "linalg_vector_norm"])
_QUOTIENTS = frozenset(["div", "mul"])
_PRODUCTS = frozenset(["matmul", "mm", "bmm", "mv", "addmm", "baddbmm", "einsum", "mul", "cdist"])
_SAME = 1e-3
"""Accepted relative difference of a formula and its layer, which may have another epsilon."""
_FACTORS = (0.5, 2.0)
"""Accepted factor between them: a deviation may be divided by one less than the count."""


def own_computations(graph: Graph, shapes: Shapes) -> frozenset[str]:
    """Return what a graph computes beside its layers that may be one of the student's own."""
    tracer = Tracer(graph, shapes)
    norms = own_norms(tracer)
    in_norms = set(norms).union(*(norm.inside for norm in norms.values()))
    learned = {number for number, held in enumerate(graph.tensors, graph.first_tensor) if held.parameter}
    collected: set[str] = set()
    for number, node in graph.needed_nodes():
        if number not in tracer.of_data:
            learned |= {number} if learned & set(node.refs) else set()
            continue
        call = tracer.call(number)
        if number in in_norms or layer_of(call, tracer.of_data) is not None:
            continue
        collected |= {name for name, operators in _FAMILIES.items() if call.operator in operators}
        sizes = [call.shape_of(ValueRef(ref)) for ref in learned & set(node.refs)]
        if call.operator in _PRODUCTS and any(sum(size > 1 for size in shape) > 1 for shape in sizes):
            collected.add("products")
    return frozenset(collected)


@dataclass(frozen=True)
class OwnNorm:
    """A norm from its formula."""

    source: int
    """The number of the value that is normalized."""
    inside: frozenset[int]
    """The numbers of its values but the last."""
    shape: tuple[int, ...]
    """The sizes of the axes over which it is normalized."""
    is_centered: bool
    """Whether it is a layer norm; else it is one by the root mean square."""

    def entry(self, vocabulary: str, layers: int, output: int) -> LayerEntry:
        """Return it as a layer that need not be asked for."""
        if vocabulary == "keras":
            kind, config = "LayerNormalization" if self.is_centered else "RMSNormalization", {}
        else:
            kind, config = "LayerNorm" if self.is_centered else "RMSNorm", {"normalized_shape": self.shape}
        return LayerEntry(layers, kind, config, operation=True, free=True, output=output)


def own_norms(tracer: Tracer) -> dict[int, OwnNorm]:
    """Return the norms of a graph that are computed from their formula, by the number of their result."""
    graph = tracer.graph
    if not any(node.operator.partition(".")[0] in _MEANS for node in graph.nodes):
        return {}
    collected: dict[int, OwnNorm] = {}
    for number, node in graph.needed_nodes():
        if node.operator.partition(".")[0] in _QUOTIENTS and sum(ref in tracer.of_data for ref in node.refs) == 2:
            norm = _norm(tracer, number)
            if norm is not None:
                last, inside = _with_weights(tracer, number, norm.inside)
                collected[last] = OwnNorm(norm.source, inside, norm.shape, norm.is_centered)
    return collected


def _norm(tracer: Tracer, number: int) -> OwnNorm | None:
    """Return the norm that a value is; one that centers, too, before one that does not."""
    best = None
    for source, inside in _regions(tracer, number):
        operators = {tracer.call(held).operator for held in inside}
        shape = tracer.shapes.get(source, ())
        if not operators & _MEANS or tracer.shapes.get(number) != shape or not 0 < math.prod(shape) <= MAX_TRACED:
            continue
        for is_centered in (True, False):
            axes = _axes_of_norm(tracer, source, number, is_centered)
            if axes is not None and (best is None or is_centered):
                best = OwnNorm(source, inside - {number}, tuple(shape[axis] for axis in axes), is_centered)
        if best is not None and best.is_centered:
            break
    return best


def _regions(tracer: Tracer, number: int) -> Iterator[tuple[int, frozenset[int]]]:
    """Yield values from which alone a value is computed, each with the operators between."""
    waiting, inside = {number}, set[int]()
    for _ in range(MAX_REGION):
        last = max(waiting)
        if last < tracer.graph.first_node:
            return
        operator = tracer.call(last).node.operator
        if operator not in CALCULATIONS | ARRANGEMENTS | {"getitem"} or operator.partition(".")[0] in _PRODUCTS - {
            "mul"
        }:
            return
        inside.add(last)
        waiting = waiting - {last} | {ref for ref in tracer.call(last).node.refs if ref in tracer.of_data}
        if len(waiting) == 1:
            yield next(iter(waiting)), frozenset(inside)


def _axes_of_norm(tracer: Tracer, source: int, number: int, is_centered: bool) -> tuple[int, ...] | None:
    """Return the axes over which a formula normalizes; None if it does something else."""
    import torch

    draw = torch.Generator().manual_seed(0)
    rows = torch.randn(tracer.shapes[source], generator=draw) * 10 + 3
    computed: dict[int, Any] = {source: rows}
    for slot, held in enumerate(tracer.graph.tensors, tracer.graph.first_tensor):
        if held.parameter:
            computed[slot] = torch.ones(held.array.shape)
    try:
        result = tracer.value(number, computed, computes=True)
    except Exception:  # types or sizes that are not known
        return None
    for axes in {(rows.ndim - 1,), (1,), tuple(range(1, rows.ndim))}:
        centered = rows - rows.mean(axes, keepdim=True) if is_centered else rows
        normed = centered / centered.square().mean(axes, keepdim=True).sqrt()
        factor = float((result * normed).mean() / normed.square().mean())
        is_same = bool((result - factor * normed).abs().max() <= _SAME * max(1.0, float(normed.abs().max())))
        if rows.ndim > 1 and _FACTORS[0] <= factor <= _FACTORS[1] and is_same:
            return axes
    return None


def _with_weights(tracer: Tracer, number: int, inside: frozenset[int]) -> tuple[int, frozenset[int]]:
    """Take in the products and sums with weights that follow a norm."""
    while len(users := tracer.users.get(number, [])) == 1:
        call = tracer.call(users[0])
        weights = [tracer.graph.tensor(ValueRef(ref)) for ref in call.node.refs if ref not in tracer.of_data]
        if call.operator not in ("mul", "add") or len(call.node.refs) != 2 or len(weights) != 1:
            break
        inside, number = inside | {number}, users[0]
    return number, inside


def shifted_products(
    tracer: Tracer, created: Mapping[int, list[LayerEntry]]
) -> Iterator[tuple[list[LayerEntry], list[LayerReading]]]:
    """Yield the linear layers of which each sum is a convolution, and that convolution."""
    for number, _ in tracer.graph.needed_nodes():
        users = tracer.users.get(number, [])
        if not _adds(tracer, number) or (len(users) == 1 and _adds(tracer, users[0])):
            continue
        leaves = _leaves(tracer, number, created)
        entries = [created[leaf][0] for leaf in leaves if len(created.get(leaf, ())) == 1]
        values: list[tuple[int, Sequence[int]]] = []
        for call in [entry.call for entry in entries if entry.call is not None]:
            axes = [1] if "conv" in call.operator else summed_axes(call, tracer.of_data)
            values += [(source, axes) for source in [tracer.data(call)] if source is not None]
        if len(leaves) != len(values) or not all(map(_is_of_one_place, entries)):
            continue
        window = tracer.window(values)
        if window is not None and math.prod(window.kernel) == len(entries):
            yield entries, list(convolutions(entries[0], window))


def _is_of_one_place(entry: LayerEntry) -> bool:
    """Return whether a layer is linear, or a convolution of width 1."""
    return entry.kind in ("Linear", "Dense") or set(entry.config.get("kernel_size", ())) == {1}


def _adds(tracer: Tracer, number: int) -> bool:
    call = tracer.call(number)
    return call.operator == "add" and sum(ref in tracer.of_data for ref in call.node.refs) == 2


def _leaves(tracer: Tracer, number: int, created: Mapping[int, list[LayerEntry]]) -> list[int]:
    """Return what is added up in a value."""
    collected: list[int] = []
    waiting = [number]
    while waiting:
        value = waiting.pop()
        if value >= tracer.graph.first_node and _adds(tracer, value) and len(collected) < MAX_REGION:
            waiting += [ref for ref in tracer.call(value).node.refs if ref in tracer.of_data]
        elif value not in created and value >= tracer.graph.first_node and treats_alone(tracer.call(value)):
            waiting += tracer.call(value).node.refs  # as ``0 + x`` of a sum over a list
        else:
            collected.append(value)
    return collected
