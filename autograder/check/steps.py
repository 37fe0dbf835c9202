"""A model as a sequence of steps: its layers in order, nested models opened, activations joined to their layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.check.activations import activation_name, layer_activation
from autograder.check.graph import leaves, parts
from autograder.check.pattern import fuses

SHOWN = ("units", "filters", "kernel_size", "pool_size", "rate", "input_dim", "output_dim")


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

    @property
    def place(self) -> str:
        """The step's position, for a message."""
        return f"after layer {self.number}" if self.operation else f"layer {self.number}"

    def __str__(self) -> str:
        shown = dict(self.shown)
        for key in () if self.reported else SHOWN:
            value = getattr(self.layer, key, None)
            if isinstance(value, int | float | tuple):
                shown[key] = value
        if self.activation not in (None, "linear"):
            shown["activation"] = self.activation
        inside = ", ".join(f"{key}={value}" for key, value in shown.items())
        return f"{self.kind}({inside})" if inside else self.kind


def steps(model: Any) -> list[Step]:
    """Return the steps that compute the model's outputs.

    A layer that joins branches stands where Keras lists it, after the layers that it joins. An operation is a step just
    as a layer is, unless it computes nothing.
    """
    result: list[Step] = []
    found = parts(model)
    needed = [part.operation for part in found if not part.arranges]
    ends = _ends(model)
    for part in found:
        layer = part.operation
        alone = layer_activation(layer) if part.is_layer else part.activation
        if part.arranges or _transparent(layer):
            continue
        if alone is not None:
            previous = result[-1] if result else None
            if previous is not None and _joins(previous, layer, needed, ends):
                previous.activation = alone
            else:
                result.append(Step(part.number, "Activation", layer, alone, operation=not part.is_layer))
            continue
        has_one = part.is_layer and (fuses(part.kind) or part.kind in ("SimpleRNN", "LSTM", "GRU"))
        own = activation_name(getattr(layer, "activation", None)) if has_one else None
        result.append(Step(part.number, part.kind, layer, own, operation=not part.is_layer))
    return result


def branches(model: Any) -> bool:
    """Return whether a layer has several inputs, or an output that goes to several layers."""
    layers = leaves(model)
    given = [tensor for layer in layers for tensor in _inputs(layer)]
    return any(len(_inputs(layer)) > 1 for layer in layers) or len({id(tensor) for tensor in given}) < len(given)


def _ends(model: Any) -> list[Any]:
    try:
        return list(model.outputs)
    except (AttributeError, ValueError, TypeError):
        return []


def _joins(previous: Step, activation_layer: Any, layers: list[Any], ends: list[Any]) -> bool:
    """Return whether the activation layer may count as the previous step's own activation.

    It must follow directly. It may not count if the previous step's output is also used by another layer or is an
    output of the model, or if the activation layer's input comes from elsewhere.
    """
    if not fuses(previous.kind) or previous.activation != "linear":
        return False
    tensor = _output(previous.layer)
    if tensor is None:
        return True  # the layers of an unbuilt Sequential are not connected yet
    if any(tensor is end for end in ends):
        return False
    given = _inputs(activation_layer)
    for layer in layers:
        if layer is activation_layer or _transparent(layer):
            continue
        if any(tensor is item for item in _inputs(layer)):
            return False
        if layer is not previous.layer and any(_output(layer) is item for item in given):
            return False
    return True


def _transparent(layer: Any) -> bool:
    return type(layer).__name__ == "Identity" or layer_activation(layer) == "linear"


def _output(layer: Any) -> Any:
    try:
        return layer.output
    except (AttributeError, ValueError):
        return None


def _inputs(layer: Any) -> list[Any]:
    try:
        given = layer.input
    except (AttributeError, ValueError):
        return []
    return list(given) if isinstance(given, list | tuple) else [given]
