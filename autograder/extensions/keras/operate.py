"""The application of a plan's operations to tensors, and their costs in memory and time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.extensions.keras.plan import OperationPlan
from autograder.extensions.keras.table_operations import MAX_PIECES
from autograder.models.argument_values import RefusedModel

FREE = 16
"""Assumed size of an unknown dimension (a sentence's length, a picture's side) in the budgets."""

_BATCH = 256
"""Assumed size of a free dimension that an operation made from another one, which may be the rows."""


def size(shape: tuple[int | None, ...]) -> int:
    """Return the numbers in a tensor for one row: a free first dimension counts 1, any other :data:`FREE`."""
    return math.prod(n if n is not None else (1 if i == 0 else FREE) for i, n in enumerate(shape))


def operate(plan: OperationPlan, operands: list[Any], keywords: dict[str, Any]) -> Any:
    """Apply an operation to tensors, numbers and constants.

    Raises:
        RefusedModel: an operand is none of these, or the operands do not fit together.
    """
    import keras

    operation, label = plan.operation, f"The operation {plan.operation.function}"
    low, high = operation.operands
    if not low <= len(operands) <= high:
        raise RefusedModel(f"{label} has {len(operands)} operands.")
    if operation.function == "get_item":
        return _get_item(*operands)
    inputs = tensors(operands)
    if not inputs or not all(map(_is_operand, [*operands, *keywords.values()])):
        raise RefusedModel(f"{label} is used on something that is not a tensor.")
    if operation.function == "norm" and plan.arguments.get("ord") and type(plan.arguments.get("axis")) is not int:
        raise RefusedModel("The norm of a matrix cannot be graded, only that of a vector (axis=-1).", kind_refused=True)
    if operation.function == "unstack" and not _few_pieces(inputs[0].shape, plan.arguments.get("axis", 0)):
        raise RefusedModel(f"{label} gives more than {MAX_PIECES} tensors.")
    arguments = {**keywords, **plan.arguments}
    if operation.function == "einsum":
        operands = [arguments.pop("subscripts"), *operands]
    try:
        return getattr(getattr(keras, operation.package), operation.function)(*operands, **arguments)
    except Exception as error:
        raise RefusedModel(f"{label} does not fit the shapes of its inputs.") from error


def _get_item(tensor: Any, key: Any) -> Any:
    import keras

    key = tuple(key) if isinstance(key, list) else key
    items = key if isinstance(key, tuple) else (key,)
    if not isinstance(tensor, keras.KerasTensor):
        raise RefusedModel("Something that is not a tensor is indexed.")
    if any(item is not None and item is not ... and type(item) not in (int, slice) for item in items):
        raise RefusedModel("A tensor of the model is indexed with something other than numbers and slices.")
    try:
        return tensor[key]
    except Exception as error:
        raise RefusedModel("A tensor of the model is indexed outside of its shape.") from error


def _few_pieces(shape: tuple[int | None, ...], axis: int) -> bool:
    pieces = shape[axis] if -len(shape) <= axis < len(shape) else None
    return pieces is not None and pieces <= MAX_PIECES


def tensors(structure: Any) -> list[Any]:
    """Return the KerasTensors in a structure of lists, tuples and dicts, in order."""
    import keras

    return [leaf for leaf in _flat(structure) if isinstance(leaf, keras.KerasTensor)]


def _flat(structure: Any) -> Iterator[Any]:
    if isinstance(structure, (list, tuple)):
        for item in structure:
            yield from _flat(item)
    elif isinstance(structure, dict):
        for item in structure.values():
            yield from _flat(item)
    else:
        yield structure


def _is_operand(value: Any) -> bool:
    import keras

    if isinstance(value, list):
        return bool(value) and all(not isinstance(item, list) and _is_operand(item) for item in value)
    return value is None or isinstance(value, (keras.KerasTensor, np.ndarray)) or type(value) in (bool, int, float)


def growth(inputs: list[Any], output: Any, plan: OperationPlan | None = None) -> float:
    """Return into how many rows one row can turn, at most, by reshaping, joining or repeating.

    If the size of a tensor's first dimension is free, its shape does not show that growth; the tensor's attribute
    ``rows`` does.

    Args:
        inputs: the input tensors.
        output: the output tensor, which contains all numbers of the inputs.
        plan: the operation; None for a layer that joins tensors.
    """
    rows: list[float] = [getattr(tensor, "rows", 1.0) for tensor in inputs]
    cost = "join" if plan is None else plan.operation.cost
    if cost in ("elementwise", "contract"):
        free = [sum(n is None for n in tensor.shape) for tensor in [*inputs, output]]
        more = free[-1] - max(free[:-1])
        return float(math.prod(rows)) * float(_BATCH) ** more if more > 0 else max(rows)
    numbers = sum(n * size(tensor.shape) for n, tensor in zip(rows, inputs, strict=True))
    if plan is not None and cost == "repeat":
        if "pad_width" in plan.arguments:
            sizes = zip(plan.arguments["pad_width"], inputs[0].shape, strict=False)
            return max(rows) * float(math.prod(1 + sum(margin) for margin, n in sizes if n is None))
        repeats = plan.arguments["repeats"]
        numbers *= math.prod(repeats) if isinstance(repeats, tuple) else repeats
    return max(1.0, float(numbers) / max(1, size(output.shape)))


def work(plan: OperationPlan, operands: list[Any], output: Any) -> float:
    """Return the multiplications for one row in a product of matrices.

    0 for an operation that costs no more than its output.
    """
    if plan.operation.cost != "contract":
        return 0
    shapes = [tensor.shape for tensor in tensors(operands)]
    if plan.operation.function == "einsum":
        return _einsum_work(plan.arguments["subscripts"], shapes)
    if plan.operation.function == "conv":
        return float(size(output.shape) * math.prod(n or FREE for n in tuple(operands[1].shape)[:-1]))
    sizes = [size(shape) for shape in shapes] + [np.size(item) for item in operands if isinstance(item, np.ndarray)]
    return float(math.sqrt(math.prod(sizes) * size(output.shape)))


def _einsum_work(subscripts: str, shapes: list[tuple[int | None, ...]]) -> float:
    sizes: dict[str, int] = {}
    elided = 1
    for text, shape in zip(subscripts.partition("->")[0].split(","), shapes, strict=False):
        before, dots, after = text.partition("...")
        sized = list(zip(before, shape, strict=False)) + list(zip(reversed(after or ""), reversed(shape), strict=False))
        for letter, n in sized:
            sizes[letter] = max(sizes.get(letter, 1), FREE if n is None else n)
        if dots:
            elided = max(elided, size((None, *shape[len(before) + 1 : len(shape) - len(after)])))
    return float(math.prod(sizes.values()) * elided)
