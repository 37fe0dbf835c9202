"""Layers that change nothing: what they give comes to no output, whatever weights a network has.

``torch.where(h > 1e30, h.relu(), h.tanh())`` has a ReLU in its graph and in no number that it gives. A layer is idle
if it is so with drawn weights and with the network's own: a factor that begins at 0 is another number in a draw.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.extensions.networks.rows import map_arrays
from autograder.extensions.pytorch.computation import compute, gradients_of, one_thread, preserved_draws, tensors_in
from autograder.extensions.pytorch.graph_layers import walked
from autograder.extensions.pytorch.operator_graph import Graph, Shapes

if TYPE_CHECKING:
    from autograder.extensions.pytorch.graph_computation import GraphComputation

_DRAWS = 6
"""Times that weights are drawn, at most, before the network's own decide."""
_SEED = 0
"""Seed for a network that draws in evaluation mode, too."""
_SIZES = (1.0, 30.0)
"""Factors of the changes of a layer's result."""
_SHARE = 1e-5
"""Least gradient of a layer's result, by that of what the layer takes."""
_CHANGE = 1e-6
"""Least change of the outputs, by their size, where the result of a layer is another one."""
MAX_CHANGED = 200
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
    waiting, is_known = list(values), False
    drawn = (_drawn(network, draw, positive=number % 2 == 1) for number in range(_DRAWS))
    with preserved_draws(seed), one_thread():
        for tensors in itertools.chain(drawn, [network.tensors]):
            idle = _idle(network, rows, tensors, waiting, draw) if waiting else []
            if idle is not None:
                waiting, is_known = idle, True
    return [value.result for value in waiting] if is_known else []


def _drawn(network: GraphComputation, draw: Any, *, positive: bool) -> list[Any]:
    """Return the tensors of a network with other parameters; buffers, constants and what is frozen stay.

    Behind positive weights, few units of a ReLU are closed for all rows.
    """
    import torch

    tensors = []
    for tensor, held in zip(network.tensors, network.graph.tensors, strict=True):
        if held.trainable:
            numbers = torch.randn(tensor.shape, generator=draw) * max(1, math.prod(tensor.shape[1:])) ** -0.5
            tensor = (numbers.abs() if positive else numbers).to(tensor.dtype)
        tensors.append(tensor)
    return tensors


def _idle(
    network: GraphComputation, rows: Any, tensors: Sequence[Any], values: Sequence[LayerValue], draw: Any
) -> list[LayerValue] | None:
    """Return those of the values that change no output with these tensors; None if the outputs are no numbers."""
    wanted = {number for value in values for number in (value.result, *value.sources)}
    for inputs in (rows, map_arrays(rows, np.abs)):  # a root or a logarithm has no value where rows are below 0
        with suppress(RuntimeError, IndexError, ValueError):  # drawn weights may be none that the operators take
            outputs, results_by_number = _computed(network, inputs, tensors, wanted)
            if any(map(_has_none, outputs)):
                continue
            sizes = _gradient_sizes(outputs, results_by_number, draw)
            unsure = [value for value in values if not _has_gradient(value, sizes)]
            return [
                value
                for position, value in enumerate(unsure)
                if position >= MAX_CHANGED or not _changes(network, inputs, tensors, value.result, outputs, draw)
            ]
    return None


def _computed(
    network: GraphComputation, rows: Any, tensors: Sequence[Any], wanted: set[int]
) -> tuple[list[Any], dict[int, Any]]:
    """Return the outputs, and the results of some operators, with what their gradients need."""
    import torch

    results_by_number: dict[int, Any] = {}

    def watch(number: int, _: Any, result: Any) -> None:
        if number in wanted:
            results_by_number[number] = next(tensors_in(result), None)

    parameters = [
        tensor.detach().requires_grad_(held.parameter and tensor.is_floating_point())
        for tensor, held in zip(tensors, network.graph.tensors, strict=True)
    ]
    with torch.enable_grad(), preserved_draws(_SEED):
        outputs = compute(network.graph, network.inputs(rows), parameters, watch=watch)
    return outputs, results_by_number


def _has_none(output: Any) -> bool:
    """Return whether there is a result that is no number; the scores of what is masked are infinite."""
    return bool(output.isnan().any())


def _gradient_sizes(outputs: Sequence[Any], results_by_number: dict[int, Any], draw: Any) -> dict[int, float]:
    """Return the size of each value's gradient, of a sum of the outputs with drawn weights."""
    import torch

    learned = [output for output in outputs if output.requires_grad]
    if not learned:
        return {}
    weights = [(torch.randn(output.shape, generator=draw) * output.isfinite()).to(output.dtype) for output in learned]
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
    """Return whether the outputs are others where a layer gives something else; true of one that gives no fractions."""
    import torch

    has_fractions = False

    def change(size: float, at: int, _: Any, result: Any) -> None:
        nonlocal has_fractions
        for tensor in filter(torch.is_floating_point, tensors_in(result)) if at == number else ():
            has_fractions = True
            spread = float(tensor.float().norm()) / max(1, tensor.numel()) ** 0.5 + 1
            tensor.add_((torch.randn(tensor.shape, generator=draw) * spread * size).to(tensor.dtype))

    for size in _SIZES:
        with torch.no_grad(), preserved_draws(_SEED), suppress(RuntimeError, IndexError, ValueError):
            changed = compute(network.graph, network.inputs(rows), tensors, watch=partial(change, size))
            pairs = zip(outputs, changed, strict=True)
            if not has_fractions or any(_differ(before.detach(), after) for before, after in pairs):
                return True
            continue
        return True  # what follows takes not every number: what the layer gives decides whether it is computed at all
    return False


def _differ(before: Any, after: Any) -> bool:
    import torch

    if torch.equal(before, after):
        return False
    if not before.is_floating_point():
        return True
    finite = before.isfinite() & after.isfinite()
    if not torch.equal(before[~finite], after[~finite]):
        return True
    before, after = before[finite], after[finite]
    sizes = [float(values.abs().max()) for values in (before - after, before, after) if values.numel()]
    return bool(sizes) and sizes[0] > _CHANGE * max(sizes[1:])
