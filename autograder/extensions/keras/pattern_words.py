"""Keras's layers in a pattern: an activation may be an argument, or a layer of its own."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

from autograder.errors import CourseError
from autograder.extensions.networks.activations import KINDS, expected_activation, layer_activation
from autograder.extensions.networks.pattern import AnyOf, Item, LayerPattern, Repeat, Run
from autograder.extensions.networks.vocabulary import class_of, validated, without_aliases


def fused(run: Run) -> Run:
    """Return a pattern in which activations are arguments of the layers before them."""
    items: list[Item] = []
    for entry in run:
        if isinstance(entry, EllipsisType):
            if not items or items[-1] is not ...:
                items.append(entry)
        elif isinstance(entry, AnyOf):
            _append_alternatives(items, AnyOf(tuple(fused(option) for option in entry.options)))
        elif isinstance(entry, Repeat):
            items.append(Repeat(fused(entry.run), entry.low, entry.high))
        else:
            _append(items, _keras_pattern(validated(entry, "keras")))
    return tuple(items)


def _append(items: list[Item], pattern: LayerPattern) -> None:
    activation = pattern.activation if pattern.kind == "Activation" else None
    if activation is None or not items or items[-1] is ...:
        if activation != "linear":
            items.append(pattern)
        return
    previous = items[-1]
    if isinstance(previous, LayerPattern) and previous.fusable:
        items[-1] = previous.with_activation(activation)
    elif isinstance(previous, AnyOf) and all(_ends_fusable(option) for option in previous.options):
        items[-1] = AnyOf(tuple(_with_last_activation(option, activation) for option in previous.options))
    elif activation != "linear":
        items.append(pattern)


def _append_alternatives(items: list[Item], entry: AnyOf) -> None:
    """Append a choice of activations, which may be arguments of the layer before it or layers of their own."""
    previous = items[-1] if items else None
    choices = [option[0] for option in entry.options if len(option) == 1]
    names = [
        choice.activation for choice in choices if isinstance(choice, LayerPattern) and choice.kind == "Activation"
    ]
    if isinstance(previous, LayerPattern) and previous.fusable and len(names) == len(entry.options) and all(names):
        fused = tuple((previous.with_activation(str(name)),) for name in names)
        entry = AnyOf(fused + tuple((previous, *option) for option in entry.options))
        items.pop()
    items.append(entry)


def _ends_fusable(run: Run) -> bool:
    return bool(run) and isinstance(run[-1], LayerPattern) and run[-1].fusable


def _with_last_activation(run: Run, activation: str) -> Run:
    last = run[-1]
    assert isinstance(last, LayerPattern)
    return (*run[:-1], last.with_activation(activation))


def _keras_pattern(pattern: LayerPattern) -> LayerPattern:
    if pattern.kind in KINDS:
        return _activation_pattern(pattern)
    inner = {
        key: _inner_patterns(value, f"check.layer({pattern.kind!r}, {key}=...)")
        for key, value in pattern.attributes.items()
        if key in _HOLDING
    }
    pattern = LayerPattern(pattern.kind, {**pattern.attributes, **inner}) if inner else pattern
    if "activation" in pattern.attributes:
        return pattern.with_activation(expected_activation(pattern.attributes["activation"]))
    return pattern


_HOLDING = ("layer", "backward_layer", "cell", "cells")
"""Arguments of wrappers that are layers: a pattern gives patterns for them."""


def _inner_patterns(value: Any, check_name: str) -> Any:
    if isinstance(value, list | tuple):
        return [_inner_patterns(item, check_name) for item in value]
    if not isinstance(value, LayerPattern):
        raise CourseError(f"{check_name}: give a check.layer(...) for the layer inside.")
    (value,) = without_aliases((value,), "keras") or (value,)
    return _keras_pattern(validated(value, "keras"))


def _activation_pattern(pattern: LayerPattern) -> LayerPattern:
    if pattern.kind in ("LeakyReLU", "ELU") and not pattern.attributes:
        any_argument = {"LeakyReLU": "leaky_relu*", "ELU": "elu*"}[pattern.kind]
        return LayerPattern("Activation", {"activation": any_argument})
    if pattern.kind == "Activation":
        if "activation" not in pattern.attributes:
            return pattern
        return LayerPattern("Activation", {"activation": expected_activation(pattern.attributes["activation"])})
    cls: Any = class_of("keras", pattern.kind)
    name = layer_activation(cls(**pattern.attributes))
    return LayerPattern("Activation", {"activation": name}) if name else pattern
