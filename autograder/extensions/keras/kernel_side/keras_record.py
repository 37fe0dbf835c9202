"""The record of an unrolled Keras model: the configuration of a functional model that computes the same.

Runs inside the student's kernel. The record has Keras's own format, and four parts beside layers and operations. They
are of the module ``autograder``. ``Variable`` is a parameter of a layer of the student's own, and ``Weight`` a weight
of another layer of the record. ``Constant`` is an array that a layer is called with, and ``Rows`` repeats a tensor for
each row.
"""

from __future__ import annotations

import sys
from typing import Any

from . import keras_kinds
from .keras_initializers import initializers
from .keras_unrolling import MAX_CONSTANT, ForwardPass, UnrecordableError, VariableSource, is_variable

MIN_WEIGHT = 4
"""Fewest numbers of a constant array that may be a weight of a layer."""
MAX_CALLS = 2000
"""Most calls of layers and operations."""
MAX_LOOP_CONNECTIONS = 400
"""Most tensors that go into layers and operations if a cell is run step by step; a network with 500 is not trained
again."""


class _Part:
    """A layer, an operation or a source, with its calls."""

    def __init__(self, entry: dict[str, Any], key: str, held: Any) -> None:
        self.entry = entry
        self.key = key
        self.held = held
        self.calls: list[dict[str, Any]] = []


class Record:
    """The parts of a recorded forward pass, in an order in which each one's inputs come before it."""

    def __init__(self, recording: ForwardPass) -> None:
        self.found = recording
        self.keras = sys.modules["keras"]
        self.parts: dict[int, _Part] = {}
        self.keys: set[str] = set()
        self.calls: dict[tuple[int, int], list[Any]] = {}
        """(``id`` of an operation, number of its node) → key of the part, number of the call."""
        self.connections = 0
        self.initializers: dict[int, dict[int, Any]] = {}
        inputs = self.keras.tree.flatten(recording.inputs)
        for tensor in inputs:
            self._call(tensor)
        self.anchor = inputs[0]
        for tensor in self.keras.tree.flatten(recording.outputs):
            self._reach(tensor)
        self._describe_variables()

    # --- walking

    def _reach(self, end: Any) -> None:
        """Add the calls that a tensor needs, without recursion: a model may be deep."""
        waiting = [self._true(end)]
        while waiting:
            tensor = waiting[-1]
            if id(tensor) in self.found.sources:
                self._source(tensor)
                waiting.pop()
                continue
            operation, index, _ = tensor._keras_history
            if operation is None:
                raise UnrecordableError("outputs")
            if (id(operation), index) in self.calls:
                waiting.pop()
                continue
            needed = [one for one in self._given(operation._inbound_nodes[index]) if not self._is_known(one)]
            if not needed:
                self._call(tensor)
                waiting.pop()
            waiting += reversed(needed)

    def _is_known(self, tensor: Any) -> bool:
        if id(tensor) in self.found.sources:
            return id(self.found.sources[id(tensor)][1]) in self.parts
        history = tensor._keras_history
        return (id(history.operation), history.node_index) in self.calls

    def _true(self, tensor: Any) -> Any:
        """Return the tensor behind conversions that change nothing, as a model inside a model makes them."""
        while id(tensor) not in self.found.sources:
            operation, index, _ = tensor._keras_history
            if type(operation).__name__ != "ConvertToTensor" or isinstance(operation, self.keras.Layer):
                break
            source = operation._inbound_nodes[index].arguments.keras_tensors[0]
            if source.dtype != tensor.dtype:
                break
            tensor = source
        return tensor

    def _given(self, node: Any) -> list[Any]:
        args, kwargs = self._arguments(node)
        flat = [self._true(argument) if isinstance(argument, self.keras.KerasTensor) else argument
                for argument in self.keras.tree.flatten([args, kwargs])]  # fmt: skip
        tensors = [one for one in flat if isinstance(one, self.keras.KerasTensor)]
        return tensors + [self._of_variable(one) for one in flat if is_variable(one)]

    def _arguments(self, node: Any) -> tuple[Any, dict[str, Any]]:
        """Return the arguments of a call, with its mask, and without a training flag that follows the model's."""
        operation, args = node.operation, node.arguments.args
        kwargs = dict(node.arguments.kwargs)
        if not kwargs.get("training"):
            kwargs.pop("training", None)
        if getattr(operation, "_call_has_mask_arg", False) and len(args) == 1 and kwargs.get("mask") is None:
            kwargs["mask"] = getattr(args[0], "_keras_mask", None)
        return args, {name: value for name, value in kwargs.items() if value is not None}

    # --- parts

    def _call(self, tensor: Any) -> None:
        """Add one call of a layer or operation, whose inputs are there."""
        operation, index, _ = tensor._keras_history
        part = self.parts.get(id(operation))
        if part is None:
            part = self._add(operation, self._entry(operation, tensor), operation.name)
        self.calls[id(operation), index] = [part.key, len(part.calls)]
        if len(self.calls) > MAX_CALLS:
            raise UnrecordableError("large")
        node = operation._inbound_nodes[index]
        self.connections += len(self._given(node))
        if self.found.looped and self.connections > MAX_LOOP_CONNECTIONS:
            raise UnrecordableError("loop")
        if not node.is_input:
            args, kwargs = self._arguments(node)
            if part.entry["class_name"] == "Rows":
                args, kwargs = [[self.anchor, args[0]]], {}
            part.calls.append({"args": self._operand(list(args)), "kwargs": self._operand(kwargs)})

    def _add(self, held: Any, entry: dict[str, Any], name: str) -> _Part:
        key = name = str(name)[:60]
        number = 0
        while key in self.keys:
            number += 1
            key = name + "_of_" + str(number)
        self.keys.add(key)
        if isinstance(entry.get("config"), dict):
            entry["config"] = dict(entry["config"], name=key)
        self.parts[id(held)] = part = _Part(entry, key, held)
        return part

    def _entry(self, operation: Any, tensor: Any) -> dict[str, Any]:
        """Describe a layer or an operation with the output ``tensor``."""
        if not isinstance(operation, self.keras.Layer):
            kind, config = type(operation), operation.get_config()
            name = kind.__name__
            if name == "ConvertToTensor":
                name, config = "Cast", {"dtype": tensor.dtype}
            if name == "Reshape" and None not in tensor.shape[1:]:  # the number of rows may have been given as None
                rows = -1 if tensor.shape[0] is None else tensor.shape[0]
                config = dict(config, newshape=[rows, *tensor.shape[1:]])
            if self._repeats_for_rows(operation, tensor):
                return {"module": "autograder", "class_name": "Rows", "config": {"shape": list(tensor.shape[1:])}}
            return {"module": kind.__module__, "class_name": name, "config": config}
        base = None if isinstance(operation, self.keras.Model) else keras_kinds.base_layer(operation)
        if base is None:
            return dict(self.keras.saving.serialize_keras_object(operation))
        config = base.get_config(operation)
        if id(operation) in self.found.linear:
            config = dict(config, activation="linear")
        return {"module": "keras.layers", "class_name": base.__name__, "config": config}

    def _repeats_for_rows(self, operation: Any, tensor: Any) -> bool:
        """Return whether the operation repeats a tensor for each row, whose number was given as None."""
        name = type(operation).__name__
        return name == "BroadcastTo" and tensor.shape[0] is None and None not in tensor.shape[1:]

    def _source(self, tensor: Any) -> list[Any]:
        """Return the part and call of a variable or constant."""
        source = self.found.sources[id(tensor)][1]
        part = self.parts.get(id(source))
        if part is None:
            entry = {} if source.owner is not None else self._constant(source.value)
            name = "variable" if source.owner is None else str(source.owner.name) + "_" + str(source.value.name)
            part = self._add(source, entry, name.split(":")[0])
            part.calls.append({"args": [self._ref(self.anchor)], "kwargs": {}})
        return [part.key, 0]

    def _describe_variables(self) -> None:
        """Describe the variables, once it is known which layers are part of the record."""
        places: dict[int, tuple[str, int]] = {}
        for part in self.parts.values():
            if isinstance(part.held, self.keras.Layer):
                for index, variable in enumerate(_weights_in(part.held)):
                    places.setdefault(id(variable), (part.key, index))
        for part in self.parts.values():
            if isinstance(part.held, VariableSource) and part.held.owner is not None:
                weight_index = places.get(id(part.held.value))
                part.held.borrowed = weight_index is not None
                part.entry = (
                    self._variable(part.held) if weight_index is None else _weight(part.held.value, *weight_index)
                )
                part.entry["config"]["name"] = part.key

    def _variable(self, source: VariableSource) -> dict[str, Any]:
        variable, serialize = source.value, self.keras.saving.serialize_keras_object
        if id(source.owner) not in self.initializers:
            self.initializers[id(source.owner)] = initializers(source.owner)
        config = {
            "shape": list(map(int, variable.shape)),
            "dtype": _dtype_name(variable.dtype),
            "trainable": bool(getattr(variable, "trainable", True)),
        }
        settings = {
            "weight_initializer": self.initializers[id(source.owner)].get(id(variable)),
            "weight_regularizer": getattr(variable, "regularizer", None),
            "weight_constraint": getattr(variable, "constraint", None),
        }
        for key, value in settings.items():
            try:
                config[key] = None if value is None else serialize(value)
            except Exception:
                config[key] = None
        return {"module": "autograder", "class_name": "Variable", "config": config}

    def _constant(self, value: Any) -> dict[str, Any]:
        return {"module": "autograder", "class_name": "Constant", "config": self._constant_array(value)}

    def _constant_array(self, value: Any) -> dict[str, Any]:
        """Describe a constant array that is not the weight of a layer of Keras's own, rearranged."""
        described = _array(value)
        import numpy as np

        array = np.asarray(described["value"])
        if array.size >= MIN_WEIGHT and (array != array.flat[0]).any():
            for weight in _weights_of_known(self.found):
                if int(np.prod(weight.shape)) == array.size:
                    weight_array = self.keras.ops.convert_to_numpy(weight).astype("float64")
                    if np.array_equal(np.sort(weight_array, axis=None), np.sort(array.astype("float64"), axis=None)):
                        raise UnrecordableError("borrowed")
        return described

    # --- operands

    def _operand(self, value: Any) -> Any:
        if isinstance(value, self.keras.KerasTensor):
            return self._ref(value)
        if is_variable(value):
            return self._ref(self._of_variable(value))
        if isinstance(value, (list, tuple)):
            return [self._operand(item) for item in value]
        if isinstance(value, dict):
            return {str(key): self._operand(item) for key, item in value.items()}
        if isinstance(value, slice):
            edges = {name: self._operand(getattr(value, name)) for name in ("start", "stop", "step")}
            return {"class_name": "__slice__", "config": edges}
        if value is Ellipsis:
            return {"class_name": "__ellipsis__", "config": {}}
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            return {"class_name": "__numpy__", "config": self._constant_array(value)}
        if hasattr(value, "as_numpy_dtype") or hasattr(value, "itemsize"):
            return _dtype_name(value)
        raise UnrecordableError("values")

    def _of_variable(self, variable: Any) -> Any:
        """Return the symbolic tensor of a variable that an operation was given as it is."""
        for owner in self.found.layers:
            if any(variable is other for other in owner._trainable_variables + owner._non_trainable_variables):
                return self.found.source(variable, owner)
        raise UnrecordableError("borrowed")

    def _ref(self, tensor: Any) -> dict[str, Any]:
        tensor = self._true(tensor)
        if id(tensor) in self.found.sources:
            call, output = self._source(tensor), 0
        else:
            operation, index, output = tensor._keras_history
            call = self.calls[id(operation), index]
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [*call, output]}}

    # --- the whole

    def config(self, name: str, trainable: bool) -> dict[str, Any]:
        """Return the configuration, in the format of a functional model's ``get_config()``."""
        parts = list(self.parts.values())
        return {
            "name": name,
            "trainable": trainable,
            "layers": [dict(part.entry, name=part.key, inbound_nodes=part.calls) for part in parts],
            "input_layers": self._ends(self.found.inputs),
            "output_layers": self._ends(self.found.outputs),
        }

    def _ends(self, structure: Any) -> Any:
        if isinstance(structure, dict):
            return {str(key): self._ends(item) for key, item in structure.items()}
        if isinstance(structure, (list, tuple)):
            return [self._ends(item) for item in structure]
        if id(self._true(structure)) in self.found.sources:
            raise UnrecordableError("outputs")
        key, call, output = self._ref(structure)["config"]["keras_history"]
        held = self._true(structure)._keras_history.operation
        functional = isinstance(held, self.keras.Model) and not isinstance(held, self.keras.Sequential)
        return [key, call + functional, output]  # Keras counts the definition of a nested model as a call

    def held(self) -> list[Any]:
        """Return the layers, models and sources of the record, in its order, without inputs and operations."""
        kinds = (self.keras.Layer, VariableSource)
        return [
            part.held
            for part in self.parts.values()
            if isinstance(part.held, kinds) and not isinstance(part.held, self.keras.layers.InputLayer)
        ]


def _weights_in(held: Any) -> list[Any]:
    """Return the weights of a layer or model in the order in which they are sent."""
    layers = keras_kinds.leaf_layers(held) if isinstance(held, sys.modules["keras"].Model) else [held]
    return [variable for layer in layers for variable in layer.weights]


def _weight(variable: Any, key: str, index: int) -> dict[str, Any]:
    """Describe a variable that is a weight of a part of the record: number ``index`` of its weights."""
    config = {
        "shape": list(map(int, variable.shape)),
        "dtype": _dtype_name(variable.dtype),
        "layer": key,
        "index": index,
    }
    return {"module": "autograder", "class_name": "Weight", "config": config}


def _weights_of_known(recording: ForwardPass) -> list[Any]:
    return [weight for layer in recording.layers if id(layer) not in recording.own for weight in layer.weights]


def _dtype_name(dtype: Any) -> str:
    return str(getattr(dtype, "name", dtype))


def _array(value: Any) -> dict[str, Any]:
    import numpy as np

    array = np.asarray(value)
    if array.size > MAX_CONSTANT:
        raise UnrecordableError("large")
    name = _dtype_name(value.dtype)
    plain = array if array.dtype.kind in "biuf" else array.astype("float32")  # bfloat16
    return {"value": plain.tolist(), "dtype": name}
