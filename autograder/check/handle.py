"""The handles of objects that stay in the student's kernel, as far as checks need to know them.

The examiner's handles derive from these classes, so a check can recognize them without importing the examiner.
"""

from __future__ import annotations

import sys
from collections import ChainMap, deque
from collections.abc import Iterable
from typing import Any

from autograder.codec import Reference


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
    reference = finder(value) if finder is not None else None
    return reference if type(reference) is Reference else None


def refusal(obj: Any) -> str | None:
    """Return why the examiner could not capture this object; None if it was captured.

    Only the type's attribute is read, so that the instance cannot influence the answer.
    """
    reason = getattr(type(obj), "autograder_refusal", None)
    if isinstance(reason, property) and reason.fget is not None:
        reason = reason.fget(obj)
    return reason if isinstance(reason, str) and reason else None


def comparable(obj: Any) -> Any:
    """Return the object, or its copy if the examiner keeps it remote.

    The examiner keeps an object remote if a plain comparison of its copy would be too lenient.
    """
    copy_property = getattr(type(obj), "autograder_value", None)
    copy = copy_property.fget(obj) if isinstance(copy_property, property) and copy_property.fget is not None else None
    return obj if copy is None else copy.value


def teller(obj: Any) -> Any:
    """Return the answer whose origin decides what a message tells of the value of ``obj``.

    It is the object itself; None if its value is asked of the kernel after the last cell, and no cell's answer.
    """
    reference = reference_of(obj)
    return None if reference is not None and reference.copy is None else obj


def holds_handle(value: Any) -> bool:
    """Tell whether a value is a handle, an instance of a class behind one, or a container that holds such.

    Looked through are lists, tuples, sets, deques, mappings with their keys, arrays of objects, and pandas' columns of
    objects. This goes to any depth, also where a container holds itself.
    """
    pending = [value]
    visited: set[int] = set()
    while pending:
        part = pending.pop()
        if reference_of(type(part)) is not None or reference_of(part) is not None:
            return True
        if (parts := _parts(part)) is not None and id(part) not in visited:
            visited.add(id(part))
            pending.extend(parts)
    return False


def _parts(value: Any) -> Iterable[Any] | None:
    """Return what a container holds; None for other values. Libraries that are not loaded made none."""
    kind = type(value)  # an empty answer poses as its value's class
    if issubclass(kind, list | tuple | set | frozenset | deque):
        return value  # type: ignore[no-any-return]
    if issubclass(kind, dict | ChainMap):
        return [*value.keys(), *value.values()]
    numpy: Any = sys.modules.get("numpy")
    pandas: Any = sys.modules.get("pandas")
    if numpy is not None and issubclass(kind, numpy.ndarray):
        return list(value.flat) if value.dtype.hasobject else ()
    if pandas is not None and issubclass(kind, pandas.Index):
        return list(value) if value.dtype == object else ()
    if pandas is not None and issubclass(kind, pandas.Series):
        return [value.index, *(value if value.dtype == object else ())]
    if pandas is not None and issubclass(kind, pandas.DataFrame):
        columns = (value.iloc[:, n] for n in range(value.shape[1]))
        return [value.index, value.columns, *(column for column in columns if column.dtype == object)]
    return None
