"""The arguments of a test that a call of the student's code may change.

Arguments are copied to the kernel. Changes that the student's code makes to the copies come back only if they are the
purpose of the call: the test discards the call's value (``sort(numbers)`` as a statement), or the instructor's own
function of that name returns nothing, or nothing but the argument that it has changed. Otherwise a function could, at
the cost of its own point, empty the labels that the test or the next one compares with. Hidden data are never changed.
"""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping
from types import FrameType
from typing import Any, NamedTuple

from autograder.check.data import is_hidden

_CONTAINERS = (list, bytearray, dict, set, OrderedDict, defaultdict, Counter, deque)


class CallSite(NamedTuple):
    """A call in a source."""

    name: str
    """Name of the function or method; empty if an expression is called."""
    discarded: bool
    """Whether the call is a statement by itself."""


def bring_back(given: Mapping[Any, Any], changed: Mapping[Any, Any], changing: frozenset[str]) -> dict[Any, Any]:
    """Apply the changes of the student's function to mutable arguments, if the caller's source permits it.

    Args:
        given: the arguments, by position or name.
        changed: the kernel's claim about changed arguments.
        changing: names of the functions whose purpose is to change their arguments.

    Returns:
        The arguments that are here what they are in the kernel.
    """
    held = {key: value for key, value in given.items() if key not in changed}
    site = call_site(_caller()) if changed else None
    if site is None or not (site.discarded or site.name in changing):
        return held
    for key, value in changed.items():
        if type(key) in (int, str) and key in given and not is_hidden(given[key]):
            change_in_place(given[key], value)
            held[key] = given[key]
    return held


def is_same_kind(argument: Any, result: Any) -> bool:
    """Return whether a result may be the argument itself: a list, table or the like, of the same type."""
    return type(argument) is type(result) and (
        type(argument) in _CONTAINERS or type(argument).__name__ in ("ndarray", "DataFrame", "Series")
    )


def change_in_place(argument: Any, value: Any) -> None:
    """Give an argument the items of another value of its type."""
    if type(argument) is not type(value):
        return
    if type(argument) in (list, bytearray):
        argument[:] = value
    elif type(argument) in (dict, set, OrderedDict, defaultdict, Counter):
        argument.clear()
        argument.update(value)
    elif type(argument) is deque:
        argument.clear()
        argument.extend(value)
    elif type(argument).__name__ in ("DataFrame", "Series"):
        type(argument).__init__(argument, value)  # pandas has no other way to replace a table in place
    elif hasattr(argument, "dtype") and argument.shape == value.shape and argument.dtype == value.dtype:
        argument[...] = value


# --- where the call stands ---------------------------------------------------------------------------


def _caller() -> FrameType | None:
    """Return the innermost frame outside the examiner."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("autograder.examiner."):
        frame = frame.f_back
    return frame


def call_site(frame: FrameType | None) -> CallSite | None:
    """Return the call that a frame is executing; None if its source is not available."""
    if frame is None:
        return None
    places = frame.f_code.co_positions()
    _, line, _, column = next(itertools.islice(places, frame.f_lasti // 2, None), (None,) * 4)
    source = "".join(linecache.getlines(frame.f_code.co_filename))
    return _call_sites(source).get((line, column))


@functools.lru_cache(maxsize=64)
def _call_sites(source: str) -> dict[tuple[int | None, int | None], CallSite]:
    """Return line and column at which a call ends → the call; no two calls end at the same parenthesis."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return {}
    alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return {
        (node.end_lineno, node.end_col_offset): CallSite(_name(node.func), id(node) in alone)
        for node in nodes
        if isinstance(node, ast.Call)
    }


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
