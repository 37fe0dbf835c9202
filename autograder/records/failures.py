"""Located failures of a test, as data that crosses walls: no reader takes anything from the words of a traceback."""

from __future__ import annotations

import enum
from dataclasses import dataclass

MAX_FAILURES, MAX_LINES, MAX_CHARACTERS = 100, 60, 20_000
"""Largest number of failures of a question, of lines of one, and of characters of all."""


class FailureKind(enum.StrEnum):
    """What ended a statement of a test."""

    RAISED = "raised"
    """An exception; its type says which."""
    UNBOUND = "unbound"
    """A name that is not defined."""
    NO_INPUT = "no input"
    """A call of ``input()``, which nobody answers."""
    STOPPED_CALL = "stopped call"
    """The end of a call's time."""
    STOPPED_TEST = "stopped test"
    """The end of the test's time."""
    CALLED_OFTEN = "called often"
    """More uses of the test's own functions than can be served."""
    NOTE = "note"
    """Nothing: words for the teacher beside the failures, such as what the test printed."""
    AT_END = "at end"
    """Nothing: the reason why the test found objects as they are at the end of the notebook."""


NOTES = (FailureKind.NOTE, FailureKind.AT_END)


@dataclass(frozen=True, slots=True)
class Failure:
    """What ended one statement of a test, or a note beside it."""

    line: int
    """In the test's code, counted from 1; 0 if the exception did not pass through it."""
    code: str = ""
    said: tuple[str, ...] = ()
    """The exception and the values that were compared: ``AssertionError``, ``double(3) is 7``."""
    kind: FailureKind = FailureKind.RAISED
    type: str = ""
    """The exception's class, as a traceback names it; empty for one of the kit's own."""
    leads_on: bool = False
    """Whether the next failure followed from this one, as its cause or while it was handled."""


def cut(failures: tuple[Failure, ...]) -> tuple[Failure, ...]:
    """Return the failures that stay within the bounds, without those that are too large themselves."""
    within, characters = [], 0
    for failure in failures[:MAX_FAILURES]:
        if len(failure.said) <= MAX_LINES and characters + size(failure) <= MAX_CHARACTERS:
            within.append(failure)
            characters += size(failure)
    return tuple(within)


def size(failure: Failure) -> int:
    """Count the characters of a failure's texts."""
    return sum(map(len, (failure.code, failure.type, *failure.said)))
