"""Words for types, shapes and exceptions in messages for students.

A hidden input may decide the name of a student's class, so a test's message never shows that name. For the same reason
the shape of an empty array is not always shown.
"""

from __future__ import annotations

from typing import Any

from autograder.check.handle import ExceptionHandle, reference_of
from autograder.check.provenance import is_from_cell


def type_of(value: Any) -> str:
    """Return ``its type is float``; for an object that stayed in the kernel only that it is one."""
    if reference_of(value) is not None or reference_of(type(value)) is not None:
        return "it is an object of the notebook"
    return f"its type is {type(value).__name__}"


def shape_of(value: Any, of: Any = None) -> str:
    """Return ``the shape is (2, 3)``, or less if the shape could carry a hidden input.

    Args:
        value: an array or table.
        of: the answer from which the value was copied, if it is not the answer itself.
    """
    if not is_from_cell(value if of is None else of):
        return "the shape is another one"
    shape = tuple(value.shape)
    most, long = (2, 1000) if 0 in shape else (6, 1_000_000)  # an array with items must store them
    return f"the shape is {shape if len(shape) <= most and max(shape, default=0) <= long else 'another one'}"


def sentence(text: str) -> str:
    """Return the text with a capital letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def exception_name(error: BaseException) -> str:
    """Return the exception's class; for one of the student's own or of the kit's, the class that it derives from."""
    kinds = (
        kind
        for kind in type(error).__mro__
        if reference_of(kind) is None
        and not issubclass(kind, ExceptionHandle)
        and not kind.__module__.startswith("autograder.")
    )
    return next(kind.__name__ for kind in kinds)
