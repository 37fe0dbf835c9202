"""New values for the tensors of a graph, drawn as PyTorch's own modules draw them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from autograder.extensions.pytorch import graph_numbers
from autograder.extensions.pytorch.graph_computation import torch_tensor
from autograder.extensions.pytorch.graph_layers import GATES
from autograder.extensions.pytorch.operator_graph import FLOATS, Graph, Tensor


def fresh_tensors(graph: Graph) -> list[Any]:
    """Draw all parameters anew, also frozen ones; running averages start anew, and constants stay.

    Parameters are drawn in their order, from PyTorch's global generator, as the constructors of ``nn.Linear`` and the
    convolutions do.
    """
    import torch

    averages, (means, _) = graph_numbers.statistics(graph), graph_numbers.means_and_variances(graph)
    tensors: list[Any] = []
    for number, held in enumerate(graph.tensors, start=graph.first_tensor):
        tensor = torch_tensor(held.array, held)
        if held.parameter and held.dtype in FLOATS:
            with torch.no_grad():
                _DRAW[held.initializer](tensor, graph, number, held)
        elif number in averages:
            tensor.fill_(0.0 if number in means else 1.0)
        tensors.append(tensor.requires_grad_(held.parameter and held.trainable))
    return tensors


def _linear(tensor: Any, graph: Graph, number: int, held: Tensor) -> None:
    import torch

    if tensor.ndim < 2:
        _uniform(tensor, tensor.numel())
    else:
        torch.nn.init.kaiming_uniform_(tensor, a=math.sqrt(5))


def _bias(tensor: Any, graph: Graph, number: int, held: Tensor) -> None:
    position = held.of - graph.first_tensor
    weight = graph.tensors[position].array.shape if 0 <= position < len(graph.tensors) else ()
    _uniform(tensor, math.prod(weight[1:]) if len(weight) > 1 else tensor.numel())


def _uniform(tensor: Any, count: int) -> None:
    bound = 1 / math.sqrt(max(1, count))
    tensor.uniform_(-bound, bound)


def _embedding(tensor: Any, graph: Graph, number: int, held: Tensor) -> None:
    tensor.normal_()


def _recurrent(tensor: Any, graph: Graph, number: int, held: Tensor) -> None:
    gates = next(
        (GATES[name] for node in graph.nodes if number in node.refs and (name := _loop(node.operator)) in GATES), 1
    )
    _uniform(tensor, tensor.shape[0] // gates if tensor.ndim else 1)


def _loop(operator: str) -> str:
    return operator.partition(".")[0].removesuffix("_cell")


def _xavier(tensor: Any, graph: Graph, number: int, held: Tensor) -> None:
    import torch

    if tensor.ndim < 2:
        tensor.zero_()
    else:
        torch.nn.init.xavier_uniform_(tensor)


def _draw_parameter(tensor: Any, graph: Graph, number: int, held: Tensor) -> None:
    """Draw a parameter of the student's own: scales are 1, shifts are 0, and matrices as wide as their sides."""
    if tensor.ndim < 2:
        tensor.fill_(1.0 if held.array.size and abs(float(held.array.mean()) - 1) < 0.5 else 0.0)
    else:
        tensor.normal_(0, 1 / math.sqrt(max(tensor.shape[-2:])))


_DRAW: Mapping[str, Callable[[Any, Graph, int, Tensor], None]] = {
    "linear": _linear,
    "bias": _bias,
    "embedding": _embedding,
    "recurrent": _recurrent,
    "xavier": _xavier,
    "ones": lambda tensor, graph, number, held: tensor.fill_(1.0),
    "zeros": lambda tensor, graph, number, held: tensor.fill_(0.0),
    "own": _draw_parameter,
    "parametrized": _draw_parameter,
}
