"""Runs a notebook again whose kernel was killed, until it is known who did that: its own code, or somebody outside.

No limit ended such a kernel, but SIGKILL, which the notebook's code can send as well as an administrator or a daemon
that frees memory. A kernel's end looks the same in both cases. But code that kills itself does so at the same place
each time, and what guards a kernel can not be killed from inside at all.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from autograder.errors import HostError

MOST = 5
"""How often a notebook is run."""
BELIEVED = 3
"""How many deaths at the same place are the notebook's own. Of a notebook that kills itself there are so many in
:data:`MOST` runs, also where some of its kernels were forked, and others, which import more, were started."""
ALIKE = (0.1, 0.05)
"""CPU seconds, and their share, by which two runs of the same code up to the same place differ at most."""


class Killer(enum.Enum):
    """Who sent SIGKILL."""

    OUTSIDE = "somebody outside"
    """It ended what guards the kernel."""
    UNKNOWN = "its own code, or somebody outside"


@dataclass(frozen=True)
class Killed:
    """How a kernel was killed."""

    by: Killer
    cpu_seconds: float
    """What it had used since it was ready for its first cell."""


@dataclass(frozen=True)
class Death:
    """How the kernel of a run was killed, and where."""

    killed: Killed
    cell: int
    """Index of the cell that it did not survive; the number of cells where it died later, when it was examined."""

    def like(self, other: Death) -> bool:
        """Whether both can be the work of the same code."""
        apart, share = ALIKE
        mine, others = self.killed.cpu_seconds, other.killed.cpu_seconds
        return self.cell == other.cell and abs(mine - others) <= apart + share * max(mine, others)


T = TypeVar("T")


def settled(attempt: Callable[[Callable[[Death], bool]], T | None]) -> T:
    """The result of the first attempt that counts.

    Args:
        attempt: runs the notebook. Where its kernel was killed, it asks the function that it is given whether that is
            the notebook's own doing, and gives None where it is not known to be.

    Raises:
        HostError: it was killed each time, and that can't be laid to the notebook.
    """
    deaths: list[Death] = []

    def believed(death: Death) -> bool:
        deaths.append(death)
        return death.killed.by is Killer.UNKNOWN and sum(map(death.like, _of_unknown(deaths))) >= BELIEVED

    for _ in range(MOST):
        result = attempt(believed)
        if result is not None:
            return result
    unknown = _of_unknown(deaths)
    who = Killer.UNKNOWN.value + ", and not at the same place" if unknown else Killer.OUTSIDE.value
    raise HostError(
        f"the kernel was killed each of {MOST} times, and no limit was reached: by {who}. See what ends processes on "
        "this machine (somebody, or a daemon that frees memory), and grade again"
    )


def _of_unknown(deaths: list[Death]) -> list[Death]:
    return [death for death in deaths if death.killed.by is Killer.UNKNOWN]
