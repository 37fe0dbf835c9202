"""The connections between the layers of a functional model: calls, their operands, inputs and outputs."""

from __future__ import annotations

import graphlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.extensions.keras.plan import MAX_CALLS, Call, InputPlan, ModelPlan, Part, Ref, refs
from autograder.extensions.keras.table_operations import DTYPES
from autograder.models.argument_values import (
    RefusedModel,
    integer,
    listing,
    mapping,
    one_of,
    optional,
    refuse,
    show,
    whole_or_real,
)

MAX_CONSTANT = 100_000
"""Most numbers in one constant array of a model."""
_DEPTH = 6


def read_call(part: str, index: int, node: Any) -> Call:
    """Read one entry of a layer's ``inbound_nodes``."""
    label = f"A call of layer {show(part)}"
    node = mapping(node, label)
    arguments = listing(node.get("args"), label, 8)
    keywords = mapping(node.get("kwargs"), label)
    return Call(
        part=part,
        index=index,
        arguments=tuple(_operand(value, label) for value in arguments),
        keywords={key: _operand(value, label) for key, value in keywords.items() if value is not None},
    )


def _operand(value: Any, label: str, depth: int = 0) -> Any:
    """Read a serialized operand: tensors as Refs, numbers, slices, constant arrays, and lists and dicts of them."""
    if depth > _DEPTH:
        raise RefusedModel(f"{label} has an input that is nested too deeply.")
    if value is None or type(value) is bool:
        return value
    if type(value) in (int, float):
        return whole_or_real()(value, f"{label}: an operand")
    if type(value) in (list, tuple):
        return [_operand(item, label, depth + 1) for item in listing(value, label, 64)]
    if type(value) is str:
        return one_of(*DTYPES)(value, f"{label}: an operand")
    value = mapping(value, f"{label}: an input")
    if "class_name" not in value:
        return {key: _operand(item, label, depth + 1) for key, item in value.items()}
    kind, config = value["class_name"], value.get("config")
    reader = _SERIALIZED.get(kind) if type(kind) is str else None
    if reader is None:
        raise RefusedModel(f"{label} has an input that is not a tensor of the model.")
    return reader(mapping(config, label), label)


def _slice(config: dict[str, Any], label: str) -> slice:
    edge = optional(integer(-(10**9), 10**9))
    return slice(*(edge(config.get(key), f"{label}: a slice") for key in ("start", "stop", "step")))


def read_constant(config: dict[str, Any], label: str) -> np.ndarray:
    """Read a serialized array of numbers."""
    dtype = one_of(*DTYPES)(config.get("dtype"), f"{label}: a constant's dtype")
    count = 0

    def check(value: Any, depth: int = 0) -> Any:
        nonlocal count
        if type(value) in (list, tuple) and depth < _DEPTH:
            return [check(item, depth + 1) for item in value]
        count += 1
        if count > MAX_CONSTANT:
            raise RefusedModel(f"{label} has a constant of more than {MAX_CONSTANT:,} numbers.")
        return value if type(value) is bool else whole_or_real()(value, f"{label}: a constant")

    try:
        return np.array(check(config.get("value")), "float32" if dtype == "bfloat16" else dtype)
    except (ValueError, OverflowError) as error:
        if isinstance(error, RefusedModel):
            raise
        raise RefusedModel(f"{label} has a constant that is not an array of numbers.") from None


def _tensor(config: dict[str, Any], label: str) -> Ref:
    return _ref(config.get("keras_history"), label)


_SERIALIZED: Mapping[str, Callable[[dict[str, Any], str], Any]] = {
    "__keras_tensor__": _tensor,
    "__numpy__": read_constant,
    "__tensor__": read_constant,
    "__slice__": _slice,
    "__ellipsis__": lambda config, label: ...,
}


def _ref(value: Any, label: str) -> Ref:
    history = listing(value, label, 3)
    if len(history) != 3 or type(history[0]) is not str:
        raise refuse(label, value, "connected as Keras writes it")
    count = integer(0, MAX_CALLS)
    return Ref(history[0], count(history[1], label), count(history[2], label))


def read_ends(value: Any, table: Mapping[str, Part], label: str, depth: int = 0) -> Any:
    """Read the model's inputs or outputs: one [layer, call, output], or lists and dicts of them."""
    if depth > _DEPTH:
        raise RefusedModel(f"{label} are nested too deeply.")
    if type(value) is dict:
        return {key: read_ends(item, table, label, depth + 1) for key, item in mapping(value, label).items()}
    entries = listing(value, label, 64)
    if len(entries) == 3 and type(entries[0]) is str:
        return _end(entries, table, label)
    if not entries:
        raise refuse(label, value, "at least one")
    return [read_ends(item, table, label, depth + 1) for item in entries]


def _end(value: Any, table: Mapping[str, Part], label: str) -> Ref:
    ref = _ref(value, label)
    part = table.get(ref.part)
    if part is None:
        raise refuse(label, ref.part, "the name of a layer of the model")
    if isinstance(part, ModelPlan) and part.kind == "Functional":
        return Ref(ref.part, ref.call - 1, ref.output)  # Keras counts the nested model's own definition as a call
    return ref


def ordered(calls: list[Call], table: Mapping[str, Part]) -> tuple[Call, ...]:
    """Sort the calls so that each call's inputs come before it.

    Raises:
        RefusedModel: the layers are connected in a circle, or to a call that does not exist.
    """
    inputs = {(key, 0) for key, part in table.items() if isinstance(part, InputPlan)}
    by_key = {(call.part, call.index): call for call in calls}
    sorter: graphlib.TopologicalSorter[tuple[str, int]] = graphlib.TopologicalSorter()
    for key, call in by_key.items():
        needs = {(ref.part, ref.call) for ref in refs([*call.arguments, *call.keywords.values()])}
        if call.index > 0:
            needs.add((call.part, call.index - 1))
        if key in inputs or not needs <= (by_key.keys() | inputs):
            raise RefusedModel(f"The layer {show(call.part)} is connected to a layer that is not there.")
        sorter.add(key, *(needs - inputs))
    try:
        return tuple(by_key[key] for key in sorter.static_order())
    except graphlib.CycleError:
        raise RefusedModel("The model's layers are connected in a circle.") from None
