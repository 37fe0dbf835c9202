"""Nodes for pandas' extension arrays: categories, time zones, periods, intervals, missing values, texts.

They are taken apart with public methods and put together with public constructors, whose own checks tell whether the
parts fit.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from .arrays import read_array, read_items, widened, write_array, write_items
from .core import CodecError, NotPlain, Reader, Writer, exactly, one_of, whole_number
from .dtypes import INFINITE, is_infinite_in_few_bits
from .standard_library import read_zone, zone_node

_MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
FREQUENCY = re.compile(
    r"-?\d{0,6}(?:[BDHhTSLUNM]|min|s|ms|us|ns|W(?:-(?:MON|TUE|WED|THU|FRI|SAT|SUN))?|B?[MQAY][ES]?|SM[ES]?"
    rf"|B?[QAY][ES]?-(?:{_MONTHS.replace(' ', '|')}))\Z"
)
"""The names of pandas' frequencies, old and new ones."""
CLOSED = ("left", "right", "both", "neither")
_STRINGS = ("python", "pyarrow")


def write_values(writer: Writer, holder: Any) -> list[Any]:
    """Write the values of a pandas column, index or array."""
    numpy = sys.modules["numpy"]
    dtype = holder.dtype
    if isinstance(dtype, numpy.dtype):
        return write_array(writer, numpy.asarray(holder))
    write = WRITERS.get(type(dtype).__name__)
    if write is None or type(dtype).__module__.partition(".")[0] != "pandas":
        raise NotPlain
    return write(writer, getattr(holder, "array", holder))


def read_index(reader: Reader, node: Any) -> Any:
    """Read the index of a node."""
    import pandas

    index = reader.read(node)
    if not isinstance(index, pandas.Index):
        raise CodecError("expected an index")
    return index


def _write_category(writer: Writer, values: Any) -> list[Any]:
    codes = write_array(writer, sys.modules["numpy"].asarray(values.codes))
    return ["pd.category", codes, *writer.entire([values.categories]), bool(values.ordered)]


def _read_category(reader: Reader, codes: Any, categories: Any, ordered: Any) -> Any:
    import pandas

    index = read_index(reader, categories)
    dtype = pandas.CategoricalDtype(index, ordered=exactly(bool, ordered))
    return pandas.Categorical.from_codes(read_array(reader, codes, "i"), dtype=dtype)


def _write_zoned(writer: Writer, values: Any) -> list[Any]:
    numpy = sys.modules["numpy"]
    stamps = numpy.asarray(sys.modules["pandas"].DatetimeIndex(values).tz_convert("UTC").tz_localize(None))
    return ["pd.zoned", write_array(writer, stamps), write_pandas_zone(values.dtype.tz)]


def _read_zoned(reader: Reader, stamps: Any, zone: Any) -> Any:
    import pandas

    index = pandas.DatetimeIndex(read_array(reader, stamps, "M")).tz_localize("UTC")
    return index.tz_convert(read_pandas_zone(zone)).array


def write_pandas_zone(zone: Any) -> Any:
    """Write a time zone; one of pytz, which pandas before 3 uses, by its name."""
    name = getattr(zone, "zone", None)
    return ["pytz", name] if type(name) is str and name else zone_node(zone)


def read_pandas_zone(node: Any) -> Any:
    """Read a time zone; for one of pytz, the one that the installed pandas has by its name.

    With a zone of another class, pandas calls dtypes unequal.
    """
    if node is None or node[:1] != ["pytz"]:
        return read_zone(node)
    import pandas

    key = read_zone(["zone", *node[1:]]).key  # in the database
    return pandas.DatetimeTZDtype(tz=key).tz


def _write_period(writer: Writer, values: Any) -> list[Any]:
    return ["pd.period", write_array(writer, values.asi8), values.freqstr]


def _read_period(reader: Reader, ordinals: Any, freq: Any) -> Any:
    import pandas

    return pandas.arrays.PeriodArray(read_array(reader, ordinals, "i"), dtype=pandas.PeriodDtype(read_frequency(freq)))


def read_frequency(text: Any) -> str:
    """Check the name of a frequency."""
    if type(text) is not str or not FREQUENCY.match(text):
        raise CodecError("not a frequency")
    return text


def _write_interval(writer: Writer, values: Any) -> list[Any]:
    return ["pd.interval", *writer.entire([values.left, values.right]), values.closed]


def _read_interval(reader: Reader, left: Any, right: Any, closed: Any) -> Any:
    import pandas

    ends = (read_index(reader, left), read_index(reader, right))
    return pandas.arrays.IntervalArray.from_arrays(*ends, closed=one_of(closed, CLOSED))


def _write_sparse(writer: Writer, values: Any) -> list[Any]:
    numpy = sys.modules["numpy"]
    fill = write_array(writer, numpy.asarray(values.fill_value, values.dtype.subtype))
    indices = write_array(writer, values.sp_index.indices)
    return ["pd.sparse", write_array(writer, values.sp_values), indices, len(values), fill]


def _read_sparse(reader: Reader, values_node: Any, indices_node: Any, length: Any, fill_node: Any) -> Any:
    import numpy
    import pandas

    values, fill = (reader.as_is(read_array, reader, node) for node in (values_node, fill_node))
    indices = read_array(reader, indices_node, "i")
    reader.charge(whole_number(length, 0, 2**40) * 2 * max(values.dtype.itemsize, 8))
    if values.shape != indices.shape or values.ndim != 1 or fill.shape != () or fill.dtype != values.dtype:
        raise CodecError("values and places differ")
    dense = numpy.full(length, fill[()], values.dtype)
    if len(indices) and not 0 <= indices.min() <= indices.max() < length:
        raise CodecError("a place out of bounds")
    dense[indices] = values
    missing = fill.item() if fill.dtype.kind in "biufc" else fill[()]
    dense = widened(reader, dense)
    return pandas.arrays.SparseArray(dense, dtype=pandas.SparseDtype(dense.dtype, missing))


def _write_nullable(writer: Writer, values: Any) -> list[Any]:
    numpy = sys.modules["numpy"]
    mask = numpy.asarray(values.isna(), bool)
    data = values.to_numpy(dtype=values.dtype.type, na_value=values.dtype.type(0))
    return ["pd.nullable", write_array(writer, data), write_array(writer, mask)]


def _read_nullable(reader: Reader, data_node: Any, mask_node: Any) -> Any:
    import pandas

    data, mask = reader.as_is(read_array, reader, data_node, "biuf"), read_array(reader, mask_node, "b")
    if is_infinite_in_few_bits(data) and not reader.keeps(INFINITE):
        data = data.astype("float64")
    missing = bool(mask.any())
    reader.unknown = reader.unknown or missing
    kinds = {"b": "BooleanArray", "f": "FloatingArray"}
    kind: Any = getattr(pandas.arrays, kinds.get(data.dtype.kind, "IntegerArray"))
    column = kind(data, mask)
    # Aligned to another index, a plain column gets NaN; this one would get NA, which comparisons ignore.
    return column if missing or reader.keeps(str(column.dtype)) else widened(reader, data)


def _write_string(writer: Writer, values: Any) -> list[Any]:
    missing = values.isna()
    items = [None if lost else _plain_text(text) for text, lost in zip(values, missing)]  # noqa: B905 - not in Python 3.9
    storage = getattr(values.dtype, "storage", "python")
    return ["pd.string", storage, getattr(values.dtype, "na_value", None) is _na(), write_items(writer, items)]


def _plain_text(text: Any) -> Any:
    """Return Python's text for numpy's: pandas keeps an ``np.str_`` as it is in a column of texts."""
    return str(text) if type(text) is sys.modules["numpy"].str_ else text


def _na() -> Any:
    return getattr(sys.modules["pandas"], "NA", None)


def _read_string(reader: Reader, storage: Any, with_na: Any, nodes: Any) -> Any:
    import numpy
    import pandas

    items = read_items(reader, nodes)
    if not all(type(item) in (str, type(None)) for item in items):
        raise CodecError("not texts")
    missing = None in items
    reader.unknown = reader.unknown or (with_na is True and missing)
    with_na = exactly(bool, with_na) and (missing or reader.keeps("string"))
    try:
        dtype = _string_dtype(one_of(storage, _STRINGS), with_na)
    except ImportError:  # no pyarrow
        dtype = _string_dtype("python", with_na)
    texts = numpy.empty(len(items), object)
    texts[:] = [numpy.nan if item is None else item for item in items]
    return pandas.array(texts, dtype=dtype)


def _string_dtype(storage: str, with_na: bool) -> Any:
    import numpy
    import pandas

    if with_na:
        return pandas.StringDtype(storage)
    try:
        return pandas.StringDtype(storage, na_value=numpy.nan)
    except TypeError:  # before 2.3 its columns of texts without NA are columns of objects
        return object


WRITERS: dict[str, Callable[[Writer, Any], list[Any]]] = {
    "CategoricalDtype": _write_category,
    "DatetimeTZDtype": _write_zoned,
    "PeriodDtype": _write_period,
    "IntervalDtype": _write_interval,
    "SparseDtype": _write_sparse,
    "StringDtype": _write_string,
    "BooleanDtype": _write_nullable,
    **{f"{kind}Dtype": _write_nullable for kind in "Int8 Int16 Int32 Int64 Float32 Float64".split()},  # noqa: SIM905
    **{f"UInt{bits}Dtype": _write_nullable for bits in (8, 16, 32, 64)},
}
"""Encoders by the class of the dtype."""
DECODERS: dict[str, Callable[..., Any]] = {
    "pd.category": _read_category,
    "pd.zoned": _read_zoned,
    "pd.period": _read_period,
    "pd.interval": _read_interval,
    "pd.sparse": _read_sparse,
    "pd.nullable": _read_nullable,
    "pd.string": _read_string,
}


def read_values(reader: Reader, node: Any) -> Any:
    """Read an array of numpy's or pandas' with one dimension."""
    if type(node) is not list or not node or node[0] not in ("nd", "items", *DECODERS):
        raise CodecError("expected an array")
    values = reader.read(node)
    if values.ndim != 1:
        raise CodecError("expected one dimension")
    return values
