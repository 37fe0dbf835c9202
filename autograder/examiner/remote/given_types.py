"""The narrow types among the values that a test passes to the student's code; results may then have them, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograder.codec.dtypes import NARROW

MAX_ITEMS = 100
"""Longest list among the arguments that is searched."""


def given_types(arguments: Iterable[Any], depth: int = 3) -> frozenset[str]:
    """Return the narrow types among the arrays and numbers that a test passes to the student's code."""
    types: set[str] = set()
    for value in arguments:
        if type(value).__module__ == "numpy" and hasattr(value, "dtype"):  # a handle's class is in the kit
            types.add(value.dtype.name)
        elif depth and type(value) in (list, tuple, dict) and len(value) <= MAX_ITEMS:
            types |= given_types(value.values() if type(value) is dict else value, depth - 1)
    return frozenset(types) & NARROW
