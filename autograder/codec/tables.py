"""Nodes for pandas' tables, columns, indexes and scalars.

A value with a part of another library's class (a custom offset, an Arrow type) stays in the kernel. ``attrs`` are
not carried, and a frequency only if it is one of pandas' own by name.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any

from . import columns as codec_columns
from .arrays import read_array, write_array
from .columns import (
    CLOSED,
    FREQUENCY,
    WRITERS,
    read_frequency,
    read_index,
    read_pandas_zone,
    read_values,
    write_pandas_zone,
    write_values,
)
from .core import CodecError, Encode, NotPlain, Reader, Writer, exactly, one_of, whole_number

_MAX_REGULAR = 100_000
"""Most rows of an index that keeps its frequency, which pandas compares with every row."""

# --- indexes -----------------------------------------------------------------------------------------


def write_index(writer: Writer, index: Any) -> list[Any]:
    """Write an index."""
    pandas = sys.modules["pandas"]
    kind = type(index)
    if kind is pandas.RangeIndex:
        return ["pd.range", index.start, index.stop, index.step, *writer.entire([index.name])]
    if kind is pandas.MultiIndex:
        levels = [write_index(writer, level) for level in index.levels]
        codes = [write_array(writer, sys.modules["numpy"].asarray(code)) for code in index.codes]
        return ["pd.multi", levels, codes, writer.entire(index.names)]
    name = kind.__name__
    if name not in _INDEXES or getattr(pandas, name, None) is not kind:
        raise NotPlain
    freq = _frequency(index) if name in ("DatetimeIndex", "TimedeltaIndex") else None
    return ["pd.index", name, write_values(writer, index), *writer.entire([index.name]), freq]


_NAMES = (
    "Index DatetimeIndex TimedeltaIndex PeriodIndex IntervalIndex CategoricalIndex "
    "Int64Index UInt64Index Float64Index"  # these three before pandas 2
)
_INDEXES = frozenset(_NAMES.split())


def _frequency(index: Any) -> str | None:
    offset = index.freq
    if offset is None or len(index) > _MAX_REGULAR or type(offset).__name__.startswith("Custom"):
        return None
    return offset.freqstr if FREQUENCY.match(offset.freqstr) else None


def _read_range(reader: Reader, start: Any, stop: Any, step: Any, name: Any) -> Any:
    import pandas

    numbers = range(*(whole_number(end, -(2**62), 2**62) for end in (start, stop, step)))
    if abs(numbers.stop - numbers.start) > 2**40 * abs(numbers.step):
        raise CodecError("an index of too many rows")
    reader.charge(8 * len(numbers))
    return pandas.RangeIndex(numbers.start, numbers.stop, numbers.step, name=reader.read(name))


def _read_multi(reader: Reader, levels: Any, codes: Any, names: Any) -> Any:
    import pandas

    parts = [read_index(reader, level) for level in exactly(list, levels)]
    places = [read_array(reader, code, "i") for code in exactly(list, codes)]
    if len({len(place) for place in places}) > 1:
        raise CodecError("codes of different lengths")
    return pandas.MultiIndex(levels=parts, codes=places, names=reader.all(names), verify_integrity=True)


def _read_index(reader: Reader, kind: Any, node: Any, name_node: Any, freq: Any) -> Any:
    import pandas

    values, name = read_values(reader, node), reader.read(name_node)
    one_of(kind, _INDEXES)
    if kind in ("DatetimeIndex", "TimedeltaIndex"):
        index = getattr(pandas, kind)(values, name=name)
        if freq is not None:
            whole_number(len(index), 0, _MAX_REGULAR)
            frequency = read_frequency(freq)
            with contextlib.suppress(ValueError):  # it does not fit, or this version of pandas has another name for it
                index.freq = frequency
        return index
    if freq is not None:
        raise CodecError("a frequency where there is none")
    index = pandas.Index(values, dtype=values.dtype, name=name)
    if type(index).__name__ != kind and not kind.endswith("64Index"):
        raise CodecError("an index of another kind")
    return index


# --- columns and tables ------------------------------------------------------------------------------


def _write_series(writer: Writer, series: Any) -> list[Any]:
    index = write_index(writer, series.index)
    return ["pd.series", write_values(writer, series), index, *writer.entire([series.name])]


def _read_series(reader: Reader, values_node: Any, index_node: Any, name: Any) -> Any:
    import pandas

    values, index = read_values(reader, values_node), read_index(reader, index_node)
    return pandas.Series(values, index=index, dtype=values.dtype, name=reader.read(name), copy=False)


def _write_frame(writer: Writer, frame: Any) -> list[Any]:
    """Write a table: columns of one numpy dtype together, any other column by itself."""
    numpy = sys.modules["numpy"]
    together: dict[Any, list[int]] = {}
    blocks = []
    for position, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, numpy.dtype) and not dtype.hasobject:
            together.setdefault(dtype, []).append(position)
        else:
            blocks.append([[position], write_values(writer, frame.iloc[:, position])])
    for positions in together.values():
        part = frame if len(positions) == frame.shape[1] else frame.iloc[:, positions]
        blocks.append([positions, write_array(writer, part.to_numpy())])
    writer.count(len(blocks))
    return ["pd.frame", write_index(writer, frame.columns), write_index(writer, frame.index), blocks]


def _read_frame(reader: Reader, columns_node: Any, index_node: Any, blocks: Any) -> Any:
    import pandas

    columns, index = read_index(reader, columns_node), read_index(reader, index_node)
    parts: dict[int, Any] = {}
    for places, node in exactly(list, blocks):
        positions = [whole_number(place, 0, len(columns) - 1) for place in exactly(list, places)]
        values = reader.read(node)
        if positions == list(range(len(columns))) and type(values).__module__ == "numpy" and values.ndim == 2:
            return pandas.DataFrame(values, index=index, columns=columns, copy=False)
        if values.shape == (len(index), len(positions)):
            parts.update(zip(positions, values.T))  # noqa: B905 - not in Python 3.9
        elif values.shape == (len(index),) and len(positions) == 1:
            parts[positions[0]] = pandas.Series(values, index=index, dtype=values.dtype)
        else:
            raise CodecError("a block of another shape")
    frame = pandas.DataFrame({position: parts[position] for position in range(len(columns))}, index=index)
    frame.columns = columns
    return frame


# --- scalars and dtypes ------------------------------------------------------------------------------


def _write_stamp(writer: Writer, stamp: Any) -> list[Any]:
    return ["pd.stamp", writer.write(stamp.to_datetime64()), write_pandas_zone(stamp.tzinfo)]


def _read_stamp(reader: Reader, node: Any, zone: Any) -> Any:
    import numpy
    import pandas

    stamp = pandas.Timestamp(reader.a(numpy.datetime64, node))
    return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(read_pandas_zone(zone))


def _read_span(reader: Reader, node: Any) -> Any:
    import numpy
    import pandas

    return pandas.Timedelta(reader.a(numpy.timedelta64, node))


def _read_one_period(reader: Reader, ordinal: Any, freq: Any) -> Any:
    import pandas

    return pandas.Period(ordinal=whole_number(ordinal, -(2**62), 2**62), freq=read_frequency(freq))


def _read_one_interval(reader: Reader, left: Any, right: Any, closed: Any) -> Any:
    import pandas

    return pandas.Interval(reader.read(left), reader.read(right), closed=one_of(closed, CLOSED))


def _missing(name: str) -> Callable[..., Any]:
    def read(reader: Reader) -> Any:
        import pandas

        return getattr(pandas, name)

    return read


def _write_dtype(writer: Writer, dtype: Any) -> list[Any]:
    """Write a dtype as that of an empty array."""
    return ["pd.dtype", write_values(writer, sys.modules["pandas"].array([], dtype=dtype))]


# --- tables ------------------------------------------------------------------------------------------

_TABLES: dict[str, Callable[[Writer, Any], list[Any]]] = {
    "DataFrame": _write_frame,
    "Series": _write_series,
    "RangeIndex": write_index,
    "MultiIndex": write_index,
    **dict.fromkeys(_INDEXES, write_index),
}
_SCALARS: dict[str, Callable[[Writer, Any], list[Any]]] = {
    "Timestamp": _write_stamp,
    "Timedelta": lambda w, v: ["pd.span", w.write(v.to_timedelta64())],
    "Period": lambda w, v: ["pd.aperiod", v.ordinal, v.freqstr],
    "Interval": lambda w, v: ["pd.aninterval", *w.entire([v.left, v.right]), v.closed],
    **dict.fromkeys(WRITERS, _write_dtype),
}


def encoder(kind: type) -> Encode | None:
    """Find the encoder for values of exactly this pandas type."""
    pandas: Any = sys.modules.get("pandas")
    name = kind.__name__
    if pandas is None:
        return None
    if kind is type(getattr(pandas, "NaT", None)):
        return lambda w, v: ["lib", "pandas", ["pd.NaT"], None]
    if kind is type(getattr(pandas, "NA", None)):
        return lambda w, v: ["lib", "pandas", ["pd.NA"], None]
    if getattr(pandas, name, None) is kind:
        table, scalar = _TABLES.get(name), _SCALARS.get(name)
        if table is not None:
            return lambda w, v: w.library("pandas", table(w, v), v)
        if scalar is not None:
            return lambda w, v: ["lib", "pandas", scalar(w, v), None]
    if kind is pandas.Categorical or (name.endswith("Array") and getattr(pandas.arrays, name, None) is kind):
        return lambda w, v: w.library("pandas", write_values(w, v), v)
    return None


DECODERS: dict[str, Callable[..., Any]] = {
    **codec_columns.DECODERS,
    "pd.range": _read_range,
    "pd.multi": _read_multi,
    "pd.index": _read_index,
    "pd.series": _read_series,
    "pd.frame": _read_frame,
    "pd.stamp": _read_stamp,
    "pd.span": _read_span,
    "pd.aperiod": _read_one_period,
    "pd.aninterval": _read_one_interval,
    "pd.dtype": lambda r, node: r.as_is(read_values, r, node).dtype,
    "pd.NaT": _missing("NaT"),
    "pd.NA": _missing("NA"),
}
