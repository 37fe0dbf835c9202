"""A codec between plain data and bytes, for two sides of which one is hostile.

A value becomes a JSON text and a list of binary buffers. Only values of an *exact* plain type are written; any other
value goes to ``refer``, which gives it a number (a handle). The decoder builds values of the types in its tables and
nothing else. It unpickles nothing, looks up no class by a name from the message, and runs no code. Every byte that it
reads may be the student's. So it limits depth, items, digits and bytes, and refuses JSON objects, duplicate meanings
and non-finite literals.

In the JSON text ``null``, booleans, strings, finite floats and small integers stand for themselves. Everything else is
a list whose first item is a tag (the tables ``ENCODERS`` and ``DECODERS`` of this package's modules).
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Callable, Container, Sequence
from typing import Any

from . import arrays, builtin_types, sparse, standard_library, tables, tensors
from .core import (
    UNKNOWN,
    CodecError,
    Encode,
    LimitError,
    MessageLimits,
    Packed,
    Passing,
    Reader,
    Refer,
    Reference,
    Writer,
)

__all__ = [
    "MAX_BYTES", "MAX_DEPTH", "MAX_ITEMS", "CodecError", "LimitError", "Packed", "Reference", "decode", "encode",
    "encode_as", "is_written", "references",
]  # fmt: skip

MAX_DEPTH = 100
MAX_ITEMS = 1_000_000
MAX_BYTES = 256 * 2**20

_ENCODERS: dict[type, Encode] = {
    **builtin_types.ENCODERS,
    **standard_library.ENCODERS,
    type: arrays.write_type,
}

_LIBRARIES: dict[str, Callable[[type], Encode | None]] = {
    "numpy": arrays.encoder,
    "pandas": tables.encoder,
    "ml_dtypes": arrays.encoder,
    "scipy": sparse.encoder,
    "tensorflow": tensors.encoder,
    "jaxlib": tensors.encoder,
    "torch": tensors.encoder,
}
"""The first part of a type's module → the function that finds the encoder for a type of that library."""

_DECODERS: dict[str, Callable[..., Any]] = {
    "ref": lambda r, handle, kind, type_name: r.reference(handle, kind, type_name),
    "lib": Reader.library,
    "str": Reader.text,
    "same": Reader.same,
    **builtin_types.DECODERS,
    **standard_library.DECODERS,
    **arrays.DECODERS,
    **tables.DECODERS,
    **sparse.DECODERS,
    **tensors.DECODERS,
}


def _find(kind: type) -> Encode | None:
    """Find the encoder for values of exactly this type; None if there is none or its metaclass interferes."""
    try:
        encoder = _ENCODERS.get(kind)
        if encoder is not None:
            return encoder
        library = _LIBRARIES.get(kind.__module__.partition(".")[0])
        return library(kind) if library is not None else None
    except Exception:
        return None


def encode(
    value: Any,
    refer: Refer | None = None,
    mark: Callable[[Any], int] | None = None,
    *,
    gradients: bool = True,
    staying: Container[int] = (),
) -> Packed:
    """Encode ``value``; a list or the like that is in it twice is one object on the other side, too.

    A value that is not plain goes to ``refer``. Without ``refer``, or if it returns None, such a value is an error.
    ``mark`` gives an object a number above 0, by which a reader knows it in several messages. ``gradients`` tells
    whether tensors of PyTorch take theirs along. ``staying`` has the ``id`` of values that go to ``refer``, too.

    Raises:
        CodecError: the value is not plain, or past a limit.
    """
    writer = Writer(_find, refer, MessageLimits(MAX_DEPTH, MAX_ITEMS, MAX_BYTES), mark, gradients, staying)
    with warnings.catch_warnings():  # a library's deprecation warnings must not reach the student's outputs
        warnings.simplefilter("ignore")
        tree = writer.write(value)
    text = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode("ascii")
    if len(text) > MAX_BYTES:
        raise CodecError(f"more than {MAX_BYTES >> 20} MiB")
    return Packed(text, writer.buffers)


def is_written(kind: type) -> bool:
    """Return whether :func:`encode` knows how to write values of exactly this type."""
    return _find(kind) is not None


def encode_as(kind: type, plain: Callable[[Any], Any]) -> None:
    """Let :func:`encode` write values of a type of this process as the plain values that a function returns."""
    _ENCODERS[kind] = lambda writer, value: writer.write(plain(value))


_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def _within_bounds(data: bytes) -> None:
    """Refuse a text with far more objects than its bytes suggest, above all lists of empty lists."""
    most = 8 * MAX_ITEMS
    if data.count(b",") + data.count(b"[") > most:
        bare = _STRING.sub(b"", data)
        if bare.count(b",") + bare.count(b"[") > most:
            raise CodecError(f"more than {MAX_ITEMS:,} items")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise CodecError("a number past the range of floats")
    return number


def _refuse(*_: Any) -> Any:
    raise CodecError("JSON that the protocol does not use")


def _parsed(text: Any, buffers: Sequence[Any] = ()) -> Any:
    """Parse a message to a tree of nodes; only its size is checked."""
    data = bytes(text)
    if len(data) > MAX_BYTES or len(data) + sum(len(b) for b in buffers) > MAX_BYTES * 2:
        raise LimitError("too large")
    _within_bounds(data)
    try:
        return json.loads(data, object_pairs_hook=_refuse, parse_constant=_refuse, parse_float=_finite)
    except CodecError:
        raise
    except (ValueError, RecursionError, MemoryError) as error:
        raise CodecError(f"not a message: {type(error).__name__}") from None


def references(text: Any) -> list[Reference]:
    """List the references in a message without decoding its values; empty if it is no message."""
    result: list[Reference] = []
    try:
        pending = [_parsed(text)]
    except CodecError:
        return result
    while pending:
        node = pending.pop()
        if type(node) is list:
            pending.extend(reversed(node))
            if len(node) == 4 and node[0] == "ref" and [type(part) for part in node[1:]] == [int, str, str]:
                result.append(Reference(node[1], node[2][:40], node[3][:200]))
    return result


def decode(
    text: Any,
    buffers: Sequence[Any] = (),
    refer: Callable[[Reference], Any] | None = None,
    strict: bool = False,
    kept_types: Any = frozenset(),
    numbered: dict[int, Any] | None = None,
) -> Any:
    """Decode a value.

    Args:
        text: the message's text.
        buffers: its buffers.
        refer: turns a reference into its stand-in; without it, references are an error.
        strict: arrays and tables with masked items or ``pandas.NA`` become references that carry the value. Values of
            few bits, masked and nullable ones become plain ones of full width.
        kept_types: types that ``strict`` does not convert (None: all types): ``float16``, ``masked``, ``Int64``.
        numbered: the objects that messages before this one marked; those of this one are added.

    Raises:
        CodecError: the message breaks the protocol.
        Exception: what ``refer`` raised.
    """
    tree = _parsed(text, buffers)
    reader = Reader(
        _DECODERS, buffers, refer, MessageLimits(MAX_DEPTH, MAX_ITEMS, MAX_BYTES), strict, kept_types, numbered
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = reader.read(tree)
    except Passing as passing:
        raise passing.error from None
    if strict and reader.unknown:
        raise CodecError(UNKNOWN if reader.unknown is True else reader.unknown)
    return value
