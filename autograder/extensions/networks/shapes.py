"""Comparison of a model's input and output shapes with the expected ones, for one row of the data."""

from __future__ import annotations

from typing import Any


def shape_difference(model: Any, label: str, expected: Any) -> list[str]:
    """Return one line if the ``input`` or ``output`` shape differs, otherwise none.

    If ``expected`` is None, any shape is accepted.
    """
    if expected is None:
        return []
    try:
        actual = row_shape(getattr(model, f"{label}_shape"))
    except (AttributeError, ValueError):
        return [f"the model has no {label} shape yet: begin it with keras.Input(shape=...), or fit it"]
    wanted = row_shape(expected)
    return [] if actual == wanted else [f"{label} shape {actual}, expected {wanted}"]


def row_shape(shape: Any) -> Any:
    """Return the shape without its batch dimension: ``(93,)`` for ``(None, 93)``, ``(93,)``, ``[93]`` and 93."""
    if isinstance(shape, int):
        return (shape,)
    if isinstance(shape, dict):
        return {key: row_shape(item) for key, item in shape.items()}
    if any(isinstance(item, list | tuple) for item in shape):
        shapes = [row_shape(item) for item in shape]
        return shapes[0] if len(shapes) == 1 else shapes
    return tuple(shape[1:]) if shape and shape[0] is None else tuple(shape)
