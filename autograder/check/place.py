"""The place in the student's notebook where an exception was raised, for the messages of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Place = Callable[[BaseException], str]

_place: ContextVar[Place | None] = ContextVar("autograder_check_place", default=None)


@contextmanager
def locating(place: Place) -> Iterator[None]:
    """Make :func:`place_of` ask this function inside the block; the examiner does so for each test cell."""
    token = _place.set(place)
    try:
        yield
    finally:
        _place.reset(token)


def place_of(error: BaseException) -> str:
    """Return ``cell 3, line 2: `return total / n```; empty if unknown, as in a student's own notebook."""
    place = _place.get()
    return place(error) if place is not None else ""
