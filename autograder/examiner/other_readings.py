"""Other forms of the same answer, with which a test that lacks points is examined once more.

If it earns more with one of them, a person decides.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from autograder.examiner.remote.proxy import Remote


class Reading(NamedTuple):
    """A form in which answers may arrive."""

    is_open: Callable[[Remote], bool]
    """Tells whether an answer of the present test arrived in another form."""
    during: Callable[[Remote], AbstractContextManager[None]]
    """Lets answers arrive in this form inside a block."""
    detail: str
    """Tells the teacher what it means that the test earns more so."""


def other_readings(remote: Remote) -> list[Reading]:
    """Return the forms that the answers of the test that was just examined could have had, too."""
    return [reading for reading in _READINGS if reading.is_open(remote)]


_READINGS = (
    Reading(
        lambda remote: remote.permissions.has_widened,
        lambda remote: remote.permissions.allowing_any_size(),
        "With integers as large as the answer's, this test gives more points: they may be right, or squares that wrap. "
        "The line `# examine: answers give large`, or `wide` beyond 2**31, allows them.",
    ),
    Reading(
        lambda remote: remote.permissions.has_derived,
        lambda remote: remote.reading_plain_values(),
        "The answer is of a class of its own that derives from a plain type, such as a named tuple. With the plain "
        "value in its place, this test gives more points.",
    ),
)
