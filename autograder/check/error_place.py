"""The type and the place of an exception of the student's code, for the messages of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from autograder.check.provenance import in_notebook
from autograder.check.words import exception_name

Tell = Callable[[BaseException], tuple[str, str]]
"""Returns the type and the place of an exception, as far as students may read them; the place may be empty."""

_MAX_TEXT = 300
_tell: ContextVar[Tell | None] = ContextVar("autograder_check_tell", default=None)


@contextmanager
def locating(tell: Tell) -> Iterator[None]:
    """Make :func:`described` ask this function inside the block; the examiner does so for each test cell."""
    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)


def described(error: BaseException, *, in_full: bool = False) -> str:
    """Return ``ValueError in cell 3, line 2: `return total / n```; in a student's own notebook the type alone.

    Args:
        error: the exception.
        in_full: whether a student's own notebook says its text, too.
    """
    tell = _tell.get()
    kind, position = tell(error) if tell is not None else (exception_name(error), "")
    if tell is None and in_full and in_notebook():
        text = " ".join(str(error).split())[:_MAX_TEXT]
        return ": ".join(filter(None, [kind, text]))
    return f"{kind} in {position}" if position else kind
