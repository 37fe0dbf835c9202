"""Classes of a test that derive from a class of the student's: ``class Square(Shape)``.

The kernel gets a class of that name, so that the student's code may use its objects as those of any other of its
classes. Its methods are the test's and run here; methods that it inherits run there.
"""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Mapping
from typing import Any

from autograder.codec import CodecError, Reference
from autograder.syntax.special_methods import SPECIAL

_PYTHONS = frozenset(["__module__", "__qualname__", "__classcell__", "__annotations__", "__firstlineno__",
                      "__static_attributes__", "__slots__", "__dict__", "__weakref__"])  # fmt: skip


def derive(remote: Any, meta: Any, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> tuple[Any, ...]:
    """Make the class in the kernel; return name, bases and body of the one here.

    Args:
        remote: the way to the kernel.
        meta: the metaclass of the student's classes.
        name: the name that the test gives to its class.
        bases: the student's classes.
        body: the names of the class statement.

    Raises:
        TypeError: a base is not a class of the student's, or is an exception.
    """
    if not all(isinstance(base, meta) and not issubclass(base, BaseException) for base in bases):
        raise TypeError(
            f"class {name}: a test can derive a class from classes of the notebook, and from no other class with them"
        )
    sent: dict[str, Any] = {}
    local_body: dict[str, Any] = {"__slots__": ()}
    for key, value in body.items():
        member = None if key in _PYTHONS else _member(value)
        if member is None or not _travels(remote, member):
            local_body[key] = value
            continue
        sent[key] = member
        if member[0] != "value":
            local_body[key] = value
    handle = remote.ask("derive", name, bases, sent)
    reference = Reference(handle if type(handle) is int else 0, "class", f"__main__.{name}")
    method_names = remote.ask("operate", "methods", (bases[0],))
    inherited = (
        [n for n in method_names if type(n) is str and (n == "__init__" or n not in SPECIAL)] if method_names else []
    )
    common_body: dict[str, Any] = {
        "__slots__": (),
        "_class_reference": type.__getattribute__(bases[0], "_class_reference"),
    }
    between = type.__new__(
        meta, name, bases, {**common_body, **{n: _inherited(remote, bases[0], n) for n in inherited}}
    )
    local_body |= {"__module__": "__main__", "_class_remote": remote, "_class_reference": reference}
    return name, (between,), local_body


def _member(value: Any) -> tuple[str, Any] | None:
    """Return how the kernel gets an attribute of the class."""
    if isinstance(value, types.FunctionType):
        return "function", value
    if isinstance(value, staticmethod | classmethod):
        return type(value).__name__, value.__func__
    if isinstance(value, property):
        return "property", (value.fget, value.fset)
    return "value", value


def _travels(remote: Any, member: tuple[str, Any]) -> bool:
    with contextlib.suppress(CodecError):
        remote.encoded(member)
        return True
    return False


def _inherited(remote: Any, base: Any, name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return remote.ask("operate", "inherited", (base, name, self, args, kwargs))

    method.__name__ = name
    return method


def is_statement(body: Mapping[str, Any]) -> bool:
    """Return whether a class is made by a statement of the test, and not by the examiner."""
    return "_class_reference" not in body
