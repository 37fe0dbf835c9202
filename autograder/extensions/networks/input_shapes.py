"""The shapes of a model's inputs as a check knows them, in the form that the kernel gets."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.extensions.networks.shapes import row_shape

MAX_INPUTS = 64


def of_rows(rows: Any) -> Any:
    """Return the shapes of a check's rows; None if they have none.

    The shape of an array, or of each array in a list, tuple or dict.
    """
    if isinstance(rows, dict):
        return _structure({str(name): of_rows(array) for name, array in rows.items()})
    if isinstance(rows, list | tuple):
        return _structure([of_rows(array) for array in rows])
    array = np.asarray(rows)
    return {"shape": list(array.shape[1:]), "dtype": "string" if array.dtype.kind in "OUS" else ""}


def of_shapes(shape: Any) -> Any:
    """Return the shapes that a test asks for; None without any.

    The shape of one row, or a list or dict of such shapes.
    """
    return None if shape is None else _of_shape(row_shape(shape))


def _of_shape(shape: Any) -> Any:
    if isinstance(shape, dict):
        return _structure({str(name): _of_shape(one) for name, one in shape.items()})
    if isinstance(shape, list):
        return _structure([_of_shape(one) for one in shape])
    return {"shape": list(shape), "dtype": ""}


def _structure(shapes: Any) -> Any:
    entries = shapes.values() if isinstance(shapes, dict) else shapes
    return shapes if 0 < len(shapes) <= MAX_INPUTS and None not in entries else None
