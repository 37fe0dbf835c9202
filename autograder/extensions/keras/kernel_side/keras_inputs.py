"""The inputs of a Keras model: their shapes and types, and the arguments in which its call takes them.

Runs inside the student's kernel. What a test knows of the inputs is a dict, or a list or dict of such dicts. Each has
the ``shape`` of one row and its ``dtype`` (empty if unknown).
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

from ....kernel import probe_rows
from ....kernel.model_inputs import leaves
from . import keras_kinds

TYPES = ("float32", "int32", "string")


def types(described: Any = None) -> tuple[str, ...]:
    """Return the number types that are tried for inputs, in order; only the first counts if a test knows them."""
    has_types = described is not None and all(leaf["dtype"] for leaf in leaves(described))
    return TYPES[:1] if has_types else TYPES


def inputs(model: Any, dtype: str, described: Any = None) -> Any:
    """Return new symbolic inputs of the shapes that the model was built for, or that a test knows.

    Raises:
        ValueError: they are unknown.
    """
    keras = sys.modules["keras"]
    if described is not None:
        return _of_given(described, dtype)
    held = getattr(model, "_functional", None) or model
    structure = getattr(held, "_inputs_struct", None)
    if structure is not None:
        return keras.tree.map_structure(
            lambda tensor: keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name), structure
        )
    held = [model, *keras_kinds.inner_layers(model)[:1]]  # what Keras could not build at once was built layer by layer
    shapes = next((found for layer in held for found in [getattr(layer, "_build_shapes_dict", None)] if found), None)
    if not isinstance(shapes, dict) or len(shapes) < len(_required(model)):
        raise ValueError("unknown shapes")
    tensors = [_of_shapes(shape, dtype) for shape in shapes.values()]
    return tensors[0] if len(tensors) == 1 else tensors


def _of_shapes(shape: Any, dtype: str, name: Any = None) -> Any:
    if isinstance(shape, dict):
        return {key: _of_shapes(item, dtype, str(key)) for key, item in shape.items()}
    if isinstance(shape, (list, tuple)):
        if shape and all(item is None or isinstance(item, int) for item in shape):
            return sys.modules["keras"].Input(batch_shape=(None, *shape[1:]), dtype=dtype, name=name)
        return [_of_shapes(item, dtype) for item in shape]
    raise ValueError("unknown shapes")


def _of_given(described: Any, dtype: str, name: Any = None) -> Any:
    if isinstance(described, list):
        return [_of_given(item, dtype) for item in described]
    if leaves(described) == [described]:
        return sys.modules["keras"].Input(described["shape"], dtype=described["dtype"] or dtype, name=name)
    return {key: _of_given(item, dtype, str(key)) for key, item in described.items()}


def rows(inputs: Any, kind: str, number: int) -> Any:
    """Return rows for symbolic inputs, see :mod:`probe_rows`."""
    tree = sys.modules["keras"].tree
    flat = tree.flatten(inputs)
    arrays = [probe_rows.rows(tensor.shape, tensor.dtype, kind, place, number) for place, tensor in enumerate(flat)]
    return tree.pack_sequence_as(inputs, arrays)


def arguments(model: Any, inputs: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and named arguments of the model's call for the structure of its inputs.

    A list goes into several arguments if ``call`` needs several; a dict does if its names are those of the arguments.
    """
    if keras_kinds.base_kind(model):
        return [inputs], {}
    names = _required(model)
    several = len(names) > 1 or len(getattr(model, "_build_shapes_dict", None) or ()) > 1
    if several and isinstance(inputs, list):
        return list(inputs), {}
    if len(names) > 1 and isinstance(inputs, dict) and set(names) <= set(inputs):
        return [], dict(inputs)
    return [inputs], {}


def _required(model: Any) -> list[str]:
    """Return the names of the arguments that ``call`` needs; only the first if it cannot be asked."""
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(model.call).parameters.values()
    except (TypeError, ValueError, AttributeError):
        return [""]
    required = [one.name for one in parameters if one.kind in plain and one.default is one.empty]
    return [name for name in required if name not in ("training", "mask")] or [""]
