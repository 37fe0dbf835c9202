"""The way to a student's kernel: one question, one answer, within a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from autograder.codec import Packed

Answer = Callable[[Packed], Packed]
"""Answers one question that the kernel asks back while it works on a request; never raises an :class:`Exception`."""
REPLY_SECONDS = 30.0
"""Wall clock of one answer of the kernel, unless a cell's own limit is shorter."""


class KernelLink(Protocol):
    """A connection to the kernel."""

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        """Send one request and wait for its reply; ``answer`` serves the kernel's questions meanwhile.

        Raises:
            LostError: the kernel is gone or does not answer in time.
        """
        ...
