"""A PyTorch module's graph as a function of its rows and its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.extensions.networks.computed_function import ServedFunction
from autograder.extensions.networks.dropped import DropoutFactors, read_factors
from autograder.extensions.networks.torch_precision import double_by_default, seed_of
from autograder.extensions.networks.weight_function import FunctionPass, NumberKind, WeightFunction
from autograder.extensions.pytorch import graph_numbers
from autograder.extensions.pytorch.computation import compute, gradients_of, one_thread, preserved_draws
from autograder.extensions.pytorch.graph_computation import GraphComputation
from autograder.extensions.pytorch.operator_graph import FLOATS, DType, Graph, Node, read_graph

if TYPE_CHECKING:
    from collections.abc import Mapping

_DOUBLE = "float64"


class TorchFunction(WeightFunction):
    """The computation of a graph in double precision; each random operator gives the same number."""

    def __init__(self, network: GraphComputation, factors: DropoutFactors | None = None) -> None:
        graph = network.graph
        self.network, self.factors = network, factors
        self.positions = [position for position, held in enumerate(graph.tensors) if held.dtype in FLOATS]
        self.arrays = [graph.tensors[position].array.astype(np.float64) for position in self.positions]
        means, variances = graph_numbers.means_and_variances(graph)
        kinds: list[NumberKind] = []
        for position in self.positions:
            held, number = graph.tensors[position], graph.first_tensor + position
            beside: NumberKind = "mean" if number in means else "variance" if number in variances else "constant"
            kinds.append("weight" if held.parameter and held.trainable else "frozen" if held.parameter else beside)
        self.kinds = kinds
        self.is_parametrized = any(held.initializer == "parametrized" for held in graph.tensors)
        self.graph = _in_double(graph)

    def outputs(self, arrays: Sequence[np.ndarray], rows: Any) -> list[np.ndarray]:
        """Compute the outputs."""
        import torch

        with torch.no_grad():
            return [output.double().numpy() for output in self._outputs(self._tensors(arrays), rows)]

    def forward(self, arrays: Sequence[np.ndarray], rows: Any) -> FunctionPass:
        """Compute the outputs, and what their gradients need."""
        import torch

        tensors = self._tensors(arrays)
        held = [
            tensors[position].requires_grad_(kind not in ("mean", "variance"))  # PyTorch has no gradient of statistics
            for position, kind in zip(self.positions, self.kinds, strict=True)
        ]
        with torch.enable_grad():
            outputs = self._outputs(tensors, rows)

        def gradients(of_outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
            pairs = [
                (output, torch.from_numpy(np.ascontiguousarray(array)).to(output.dtype))
                for output, array in zip(outputs, of_outputs, strict=True)
                if output.requires_grad
            ]
            if not pairs:
                return [np.zeros(array.shape) for array in self.arrays]
            chosen, weights = zip(*pairs, strict=True)
            with one_thread():
                derivatives = gradients_of(chosen, weights, held)
            return [
                np.zeros(array.shape) if gradient is None else gradient.to_dense().double().numpy()
                for gradient, array in zip(derivatives, self.arrays, strict=True)
            ]

        return FunctionPass([output.detach().double().numpy() for output in outputs], gradients)

    def _tensors(self, arrays: Sequence[np.ndarray]) -> list[Any]:
        import torch

        tensors = list(self.network.tensors)
        for position, array in zip(self.positions, arrays, strict=True):
            tensors[position] = torch.from_numpy(np.array(array, dtype=np.float64, order="C"))
        return tensors

    def _outputs(self, tensors: Sequence[Any], rows: Any) -> list[Any]:
        inputs = [held.double() if held.is_floating_point() else held for held in self.network.inputs(rows)]
        self.network.require_linear_growth(len(inputs[0]))
        with preserved_draws(), one_thread(), double_by_default():
            return compute(self.graph, inputs, tensors, draw_seed=seed_of(inputs), factors=self.factors)


class ComputedFunction(ServedFunction):
    """The same where strangers' networks are computed, from a graph's claim."""

    def __init__(self, claim: Mapping[str, Any], arrays: Sequence[np.ndarray], factors: Sequence[Any] | None) -> None:
        super().__init__(TorchFunction(GraphComputation(read_graph(claim, arrays)), read_factors(factors)))


def _in_double(graph: Graph) -> Graph:
    shared = [_shared(graph, node) for node in graph.nodes]
    nodes = tuple(Node(node.operator, _wide(node.args), _wide(dict(node.keywords))) for node in shared)
    tensors = tuple(replace(held, dtype=_wide_name(held.dtype)) for held in graph.tensors)
    inputs = tuple(replace(held, dtype=_wide_name(held.dtype)) for held in graph.inputs)
    return replace(graph, nodes=nodes, tensors=tensors, inputs=inputs)


def _shared(graph: Graph, node: Node) -> Node:
    """Return a node that gives the largest numbers of an axis so that equal ones share its gradient."""
    if node.operator != "getitem" or node.args[1] != 0 or node.refs[0] < graph.first_node:
        return node
    source = graph.node(node.refs[0])
    if source.operator not in _SHARING:
        return node
    numbers, axis, *keepdim = source.args
    return Node(_SHARING[source.operator], (numbers, [axis], *keepdim), source.keywords)


_SHARING = {"max.dim": "amax.default", "min.dim": "amin.default"}
"""Operator that gives the gradient to the first of equal numbers → the one that shares it, as ``maximum`` does."""


def _wide(value: Any) -> Any:
    if isinstance(value, DType):
        return DType(_wide_name(value.name))
    if isinstance(value, dict):
        return {key: _wide(item) for key, item in value.items()}
    return type(value)(_wide(item) for item in value) if isinstance(value, list | tuple) else value


def _wide_name(dtype: str) -> str:
    return _DOUBLE if dtype in FLOATS else dtype
