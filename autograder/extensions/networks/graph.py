"""The layers and operations that compute a Keras model's outputs.

``x + y`` and ``keras.ops.matmul(x, table)`` are not layers, and a model may consist of such operations alone, beside
layers that change nothing. So an operation is a part just as a layer is, and a layer that no output needs is not a
part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.extensions.networks.activations import snake
from autograder.extensions.networks.readings import pooling

MAX_DEPTH = 20


def names(text: str) -> frozenset[str]:
    """Return the names in a text as a set."""
    return frozenset(text.split())


AFFINE = names("Add Subtract Multiply Divide TrueDivide Negative")
ARRANGING = names(
    "Cast Copy StopGradient GetItem Split Unstack Reshape Ravel ExpandDims Squeeze Transpose Swapaxes Moveaxis"
)
_OF_MASKS = names("NotEqual Any All ExpandDims ZerosLike OnesLike LogicalOr LogicalAnd Concatenate")
"""Operations from which Keras makes masks."""
_JOINING = names("Add Subtract Multiply Maximum Minimum Concatenate")
"""Operations on several tensors that equal the layers of the same name."""
_AS_LAYERS = names("ReLU Softmax")
"""Activations that equal the layers of the same name also with unusual arguments."""


@dataclass(frozen=True)
class GraphPart:
    """A layer or an operation of a model or of a nested model."""

    operation: Any
    """A ``keras.Layer`` or another ``keras.Operation``."""
    number: int
    """The layer's number, counted from 1 without input layers, as a student counts; an operation has the number of the
    layer before it."""
    is_layer: bool
    nodes: list[Any] = field(default_factory=list)
    """The part's calls."""
    of_mask: bool = False
    """Whether only masks need the part."""
    activation: str | None = None
    """The canonical name of the activation that the part is, if it is a piece."""

    @property
    def kind(self) -> str:
        """The name of the layer's class, or of the layer that the operation equals; otherwise ``operation matmul``."""
        name = type(self.operation).__name__
        if self.is_layer or name in _AS_LAYERS or (name in _JOINING and not self.constants):
            return name
        reading = pooling(self.operation)
        return f"operation {snake(name)}" if reading is None else reading.kind

    @property
    def constants(self) -> list[Any]:
        """The numbers and arrays in the part's calls."""
        return [value for node in self.nodes for value in constants_of(node)]

    @property
    def arranges(self) -> bool:
        """Whether the part is an operation that computes nothing.

        It only scales by a number, casts, slices or reshapes, or makes a mask as Keras does.
        """
        name = type(self.operation).__name__
        if self.is_layer:
            return False
        plain = all(np.size(value) == 1 for value in self.constants)
        alone = all(len(node.input_tensors) == 1 for node in self.nodes)
        return (
            name in ARRANGING or (name in AFFINE and plain and alone) or (name in _OF_MASKS and plain and self.of_mask)
        )


def parts(model: Any) -> list[GraphPart]:
    """Return the layers and operations that compute a model's outputs, in Keras's order, with nested models opened.

    A model without a graph (unbuilt, or of a class of the student's own) returns all its layers.
    """
    return opened(model).found


def opened(model: Any) -> Opening:
    """Return a walk through a model and its nested models."""
    opening = Opening()
    opening.model(model)
    return opening


def leaves(model: Any) -> list[Any]:
    """Return all layers of the model and its nested models, needed or not, without input layers."""
    return list(_leaves(model, 0))


def is_graph(model: Any) -> bool:
    """Return whether the model is a graph of layers, which it becomes once its input shape is known."""
    return _graph(model) is not None


def connections(model: Any) -> int:
    """Return how many tensors go into a model's layers and operations, counting all calls of nested models."""
    return _connections(model, 0)


def _connections(model: Any, depth: int) -> int:
    import keras

    graph = _graph(model)
    if graph is None or depth > MAX_DEPTH:
        return len(list(_leaves(model, depth)))
    calls = _needed(list(graph.outputs), {id(tensor) for tensor in graph.inputs}, masks=False)
    total = 0
    for operation in graph.operations:
        nodes = [operation._inbound_nodes[index] for index in calls.get(id(operation), {})]
        inside = _connections(operation, depth + 1) if isinstance(operation, keras.Model) and nodes else 0
        total += sum(len(node.input_tensors) + inside for node in nodes)
    return total


def constants_of(node: Any) -> list[Any]:
    """Return the numbers and arrays among a call's arguments, except positions and shapes."""
    if type(node.operation).__name__ == "GetItem":
        return []
    return list(_constants([node.arguments.args, node.arguments.kwargs]))


def _constants(value: Any) -> Iterator[Any]:
    import keras

    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _constants(item)
    elif isinstance(value, int | float | np.generic) and not isinstance(value, bool):
        yield value
    elif value is not None and not isinstance(value, keras.KerasTensor) and hasattr(value, "shape"):
        yield np.asarray(value)


def _leaves(model: Any, depth: int) -> Iterator[Any]:
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model) and depth < MAX_DEPTH:
            yield from _leaves(layer, depth + 1)
        elif not isinstance(layer, keras.layers.InputLayer) and not is_source(layer):
            yield layer


def is_source(operation: Any) -> bool:
    """Return whether a part of an unrolled model is a variable or a constant that operations use, not a layer."""
    return getattr(type(operation), "is_source", None) is True


# --- what is needed ----------------------------------------------------------------------------------


def _graph(model: Any) -> Any:
    """Return the functional model that a model is or contains; None if there is none."""
    functional = getattr(model, "_functional", model)
    return functional if hasattr(functional, "operations") and hasattr(functional, "_nodes") else None


@dataclass
class Opening:
    """A walk through a model and its nested models."""

    found: list[GraphPart] = field(default_factory=list)
    layers: int = 0
    """Number of layers passed so far, needed or not."""
    same: list[tuple[Any, Any]] = field(default_factory=list)
    """Pairs of tensors that are one: of a nested model, and of what is around it. The first is computed before."""

    def model(self, model: Any, wanted: set[int] | None = None, of_mask: bool = False, depth: int = 0) -> None:
        """Add the parts of one model.

        Args:
            model: a ``keras.Model``.
            wanted: numbers of the outputs that are needed; None for all.
            of_mask: whether only masks need these outputs.
            depth: how deep the model is nested.
        """
        import keras

        graph = _graph(model)
        if graph is None:
            for layer in _leaves(model, depth):
                self.layers += 1
                self.found.append(GraphPart(layer, self.layers, True))
            return
        ends = [tensor for place, tensor in enumerate(graph.outputs) if wanted is None or place in wanted]
        begins = {id(tensor) for tensor in graph.inputs}
        values, every = _needed(ends, begins, masks=False), _needed(ends, begins, masks=True)
        for operation in graph.operations:
            calls = every.get(id(operation), {})
            masked = of_mask or id(operation) not in values
            if isinstance(operation, keras.Model) and depth < MAX_DEPTH:
                self.join(operation, calls)
                self.model(operation, {place for places in calls.values() for place in places}, masked, depth + 1)
            elif not isinstance(operation, keras.layers.InputLayer) and not is_source(operation):
                self.part(operation, calls, masked)

    def join(self, model: Any, calls: dict[int, set[int]]) -> None:
        """Note which tensors go into a nested model, and which it gives."""
        inner = _graph(model)
        for node in [model._inbound_nodes[index] for index in calls] if inner is not None else []:
            self.same += zip(node.input_tensors, inner.inputs, strict=False)
            self.same += zip(inner.outputs, node.output_tensors, strict=False)

    def part(self, operation: Any, calls: dict[int, set[int]], masked: bool) -> None:
        """Add one layer or operation, if it is called."""
        import keras

        is_layer = isinstance(operation, keras.Layer)
        self.layers += is_layer
        if calls:
            nodes = [operation._inbound_nodes[index] for index in sorted(calls)]
            self.found.append(GraphPart(operation, self.layers, is_layer, nodes, masked))


def _needed(ends: list[Any], begins: set[int], *, masks: bool) -> dict[int, dict[int, set[int]]]:
    """Return the calls that compute the given tensors.

    Args:
        ends: the tensors.
        begins: ``id`` of each tensor at which the walk stops.
        masks: whether to follow masks, too.

    Returns:
        ``id`` of the layer or operation → number of the call → which of its outputs are needed.
    """
    calls: dict[int, dict[int, set[int]]] = {}
    waiting = list(ends)
    while waiting:
        tensor = waiting.pop()
        operation, index, output_index = tensor._keras_history
        if id(tensor) in begins:
            continue
        places = calls.setdefault(id(operation), {}).setdefault(index, set())
        if not places:
            waiting += _input_tensors(operation._inbound_nodes[index], masks)
        places.add(output_index)
    return calls


def _input_tensors(node: Any, masks: bool) -> list[Any]:
    import keras

    keywords = {name: value for name, value in node.arguments.kwargs.items() if masks or not name.endswith("mask")}
    arguments = keras.tree.flatten([node.arguments.args, keywords])
    return [tensor for tensor in arguments if isinstance(tensor, keras.KerasTensor)]
