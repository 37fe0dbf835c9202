"""Plain data as bytes and back, for two sides of which one is hostile.

A value becomes a JSON text and a list of binary buffers. Only values of an *exact* plain type are written; whatever
else is met is handed to ``refer``, which gives it a number (a remote handle). The decoder builds exact built-in and
numpy types and nothing else: no pickle, no class lookup, no code. Every byte it reads may be the student's, hence the
limits on depth, items, digits and bytes, and the refusal of JSON objects, duplicate meanings and non-finite literals.

In the JSON text ``null``, booleans, strings, finite floats and small integers stand for themselves; everything else is
a list whose first item is a tag (the tables ``_ENCODERS`` and ``_DECODERS``).
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

MAX_DEPTH = 60
MAX_ITEMS = 1_000_000
MAX_BYTES = 256 * 2**20
MAX_DIGITS = 4000

_SMALL = 2**53
_DTYPE = re.compile(r"[<>|=]?(?:b1|[iu][1248]|f(?:2|4|8|16)|c(?:8|16|32)|[SUV]\d{1,9}|[mM]8(?:\[\d*[A-Za-z]+\])?)\Z")


class CodecError(ValueError):
    """A message that is not what the protocol says, or a value past the limits."""


class Reference(NamedTuple):
    """A leaf that stays in the kernel."""

    handle: int
    kind: str
    """``function``, ``class``, ``module``, ``model`` or ``object``."""
    type_name: str


class Packed(NamedTuple):
    """An encoded value."""

    text: bytes
    buffers: list[bytes]


# --- writing -----------------------------------------------------------------------------------------


class _Writer:
    def __init__(self, refer: Callable[[Any], Reference | None] | None) -> None:
        self.refer = refer
        self.buffers: list[bytes] = []
        self.items = 0
        self.bytes = 0
        self.path: set[int] = set()

    def add_buffer(self, data: bytes) -> int:
        self.bytes += len(data)
        if self.bytes > MAX_BYTES:
            raise CodecError(f"more than {MAX_BYTES >> 20} MiB")
        self.buffers.append(data)
        return len(self.buffers) - 1

    def write(self, value: Any) -> Any:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise CodecError(f"more than {MAX_ITEMS:,} items")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            self.bytes += len(value)
            if self.bytes > MAX_BYTES:
                raise CodecError(f"more than {MAX_BYTES >> 20} MiB")
            return value
        encode = _ENCODERS.get(kind) or _numpy_encoder(kind)
        if encode is None:
            return self.leave(value)
        if id(value) in self.path or len(self.path) >= MAX_DEPTH:
            return self.leave(value)
        self.path.add(id(value))
        try:
            return encode(self, value)
        finally:
            self.path.discard(id(value))

    def leave(self, value: Any) -> Any:
        reference = self.refer(value) if self.refer else None
        if reference is None:
            raise CodecError(f"a {type(value).__name__} is not plain data")
        return ["ref", reference.handle, reference.kind, reference.type_name]

    def all(self, values: Any) -> list[Any]:
        return [self.write(value) for value in values]

    def pairs(self, mapping: Any) -> list[Any]:
        return [[self.write(key), self.write(value)] for key, value in mapping.items()]


def _write_int(writer: _Writer, value: int) -> Any:
    if -_SMALL < value < _SMALL:
        return value
    if value.bit_length() > MAX_DIGITS * 4:
        raise CodecError("an integer of too many digits")
    return ["int", hex(value)]


def _write_float(writer: _Writer, value: float) -> Any:
    return value if math.isfinite(value) else ["float", repr(value)]


def _write_ndarray(writer: _Writer, value: Any) -> Any:
    dtype = value.dtype.str
    if value.dtype.hasobject or value.dtype.names or not _DTYPE.match(dtype):
        return writer.leave(value)
    return ["nd", dtype, list(value.shape), writer.add_buffer(value.tobytes())]


def _write_scalar(writer: _Writer, value: Any) -> Any:
    dtype = value.dtype.str
    if not _DTYPE.match(dtype):
        return writer.leave(value)
    return ["np", dtype, writer.add_buffer(value.tobytes())]


_ENCODERS: dict[type, Callable[[_Writer, Any], Any]] = {
    int: _write_int,
    float: _write_float,
    list: lambda w, v: ["list", w.all(v)],
    tuple: lambda w, v: ["tuple", w.all(v)],
    dict: lambda w, v: ["dict", w.pairs(v)],
    set: lambda w, v: ["set", w.all(v)],
    frozenset: lambda w, v: ["frozenset", w.all(v)],
    bytes: lambda w, v: ["bytes", w.add_buffer(v)],
    bytearray: lambda w, v: ["bytearray", w.add_buffer(bytes(v))],
    complex: lambda w, v: ["complex", w.write(v.real), w.write(v.imag)],
    range: lambda w, v: ["range", w.write(v.start), w.write(v.stop), w.write(v.step)],
    slice: lambda w, v: ["slice", w.write(v.start), w.write(v.stop), w.write(v.step)],
    type(Ellipsis): lambda w, v: ["..."],
    type(NotImplemented): lambda w, v: ["NotImplemented"],
    collections.OrderedDict: lambda w, v: ["OrderedDict", w.pairs(v)],
    collections.defaultdict: lambda w, v: ["defaultdict", w.pairs(v)],
    collections.Counter: lambda w, v: ["Counter", w.pairs(v)],
    collections.deque: lambda w, v: ["deque", w.all(v)],
    datetime.date: lambda w, v: ["date", v.isoformat()],
    datetime.timedelta: lambda w, v: ["timedelta", v.days, v.seconds, v.microseconds],
    decimal.Decimal: lambda w, v: ["Decimal", str(v)],
    fractions.Fraction: lambda w, v: ["Fraction", w.write(v.numerator), w.write(v.denominator)],
}


def _numpy_encoder(kind: type) -> Callable[[_Writer, Any], Any] | None:
    numpy = sys.modules.get("numpy")
    if numpy is None or getattr(kind, "__module__", "") != "numpy":
        return None
    if kind is numpy.ndarray:
        return _write_ndarray
    if kind in set(numpy.sctypeDict.values()):
        return _write_scalar
    return None


def encode(value: Any, refer: Callable[[Any], Reference | None] | None = None) -> Packed:
    """Write ``value``. What is not plain is given to ``refer``; without it, or where it gives None, that is an error.

    Raises:
        CodecError: not plain, or past a limit.
    """
    writer = _Writer(refer)
    tree = writer.write(value)
    return Packed(json.dumps(tree, separators=(",", ":"), allow_nan=False).encode("ascii"), writer.buffers)


# --- reading -----------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, buffers: Sequence[Any], refer: Callable[[Reference], Any] | None) -> None:
        self.buffers = buffers
        self.refer = refer
        self.items = 0
        self.bytes = 0

    def read(self, node: Any, depth: int = 0) -> Any:
        self.items += 1
        if self.items > MAX_ITEMS or depth > MAX_DEPTH + 4:
            raise CodecError("too many items or too deep")
        if node is None or isinstance(node, (bool, str, int, float)):
            return node
        if not isinstance(node, list) or not node or not isinstance(node[0], str):
            raise CodecError("not a node")
        decode = _DECODERS.get(node[0])
        if decode is None:
            raise CodecError("unknown tag")
        try:
            return decode(self, depth + 1, *node[1:])
        except CodecError:
            raise
        except (TypeError, ValueError, ArithmeticError, IndexError, OverflowError) as error:
            raise CodecError(f"malformed {node[0]!r}: {type(error).__name__}") from None

    def all(self, nodes: Any, depth: int) -> list[Any]:
        return [self.read(node, depth) for node in _a(list, nodes)]

    def pairs(self, nodes: Any, depth: int) -> list[tuple[Any, Any]]:
        return [(self.read(_a(list, n)[0], depth), self.read(n[1], depth)) for n in _a(list, nodes)]

    def buffer(self, index: Any) -> bytes:
        index = _a(int, index)
        if not 0 <= index < len(self.buffers):
            raise CodecError("no such buffer")
        self.bytes += len(self.buffers[index])
        if self.bytes > MAX_BYTES:
            raise CodecError("too large")
        return bytes(self.buffers[index])


def _a(kind: type, value: Any) -> Any:
    """``value``, if it is exactly of the kind."""
    if type(value) is not kind:
        raise CodecError(f"expected {kind.__name__}")
    return value


def _dtype(name: Any) -> Any:
    import numpy

    if not _DTYPE.match(_a(str, name)):
        raise CodecError("dtype not allowed")
    return numpy.dtype(name)


def _product(sizes: list[int]) -> int:
    result = 1  # math.prod is not there in Python 3.7
    for size in sizes:
        result *= size
    return result


def _read_ndarray(reader: _Reader, depth: int, name: Any, shape: Any, index: Any) -> Any:
    import numpy

    dtype, data = _dtype(name), reader.buffer(index)
    sizes = [_a(int, size) for size in _a(list, shape)]
    if len(sizes) > 32 or any(size < 0 for size in sizes):
        raise CodecError("shape not allowed")
    if _product(sizes) * dtype.itemsize != len(data):
        raise CodecError("shape and buffer differ")
    if _product([size or 1 for size in sizes]) > 2**40:
        raise CodecError("shape not allowed")
    if not data:
        return numpy.zeros(sizes, dtype)
    return numpy.frombuffer(data, dtype).reshape(sizes).copy()


def _read_scalar(reader: _Reader, depth: int, name: Any, index: Any) -> Any:
    import numpy

    dtype, data = _dtype(name), reader.buffer(index)
    if len(data) != dtype.itemsize:
        raise CodecError("not one scalar")
    return numpy.frombuffer(data, dtype)[0] if data else dtype.type()


def _read_float(reader: _Reader, depth: int, name: Any) -> float:
    if name not in ("nan", "inf", "-inf"):
        raise CodecError("not a float")
    return float(name)


def _read_decimal(reader: _Reader, depth: int, text: Any) -> decimal.Decimal:
    if len(_a(str, text)) > MAX_DIGITS:
        raise CodecError("too many digits")
    number = decimal.Decimal(text)
    if number.is_finite() and abs(number.adjusted()) > MAX_DIGITS:
        raise CodecError("too many digits")
    return number


def _read_range(reader: _Reader, depth: int, *ends: Any) -> range:
    numbers = range(*(_a(int, reader.read(end)) for end in ends))
    if abs(numbers.stop - numbers.start) > MAX_ITEMS * abs(numbers.step):
        raise CodecError("a range of too many numbers")
    return numbers


def _read_reference(reader: _Reader, depth: int, handle: Any, kind: Any, type_name: Any) -> Any:
    if reader.refer is None:
        raise CodecError("a handle where plain data is due")
    return reader.refer(Reference(_a(int, handle), _a(str, kind)[:40], _a(str, type_name)[:200]))


_DECODERS: dict[str, Callable[..., Any]] = {
    "int": lambda r, d, text: int(_a(str, text)[: MAX_DIGITS + 4], 16),
    "float": _read_float,
    "list": lambda r, d, nodes: r.all(nodes, d),
    "tuple": lambda r, d, nodes: tuple(r.all(nodes, d)),
    "dict": lambda r, d, nodes: dict(r.pairs(nodes, d)),
    "set": lambda r, d, nodes: set(r.all(nodes, d)),
    "frozenset": lambda r, d, nodes: frozenset(r.all(nodes, d)),
    "bytes": lambda r, d, index: r.buffer(index),
    "bytearray": lambda r, d, index: bytearray(r.buffer(index)),
    "complex": lambda r, d, re_, im: complex(_a(float, r.read(re_)), _a(float, r.read(im))),
    "range": _read_range,
    "slice": lambda r, d, *ends: slice(*(r.read(end, d) for end in ends)),
    "...": lambda r, d: Ellipsis,
    "NotImplemented": lambda r, d: NotImplemented,
    "OrderedDict": lambda r, d, nodes: collections.OrderedDict(r.pairs(nodes, d)),
    "defaultdict": lambda r, d, nodes: collections.defaultdict(None, r.pairs(nodes, d)),
    "Counter": lambda r, d, nodes: collections.Counter(dict(r.pairs(nodes, d))),
    "deque": lambda r, d, nodes: collections.deque(r.all(nodes, d)),
    "date": lambda r, d, text: datetime.date.fromisoformat(_a(str, text)),
    "timedelta": lambda r, d, *parts: datetime.timedelta(*(_a(int, part) for part in parts)),
    "Decimal": _read_decimal,
    "Fraction": lambda r, d, n, m: fractions.Fraction(_a(int, r.read(n)), _a(int, r.read(m))),
    "nd": _read_ndarray,
    "np": _read_scalar,
    "ref": _read_reference,
}


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise CodecError("a number past the range of floats")
    return number


def _refuse(*_: Any) -> Any:
    raise CodecError("JSON that the protocol does not use")


def decode(text: Any, buffers: Sequence[Any] = (), refer: Callable[[Reference], Any] | None = None) -> Any:
    """Read a value; ``refer`` turns a reference into what stands for it (without it, references are an error).

    Raises:
        CodecError: for anything that is not exactly the protocol's.
    """
    data = bytes(text)
    if len(data) + sum(len(b) for b in buffers) > MAX_BYTES * 2:
        raise CodecError("too large")
    try:
        tree = json.loads(data, object_pairs_hook=_refuse, parse_constant=_refuse, parse_float=_finite)
        return _Reader(buffers, refer).read(tree)
    except CodecError:
        raise
    except (ValueError, RecursionError, UnicodeError) as error:
        raise CodecError(f"not a message: {type(error).__name__}") from None
