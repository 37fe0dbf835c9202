"""Comparison of pandas tables: labels, kinds of columns, missing values, and numbers within a tolerance."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.check.numeric import of_library
from autograder.check.words import shape_of, type_of

INDEXES = (
    "Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "TimedeltaIndex", "PeriodIndex", "IntervalIndex",
    "CategoricalIndex",
)  # fmt: skip
TABLES = ("DataFrame", "Series", "Categorical", *INDEXES)

SameArrays = Callable[[Any, Any, float, float], bool]
"""Compares two numpy arrays within rtol and atol."""


def difference(actual: Any, expected: Any, same_arrays: SameArrays, of: Any = None) -> str:
    """Return how a table differs from the expected one, apart from its values, as a sentence for the student.

    Empty if it does not differ. ``of`` is the answer from which the table was copied, if it is not the answer itself.
    """
    if type(actual) is not type(expected):
        return f"this is not a {type(expected).__name__} ({type_of(actual)})"
    if actual.shape != expected.shape:
        return f"{shape_of(actual, of)}, and should be {expected.shape}"
    if actual.ndim == 2 and not same_table(actual.columns, expected.columns, same_arrays, 0, 0):
        return "the columns are wrong, or in another order"
    if not same_table(actual.index, expected.index, same_arrays, 0, 0):
        return "the index is not right"
    return ""


def same_table(actual: Any, expected: Any, same_arrays: SameArrays, rtol: float, atol: float) -> bool:
    """Return whether labels, kinds and values are the same.

    Names of axes and the widths of number types are not compared.
    """
    if of_library(expected, "pandas", "DataFrame", "Series"):
        if difference(actual, expected, same_arrays):
            return False
    elif not of_library(actual, "pandas", *TABLES) or _family(actual) != _family(expected):
        return False
    mine, theirs = _columns(actual), _columns(expected)
    return len(mine) == len(theirs) and all(
        _same_column(a, e, lambda x, y: same_arrays(x, y, rtol, atol)) for a, e in zip(mine, theirs, strict=True)
    )


def _columns(table: Any) -> list[Any]:
    if table.ndim == 2:
        return [table.iloc[:, place] for place in range(table.shape[1])]
    if type(table).__name__ == "MultiIndex":
        return [table.get_level_values(level) for level in range(table.nlevels)]
    return [table]


def _family(table: Any) -> str:
    """Return the type's name; all indexes of numbers are one family, stored or computed."""
    name = type(table).__name__
    return "Index" if name == "RangeIndex" else name


def _kind(column: Any) -> str:
    dtype = column.dtype
    if type(dtype).__name__ == "SparseDtype":
        dtype = dtype.subtype
    name = type(dtype).__name__
    if name in ("CategoricalDtype", "PeriodDtype", "IntervalDtype"):
        return str(dtype) if name != "CategoricalDtype" else "category"
    kind = str(getattr(dtype, "kind", "O"))
    zoned = " with a zone" if name == "DatetimeTZDtype" else ""
    return {"i": "number", "u": "number", "f": "number", "c": "number", "U": "O", "S": "O"}.get(kind, kind) + zoned


def _same_column(actual: Any, expected: Any, same_values: Callable[[Any, Any], bool]) -> bool:
    kind = _kind(expected)
    if kind != "O" and _kind(actual) == "O":  # numbers, truth values or dates that were put in one by one
        actual = actual.infer_objects()
    if _kind(actual) != kind or len(actual) != len(expected):
        return False
    missing = np.asarray(expected.isna())
    if not np.array_equal(np.asarray(actual.isna()), missing):
        return False
    if kind == "category":
        mine, theirs = actual.dtype, expected.dtype
        if bool(mine.ordered) != bool(theirs.ordered):
            return False
        if not _same_column(mine.categories, theirs.categories, same_values):
            return False
    present = ~missing
    return same_values(_values(actual, kind)[present], _values(expected, kind)[present])


def _values(column: Any, kind: str) -> Any:
    """Return the values as a numpy array; missing values become arbitrary ones."""
    if kind == "number" and not isinstance(column.dtype, np.dtype) and column.isna().any():
        return column.to_numpy(dtype="float64", na_value=np.nan)
    if kind in ("number", "b"):
        subtype = getattr(column.dtype, "subtype", None)  # set for sparse columns
        return np.asarray(column) if subtype is not None else column.to_numpy(**_nullable(column, kind))
    if kind in ("M", "m"):
        return np.asarray(column)
    return np.asarray(column.astype(object), object)


def _nullable(column: Any, kind: str) -> dict[str, Any]:
    if isinstance(column.dtype, np.dtype):
        return {}
    return {"dtype": bool, "na_value": False} if kind == "b" else {"dtype": column.dtype.numpy_dtype}


def is_scalar(value: Any) -> bool:
    """Return whether the value is one of pandas' own scalars."""
    pandas: Any = sys.modules.get("pandas")
    if pandas is None:
        return False
    return value is pandas.NaT or value is pandas.NA or bool(of_library(value, "pandas", *_SCALARS))


_SCALARS = ("Timestamp", "Timedelta", "Period", "Interval")


def same_scalar(actual: Any, expected: Any) -> bool:
    """Return whether two pandas scalars are the same; a missing value equals only itself."""
    pandas = sys.modules["pandas"]
    if expected is pandas.NaT or expected is pandas.NA:
        return actual is expected
    return type(actual) is type(expected) and bool(actual == expected)
