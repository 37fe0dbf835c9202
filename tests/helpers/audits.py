"""Displays for audits under test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from autograder.extensions.trust.audit_records import Result


class Silent:
    """A display that shows nothing, and remembers what it was told."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @contextlib.contextmanager
    def running(self, names: Sequence[str], workers: int, seconds: float) -> Iterator[Callable[[str, Result], None]]:
        yield lambda name, result: self.done.append(name)

    def says(self, text: str) -> None:
        pass
