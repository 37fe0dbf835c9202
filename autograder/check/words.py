"""Types, shapes and exceptions in words that a student may read.

A class of the student's may be named by a hidden input, so its name is never shown in a test's message; an empty array
may have any shape.
"""

from __future__ import annotations

from typing import Any

from autograder.check.handle import ExceptionHandle, reference_of
from autograder.check.provenance import is_from_cell


def type_of(value: Any) -> str:
    """``its type is float``; of an object that stayed in the kernel, only that it is one."""
    if reference_of(value) is not None or reference_of(type(value)) is not None:
        return "it is an object of the notebook"
    return f"its type is {type(value).__name__}"


def shape_of(value: Any, of: Any = None) -> str:
    """``the shape is (2, 3)``; of an array that is too odd to be an answer, or that no cell left, only that.

    Args:
        value: an array or table.
        of: the answer that it was made of, where it is not the answer itself.
    """
    if not is_from_cell(value if of is None else of):
        return "the shape is another one"
    shape = tuple(value.shape)
    most, long = (2, 1000) if 0 in shape else (6, 1_000_000)  # one with items has to hold them
    return f"the shape is {shape if len(shape) <= most and max(shape, default=0) <= long else 'another one'}"


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def exception_name(error: BaseException) -> str:
    """The exception's class; of the student's own, the built-in class that it is."""
    kinds = (
        kind for kind in type(error).__mro__ if reference_of(kind) is None and not issubclass(kind, ExceptionHandle)
    )
    return next(kind.__name__ for kind in kinds)
