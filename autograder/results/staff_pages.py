"""Pages that an extension brings for the staff of a door, answered where points may be written.

The web process of a door may write neither exams nor gradebook. So it passes requests on, and whoever may answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from autograder.records.course import Assignment, Course


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to a request."""

    status: int
    body: bytes
    kind: str = "text/html; charset=utf-8"
    location: str = ""
    """Address of the page to go to instead, relative to that of the request; empty: this is the answer."""


class StaffPages(Protocol):
    """Pages of a course's assignments: an instance of what is registered lives as long as the door's worker."""

    def reply(self, course: Course, assignment: Assignment, person: str, method: str, path: str, body: bytes) -> Reply:
        """Answer a request of a member of staff; threads call it at the same time.

        Args:
            course: the course as it is now.
            assignment: the assignment.
            person: who asks.
            method: ``GET`` or ``POST``.
            path: what follows the assignment's address, without a ``/`` in front.
            body: the request's body.

        Raises:
            UsageError: there is nothing to show; the message says what to do.
        """
