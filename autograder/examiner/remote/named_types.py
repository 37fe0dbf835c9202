"""The types of values that an exam's own code uses, and that an answer may therefore have in a test.

Values of few bits, masked arrays and nullable columns win comparisons that they should lose: ``np.float16("inf")``
equals each Python number above 65,519. So an answer arrives with the plain type of full width, unless the exam itself
uses the narrow one: its source names it (in tests, solutions or given cells), or a test passes a value of it to a
function.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from autograder.kernel.codec.arrays import MASKED
from autograder.kernel.codec.columns import NULLABLE
from autograder.kernel.codec.dtypes import INFINITE, NARROW

_ALIASES = {
    "b1": (), "i1": ("int8",), "u1": ("uint8",), "i2": ("int16",), "u2": ("uint16",), "f2": ("float16",),
    "byte": ("int8",), "ubyte": ("uint8",), "short": ("int16",), "ushort": ("uint16",), "half": ("float16",),
    "Int8Dtype": ("Int8",), "Int16Dtype": ("Int16",), "Int32Dtype": ("Int32",), "Int64Dtype": ("Int64",),
    "UInt8Dtype": ("UInt8",), "UInt16Dtype": ("UInt16",), "UInt32Dtype": ("UInt32",), "UInt64Dtype": ("UInt64",),
    "Float32Dtype": ("Float32",), "Float64Dtype": ("Float64",), "BooleanDtype": ("boolean",),
    "StringDtype": ("string",), "string[python]": ("string",), "string[pyarrow]": ("string",),
    "MaskedArray": (MASKED,), "masked_array": (MASKED,), "numpy.ma": (MASKED,),
}  # fmt: skip
"""Other spelling of a type → the type."""
_GIVEN_BY = {
    **dict.fromkeys(("inf", "-inf", "+inf", "Inf", "infty", "Infinity", "isinf", "isfinite", "isneginf"), (INFINITE,)),
    **dict.fromkeys(("convert_dtypes", "dtype_backend", "numpy_nullable"), tuple(sorted(NULLABLE))),
    **dict.fromkeys(("codes", "downcast"), ("int8", "int16", "uint8", "uint16")),
    **dict.fromkeys(
        (
            "PIL", "imageio", "cv2", "skimage", "torchvision", "tensorflow_datasets", "datasets", "load_data",
            "imread", "imdecode", "fromarray", "decode_image", "decode_jpeg", "decode_png", "frombuffer", "packbits",
        ),
        ("uint8",),
    ),
}  # fmt: skip
"""Functions and words that imply a type without naming it: pictures are ``uint8``, codes of categories ``int8``."""
_TYPES = {**{name: (name,) for name in (*NARROW, *NULLABLE)}, **_ALIASES, **_GIVEN_BY}


def named_types(sources: Iterable[str]) -> frozenset[str]:
    """Return the narrow, masked and nullable types that an exam's cells name, also in texts such as ``"uint8"``."""
    words = {word for source in sources for word in _words(source)}
    return frozenset(kind for word in words for kind in _TYPES.get(word, ()))


def _words(source: str) -> Iterator[str]:
    with contextlib.suppress(SyntaxError):  # magics: the other cells count
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.Attribute):
                yield "numpy.ma" if node.attr == "ma" else node.attr
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value.lstrip("<>=|")
            elif isinstance(node, ast.keyword) and node.arg:
                yield node.arg
            elif isinstance(node, ast.Import | ast.ImportFrom):
                yield from _imported(node)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    module = getattr(node, "module", None) or ""
    for alias in node.names:
        dotted = f"{module}.{alias.name}".lstrip(".")
        yield from (alias.name, dotted, *dotted.split("."))


def given_types(arguments: Iterable[Any], depth: int = 3) -> frozenset[str]:
    """Return the narrow types among the arrays and numbers that a test passes to the student's code."""
    found: set[str] = set()
    for value in arguments:
        if type(value).__module__ == "numpy" and hasattr(value, "dtype"):  # a handle's class is in the kit
            found.add(value.dtype.name)
        elif depth and type(value) in (list, tuple, dict) and len(value) <= _MAX_ITEMS:
            found |= given_types(value.values() if type(value) is dict else value, depth - 1)
    return frozenset(found) & NARROW


_MAX_ITEMS = 100
"""Longest list among the arguments that is searched."""
