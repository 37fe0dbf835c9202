"""The sizes and the cost of a graph, computed on PyTorch's meta device: with shapes alone, and no memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from autograder.extensions.networks.bounds import MAX_ELEMENTS, MAX_TENSOR, MAX_WORK
from autograder.extensions.pytorch.computation import compute, dtype_named, tensors_in
from autograder.extensions.pytorch.kernel_side.torch_operators import SIZES
from autograder.extensions.pytorch.operator_graph import Graph, by_axis
from autograder.models.argument_values import RefusedModel

ROWS = 3
"""Rows with which shapes are computed: a number that few layers have as a size."""
_TOO_LARGE = "The outputs of the module's operators are too large to be graded."
_PRODUCTS = frozenset(["matmul.default", "mm.default", "bmm.default", "mv.default", "addmm.default", "baddbmm.default"])
_DIFFERENCES = frozenset(["pairwise_distance.default", "cosine_similarity.default"])
"""Operators that keep a number for each pair that they compare."""
_LOOPS = frozenset(["lstm.input", "gru.input", "rnn_tanh.input", "rnn_relu.input"])
_ADDED = frozenset(["addmm.default", "baddbmm.default"])
"""Products of which the first argument is added."""


@dataclass
class GraphCosts:
    """The costs of a graph for one row."""

    graph: Graph
    elements: float = 0.0
    """Count of the numbers in all results."""
    largest: float = 0.0
    """Most numbers that one operator makes on the way to its result."""
    fixed: float = 0.0
    """Count of the numbers in results that depend on no input, and are as many for any number of rows."""
    work: float = 0.0
    """Count of the multiplications."""
    outputs: tuple[tuple[int, ...], ...] = ()
    """The shapes of the outputs for one row."""
    shapes: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Number of a value → the shape of its first tensor, with :data:`ROWS` rows."""

    @cached_property
    def _of_data(self) -> set[int]:
        return self.graph.of_data()

    def watch(self, number: int, args: Any, result: Any) -> None:
        """Add the cost of one operator.

        Raises:
            RefusedModel: the graph exceeds a limit.
        """
        node = self.graph.node(number)
        self.shapes[number] = next((tuple(tensor.shape) for tensor in tensors_in(result)), ())
        if node.operator in SIZES:  # a tensor among them was counted as one of several results
            return
        sizes = [tensor.numel() / ROWS for tensor in tensors_in(result)]
        self.elements += sum(sizes)
        self.fixed += 0 if number in self._of_data else ROWS * sum(sizes)
        shapes = [tuple(tensor.shape) for tensor in tensors_in(args)]
        self.work += _work(node.operator, shapes, args, sum(sizes))
        self.largest = max(self.largest, _expanded(node.operator, shapes, args, sum(sizes)))
        if max([*sizes, self.largest]) > MAX_TENSOR or max(self.elements, self.fixed) > MAX_ELEMENTS:
            raise RefusedModel(_TOO_LARGE)
        if self.work > MAX_WORK:
            raise RefusedModel("The module needs more computation for one row of data than can be graded.")


def measured(graph: Graph, max_parameters: int) -> GraphCosts:
    """GraphCosts a graph.

    Raises:
        RefusedModel: it exceeds a limit, or its shapes do not fit together.
    """
    import torch

    parameters = sum(tensor.array.size for tensor in graph.tensors)
    if parameters > max_parameters:
        raise RefusedModel(f"The module has more than {max_parameters:,} numbers, which is more than can be graded.")
    measure = GraphCosts(graph)
    inputs, tensors = _shapes_alone(graph, ROWS)
    if sum(tensor.numel() for tensor in inputs) / ROWS > MAX_TENSOR:
        raise RefusedModel(_TOO_LARGE)
    measure.shapes.update(enumerate(tuple(tensor.shape) for tensor in inputs))
    try:
        with torch.no_grad():
            outputs = compute(graph, inputs, tensors, watch=measure.watch)
    except RefusedModel:
        raise
    except NotImplementedError as error:
        raise RefusedModel("The module has an operator that cannot be measured here.", kind_refused=True) from error
    except Exception as error:
        raise RefusedModel("The shapes in the module's graph do not fit together.") from error
    if not all(tensor.ndim and tensor.shape[0] == ROWS for tensor in outputs):
        raise RefusedModel("The module does not give one output for each row of its input.", kind_refused=True)
    measure.outputs = tuple(tuple(map(int, tensor.shape[1:])) for tensor in outputs)
    return measure


def require_linear_growth(graph: Graph, costs: GraphCosts, rows: int) -> None:
    """Require that a number of rows takes about as many numbers for each row as when the graph was measured.

    A graph computes sizes of the number of its rows, so that few rows may be small and many larger than any memory.

    Raises:
        RefusedModel: it takes many more.
    """
    import torch

    most = _MAX_GROWTH * max(rows, ROWS) * (costs.elements + 1)
    total = 0

    def watch(number: int, args: Any, result: Any) -> None:
        nonlocal total
        total += sum(tensor.numel() for tensor in tensors_in(result))
        if total > most:
            raise RefusedModel(_TOO_LARGE)

    with torch.no_grad():
        compute(graph, *_shapes_alone(graph, rows), watch=watch)


_MAX_GROWTH = 4


def _shapes_alone(graph: Graph, rows: int) -> tuple[list[Any], list[Any]]:
    """Return inputs of so many rows, and the module's tensors, without their numbers."""
    import torch

    def empty(shape: tuple[int, ...], dtype: str) -> Any:
        return torch.empty(shape, dtype=dtype_named(dtype), device="meta")

    inputs = [empty((rows, *held.shape), held.dtype) for held in graph.inputs]
    return inputs, [empty(held.array.shape, held.dtype) for held in graph.tensors]


Shape = tuple[int, ...]


def _work(operator: str, shapes: list[Shape], args: Any, results: float) -> float:
    """Return about how many multiplications an operator takes for one row.

    Args:
        operator: its name.
        shapes: those of the tensors that it takes, with :data:`ROWS` rows.
        args: its arguments.
        results: the count of the numbers that it gives, for one row.
    """
    counts = [math.prod(shape) for shape in shapes]
    if operator.startswith(("max_pool", "avg_pool")):
        axes = int(operator[operator.index("pool") + 4])
        return results * float(abs(math.prod(by_axis(args[1], axes))))
    if operator in _PRODUCTS:
        return results * shapes[1 if operator in _ADDED else 0][-1]
    if operator in ("linear.default", "cdist.default"):
        return results * shapes[0][-1]
    if "conv" in operator and len(shapes) > 1:
        places = counts[0] / ROWS if _is_turned(operator, args) else results
        return places * counts[1] / max(1, shapes[1][0])
    if operator in _LOOPS:
        return counts[0] / max(1, shapes[0][-1]) / ROWS * sum(counts[1:])
    if operator == "einsum.default":
        return _einsum(args) / ROWS
    if operator == "scaled_dot_product_attention.default":
        return 2 * counts[0] * shapes[1][-2] / ROWS
    return results + sum(counts) / ROWS


def _is_turned(operator: str, args: Any) -> bool:
    """Return whether a convolution is a transposed one; ``convolution`` says it in an argument."""
    return "transpose" in operator or (operator == "convolution.default" and args[6] is True)


def _expanded(operator: str, shapes: list[Shape], args: Any, results: float) -> float:
    """Return the most numbers that an operator makes on the way to its result, for one row."""
    if operator in _DIFFERENCES:
        return math.prod(np.broadcast_shapes(*shapes[:2])) / ROWS
    if "conv" in operator and len(shapes) > 1 and args[0].element_size() > 4:  # other types are not unfolded
        places = math.prod(shapes[0]) / ROWS if _is_turned(operator, args) else results
        return places * math.prod(shapes[1][1:]) / max(1, shapes[1][0])
    if operator == "matmul.default" and min(map(len, shapes)) > 1:
        batch = math.prod(np.broadcast_shapes(tuple(shapes[0][:-2]), tuple(shapes[1][:-2])))
        return batch * max(math.prod(shape[-2:]) for shape in shapes) / ROWS
    if operator == "einsum.default" and len(shapes) > 2:
        return _einsum(args) / ROWS
    if operator == "scaled_dot_product_attention.default":
        return math.prod(shapes[0][:-1]) * shapes[1][-2] / ROWS
    return 0.0


def _einsum(args: Any) -> float:
    """Return the product of all sizes of an equation, which bounds each way to compute it.

    Raises:
        RefusedModel: it has more than three operands, whose products could be larger than all results.
    """
    equation, operands = args[0].replace(" ", ""), args[1]
    terms = equation.split("->")[0].split(",")
    if len(operands) > 3 or len(terms) != len(operands):
        raise RefusedModel("The module's graph has an einsum of more than three operands.", kind_refused=True)
    sizes: dict[str, int] = {}
    for term, operand in zip(terms, operands, strict=True):
        letters = term.replace("...", "")
        if "." in term:
            letters = letters.rjust(operand.ndim, ".")
        for position, letter in enumerate(letters[: operand.ndim]):
            name = letter if letter != "." else f".{operand.ndim - position}"
            sizes[name] = max(sizes.get(name, 1), int(operand.shape[position]))
    return float(math.prod(sizes.values()))
