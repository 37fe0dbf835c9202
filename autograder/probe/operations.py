"""The operators that the examiner may ask for, by the names of the ``operator`` module."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

BINARY = tuple("add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift".split())  # noqa: SIM905
"""Between two objects of the student's."""
UNARY = tuple("neg pos abs invert getitem setitem delitem".split())  # noqa: SIM905
"""Of one object of the student's, with an index where there is one."""

OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in (*BINARY, *UNARY)},
    "dir": dir,
    "enter": lambda value: value.__enter__(),
    "float": float,
    "format": format,
    "int": int,
    "iter": iter,
    "len": len,
    "next": next,
    "source": inspect.getsource,
    "str": str,
}
