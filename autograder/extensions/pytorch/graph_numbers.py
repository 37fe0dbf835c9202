"""The numbers of a graph: parameters as PyTorch counts them, and constants that could hold knowledge beside them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.extensions.networks.network import NumberCounts
from autograder.extensions.networks.settings import FREE_NUMBERS, information, is_a_pattern, progression
from autograder.extensions.pytorch.kernel_side.torch_operators import ARRANGEMENTS, CALCULATIONS, LAYERS, SIZES
from autograder.extensions.pytorch.operator_graph import Graph, Node, ValueRef, typed_arguments

_REMEMBERING = frozenset(["batch_norm.default", "_native_batch_norm_legit_no_training.default"])
"""Normalizations that keep what they have seen."""
_STATISTICS = {"mean": 3, "variance": 4}
"""What that is → its place among their arguments."""
_FREE = frozenset([
    "dim", "dims", "dim0", "dim1", "dim2", "axis0", "axis1", "start_dim", "end_dim", "source", "destination", "path",
    "shape", "sizes", "normalized_shape", "N", "C", "HxW", "group", "groups", "num_groups", "num_layers", "chunks",
    "mode", "interpolation_mode", "padding_mode", "compute_mode", "padding_idx", "dtype",
])  # fmt: skip
"""Parameters of operators that take an axis, a shape with as many numbers as there are, or a flag. All others count."""
_FREE_OF = frozenset([("view.default", "size"), ("_unsafe_view.default", "size")])
"""Operators with such a parameter under a name that elsewhere makes something larger."""
_COUNTED_OF = frozenset([("tile.default", "dims")])
"""The other way round."""
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
_LINEAR = ARRANGEMENTS - _JOINING - frozenset([
    "expand.default", "expand_as.default", "repeat.default", "tile.default", "repeat_interleave.self_int",
    "index_select.default", "gather.default", "index.Tensor", "unfold.default", "one_hot.default",
]) | frozenset([
    "getitem", "dropout.default", "feature_dropout.default", "avg_pool1d.default", "avg_pool2d.default",
    "avg_pool3d.default", "adaptive_avg_pool1d.default", "adaptive_avg_pool2d.default", "adaptive_avg_pool3d.default",
    "_adaptive_avg_pool2d.default", "mean.dim", "sum.dim_IntList", "neg.default", "add.Tensor", "sub.Tensor",
    "add.Scalar", "sub.Scalar", "rsub.Scalar", "mul.Scalar", "div.Scalar", *_REMEMBERING,
])  # fmt: skip
"""Operators that are linear in all that they take, and give no number twice."""
_PRODUCTS = frozenset([
    "mul.Tensor", "div.Tensor", "matmul.default", "mm.default", "bmm.default", "mv.default", "addmm.default",
    "baddbmm.default", "einsum.default", "linear.default", "conv1d.default", "conv2d.default", "conv3d.default",
    "conv1d.padding", "conv2d.padding", "conv3d.padding", "convolution.default", "conv_transpose1d.default",
    "conv_transpose2d.input", "conv_transpose3d.input",
])  # fmt: skip
"""Operators that are linear in each of what they take."""
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

    Those are the numbers of arrays that differ from place to place, and single ones if there are many. What
    normalizations have seen counts as far as parameters beside it could not hold it.
    """
    single = sum(_single_numbers(graph))
    uncovered = max(0, _beyond_parameters(graph) - FREE_NUMBERS)
    return _listed(graph) + (single if single > FREE_NUMBERS else 0) + uncovered


def _beyond_parameters(graph: Graph) -> int:
    """Count the statistics that are more than the parameters of the linear operators around them.

    A scale and a shift of each feature are in the weights before them or after them already. Between two functions that
    are not linear they would be a layer of weights.
    """
    averages, of_data = statistics(graph), graph.of_data()
    sizes = {number: held.array.size for number, held in enumerate(graph.tensors, start=graph.first_tensor)}
    weights = {number for number in sizes if graph.tensors[number - graph.first_tensor].parameter}
    held_in = {number: {number} if number in sizes else set() for number in range(graph.first_node)}
    piece_of = {number: number for number in of_data}

    def root(number: int) -> int:
        while piece_of[number] != number:
            piece_of[number] = number = piece_of[piece_of[number]]
        return number

    held_by: dict[int, set[int]] = defaultdict(set)
    for number, node in graph.needed_nodes():
        data = [ref for ref in node.refs if ref in of_data]
        tensors_beside = set().union(*(held_in.get(ref, set()) for ref in node.refs if ref not in of_data))
        held_in[number] = tensors_beside
        is_inverse = node.operator == "div.Tensor" and node.refs[0] not in of_data
        is_linear = node.operator in _LINEAR or (node.operator in _PRODUCTS and len(data) == 1 and not is_inverse)
        for ref in data if is_linear and number in of_data else ():
            piece_of[root(ref)] = number
        for ref in {*data, number} & of_data:
            held_by[ref] |= tensors_beside
    by_piece: dict[int, set[int]] = defaultdict(set)
    for number, tensors in held_by.items():
        by_piece[root(number)] |= tensors
    beyond = [
        sum(sizes[tensor] for tensor in held & averages - weights) - sum(sizes[tensor] for tensor in held & weights)
        for held in by_piece.values()
    ]
    return sum(count for count in beyond if count > 0)


def normalizes_by_batch(node: Node) -> bool:
    """Return whether an operator normalizes by the rows of a batch in a training."""
    return node.operator in _REMEMBERING


def has_arrays(graph: Graph) -> bool:
    """Return whether a graph holds arrays beside its weights whose numbers differ from place to place."""
    return _listed(graph) > 0


def _listed(graph: Graph) -> int:
    """Count the numbers of arrays that differ from place to place."""
    arrays = _constant_arrays(graph)
    return sum(array.size for array in arrays if not is_uniform(array) and not is_a_pattern(array))


def _constant_arrays(graph: Graph) -> list[np.ndarray]:
    averages = statistics(graph)
    return [
        tensor.array
        for number, tensor in enumerate(graph.tensors, start=graph.first_tensor)
        if not tensor.parameter and number not in averages
    ]


def statistics(graph: Graph) -> frozenset[int]:
    """Return the numbers of the tensors that are only what a normalization has seen."""
    averages: set[int] = set()
    elsewhere: set[int] = set(graph.outputs)
    for node in graph.nodes:
        held = set(_statistics_of(node).values())
        averages |= held
        elsewhere |= set(Counter(node.refs) - Counter(held))
    return frozenset(averages - elsewhere).intersection(range(graph.first_tensor, graph.first_node))


def means_and_variances(graph: Graph) -> tuple[frozenset[int], frozenset[int]]:
    """Return the numbers of the tensors that are only means, and of those that are only variances."""
    averages, pairs = statistics(graph), [_statistics_of(node) for node in graph.nodes]
    means, variances = (frozenset(held[kind] for held in pairs if kind in held) for kind in ("mean", "variance"))
    return (means - variances) & averages, (variances - means) & averages


def _statistics_of(node: Node) -> dict[str, int]:
    """Return the numbers of the mean and the variance that a normalization has seen; empty for other operators."""
    if node.operator not in _REMEMBERING:
        return {}
    values = {kind: node.argument(place, "") for kind, place in _STATISTICS.items()}
    return {kind: value.value for kind, value in values.items() if isinstance(value, ValueRef)}


def excess(graph: Graph, allowed: int = 0) -> str:
    """Say why a graph may hold too much knowledge beside its weights; empty if it may not.

    Args:
        graph: the graph.
        allowed: the numbers that it may hold, if these are more than usual.
    """
    if any(tensor.initializer == "parametrized" for tensor in graph.tensors):
        return "This network computes weights from other parameters, and how these begin is not known."
    connections = _connections(graph)
    if connections > MAX_CONNECTIONS:
        return (
            f"This network has {connections:,} connections between its layers and operations, and one that is "
            f"trained again may have {MAX_CONNECTIONS}."
        )
    count, most = numbers_beside(graph), max(MAX_NUMBERS, allowed)
    if count <= most:
        return ""
    return (
        f"This network holds {count:,} numbers beside its weights (as buffers, or in its operations). A network that "
        f"is trained again may have {most}."
    )


def is_unusual(graph: Graph) -> bool:
    """Return whether a graph has more numbers or connections than a plain chain of layers."""
    return _listed(graph) + max(_single_numbers(graph)) > _USUAL_NUMBERS or _connections(graph) > _USUAL_CONNECTIONS


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


def numbers_beside(graph: Graph) -> int:
    """Count the numbers beside the weights of a network that is trained again, where running averages start anew."""
    return _listed(graph) + sum(_single_numbers(graph))


def _single_numbers(graph: Graph) -> tuple[int, int]:
    """Count the numbers to calculate with, and those that say places and sizes which no input and no tensor has."""
    values, places = defaultdict(list), defaultdict(set)
    values["tensor", ""] = [float(array.flat[0]) for array in _constant_arrays(graph) if is_uniform(array)]
    shapes = [held.array.shape for held in graph.tensors]
    # A tensor without numbers costs nothing, and its sizes may be any: they are as good as literals.
    values["size", ""] = [float(size) for shape in shapes if 0 in shape for size in shape if size > 1]
    usual = {0, 1, *(size for held in graph.inputs for size in held.shape)}
    usual.update(size for shape in shapes if 0 not in shape for size in shape)
    for _, node in graph.needed_nodes():
        for name, value, is_place in _literals(node):
            if is_place:
                places[node.operator, name].add(value)
            else:
                values[node.operator, name].append(float(value))
    ungiven = (
        min(progression(found), progression({n for n in found if abs(n) not in usual})) for found in places.values()
    )
    return information(values.values()), sum(ungiven) + _constant_choices(graph)


def _literals(node: Node) -> Iterator[tuple[str, float, bool]]:
    """Yield each literal that counts: its parameter, its value, and whether it is a place or a size."""
    if node.operator in SIZES:
        if node.operator not in ("sym_size.int", "getitem"):
            yield from (("", value, False) for value in node.args if type(value) is int)
        return
    for name, kind, value in typed_arguments(node):
        if (name in _FREE or (node.operator, name) in _FREE_OF) and (node.operator, name) not in _COUNTED_OF:
            continue
        for number in value if isinstance(value, list) else [value]:
            if type(number) in (int, float) and math.isfinite(number):
                is_position = node.operator in _POSITIONS and number % 1 == 0
                yield name, number, is_position or (kind in _WHOLE and name not in _DIVISORS)


_WHOLE = frozenset(["int", "Optional[int]", "List[int]", "Optional[List[int]]"])
_DIVISORS = frozenset(["divisor_override"])
"""Whole numbers to calculate with."""


def is_uniform(array: np.ndarray) -> bool:
    """Return whether an array holds one number everywhere."""
    return bool(array.size and (array == array.flat[0]).all())
