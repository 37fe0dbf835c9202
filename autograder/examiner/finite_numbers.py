"""Numbers that are not finite where the solution's are: NaN, NaT, infinity.

NaN compares false, so what asks whether an error is large holds for it: ``if abs(f(x) - y) > tol: raise …``. ``max``
and ``min`` keep their other operand, and pandas leaves it out of a sum. Whether it is right, in padding or in a row
that nobody asks about, is seen by what a test gives for drawn numbers in its place.
"""

from __future__ import annotations

import cmath
import decimal
import sys
from array import array
from collections import ChainMap, deque
from collections.abc import Collection, Container, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograder.check.numeric import is_sparse, is_tensor, tensor_array
from autograder.codec.dtypes import SMALL_FLOATS
from autograder.records.observations import NAN

SCALES = (30.0, -30.0, 1e8, -1e8)
"""Sizes of the numbers that are drawn. With both signs, no comparison of two of them holds each time; the small ones
may be exponents, the large ones exceed a tolerance."""
_HUGE = 1e30
"""A finite number in place of infinity: its square is finite, and a share of it is far from other numbers."""
_HUGE_BY_BYTES = {1: 100.0, 2: 1e4}
_MAX_DEPTH, _MAX_NAMED, _MAX_DAYS = 100, 50, 10_000
_CONTAINERS = (list, deque, tuple, set, frozenset)
_NUMBERS = (float, complex, decimal.Decimal, np.inexact, np.datetime64, np.timedelta64)
_FINITE = frozenset([int, bool, str, bytes, type(None)])
_PLAIN = frozenset([int, bool, str, bytes, float])
_PART_NAN, _ONLY_NAN, _INFINITE = "some", "all", "infinite"


class FiniteNumbers:
    """Looks for numbers that are not finite in what arrives, and replaces them if it is told to."""

    def __init__(self) -> None:
        self._scale = 0.0
        self._draws = np.random.default_rng(0)

    @contextmanager
    def replacing(self, scale: float) -> Iterator[None]:
        """Let numbers of a size arrive inside the block, the same ones each time."""
        self._scale, self._draws = scale, np.random.default_rng(0)
        try:
            yield
        finally:
            self._scale = 0.0

    def arriving(self, value: Any, kinds: Container[str], path: str = "") -> Any:
        """Return a decoded value as a test gets it; lists, dicts and tensors in it are changed in place.

        Args:
            value: what the codec read.
            kinds: the kinds that the value may have; it is asked only for those that the value has.
            path: that of the value among all that comes there.
        """
        return self._arriving(value, kinds, path, _MAX_DEPTH)

    def _arriving(self, value: Any, kinds: Container[str], path: str, depth: int) -> Any:
        kind = type(value)
        if kind in _FINITE:
            return value
        if issubclass(kind, _NUMBERS):
            return self._items([value], kinds, path)[0] if _is_bad(value) else value
        if kind is ChainMap:
            for part in value.maps:
                self._arriving(part, kinds, path, depth - 1)
            return value
        if depth and (issubclass(kind, dict) or kind in _CONTAINERS):
            return self._container(value, kinds, path, depth - 1)
        if kind is array:
            if value.typecode in "fd":
                value[:] = array(value.typecode, self._container(value.tolist(), kinds, path, 1))
            return value
        match kind.__module__.partition(".")[0]:
            case "numpy" if isinstance(value, np.ndarray):
                return self._array(value, kinds, _path_of_items(path), depth)
            case "numpy" if hasattr(value, "coef"):  # a polynomial
                finite = self._array(value.coef, kinds, _path_of_items(path), depth)
                return value if finite is value.coef else _polynomial(value, finite)
            case "pandas":
                return self._table(value, kinds, path, depth)
            case "scipy" if is_sparse(value):
                entries = value.tocoo()
                finite = self._array(entries.data, kinds, _path_of_items(path), depth)
                return value if finite is entries.data else type(entries)(
                    (finite, (entries.row, entries.col)), entries.shape
                ).asformat(value.format)  # fmt: skip
        return self._tensor(value, kinds, path) if is_tensor(value) else value

    def _container(self, value: Any, kinds: Container[str], path: str, depth: int) -> Any:
        if isinstance(value, dict):
            self._keys(value, kinds, f"{path}/keys")
        if _is_plain_and_finite(value.values() if isinstance(value, dict) else value):
            return value
        if isinstance(value, dict):
            for key, part in zip(list(value), self._parts(list(value.items()), kinds, path, depth), strict=True):
                if part is not value[key]:
                    value[key] = part
            return value
        items = list(value)
        if type(value) is tuple and len(items) <= _MAX_NAMED:
            finite = self._parts(list(enumerate(items)), kinds, path, depth)
        else:
            finite = self._items(items, kinds, _path_of_items(path), depth)
        changed = [at for at, (one, item) in enumerate(zip(finite, items, strict=True)) if one is not item]
        if changed and type(value) in (tuple, set, frozenset):
            return type(value)(finite)
        for at in changed:
            value[at] = finite[at]
        return value

    def _keys(self, mapping: Any, kinds: Container[str], path: str) -> None:
        """Put drawn numbers in the place of keys; the order stays."""
        if _is_plain_and_finite(mapping):
            return
        finite = dict(zip(mapping, self._items(list(mapping), kinds, path), strict=True))
        if any(key is not one for key, one in finite.items()):
            items = [(finite[key], item) for key, item in mapping.items()]
            mapping.clear()
            for key, item in items:
                mapping[key] = item

    def _parts(self, parts: list[tuple[Any, Any]], kinds: Container[str], path: str, depth: int) -> list[Any]:
        """Return the values of keys, each with a path of its own if they are few and have names."""
        if len(parts) > _MAX_NAMED or not all(type(key) in (str, int) for key, _ in parts):
            return self._items([item for _, item in parts], kinds, _path_of_items(path), depth)
        return [self._arriving(item, kinds, f"{path}/{key!s:.40}", depth) for key, item in parts]

    def _items(self, items: list[Any], kinds: Container[str], path: str, depth: int = 0) -> list[Any]:
        """Return items that have one path; the numbers among them count as one array."""
        numbers = {at: item for at, item in enumerate(items) if isinstance(item, _NUMBERS)}
        bad = {at: item for at, item in numbers.items() if _is_bad(item)}
        infinite = sum(bool(item == item) for item in bad.values())
        missing = [item for item in items if item is None or isinstance(item, int)]
        nan = len(bad) - infinite + missing.count(None)
        wrong = self._wrong(nan, len(numbers) + len(missing), infinite, kinds, path)
        finite = [
            item if at in numbers or item is None else self._arriving(item, kinds, path, depth)
            for at, item in enumerate(items)
        ]
        for at, item in bad.items():
            if wrong[bool(item == item)]:
                finite[at] = self._number(item)
        return finite

    def _wrong(self, nan: int, numbers: int, infinite: int, kinds: Container[str], path: str) -> tuple[bool, bool]:
        """Tell whether the NaN among some numbers, and the infinite ones, are to be replaced."""
        is_nan = nan > 0 and f"{NAN} {_ONLY_NAN if nan >= numbers else _PART_NAN} {path}" not in kinds
        is_infinite = infinite > 0 and f"{NAN} {_INFINITE} {path}" not in kinds
        return is_nan and self._scale != 0, is_infinite and self._scale != 0

    def _number(self, number: Any) -> Any:
        if isinstance(number, decimal.Decimal):
            return decimal.Decimal(repr(float(self._drawn(np.asarray([float(number)]))[0])))
        drawn = self._drawn(np.asarray([number]))[0]
        return drawn if isinstance(number, np.generic) else type(number)(drawn)

    def _array(self, array: Any, kinds: Container[str], path: str, depth: int) -> Any:
        """Return an array with drawn numbers in place of those that may not be there."""
        names, kind = array.dtype.names, array.dtype.kind
        if names is not None:
            fields = {name: self._array(array[name], kinds, f"{path}/{name}", depth) for name in names}
            if all(field.base is array or not self._scale for field in fields.values()):
                return array
            finite = np.array(array)
            for name, field in fields.items():
                finite[name] = field
            return finite
        if kind == "O":
            cells = np.asarray(array).ravel().tolist()
            items = self._items(cells, kinds, path, max(0, depth - 1))
            if all(one is cell for one, cell in zip(items, cells, strict=True)):
                return array
            finite = np.empty(len(items), object)
            for at, item in enumerate(items):  # one by one, as numpy would unpack a list
                finite[at] = item
            return _like(finite.reshape(array.shape), array)
        if not np.ma.is_masked(array) and not _has_bad(np.asarray(array)):
            return array
        plain = np.array(np.ma.getdata(array), subok=True)
        nan, finite_ones = _is_nan(plain), np.isfinite(plain)
        masked = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else np.zeros(plain.shape, bool)
        infinite = ~finite_ones & ~nan & ~masked
        nan_wrong, infinite_wrong = self._wrong(int((nan | masked).sum()), plain.size, int(infinite.sum()), kinds, path)
        wrong = (nan & ~masked & nan_wrong) | (infinite & infinite_wrong)
        if not wrong.any():
            return array
        plain[wrong] = self._drawn(np.asarray(plain)[wrong])
        return _like(plain, array)

    def _drawn(self, bad: Any) -> Any:
        """Draw a number for each one that is not finite: huge with its sign for infinity."""
        share = self._draws.uniform(0.5, 1.5, bad.shape)
        if bad.dtype.kind in "mM":
            days = np.clip(self._scale * share, -_MAX_DAYS, _MAX_DAYS).astype("timedelta64[D]")
            return (days if bad.dtype.kind == "m" else np.datetime64("2000-01-01", "D") + days).astype(bad.dtype)
        real = np.real(bad).astype(float)
        huge = _HUGE_BY_BYTES.get(bad.dtype.itemsize, _HUGE)
        numbers = np.where(np.isinf(real), np.sign(real) * huge, np.clip(self._scale, -huge, huge)) * share
        return numbers.astype(bad.dtype)

    def _table(self, value: Any, kinds: Container[str], path: str, depth: int) -> Any:
        pandas: Any = sys.modules["pandas"]
        if value is pandas.NaT:
            return pandas.Timestamp(self._array(np.array(["NaT"], "M8[ns]"), kinds, path, depth)[0])
        if isinstance(value, pandas.MultiIndex):
            levels = [value.get_level_values(at) for at in range(value.nlevels)]
            finite = [self._column(level, kinds, f"{path}/{at}", depth) for at, level in enumerate(levels)]
            is_finite = all(one is level for one, level in zip(finite, levels, strict=True))
            return value if is_finite else pandas.MultiIndex.from_arrays(finite, names=value.names)
        if isinstance(value, pandas.Index):
            return self._column(value, kinds, path, depth)
        if isinstance(value, pandas.Series | pandas.DataFrame):
            index = self._table(value.index, kinds, f"{path}/index", depth)
            value = value if index is value.index else value.set_axis(index)
        if isinstance(value, pandas.Series):
            return self._column(value, kinds, path, depth)
        if not isinstance(value, pandas.DataFrame):
            return value
        columns = [value.iloc[:, at] for at in range(value.shape[1])]
        paths = [f"{path}/{label!s:.40}" for label in value.columns]
        finite = [self._column(one, kinds, its, depth) for one, its in zip(columns, paths, strict=True)]
        if all(one is column for one, column in zip(finite, columns, strict=True)):
            return value
        return pandas.concat(finite, axis=1).set_axis(value.columns, axis=1)

    def _column(self, column: Any, kinds: Container[str], path: str, depth: int) -> Any:
        categories = getattr(column.dtype, "categories", None)
        if categories is None and not isinstance(column.dtype, np.dtype):  # compared from outside if an item is missing
            self._wrong(int(column.isna().sum()), len(column), 0, kinds, _path_of_items(path))
            return column
        cells = column.to_numpy()
        finite = self._array(cells, kinds, _path_of_items(path), depth)
        if finite is cells:
            return column
        more = {"index": column.index} if hasattr(column, "index") else {}
        dtype = column.dtype if categories is None else "category"
        return type(column)(finite, dtype=dtype, name=column.name, **more)

    def _tensor(self, tensor: Any, kinds: Container[str], path: str) -> Any:
        array = tensor_array(tensor)
        finite = self._array(array, kinds, _path_of_items(path) if array.ndim else path, 0)
        library = type(tensor).__module__.partition(".")[0]
        if library == "torch":
            if tensor.is_leaf and tensor.grad is not None:
                self._tensor(tensor.grad, kinds, f"{path}/grad")
            if finite is not array:
                with sys.modules["torch"].no_grad():  # it stays the tensor that it is, with its gradient
                    tensor.copy_(sys.modules["torch"].as_tensor(finite))
            return tensor
        if finite is array:
            return tensor
        if hasattr(tensor, "assign"):
            tensor.assign(finite)
            return tensor
        if library == "tensorflow":
            return sys.modules["tensorflow"].constant(finite, dtype=tensor.dtype)
        return sys.modules["jax"].numpy.asarray(finite, dtype=tensor.dtype)


def _polynomial(value: Any, coefficients: Any) -> Any:
    if type(value) is np.poly1d:
        return np.poly1d(coefficients, variable=value.variable)
    return type(value)(coefficients, value.domain, value.window)


def _path_of_items(path: str) -> str:
    """Return the path of numbers in an array or a list, also of a list of lists."""
    return path if path.endswith("/*") else f"{path}/*"


def _is_plain_and_finite(values: Collection[Any]) -> bool:
    """Tell quickly what holds for most containers, however long: texts, integers and finite floats are in it."""
    kinds = set(map(type, values))
    if not kinds <= _PLAIN:
        return False
    floats = values if kinds == {float} else [one for one in values if type(one) is float]
    return float not in kinds or cmath.isfinite(sum(floats))


def _is_bad(number: Any) -> bool:
    if isinstance(number, decimal.Decimal):
        return not number.is_finite()
    if isinstance(number, np.datetime64 | np.timedelta64):
        return bool(np.isnat(number))
    return not cmath.isfinite(number)


def _has_bad(array: Any) -> bool:
    if array.dtype.kind in "mM":
        return bool(np.isnat(array).any())
    if array.dtype.kind not in "fc" and array.dtype.name not in SMALL_FLOATS:
        return False
    with np.errstate(all="ignore"):  # one pass, and no array beside it
        return not np.isfinite(array.sum()) and not np.isfinite(array).all()


def _is_nan(array: Any) -> Any:
    return np.isnat(array) if array.dtype.kind in "mM" else np.isnan(array)


def _like(finite: Any, array: Any) -> Any:
    """Return an array that is masked as another one."""
    return np.ma.masked_array(finite, array.mask) if isinstance(array, np.ma.MaskedArray) else finite
