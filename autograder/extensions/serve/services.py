"""Services that grade, one for each assignment that is handed in: those of ``autograder grade --watch``."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from concurrent.futures import Future
from pathlib import Path

from autograder.coordinator.assignment import Options
from autograder.coordinator.grading_places import GradingPlaces
from autograder.coordinator.service import Service
from autograder.course.configuration import assignment as find_assignment
from autograder.course.configuration import load_course
from autograder.errors import AutograderError, CourseError, UsageError
from autograder.records.ending import EndedError, Whose, failed
from autograder.records.grade import Grade, NotGraded

MAX_OPEN = 2
"""Most services at a time: each keeps an assignment's libraries in memory."""
IDLE_SECONDS = 900.0
"""Seconds after which a service that has nothing to do is closed."""
RETRY_SECONDS = 10.0
"""Seconds until an assignment is tried again whose service could not be opened."""

Grading = Future[Grade | NotGraded]
_LOG = logging.getLogger("autograder.serve")


class Services:
    """Open services by assignment. One that could not be opened rests for a while."""

    def __init__(self, root: Path, options: Options) -> None:
        self._root, self._options = root, options
        self._open: dict[str, Service] = {}
        self._places = GradingPlaces()
        self._used: dict[str, float] = {}
        self._resting: dict[str, float] = {}

    @property
    def resting(self) -> set[str]:
        """Assignments that are not tried now."""
        now = time.monotonic()
        return {name for name, until in self._resting.items() if until > now}

    def rest(self, name: str) -> None:
        """Leave an assignment alone for a while."""
        self._resting[name] = time.monotonic() + RETRY_SECONDS

    def fault(self, name: str) -> Exception | None:
        """Return what ended an assignment's service; None if it is at work, or was stopped."""
        return self._open[name].fault if name in self._open else None

    def submit(self, student: str, name: str, busy: Collection[str], *, anew: bool = False) -> Grading:
        """Grade a student's submission as it is on disk.

        Args:
            student: the student.
            name: the assignment.
            busy: assignments that are being graded: their services stay.
            anew: whether to execute the notebook although its grade is current.

        Raises:
            EndedError: the assignment's service cannot be opened now; the course or the machine is at fault, and never
                a hand-in.
        """
        try:
            service = self._service(name, busy)
        except AutograderError as error:
            whose = Whose.COURSE if isinstance(error, CourseError | UsageError) else Whose.HOST
            raise EndedError(failed(str(error), whose)) from error
        self._used[name] = time.monotonic()
        return service.submit(student, anew=anew)

    def _service(self, name: str, busy: Collection[str]) -> Service:
        if self.fault(name) is not None:
            self._close(name)
        if name not in self._open:
            idle = sorted((n for n in self._open if n not in busy), key=self._used.__getitem__)
            if len(self._open) >= MAX_OPEN and idle:
                self._close(idle[0])
            course = load_course(self._root)
            service = Service(course, find_assignment(course, name), self._options, _LOG.warning, self._places)
            self._open[name] = service.__enter__()
            _LOG.info("%s is open", name)
        return self._open[name]

    def close_old(self, busy: Collection[str]) -> None:
        """Close services that are idle for long, have ended, or whose assignment has changed."""
        for name in [name for name in self._open if name not in busy]:
            if time.monotonic() - self._used[name] > IDLE_SECONDS or self._is_old(name):
                self._close(name)

    def _is_old(self, name: str) -> bool:
        try:
            return self._open[name].changed()
        except AutograderError as error:
            _LOG.error("%s: %s", name, error)
            return True

    def _close(self, name: str) -> None:
        self._open.pop(name).__exit__(None, None, None)
        _LOG.info("%s is closed", name)

    def close(self) -> None:
        """Close all services, once they have written their reports."""
        for name in list(self._open):
            self._close(name)

    def stop(self) -> None:
        """End all services at once."""
        for service in self._open.values():
            service.stop()
        self.close()
