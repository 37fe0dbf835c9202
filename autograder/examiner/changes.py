"""Which arguments of a test a call of the student's code may change.

Arguments go to the kernel by value. What the student's code made of its copies comes back only where that is the point
of the call: the test throws the call's value away (``sort(numbers)`` as a statement), or the instructor's own function
of that name returns nothing. Otherwise a function that gives up its own point could empty the labels that the test, or
the next one, compares with. Hidden data are never changed.
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


class CallSite(NamedTuple):
    """A call in a source."""

    name: str
    """Of the function or method; empty where an expression is called."""
    discarded: bool
    """Whether it is a statement by itself."""


def bring_back(given: Mapping[Any, Any], changed: Mapping[Any, Any], returning_nothing: frozenset[str]) -> None:
    """Make mutable arguments what the student's function made of its copies, where the caller's source lets it.

    Args:
        given: the arguments, by place or name.
        changed: what the kernel says became of some of them.
        returning_nothing: see :func:`functions_returning_nothing`.
    """
    if not changed:
        return
    site = call_site(_caller())
    if site is None or not (site.discarded or site.name in returning_nothing):
        return
    for key, value in changed.items():
        if type(key) in (int, str) and key in given and not is_hidden(given[key]):
            _change_in_place(given[key], value)


def _change_in_place(argument: Any, value: Any) -> None:
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
        type(argument).__init__(argument, value)  # pandas has no other way to make one another in place
    elif hasattr(argument, "dtype") and argument.shape == value.shape and argument.dtype == value.dtype:
        argument[...] = value


# --- where the call stands ---------------------------------------------------------------------------


def _caller() -> FrameType | None:
    """The innermost frame that is none of the examiner's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("autograder.examiner."):
        frame = frame.f_back
    return frame


def call_site(frame: FrameType | None) -> CallSite | None:
    """The call that a frame is in; None where its source is not at hand."""
    if frame is None:
        return None
    places = frame.f_code.co_positions()
    _, line, _, column = next(itertools.islice(places, frame.f_lasti // 2, None), (None,) * 4)
    source = "".join(linecache.getlines(frame.f_code.co_filename))
    return _call_sites(source).get((line, column))


@functools.lru_cache(maxsize=64)
def _call_sites(source: str) -> dict[tuple[int | None, int | None], CallSite]:
    """Line and column where a call ends → the call: no two end at one parenthesis."""
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


# --- what the instructor's functions return ----------------------------------------------------------
