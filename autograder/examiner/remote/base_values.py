"""The plain values behind handles: of a named tuple, an ``IntEnum``, an object of ``class Tally(dict)``.

The kernel says what an object holds, as it does of a plain answer, and does not learn what the test compares it with.
An object whose class has an equality of its own has no such value, so no student's code decides.
"""

from __future__ import annotations

from typing import Any

from autograder.check.exact_integer import ExactInteger
from autograder.check.handle import reference_of
from autograder.kernel.base_values import COPIES

MISSING = object()
_BASES = frozenset(kind.__name__ for kind in COPIES)
_PLAIN = (*COPIES, ExactInteger)
INSTANCES = frozenset(["object", "function", "network"])
"""Kinds of references to objects whose class may be the student's."""


def base_value(handle: Any, *methods: str) -> Any:
    """Return the plain value of an object in the kernel; :data:`MISSING` if it has none.

    Args:
        handle: the object's handle.
        methods: the methods that the object's class must leave as they are in its plain type; none for equality and all
            public ones.
    """
    remote, reference = handle._remote, reference_of(handle)
    if reference is None or remote.lost or not _may_have_base(reference, type(handle)):
        return MISSING
    answer = remote.ask("operate", "base", (handle, list(methods)))
    if type(answer) is not tuple or len(answer) != 1 or type(answer[0]) not in _PLAIN:
        return MISSING
    return answer[0]


def derives_from_plain_type(handle: Any) -> bool:
    """Tell, without a request, whether an object's class is known to derive from a plain type."""
    bases = getattr(type(handle), "_plain_bases", None)
    return bool(bases and bases & _BASES)


def _may_have_base(reference: Any, kind: Any) -> bool:
    """Tell, without a request, whether an object's class may derive from a plain type."""
    if reference.kind not in INSTANCES or reference.type_name.startswith("builtins."):
        return False
    return kind._plain_bases is None or bool(kind._plain_bases & _BASES)
