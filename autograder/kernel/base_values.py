"""The plain values of objects whose classes derive from a plain type, such as named tuples and ``IntEnum``."""

from __future__ import annotations

from collections import Counter, OrderedDict, UserDict, UserList, UserString, deque
from collections.abc import Callable, Sequence
from typing import Any

COPIES: dict[type, Callable[[Any], Any]] = {
    Counter: lambda value: Counter(dict(dict.items(value))),
    OrderedDict: lambda value: OrderedDict(OrderedDict.items(value)),
    dict: lambda value: dict(dict.items(value)),
    deque: lambda value: deque(deque.__iter__(value), value.maxlen),
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    int: int.__int__,
    float: float.__float__,
    UserList: lambda value: list(value.data),
    UserDict: lambda value: dict(value.data),
    UserString: lambda value: str(value.data),
}
"""Plain type → how to copy an object of a class that derives from it, without a method of that class."""
_WRAPPERS = (UserList, UserDict, UserString)
"""Classes whose own objects stay in the kernel, too; their methods call one another."""
_READING = ("__getitem__", "__iter__", "__len__", "__contains__")


def base_value(value: Any, methods: Sequence[str]) -> tuple[Any, ...]:
    """Return the plain value of an object, in a tuple; an empty tuple if there is none.

    There is one if the object's class derives from a plain type and leaves these methods as they are there. Without
    names, they are equality and all methods of a public name.
    """
    kind = type(value)
    base = next((plain for plain in COPIES if plain in kind.__mro__), kind)
    if base is kind and kind not in _WRAPPERS:
        return ()
    methods = [*methods, *_READING] if methods and base in _WRAPPERS else methods
    names = methods or ["__eq__", *(name for name in dir(base) if name[0] != "_")]
    return (COPIES[base](value),) if all(_is_left(kind, base, name) for name in names) else ()


def _is_left(kind: type, base: type, name: str) -> bool:
    owner = next((parent for parent in kind.__mro__ if name in vars(parent)), object)
    return owner in base.__mro__
