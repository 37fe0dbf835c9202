"""The time that a call of the student's code may take: short, once several calls have used up theirs."""

from __future__ import annotations

from autograder.errors import CutShortError, LostError

STOPPED_CALLS = 3
"""Calls of one submission that may use up their whole time."""
SHORT_SECONDS = 3.0
"""Own time of a call after them."""
_VERBS = frozenset(["call", "operate", "ask_model"])
"""Requests that the student's code answers and that have no limit of their own."""


class Patience:
    """The calls of one submission that were stopped."""

    def __init__(self) -> None:
        self.stopped = 0

    @property
    def is_short(self) -> bool:
        """Whether a call has less than the usual time now, so that a person decides about one that is stopped."""
        return self.stopped >= STOPPED_CALLS

    def limit(self, verb: str, timeout: float | None) -> float | None:
        """Return the own time of a request in seconds; None: the usual one."""
        return SHORT_SECONDS if timeout is None and verb in _VERBS and self.is_short else timeout

    def stop(self, verb: str) -> LostError | None:
        """Note that a request was stopped; return the error of one that was stopped early."""
        if verb not in _VERBS:
            return None
        self.stopped += 1
        if self.stopped <= STOPPED_CALLS:
            return None
        return CutShortError(
            f"{STOPPED_CALLS} calls of your code had taken too long, so this one was stopped after {SHORT_SECONDS:g} s"
        )

    def lost(self, error: LostError) -> LostError:
        """Return the error of a kernel that is gone: it may have ended because a call was stopped early."""
        return CutShortError(str(error)) if self.is_short else error
