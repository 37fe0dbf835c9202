"""A model as a sequence of steps: its layers in order, nested models opened, activations joined to their layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.extensions.networks.activations import layer_activation
from autograder.extensions.networks.graph import GraphPart, leaves
from autograder.extensions.networks.keras_pieces import named_parts
from autograder.extensions.networks.pattern import fuses
from autograder.extensions.networks.readings import (
    WRAPPERS,
    LayerReading,
    arranged,
    changes_nothing,
    equivalents,
    other_readings,
    own_reading,
    pooling,
    readings_of_stack,
)

SHOWN_SETTINGS = ("units", "filters", "kernel_size", "pool_size", "rate", "input_dim", "output_dim")


@dataclass
class Step:
    """A layer of the model, with the next layer if that is its activation."""

    number: int
    """The layer's number, counted from 1 without input layers, as a student counts them in the code."""
    kind: str
    layer: Any
    activation: str | None
    """Canonical name; None if a layer of this kind has no activation."""
    reported: bool = False
    """Whether all of this is a claim of the notebook's kernel."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that the step's text shows; for a layer in this process they are read from the layer."""
    operation: bool = False
    """Whether the step is an operation; its number is then that of the layer before it."""
    free: bool = False
    """Whether the step may be there without being asked for: it computes nothing, but may equal a layer."""
    equals: tuple[LayerReading, ...] = ()
    """The layers that an operation equals."""
    wrapper: Any = None
    """The layer in whose place the step stands, if it was opened."""
    calls: int = 1
    """How often the model calls the layer."""
    recurs: bool = False
    """Whether it is called again with what it gave, as a cell is."""
    pointwise: str = ""
    """The canonical name of the activation if the step is nothing else, and treats each number alone."""

    def named(self, kind: str) -> list[LayerReading]:
        """Return the step as a layer of this kind: what it is, what it equals, or what it holds."""
        readings = list(self.equals)
        if not readings and (self.reported or self.operation):
            readings = [LayerReading(self.kind, self.layer.get_config(), self.activation)]
        elif not readings:
            held = replace(own_reading(self.layer), kind=self.kind, activation=self.activation)
            readings = [held, *other_readings(self.layer), *equivalents(held, self.layer)]
        return [reading for reading in readings if reading.kind == kind]

    @property
    def place(self) -> str:
        """The step's position, for a message."""
        return f"after layer {self.number}" if self.operation else f"layer {self.number}"

    def __str__(self) -> str:
        settings = dict(self.shown)
        for key in () if self.reported else SHOWN_SETTINGS:
            value = getattr(self.layer, key, None)
            if isinstance(value, int | float | tuple):
                settings[key] = value
        inner = getattr(self.layer, "layer", None) if self.kind in WRAPPERS else None
        if inner is not None and not _is_model(inner):
            return f"{self.kind}({Step(self.number, type(inner).__name__, inner, own_reading(inner).activation)})"
        if self.activation not in (None, "linear"):
            settings["activation"] = self.activation
        inside = ", ".join(f"{key}={value}" for key, value in settings.items())
        return f"{self.kind}({inside})" if inside else self.kind


def steps(model: Any, *, opened: bool = False, with_own: bool = False) -> list[Step]:
    """Return the steps that compute the model's outputs.

    A layer that joins branches stands where Keras lists it, after the layers that it joins. An operation is a step just
    as a layer is, unless it computes nothing; if such an operation equals a layer, it is a free step.

    Args:
        model: a ``keras.Model``.
        opened: whether the layers inside a wrapper take its place.
        with_own: whether a piece that may be an activation, but equals none, is one step.
    """
    result: list[Step] = []
    graph_parts = named_parts(model, with_own=with_own)
    needed = [part.operation for part in graph_parts if not part.arranges]
    ends = _ends(model)
    for part in graph_parts:
        layer = part.operation
        if is_transparent(layer):
            continue
        alone = activation_of(part)
        previous = next((step for step in reversed(result) if not step.free), None)
        if part.arranges:
            result += free_step(part)
        elif alone is not None:
            if previous is not None and _joins(previous, layer, needed, ends):
                previous.activation = alone
            else:
                result.append(Step(part.number, "Activation", layer, alone, operation=not part.is_layer))
        elif not part.is_layer:
            result = [step for step in result if not _continues(part, step, needed, ends)]
            result.append(operation_step(part))
        else:
            calls = max(1, len(part.nodes))
            result += [replace(step, calls=calls) for step in _layer_steps(part.number, layer, opened)]
    return result


def has_wrappers(model: Any) -> bool:
    """Return whether a layer of the model holds layers that may take its place."""
    return any(_held(layer) for layer in leaves(model))


def _layer_steps(number: int, layer: Any, opened: bool) -> list[Step]:
    held = _held(layer) if opened else []
    if not held:
        return [Step(number, type(layer).__name__, layer, own_reading(layer).activation, free=changes_nothing(layer))]
    if type(layer).__name__ == "RNN":
        return [
            Step(number, reading.kind, cell, reading.activation, equals=(reading,))
            for cell, reading in zip(held, readings_of_stack(layer), strict=True)
        ]
    inner = held[0]
    if _is_model(inner):
        inner_steps = [replace(step, number=number) for step in steps(inner, opened=True)]
    else:
        inner_steps = [] if is_transparent(inner) else _layer_steps(number, inner, opened)
    for step in inner_steps[-1:]:
        step.wrapper = layer
    return inner_steps


def _is_model(layer: Any) -> bool:
    return hasattr(layer, "layers") and hasattr(layer, "outputs")


def _held(layer: Any) -> list[Any]:
    """Return the layer, model or cells inside a wrapper; none if the layer is no wrapper."""
    kind = type(layer).__name__
    if kind in WRAPPERS:
        return [layer.layer]
    return list(getattr(layer.cell, "cells", [])) if kind == "RNN" and readings_of_stack(layer) else []


def layer_step(part: GraphPart) -> Step:
    """Return a layer of a model as a step."""
    return replace(_layer_steps(part.number, part.operation, False)[0], calls=max(1, len(part.nodes)))


def free_step(part: GraphPart) -> list[Step]:
    """Return what an operation is that computes nothing: one step if it equals a layer, else none."""
    equals = arranged(part.operation, part.constants)
    kind = equals[0].kind if equals else ""
    return [Step(part.number, kind, part.operation, None, operation=True, free=True, equals=equals)] if equals else []


def operation_step(part: GraphPart) -> Step:
    """Return an operation of a model as a step."""
    equal = pooling(part.operation)
    equals = () if equal is None else (equal,)
    return Step(part.number, part.kind, part.operation, None, operation=True, equals=equals)


def _continues(part: GraphPart, previous: Step, needed: list[Any], ends: list[Any]) -> bool:
    """Return whether an operation only takes one more tensor into the previous one, as in ``a + b + c``."""
    alike = part.kind == previous.kind and previous.operation and part.kind in ("Add", "Multiply", "Maximum", "Minimum")
    tensor = _output(previous.layer) if alike else None
    if tensor is None or any(tensor is end for end in ends):
        return False
    users = [layer for layer in needed if any(tensor is item for item in _inputs(layer))]
    return users == [part.operation]


def branches(model: Any) -> bool:
    """Return whether a layer has several inputs, or an output that goes to several layers."""
    layers = leaves(model)
    tensors = [tensor for layer in layers for tensor in _inputs(layer)]
    return any(len(_inputs(layer)) > 1 for layer in layers) or len({id(tensor) for tensor in tensors}) < len(tensors)


def _ends(model: Any) -> list[Any]:
    try:
        return list(model.outputs)
    except (AttributeError, ValueError, TypeError):
        return []


def _joins(previous: Step, activation_layer: Any, layers: list[Any], ends: list[Any]) -> bool:
    """Return whether the activation layer may count as the previous step's own activation.

    It must follow directly. It may not count if the previous step's output is also used by another layer, or is an
    output of the model. Nor may it if the activation layer's input comes from elsewhere.
    """
    if not fuses(previous.kind) or previous.activation != "linear":
        return False
    source = previous.wrapper or previous.layer
    tensor = _output(source)
    if tensor is None:
        return True  # the layers of an unbuilt Sequential are not connected yet
    if any(tensor is end for end in ends):
        return False
    inputs = _inputs(activation_layer)
    for layer in layers:
        if layer is activation_layer or is_transparent(layer):
            continue
        if any(tensor is item for item in _inputs(layer)):
            return False
        if layer is not source and any(_output(layer) is item for item in inputs):
            return False
    return True


def activation_of(part: GraphPart) -> str | None:
    """Return the activation that a part of a model is; None for any other part."""
    return layer_activation(part.operation) if part.is_layer else part.activation


def is_transparent(layer: Any) -> bool:
    """Return whether a layer gives what it takes."""
    return type(layer).__name__ == "Identity" or layer_activation(layer) == "linear"


def _output(layer: Any) -> Any:
    try:
        return layer.output
    except (AttributeError, ValueError):
        return None


def _inputs(layer: Any) -> list[Any]:
    try:
        tensors = layer.input
    except (AttributeError, ValueError):
        return []
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]
