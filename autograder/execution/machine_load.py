"""The load of this machine, which tells whether others take the processors."""

from __future__ import annotations

import os


def is_busy() -> bool:
    """Tell whether, over the last minute, more wanted to run on this machine than it has processors.

    A container whose processor time is limited keeps its processes waiting on an idle machine, too; then the load is
    low. Where the load is unknown, the machine counts as busy.
    """
    try:
        return os.getloadavg()[0] > len(os.sched_getaffinity(0))
    except (OSError, AttributeError):
        return True
