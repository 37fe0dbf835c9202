"""Nodes for tensors of TensorFlow, JAX and PyTorch: the kind, and the numbers as a numpy array.

A strict reader reads a parameter of PyTorch as the tensor that it holds. Devices, names and the graph of a computation
are not carried. The gradient of a leaf of PyTorch is carried from the notebook to a test only: a test's own may be the
right answer. A strict reader keeps a TensorFlow variable remote, together with its value: a test must assign to the
notebook's own variable.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from .arrays import read_array, widened, write_array
from .core import CodecError, Encode, NotPlain, Reader, Writer, exactly, one_of, whole_number
from .dtypes import INFINITE

# --- TensorFlow --------------------------------------------------------------------------------------


def _array(writer: Writer, tensor: Any) -> list[Any]:
    """Write the numbers of a tensor; texts as objects, since a numpy array would cut zeros off their ends."""
    numpy, tensorflow = sys.modules["numpy"], sys.modules["tensorflow"]
    if tensor.dtype.name == "string":
        return write_array(writer, numpy.array(tensor.numpy(), object))
    array = numpy.asarray(tensor.numpy())
    if tensorflow.as_dtype(array.dtype) != tensor.dtype:  # quantized
        raise NotPlain
    return write_array(writer, array)


def _write_tf(writer: Writer, value: Any) -> list[Any]:
    return ["tf", _array(writer, value)]


def _write_variable(writer: Writer, value: Any) -> list[Any]:
    if writer.whole:
        raise NotPlain
    return ["tf.var", _array(writer, value)]


def _write_ragged(writer: Writer, value: Any) -> list[Any]:
    splits = [_array(writer, split) for split in value.nested_row_splits]
    return ["tf.ragged", _array(writer, value.flat_values), splits]


def _write_sparse(writer: Writer, value: Any) -> list[Any]:
    parts = [_array(writer, part) for part in (value.indices, value.values)]
    return ["tf.sparse", *parts, [int(size) for size in value.dense_shape.numpy()]]


def _numbers(reader: Reader, node: Any) -> Any:
    """Read an array that becomes a tensor: numbers, truth values, small floats, or bytes.

    It is read before the library is imported, so that a malformed message costs no import.
    """
    array = reader.as_is(read_array, reader, node)
    kind = array.dtype.kind
    numbers = kind in "biufc" or (kind == "V" and array.dtype.type.__module__ == "ml_dtypes")
    if not numbers and not (kind == "O" and all(type(item) is bytes for item in array.ravel().tolist())):
        raise CodecError("no numbers of a tensor")
    return widened(reader, array, 32)  # the libraries' own full width


def _read_tf(reader: Reader, node: Any) -> Any:
    array = _numbers(reader, node)
    import tensorflow

    return tensorflow.constant(array)


def _read_variable(reader: Reader, node: Any) -> Any:
    tensor = _read_tf(reader, node)
    reader.unknown = reader.unknown or "it changes"
    return tensor


def _read_ragged(reader: Reader, node: Any, splits: Any) -> Any:
    rows = [read_array(reader, split, "i") for split in exactly(list, splits)]
    array = _numbers(reader, node)
    import tensorflow

    return tensorflow.RaggedTensor.from_nested_row_splits(array, rows, validate=True)


def _read_sparse(reader: Reader, indices: Any, node: Any, shape: Any) -> Any:
    sizes = [whole_number(size, 0, 2**40) for size in exactly(list, shape)]
    places, values = read_array(reader, indices, "i"), _numbers(reader, node)
    if values.ndim != 1 or places.shape != (len(values), len(sizes)):
        raise CodecError("values and places differ")
    if len(values) and not ((places >= 0).all() and (places < sizes).all()):
        raise CodecError("a place out of bounds")
    import tensorflow

    return tensorflow.SparseTensor(places, values, sizes)


# --- JAX ---------------------------------------------------------------------------------------------


def _write_jax(writer: Writer, value: Any) -> list[Any]:
    return ["jax", write_array(writer, sys.modules["numpy"].asarray(value))]


def _read_jax(reader: Reader, node: Any) -> Any:
    array = _numbers(reader, node)
    if array.dtype.kind == "O":
        raise CodecError("no numbers of a tensor")
    import jax

    library: Any = jax
    tensor = jax.numpy.asarray(array)
    if tensor.dtype == array.dtype:
        return tensor
    wide = library.enable_x64(True) if hasattr(jax, "enable_x64") else library.experimental.enable_x64()
    with wide:  # 64 bits, as the notebook had them
        return jax.numpy.asarray(array)


# --- PyTorch -----------------------------------------------------------------------------------------


def _write_torch(writer: Writer, value: Any) -> list[Any]:
    torch: Any = sys.modules["torch"]
    if value.layout is not torch.strided or value.is_quantized:
        raise NotPlain
    plain = value.detach().cpu().contiguous()
    name = "bfloat16" if plain.dtype is torch.bfloat16 else None
    array = plain.view(torch.int16).numpy() if name else plain.resolve_conj().resolve_neg().numpy()
    node = ["torch", write_array(writer, array), name, bool(value.requires_grad)]
    gradient = value.grad if writer.gradients and value.requires_grad and value.is_leaf else None
    if gradient is None or gradient.layout is not torch.strided:
        return node
    return [*node, _write_torch(writer, gradient.detach())]


def _read_torch(reader: Reader, node: Any, name: Any, requires_grad: Any, gradient: Any = None) -> Any:
    tensor = _read_values(reader, node, name)
    if exactly(bool, requires_grad):
        tensor.requires_grad_()
    if gradient is not None:
        _, values, dtype, _ = exactly(list, gradient)
        tensor.grad = _read_values(reader, values, dtype).to(tensor.dtype)  # PyTorch refuses one that does not fit
    return tensor


def _read_values(reader: Reader, node: Any, name: Any) -> Any:
    array = reader.as_is(read_array, reader, node, "biufc")
    import torch

    tensor = torch.from_numpy(array if name is not None else widened(reader, array, 32))
    if name is not None:
        if name != "bfloat16" or tensor.dtype is not torch.int16:
            raise CodecError("no numbers of a tensor")
        tensor = tensor.view(torch.bfloat16)
        infinite = bool(torch.isinf(tensor).any()) and not reader.keeps(INFINITE)
        tensor = tensor.double() if infinite else tensor if reader.keeps(name) else tensor.float()
    return tensor


def _write_parameter(writer: Writer, value: Any) -> list[Any]:
    return ["torch.parameter", _write_torch(writer, value)]


def _read_parameter(reader: Reader, node: Any) -> Any:
    tensor = reader.read(node)
    import torch

    if type(tensor) is not torch.Tensor:
        raise CodecError("no tensor")
    if reader.strict:
        return tensor
    parameter = torch.nn.Parameter(tensor.detach(), tensor.requires_grad)
    parameter.grad = tensor.grad
    return parameter


_INTEGERS = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_DTYPES = _INTEGERS | {"bool", "float16", "float32", "float64", "bfloat16", "complex64", "complex128"}
_DEVICE = re.compile(r"(?:cpu|cuda|mps|meta)(?::(?:0|[1-9][0-9]?))?\Z")


def _write_torch_dtype(writer: Writer, value: Any) -> list[Any]:
    name = str(value).removeprefix("torch.")
    if name not in _DTYPES:
        raise NotPlain
    return ["torch.dtype", name]


def _read_torch_dtype(reader: Reader, name: Any) -> Any:
    name = one_of(name, _DTYPES)
    import torch

    return getattr(torch, name)


def _write_device(writer: Writer, value: Any) -> list[Any]:
    if not _DEVICE.match(str(value)):
        raise NotPlain
    return ["torch.device", str(value)]


def _read_device(reader: Reader, name: Any) -> Any:
    if not _DEVICE.match(exactly(str, name)):
        raise CodecError("no device")
    import torch

    return torch.device(name)


# --- tables ------------------------------------------------------------------------------------------

KINDS: dict[tuple[str, str], tuple[str, Callable[[Writer, Any], list[Any]]]] = {
    ("tensorflow.python.framework.ops", "EagerTensor"): ("tensorflow", _write_tf),
    ("tensorflow.python.ops.resource_variable_ops", "ResourceVariable"): ("tensorflow", _write_variable),
    ("tensorflow.python.ops.ragged.ragged_tensor", "RaggedTensor"): ("tensorflow", _write_ragged),
    ("tensorflow.python.framework.sparse_tensor", "SparseTensor"): ("tensorflow", _write_sparse),
    ("jaxlib._jax", "ArrayImpl"): ("jax", _write_jax),
    ("jaxlib.xla_extension", "ArrayImpl"): ("jax", _write_jax),
    ("torch", "Tensor"): ("torch", _write_torch),
    ("torch.nn.parameter", "Parameter"): ("torch", _write_parameter),
}
"""Encoders by module and name, since the libraries have no public names for these classes. The names are claims, as
everything that is written.
"""


_WRITERS: dict[tuple[str, str], tuple[str, Callable[[Writer, Any], list[Any]]]] = {
    **KINDS,
    ("torch", "dtype"): ("torch", _write_torch_dtype),
    ("torch", "device"): ("torch", _write_device),
}
"""The same, and of what tensors are made with."""


def _write_shape(writer: Writer, shape: Any) -> Any:
    """Write the shape of a variable or tensor that stays remote: a tuple, which the libraries take for equal."""
    return writer.write(tuple(shape))


_SHAPES = frozenset([("tensorflow.python.framework.tensor_shape", "TensorShape"), ("torch", "Size")])


def encoder(kind: type) -> Encode | None:
    """Find the encoder for tensors of exactly this type, and for their shapes."""
    if (kind.__module__, kind.__name__) in _SHAPES:
        return _write_shape
    library_and_writer = _WRITERS.get((kind.__module__, kind.__name__))
    if library_and_writer is None or library_and_writer[0] not in sys.modules:
        return None
    library, write = library_and_writer
    return lambda w, v: w.library(library, write(w, v), v)


DECODERS: dict[str, Callable[..., Any]] = {
    "tf": _read_tf,
    "tf.var": _read_variable,
    "tf.ragged": _read_ragged,
    "tf.sparse": _read_sparse,
    "jax": _read_jax,
    "torch": _read_torch,
    "torch.parameter": _read_parameter,
    "torch.dtype": _read_torch_dtype,
    "torch.device": _read_device,
}
