"""Conversion of a claimed model configuration into plans, against the tables of layers and operations."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from autograder.extensions.keras import parts
from autograder.extensions.keras.connections import ordered, read_call, read_constant, read_ends
from autograder.extensions.keras.construct import construct
from autograder.extensions.keras.plan import (
    MAX_CALLS,
    MAX_DEPTH,
    MAX_LAYERS,
    Call,
    InputPlan,
    LayerPlan,
    ModelPlan,
    OperationPlan,
    Part,
    Ref,
    refs,
)
from autograder.extensions.keras.sources import MODULE, check_constant, read_source, with_holders
from autograder.extensions.keras.table import CELLS, LAYERS, REFUSED, WRAPPERS
from autograder.extensions.keras.table_core import Arguments, ignored
from autograder.extensions.keras.table_operations import MODULES, OPERATIONS
from autograder.extensions.keras.table_preprocessing import CATEGORIES, PICTURES, VOCABULARIES
from autograder.models.argument_values import RefusedModel, boolean, listing, mapping, one_of, only, refuse, shape, show

INPUT_TYPES = (
    "float32",
    "float64",
    "float16",
    "bfloat16",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "bool",
    "string",
)


def read_model(kind: str, config: Any, depth: int = 0) -> ModelPlan:
    """Read the configuration (``get_config()``) of a Sequential or functional model.

    Raises:
        RefusedModel: something in it is not as Keras writes it, or not on the allow-list.
    """
    if depth > MAX_DEPTH:
        raise RefusedModel(f"The model has models inside models, more than {MAX_DEPTH} deep.")
    config = mapping(config, "The model's configuration")
    return (_sequential if kind == "Sequential" else _functional)(config, depth)


def _name(value: Any) -> str | None:
    """Return the name of a layer, model or operation, if it is a plain one.

    Any other text is replaced by a plain name that is unique to it, so that names stay different. Keras refuses a model
    with duplicate names, and a name that Keras chooses may be another layer's. None if there is no text.
    """
    if type(value) is not str:
        return None
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}", value):
        return value
    digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{re.sub('[^A-Za-z0-9]+', '_', value)[:40].strip('_') or 'layer'}_{digest}"


def _sequential(config: dict[str, Any], depth: int) -> ModelPlan:
    entries = listing(config.get("layers"), "The list of layers", MAX_LAYERS)
    plans = [_part(entry, depth) for entry in entries]
    if not plans or not isinstance(plans[0], InputPlan):
        if config.get("build_input_shape") is None:
            raise RefusedModel(
                "The model has no input shape yet, so it has no weights. "
                "Begin it with keras.Input(shape=...), or fit it before it is tested.",
                kind_refused=bool(plans),
                wants_shapes=bool(plans),
            )
        plans.insert(0, InputPlan(_name("(input)"), shape(config["build_input_shape"], "The input shape"), "float32"))
    if len(plans) == 1:
        raise RefusedModel("The model has no layers yet.")
    if any(isinstance(part, InputPlan | OperationPlan) for part in plans[1:]):
        raise RefusedModel("A Sequential model may have one input, at its beginning.")
    table = {str(index): part for index, part in enumerate(plans)}
    calls = tuple(Call(str(i), 0, (Ref(str(i - 1), 0),)) for i in range(1, len(plans)))
    return ModelPlan(
        kind="Sequential",
        name=_name(config.get("name")),
        trainable=parts.trainable(config.get("trainable"), "The model"),
        parts=table,
        calls=calls,
        inputs=Ref("0", 0),
        outputs=Ref(str(len(plans) - 1), 0),
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
        calls += [read_call(key, index, node) for index, node in enumerate(nodes)]
        if len(calls) > MAX_CALLS:
            raise RefusedModel(f"The model calls its layers more than {MAX_CALLS} times.")
    table = with_holders(table)
    inputs = read_ends(config.get("input_layers"), table, "The model's inputs")
    if not all(isinstance(table[ref.part], InputPlan) for ref in refs(inputs)):
        raise RefusedModel("A model's inputs must be keras.Input tensors.")
    return ModelPlan(
        kind="Functional",
        name=_name(config.get("name")),
        trainable=parts.trainable(config.get("trainable"), "The model"),
        parts=table,
        calls=ordered(calls, table),
        inputs=inputs,
        outputs=read_ends(config.get("output_layers"), table, "The model's outputs"),
    )


def _part(entry: Any, depth: int) -> Part:
    entry = mapping(entry, "A layer")
    module, class_name = entry.get("module"), entry.get("class_name")
    if (module, class_name) == ("keras.layers", "InputLayer"):
        return _input(mapping(entry.get("config"), "The input"))
    if type(module) is str and module in MODULES:
        return _operation(class_name, mapping(entry.get("config"), "An operation"))
    if module == MODULE:
        return _source(class_name, mapping(entry.get("config"), "A part of the model"))
    return read_layer(entry, depth)


def _source(class_name: Any, config: dict[str, Any]) -> LayerPlan:
    return read_source(
        class_name,
        config,
        _name(config.get("name")),
        lambda value, label: check_constant(read_constant(value, label)),
        lambda settings: _training_parts("Variable", settings),
    )


def _input(config: dict[str, Any]) -> InputPlan:
    for key in ("sparse", "ragged"):
        only(False, kind_refused=True)(config.get(key, False), f"The input's {key}")
    return InputPlan(
        name=_name(config.get("name")),
        shape=shape(config.get("batch_shape"), "The input's shape"),
        dtype=one_of(*INPUT_TYPES)(config.get("dtype", "float32"), "The input's dtype"),
        optional=boolean(config.get("optional", False), "The input's optional"),
    )


def _operation(class_name: Any, config: dict[str, Any]) -> OperationPlan:
    if type(class_name) is not str or class_name not in OPERATIONS:
        raise RefusedModel(
            f"The operation {show(class_name)} cannot be graded: the grader does not rebuild it. "
            "Use a layer of keras.layers in its place.",
            kind_refused=True,
        )
    operation = OPERATIONS[class_name]
    arguments = _arguments(f"The operation {class_name}", config, operation.arguments)
    return OperationPlan(operation, arguments, _name(config.get("name")))


def read_layer(entry: dict[str, Any], depth: int) -> LayerPlan | ModelPlan:
    """Read one serialized layer of the table, or a nested model."""
    if depth > MAX_DEPTH:
        raise RefusedModel(f"The model has layers inside layers, more than {MAX_DEPTH} deep.")
    module, class_name = entry.get("module"), entry.get("class_name")
    if (module, class_name) == ("keras", "Sequential"):
        return read_model("Sequential", entry.get("config"), depth + 1)
    if class_name == "Functional" and module in ("keras", "keras.models", "keras.src.models.functional"):
        return read_model("Functional", entry.get("config"), depth + 1)
    if type(class_name) is not str or module != "keras.layers" or class_name not in LAYERS:
        raise _unknown(class_name)
    config = mapping(entry.get("config"), f"{class_name}'s configuration")
    inner, listed = _inner(class_name, config, depth)
    outer = {key: value for key, value in config.items() if key not in inner}
    initializers, training_parts = _training_parts(class_name, outer)
    return LayerPlan(
        class_name=class_name,
        name=_name(config.get("name")),
        trainable=parts.trainable(config.get("trainable"), class_name),
        dtype=parts.policy(config.get("dtype"), class_name, _POLICIES.get(class_name, parts.POLICIES)),
        arguments=_arguments(class_name, outer, LAYERS[class_name]),
        initializers=initializers,
        training_parts=training_parts,
        inner=inner,
        many=listed,
    )


_POLICIES = dict.fromkeys([*CATEGORIES, *VOCABULARIES, *PICTURES], parts.POLICIES + parts.INTEGER_POLICIES)


def _unknown(class_name: Any) -> RefusedModel:
    reason = REFUSED.get(class_name) if type(class_name) is str else None
    return RefusedModel(
        f"The layer {show(class_name)} cannot be graded: "
        + (reason or "it is not one of the layers of keras.layers that the grader rebuilds")
        + ". Build the model from Keras's own layers.",
        kind_refused=type(class_name) is str,
    )


Inner = dict[str, tuple[LayerPlan | ModelPlan, ...]]


def _inner(class_name: str, config: dict[str, Any], depth: int) -> tuple[Inner, frozenset[str]]:
    """Read the layers in a wrapper's arguments, and return which of the arguments are lists."""
    inner: Inner = {}
    listed = set()
    keys, allowed = WRAPPERS.get(class_name, ((), frozenset()))
    for key in keys:
        label = f"{class_name}'s {key}"
        entries = config.get(key)
        if key.endswith("s"):
            listed.add(key)
            entries = listing(entries, label, 64)
        else:
            entries = [entries]
        plans = tuple(read_layer(mapping(entry, label), depth + 1) for entry in entries)
        for plan in plans:
            if isinstance(plan, ModelPlan) and class_name == "TimeDistributed":
                continue
            if not isinstance(plan, LayerPlan) or plan.class_name not in allowed:
                kind = plan.class_name if isinstance(plan, LayerPlan) else "model"
                raise RefusedModel(f"{label} is a {kind}, which the grader does not rebuild there.", kind_refused=True)
        inner[key] = plans
    return inner, frozenset(listed)


_COMMON = ("name", "trainable", "dtype")
_PARTS = {
    "_initializer": ("initializers", parts.INITIALIZERS),
    "_regularizer": ("regularizers", parts.REGULARIZERS),
    "_constraint": ("constraints", parts.CONSTRAINTS),
}


def _arguments(label: str, config: dict[str, Any], table: Arguments) -> dict[str, Any]:
    """Return the validated arguments; one that the table does not know must be switched off (None or False)."""
    arguments = {}
    for key, value in config.items():
        if table.get(key) is ignored:
            continue
        if key in table:
            argument = table[key](value, f"{label}'s {key}")
            arguments[key] = _activation_layer(argument) if isinstance(argument, parts.ActivationLayer) else argument
        elif key not in _COMMON and not key.endswith(tuple(_PARTS)) and value is not None and value is not False:
            raise RefusedModel(f"{label} has the argument {show(key)}, which cannot be graded.", kind_refused=True)
    return arguments


def _activation_layer(claimed: parts.ActivationLayer) -> Any:
    """Return the layer that stands for an activation function."""
    plan = read_layer(claimed.serialized, depth=0)
    assert isinstance(plan, LayerPlan)
    return construct(plan)


def _training_parts(class_name: str, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    initializers: dict[str, Any] = {}
    training_parts: dict[str, Any] = {}
    if class_name in WRAPPERS:
        return initializers, training_parts
    for key, value in config.items():
        for suffix, (package, table) in _PARTS.items():
            if key.endswith(suffix) and re.fullmatch(r"[a-z_]{1,40}", key):
                part = parts.known_object(value, package, table)
                if part is not None:
                    (initializers if suffix == "_initializer" else training_parts)[key] = part
    return initializers, training_parts


def check_place(plan: Part) -> None:
    """Require that a cell is inside an RNN.

    Raises:
        RefusedModel: the cell is a layer of a model.
    """
    if isinstance(plan, LayerPlan) and plan.class_name in CELLS:
        raise RefusedModel(f"{plan.class_name} is called by itself. Put it into keras.layers.RNN.", kind_refused=True)
