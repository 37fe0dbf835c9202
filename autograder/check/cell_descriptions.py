"""A kernel's description of a network at a test cell, before it had hidden inputs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from autograder.check.handle import reference_of
from autograder.check.prediction_cache import digest


class AtCell:
    """The description of a network at a test cell."""

    def __init__(self, claim: Any, is_past: Callable[[], bool]) -> None:
        self.claim, self.is_past = claim, is_past
        described = claim[0] if type(claim) is tuple and len(claim) == 2 and type(claim[0]) is dict else {}
        self.shapes = described.get("shapes")

    @cached_property
    def digest(self) -> str:
        """The digest of the description, which one that is asked later may have, too."""
        return digest(list(self.claim))


def describe_at_cell(handle: Any, claim: Any, is_past: Callable[[], bool]) -> None:
    """Keep what the kernel said of a network at a test cell, before it had hidden inputs.

    Args:
        handle: the module's handle.
        claim: what the kernel said; None if it was not asked.
        is_past: tells whether the test has run code since then that may have changed the module.
    """
    reference, of_kernel = reference_of(handle), _of_kernel(handle)
    if reference is not None:
        of_kernel[reference.handle] = None if claim is None else AtCell(claim, is_past)


def at_cell(handle: Any) -> AtCell | None:
    """Return what the kernel said of a network at the last test cell; None if it was not asked."""
    reference = reference_of(handle)
    return None if reference is None else _of_kernel(handle).get(reference.handle)


def _of_kernel(handle: Any) -> dict[int, AtCell | None]:
    return _described.setdefault(object.__getattribute__(handle, "_remote"), {})


_described: WeakKeyDictionary[Any, dict[int, AtCell | None]] = WeakKeyDictionary()
"""Kernel → number of a network in it → what the kernel said of it."""
