"""Integers that do not wrap, for answers that are larger than any of the solution's.

numpy computes with 64 bits: the square of 3,500,000,000 is below zero, and so a wrong answer is close to every number.
An answer beyond ±2³¹, where the solution's own had none, therefore arrives in a form of which libraries do not make 64
bits: single integers, and those in arrays and columns of objects, as fractions, since numpy makes 64 bits of Python's
integers, too; tensors as floats.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable, Container
from fractions import Fraction
from typing import Any

import numpy as np

from autograder.records.observations import WIDE

LIMIT = 1 << 31
MAX_DEPTH = 100
MAX_RANGE = 1_000_000
"""Numbers of a range that are made one by one."""
_SEQUENCES = (list, deque)
_OF_ARRAYS = ("numpy", "pandas")
_REBUILT = (tuple, set, frozenset)


def is_wide(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Return whether a decoded value has an integer beyond ±2³¹, in any container: to observe the solution."""
    if type(value) is int:
        return abs(value) > LIMIT
    if type(value) is range:
        return len(value) > 0 and max(abs(value[0]), abs(value[-1])) > LIMIT
    if (convert := _converter(value)) is not None:
        return convert is not _keep
    if isinstance(value, dict):
        return depth > 0 and any(is_wide(part, depth - 1) for item in value.items() for part in item)
    return depth > 0 and type(value) in (*_SEQUENCES, *_REBUILT) and any(is_wide(item, depth - 1) for item in value)


def arriving(value: Any, kinds: Container[str], *, observing: bool = False) -> Any:
    """Return a decoded value as a test gets it.

    Args:
        value: what the codec read.
        kinds: the kinds that the value may have; :data:`WIDE` is asked for only where the value is wide.
        observing: whether it is the solution's: then large floats count, too, since an answer may be an integer there.
    """
    if is_wide(value) or (observing and _has_large_float(value)):
        return without_wrapping(value, wide=WIDE in kinds)
    return value


def _has_large_float(value: Any) -> bool:
    if type(value) in _SEQUENCES or type(value) in _REBUILT:
        return any(map(_has_large_float, value))
    if isinstance(value, dict):
        return any(map(_has_large_float, value.values()))
    if isinstance(value, float | np.floating):
        return abs(float(value)) > LIMIT
    if type(value).__module__.partition(".")[0] not in _OF_ARRAYS:
        return False
    if type(value).__name__ == "DataFrame":
        return any(_has_large_float(value.iloc[:, place]) for place in range(value.shape[1]))
    if getattr(getattr(value, "dtype", None), "kind", "") != "f":
        return False
    numbers = np.asarray(value, float)
    return numbers.size > 0 and bool(np.nanmax(np.abs(numbers), initial=0.0) > LIMIT)


def without_wrapping(value: Any, *, wide: bool) -> Any:
    """Return a decoded answer whose integers do not wrap in a test.

    Args:
        value: what the codec read; lists and dicts in it are changed in place, so that they stay the same objects.
        wide: whether the solution's own answer had integers beyond ±2³¹, of :func:`is_wide`; then nothing is changed.
    """
    return value if wide else _exact(value, MAX_DEPTH)


def was_integer(number: Fraction) -> Fraction | int:
    """Return the integer that arrived as this fraction, for a test that asks for its type."""
    return int(number) if number.denominator == 1 and abs(number) > LIMIT else number


def _exact(value: Any, depth: int) -> Any:
    if type(value) is int:
        return Fraction(value) if abs(value) > LIMIT else value
    if (convert := _converter(value)) is not None:
        return convert(value)
    if not depth:
        return value
    if type(value) is range and len(value) <= MAX_RANGE and is_wide(value):
        return list(map(Fraction, value))
    if isinstance(value, dict):
        items = [(_exact(key, depth - 1), _exact(item, depth - 1)) for key, item in value.items()]
        if any(map(is_wide, value)):
            value.clear()
        value.update(items) if not isinstance(value, Counter) else dict.update(value, items)
    elif type(value) in _SEQUENCES:
        for place, item in enumerate(value):
            if (now := _exact(item, depth - 1)) is not item:
                value[place] = now
    elif type(value) in _REBUILT and is_wide(value, depth):
        return type(value)(_exact(item, depth - 1) for item in value)
    return value


def _keep(value: Any) -> Any:
    return value


def _converter(value: Any) -> Callable[[Any], Any] | None:
    """Return the conversion of a library's value: none of its own if no integer is wide; None for other values."""
    library = type(value).__module__.partition(".")[0]
    if library == "builtins" or library not in _LIBRARIES:
        return None
    return _LIBRARIES[library](value)


def _any_wide(numbers: Any) -> bool:
    """Return whether an array of integers, of fewer bits than Python's, has a wide one."""
    if numbers.dtype.names is not None:
        return any(_any_wide(numbers[name]) for name in numbers.dtype.names)
    if numbers.dtype.kind not in "iu" or numbers.size == 0:
        return False
    return int(numbers.max()) > LIMIT or int(numbers.min()) < -LIMIT


def _of_numpy(value: Any) -> Callable[[Any], Any] | None:
    if isinstance(value, np.integer):
        return (lambda number: Fraction(int(number))) if abs(int(value)) > LIMIT else _keep
    if not isinstance(value, np.ndarray):
        return None
    if value.dtype.kind == "O":
        return _objects if any(is_wide(item) for item in value.ravel().tolist()) else _keep
    return (_objects if value.dtype.names is None else _records) if _any_wide(value) else _keep


def _objects(array: Any) -> Any:
    """Return an array of exact numbers, of which the wide ones are fractions."""
    flat = np.empty(array.size, object)
    for place, item in enumerate(array.ravel().tolist()):  # one by one, as numpy would unpack a list
        flat[place] = _exact(item, MAX_DEPTH)
    exact = flat.reshape(array.shape)
    return np.ma.masked_array(exact, array.mask) if isinstance(array, np.ma.MaskedArray) else exact


def _records(array: Any) -> Any:
    """Return a structured array of objects."""
    made = np.empty(array.shape, [(name, object, array.dtype[name].shape) for name in array.dtype.names])
    for name in array.dtype.names:
        made[name] = _objects(array[name])
    return made


def _of_pandas(value: Any) -> Callable[[Any], Any] | None:
    pandas: Any = sys.modules["pandas"]
    if isinstance(value, pandas.DataFrame):
        wide = [place for place in range(value.shape[1]) if _is_wide_column(value.iloc[:, place])]
        named = _is_wide_column(value.index) or _is_wide_column(value.columns)
        return (lambda frame: _with_objects(frame, wide)) if wide or named else _keep
    if not isinstance(value, pandas.Series | pandas.Index | pandas.api.extensions.ExtensionArray):
        return None
    named = isinstance(value, pandas.Series) and _is_wide_column(value.index)
    return _column if named or _is_wide_column(value) else _keep


def _column(column: Any) -> Any:
    """Return a column, or index, of exact numbers."""
    pandas: Any = sys.modules["pandas"]
    exact = _objects(np.asarray(column, object)) if _is_wide_column(column) else column
    if isinstance(column, pandas.Series):
        return pandas.Series(exact, name=column.name).set_axis(_column(column.index))
    return pandas.Index(exact, name=column.name) if isinstance(column, pandas.Index) and exact is not column else exact


def _is_wide_column(column: Any) -> bool:
    categories = getattr(column.dtype, "categories", None)
    if categories is not None:
        return _is_wide_column(categories)
    if column.dtype == object and type(column).__name__ != "MultiIndex":
        return any(is_wide(item) for item in column)
    if getattr(column.dtype, "kind", "") not in "iu" or len(column) == 0:
        return False
    ends = [end for end in (column.min(), column.max()) if end is not sys.modules["pandas"].NA]
    return any(abs(int(end)) > LIMIT for end in ends)


def _with_objects(frame: Any, places: list[int]) -> Any:
    columns = {place: frame.iloc[:, place] for place in range(frame.shape[1])}
    made = sys.modules["pandas"].DataFrame(
        {n: _column(c) if n in places else c.set_axis(_column(c.index)) for n, c in columns.items()},
        index=_column(frame.index),
    )
    return made.set_axis(_column(frame.columns), axis=1)


def _of_scipy(value: Any) -> Callable[[Any], Any] | None:
    data = getattr(value, "data", None)
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "iu":
        return None
    return (lambda matrix: matrix.astype(float)) if _any_wide(data) else _keep


def _of_tensorflow(value: Any) -> Callable[[Any], Any] | None:
    if not hasattr(value, "numpy") or not hasattr(value, "dtype"):
        return None
    numbers = np.asarray(value.numpy())
    return (lambda tensor: sys.modules["tensorflow"].cast(tensor, "float64")) if _any_wide(numbers) else _keep


def _of_torch(value: Any) -> Callable[[Any], Any] | None:
    if not hasattr(value, "detach") or value.is_floating_point() or value.is_complex():
        return None
    return (lambda tensor: tensor.double()) if _any_wide(value.detach().cpu().numpy()) else _keep


def _of_jax(value: Any) -> Callable[[Any], Any] | None:
    numbers = np.asarray(value) if hasattr(value, "dtype") else np.empty(0)
    return (lambda tensor: np.asarray(tensor).astype(object)) if _any_wide(numbers) else _keep


_LIBRARIES: dict[str, Callable[[Any], Callable[[Any], Any] | None]] = {
    "numpy": _of_numpy,
    "pandas": _of_pandas,
    "scipy": _of_scipy,
    "tensorflow": _of_tensorflow,
    "torch": _of_torch,
    "jaxlib": _of_jax,
}
"""The first part of a type's module → the function that finds the conversion."""
