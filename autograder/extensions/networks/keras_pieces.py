"""Pieces of a Keras model that are activations by their values, see :mod:`element_wise`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograder.extensions.networks.activations import KINDS, layer_activation
from autograder.extensions.networks.element_wise import AFFINE, FREE, OWN_OPERATION, UNREAD, Region, Value, named_pieces
from autograder.extensions.networks.graph import ARRANGING, GraphPart, parts
from autograder.extensions.networks.model_calls import kept_of_twin, twin_model
from autograder.extensions.networks.named_activations import activation_named

MAX_ROW = 20_000
"""Most numbers of a row on which a piece is evaluated."""


@dataclass(frozen=True)
class PieceNode:
    """The call of several operations that are one activation, with the ends that a call has."""

    input_tensors: list[Any]
    output_tensors: list[Any]
    operation: Any = None
    arguments: Any = field(default_factory=lambda: SimpleNamespace(args=(), kwargs={}))

    @property
    def outputs(self) -> list[Any]:
        """The tensors that it gives."""
        return self.output_tensors


class PieceOperation:
    """Several operations that are one activation, with the ends that an operation has."""

    def __init__(self, start: Any, end: Any) -> None:
        self.input, self.output = start, end

    def get_config(self) -> dict[str, Any]:
        """Return no settings."""
        return {}


def named_parts(model: Any, *, with_own: bool = False) -> list[GraphPart]:
    """Return the parts of a model, with each piece that is an activation as one part.

    Args:
        model: the model.
        with_own: whether a piece that may be an activation, but equals none, is one part.
    """
    return pieced(model, parts(model), with_own=with_own)[0]


def pieced(
    model: Any, graph_parts: Sequence[GraphPart], *, with_own: bool = False
) -> tuple[list[GraphPart], list[tuple[Any, Any]]]:
    """Return the parts as :func:`named_parts` does, and the pairs of tensors between which nothing is computed.

    Args:
        model: the model.
        graph_parts: its parts in an order in which they can be computed.
        with_own: as in :func:`named_parts`.
    """
    reader = _ModelValues(graph_parts)

    def names(region: Region) -> Sequence[str] | None:
        part = kept_of_twin(ComputedPieces, model)
        if part is None:
            return reader.names(region)
        answer = part.ask("names", region.start, region.end, sorted(region.inside))
        return None if answer is None else [str(name) for name in answer]

    pieces, covered = named_pieces(reader.values, reader.ends, names, with_own=with_own)
    result, same = list[GraphPart](), dict[int, int]()
    pairs: list[tuple[Any, Any]] = []
    for part in graph_parts:
        number = reader.number_of(part)
        region = pieces.get(number)
        if region is None or (part.is_layer and len(region.inside) == 1):
            result += [part] if region is not None or number not in covered else []
            continue
        name, start = next(iter(region.names), OWN_OPERATION), same.get(region.start, region.start)
        if name == "linear":
            same[region.end] = start
            pairs.append((reader.tensors[start], reader.tensors[region.end]))
        else:
            ends = reader.tensors[start], reader.tensors[region.end]
            node = PieceNode([ends[0]], [ends[1]])
            result.append(GraphPart(PieceOperation(*ends), part.number, False, [node], activation=name))
    return result, pairs


class ComputedPieces:
    """The pieces of a model's twin, where strangers' networks are computed."""

    def __init__(self, claim: Sequence[Any], weights: Sequence[np.ndarray]) -> None:
        self.reader = _ModelValues(parts(twin_model(claim, weights)))

    def names(self, start: int, end: int, inside: Sequence[int]) -> tuple[str, ...] | None:
        """See :meth:`_ModelValues.names`."""
        return self.reader.names(Region(start, end, frozenset(inside)))


class _ModelValues:
    """The values of a model as :func:`named_pieces` takes them, and what a piece of them is."""

    def __init__(self, graph_parts: Sequence[GraphPart]) -> None:
        nodes = [(part, node) for part in graph_parts for node in part.nodes]
        made_tensors = {id(tensor): tensor for _, node in nodes for tensor in node.outputs}
        given_tensors = {
            id(tensor): tensor for _, node in nodes for tensor in node.input_tensors if id(tensor) not in made_tensors
        }
        self.tensors = [*given_tensors.values(), *made_tensors.values()]
        self.order = {id(tensor): number for number, tensor in enumerate(self.tensors)}
        self.parts: dict[int, GraphPart] = {}
        self.values: dict[int, Value] = {}
        self.ends: set[int] = set()
        used: set[int] = set()
        for part, node in nodes:
            parents = tuple(dict.fromkeys(self.order[id(tensor)] for tensor in node.input_tensors))
            cost = _cost(part) if len(node.outputs) == 1 and parents else None
            used.update(parents)
            self.ends.update(parents if cost is None else ())
            for tensor in node.outputs:
                self.parts[self.order[id(tensor)]] = part
                self.values[self.order[id(tensor)]] = Value(parents, cost)
        self.ends |= self.values.keys() - used

    def number_of(self, part: GraphPart) -> int:
        """Return the number of a part's value; -1 if it has several."""
        outputs = [tensor for node in part.nodes for tensor in node.outputs]
        return self.order[id(outputs[0])] if len(outputs) == 1 else -1

    def names(self, region: Region) -> tuple[str, ...] | None:
        """Return the activation that a piece equals; None if it gives another shape."""
        shapes = [tuple(self.tensors[number].shape) for number in (region.start, region.end)]
        shape = shapes[0][1:]
        if shapes[0] != shapes[1] or not shape:
            return None
        inside = [self.parts[number] for number in sorted(region.inside)]
        small = tuple(min(size or 4, 4 + axis) for axis, size in enumerate(shape))
        rows = [small] if not any(type(part.operation).__name__ in ARRANGING for part in inside) else []
        rows += [shape] if None not in shape and shape not in rows and math.prod(shape) <= MAX_ROW else []
        constants = [float(np.ravel(value)[0]) for part in inside for value in part.constants]
        own_name = type(inside[0].operation).__name__ if len(inside) == 1 else ""
        for row in rows:
            if name := activation_named(
                lambda values: self._evaluated(region, inside, values), row, constants, own_name
            ):
                return (name,)
        return ()

    def _evaluated(self, region: Region, inside: Sequence[GraphPart], rows: np.ndarray) -> list[np.ndarray]:
        import keras

        values, results = {id(self.tensors[region.start]): keras.ops.convert_to_tensor(rows)}, list[Any]()
        for part in inside:
            node = part.nodes[0]
            args, keywords = node.arguments.fill_in(values)
            call = part.operation.call if part.is_layer else part.operation
            values[id(node.outputs[0])] = result = call(*args, **keywords)
            if type(part.operation).__name__ in ("Equal", "NotEqual"):  # it holds at one number alone
                results.append(keras.ops.subtract(*args))
            results.append(result)
        return [np.asarray(keras.ops.convert_to_numpy(value)) for value in results]


def _cost(part: GraphPart) -> float | None:
    operation = part.operation
    if len(part.nodes) != 1 or not all(
        np.size(value) and (value == np.ravel(value)[0]).all() for value in map(np.asarray, part.constants)
    ):
        return None
    if part.is_layer:
        joins = any(base.__name__ == "Merge" for base in type(operation).__mro__)
        alone = type(operation).__name__ in KINDS and layer_activation(operation) is not None
        return UNREAD if joins and len(part.nodes[0].input_tensors) > 1 else FREE if alone else None
    if part.arranges:
        return FREE if type(operation).__name__ in ARRANGING or part.of_mask else AFFINE
    return UNREAD
