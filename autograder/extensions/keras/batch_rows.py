"""The rows of a batch on their way through a model, and the refusal of operations that mix them.

A prediction must depend on its own row. An operation along the first dimension (``cumsum(x, axis=0)``, ``x[::-1]``, ``x
@ transpose(x)``) makes it depend on the row's position or on other rows. So it depends on the order of hidden data.

Shapes reveal most such operations. Each tensor has a second shape in which a large prime replaces the number of rows,
and Keras computes that shape for each result. If the prime is gone, or occurs twice, rows were mixed. Operations that
move values along a dimension without changing its size are recognized by their axis.
"""

from __future__ import annotations

import inspect
from typing import Any

from autograder.extensions.keras.operate import operate, size, tensors
from autograder.extensions.keras.plan import LayerPlan, OperationPlan
from autograder.models.argument_values import RefusedModel

Shape = tuple[int | None, ...]

ROWS = 2**31 - 1
"""The number that replaces the number of rows: a prime, larger than any size."""
_UNKNOWN = 2**61 - 1
"""The number that replaces rows times a free dimension: a prime, too."""

_OTHER_AXIS = frozenset({"expand_dims", "stack", "one_hot", "squeeze", "repeat", "cross"})
"""Operations whose axis belongs to the output, or along which nothing moves: their shapes reveal everything."""
_BLOCKS = frozenset({"reshape", "ravel", "repeat"})
"""Operations that may turn each row into several adjacent entries."""
_ALL_ROWS = [slice(start, None, step) for start in (None, 0) for step in (None, 1)]
_FIXED_AXES = {"tril": (-2, -1), "triu": (-2, -1), "flipud": (0,)}


def begin(tensor: Any) -> None:
    """Mark an input of the model, whose first dimension is the rows."""
    tensor.marked = (ROWS, *tensor.shape[1:])


def has_rows(tensor: Any) -> bool:
    """Return whether the tensor's first dimension is the rows, one entry for each row of the model's input."""
    marked = _marked(tensor)
    return bool(marked) and marked[0] == ROWS


def after_layer(plan: LayerPlan, inputs: list[Any], outputs: list[Any]) -> None:
    """Mark the outputs of a layer.

    Raises:
        RefusedModel: the layer works along the rows.
    """
    rows = {_size_of_rows(tensor) for tensor in inputs if _axis(tensor) is not None}
    axes = [_axis(tensor) for tensor in inputs if _axis(tensor) is not None]
    if any(axes) or len(rows) > 1 or (rows and _works_along_rows(plan, inputs)):
        raise _mixes(f"The layer {plan.class_name}")
    for tensor in outputs:
        tensor.marked = (*rows, *tensor.shape[1:]) if rows else tuple(tensor.shape)


def after_operation(plan: OperationPlan, operands: list[Any], keywords: dict[str, Any], outputs: list[Any]) -> None:
    """Mark the outputs of an operation.

    Raises:
        RefusedModel: the operation mixes rows.
    """
    inputs = [tensor for tensor in tensors([operands, keywords]) if _axis(tensor) is not None]
    if not inputs:
        for tensor in outputs:
            tensor.marked = tuple(tensor.shape)
        return
    function = plan.operation.function
    label = f"The operation {function}"
    if any(_along_rows(plan, operands, tensor) for tensor in inputs) or _sums_over_pairs(plan, operands):
        raise _mixes(label)
    shapes = (
        [_reshaped(plan, inputs[0], outputs[0])]
        if function in ("reshape", "ravel")
        else _twins(plan, operands, keywords)
    )
    blocks = {_size_of_rows(tensor) for tensor in inputs}
    for tensor, shape in zip(outputs, shapes, strict=True):
        places = [size for size in shape if _is_rows(size)]
        if len(places) != 1 or (places[0] not in blocks and function not in _BLOCKS):
            raise _mixes(label)
        tensor.marked = shape


def _mixes(subject: str) -> RefusedModel:
    return RefusedModel(
        f"{subject} mixes the rows of a batch: what the model predicts for a row would depend on the rows beside it. "
        "Work along the other dimensions (axis=-1).",
        kind_refused=True,
    )


def _is_rows(size: int | None) -> bool:
    return size is not None and (size % ROWS == 0 or size % _UNKNOWN == 0)


def _marked(tensor: Any) -> Shape:
    return tuple(getattr(tensor, "marked", tensor.shape))


def _axis(tensor: Any) -> int | None:
    """Return the dimension of the tensor's rows; None if the tensor does not depend on the data."""
    return next((place for place, size in enumerate(_marked(tensor)) if _is_rows(size)), None)


def _size_of_rows(tensor: Any) -> int:
    return next(size for size in _marked(tensor) if size is not None and _is_rows(size))


def _works_along_rows(plan: LayerPlan, tensors_in: list[Any]) -> bool:
    if plan.class_name == "EinsumDense":
        inputs, _, output = plan.arguments["equation"].partition("->")
        source, _, kernel = inputs.partition(",")
        return not source.startswith("...") and (source[0] in kernel or not output.startswith(source[0]))
    axes = [plan.arguments.get(name) for name in ("axis", "axes", "attention_axes")]
    return any(0 in _places(axis, tensor) for axis in axes if axis is not None for tensor in tensors_in)


def _places(axes: Any, tensor: Any) -> tuple[int, ...]:
    """Return the dimensions that one axis or several stand for; None stands for all."""
    rank = len(tensor.shape)
    if axes is None:
        return tuple(range(rank))
    return tuple(axis % rank for axis in (axes if isinstance(axes, list | tuple) else (axes,)))


def _along_rows(plan: OperationPlan, operands: list[Any], tensor: Any) -> bool:
    """Return whether an operation works along the dimension of the tensor's rows."""
    function, rows = plan.operation.function, _axis(tensor)
    if function == "get_item":
        return _picks_rows(operands[1], tensor)
    if function == "take" and tensor is not operands[0]:
        return _is_tensor(operands[0]) and _axis(operands[0]) is not None  # each row selects from all rows
    if function == "repeat" and plan.arguments.get("axis") is None:
        return rows != 0
    if function in _FIXED_AXES:
        return rows in _places(_FIXED_AXES[function], tensor)
    parameters = inspect.signature(getattr(_package(plan), function)).parameters
    if function in _OTHER_AXIS or "axis" not in parameters:
        return False
    return rows in _places(plan.arguments.get("axis", parameters["axis"].default), tensor)


def _package(plan: OperationPlan) -> Any:
    import keras

    return getattr(keras, plan.operation.package)


def _is_tensor(value: Any) -> bool:
    return bool(tensors(value))


def _picks_rows(key: Any, tensor: Any) -> bool:
    """Return whether an index selects anything but all rows in their order."""
    items = list(key) if isinstance(key, list | tuple) else [key]
    rank, rows = len(tensor.shape), _axis(tensor)
    used = sum(item is not None and item is not ... for item in items)
    axis = 0
    for item in items:
        if item is ...:
            axis += rank - used
        elif item is not None:
            if axis == rows:
                return not (isinstance(item, slice) and item in _ALL_ROWS)
            axis += 1
    return False


def _sums_over_pairs(plan: OperationPlan, operands: list[Any]) -> bool:
    """Return whether an einsum uses several letters for the rows of its operands, so that each row meets all others."""
    if plan.operation.function != "einsum":
        return False
    letters = set()
    for text, tensor in zip(plan.arguments["subscripts"].partition("->")[0].split(","), operands, strict=False):
        rows = _axis(tensor) if _is_tensor(tensor) else None
        if rows is not None:
            before, dots, after = text.partition("...")
            hidden = len(tensor.shape) - len(before) - len(after) if dots else 0
            names = [*before, *(("...", place - hidden) for place in range(hidden)), *after]
            letters.add(names[rows])
    return len(letters) > 1


def _reshaped(plan: OperationPlan, tensor: Any, output: Any) -> Shape:
    """Return the marked shape of a reshaped tensor.

    Its rows must come first and stay together, otherwise the shape is empty.
    """
    rows, numbers, sides = _axis(tensor), _marked(tensor)[1:], tuple(output.shape)[1:]
    if rows != 0 or -1 in plan.arguments.get("newshape", ())[1:]:
        return ()
    if None in sides or None in numbers:
        return (_UNKNOWN, *sides)
    blocks, remainder = divmod(_size_of_rows(tensor) * size((None, *numbers)), size((None, *sides)))
    return () if remainder else (blocks, *sides)


def _twins(plan: OperationPlan, operands: list[Any], keywords: dict[str, Any]) -> list[Shape]:
    """Return the marked shapes of an operation's outputs, computed by Keras's own rules."""
    import keras

    def twin(value: Any) -> Any:
        if isinstance(value, list):
            return [twin(item) for item in value]
        if isinstance(value, dict):
            return {key: twin(item) for key, item in value.items()}
        return keras.KerasTensor(_marked(value), value.dtype) if isinstance(value, keras.KerasTensor) else value

    try:
        return [tuple(tensor.shape) for tensor in tensors(operate(plan, twin(operands), twin(keywords)))]
    except RefusedModel:
        raise _mixes(f"The operation {plan.operation.function}") from None
