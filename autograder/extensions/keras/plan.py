"""Plans: the typed, bounded form into which :mod:`read` turns a claimed model; nothing is constructed yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.extensions.keras.table_operations import Operation

MAX_LAYERS = 1000
MAX_CALLS = 2000
"""Limit for one model and all its nested models together, however often they are called."""
MAX_DEPTH = 4
"""Limit for models in models, and for wrappers in wrappers."""


@dataclass(frozen=True, slots=True)
class Ref:
    """One output of one call of a part."""

    part: str
    call: int
    output: int = 0


@dataclass(frozen=True, slots=True)
class InputPlan:
    """An input of a model."""

    name: str | None
    shape: tuple[int | None, ...]
    dtype: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """An operation on tensors: a function of ``keras.ops``."""

    operation: Operation
    arguments: Mapping[str, Any]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """A layer of ``keras.layers``."""

    class_name: str
    name: str | None
    trainable: bool
    dtype: str
    arguments: Mapping[str, Any]
    """Validated arguments that change the forward pass."""
    initializers: Mapping[str, Any] = field(default_factory=dict)
    training_parts: Mapping[str, Any] = field(default_factory=dict)
    """Regularizers and constraints."""
    inner: Mapping[str, tuple[LayerPlan | ModelPlan, ...]] = field(default_factory=dict)
    """Argument → the layers in it."""
    many: frozenset[str] = frozenset()
    """Arguments of ``inner`` that are lists."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call ``part(*arguments, **keywords)`` with Refs, constants, and lists and dicts of them."""

    part: str
    index: int
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """A Sequential or functional model."""

    kind: str
    name: str | None
    trainable: bool
    parts: Mapping[str, Part]
    """In the order of the claim, which is the order of the weights."""
    calls: tuple[Call, ...]
    """In an order in which the inputs of each call exist."""
    inputs: Any
    """A Ref, or a list or dict of Refs."""
    outputs: Any


Part = InputPlan | OperationPlan | LayerPlan | ModelPlan


def refs(structure: Any) -> Iterator[Ref]:
    """Yield all Refs of a structure, in order."""
    if isinstance(structure, Ref):
        yield structure
    elif isinstance(structure, (list, tuple)):
        for item in structure:
            yield from refs(item)
    elif isinstance(structure, dict):
        for item in structure.values():
            yield from refs(item)


def layer_count(plan: Part) -> int:
    """Return the number of a plan's layers, including those of nested models and wrappers."""
    if isinstance(plan, ModelPlan):
        return sum(map(layer_count, plan.parts.values()))
    if isinstance(plan, LayerPlan):
        return 1 + sum(layer_count(part) for inner in plan.inner.values() for part in inner)
    return 1
