"""Objects of a test's own classes that it passes to the student's code; see :mod:`autograder.kernel.lent_objects`.

The kernel may read and set attributes and call methods, as in a notebook; with two underscores only the methods that
Python's syntax calls. It cannot replace a method: a test may call it later. A list that is an attribute is lent, too:
``basket.items.append("apple")`` changes the basket.
"""

from __future__ import annotations

import enum
import types
import unittest
from collections.abc import Callable, Iterable
from typing import Any

from autograder.check.data import is_hidden
from autograder.check.handle import reference_of
from autograder.kernel.lent_objects import BASES, CHANGING
from autograder.syntax.special_methods import SPECIAL

METHODS = frozenset(["describe", "getattr", "setattr", "delattr", "method", "value", "vars"])
"""What the kernel may ask about an object."""
_SYNTAX = SPECIAL | {
    "__contains__", "__index__", "__complex__", "__divmod__", "__missing__", "__fspath__", "__trunc__", "__ceil__",
    "__floor__", "__length_hint__", "__array__", "__aiter__", "__anext__", "__aenter__", "__aexit__", "__await__",
}  # fmt: skip
_LIBRARYS = (types.SimpleNamespace,)
"""Classes of Python's own whose objects are lent, too."""
_HARMLESS = frozenset(["builtins", "abc", "collections", "enum", "numbers", "typing"])
"""Modules of Python's own whose classes an object may derive from."""
_NEVER = (type, types.ModuleType, unittest.TestCase, unittest.TestResult, BaseException)


class Attribute:
    """A list, dict or set that is an attribute of a lent object."""

    def __init__(self, value: Any) -> None:
        self.value = value


class LentObjects:
    """The descriptions of one test cell's objects."""

    def __init__(self) -> None:
        self.classes: dict[type, int] = {}
        self.last = 0
        self.given: frozenset[str] = frozenset()
        """Names of the classes that the notebook gives to students: their objects are of these classes there, too."""

    def forget(self) -> None:
        """Forget the classes of the cell, which has ended; their numbers are not used again."""
        self.classes.clear()

    def _number(self, kind: type) -> int:
        if kind not in self.classes:
            self.last += 1
            self.classes[kind] = self.last
        return self.classes[kind]

    def describe(self, value: Any) -> dict[str, Any]:
        """Describe an object's class, and the value of an object that derives from one of Python's own classes."""
        kind = type(value)
        base = _base(kind)
        module, name = kind.__module__, kind.__qualname__
        importable = module != "__main__" or name in self.given
        return {
            "class": self._number(kind),
            "name": kind.__name__,
            "doc": kind.__doc__ if type(kind.__doc__) is str else None,
            "base": "" if base is None else base.__name__,
            "value": None if base is None else plain(value, base),
            "methods": sorted(methods(kind)),
            "unhashable": kind.__hash__ is None,
            "home": (module, name if importable else ""),
            "member": value.name if isinstance(value, enum.Enum) and type(value.name) is str else "",
        }

    def use(self, value: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """Do what the kernel asks of an object."""
        if method == "describe":
            return self.describe(value)
        if method == "value":
            return plain(value, _base(type(value)))
        if method == "vars":
            return {name: one for name, one in vars(value).items() if _is_public(name)}
        name, *values = args
        if method == "method":
            return _call(value, name, values, kwargs)
        if not _is_public(name):
            raise AttributeError(f"{type(value).__name__!r} object has no attribute that can be used here")
        if method == "getattr":
            attribute = getattr(value, name)
            return (
                Attribute(attribute) if type(attribute) in (list, dict, set) and not is_hidden(attribute) else attribute
            )
        if callable(getattr(type(value), name, None)) or is_hidden(getattr(value, name, None)):
            raise AttributeError(f"{name!r} of the test's object stays as it is")
        return setattr(value, name, *values) if method == "setattr" else delattr(value, name)


def is_lent(value: Any, is_library: Callable[[str], bool]) -> bool:
    """Return whether an object's class is one of the test, of a locked cell or of a course module.

    An object whose class derives from a library's is not: the student's code could do here what the library can.
    """
    kind = type(value)
    if kind in _LIBRARYS:
        return True
    if reference_of(value) is not None or isinstance(value, _NEVER) or is_library(kind.__module__):
        return False
    tops = {one.__module__.partition(".")[0] for one in kind.__mro__ if one is not kind}
    return "autograder" not in tops | {kind.__module__.partition(".")[0]} and not any(
        is_library(top) for top in tops - _HARMLESS
    )


def _is_public(name: Any) -> bool:
    return type(name) is str and not (name.startswith("__") and name.endswith("__"))


def _call(value: Any, name: Any, args: Iterable[Any], kwargs: dict[str, Any]) -> Any:
    base = _base(type(value))
    changing = CHANGING.get(base.__name__, "").split() if base is not None else ()
    if type(name) is not str or (name not in changing and name not in methods(type(value))):
        raise AttributeError("the test's object has no such method")
    result = getattr(type(value), name)(value, *args, **kwargs)
    return value if result is value else result


def methods(kind: type) -> set[str]:
    """Return the methods that a class and its bases define, without those of Python's own classes.

    Of a class that derives from no value of Python's, only those that syntax calls: it has its others as attributes.
    """
    names: set[str] = set()
    for base in kind.__mro__:
        if base.__module__ != "builtins":
            names |= {n for n, v in vars(base).items() if callable(v) and (n in _SYNTAX or not n.startswith("__"))}
    return names if _base(kind) is not None else names & _SYNTAX


def _base(kind: type) -> Any:
    return next((base for base in BASES.values() if issubclass(kind, base)), None)


def plain(value: Any, base: Any) -> Any:
    """Return a copy of the value that an object derives from, past the methods of its class."""
    if base is None:
        return None
    if base is dict:
        return dict(dict.items(value))
    if base in (list, tuple, set, frozenset):
        return base(base.__iter__(value))
    if base is bytes:
        return bytes.__getitem__(value, slice(None))
    return {str: str.__str__, int: int.__int__, float: float.__float__, complex: complex.__pos__}[base](value)
