"""Nodes for numpy's types: arrays, scalars, masked arrays, polynomials."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from .builtin_types import TYPES
from .core import COMPLEX, CodecError, Encode, Reader, Writer, exactly, one_of, require_rounding
from .dtypes import INFINITE, dtype_node, is_infinite_in_few_bits, read_dtype, read_sizes, wide_dtype

_NAMES = (
    "bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc uintc longlong ulonglong float16 float32 "
    "float64 longdouble complex64 complex128 clongdouble str_ bytes_ void datetime64 timedelta64 ndarray "
    "number integer signedinteger unsignedinteger inexact floating complexfloating generic"
)
_SCALAR_TYPES = frozenset(_NAMES.split())
MASKED = "masked"
"""The name of masked arrays among the types that a reader keeps."""
_POLYNOMIALS = frozenset("Polynomial Chebyshev Legendre Hermite HermiteE Laguerre".split())  # noqa: SIM905

# --- arrays ------------------------------------------------------------------------------------------


def write_array(writer: Writer, value: Any) -> list[Any]:
    """Write an array; an array of objects, or of texts without a width, item by item."""
    dtype = dtype_node(value.dtype)
    if value.dtype.hasobject or value.dtype.kind == "T":
        items = value.ravel().tolist()
        return ["items", dtype, list(value.shape), write_items(writer, items)]
    # In the order of its memory, so that a table's transposed block is not transposed twice.
    fortran = value.flags.fnc
    data = (value.T if fortran else value).tobytes()
    return ["nd", dtype, list(value.shape), writer.add_buffer(data), "F" if fortran else "C"]


def write_items(writer: Writer, items: list[Any]) -> list[Any]:
    """Write the nodes of all items; if one item has to stay, its container stays."""
    writer.whole += 1
    nodes = writer.sequence("", items)[1:]
    writer.whole -= 1
    return nodes


def read_items(reader: Reader, nodes: Any) -> list[Any]:
    """Read the values of item nodes."""
    return reader.sequence(*exactly(list, nodes))


def read_array(reader: Reader, node: Any, kinds: str = "") -> Any:
    """Read the array of a node; with ``kinds``, only an array of one of these kinds of dtype."""
    array = reader.read(node)
    numpy = sys.modules.get("numpy")
    if numpy is None or type(array) is not numpy.ndarray or (kinds and array.dtype.kind not in kinds):
        raise CodecError("expected an array")
    return array


def _read_nd(reader: Reader, name: Any, shape: Any, index: Any, order: Any = "C") -> Any:
    import numpy

    dtype, data, sizes = read_dtype(name, reader.limits.bytes), reader.buffer(index), read_sizes(shape)
    if dtype.hasobject or dtype.subdtype is not None:
        raise CodecError("dtype not allowed")
    count = math.prod(sizes)
    if count * dtype.itemsize != len(data):
        raise CodecError("shape and buffer differ")
    if not data:
        reader.charge(max(count, 1) * max(dtype.itemsize, 1))
        return widened(reader, numpy.zeros(sizes, dtype))
    if one_of(order, ("C", "F")) == "F":
        sizes.reverse()
    array = widened(reader, _clean(numpy.frombuffer(data, dtype))).reshape(sizes)
    return array.T if order == "F" else array


def widened(reader: Reader, array: Any, bits: int = 64) -> Any:
    """Widen the array's numbers to full width, unless the reader keeps their narrow type.

    Where a float of fewer than 64 bits is infinite, all become floats of 64 bits, also in tensors.
    """
    if reader.kept is None:
        return array
    array = _real(reader, array)
    full = is_infinite_in_few_bits(array) and INFINITE not in reader.kept  # to ask is to observe
    wide = wide_dtype(array.dtype, reader.kept, bits, full=full)
    if wide == array.dtype:
        return array
    reader.charge_wider(array.size * wide.itemsize)
    return array.astype(wide)


def _real(reader: Reader, array: Any) -> Any:
    import numpy

    if array.dtype.kind != "c" or reader.keeps(COMPLEX):  # to ask is to observe
        return array
    if array.size:
        require_rounding(numpy.abs(array.imag).max(), numpy.abs(array.real).max())
    return array.real.copy()


def _clean(array: Any) -> Any:
    """Make a writable copy in which truth values are 0 or 1 and every character is valid."""
    if array.dtype.kind == "b":
        return array.view("u1") != 0
    if array.dtype.kind == "U" and array.size and (array.view(array.dtype.str[0] + "u4") > sys.maxunicode).any():
        raise CodecError("not a text")
    return array.copy()


def _read_items(reader: Reader, name: Any, shape: Any, nodes: Any) -> Any:
    import numpy

    dtype, sizes, items = read_dtype(name, reader.limits.bytes), read_sizes(shape), read_items(reader, nodes)
    if not (dtype.hasobject or dtype.kind == "T") or math.prod(sizes) != len(items):
        raise CodecError("shape and items differ")
    array = numpy.empty(len(items), dtype)
    if dtype.kind == "T" and not all(type(item) is str for item in items):
        raise CodecError("not texts")
    for index, item in enumerate(items):  # one by one, as numpy would unpack a list
        array[index] = item
    return array.reshape(sizes)


# --- scalars and the like ----------------------------------------------------------------------------


def _write_scalar(writer: Writer, value: Any) -> Any:
    return ["np", dtype_node(value.dtype), writer.add_buffer(value.tobytes())]


def _read_scalar(reader: Reader, name: Any, index: Any) -> Any:
    import numpy

    dtype, data = read_dtype(name, reader.limits.bytes), reader.buffer(index)
    if dtype.hasobject or dtype.subdtype is not None or len(data) != dtype.itemsize:
        raise CodecError("not one scalar")
    return widened(reader, _clean(numpy.frombuffer(data, dtype)))[0] if data else dtype.type()


def _write_masked(writer: Writer, value: Any) -> Any:
    numpy = sys.modules["numpy"]
    unmasked = value.dtype.names is None and not numpy.ma.is_masked(value)
    mask = None if unmasked else write_array(writer, numpy.asarray(numpy.ma.getmaskarray(value)))
    fill = write_array(writer, numpy.asarray(value.fill_value, value.dtype))
    return ["masked", write_array(writer, value.data), mask, fill, bool(value.hardmask)]


def _read_masked(reader: Reader, data_node: Any, mask_node: Any, fill_node: Any, hard: Any) -> Any:
    import numpy

    data = read_array(reader, data_node)
    mask: Any = numpy.ma.nomask
    if mask_node is not None:
        mask = read_array(reader, mask_node)
        if mask.dtype != numpy.ma.make_mask_descr(data.dtype) or mask.shape != data.shape:
            raise CodecError("a mask of another shape")
    fill = read_array(reader, fill_node).reshape(())[()]
    if mask_node is None and not reader.keeps(MASKED):
        return data  # a masked array would mask items as soon as a test divides by zero
    reader.unknown = reader.unknown or mask_node is not None
    return numpy.ma.MaskedArray(data, mask=mask, fill_value=fill, hard_mask=exactly(bool, hard))


def write_type(writer: Writer, value: Any) -> Any:
    """Write one of Python's or numpy's own types by its name."""
    name, numpy = value.__name__, sys.modules.get("numpy")
    if name in TYPES and TYPES[name] is value:
        return ["type", name]
    if name in _SCALAR_TYPES and getattr(numpy, name, None) is value:
        return ["nptype", name]
    return writer.leave(value)


def _read_type(reader: Reader, name: Any) -> Any:
    import numpy

    return getattr(numpy, one_of(name, _SCALAR_TYPES))


def _write_poly1d(writer: Writer, value: Any) -> Any:
    return ["poly1d", write_array(writer, value.coeffs), writer.write(value.variable)]


def _write_polynomial(writer: Writer, value: Any) -> Any:
    parts = [write_array(writer, part) for part in (value.coef, value.domain, value.window)]
    return ["polynomial", type(value).__name__, *parts, writer.write(getattr(value, "symbol", "x"))]


def _read_polynomial(reader: Reader, name: Any, coef: Any, domain: Any, window: Any, symbol: Any) -> Any:
    import numpy

    kind = getattr(numpy.polynomial, one_of(name, _POLYNOMIALS))
    parts = [read_array(reader, part, "iufcO") for part in (coef, domain, window)]
    name_of_x = reader.a(str, symbol)
    return kind(*parts, **({} if name_of_x == "x" else {"symbol": name_of_x}))  # numpy has it since 1.24


def _read_matrix(reader: Reader, node: Any) -> Any:
    import numpy

    array = read_array(reader, node)
    return numpy.asmatrix(array) if reader.keeps("matrix") else array  # the square of a matrix may be below 0


def _read_record_array(reader: Reader, node: Any) -> Any:
    import numpy

    array = read_array(reader, node)
    if array.dtype.names is None:
        raise CodecError("no fields")
    return array.view(numpy.recarray)


def _read_poly1d(reader: Reader, coeffs: Any, variable: Any) -> Any:
    import numpy

    return numpy.poly1d(read_array(reader, coeffs, "iufcO"), variable=reader.a(str, variable))


def _read_masked_constant(reader: Reader) -> Any:
    import numpy

    reader.unknown = True
    return numpy.ma.masked


# --- tables ------------------------------------------------------------------------------------------


def encoder(kind: type) -> Encode | None:
    """Find the encoder for values of exactly this numpy type."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if kind is numpy.ndarray:
        return write_array
    if issubclass(kind, numpy.generic):
        return _write_scalar if kind in _scalars(numpy) or kind.__module__ == "ml_dtypes" else None
    if issubclass(kind, numpy.dtype):
        return lambda w, v: ["dtype", dtype_node(v)]
    if kind is numpy.ma.MaskedArray:
        return lambda w, v: w.library("numpy", _write_masked(w, v), v)
    if kind is type(numpy.ma.masked):
        return lambda w, v: w.library("numpy", ["maskedconstant"], v)
    if kind is numpy.matrix:
        return lambda w, v: ["matrix", write_array(w, numpy.asarray(v))]
    if kind is numpy.recarray:
        return lambda w, v: ["recarray", write_array(w, v.view(numpy.ndarray))]
    if kind is numpy.poly1d:
        return _write_poly1d
    if kind.__name__ in _POLYNOMIALS and getattr(numpy.polynomial, kind.__name__, None) is kind:
        return _write_polynomial
    return None


_NUMPY_SCALARS: dict[int, frozenset[type]] = {}


def _scalars(numpy: Any) -> frozenset[type]:
    if id(numpy) not in _NUMPY_SCALARS:
        _NUMPY_SCALARS[id(numpy)] = frozenset(numpy.sctypeDict.values()) - {numpy.object_}
    return _NUMPY_SCALARS[id(numpy)]


DECODERS: dict[str, Callable[..., Any]] = {
    "nd": _read_nd,
    "items": _read_items,
    "np": _read_scalar,
    "dtype": lambda r, node: read_dtype(node, r.limits.bytes),
    "nptype": _read_type,
    "masked": _read_masked,
    "maskedconstant": _read_masked_constant,
    "matrix": _read_matrix,
    "recarray": _read_record_array,
    "poly1d": _read_poly1d,
    "polynomial": _read_polynomial,
}
