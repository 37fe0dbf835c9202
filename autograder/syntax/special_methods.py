"""The methods that Python's syntax and built-in functions call."""

from __future__ import annotations

from autograder.kernel.operations import BINARY, COMPARISONS, IN_PLACE, UNARY


def special(name: str) -> str:
    """Return the name of the method that an operator calls."""
    return f"__{name.strip('_')}__"


SPECIAL = frozenset(
    [
        *(special(name) for name in (*BINARY, *IN_PLACE, *UNARY, *COMPARISONS)),
        *(f"__r{name.strip('_')}__" for name in BINARY),
        *("__len__", "__iter__", "__next__", "__reversed__", "__call__", "__enter__", "__exit__", "__hash__"),
        *("__bool__", "__int__", "__float__", "__round__", "__str__", "__repr__", "__format__"),
    ]
)
"""Methods that Python's syntax and built-in functions call."""
