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
        lambda remote: remote.permissions.allowing("allows_any_size"),
        "With integers as large as the answer's, this test gives more points: they may be right, or squares that wrap. "
        "The line `# examine: answers give large`, or `wide` beyond 2**31, allows them.",
    ),
    Reading(
        lambda remote: remote.permissions.has_empty,
        lambda remote: remote.permissions.allowing("allows_empty"),
        "Your solution's answer has items here, or was not asked this, and the student's is empty: it may be right, or "
        "nothing that everything holds for. The line `# examine: answers give empty` allows it.",
    ),
    Reading(
        lambda remote: remote.permissions.has_converted,
        lambda remote: remote.permissions.allowing("allows_tensors"),
        "Where your solution gives no tensor, the answer's arrived as an array. With the tensor itself, this test "
        "gives more points. The line `# examine: answers give tensor` allows it.",
    ),
    Reading(
        lambda remote: remote.permissions.has_derived,
        lambda remote: remote.reading_plain_values(),
        "The answer is of a class of its own that derives from a plain type, such as a named tuple. With the plain "
        "value in its place, this test gives more points.",
    ),
)
