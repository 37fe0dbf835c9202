"""Reads a claimed model configuration into plans: typed, bounded, with nothing constructed yet."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.examiner.models import parts
from autograder.examiner.models.table import LAYERS, OPERATIONS, WRAPPERS, Arguments, ignored
from autograder.examiner.models.values import (
    RefusedModel,
    boolean,
    integer,
    listing,
    mapping,
    number,
    one_of,
    only,
    refuse,
    shape,
    show,
)

MAX_LAYERS = 500
MAX_CALLS = 2000
"""Of one model, and of all models inside it together, however often they are called."""
MAX_DEPTH = 4
"""Models inside models, and wrappers inside wrappers."""

INPUT_TYPES = ("float32", "float64", "float16", "bfloat16", "int8", "uint8", "int32", "int64", "bool")


@dataclass(frozen=True, slots=True)
class Ref:
    """One output of one call of a part."""

    part: str
    call: int
    output: int = 0


@dataclass(frozen=True, slots=True)
class InputPlan:
    name: str | None
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """Arithmetic on tensors: a function of ``keras.ops``."""

    function: str
    operands: int
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LayerPlan:
    class_name: str
    name: str | None
    trainable: bool
    dtype: str
    arguments: Mapping[str, Any]
    """Validated; what changes the forward pass."""
    initializers: Mapping[str, Any] = field(default_factory=dict)
    training_parts: Mapping[str, Any] = field(default_factory=dict)
    """Regularizers and constraints."""
    inner: Mapping[str, LayerPlan] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """``part(*arguments)``: the arguments are Refs, numbers, or lists of them."""

    part: str
    index: int
    arguments: tuple[Any, ...]
    training: bool | None = None
    mask: Any = None


@dataclass(frozen=True, slots=True)
class ModelPlan:
    kind: str
    name: str | None
    trainable: bool
    parts: Mapping[str, Part]
    """In the order of the claim, which is the order of the weights."""
    calls: tuple[Call, ...]
    """In an order in which each one's inputs exist."""
    inputs: Any
    """A Ref, or a list or dict of them."""
    outputs: Any


Part = InputPlan | OperationPlan | LayerPlan | ModelPlan


def refs(structure: Any) -> Iterator[Ref]:
    """All Refs of a structure, in order."""
    if isinstance(structure, Ref):
        yield structure
    elif isinstance(structure, (list, tuple)):
        for item in structure:
            yield from refs(item)
    elif isinstance(structure, dict):
        for item in structure.values():
            yield from refs(item)


def read_model(kind: str, config: Any, depth: int = 0) -> ModelPlan:
    """A Sequential's or Functional's configuration (``get_config()``) as a plan.

    Raises:
        RefusedModel: anything in it is not as Keras writes it, or not on the allow-list.
    """
    if depth > MAX_DEPTH:
        raise RefusedModel(f"The model has models inside models, more than {MAX_DEPTH} deep.")
    config = mapping(config, "The model's configuration")
    return (_sequential if kind == "Sequential" else _functional)(config, depth)


def _name(value: Any) -> str | None:
    """A layer's name where it is a plain one; otherwise Keras chooses."""
    if type(value) is str and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}", value):
        return value
    return None


def _sequential(config: dict[str, Any], depth: int) -> ModelPlan:
    entries = listing(config.get("layers"), "The list of layers", MAX_LAYERS)
    read = [_part(entry, depth) for entry in entries]
    if not read or not isinstance(read[0], InputPlan):
        if config.get("build_input_shape") is None:
            raise RefusedModel(
                "The model has no input shape yet, so it has no weights. "
                "Begin it with keras.Input(shape=...), or fit it before it is tested."
            )
        read.insert(0, InputPlan(None, shape(config["build_input_shape"], "The input shape"), "float32"))
    if any(isinstance(part, InputPlan | OperationPlan) for part in read[1:]):
        raise RefusedModel("A Sequential model may have one input, at its beginning.")
    table = {str(index): part for index, part in enumerate(read)}
    calls = tuple(Call(str(i), 0, (Ref(str(i - 1), 0),)) for i in range(1, len(read)))
    return ModelPlan(
        kind="Sequential",
        name=_name(config.get("name")),
        trainable=parts.trainable(config.get("trainable"), "The model"),
        parts=table,
        calls=calls,
        inputs=Ref("0", 0),
        outputs=Ref(str(len(read) - 1), 0),
    )


def _functional(config: dict[str, Any], depth: int) -> ModelPlan:
    table: dict[str, Part] = {}
    calls: list[Call] = []
    for entry in listing(config.get("layers"), "The list of layers", MAX_LAYERS):
        entry = mapping(entry, "A layer")
        key = entry.get("name")
        if type(key) is not str or key in table:
            raise refuse("A layer's name", key, "a text that no other layer has")
        table[key] = _part(entry, depth)
        nodes = listing(entry.get("inbound_nodes"), f"The calls of layer {show(key)}", MAX_CALLS)
        calls += [_call(key, index, node) for index, node in enumerate(nodes)]
        if len(calls) > MAX_CALLS:
            raise RefusedModel(f"The model calls its layers more than {MAX_CALLS} times.")
    inputs = _ends(config.get("input_layers"), table, "The model's inputs")
    if not all(isinstance(table[ref.part], InputPlan) for ref in refs(inputs)):
        raise RefusedModel("A model's inputs must be keras.Input tensors.")
    return ModelPlan(
        kind="Functional",
        name=_name(config.get("name")),
        trainable=parts.trainable(config.get("trainable"), "The model"),
        parts=table,
        calls=_ordered(calls, table),
        inputs=inputs,
        outputs=_ends(config.get("output_layers"), table, "The model's outputs"),
    )


def _part(entry: Any, depth: int) -> Part:
    entry = mapping(entry, "A layer")
    module, class_name = entry.get("module"), entry.get("class_name")
    if (module, class_name) == ("keras.layers", "InputLayer"):
        return _input(mapping(entry.get("config"), "The input"))
    if (module, class_name) == ("keras", "Sequential"):
        return read_model("Sequential", entry.get("config"), depth + 1)
    if class_name == "Functional" and module in ("keras", "keras.models", "keras.src.models.functional"):
        return read_model("Functional", entry.get("config"), depth + 1)
    if module in ("keras.src.ops.numpy", "keras.ops.numpy") and type(class_name) is str:
        return _operation(class_name, mapping(entry.get("config"), "An operation"))
    return read_layer(entry, depth)


def _input(config: dict[str, Any]) -> InputPlan:
    for key in ("sparse", "ragged"):
        only(False)(config.get(key, False), f"The input's {key}")
    dtype = one_of(*INPUT_TYPES)(config.get("dtype", "float32"), "The input's dtype")
    return InputPlan(_name(config.get("name")), shape(config.get("batch_shape"), "The input's shape"), dtype)


def _operation(class_name: str, config: dict[str, Any]) -> OperationPlan:
    if class_name not in OPERATIONS:
        raise RefusedModel(
            f"The operation {show(class_name)} can not be graded. Build the model from keras.layers alone."
        )
    function, operands, table = OPERATIONS[class_name]
    return OperationPlan(function, operands, _arguments(f"The operation {class_name}", config, table))


def read_layer(entry: dict[str, Any], depth: int) -> LayerPlan:
    """One serialized layer of the table as a plan."""
    if depth > MAX_DEPTH:
        raise RefusedModel(f"The model has layers inside layers, more than {MAX_DEPTH} deep.")
    module, class_name = entry.get("module"), entry.get("class_name")
    if type(class_name) is not str or module != "keras.layers" or class_name not in LAYERS:
        raise RefusedModel(
            f"The layer {show(class_name)} can not be graded: it is not one of the layers of keras.layers "
            "that the grader rebuilds. Lambda layers and classes of your own are never accepted."
        )
    config = mapping(entry.get("config"), f"{class_name}'s configuration")
    inner = {
        key: read_layer(mapping(config.get(key), f"{class_name}'s {key}"), depth + 1)
        for key in WRAPPERS.get(class_name, ())
    }
    own = {key: value for key, value in config.items() if key not in inner}
    initializers, training_parts = _training_parts(class_name, own)
    return LayerPlan(
        class_name=class_name,
        name=_name(config.get("name")),
        trainable=parts.trainable(config.get("trainable"), class_name),
        dtype=parts.policy(config.get("dtype"), class_name),
        arguments=_arguments(class_name, own, LAYERS[class_name]),
        initializers=initializers,
        training_parts=training_parts,
        inner=inner,
    )


_COMMON = ("name", "trainable", "dtype")
_PARTS = {
    "_initializer": ("initializers", parts.INITIALIZERS),
    "_regularizer": ("regularizers", parts.REGULARIZERS),
    "_constraint": ("constraints", parts.CONSTRAINTS),
}


def _arguments(label: str, config: dict[str, Any], table: Arguments) -> dict[str, Any]:
    """The validated arguments. One that this table does not know must be switched off (None or False)."""
    arguments = {}
    for key, value in config.items():
        if key in _COMMON or key.endswith(tuple(_PARTS)):
            continue
        if table.get(key) is ignored:
            continue
        if key in table:
            arguments[key] = table[key](value, f"{label}'s {key}")
        elif value is not None and value is not False:
            raise RefusedModel(f"{label} has the argument {show(key)}, which can not be graded.")
    return arguments


def _training_parts(class_name: str, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    initializers: dict[str, Any] = {}
    others: dict[str, Any] = {}
    if class_name in WRAPPERS:
        return initializers, others
    for key, value in config.items():
        for suffix, (package, table) in _PARTS.items():
            if key.endswith(suffix) and re.fullmatch(r"[a-z_]{1,40}", key):
                known = parts.known_object(value, package, table)
                if known is not None:
                    (initializers if suffix == "_initializer" else others)[key] = known
    return initializers, others


def _call(part: str, index: int, node: Any) -> Call:
    label = f"A call of layer {show(part)}"
    node = mapping(node, label)
    arguments = tuple(_operand(value, label) for value in listing(node.get("args"), label, 8))
    keywords = mapping(node.get("kwargs"), label)
    for key, value in keywords.items():
        if key not in ("training", "mask") and value is not None:
            raise RefusedModel(f"{label} passes {show(key)}, which can not be graded.")
    training = keywords.get("training")
    return Call(
        part=part,
        index=index,
        arguments=arguments,
        training=None if training is None else boolean(training, f"{label}: training"),
        mask=_operand(keywords["mask"], label) if keywords.get("mask") is not None else None,
    )


def _operand(value: Any, label: str) -> Any:
    """A serialized tensor as a Ref; a number; or a list of those."""
    if type(value) in (list, tuple):
        return [_tensor(item, label) for item in listing(value, label, 64)]
    return number()(value, f"{label}: an operand") if type(value) in (int, float) else _tensor(value, label)


def _tensor(value: Any, label: str) -> Ref | None:
    if value is None:
        return None  # a list of masks, of which one is missing
    value = mapping(value, f"{label}: an input")
    if value.get("class_name") != "__keras_tensor__":
        raise RefusedModel(f"{label} has an input that is not a tensor of the model.")
    return _ref(mapping(value.get("config"), label).get("keras_history"), label)


def _ref(value: Any, label: str) -> Ref:
    history = listing(value, label, 3)
    if len(history) != 3 or type(history[0]) is not str:
        raise refuse(label, value, "connected as Keras writes it")
    count = integer(0, MAX_CALLS)
    return Ref(history[0], count(history[1], label), count(history[2], label))


def _ends(value: Any, table: Mapping[str, Part], label: str) -> Any:
    """The model's inputs or outputs: one [layer, call, output], or a list or dict of them."""
    if type(value) is dict:
        return {key: _end(item, table, label) for key, item in mapping(value, label).items()}
    entries = listing(value, label, 64)
    if len(entries) == 3 and type(entries[0]) is str:
        return _end(entries, table, label)
    if not entries:
        raise refuse(label, value, "at least one")
    return [_end(item, table, label) for item in entries]


def _end(value: Any, table: Mapping[str, Part], label: str) -> Ref:
    ref = _ref(value, label)
    part = table.get(ref.part)
    if part is None:
        raise refuse(label, ref.part, "the name of a layer of the model")
    if isinstance(part, ModelPlan) and part.kind == "Functional":
        return Ref(ref.part, ref.call - 1, ref.output)  # Keras counts the nested model's own definition as a call
    return ref


def _ordered(calls: list[Call], table: Mapping[str, Part]) -> tuple[Call, ...]:
    """The calls so that each one's inputs come before it.

    Raises:
        RefusedModel: the layers are connected in a circle, or to a call that does not exist.
    """
    given = {(key, 0) for key, part in table.items() if isinstance(part, InputPlan)}
    by_key = {(call.part, call.index): call for call in calls}
    sorter: graphlib.TopologicalSorter[tuple[str, int]] = graphlib.TopologicalSorter()
    for key, call in by_key.items():
        needs = {(ref.part, ref.call) for ref in refs([*call.arguments, call.mask])}
        if call.index > 0:
            needs.add((call.part, call.index - 1))
        if key in given or not needs <= (by_key.keys() | given):
            raise RefusedModel(f"The layer {show(call.part)} is connected to a layer that is not there.")
        sorter.add(key, *(needs - given))
    try:
        return tuple(by_key[key] for key in sorter.static_order())
    except graphlib.CycleError:
        raise RefusedModel("The model's layers are connected in a circle.") from None


def layer_count(plan: Part) -> int:
    """The layers of a plan, those of the models in it included."""
    return sum(map(layer_count, plan.parts.values())) if isinstance(plan, ModelPlan) else 1
