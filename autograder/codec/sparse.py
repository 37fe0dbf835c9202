"""Nodes for scipy's sparse matrices and arrays.

Compiled code uses their indices without a check, so every index is checked before a test sees the matrix.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .arrays import read_array, write_array
from .core import CodecError, Encode, Reader, Writer, exactly, one_of, whole_number

_COMPRESSED = ("csr", "csc", "bsr")
_CLASSES = {
    f"{form}_{kind}": (form, kind)
    for form in ("csr", "csc", "bsr", "coo", "dia", "lil", "dok")
    for kind in ("matrix", "array")
}
_MAX_SIDES = 10_000_000
"""Rows and columns together, which bounds the cost of a change of format. A row of a list of lists takes two lists, 200
bytes.
"""


def encoder(kind: type) -> Encode | None:
    """Find the encoder for values of exactly this type of scipy.sparse."""
    sparse: Any = sys.modules.get("scipy.sparse")
    if sparse is None or kind.__name__ not in _CLASSES or getattr(sparse, kind.__name__, None) is not kind:
        return None
    return lambda w, v: w.library("scipy", _write(w, v), v)


def _write(writer: Writer, value: Any) -> list[Any]:
    form = _CLASSES[type(value).__name__][0]
    if form in _COMPRESSED and value.ndim == 2:
        parts = [value.data, value.indices, value.indptr]
    elif form == "dia":
        parts = [value.data, value.offsets]
    else:
        form, value_coo = "coo", value.tocoo()
        parts = [value_coo.data, *getattr(value_coo, "coords", (value_coo.row, value_coo.col))]
    arrays = [write_array(writer, sys.modules["numpy"].asarray(part)) for part in parts]
    return ["sparse", type(value).__name__, form, [int(size) for size in value.shape], arrays]


def _read(reader: Reader, name: Any, form: Any, shape: Any, nodes: Any) -> Any:
    from scipy import sparse

    wanted, kind = _CLASSES[one_of(name, _CLASSES)]
    sizes = tuple(whole_number(size, 0, _MAX_SIDES) for size in exactly(list, shape))
    if sum(sizes) > _MAX_SIDES or not 1 <= len(sizes) <= 32:
        raise CodecError(f"a sparse matrix of more than {_MAX_SIDES:,} rows and columns")
    reader.charge(200 * sum(sizes) if wanted == "lil" else 8 * sum(sizes))
    arrays = [read_array(reader, node, "biufc" if place == 0 else "i") for place, node in enumerate(nodes)]
    build: Callable[..., Any] = {"coo": _coo, "dia": _dia}.get(form, _compressed)
    if form not in ("coo", wanted):
        raise CodecError("another format")
    return build(getattr(sparse, f"{form}_{kind}"), sizes, *arrays).asformat(wanted)


def _compressed(kind: Callable[..., Any], shape: Any, data: Any, indices: Any, indptr: Any) -> Any:
    matrix: Any = kind((data, indices, indptr), shape=shape)
    matrix.check_format(full_check=True)
    if matrix.shape != shape:
        raise CodecError("another shape")
    return matrix


def _coo(kind: Any, shape: Any, data: Any, *coords: Any) -> Any:
    if len(coords) != len(shape) or data.ndim != 1 or any(places.shape != data.shape for places in coords):
        raise CodecError("values and places differ")
    for places, size in zip(coords, shape):  # noqa: B905 - not in Python 3.9
        if len(places) and not 0 <= places.min() <= places.max() < size:
            raise CodecError("a place out of bounds")
    return kind((data, coords), shape=shape)


def _dia(kind: Any, shape: Any, data: Any, offsets: Any) -> Any:
    if data.ndim != 2 or offsets.shape != data.shape[:1] or len(shape) != 2:
        raise CodecError("diagonals and offsets differ")
    if len(offsets) and not -shape[0] < offsets.min() <= offsets.max() < max(shape[1], 1):
        raise CodecError("a diagonal out of bounds")
    return kind((data, offsets), shape=shape)


DECODERS: dict[str, Callable[..., Any]] = {"sparse": _read}
