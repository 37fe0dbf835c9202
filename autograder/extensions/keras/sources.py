"""Parts of an unrolled model that are neither Keras's layers nor operations.

They are variables, weights of other layers, constant arrays, and tensors that are repeated for each row. In a rebuilt
model each of them is a layer that is called with the model's first input, of which it uses nothing but the number of
rows.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.extensions.keras.plan import LayerPlan, ModelPlan
from autograder.extensions.keras.table_operations import DTYPES
from autograder.models.argument_values import RefusedModel, Validator, boolean, integer, one_of, refuse, several, show

MODULE = "autograder"
"""The module that the record names for these parts."""

SOURCES = ("Variable", "Weight", "Constant", "Rows")


def _text(value: Any, label: str) -> None:
    if type(value) is not str:
        raise refuse(label, value, "a text")


_SHAPE = several(integer(1), 0, 6)
_NUMBERS = one_of(*(name for name in DTYPES if name != "bool"))
_SETTINGS: Mapping[str, Mapping[str, Validator]] = {
    "Variable": {"shape": _SHAPE, "dtype": _NUMBERS, "trainable": boolean},
    "Weight": {"shape": _SHAPE, "dtype": _NUMBERS, "layer": _text, "index": integer(0, 10_000)},
    "Constant": {"dtype": one_of(*DTYPES)},
    "Rows": {"shape": several(integer(1), 0, 5)},
}


def read_source(class_name: Any, config: dict[str, Any], name: str | None, array: Any, training: Any) -> LayerPlan:
    """Read a variable or a constant.

    Args:
        class_name: one of :data:`SOURCES`.
        config: its claimed settings.
        name: its plain name.
        array: reads a serialized array of numbers.
        training: reads the initializers, regularizers and constraints of a configuration.
    """
    if class_name not in SOURCES:
        raise refuse("A part of the model", class_name, "one that the grader knows")
    for key, check in _SETTINGS[class_name].items():
        check(config.get(key), f"{show(class_name)}: {key}")
    if class_name == "Rows":
        return LayerPlan("Rows", name, True, "float32", {"shape": tuple(config["shape"])})
    if class_name == "Weight":
        arguments = {"shape": tuple(config["shape"]), "holder": config["layer"], "index": config["index"]}
        return LayerPlan("Weight", name, False, config["dtype"], arguments)
    if class_name == "Constant":
        value = array({"value": config.get("value"), "dtype": config["dtype"]}, "A constant")
        arguments = {"value": value.tolist(), "value_dtype": config["dtype"], "shape": value.shape}
        return LayerPlan("Constant", name, False, "float32", arguments)
    initializers, parts = training({key: value for key, value in config.items() if key.startswith("weight_")})
    return LayerPlan(
        "Variable", name, config["trainable"], config["dtype"], {"shape": tuple(config["shape"])}, initializers, parts
    )


def with_holders(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a model; each ``Weight`` knows the name of the layer that has it.

    Raises:
        RefusedModel: there is no such layer.
    """
    return {key: _with_holder(plan, table) for key, plan in table.items()}


def _with_holder(plan: Any, table: Mapping[str, Any]) -> Any:
    if not isinstance(plan, LayerPlan) or plan.class_name != "Weight":
        return plan
    holder = table.get(plan.arguments["holder"])
    if not isinstance(holder, LayerPlan | ModelPlan) or holder.name is None:
        raise _no_such_weight()
    return replace(plan, arguments={**plan.arguments, "holder": holder.name})


def require_weights(parts: Mapping[str, Any]) -> None:
    """Require that the layers of a measured model have the weights that are used elsewhere.

    Raises:
        RefusedModel: one of them does not, or has another shape.
    """
    for part in parts.values():
        if isinstance(part.plan, LayerPlan) and part.plan.class_name == "Weight":
            wanted = part.plan.arguments
            holder = next(other for other in parts.values() if getattr(other.plan, "name", None) == wanted["holder"])
            shapes = [shape for leaf in holder.leaves() for shape in leaf.weights or []]
            if wanted["index"] >= len(shapes) or shapes[wanted["index"]] != wanted["shape"]:
                raise _no_such_weight()


def _no_such_weight() -> RefusedModel:
    return RefusedModel("The model uses a weight that none of its layers has.")


def _found_weight(layer: Any) -> Any:
    """Return the variable that a ``Weight`` stands for.

    The layer that has it is searched in the graph around the ``Weight``, so that a copy of a model finds its own.
    """
    import keras

    visited, waiting = {id(layer)}, [layer]
    while waiting:
        operation = waiting.pop(0)
        if operation.name == layer.holder and isinstance(operation, keras.Layer):
            return _weights_in_order(operation)[layer.index]
        nodes = [*operation._inbound_nodes, *operation._outbound_nodes]
        around = [tensor._keras_history.operation for node in nodes for tensor in node.input_tensors]
        for neighbor in [*around, *(node.operation for node in nodes)]:
            if neighbor is not None and id(neighbor) not in visited:
                visited.add(id(neighbor))
                waiting.append(neighbor)
    raise ValueError(f"The model has no layer {layer.holder}.")


def _weights_in_order(layer: Any) -> list[Any]:
    import keras

    if isinstance(layer, keras.Model):
        return [variable for inner in layer.layers for variable in _weights_in_order(inner)]
    return list(layer.weights)


def check_constant(value: np.ndarray) -> np.ndarray:
    """Require a constant whose dimensions are not empty.

    Raises:
        RefusedModel: it has no numbers.
    """
    if not value.size:
        raise RefusedModel("A constant of the model has no numbers.")
    return value


@functools.lru_cache(maxsize=1)
def source_classes() -> Mapping[str, Any]:
    """Return the Keras layers that stand for variables and constants, by their names."""
    import keras

    @keras.saving.register_keras_serializable(package=MODULE)
    class Variable(keras.layers.Layer):  # type: ignore[misc]
        """A parameter of a layer of the student's own."""

        is_source = True

        def __init__(
            self,
            shape: Any,
            weight_initializer: Any = "glorot_uniform",
            weight_regularizer: Any = None,
            weight_constraint: Any = None,
            **options: Any,
        ) -> None:
            super().__init__(**options)
            self.shape = tuple(shape)
            self.weight_initializer = keras.initializers.get(weight_initializer)
            self.weight_regularizer = keras.regularizers.get(weight_regularizer)
            self.weight_constraint = keras.constraints.get(weight_constraint)

        def build(self, input_shape: Any) -> None:
            self.weight = self.add_weight(
                shape=self.shape,
                initializer=self.weight_initializer,
                regularizer=self.weight_regularizer,
                constraint=self.weight_constraint,
                name="weight",
            )

        def call(self, anchor: Any) -> Any:
            return keras.ops.convert_to_tensor(self.weight)

        def compute_output_spec(self, anchor: Any) -> Any:
            return keras.KerasTensor(self.shape, self.weight.dtype)

        def get_config(self) -> dict[str, Any]:
            return {
                **super().get_config(),
                "shape": list(self.shape),
                "weight_initializer": keras.initializers.serialize(self.weight_initializer),
                "weight_regularizer": keras.regularizers.serialize(self.weight_regularizer),
                "weight_constraint": keras.constraints.serialize(self.weight_constraint),
            }

    @keras.saving.register_keras_serializable(package=MODULE)
    class Weight(keras.layers.Layer):  # type: ignore[misc]
        """A weight of another layer of the model."""

        is_source = True

        def __init__(self, shape: Any, holder: str, index: int, **options: Any) -> None:
            super().__init__(**options)
            self.shape = tuple(shape)
            self.holder = holder
            self.index = index

        def call(self, anchor: Any) -> Any:
            if "found" not in vars(self):
                object.__setattr__(self, "found", _found_weight(self))  # Keras would count the weight twice
            return keras.ops.convert_to_tensor(self.found, dtype=self.variable_dtype)

        def compute_output_spec(self, anchor: Any) -> Any:
            return keras.KerasTensor(self.shape, self.variable_dtype)

        def get_config(self) -> dict[str, Any]:
            settings = {"shape": list(self.shape), "holder": self.holder, "index": self.index}
            return {**super().get_config(), **settings}

    @keras.saving.register_keras_serializable(package=MODULE)
    class Constant(keras.layers.Layer):  # type: ignore[misc]
        """An array that a layer is called with."""

        is_source = True

        def __init__(self, value: Any, value_dtype: str = "float32", shape: Any = (), **options: Any) -> None:
            super().__init__(**options)
            self.shape = tuple(shape)
            self.value = value
            self.value_dtype = value_dtype

        def call(self, anchor: Any) -> Any:
            return keras.ops.convert_to_tensor(self.value, dtype=self.value_dtype)

        def compute_output_spec(self, anchor: Any) -> Any:
            return keras.KerasTensor(self.shape, self.value_dtype)

        def get_config(self) -> dict[str, Any]:
            settings = {"value": self.value, "value_dtype": self.value_dtype, "shape": list(self.shape)}
            return {**super().get_config(), **settings}

    @keras.saving.register_keras_serializable(package=MODULE)
    class Rows(keras.layers.Layer):  # type: ignore[misc]
        """A tensor that is repeated for each row."""

        is_source = True

        def __init__(self, shape: Any, **options: Any) -> None:
            super().__init__(**options, autocast=False)
            self.shape = tuple(shape)

        def call(self, inputs: Any) -> Any:
            anchor, tensor = inputs
            return keras.ops.broadcast_to(tensor, (keras.ops.shape(anchor)[0], *self.shape))

        def compute_output_spec(self, inputs: Any) -> Any:
            return keras.KerasTensor((None, *self.shape), inputs[1].dtype)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "shape": list(self.shape)}

    return {"Variable": Variable, "Weight": Weight, "Constant": Constant, "Rows": Rows}
