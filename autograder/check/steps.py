"""A model as a row of steps: its layers in order, models inside it opened, activations joined to their
layers."""

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
    """A layer of the model, with the activation that follows it if that is a layer of its own."""

    number: int
    """Counted from 1, without input layers, as a student counts the layers in the code."""
    kind: str
    layer: Any
    activation: str | None
    """Canonical; None where a layer of this kind has none."""
    reported: bool = False
    """Whether all this is what the notebook's kernel says of it."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """The arguments that a text of it names; of a layer that is here, they are read from it."""
    operation: bool = False
    """Whether it is no layer; the number is that of the layer before it, then."""

    @property
    def place(self) -> str:
        """Where it stands, for a message."""
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
    """The model's steps: what its outputs are computed with. A layer that joins branches stands where Keras lists it,
    after what it joins; an operation is a step like a layer, unless it computes nothing."""
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
    """Whether its layers are more than a chain: one has several inputs, or one's output goes to several layers."""
    layers = leaves(model)
    given = [tensor for layer in layers for tensor in _inputs(layer)]
    return any(len(_inputs(layer)) > 1 for layer in layers) or len({id(tensor) for tensor in given}) < len(given)


def _ends(model: Any) -> list[Any]:
    try:
        return list(model.outputs)
    except (AttributeError, ValueError, TypeError):
        return []


def _joins(previous: Step, activation_layer: Any, layers: list[Any], ends: list[Any]) -> bool:
    """Whether the activation layer may be taken as the previous step's own activation.

    They follow one another; what speaks against it is a layer or an output of the model that uses the
    previous step's output too, or an activation layer whose input comes from somewhere else.
    """
    if not fuses(previous.kind) or previous.activation != "linear":
        return False
    tensor = _output(previous.layer)
    if tensor is None:
        return True  # not connected yet: the layers of an unbuilt Sequential
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
