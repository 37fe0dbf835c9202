"""The patterns that an architecture is compared with."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any

from autograder.check.activations import KINDS, expected_activation, layer_activation
from autograder.errors import CourseError


@dataclass(frozen=True)
class LayerPattern:
    """A kind of layer, and the attributes that it must have. Made by :func:`layer`."""

    kind: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def activation(self) -> str | None:
        """The canonical activation; None where any will do."""
        return self.attributes.get("activation")

    @property
    def fusable(self) -> bool:
        """Whether an activation layer behind it may be taken as its own activation."""
        return fuses(self.kind) and self.activation in (None, "linear")

    def with_activation(self, activation: str) -> LayerPattern:
        return LayerPattern(self.kind, {**self.attributes, "activation": activation})

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value}" for key, value in self.attributes.items())
        return f"{self.kind}({inside})" if inside else self.kind


@dataclass(frozen=True)
class AnyOf:
    """One layer that may be any of these. Made by :func:`any_of`."""

    options: tuple[LayerPattern, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.options))


Item = LayerPattern | AnyOf | EllipsisType


def layer(kind: str | type, **attributes: Any) -> LayerPattern:
    """A layer of this kind with these attributes; attributes that are not named may be anything.

    Args:
        kind: a class of ``keras.layers`` or its name: ``"Dense"``.
        attributes: any argument of the class: ``units=512, activation="relu", kernel_size=3``.

    >>> layer("Dropout", rate=0.5)
    LayerPattern(kind='Dropout', attributes={'rate': 0.5})
    """
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", repr(kind))
    return LayerPattern(name, attributes)


def dense(units: int | None = None, activation: Any = None) -> LayerPattern:
    """A Dense layer; None: any number of units, any activation.

    >>> dense(9, "softmax")
    LayerPattern(kind='Dense', attributes={'units': 9, 'activation': 'softmax'})
    """
    attributes = {"units": units, "activation": activation}
    return LayerPattern("Dense", {key: value for key, value in attributes.items() if value is not None})


def any_of(*options: LayerPattern) -> AnyOf:
    """One layer that fits at least one of the patterns."""
    if not options or not all(isinstance(option, LayerPattern) for option in options):
        raise CourseError("check.any_of takes one or more check.layer(...) or check.dense(...) patterns.")
    return AnyOf(options)


def fuses(kind: str) -> bool:
    """Whether layers of this kind end in an activation that a layer of its own could replace."""
    return kind in ("Dense", "EinsumDense") or (
        "Conv" in kind and not kind.startswith("ConvLSTM") and kind[-2:] in ("1D", "2D", "3D", "se")
    )


def normalized(layers: Sequence[Any]) -> list[Item]:
    """The pattern with every activation in the place where the layers' own would be.

    Raises:
        CourseError: it is not a list of patterns, or names a layer or an attribute that Keras does not have.
    """
    if isinstance(layers, LayerPattern | AnyOf) or not isinstance(layers, list | tuple):
        raise CourseError("check.architecture: layers is a list of check.layer(...), check.dense(...) and ... .")
    items: list[Item] = []
    for entry in layers:
        if entry is ...:
            if not items or items[-1] is not ...:
                items.append(...)
        elif isinstance(entry, AnyOf):
            items.append(AnyOf(tuple(_validated(option) for option in entry.options)))
        elif isinstance(entry, LayerPattern):
            _append(items, _validated(entry))
        else:
            raise CourseError(f"check.architecture: {entry!r} is not a pattern. Write check.layer('Dense', units=9).")
    return items


def _append(items: list[Item], pattern: LayerPattern) -> None:
    activation = pattern.activation if pattern.kind == "Activation" else None
    if activation is None or not items or items[-1] is ...:
        if activation != "linear":
            items.append(pattern)
        return
    previous = items[-1]
    if isinstance(previous, LayerPattern) and previous.fusable:
        items[-1] = previous.with_activation(activation)
    elif isinstance(previous, AnyOf) and all(option.fusable for option in previous.options):
        items[-1] = AnyOf(tuple(option.with_activation(activation) for option in previous.options))
    elif activation != "linear":
        items.append(pattern)


def _validated(pattern: LayerPattern) -> LayerPattern:
    import keras

    cls = getattr(keras.layers, pattern.kind, None)
    if not inspect.isclass(cls):
        near = difflib.get_close_matches(pattern.kind, dir(keras.layers), 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise CourseError(f"check.layer: keras.layers has no {pattern.kind!r}.{hint}")
    known = [key for key in inspect.signature(cls.__init__).parameters if key not in ("self", "kwargs")]
    for key in pattern.attributes:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f" Did you mean {near[0]}?" if near else f" It has: {', '.join(known)}."
            raise CourseError(f"check.layer: {pattern.kind} has no attribute {key!r}.{hint}")
    if pattern.kind in KINDS:
        return _activation_pattern(pattern, cls)
    if "activation" in pattern.attributes:
        return pattern.with_activation(expected_activation(pattern.attributes["activation"]))
    return pattern


def _activation_pattern(pattern: LayerPattern, cls: Any) -> LayerPattern:
    if pattern.kind in ("LeakyReLU", "ELU") and not pattern.attributes:
        any_argument = {"LeakyReLU": "leaky_relu*", "ELU": "elu*"}[pattern.kind]
        return LayerPattern("Activation", {"activation": any_argument})
    if pattern.kind == "Activation":
        if "activation" not in pattern.attributes:
            return pattern
        return LayerPattern("Activation", {"activation": expected_activation(pattern.attributes["activation"])})
    name = layer_activation(cls(**pattern.attributes))
    return LayerPattern("Activation", {"activation": name}) if name else pattern
