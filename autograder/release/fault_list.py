"""Faults that the checks of a release collect, so that an author hears of all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from autograder.errors import CourseError


class FaultList:
    """Errors of checks, in their order; true if there are some."""

    def __init__(self) -> None:
        self._errors: list[CourseError] = []

    def __bool__(self) -> bool:
        return bool(self._errors)

    def texts(self) -> list[str]:
        """Return what each of them says."""
        return [str(error) for error in self._errors]

    def names(self, path: str) -> bool:
        """Return whether one of them is about the file."""
        return any(f"{path}: " in str(error) for error in self._errors)

    @contextmanager
    def collecting(self, path: str = "") -> Iterator[None]:
        """End the block at a CourseError and keep it, if it says something new.

        Args:
            path: a file that the block is about. What an earlier check said of it may be the cause of the error, so the
                error is not kept then.
        """
        try:
            yield
        except CourseError as error:
            if str(error) not in self.texts() and not (path and self.names(path)):
                self._errors.append(error)

    def stop(self) -> None:
        """Raise a single error as it is, and several as one with all their texts."""
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise CourseError("\n".join(self.texts()))


@contextmanager
def all_at_once() -> Iterator[FaultList]:
    """Collect the faults of a block, with the CourseError that ends it, and raise all of them at its end."""
    faults = FaultList()
    with faults.collecting():
        yield faults
    faults.stop()
