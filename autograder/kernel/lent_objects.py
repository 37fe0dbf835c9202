"""Stand-ins, in the student's process, for objects of a test's own classes.

The object stays in the examiner. The stand-in has a class of its own, with the name and the special methods of the
object's class, and asks for everything else. An object that is a list, a text or another of Python's own values is one
here, too. It holds a copy, which is renewed after each method that the test's class defines or that changes it.
"""

from __future__ import annotations

import operator
import sys
import types
from collections.abc import Callable
from typing import Any

BASES: dict[str, type] = {
    kind.__name__: kind for kind in (str, bytes, int, float, complex, list, tuple, dict, set, frozenset)
}
"""Python's own classes that an object of a test may derive from."""
CHANGING = {
    "list": "append extend insert pop remove clear sort reverse __setitem__ __delitem__ __iadd__ __imul__",
    "dict": "pop popitem clear update setdefault __setitem__ __delitem__ __ior__",
    "set": "add discard remove pop clear update difference_update intersection_update symmetric_difference_update"
    " __iand__ __ior__ __isub__ __ixor__",
}
"""Methods of these classes that change an object: the test's own object changes, and the copy with it."""
_OWN_ATTRIBUTES = frozenset(["__class__", "__dict__", "__doc__", "__module__", "__weakref__", "_autograder_ask"])

Ask = Any  # a function of method, arguments and keywords


def stand_in_for(ask: Ask, namespace: dict[str, Any], classes: dict[int, type]) -> tuple[Any, bool]:
    """Return the stand-in for an object, and whether it is one.

    A member of an enumeration that this process has, too, is that member.

    Args:
        ask: asks about the object.
        namespace: the notebook's names.
        classes: number of the test's class → class of its stand-ins; new ones are added.
    """
    described = ask("describe", (), {})
    home = _home(described, namespace)
    if described["member"] and home is not None:
        member = getattr(home, described["member"], None)
        if isinstance(member, home):
            return member, False
    number, made_of = described["class"], described["value"]
    if number not in classes:
        classes[number] = _class(described, home)
    kind = classes[number]
    base: Any = BASES.get(described["base"])
    stand_in: Any
    if base is None:
        new: Any = kind.__new__ if kind.__base__ is types.SimpleNamespace else object.__new__
        stand_in = new(kind)
    elif issubclass(kind, (list, dict, set)):
        stand_in = base.__new__(kind)
        _renew(stand_in, base, made_of)
    else:
        stand_in = base.__new__(kind, made_of)
    object.__setattr__(stand_in, "_autograder_ask", ask)
    return stand_in, True


def _home(described: dict[str, Any], namespace: dict[str, Any]) -> Any:
    """Return this process's own class of that name, if the class is one that the notebook was given."""
    module, name = described["home"]
    if not name:
        return None
    try:
        home: Any = namespace[name] if module == "__main__" else operator.attrgetter(name)(sys.modules[module])
    except (KeyError, AttributeError):
        return None
    return home if isinstance(home, type) else None


def _class(described: dict[str, Any], home: Any) -> type:
    base = BASES.get(described["base"])
    plain_bases = (base,) if base is not None else ()
    for bases in ([(home,)] if home is not None and (base is None or issubclass(home, base)) else []) + [plain_bases]:
        try:
            kind = types.new_class(described["name"], bases, {}, lambda body: body.update(_body(described, base)))
            kind.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
            return kind
        except TypeError:  # this class is not for deriving
            continue
    raise TypeError(f"no stand-in for an object of {described['name']}")


def _body(described: dict[str, Any], base: type | None) -> dict[str, Any]:
    body: dict[str, Any] = {"__module__": "__main__", "__doc__": described["doc"]}
    for name in described["methods"]:
        body[name] = _method(name, base)
    if base is None:
        body["__dict__"] = property(lambda self: _ask(self)("vars", (), {}))
        body["__getattribute__"] = _getattribute
    else:
        body["__getattr__"] = lambda self, name: _ask(self)("getattr", (name,), {})
        for name in CHANGING.get(base.__name__, "").split():
            body[name] = _method(name, base)
    if described["unhashable"]:
        body["__hash__"] = None
    body["__setattr__"] = lambda self, name, value: _ask(self)("setattr", (name, value), {})
    body["__delattr__"] = lambda self, name: _ask(self)("delattr", (name,), {})
    return body


def _ask(stand_in: Any) -> Ask:
    return object.__getattribute__(stand_in, "_autograder_ask")


def _getattribute(self: Any, name: str) -> Any:
    if name in _OWN_ATTRIBUTES or (name[:2] == "__" and name[-2:] == "__"):
        return object.__getattribute__(self, name)
    return _ask(self)("getattr", (name,), {})


def _method(name: str, base: type | None) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        ask = _ask(self)
        result = ask("method", (name, *args), kwargs)
        if base in (list, dict, set):
            _renew(self, base, ask("value", (), {}))
        return result

    method.__name__ = name
    return method


def renew(stand_in: Any) -> None:
    """Bring a stand-in up to date: the test may have changed its list since."""
    base = next((base for base in (list, dict, set) if isinstance(stand_in, base)), None)
    if base is not None:
        _renew(stand_in, base, _ask(stand_in)("value", (), {}))


def _renew(stand_in: Any, base: Any, value: Any) -> None:
    """Put a value into a stand-in, past the methods of its class."""
    base.clear(stand_in)
    (base.extend if base is list else base.update)(stand_in, value)
