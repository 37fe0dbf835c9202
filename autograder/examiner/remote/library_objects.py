"""Library objects that a test passes to the student's code, such as a teaching library's table.

The kernel builds one of its own: by the call, and with the data, with which Python would copy the object. It is a copy,
as a list is; what the student's code changes in it does not come back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from autograder.codec import Packed, is_written
from autograder.examiner.remote.arguments import has_remedy

METHODS = frozenset(["order", "call", "state"])
"""What the kernel may ask about an object: which objects to build for it, and of each the call that creates it and then
its state."""
_PROTOCOL = 2
"""The first protocol of ``copyreg`` that every class supports."""


_MODULE = ("torch.nn.modules.module", "Module")
_NEVER = frozenset([*sys.stdlib_module_names, "autograder"])
"""Modules whose objects are never copied: Python's own that are no data, such as locks and queues, are shared."""


class Parts(NamedTuple):
    """What builds a copy of an object, in the terms of :meth:`object.__reduce_ex__`."""

    call: tuple[Any, Any]
    """A library's function and its arguments."""
    state: tuple[Any, Any, Any]
    """The attributes, and the items of an object that derives from a list or a dict; None for none."""


class Prepared(NamedTuple):
    """An object as it is while a message is written: answers to what the kernel may ask about it."""

    call: Packed
    state: Packed
    refers_to: list[int]
    """The numbers of further such objects."""


def class_name(value: Any) -> str:
    """Return the class of an object, as in ``networkx.classes.graph.Graph``."""
    return f"{type(value).__module__}.{type(value).__qualname__}"


def is_module(value: Any) -> bool:
    """Tell whether a value is a PyTorch module, whose parameters and methods a function uses besides calling it."""
    return any((kind.__module__, kind.__name__) == _MODULE for kind in type(value).__mro__)


def _shares_weights(module: Any) -> bool:
    """Tell whether two layers of a module have one parameter, which would be two in a copy."""
    names = [id(parameter) for _, parameter in module.named_parameters(remove_duplicate=False)]
    return len(set(names)) < len(names)


def order(number: int, objects: Mapping[int, Prepared]) -> list[int]:
    """Return an object's number behind those of all objects that it refers to, as far as there are no circles.

    Args:
        number: the object's number.
        objects: all objects, by their numbers.
    """
    ordered: dict[int, None] = {}
    met: set[int] = set()
    pending = [(number, False)]
    while pending:
        number, is_complete = pending.pop()
        if is_complete:
            ordered[number] = None
        elif number not in met:
            met.add(number)
            pending += [(number, True), *((part, False) for part in objects[number].refers_to)]
    return list(ordered)


def parts(value: Any, is_library: Callable[[str], bool]) -> Parts | None:
    """Return what builds a copy of a library's object; None if a copy is impossible or forbidden.

    An object that a test shares with the student's code by its state (a random generator, an estimator, axes, an
    optimizer) is not copied.
    """
    kind = type(value)
    module = kind.__module__
    if module.partition(".")[0] in _NEVER or not is_library(module) or has_remedy(kind):
        return None
    if is_written(kind) or isinstance(value, type) or (is_module(value) and _shares_weights(value)):
        return None
    try:
        reduced = value.__reduce_ex__(_PROTOCOL)
    except Exception:  # a lock, a socket and the like
        return None
    if type(reduced) is not tuple or not 2 <= len(reduced) <= 5:
        return None
    function, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    listed = [None if each is None else list(each) for each in (items, pairs)]
    return Parts((function, tuple(arguments)), (state, listed[0], listed[1]))
