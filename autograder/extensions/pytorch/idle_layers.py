"""Layers that change nothing: what they give comes to no output, whatever weights a network has.

``torch.where(h > 1e30, h.relu(), h.tanh())`` has a ReLU in its graph and in no number that it gives. A layer is idle
if it is so with drawn weights and with the network's own: a factor that begins at 0 is another number in a draw.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.extensions.pytorch.computation import compute, gradients_of, one_thread, preserved_draws, tensors_in
from autograder.extensions.pytorch.graph_layers import walked
from autograder.extensions.pytorch.operator_graph import FLOATS, Graph, Shapes

if TYPE_CHECKING:
    from autograder.extensions.pytorch.graph_computation import GraphComputation

_DRAWS = 2
"""Times that weights are drawn before the network's own decide."""
_SHARE = 1e-5
"""Least gradient of a layer's result, by that of what the layer takes."""
_CHANGE = 1e-6
"""Least change of the outputs, by their size, where the result of a layer is another one."""
MAX_CHANGED = 64
"""Most layers whose results are changed, where gradients do not tell."""


@dataclass(frozen=True)
class LayerValue:
    """The result of a layer, and what the layer takes."""

    result: int
    sources: tuple[int, ...]


def layer_values(graph: Graph, shapes: Shapes, vocabulary: str, kinds: Collection[str]) -> list[LayerValue]:
    """Return the values that layers of these classes give."""
    walk = walked(graph, shapes, vocabulary, asked_kinds=kinds)
    return [
        LayerValue(entry.output, (entry.source,) if entry.source >= 0 else _data(graph, entry.output, walk.of_data))
        for entry in walk.entries
        if entry.output >= graph.first_node and any(entry.step().named(kind) for kind in kinds)
    ]


def _data(graph: Graph, number: int, of_data: Collection[int]) -> tuple[int, ...]:
    return tuple(ref for ref in graph.node(number).refs if ref in of_data)


def idle_values(network: GraphComputation, rows: Any, values: Sequence[LayerValue], seed: int) -> list[int]:
    """Return the results that change no output, for drawn weights and for the network's own.

    Args:
        network: a graph with its weights.
        rows: a few rows that it takes.
        values: the results in question.
        seed: determines what is drawn.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    waiting = list(values)
    with preserved_draws(seed), one_thread():
        for tensors in (*(_drawn(network, draw) for _ in range(_DRAWS)), network.tensors):
            if waiting:
                waiting = _idle(network, rows, tensors, waiting, draw)
    return [value.result for value in waiting]


def _drawn(network: GraphComputation, draw: Any) -> list[Any]:
    """Return the tensors of a network with other parameters; buffers and constants stay."""
    import torch

    tensors = []
    for tensor, held in zip(network.tensors, network.graph.tensors, strict=True):
        if held.parameter and held.dtype in FLOATS:
            fan = max(1, tensor[0].numel()) if tensor.ndim > 1 else 1
            tensor = (torch.randn(tensor.shape, generator=draw) * fan**-0.5).to(tensor.dtype)
        tensors.append(tensor)
    return tensors


def _idle(
    network: GraphComputation, rows: Any, tensors: Sequence[Any], values: Sequence[LayerValue], draw: Any
) -> list[LayerValue]:
    """Return those of the values that change no output with these tensors; all if an output is no finite number."""
    import torch

    wanted = {number for value in values for number in (value.result, *value.sources)}
    results_by_number: dict[int, Any] = {}

    def watch(number: int, _: Any, result: Any) -> None:
        if number in wanted:
            results_by_number[number] = next(tensors_in(result), None)

    parameters = [
        tensor.detach().requires_grad_(held.parameter and tensor.is_floating_point())
        for tensor, held in zip(tensors, network.graph.tensors, strict=True)
    ]
    with torch.enable_grad():
        outputs = compute(network.graph, network.inputs(rows), parameters, by_chance=False, watch=watch)
    if not all(bool(torch.isfinite(output).all()) for output in outputs):
        return list(values)
    sizes = _gradient_sizes(outputs, results_by_number, draw)
    unsure = [value for value in values if not _has_gradient(value, sizes)]
    return [
        value
        for position, value in enumerate(unsure)
        if position >= MAX_CHANGED or not _changes(network, rows, tensors, value.result, outputs, draw)
    ]


def _gradient_sizes(outputs: Sequence[Any], results_by_number: dict[int, Any], draw: Any) -> dict[int, float]:
    """Return the size of each value's gradient, of a sum of the outputs with drawn weights."""
    import torch

    learned = [output for output in outputs if output.requires_grad]
    if not learned:
        return {}
    weights = [torch.randn(output.shape, generator=draw).to(output.dtype) for output in learned]
    numbers = [number for number, value in results_by_number.items() if value is not None and value.requires_grad]
    gradients: Sequence[Any] = []
    with suppress(RuntimeError, NotImplementedError):  # PyTorch has no derivative of an operator
        gradients = gradients_of(learned, weights, [results_by_number[number] for number in numbers])
    return {
        number: 0.0 if gradient is None else float(gradient.to_dense().double().norm())
        for number, gradient in zip(numbers, gradients, strict=False)
    }


def _has_gradient(value: LayerValue, sizes: dict[int, float]) -> bool:
    size = sizes.get(value.result, 0.0)
    return np.isfinite(size) and size > _SHARE * max((sizes.get(source, 0.0) for source in value.sources), default=0.0)


def _changes(
    network: GraphComputation, rows: Any, tensors: Sequence[Any], number: int, outputs: Sequence[Any], draw: Any
) -> bool:
    """Return whether the outputs are others where a layer gives something else."""
    import torch

    def watch(at: int, _: Any, result: Any) -> None:
        if at == number:
            for tensor in filter(torch.is_floating_point, tensors_in(result)):
                spread = float(tensor.float().norm()) / max(1, tensor.numel()) ** 0.5 + 1
                tensor.add_((torch.randn(tensor.shape, generator=draw) * spread).to(tensor.dtype))

    with torch.no_grad():
        changed = compute(network.graph, network.inputs(rows), tensors, by_chance=False, watch=watch)
    return any(_differ(before.detach(), after) for before, after in zip(outputs, changed, strict=True))


def _differ(before: Any, after: Any) -> bool:
    import torch

    if torch.equal(before, after):
        return False
    if not before.is_floating_point():
        return True
    return float((before - after).abs().max()) > _CHANGE * max(float(before.abs().max()), float(after.abs().max()))
