"""Nodes for numpy's dtypes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from .core import CodecError, NotPlain, exactly, one_of, whole_number

_DTYPE = re.compile(
    r"[<>|=]?(?:b1|[iu][1248]|f(?:2|4|8|16)|c(?:8|16|32)|[SUV]\d{1,9}|[mM]8(?:\[\d{0,9}[A-Za-z]+\])?)\Z"
)
_MAX_FIELDS = 1000
_MAX_NESTED = 10
_MAX_DIMENSIONS = 32
_SMALL = (
    "bfloat16 float8_e3m4 float8_e4m3 float8_e4m3b11fnuz float8_e4m3fn float8_e4m3fnuz float8_e5m2 "
    "float8_e5m2fnuz float8_e8m0fnu int2 int4 uint2 uint4"
)
SMALL_FLOATS = frozenset(_SMALL.split())
"""Types of the package ml_dtypes, which TensorFlow and JAX use."""
NARROW = SMALL_FLOATS | {"int8", "uint8", "int16", "uint16", "int32", "uint32", "float16"}
"""Numbers that wrap and overflow early, and so may equal what they should not."""


def dtype_node(dtype: Any) -> Any:
    """Write a dtype without objects: its text, or a list for fields, sub-arrays and small floats.

    Raises:
        NotPlain: a dtype of another kind.
    """
    if dtype.kind == "T" and not hasattr(dtype, "na_object"):
        return ["text", bool(dtype.coerce)]
    if dtype.kind == "O":
        return "O"
    if dtype.hasobject:
        raise NotPlain
    if dtype.subdtype is not None:
        return ["of", dtype_node(dtype.subdtype[0]), list(dtype.subdtype[1])]
    if dtype.names is not None:
        fields = [(name, dtype.fields[name]) for name in dtype.names]
        titles = [field[2] if len(field) > 2 else None for _, field in fields]
        if not all(type(title) in (str, type(None)) for title in titles):
            raise NotPlain
        nodes = [[name, dtype_node(field[0]), field[1], title] for (name, field), title in zip(fields, titles)]  # noqa: B905
        return ["fields", nodes, dtype.itemsize, bool(dtype.isalignedstruct)]
    module = dtype.type.__module__
    if module == "ml_dtypes" and dtype.type.__name__ in SMALL_FLOATS:
        return ["small", dtype.type.__name__]
    if module != "numpy" or not _DTYPE.match(dtype.str):
        raise NotPlain
    return dtype.str


def read_dtype(node: Any, most: int, nested: int = 0) -> Any:
    """Read the dtype of a node, with items of at most ``most`` bytes."""
    import numpy

    if nested > _MAX_NESTED:
        raise CodecError("a dtype nested too deep")
    if type(node) is str:
        if node != "O" and not _DTYPE.match(node):
            raise CodecError("dtype not allowed")
        dtype = numpy.dtype(node)
    else:
        kind, *parts = exactly(list, node)
        dtype = _DTYPES[one_of(kind, _DTYPES)](most, nested + 1, *parts)
    if dtype.itemsize > most or (dtype.hasobject and dtype.names is not None):
        raise CodecError("dtype not allowed")
    return dtype


def _read_fields(most: int, nested: int, nodes: Any, size: Any, aligned: Any) -> Any:
    import numpy

    if len(exactly(list, nodes)) > _MAX_FIELDS:
        raise CodecError(f"more than {_MAX_FIELDS:,} fields")
    names, formats, offsets, titles = [], [], [], []
    for name, node, offset, title in nodes:
        field = read_dtype(node, most, nested)
        if field.hasobject:
            raise CodecError("an object among fields")
        names.append(exactly(str, name))
        formats.append(field)
        offsets.append(whole_number(offset, 0, most))
        titles.append(None if title is None else exactly(str, title))
    described = {"names": names, "formats": formats, "offsets": offsets, "itemsize": whole_number(size, 0, most)}
    if any(title is not None for title in titles):
        described["titles"] = titles
    return numpy.dtype(described, align=exactly(bool, aligned))  # type: ignore[call-overload]


def _read_subarray(most: int, nested: int, node: Any, shape: Any) -> Any:
    import numpy

    base = read_dtype(node, most, nested)
    sizes = read_sizes(shape)
    if base.hasobject or not sizes or math.prod(sizes) * base.itemsize > most:
        raise CodecError("dtype not allowed")
    return numpy.dtype((base, tuple(sizes)))


def _read_small(most: int, nested: int, name: Any) -> Any:
    import ml_dtypes
    import numpy

    return numpy.dtype(getattr(ml_dtypes, one_of(name, SMALL_FLOATS)))


def _read_text(most: int, nested: int, coerce: Any) -> Any:
    import numpy

    return numpy.dtypes.StringDType(coerce=exactly(bool, coerce))


_DTYPES: dict[str, Callable[..., Any]] = {
    "of": _read_subarray,
    "fields": _read_fields,
    "small": _read_small,
    "text": _read_text,
}


INFINITE = "inf"
"""The name of infinity in fewer than 64 bits, among the types that a reader keeps."""
_FULL = {"float32": "float64", "complex64": "complex128"}


def wide_dtype(dtype: Any, kept_types: Any, bits: int, *, full: bool = False) -> Any:
    """Return the dtype that holds the same numbers in ``bits`` bits, 32 or 64.

    A dtype in ``kept_types``, or one that is wide already, stays as it is. With ``full``, every float gets 64 bits.
    """
    import numpy

    if dtype.subdtype is not None:
        return numpy.dtype((wide_dtype(dtype.subdtype[0], kept_types, bits, full=full), dtype.subdtype[1]))
    if dtype.names is not None:
        fields = [(name, wide_dtype(dtype.fields[name][0], kept_types, bits, full=full)) for name in dtype.names]
        return dtype if all(dtype.fields[name][0] == field for name, field in fields) else numpy.dtype(fields)
    if full and _is_narrow_float(dtype):
        return numpy.dtype(_FULL.get(dtype.name, "float64"))
    if dtype.name not in NARROW:
        return dtype
    wide = numpy.dtype(("int" if "int" in dtype.name else "float") + str(64 if dtype.name == "uint32" else bits))
    return dtype if wide == dtype or dtype.name in kept_types else wide  # to ask is to observe


def is_infinite_in_few_bits(array: Any) -> bool:
    """Return whether a float of fewer than 64 bits is infinite: it would equal each number past its range."""
    import numpy

    if array.dtype.names is not None:
        return any(is_infinite_in_few_bits(array[name]) for name in array.dtype.names)
    return _is_narrow_float(array.dtype) and bool(numpy.isinf(array).any())


def _is_narrow_float(dtype: Any) -> bool:
    return dtype.name in _FULL or (dtype.name in NARROW and "float" in dtype.name)


def read_sizes(shape: Any) -> list[int]:
    """Read a shape, within bounds."""
    sizes = [whole_number(size, 0, 2**62) for size in exactly(list, shape)]
    if len(sizes) > _MAX_DIMENSIONS or math.prod([size or 1 for size in sizes]) > 2**40:
        raise CodecError("shape not allowed")
    return sizes
