"""What the examiner's stand-ins have in common: the handle of an object in the kernel, and the ways to lose it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from autograder.probe.codec import Packed, Reference

Answer = Callable[[Packed], Packed]
"""Serves one question that the kernel asks back while it answers; never raises an :class:`Exception`."""


class Link(Protocol):
    """The way to the kernel. Raises :class:`LostError` when the kernel is gone or does not answer in time."""

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        """Send one request, wait for its reply; ``answer`` serves what the kernel asks back meanwhile."""
        ...


def reference_of(value: Any) -> Reference | None:
    """The handle of what stands for an object in the kernel (an object, a class, an exception); None for anything else.

    Only the type is asked, so that no attribute of the student's can pose as a handle.
    """
    finder = getattr(type(value), "_autograder_reference", None)
    found = finder(value) if finder is not None else None
    return found if type(found) is Reference else None
