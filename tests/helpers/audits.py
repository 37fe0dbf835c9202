"""Displays for audits under test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from autograder.coordinator.assignment import load_release
from autograder.extensions.trust.audit_records import Result
from autograder.records.course import Course
from autograder.release.record import Release
from helpers.tiny import observe_here


def observed_release(course: Course) -> Release:
    """The release with what its solution was seen to do, as the command gives it to an audit."""
    observe_here(course)
    return load_release(course, course.assignments["hw"])


class Silent:
    """A display that shows nothing, and remembers what it was told."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @contextlib.contextmanager
    def running(self, names: Sequence[str], workers: int, seconds: float) -> Iterator[Callable[[str, Result], None]]:
        yield lambda name, result: self.done.append(name)

    def says(self, text: str) -> None:
        pass
