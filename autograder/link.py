"""The way to a student's kernel: one question, one answer, within a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from autograder.probe.codec import Packed

Answer = Callable[[Packed], Packed]
"""Serves one question that the kernel asks back while it answers; never raises an :class:`Exception`."""
REPLY_SECONDS = 30.0
"""Wall clock of one answer of the kernel, where a cell's own limit is not shorter."""


class Link(Protocol):
    """The way to the kernel.

    Raises :class:`~autograder.errors.LostError` when the kernel is gone or does not answer in time.
    """

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        """Send one request, wait for its reply; ``answer`` serves what the kernel asks back meanwhile."""
        ...
