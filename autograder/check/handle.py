"""The handles of objects that stay in the student's kernel, as far as checks need to know them.

The examiner's stand-ins derive from these classes: a check asks what something stands for without the examiner.
"""

from __future__ import annotations

from typing import Any

from autograder.probe.codec import Reference


class Handle:
    """What stands for an object in the kernel."""

    __slots__ = ()


class CallableHandle(Handle):
    """What stands for a function, class or model: a call runs the student's code, in their kernel."""

    __slots__ = ()


class ModelHandle(CallableHandle):
    """What stands for a model that was not rebuilt and can be asked for predictions."""

    __slots__ = ()


class ExceptionHandle:
    """What stands for an exception of the student's own class."""


def reference_of(value: Any) -> Reference | None:
    """Return the handle of what stands for an object, a class or an exception in the kernel; None of anything else.

    Only the type is asked, so that no attribute of the student's can pose as a handle.
    """
    finder = getattr(type(value), "_autograder_reference", None)
    found = finder(value) if finder is not None else None
    return found if type(found) is Reference else None
