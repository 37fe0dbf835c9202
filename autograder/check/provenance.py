"""What a message may say of an answer: all of one that a cell of the notebook left, and only right or wrong of others.

Answers are copied out while the notebook runs, before anything hidden is in its kernel. What the kernel says after the
last cell (values that a call returns, models that stay there and are asked) comes from code that has seen hidden inputs
and may put them into a shape, a size or a name. So texts and numbers of such an answer reach no message, which students
read; the examiner's details have them.
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
    """Inside, only what is noted is from a cell: the examiner's, around all test cells of a notebook."""
    token = _noted.set({})
    try:
        yield
    finally:
        _noted.reset(token)


def keep_only(values: Iterable[Any]) -> None:
    """Forget what was noted but for these values: the next test cell has answers of its own."""
    noted = _noted.get()
    if noted is not None:
        kept = {id(value): value for value in values if noted.get(id(value)) is value}
        noted.clear()
        noted.update(kept)


def note(value: Any, depth: int = _DEPTH) -> None:
    """Note an answer that a cell left, and the items of a container."""
    noted = _noted.get()
    if noted is None:
        return
    noted[id(value)] = value
    if depth and type(value) in (list, tuple, dict) and len(value) <= _MAX_ITEMS:
        for item in value.values() if type(value) is dict else value:
            note(item, depth - 1)


def from_a_cell(value: Any) -> bool:
    """Whether a cell of the notebook left the value, or it is a view of an array that one left; in a student's own
    notebook everything is."""
    noted = _noted.get()
    if noted is None:
        return True
    while value is not None:
        if noted.get(id(value)) is value:
            return True
        value = value.base if isinstance(value, np.ndarray) else None
    return False
