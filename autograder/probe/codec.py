"""Plain data as bytes and back, for two sides of which one is hostile.

A value becomes a JSON text and a list of binary buffers. Only values of an *exact* plain type are written; whatever
else is met is handed to ``refer``, which gives it a number (a remote handle). The decoder builds values of the types
in its tables and nothing else: no pickle, no class looked up by a name of the message, no code. Every byte it reads
may be the student's, hence the limits on depth, items, digits and bytes, and the refusal of JSON objects, duplicate
meanings and non-finite literals.

In the JSON text ``null``, booleans, strings, finite floats and small integers stand for themselves; everything else is
a list whose first item is a tag (the tables ``ENCODERS`` and ``DECODERS`` of the modules beside this one).
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from . import codec_numpy, codec_pandas, codec_python, codec_scipy, codec_stdlib, codec_tensor
from .codec_core import UNKNOWN, CodecError, Encode, Limits, Packed, Passing, Reader, Refer, Reference, Writer

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_ITEMS", "CodecError", "Packed", "Reference", "decode", "encode", "references"]

MAX_DEPTH = 100
MAX_ITEMS = 1_000_000
MAX_BYTES = 256 * 2**20

_ENCODERS: dict[type, Encode] = {
    **codec_python.ENCODERS,
    **codec_stdlib.ENCODERS,
    type: codec_numpy.write_type,
}

_LIBRARIES: dict[str, Callable[[type], Encode | None]] = {
    "numpy": codec_numpy.encoder,
    "pandas": codec_pandas.encoder,
    "ml_dtypes": codec_numpy.encoder,
    "scipy": codec_scipy.encoder,
    "tensorflow": codec_tensor.encoder,
    "jaxlib": codec_tensor.encoder,
    "torch": codec_tensor.encoder,
}
"""The first part of a type's module → what knows that library's types."""

_DECODERS: dict[str, Callable[..., Any]] = {
    "ref": lambda r, handle, kind, type_name: r.reference(handle, kind, type_name),
    "lib": Reader.library,
    "str": Reader.text,
    **codec_python.DECODERS,
    **codec_stdlib.DECODERS,
    **codec_numpy.DECODERS,
    **codec_pandas.DECODERS,
    **codec_scipy.DECODERS,
    **codec_tensor.DECODERS,
}


def _find(kind: type) -> Encode | None:
    """What writes values of exactly this type; nothing does where its metaclass has a mind of its own."""
    try:
        known = _ENCODERS.get(kind)
        if known is not None:
            return known
        library = _LIBRARIES.get(kind.__module__.partition(".")[0])
        return library(kind) if library is not None else None
    except Exception:
        return None


def encode(value: Any, refer: Refer | None = None) -> Packed:
    """Write ``value``. What is not plain is given to ``refer``; without it, or where it gives None, that is an error.

    Raises:
        CodecError: not plain, or past a limit.
    """
    writer = Writer(_find, refer, Limits(MAX_DEPTH, MAX_ITEMS, MAX_BYTES))
    with warnings.catch_warnings():  # what a library says of its own old ways is nobody's answer
        warnings.simplefilter("ignore")
        tree = writer.write(value)
    text = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode("ascii")
    if len(text) > MAX_BYTES:
        raise CodecError(f"more than {MAX_BYTES >> 20} MiB")
    return Packed(text, writer.buffers)


_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def _within_bounds(data: bytes) -> None:
    """Refuse a text that would become far more objects than it has bytes; lists of nothing, above all."""
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
    """The tree of nodes, of which nothing is known but that it is not too large."""
    data = bytes(text)
    if len(data) > MAX_BYTES or len(data) + sum(len(b) for b in buffers) > MAX_BYTES * 2:
        raise CodecError("too large")
    _within_bounds(data)
    try:
        return json.loads(data, object_pairs_hook=_refuse, parse_constant=_refuse, parse_float=_finite)
    except CodecError:
        raise
    except (ValueError, RecursionError, MemoryError) as error:
        raise CodecError(f"not a message: {type(error).__name__}") from None


def references(text: Any) -> list[Reference]:
    """The references in a message, without reading the values beside them; none where it is no message."""
    found: list[Reference] = []
    try:
        pending = [_parsed(text)]
    except CodecError:
        return found
    while pending:
        node = pending.pop()
        if type(node) is list:
            pending.extend(reversed(node))
            if len(node) == 4 and node[0] == "ref" and [type(part) for part in node[1:]] == [int, str, str]:
                found.append(Reference(node[1], node[2][:40], node[3][:200]))
    return found


def decode(
    text: Any,
    buffers: Sequence[Any] = (),
    refer: Callable[[Reference], Any] | None = None,
    strict: bool = False,
    kept: Any = frozenset(),
) -> Any:
    """Read a value; ``refer`` turns a reference into what stands for it (without it, references are an error).

    With ``strict``, arrays and tables with masked items or ``pandas.NA`` are references, too, with the value in them;
    and values of fewer than 32 bits, masked and nullable ones become plain ones of full width, but for the types in
    ``kept`` (None: all types): ``float16``, ``masked``, ``Int64``.

    Raises:
        CodecError: for anything that is not exactly the protocol's.
        Exception: what ``refer`` raised.
    """
    tree = _parsed(text, buffers)
    reader = Reader(_DECODERS, buffers, refer, Limits(MAX_DEPTH, MAX_ITEMS, MAX_BYTES), strict, kept)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = reader.read(tree)
    except Passing as passing:
        raise passing.error from None
    if strict and reader.unknown:
        raise CodecError(UNKNOWN if reader.unknown is True else reader.unknown)
    return value
