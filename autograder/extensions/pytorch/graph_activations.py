"""Activations of a graph by their values: each piece between layers is evaluated and compared with ``torch.nn``'s own.

See :mod:`autograder.extensions.networks.element_wise`, which finds the pieces and draws the points.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograder.extensions.networks.element_wise import AFFINE, FREE, UNREAD, Region, Value, agree, named_pieces
from autograder.extensions.networks.named_activations import with_argument
from autograder.extensions.pytorch.computation import compute, one_thread
from autograder.extensions.pytorch.graph_numbers import is_uniform
from autograder.extensions.pytorch.graph_part import graph_part
from autograder.extensions.pytorch.kernel_side.torch_operators import ARRANGEMENTS, CALCULATIONS, SIZES, SOURCES
from autograder.extensions.pytorch.operator_graph import Graph, Node, Shapes, Tensor, ValueRef

MAX_ROW = 20_000
"""Most numbers of a row on which a piece is evaluated."""
_SMALL = 4
"""A side of a row on which a piece is evaluated that does not ask for the size of its input."""
AFFINE_OPERATORS = frozenset(["add", "sub", "rsub", "mul", "div", "neg"])
"""Operators that only scale and shift by a number, where they take one."""
_KNOWN_NAMES: dict[Any, tuple[LayerName, ...]] = {}
"""Pieces of the networks that this process has read; a network repeats its blocks."""
_MAX_KNOWN = 2_000


@dataclass(frozen=True)
class LayerName:
    """A layer of ``torch.nn`` without weights."""

    kind: str
    config: Mapping[str, Any]


def activation_pieces(
    graph: Graph, shapes: Shapes, *, with_own: bool = False, named_numbers: Collection[int] = ()
) -> tuple[dict[int, Region], set[int]]:
    """Return the pieces of a graph that are activations, by their last value, and all values that they cover.

    Args:
        graph: the graph.
        shapes: number of a value → its shape, as it was measured.
        with_own: whether one that equals no layer of ``torch.nn`` is a piece, too.
        named_numbers: values that are known to be of a layer.
    """
    reader = _GraphValues(graph, shapes, named_numbers)
    return named_pieces(reader.values, graph.outputs, reader.names, with_own=with_own)


def activation_of(graph: Graph, shapes: Shapes, number: int) -> str:
    """Return Keras's word for the activation that one operator is; empty if it is none."""
    reader = _GraphValues(graph, shapes)
    value = reader.values.get(number)
    if value is None or value.cost is None or len(value.parents) != 1:
        return ""
    names = reader.names(Region(value.parents[0], number, frozenset([number])))
    return word(names or (), len(shapes.get(number, ())))


def word(names: Sequence[LayerName], rank: int) -> str:
    """Return Keras's word for what is equal to these layers; empty if there is none, ``linear`` for nothing at all.

    Args:
        names: the layers of ``torch.nn``.
        rank: the number of axes of the result.
    """
    for kind, keras in _WORDS.items():
        for match in (name for name in names if name.kind == kind):
            argument, default = _ARGUMENTS.get(kind, ("", 0.0))
            if argument:
                return with_argument(keras, float(match.config[argument]), default)
            if match.config.get("dim", -1) in (-1, rank - 1) and _is_usual(match):
                return keras
    return ""


def _is_usual(match: LayerName) -> bool:
    usual = {"Softplus": {"beta": 1.0}, "Hardtanh": {"min_val": -1.0, "max_val": 1.0}}.get(match.kind, {})
    return all(math.isclose(match.config[key], value, rel_tol=1e-6) for key, value in usual.items())


_WORDS = {
    "Identity": "linear", "ReLU": "relu", "ReLU6": "relu6", "Sigmoid": "sigmoid", "Tanh": "tanh", "GELU": "gelu",
    "SiLU": "silu", "SELU": "selu", "Hardswish": "hard_silu", "Hardsigmoid": "hard_sigmoid", "Mish": "mish",
    "Softplus": "softplus", "LogSigmoid": "log_sigmoid", "Softmax": "softmax", "LogSoftmax": "log_softmax",
    "Hardtanh": "hard_tanh", "Softsign": "softsign", "Tanhshrink": "tanh_shrink", "Hardshrink": "hard_shrink",
    "Softshrink": "soft_shrink", "LeakyReLU": "leaky_relu", "ELU": "elu", "CELU": "celu",
}  # fmt: skip
"""Class of ``torch.nn`` → its word in ``keras.activations``; the first that fits is taken."""
_ARGUMENTS = {
    "LeakyReLU": ("negative_slope", 0.2), "ELU": ("alpha", 1.0), "CELU": ("alpha", 1.0), "Hardshrink": ("lambd", 0.5),
    "Softshrink": ("lambd", 0.5),
}  # fmt: skip
"""Class → the argument that Keras's word may have, and its default in Keras."""


class _GraphValues:
    """The values of a graph as :func:`named_pieces` takes them, and what a piece of them is."""

    def __init__(self, graph: Graph, shapes: Shapes, named_numbers: Collection[int] = ()) -> None:
        self.graph, self.shapes = graph, shapes
        self.tensors = {
            number: held
            for number, held in enumerate(graph.tensors, graph.first_tensor)
            if not held.trainable and is_uniform(held.array)
        }
        self.constants: set[int] = set(self.tensors)
        """Values that depend on no input, and are the same at each place."""
        self.sizes: set[int] = set()
        self.values: dict[int, Value] = {}
        of_data = set(range(len(graph.inputs)))
        for number, node in graph.needed_nodes():
            refs = set(node.refs)
            parents = tuple(dict.fromkeys(ref for ref in node.refs if ref in of_data))
            operands = {value.value for value in node.args if isinstance(value, ValueRef)}  # not those in a shape
            if node.operator in SIZES and (node.operator == "sym_size.int" or refs <= self.sizes):
                self.sizes.add(number)
            elif parents:
                of_data.add(number)
                is_plain = refs <= of_data | self.constants | self.sizes and not operands & self.sizes
                self.values[number] = Value(parents, _cost(node) if is_plain and number not in named_numbers else None)
            elif node.operator in _UNIFORM and refs <= self.constants | self.sizes and not operands & self.sizes:
                self.constants.add(number)

    def names(self, region: Region) -> tuple[LayerName, ...] | None:
        """Return the layers of ``torch.nn`` that a piece equals; None if it gives another shape."""
        shape = self.shapes.get(region.start, ())
        if len(shape) < 2 or self.shapes.get(region.end) != shape:
            return None
        rows = [shape[1:]] if math.prod(shape[1:]) <= MAX_ROW else []
        if all(self._asks_for_no_size(number) for number in region.inside):
            rows.insert(0, tuple(min(size, _SMALL + axis) for axis, size in enumerate(shape[1:])))
        for row in rows:
            graph = graph_part(self.graph, self.shapes, region.inside, [region.start], [region.end], [row])
            tensors = [(held.array.shape, float(held.array.flat[0])) for held in graph.tensors] if graph else []
            key = (row, shape[1:], repr(graph and graph.nodes), repr(tensors))
            if key not in _KNOWN_NAMES:
                if len(_KNOWN_NAMES) >= _MAX_KNOWN:
                    _KNOWN_NAMES.clear()
                _KNOWN_NAMES[key] = tuple(_names(graph, row, shape[1:])) if graph else ()
            if _KNOWN_NAMES[key]:
                return _KNOWN_NAMES[key]
        return ()

    def _asks_for_no_size(self, number: int) -> bool:
        node = self.graph.node(number)
        takes_constants = {ref for ref in node.refs if ref in self.constants and ref not in self.tensors}
        return node.operator in CALCULATIONS and not takes_constants and not self.sizes & set(node.refs)


_UNIFORM = CALCULATIONS | ARRANGEMENTS | frozenset([
    "zeros.default", "ones.default", "full.default", "scalar_tensor.default", "zeros_like.default",
    "ones_like.default", "full_like.default", "new_zeros.default", "new_ones.default", "new_full.default",
])  # fmt: skip
"""Operators that give the same number everywhere, or are evaluated with the sizes that the network has."""


def _cost(node: Node) -> float | None:
    operator = node.operator.partition(".")[0]
    if node.operator in ARRANGEMENTS | SOURCES | SIZES or operator == "dropout":
        return FREE
    if node.operator not in CALCULATIONS:
        return None
    return AFFINE if operator in AFFINE_OPERATORS and len(node.refs) == 1 else UNREAD


# --- what a piece equals ---------------------------------------------------------------------------------


def _names(graph: Graph, row: Shape, actual: Shape) -> Iterator[LayerName]:
    """Yield the layers of ``torch.nn`` without weights that a piece equals.

    Args:
        graph: the piece.
        row: the shape of a row on which it is evaluated.
        actual: the shape of a row in the network.
    """
    region = partial(_evaluated, graph)
    with one_thread(), _without_denormals(), suppress(Exception):  # shapes or types do not fit: it is none
        numbers = _Numbers(region, graph, row)
        own_calls = _calls(region, numbers.rows)
        for kind, config, shown_settings in _candidates(numbers, row, actual):
            with suppress(Exception):  # a layer with another shape, or settings that it refuses
                reference = _layer(kind, config)
                alone = kind not in _OF_ROWS and "dim" not in config and kind != "Softmax2d"
                configs = shown_settings if "dim" in config else [config]
                if numbers.fit(reference) and (
                    any(own_calls == _calls(_layer(kind, held), numbers.rows) for held in configs)
                    or agree(region, reference, row, alone=alone)
                ):
                    yield from (LayerName(kind, settings) for settings in shown_settings)


def _calls(function: Callable[[np.ndarray], Any], rows: np.ndarray) -> list[Any]:
    """Return PyTorch's operators that a function calls, each with what it takes: a place stands for a result.

    What calls the same is the same function, which no values need to show.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves, tree_map_only

    results: list[Any] = []
    places: dict[int, Any] = {}
    calls: list[Any] = []

    class Noting(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), keywords: Any = None) -> Any:
            result = call(*args, **(keywords or {}))
            results.append(result)  # so that no other one gets its number in memory
            if call is torch.ops.aten.detach.default:
                places[id(result)] = places.get(id(args[0]))
                return result
            arguments = tree_map_only(torch.Tensor, lambda tensor: (places.get(id(tensor)),), (args, keywords))
            calls.append((str(call), arguments))
            places.update({id(part): (len(calls), count) for count, part in enumerate(tree_leaves(result))})
            return result

    with Noting():  # type: ignore[no-untyped-call]
        function(rows)
    return calls


@contextmanager
def _without_denormals() -> Iterator[None]:
    """Compute 0 where a number is too small for its digits: its logarithm would be a rough one."""
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _evaluated(graph: Graph, rows: np.ndarray) -> list[np.ndarray]:
    import torch

    inputs = torch.from_numpy(rows)
    tensors = [_constant(held, inputs.dtype) for held in graph.tensors]
    intermediate: list[np.ndarray] = []

    def watch(number: int, args: Any, result: Any) -> None:
        if isinstance(result, torch.Tensor):
            intermediate.append(result.numpy())
            if graph.node(number).operator.startswith(("eq.", "ne.")):
                # Where it turns, the comparison holds at one number alone.
                intermediate.append(np.asarray(args[0] - args[1]))

    with torch.no_grad():
        (result,) = compute(graph, [inputs], tensors, watch=watch)
    return [*intermediate, result.numpy()]


def _constant(held: Tensor, dtype: Any) -> Any:
    import torch

    tensor = torch.from_numpy(held.array.copy())
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _layer(kind: str, config: Mapping[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
    """Return what a layer of ``torch.nn`` computes."""
    import torch

    layer = getattr(torch.nn, kind)(**config).eval()

    def computed(rows: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            result: np.ndarray = layer(torch.from_numpy(rows)).numpy()
        return result

    return computed


class _Numbers:
    """The numbers that tell the settings of a layer: what a piece makes of single numbers, and its literals."""

    _AT = (-1e6, -60.0, -1.0, 0.0, 1e3, 1e6)

    def __init__(self, region: Callable[[np.ndarray], list[np.ndarray]], graph: Graph, row: Shape) -> None:
        self.rows = np.random.default_rng().normal(size=(6, *row)) * 3
        self.values = region(self.rows)[-1]
        filled = region(np.stack([np.full(row, value) for value in self._AT]))[-1].reshape(len(self._AT), -1)[:, 0]
        self.at = dict(zip(self._AT, map(_short, filled), strict=True))
        near_nothing = np.zeros((1, *row))
        near_nothing[0].flat[0] = 1e-4
        self.near_nothing, self.of_near_nothing = near_nothing, region(near_nothing)[-1]
        literals = {abs(float(value)) for node in graph.nodes for value in _literals([*node.args])}
        literals |= {abs(float(held.array.flat[0])) for held in graph.tensors}
        self.literals = sorted(value for value in literals if math.isfinite(value))[:8]

    def fit(self, reference: Callable[[np.ndarray], np.ndarray]) -> bool:
        """Return whether a layer gives what the piece gives on a few rows."""
        values = reference(self.rows)
        return values.shape == self.values.shape and np.allclose(values, self.values, rtol=1e-3, atol=1e-3)

    def epsilon(self, axes: int, centered: bool) -> float:
        """Return what a normalization over the last axes adds to the mean square."""
        row = self.near_nothing.reshape(*self.near_nothing.shape[:-axes], -1)[0].reshape(-1, math.prod(
            self.near_nothing.shape[-axes:]))[0]  # fmt: skip
        away = row - row.mean() if centered else row
        result = self.of_near_nothing.flat[0]
        return _short((away[0] / result) ** 2 - (away**2).mean()) if result else 0.0


def _literals(values: Sequence[Any]) -> Iterator[float]:
    for value in values:
        if isinstance(value, list):
            yield from _literals(value)
        elif type(value) in (int, float):
            yield value


def _short(value: float) -> float:
    """Return a number without what single precision adds to it."""
    return float(f"{value:.7g}") + 0.0  # and without a negative zero


def _candidates(numbers: _Numbers, row: Shape, actual: Shape) -> Iterator[tuple[str, Config, list[Config]]]:
    """Yield classes of ``torch.nn``, with their settings on these rows, and the ways to write those in the network."""
    import torch

    at, rank = numbers.at, 1 + len(row)
    fitted: dict[str, list[dict[str, Any]]] = {
        "LeakyReLU": [{"negative_slope": -at[-1.0]}] if 0 < -at[-1.0] < 1 else [],
        **dict.fromkeys(("ELU", "CELU"), [{"alpha": -at[-60.0]}] if at[-60.0] < 0 else []),
        "Hardtanh": [{"min_val": at[-1e6], "max_val": at[1e6]}] if at[-1e6] < at[1e6] else [],
        "Softplus": [{"beta": _short(math.log(2) / at[0.0])}] if at[0.0] > 0 else [],
        **{kind: [{"lambd": value} for value in numbers.literals] for kind in ("Softshrink", "Hardshrink")},
        "Threshold": [{"threshold": t, "value": at[-1e6]} for value in numbers.literals for t in {value, -value}],
        "GELU": [{"approximate": "none"}, {"approximate": "tanh"}],
    }
    yield "Identity", {}, [{}]
    for kind in torch.nn.modules.activation.__all__:
        parameters = inspect.signature(getattr(torch.nn, kind)).parameters
        if "dim" in parameters:
            for dim in range(1, rank):
                yield kind, {"dim": dim}, [{"dim": dim}, {"dim": dim - rank}]
            continue
        required = [p for p in parameters.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        for config in fitted.get(kind, [] if required or kind in _LEFT_OUT else [{}]):
            yield kind, config, [config]
    for kind, centered in _OF_ROWS.items():
        for axes in range(1, rank):
            eps = numbers.epsilon(axes, centered)
            shown_settings = {"normalized_shape": actual[-axes:], "eps": eps, "elementwise_affine": False}
            if 0 < eps < 1:
                yield kind, {**shown_settings, "normalized_shape": row[-axes:]}, [shown_settings]


_OF_ROWS = {"LayerNorm": True, "RMSNorm": False}
"""Normalization → whether it takes the mean away."""
_LEFT_OUT = frozenset(["PReLU", "RReLU", "MultiheadAttention"])
"""Layers with weights or draws of their own."""
Shape = tuple[int, ...]
Config = dict[str, Any]
