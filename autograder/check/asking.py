"""The question whose test runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_question: ContextVar[str] = ContextVar("autograder_asking_question", default="")


@contextmanager
def asked_by(question: str) -> Iterator[None]:
    """Note which question the checks inside the block belong to."""
    token = _question.set(question)
    try:
        yield
    finally:
        _question.reset(token)


def asking_question() -> str:
    """Return the grade_id of the question whose test runs; empty outside of one."""
    return _question.get()
