"""Nodes for Python's own types: numbers, containers, bytes, and the types themselves by name."""

from __future__ import annotations

import array
import collections
import math
import types
from collections.abc import Callable
from typing import Any

from .core import (
    COMPLEX,
    CodecError,
    Encode,
    LimitError,
    Reader,
    Writer,
    exactly,
    keys,
    one_of,
    require_rounding,
    whole_number,
)

_MAX_BITS = 1_000_000
"""Bits of an integer."""
_MAX_RANGE = 1_000_000

TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, slice, type(None),
    )
}  # fmt: skip
"""Types that are values themselves, by name. Exceptions, ``type`` and ``object`` are not: every value would fit them.
"""

_VIEW_FORMATS = frozenset("bBhHiIlLqQnNfd?c")
_ARRAY_CODES = frozenset("bBhHiIlLqQfd")

# --- numbers -----------------------------------------------------------------------------------------


def _write_int(writer: Writer, value: int) -> Any:
    if value.bit_length() > _MAX_BITS:
        raise CodecError(f"an integer of more than {_MAX_BITS:,} bits")
    writer.count(0, value.bit_length() // 4)
    return ["int", hex(value)]


def _read_int(reader: Reader, text: Any) -> int:
    if len(exactly(str, text)) > _MAX_BITS // 4 + 4:
        raise LimitError(f"an integer of more than {_MAX_BITS:,} bits")
    return int(text, 16)


def _read_float(reader: Reader, name: Any) -> float:
    return float(one_of(name, ("nan", "inf", "-inf")))


def _read_complex(reader: Reader, real_node: Any, imaginary_node: Any) -> Any:
    real, imaginary = reader.a(float, real_node), reader.a(float, imaginary_node)
    if reader.keeps(COMPLEX):  # to ask is to observe
        return complex(real, imaginary)
    require_rounding(abs(imaginary), abs(real))
    return real


def _write_range(writer: Writer, value: range) -> Any:
    _bounded(value)
    return ["range", writer.write(value.start), writer.write(value.stop), writer.write(value.step)]


def _read_range(reader: Reader, *ends: Any) -> range:
    return _bounded(range(*(reader.a(int, end) for end in ends)))


def _bounded(numbers: range) -> range:
    if abs(numbers.stop - numbers.start) > _MAX_RANGE * abs(numbers.step):
        raise LimitError(f"a range of more than {_MAX_RANGE:,} numbers")
    return numbers


# --- containers --------------------------------------------------------------------------------------


def _write_defaultdict(writer: Writer, value: Any) -> Any:
    """Write a defaultdict, with its factory only if that is one of Python's own types."""
    factory = value.default_factory
    name = next((name for name, kind in TYPES.items() if kind is factory and kind is not type(None)), None)
    return ["defaultdict", name, writer.pairs(value)]


def _read_defaultdict(reader: Reader, name: Any, nodes: Any) -> Any:
    factory = None if name is None else TYPES[one_of(name, TYPES)]
    return collections.defaultdict(factory, _mapping(reader, nodes))


def _mapping(reader: Reader, nodes: Any) -> dict[Any, Any]:
    pairs = reader.pairs(nodes)
    keys([key for key, _ in pairs])
    return dict(pairs)


def _read_chain(reader: Reader, nodes: Any) -> Any:
    maps = reader.all(nodes)
    if not all(type(one) in _MAPPINGS for one in maps):
        raise CodecError("a ChainMap of something else than mappings")
    return collections.ChainMap(*maps)


_MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter, collections.ChainMap)


def _write_deque(writer: Writer, value: Any) -> Any:
    return ["deque", writer.all(value), value.maxlen]


def _read_deque(reader: Reader, nodes: Any, most: Any) -> Any:
    items = reader.all(nodes)
    if most is not None:
        whole_number(most, len(items), 2**62)
    return collections.deque(items, most)


# --- bytes -------------------------------------------------------------------------------------------


def _write_view(writer: Writer, value: Any) -> Any:
    if value.format not in _VIEW_FORMATS or value.ndim < 1 or 0 in value.shape:
        return writer.leave(value)
    return ["memoryview", writer.add_buffer(value.tobytes()), value.format, list(value.shape), value.readonly]


def _read_view(reader: Reader, index: Any, code: Any, shape: Any, readonly: Any) -> memoryview:
    data = reader.buffer(index)
    sizes = [whole_number(size, 1, 2**40) for size in exactly(list, shape)]
    view = memoryview(data if exactly(bool, readonly) else bytearray(data))
    return view.cast(one_of(code, _VIEW_FORMATS), sizes)


def _write_array(writer: Writer, value: Any) -> Any:
    if value.typecode not in _ARRAY_CODES:
        return writer.leave(value)
    return ["array", value.typecode, writer.add_buffer(value.tobytes())]


def _read_array(reader: Reader, code: Any, index: Any) -> Any:
    numbers = array.array(one_of(code, _ARRAY_CODES))
    numbers.frombytes(reader.buffer(index))
    return numbers


# --- tables ------------------------------------------------------------------------------------------

ENCODERS: dict[type, Encode] = {
    int: _write_int,
    float: lambda w, v: v if math.isfinite(v) else ["float", repr(v)],
    complex: lambda w, v: ["complex", w.write(v.real), w.write(v.imag)],
    list: lambda w, v: w.sequence("list", v),
    tuple: lambda w, v: w.sequence("tuple", v),
    dict: lambda w, v: ["dict", w.pairs(v)],
    set: lambda w, v: ["set", w.all(v)],
    frozenset: lambda w, v: ["frozenset", w.all(v)],
    bytes: lambda w, v: ["bytes", w.add_buffer(v)],
    bytearray: lambda w, v: ["bytearray", w.add_buffer(bytes(v))],
    memoryview: _write_view,
    array.array: _write_array,
    range: _write_range,
    slice: lambda w, v: ["slice", w.write(v.start), w.write(v.stop), w.write(v.step)],
    type(Ellipsis): lambda w, v: ["..."],
    type(NotImplemented): lambda w, v: ["NotImplemented"],
    type({}.keys()): lambda w, v: ["dict.keys", w.all(v)],
    type({}.values()): lambda w, v: ["dict.values", w.all(v)],
    type({}.items()): lambda w, v: ["dict.items", [[w.write(key), w.write(value)] for key, value in v]],
    types.MappingProxyType: lambda w, v: ["proxy", w.write(dict(v))],
    collections.OrderedDict: lambda w, v: ["OrderedDict", w.pairs(v)],
    collections.defaultdict: _write_defaultdict,
    collections.Counter: lambda w, v: ["Counter", w.pairs(v)],
    collections.ChainMap: lambda w, v: ["ChainMap", w.entire(v.maps)],
    collections.deque: _write_deque,
}

DECODERS: dict[str, Callable[..., Any]] = {
    "int": _read_int,
    "float": _read_float,
    "complex": _read_complex,
    "list": lambda r, *what: r.sequence(*what),
    "tuple": lambda r, *what: tuple(r.sequence(*what)),
    "dict": _mapping,
    "set": lambda r, nodes: set(keys(r.all(nodes))),
    "frozenset": lambda r, nodes: frozenset(keys(r.all(nodes))),
    "bytes": lambda r, index: r.buffer(index),
    "bytearray": lambda r, index: bytearray(r.buffer(index)),
    "memoryview": _read_view,
    "array": _read_array,
    "range": _read_range,
    "slice": lambda r, start, stop, step: slice(r.read(start), r.read(stop), r.read(step)),
    "...": lambda r: Ellipsis,
    "NotImplemented": lambda r: NotImplemented,
    "type": lambda r, name: TYPES[one_of(name, TYPES)],
    "dict.keys": lambda r, nodes: dict.fromkeys(keys(r.all(nodes))).keys(),
    "dict.values": lambda r, nodes: dict(enumerate(r.all(nodes))).values(),
    "dict.items": lambda r, nodes: _mapping(r, nodes).items(),
    "proxy": lambda r, node: types.MappingProxyType(r.a(dict, node)),
    "OrderedDict": lambda r, nodes: collections.OrderedDict(_mapping(r, nodes)),
    "defaultdict": _read_defaultdict,
    "Counter": lambda r, nodes: collections.Counter(_mapping(r, nodes)),
    "ChainMap": _read_chain,
    "deque": _read_deque,
}
