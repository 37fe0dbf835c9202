"""The handles of objects that stay in the student's kernel, as far as checks need to know them.

The examiner's handles derive from these classes, so a check can recognize them without importing the examiner.
"""

from __future__ import annotations

from typing import Any

from autograder.kernel.codec import Reference


class Handle:
    """A handle of an object in the kernel."""

    __slots__ = ()


class CallableHandle(Handle):
    """A handle of a function, class or model; a call runs the student's code, in the student's kernel."""

    __slots__ = ()


class ModelHandle(CallableHandle):
    """A handle of a model that was not rebuilt and can be asked for predictions."""

    __slots__ = ()


class ExceptionHandle:
    """A handle of an exception of the student's own class."""


def reference_of(value: Any) -> Reference | None:
    """Return the kernel's reference to the object, class or exception behind a handle; None for other values.

    Only the type is asked, so that no attribute of the student's can pose as a handle.
    """
    finder = getattr(type(value), "_autograder_reference", None)
    found = finder(value) if finder is not None else None
    return found if type(found) is Reference else None
