"""Other forms of the same answer, with which a test that lacks points is examined once more.

If it earns more with one of them, a person decides.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from autograder.examiner.finite_numbers import SCALES
from autograder.examiner.remote.proxy import Remote


class Reading(NamedTuple):
    """A form in which answers may arrive."""

    is_open: Callable[[Remote], bool]
    """Tells whether an answer of the present test arrived in another form."""
    during: Callable[[Remote], AbstractContextManager[None]]
    """Lets answers arrive in this form inside a block."""
    detail: str
    """Tells the teacher what it means that the test earns more so, or less."""
    is_doubt: bool = False
    """Whether points are in doubt that the test earns, and does not earn so."""


def other_readings(remote: Remote, *, lacks_points: bool, has_points: bool) -> list[Reading]:
    """Return the forms that the answers of the test that was just examined could have had, too.

    Args:
        remote: the connection to the kernel.
        lacks_points: whether the test could earn more.
        has_points: whether it could earn less.
    """
    readings = [one for one in _READINGS if (has_points and one.is_doubt) or (lacks_points and not one.is_doubt)]
    return [reading for reading in readings if reading.is_open(remote)]


def _with_numbers(scale: float, remote: Remote) -> AbstractContextManager[None]:
    return remote.finite.replacing(scale)


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
    *(
        Reading(
            lambda remote: remote.permissions.has_nan,
            functools.partial(_with_numbers, scale),
            "The answer has NaN or infinity where your solution's numbers are finite. With other numbers in their "
            "place, this test gives fewer points: it may ask only that no error is large. The line "
            "`# examine: answers give nan` allows them.",
            is_doubt=True,
        )
        for scale in SCALES
    ),
)
