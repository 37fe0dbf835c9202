"""Rows on which a student's own model and the model from its record must predict the same.

Kernel and examiner make the same rows, each for itself.
"""

from __future__ import annotations

import math
from typing import Any

MANY, FEW = 12, 4
"""Numbers of rows: many small ones, or few large ones."""
MAX_SMALL = 10_000
"""Most numbers in a small row."""
FREE = 7
"""Size of a dimension that is free."""
KINDS = ("real", "whole")
"""Numbers with a fraction; or 0 and 1, which are valid indices, too."""
MAX_NUMBERS = 4_000_000
"""Most numbers in all rows of an input together."""
_SEED = 20_260_301


def count(shapes: Any) -> int:
    """Return the number of rows for inputs of these shapes, batch first."""
    return MANY if all(_size(shape) <= MAX_SMALL for shape in shapes) else FEW


def _size(shape: Any) -> int:
    return math.prod(FREE if size is None else int(size) for size in shape[1:])


def rows(shape: Any, dtype: str, kind: str, position: int, number: int) -> Any:
    """Return the rows for one input.

    Args:
        shape: the input's shape, batch first.
        dtype: its type; texts for ``string``.
        kind: one of :data:`KINDS`.
        position: the input's number, so that inputs differ.
        number: how many rows, see :func:`count`.

    Raises:
        ValueError: the rows would be too large.
    """
    import numpy as np

    sizes = [number] + [FREE if size is None else int(size) for size in shape[1:]]
    if number * _size(shape) > MAX_NUMBERS:
        raise ValueError("the rows are too large")
    draw = np.random.default_rng([_SEED, position])
    if dtype == "string":
        return draw.choice(np.array(["a", "the", "word", "of", "words"], dtype=object), sizes)
    if kind == "whole" or "float" not in dtype:
        return draw.integers(0, 2, sizes).astype(dtype if "float" not in dtype else "float32")
    return draw.normal(size=sizes).astype("float32")


def batches(number: int) -> list[Any]:
    """Return the places of the rows in each of the batches in which they are sent a second time."""
    import numpy as np

    order = np.random.default_rng(_SEED).permutation(number)
    return [order[:1], order[1:]]


def as_tensors(arrays: Any) -> Any:
    """Return the arrays in a form that a model takes: texts are tensors of TensorFlow."""
    if getattr(getattr(arrays, "dtype", None), "kind", "") != "O":
        return arrays
    import tensorflow

    return tensorflow.constant(arrays)
