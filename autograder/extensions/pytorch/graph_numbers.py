"""The numbers of a graph: parameters as PyTorch counts them, and constants that could hold knowledge beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.check.settings import FREE_NUMBERS, is_a_pattern
from autograder.extensions.pytorch.kernel_side.torch_operators import (
    ARRANGEMENTS,
    CALCULATIONS,
    DRAWS,
    LAYERS,
    SOURCES,
)
from autograder.extensions.pytorch.operator_graph import Graph, Node, ValueRef, typed_arguments
from autograder.models.network import NumberCounts

_STATISTICS = {"batch_norm.default": (3, 4), "_native_batch_norm_legit_no_training.default": (3, 4)}
"""Operator → the places of what a normalization has seen."""
_NUMBERS = ("Tensor", "number", "Optional[number]", "float", "Optional[float]")
"""Types of parameters that take a number to calculate with."""
_SIZE_OPERATORS = frozenset(["one_hot.default", "topk.default"])
_POSITIONS = frozenset(["arange.default", "arange.start", "arange.start_step"])
"""Sources of positions, of which only fractions are numbers to calculate with."""
_CHOICES = _POSITIONS | frozenset([
    "select.int", "slice.Tensor", "narrow.default", "roll.default", "pad.default", "constant_pad_nd.default",
    "one_hot.default", "diagonal.default", "tril.default", "triu.default", "eye.default", "eye.m", "zeros.default",
    "ones.default", "full.default", "repeat_interleave.self_int", "select_scatter.default", "slice_scatter.default",
    "diagonal_scatter.default",
])  # fmt: skip
"""Operators whose whole numbers say which places are taken or filled: many of them could write down a table."""
_JOINING = frozenset(["cat.default", "concat.default", "stack.default", "hstack.default", "vstack.default"])
"""Operators that join tensors, in an order that could say something, too."""
MAX_NUMBERS = 32
"""Most numbers beside the weights of a network that is trained again, as of a Keras model."""
MAX_CONNECTIONS = 500
"""Most tensors that go into calculations, layers and joins of such a network."""


def counts(graph: Graph) -> NumberCounts:
    """Count the numbers of a graph; tied weights count once, and numbers of a pattern do not count."""
    parameters = [tensor for tensor in graph.tensors if tensor.parameter]
    total = sum(tensor.array.size for tensor in parameters)
    trainable = sum(tensor.array.size for tensor in parameters if tensor.trainable)
    constants = constant_numbers(graph)
    return NumberCounts(total + constants, trainable, constants)


def constant_numbers(graph: Graph) -> int:
    """Count the numbers beside the parameters that count as parameters.

    Those are the numbers of arrays that differ from place to place, and single ones if there are many.
    """
    averages = statistics(graph)
    arrays = [
        tensor.array
        for number, tensor in enumerate(graph.tensors, start=graph.first_tensor)
        if not tensor.parameter and number not in averages
    ]
    listed = sum(array.size for array in arrays if not _is_uniform(array) and not is_a_pattern(array))
    single = sum(_is_uniform(array) for array in arrays) + sum(len(_single(node)) for node in graph.nodes)
    return listed + sum(count for count in (single, _constant_choices(graph)) if count > FREE_NUMBERS)


def statistics(graph: Graph) -> frozenset[int]:
    """Return the numbers of the tensors that are only what a normalization has seen."""
    averages: set[int] = set()
    elsewhere: set[int] = set(graph.outputs)
    for node in graph.nodes:
        places = _STATISTICS.get(node.operator, ())
        held = {value.value for place in places if isinstance(value := node.argument(place, ""), ValueRef)}
        averages |= held
        elsewhere |= set(Counter(node.refs) - Counter(held))
    return frozenset(averages - elsewhere)


def means_and_variances(graph: Graph) -> tuple[frozenset[int], frozenset[int]]:
    """Return the numbers of the tensors that are only means, and of those that are only variances."""
    averages = statistics(graph)
    means, variances = (
        frozenset(
            value.value
            for node in graph.nodes
            for places in [_STATISTICS.get(node.operator)]
            if places and isinstance(value := node.argument(places[number], ""), ValueRef)
        )
        for number in (0, 1)
    )
    return (means - variances) & averages, (variances - means) & averages


def excess(graph: Graph) -> str:
    """Say why a graph may hold too much knowledge beside its weights; empty if it may not."""
    if any(tensor.initializer == "parametrized" for tensor in graph.tensors):
        return "This network computes weights from other parameters, and how these begin is not known."
    connections = _connections(graph)
    if connections > MAX_CONNECTIONS:
        return (
            f"This network has {connections:,} connections between its layers and operations, and one that is "
            f"trained again may have {MAX_CONNECTIONS}."
        )
    count = _all_numbers(graph)
    if count <= MAX_NUMBERS:
        return ""
    return (
        f"This network holds {count:,} numbers beside its weights (as buffers, or in its operations). A network that "
        f"is trained again may have {MAX_NUMBERS}."
    )


def is_unusual(graph: Graph) -> bool:
    """Return whether a graph has more numbers or connections than a plain chain of layers."""
    return _all_numbers(graph) > _USUAL_NUMBERS or _connections(graph) > _USUAL_CONNECTIONS


_USUAL_NUMBERS, _USUAL_CONNECTIONS = 8, 100


def _connections(graph: Graph) -> int:
    """Return how many tensors go into calculations, layers and joins."""
    counted = CALCULATIONS | LAYERS | _JOINING
    return sum(len(node.refs) for _, node in graph.needed_nodes() if node.operator in counted)


def _constant_choices(graph: Graph) -> int:
    """Count choices among values that depend on no input and no parameter, and what is joined of these.

    ``select`` of positions is a number, and many of them are a table. An expression that several blocks have, such as
    a mask, counts once.
    """
    varying = {*range(graph.first_tensor)}
    varying |= {number for number, held in enumerate(graph.tensors, start=graph.first_tensor) if held.parameter}
    first: dict[str, int] = {}
    same: dict[int, ValueRef] = {}
    count = 0
    for number, node in graph.needed_nodes():
        if not varying.isdisjoint(node.refs):
            varying.add(number)
            continue
        expression = repr((node.operator, _replaced(node.args, same), _replaced([*node.keywords.items()], same)))
        same[number] = ValueRef(first.setdefault(expression, number))
        if same[number].value == number:
            count += (node.operator in _CHOICES) + (len(node.refs) - 1 if node.operator in _JOINING else 0)
    return count


def _replaced(value: Any, same: Mapping[int, ValueRef]) -> Any:
    if isinstance(value, ValueRef):
        return same.get(value.value, value)
    return [_replaced(item, same) for item in value] if isinstance(value, list | tuple) else value


def _all_numbers(graph: Graph) -> int:
    single = [number for node in graph.nodes for number in _single(node)]
    return constant_numbers(graph) + (len(set(single)) if len(single) <= FREE_NUMBERS else 0)


def _single(node: Node) -> list[float]:
    """Return the single numbers that an operator calculates with."""
    if node.operator not in CALCULATIONS | SOURCES | DRAWS | ARRANGEMENTS or node.operator in _SIZE_OPERATORS:
        return []
    values = [value for value, kind in typed_arguments(node) if kind in _NUMBERS and type(value) in (int, float)]
    if node.operator in _POSITIONS:
        values = [value for value in values if value % 1]
    return [float(value) for value in values if np.isfinite(value)]


def _is_uniform(array: np.ndarray) -> bool:
    return bool(array.size and (array == array.flat[0]).all())
