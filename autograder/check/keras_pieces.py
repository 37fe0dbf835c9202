"""Pieces of a Keras model that are activations by their values, see :mod:`autograder.check.element_wise`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograder.check.activations import KINDS, layer_activation, with_argument
from autograder.check.element_wise import AFFINE, FREE, OTHER, OWN, Piece, Value, agree, named_pieces
from autograder.check.graph import ARRANGING, GraphPart

MAX_ROW = 20_000
"""Most numbers of a row on which a piece is evaluated."""


class PieceOperation:
    """Several operations that are one activation, with the ends that an operation has."""

    def __init__(self, start: Any, end: Any) -> None:
        self.input, self.output = start, end

    def get_config(self) -> dict[str, Any]:
        """Return no settings."""
        return {}


def named_parts(parts: Sequence[GraphPart], *, own: bool = False) -> list[GraphPart]:
    """Return the parts of a model, with each piece that is an activation as one part.

    Args:
        parts: the parts in an order in which they can be computed.
        own: whether a piece that may be an activation, but equals none, is one part.
    """
    reader = _Reader(parts)
    pieces, covered = named_pieces(reader.values, reader.ends, reader.names, own=own)
    result, same = list[GraphPart](), dict[int, int]()
    for part in parts:
        number = reader.number_of(part)
        piece = pieces.get(number)
        if piece is None or (part.is_layer and len(piece.inside) == 1):
            result += [part] if piece is not None or number not in covered else []
            continue
        name, start = next(iter(piece.names), OWN), same.get(piece.start, piece.start)
        if name == "linear":
            same[piece.end] = start
        else:
            operation = PieceOperation(reader.tensors[start], reader.tensors[piece.end])
            result.append(GraphPart(operation, part.number, False, activation=name))
    return result


class _Reader:
    """The values of a model as :func:`named_pieces` takes them, and what a piece of them is."""

    def __init__(self, parts: Sequence[GraphPart]) -> None:
        nodes = [(part, node) for part in parts for node in part.nodes]
        made = {id(tensor): tensor for _, node in nodes for tensor in node.outputs}
        given = {id(tensor): tensor for _, node in nodes for tensor in node.input_tensors if id(tensor) not in made}
        self.tensors = [*given.values(), *made.values()]
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

    def names(self, piece: Piece) -> tuple[str, ...] | None:
        """Return the activation that a piece equals; None if it gives another shape."""
        shapes = [tuple(self.tensors[number].shape) for number in (piece.start, piece.end)]
        shape = shapes[0][1:]
        if shapes[0] != shapes[1] or not shape:
            return None
        inside = [self.parts[number] for number in sorted(piece.inside)]
        small = tuple(min(size or 4, 4 + axis) for axis, size in enumerate(shape))
        rows = [small] if not any(type(part.operation).__name__ in ARRANGING for part in inside) else []
        rows += [shape] if None not in shape and shape not in rows and math.prod(shape) <= MAX_ROW else []
        constants = [float(np.ravel(value)[0]) for part in inside for value in part.constants]
        own_name = type(inside[0].operation).__name__ if len(inside) == 1 else ""
        for row in rows:
            if name := named(lambda values: self._evaluated(piece, inside, values), row, constants, own_name):
                return (name,)
        return ()

    def _evaluated(self, piece: Piece, inside: Sequence[GraphPart], rows: np.ndarray) -> list[np.ndarray]:
        import keras

        values, results = {id(self.tensors[piece.start]): keras.ops.convert_to_tensor(rows)}, list[Any]()
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
    if len(part.nodes) != 1 or not all(np.size(value) and np.ptp(value) == 0 for value in part.constants):
        return None
    if part.is_layer:
        joins = any(base.__name__ == "Merge" for base in type(operation).__mro__)
        alone = type(operation).__name__ in KINDS and layer_activation(operation) is not None
        return OTHER if joins and len(part.nodes[0].input_tensors) > 1 else FREE if alone else None
    if part.arranges:
        return FREE if type(operation).__name__ in ARRANGING or part.of_mask else AFFINE
    return OTHER


def named(
    piece: Callable[[np.ndarray], list[np.ndarray]], row: tuple[int, ...], literals: Sequence[float], own: str = ""
) -> str:
    """Return the name of the activation of ``keras.activations`` that a function equals; empty if it equals none.

    Args:
        piece: the function, which gives its result last.
        row: the shape of a row.
        literals: numbers in it, which may be an argument of the activation.
        own: the name of the operation that it is, which goes first among equal ones.
    """
    with suppress(Exception):  # shapes or types do not fit: it is none
        rows = np.random.default_rng().normal(size=(6, *row)) * 3
        given = piece(rows)[-1]
        at = dict(zip(_AT, piece(np.stack([np.full(row, v) for v in _AT]))[-1].reshape(len(_AT), -1)[:, 0], strict=True))
        for name, arguments, text in _candidates(at, literals, own):
            with suppress(Exception):
                known = _function(name, arguments)
                values = known(rows)
                if values.shape == given.shape and np.allclose(values, given, rtol=1e-3, atol=2e-3):
                    if agree(piece, known, row, alone=name not in _OF_ROWS):
                        return text
    return ""


_AT = (-60.0, -1.0)
_OF_ROWS = ("softmax", "log_softmax", "sparsemax")


def _function(name: str, arguments: dict[str, Any]) -> Callable[[np.ndarray], np.ndarray]:
    import keras

    def computed(rows: np.ndarray) -> np.ndarray:
        given = keras.ops.convert_to_tensor(rows)
        return np.asarray(keras.ops.convert_to_numpy(getattr(keras.activations, name)(given, **arguments)))

    return computed


def _candidates(at: dict[float, Any], literals: Sequence[float], own: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    import keras

    slope, alpha = (float(f"{-at[place]:.7g}") for place in (-1.0, -60.0))
    fitted = {
        "leaky_relu": [slope] if 0 < slope < 1 else [],
        **dict.fromkeys(("elu", "celu"), [alpha] if alpha > 0 else []),
        **dict.fromkeys(("hard_shrink", "soft_shrink"), [abs(value) for value in literals]),
    }
    names = [name for name, made in vars(keras.activations).items() if inspect.isfunction(made)]
    first = [own, "linear", "relu", "elu"]
    for name in sorted(names, key=lambda name: first.index(name) if name in first else len(first)):
        parameters = inspect.signature(getattr(keras.activations, name)).parameters
        if name in fitted:
            argument = [*parameters][1]
            for value in {*fitted[name], parameters[argument].default}:
                yield name, {argument: value}, with_argument(name, value, parameters[argument].default)
        elif sum(p.default is p.empty for p in parameters.values()) == 1:
            yield name, {}, name
            yield from ((name, {flag: not p.default}, name) for flag, p in parameters.items() if type(p.default) is bool)
