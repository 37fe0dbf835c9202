"""Equality of an answer and the expected value, by exact types: no student's object decides a comparison."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import ipaddress
import pathlib
import re
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.check.handle import comparable
from autograder.check.numeric import (
    MAX_DEPTH,
    is_bool,
    is_exact,
    is_number,
    is_sparse,
    is_tensor,
    near,
    near_sparse,
    of_library,
    tensor_array,
)
from autograder.check.tables import TABLES, is_scalar, same_scalar, same_table
from autograder.errors import CourseError

_ATOMS: frozenset[type] = frozenset({
    str, bytes, bytearray, type(None), type(...), range, slice, type, np.str_, np.bytes_, type({}.keys()),
    datetime.date, datetime.time, datetime.datetime, datetime.timedelta, datetime.timezone, zoneinfo.ZoneInfo,
    fractions.Fraction, uuid.UUID, type(re.compile("")),
    pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath,
    ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network,
    ipaddress.IPv4Interface, ipaddress.IPv6Interface,
})  # fmt: skip
"""Types whose ``==`` is Python's own and compares nothing but their contents."""
_SEQUENCES: tuple[type, ...] = (list, tuple, collections.deque, type({}.values()))
_MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)
_SETS = (set, frozenset)


def same(actual: Any, expected: Any, rtol: float = 1e-5, atol: float = 1e-8, depth: int = 0) -> bool:
    """Return whether two values are equal, without running code of the student's.

    A method of ``actual`` is called only if it is Python's or a library's own. Numbers of different types may be equal
    (1 and 1.0), but True and 1 are not. A dict is equal to a ``defaultdict`` or ``Counter`` with its items, an array to
    a tensor with its numbers.

    Raises:
        CourseError: values of the type of ``expected`` cannot be compared in this way.
    """
    if depth > MAX_DEPTH:
        return False
    actual = comparable(actual)
    expected = _scalar(expected)
    if is_number(expected):
        return _same_number(actual, expected, rtol, atol)
    kind = type(expected)
    if kind in _SEQUENCES:
        return (
            type(actual) is kind
            and len(actual) == len(expected)
            and all(same(a, e, rtol, atol, depth + 1) for a, e in zip(actual, expected, strict=True))
        )
    if kind in _MAPPINGS:
        return _same_mapping(actual, expected, lambda a, e: same(a, e, rtol, atol, depth + 1))
    if kind in _SETS:
        return type(actual) is kind and all(_is_plain_key(key) for key in actual) and bool(actual == expected)
    if kind in _ATOMS:
        return _same_atom(actual, expected)
    if kind is decimal.Decimal:
        return type(actual) is kind and _same_decimal(actual, expected)
    for compare in (_same_of_numpy, _same_of_library):
        answer = compare(actual, expected, rtol, atol, depth)
        if answer is not None:
            return answer
    raise CourseError(f"check.function: a {kind.__name__} cannot be expected; use plain values or arrays.")


def _scalar(value: Any) -> Any:
    """Return the number in an array or a tensor without dimensions; any other value as it is."""
    if type(value) is np.ndarray:
        return value[()] if value.ndim == 0 and value.dtype.kind in "biufc" else value
    if is_tensor(value) and len(value.shape) == 0:
        number = tensor_array(value)[()]
        return number if is_number(number) else value
    return value


def _same_number(actual: Any, expected: Any, rtol: float, atol: float) -> bool:
    actual = _scalar(actual)
    if not is_number(actual) or is_bool(actual) != is_bool(expected):
        return False
    if is_exact(actual) and is_exact(expected):
        return int(actual) == int(expected)
    return bool(near(np.asarray(actual), np.asarray(expected), rtol, atol).all())


def _same_mapping(actual: Any, expected: Any, compare: Callable[[Any, Any], bool]) -> bool:
    allowed = _MAPPINGS if type(expected) is dict else (type(expected),)
    if type(actual) not in allowed or not all(_is_plain_key(key) for key in actual):
        return False
    if type(expected) is collections.OrderedDict and list(actual) != list(expected):
        return False
    return actual.keys() == expected.keys() and all(compare(actual[key], value) for key, value in expected.items())


def _same_atom(actual: Any, expected: Any) -> bool:
    for plain, numpys in ((str, np.str_), (bytes, np.bytes_)):
        if type(expected) in (plain, numpys) and type(actual) in (plain, numpys):
            return plain(actual) == plain(expected)
    return type(actual) is type(expected) and bool(actual == expected)


def _same_decimal(actual: decimal.Decimal, expected: decimal.Decimal) -> bool:
    if actual.is_nan() or expected.is_nan():  # comparing a signaling NaN raises
        return str(actual) == str(expected)
    return actual == expected


def _is_plain_key(value: Any) -> bool:
    if type(value) in (tuple, frozenset):
        return all(_is_plain_key(item) for item in value)
    kind = type(value)
    if isinstance(value, np.generic):
        return kind.__module__ == "numpy"
    return is_number(value) or kind in _ATOMS or kind is decimal.Decimal or is_scalar(value)


def _same_of_numpy(actual: Any, expected: Any, rtol: float, atol: float, depth: int) -> bool | None:
    kind = type(expected)
    if kind in (np.ndarray, np.matrix, np.recarray, np.ma.MaskedArray):
        if kind is np.ndarray and is_tensor(actual):
            actual = tensor_array(actual)
        return type(actual) is kind and same_array(actual, expected, rtol, atol, depth)
    if isinstance(expected, np.dtype):
        return isinstance(actual, np.dtype) and actual == expected
    if isinstance(expected, np.generic) and kind.__module__ == "numpy":  # dates, time spans, records
        return type(actual) is kind and same_array(np.asarray(actual), np.asarray(expected), rtol, atol, depth)
    return None


def _same_of_library(actual: Any, expected: Any, rtol: float, atol: float, depth: int) -> bool | None:
    if is_sparse(expected):
        return is_sparse(actual) and actual.shape == expected.shape and near_sparse(actual, expected, rtol, atol)
    if is_tensor(expected):
        return type(actual) is type(expected) and same_array(
            tensor_array(actual), tensor_array(expected), rtol, atol, depth
        )
    if of_library(expected, "pandas", *TABLES):
        return same_table(actual, expected, same_array, rtol, atol)
    if is_scalar(expected):
        return same_scalar(actual, expected)
    return None


def same_array(actual: Any, expected: Any, rtol: float, atol: float, depth: int = 0) -> bool:
    """Return whether two numpy arrays have the same shape, items and mask."""
    if actual.shape != expected.shape:
        return False
    if expected.dtype.names is not None:
        return actual.dtype.names == expected.dtype.names and all(
            same_array(actual[name], expected[name], rtol, atol, depth) for name in expected.dtype.names
        )
    if isinstance(expected, np.ma.MaskedArray):
        masks = np.ma.getmaskarray(actual), np.ma.getmaskarray(expected)
        unmasked = ~masks[1]
        return np.array_equal(*masks) and same_array(actual.data[unmasked], expected.data[unmasked], rtol, atol, depth)
    actual, expected = _of_one_kind(np.asarray(actual), np.asarray(expected))
    kinds = actual.dtype.kind, expected.dtype.kind
    if kinds[0] in "biufc" and kinds[1] in "biufc":
        return bool(near(actual, expected, rtol, atol).all())
    if kinds == ("O", "O"):
        items = zip(actual.ravel().tolist(), expected.ravel().tolist(), strict=True)
        return all(same(a, e, rtol, atol, depth + 1) for a, e in items)
    if kinds[0] == kinds[1] and kinds[0] in "mM":
        missing = np.isnat(expected)
        return bool((np.isnat(actual) == missing).all() and (actual[~missing] == expected[~missing]).all())
    return kinds[0] == kinds[1] and bool((actual == expected).all())


def _of_one_kind(*arrays: Any) -> list[Any]:
    """Return arrays of which one holds objects, or texts without a width, in the kind that the other has."""
    if len({array.dtype.kind for array in arrays}) == 1:
        return list(arrays)
    if all(array.dtype.kind in "UTO" for array in arrays):
        return [array.astype(object) for array in arrays]
    return [_inferred(array) if array.dtype.kind == "O" else array for array in arrays]


def _inferred(array: Any) -> Any:
    """Return an array of objects as one of numbers, if all its items are numbers."""
    items = array.ravel().tolist()
    if not items or not all(map(is_number, items)) or len(set(map(is_bool, items))) > 1:
        return array
    return np.array(items).reshape(array.shape)


def difference_in_kind(actual: Any, expected: Any) -> str:
    """Say that an answer has another type or another shape than is expected; empty if only its values differ.

    Of ``actual`` little more is told, as whether it is a list in place of an array: a function's result could encode a
    hidden argument.
    """
    actual, expected = _scalar(comparable(actual)), _scalar(expected)
    wanted = getattr(expected, "shape", None) if _has_shape(expected) else None
    if wanted is not None and _has_shape(actual):
        return "" if tuple(actual.shape) == tuple(wanted) else f"another shape than {tuple(wanted)}"
    if is_number(expected):
        if is_number(actual):
            return "" if is_bool(actual) == is_bool(expected) else _another(expected)
        return "an array and no number" if _has_shape(actual) else _another(expected)
    if wanted is not None:
        kind = "array" if type(expected) is np.ndarray else type(expected).__name__
        answer = "a list and " if type(actual) is list else "a tuple and " if type(actual) is tuple else ""
        return f"{answer}no {kind} of shape {tuple(wanted)}"
    if type(actual) is not type(expected):
        alike = (_MAPPINGS, (str, np.str_), (bytes, np.bytes_))
        if any(type(actual) in kinds and type(expected) in kinds for kinds in alike):
            return ""
        answer = "an array" if _has_shape(actual) else f"a {type(actual).__name__}"
        is_near = type(expected) in _SEQUENCES and (_has_shape(actual) or type(actual) in (list, tuple))
        return f"{answer} and no {type(expected).__name__}" if is_near else _another(expected)
    if type(expected) in _SEQUENCES and len(actual) != len(expected):
        return f"another length than {len(expected)}"
    return ""


def _another(expected: Any) -> str:
    return "no None" if expected is None else f"another type than {type(expected).__name__}"


def _has_shape(value: Any) -> bool:
    return type(value) in (np.ndarray, np.matrix, np.ma.MaskedArray) or is_tensor(value) or is_sparse(value)


def is_known(value: Any, depth: int = 0) -> bool:
    """Return whether the value, with all its items, is of types whose ``repr`` is Python's or a library's own."""
    kind = type(value)
    if depth > MAX_DEPTH:
        return False
    if kind in (*_SEQUENCES, *_SETS, *_MAPPINGS):
        items = [item for pair in value.items() for item in pair] if kind in _MAPPINGS else value
        return all(is_known(item, depth + 1) for item in items)
    if kind in (np.ndarray, np.matrix, np.ma.MaskedArray, np.recarray):
        return not value.dtype.hasobject or all(is_known(item, depth + 1) for item in value.ravel().tolist())
    is_known_type = (
        kind in _ATOMS or kind is decimal.Decimal or is_number(value) or is_sparse(value) or is_tensor(value)
    )
    return is_known_type or _is_plain_key(value) or bool(of_library(value, "pandas", *TABLES))
