"""The origin of an answer, which decides what a message may say about it.

Answers of the notebook's cells are copied out while the notebook runs, before anything hidden is in its kernel, so
messages may quote them. Everything that the kernel says after the last cell comes from code that has seen hidden
inputs: return values of calls, answers of models that stay there. It could encode them in a shape, a size or a name.
Messages say only whether such an answer is right: no text or number of it reaches a student. The examiner's details
contain them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

_DEPTH, _MAX_ITEMS = 3, 10_000
_noted: ContextVar[dict[int, Any] | None] = ContextVar("autograder_answers_of_cells", default=None)


@contextmanager
def noting() -> Iterator[None]:
    """Track the answers of cells inside the block; the examiner does so for all test cells of a notebook."""
    token = _noted.set({})
    try:
        yield
    finally:
        _noted.reset(token)


def in_notebook() -> bool:
    """Return whether no examiner runs: this is a student's own notebook."""
    return _noted.get() is None


def keep_only(values: Iterable[Any]) -> None:
    """Forget all noted values except these, because the next test cell has answers of its own."""
    noted = _noted.get()
    if noted is not None:
        remaining = {id(value): value for value in values if noted.get(id(value)) is value}
        noted.clear()
        noted.update(remaining)


def note(value: Any, depth: int = _DEPTH) -> None:
    """Note an answer that a cell left, with the items of a container."""
    noted = _noted.get()
    if noted is None:
        return
    noted[id(value)] = value
    if depth and type(value) in (list, tuple, dict) and len(value) <= _MAX_ITEMS:
        for item in value.values() if type(value) is dict else value:
            note(item, depth - 1)


def is_from_cell(value: Any) -> bool:
    """Return whether a cell of the notebook left the value, or an array that the value is a view of.

    In a student's own notebook this is true of every value.
    """
    noted = _noted.get()
    if noted is None:
        return True
    while value is not None:
        if noted.get(id(value)) is value:
            return True
        value = value.base if issubclass(type(value), np.ndarray) else None
    return False
