"""Integers that do not wrap, for answers that are larger than any of the solution's.

numpy computes with 64 bits: the square of 3,500,000,000 is below zero, as may be the sum of 20 squares of
1,000,000,000. So a wrong answer is close to every number. Where the solution's own answer had no integer of that
size, arrays, columns and tensors therefore arrive as floats of 64 bits, or as objects from ±2⁵³ on. Single integers
arrive as :class:`~autograder.check.exact_integer.ExactInteger`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any
from unittest import mock

import numpy as np

from autograder.check.exact_integer import FLOAT_LIMIT, LARGE_LIMIT, ExactInteger
from autograder.check.numeric import is_sparse, is_tensor, tensor_array
from autograder.codec import CodecError, encode_as
from autograder.records.observations import LARGE, WIDE

WIDE_LIMIT = 1 << 31
MAX_RANGE = 1_000_000
"""Numbers of a range that are made one by one."""
_MAX_DEPTH = 100
_CONTAINERS = (list, deque, tuple, set, frozenset)
_WITHOUT_NUMBERS = frozenset([str, bytes, bool, type(None)])

encode_as(ExactInteger, int)


def arriving(value: Any, kinds: Container[str], *, observing: bool = False) -> Any:
    """Return a decoded value as a test gets it; lists and dicts in it are changed in place.

    Args:
        value: what the codec read.
        kinds: the kinds that the value may have; it is asked only for the kind that the value has.
        observing: whether it is the solution's: then large floats count, too, since an answer may be an integer there.

    Raises:
        CodecError: a range of more than ``MAX_RANGE`` integers that may not be as large.
    """
    kind = kind_of(value, floats=observing)
    return value if not kind or kind in kinds else _exact(value)


def kind_of(value: Any, *, floats: bool = False) -> str:
    """Return :data:`WIDE`, :data:`LARGE` or an empty text for the largest integer, or finite float, of a value."""
    largest = _largest(value, floats, _MAX_DEPTH)
    return WIDE if largest > WIDE_LIMIT else LARGE if largest > LARGE_LIMIT else ""


class _ExactArchive(np.lib.npyio.NpzFile):
    """An archive of arrays whose numbers do not wrap."""

    exact: Callable[[Any], Any]

    def __getitem__(self, name: str) -> Any:
        return self.exact(super().__getitem__(name))


def exact_archive(archive: Any, exact: Callable[[Any], Any]) -> Any:
    """Let an archive pass each array on to a function when a test takes it; until then, none is read."""
    archive.__class__, archive.exact = _ExactArchive, exact
    return archive


@contextmanager
def written_as_json() -> Iterator[None]:
    """Let ``json.dumps`` write exact integers inside the block."""
    original = json.JSONEncoder.default

    def default(encoder: json.JSONEncoder, value: Any) -> Any:
        return int(value) if type(value) is ExactInteger else original(encoder, value)

    with mock.patch.object(json.JSONEncoder, "default", default):
        yield


# --- how large ---------------------------------------------------------------------------------------


def _largest(value: Any, floats: bool, depth: int) -> Any:
    """Return the largest absolute value in a value; 0 for one without numbers."""
    kind = type(value)
    if kind is int:
        return abs(value)
    if kind is float:
        return abs(value) if floats and abs(value) < np.inf else 0
    if kind in _WITHOUT_NUMBERS:
        return 0
    if kind is range and value:
        return max(abs(value[0]), abs(value[-1]))
    if kind is list and set(map(type, value)) == {int}:  # long lists of numbers are common
        return max(abs(max(value)), abs(min(value)))
    if isinstance(value, np.ndarray) and value.dtype.names is None:
        return _largest_item(np.asarray(value), floats, depth)
    return max((_largest(part, floats, depth - 1) for part in _parts(value)), default=0) if depth else 0


def _largest_item(array: Any, floats: bool, depth: int) -> Any:
    kind = array.dtype.kind
    if kind == "O":
        items = array.ravel().tolist()
        if _WITHOUT_NUMBERS.issuperset(map(type, items)):  # columns of texts are common
            return 0
        return max((_largest(item, floats, depth - 1) for item in items), default=0)
    if kind in "iu" and array.size:
        return max(abs(int(array.max())), abs(int(array.min())))
    if kind == "f" and floats:
        return float(np.max(np.abs(array), where=np.isfinite(array), initial=0))
    return 0


def _parts(value: Any) -> Iterable[Any]:
    """Return the items of a container, or arrays of what a library's value consists of."""
    if issubclass(type(value), dict):  # a mock says that it is one
        return (part for item in value.items() for part in item)
    if type(value) in _CONTAINERS:
        return value  # type: ignore[no-any-return]
    if type(value) is slice:
        return (value.start, value.stop, value.step)
    if type(value) is Fraction:
        return (value.numerator, value.denominator)
    match _library(value):
        case "numpy" if isinstance(value, np.ndarray):
            return [value[name] for name in value.dtype.names]
        case "numpy" if isinstance(value, np.generic):
            return [np.asarray(value)]
        case "pandas" if isinstance(value, sys.modules["pandas"].DataFrame):
            return [*(value.iloc[:, place] for place in range(value.shape[1])), value.index, value.columns]
        case "pandas" if hasattr(value, "dtype"):
            return [_cells(value), getattr(value, "index", None)]
        case "scipy" if is_sparse(value):
            return [value.tocoo().data]
    return [tensor_array(value)] if is_tensor(value) else []


def _cells(column: Any) -> Any:
    """Return the array of a column or an index, or the index of its categories; None without numbers and objects."""
    if getattr(column.dtype, "categories", None) is not None:
        return column.dtype.categories
    return np.asarray(column) if column.dtype == object or column.dtype.kind in "iuf" else None


def _library(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


# --- exact numbers in place of large ones ------------------------------------------------------------


def _exact(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """Return a value with exact numbers in place of all that are large."""
    kind = type(value)
    if kind is int:
        return ExactInteger(value) if abs(value) > LARGE_LIMIT else value
    if not depth or not kind_of(value):
        return value
    if kind is range:
        if len(value) > MAX_RANGE:
            raise CodecError("a range of more than a million integers that are larger than the solution's")
        return list(map(_exact, value))
    if isinstance(value, dict) or kind in _CONTAINERS:
        return _with_exact_items(value, depth - 1)
    if kind in (slice, Fraction):
        return kind(*(_exact(part, depth - 1) for part in _parts(value)))
    return _CONVERSIONS[_library(value)](value)


def _with_exact_items(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        items = [(_exact(key, depth), _exact(item, depth)) for key, item in value.items()]
        value.clear()
        (dict if isinstance(value, Counter) else type(value)).update(value, items)
        return value
    items = [_exact(item, depth) for item in value]
    if type(value) in (tuple, set, frozenset):
        return type(value)(items)
    for index, item in enumerate(items):
        value[index] = item
    return value


def _exact_array(value: Any) -> Any:
    if isinstance(value, np.generic):
        return ExactInteger(int(value))
    if value.dtype.names is not None:
        fields = {name: _exact(value[name]) for name in value.dtype.names}
        exact = np.empty(value.shape, [(name, f.dtype, value.dtype[name].shape) for name, f in fields.items()])
        for name, field in fields.items():
            exact[name] = field
        return exact
    if value.dtype.kind != "O" and _largest_item(np.asarray(value), False, 1) < FLOAT_LIMIT:
        return value.astype(np.float64)
    flat = np.empty(value.size, object)
    for index, item in enumerate(np.asarray(value).ravel().tolist()):  # one by one, as numpy would unpack a list
        flat[index] = _exact(item)
    exact = flat.reshape(value.shape)
    return np.ma.masked_array(exact, value.mask) if isinstance(value, np.ma.MaskedArray) else exact


def _exact_table(value: Any) -> Any:
    pandas: Any = sys.modules["pandas"]
    if isinstance(value, pandas.DataFrame):
        columns = {place: _exact_table(value.iloc[:, place]) for place in range(value.shape[1])}
        exact = pandas.DataFrame(columns, index=_exact(value.index))
        return exact.set_axis(_exact(value.columns), axis=1)
    if isinstance(value, pandas.MultiIndex):
        levels = [_exact(value.get_level_values(place)) for place in range(value.nlevels)]
        return pandas.MultiIndex.from_arrays(levels, names=value.names)
    cells = _exact(np.asarray(value)) if kind_of(_cells(value)) else value
    if isinstance(value, pandas.Series):
        return pandas.Series(cells, name=value.name).set_axis(_exact(value.index))
    return pandas.Index(cells, name=value.name) if isinstance(value, pandas.Index) else cells


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "numpy": _exact_array,
    "pandas": _exact_table,
    "scipy": lambda matrix: matrix.astype(np.float64),
    "tensorflow": lambda tensor: sys.modules["tensorflow"].cast(tensor, "float64"),
    "torch": lambda tensor: tensor.double(),
    "jaxlib": lambda tensor: _exact(np.asarray(tensor)),
}
"""The first part of a type's module → the conversion of a value with large integers."""
