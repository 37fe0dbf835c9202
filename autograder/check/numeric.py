"""Numbers in arrays, tables, sparse matrices, tensors and exact number types.

Exact types decide what a value is. A subclass, or an object with methods of its own, is not taken for a number.
"""

from __future__ import annotations

import decimal
import fractions
import math
import sys
from typing import Any

import numpy as np

from autograder.check.exact_integer import ExactInteger
from autograder.check.words import type_of
from autograder.codec.tensors import KINDS as TENSORS
from autograder.errors import CourseError

MAX_DEPTH = 50
MAX_DENSE_CELLS = 20_000_000
"""Cells up to which a sparse matrix is compared as a dense one."""
_NUMBERS = (bool, int, ExactInteger, float, complex)
_EXACT = (decimal.Decimal, fractions.Fraction)


def is_number(value: Any) -> bool:
    """Return whether the value is a number of Python's or numpy's own."""
    kind: Any = type(value)
    return kind in _NUMBERS or (
        kind.__module__ == "numpy" and issubclass(kind, np.number | np.bool_) and kind is not np.timedelta64
    )


def is_bool(value: Any) -> bool:
    """Return whether the value is a bool of Python's or numpy's own."""
    return type(value) in (bool, np.bool_)


def is_exact(value: Any) -> bool:
    """Return whether the value is an integer or a bool."""
    return type(value) in (int, ExactInteger) or is_bool(value) or isinstance(value, np.integer)


def of_library(value: Any, library: str, *names: str) -> str:
    """Return the name of the value's type if it is exactly one of the named classes; otherwise an empty string."""
    name = type(value).__name__
    module = sys.modules.get(library)
    return name if name in names and module is not None and getattr(module, name, None) is type(value) else ""


def is_sparse(value: Any) -> bool:
    """Return whether the value is a matrix or array of scipy.sparse."""
    name = type(value).__name__
    return name[:4] in ("csr_", "csc_", "bsr_", "coo_", "dia_", "lil_", "dok_") and bool(
        of_library(value, "scipy.sparse", name)
    )


def is_tensor(value: Any) -> bool:
    """Return whether the value is a dense numeric tensor of TensorFlow, JAX or PyTorch."""
    kind = type(value)
    library, _ = TENSORS.get((kind.__module__, kind.__name__), ("", None))
    public = getattr(sys.modules.get(library), "Array" if library == "jax" else "Tensor", None)
    variable = kind.__name__ == "ResourceVariable"
    return public is not None and (isinstance(value, public) or variable)


def tensor_array(value: Any) -> np.ndarray:
    """Return a tensor's numbers; small float types become float32, which represents them exactly."""
    if type(value).__module__.startswith("torch"):
        value = value.detach().cpu()
        value = value.float().numpy() if str(value.dtype) == "torch.bfloat16" else value.resolve_conj().numpy()
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    return array.astype(np.float32) if array.dtype.kind == "V" else array


def numeric(value: Any) -> tuple[np.ndarray | None, str]:
    """Return the value as a numeric array, or None and the reason why it is not numeric.

    A masked array stays masked; a table returns its cells.
    """
    array = _array(value)
    if array is None and _plain_numbers(value, 0):
        try:
            array = np.asarray(_floats(value))
        except (ValueError, OverflowError):
            return None, "the rows have different lengths" if type(value) in (list, tuple) else "too large a number"
        if array.dtype.kind not in "biufc":
            return None, "the numbers are too large to be compared"
    if array is None or array.dtype.kind not in "biufc":
        is_array = type(value) is np.ndarray or of_library(value, "pandas", "DataFrame", "Series", "Index")
        items = ", and its items are no numbers, but texts or other objects" if is_array else ""
        return None, f"this is not numbers or a numpy array ({type_of(value)}{items})"
    return array, ""


def _array(value: Any) -> np.ndarray | None:
    if type(value) in (np.ndarray, np.ma.MaskedArray):
        return value  # type: ignore[no-any-return]
    if type(value) is np.matrix:
        return np.asarray(value)
    if is_sparse(value):
        return value.toarray() if math.prod(value.shape) <= MAX_DENSE_CELLS else None
    if is_tensor(value):
        return tensor_array(value)
    if of_library(value, "pandas", "DataFrame", "Series", "Index", "RangeIndex"):
        return _cells(value)
    return None


def _cells(table: Any) -> np.ndarray | None:
    """Return the numbers of a table or column; missing values become NaN."""
    dtypes = list(table.dtypes) if table.ndim == 2 else [table.dtype]
    if any(getattr(dtype, "kind", "O") not in "biufc" for dtype in dtypes):
        return None
    if all(isinstance(dtype, np.dtype) for dtype in dtypes):
        return table.to_numpy()  # type: ignore[no-any-return]
    return table.astype("float64").to_numpy()  # type: ignore[no-any-return]


def _plain_numbers(value: Any, depth: int) -> bool:
    if type(value) in (list, tuple):
        return depth < MAX_DEPTH and all(_plain_numbers(item, depth + 1) for item in value)
    return is_number(value) or type(value) in _EXACT or (type(value) is np.ndarray and value.dtype.kind in "biufc")


def _floats(value: Any) -> Any:
    """Convert exact numbers to floats."""
    if type(value) in (list, tuple):
        return [_floats(item) for item in value]
    return float(value) if type(value) in _EXACT else value


def near(actual: Any, desired: Any, rtol: float, atol: float) -> np.ndarray:
    """Return where |actual - desired| <= atol + rtol·|desired|; NaN is near NaN, an infinity near itself."""
    if not (math.isfinite(rtol) and math.isfinite(atol) and rtol >= 0 and atol >= 0):
        raise CourseError(f"check: rtol is {rtol!r} and atol {atol!r}; give finite numbers that are not negative.")
    if desired.dtype.kind == "b":
        desired = desired.astype(np.int8)
    if actual.dtype.kind == "b":
        actual = actual.astype(np.int8)
    are_near: np.ndarray = np.isclose(actual, desired, rtol=rtol, atol=atol, equal_nan=True)
    return are_near


def near_sparse(actual: Any, desired: Any, rtol: float, atol: float) -> bool:
    """Return whether two sparse matrices of the same shape are near each other in all cells."""
    if math.prod(desired.shape) <= MAX_DENSE_CELLS:
        return bool(near(actual.toarray(), desired.toarray(), rtol, atol).all())
    apart = (actual - desired).tocoo()
    wanted = desired.tocsr()[apart.row, apart.col]
    wanted = (wanted.toarray() if is_sparse(wanted) else np.asarray(wanted)).ravel()
    return bool((np.abs(apart.data) <= atol + rtol * np.abs(wanted)).all())
