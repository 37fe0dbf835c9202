"""Hand-ins of a course: which folder counts for a student, when it was handed in, and under which dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from autograder.records import Course, Dates
from autograder.submissions.manifest import read_timestamp
from autograder.term.facts import Term, load_term, term_versions


class HandIns:
    """Hand-ins of a course, by the facts of its term; a file that changes meanwhile is read again."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._versions = term_versions(course)
        self._term = load_term(course)

    @property
    def term(self) -> Term:
        """The facts of the term, as they are on disk now."""
        now = term_versions(self.course)
        if now != self._versions:
            self._term, self._versions = load_term(self.course), now
        return self._term

    def folder(self, student: str, assignment: str) -> Path:
        """Return the folder that counts for a student."""
        return self.course.submitted(student, assignment)

    def dates(self, student: str, assignment: str) -> Dates:
        """Return a student's dates for an assignment, with late days as far as earlier assignments left them."""
        names = self.course.assignments if self.term.has_late_days(student) else (assignment,)
        return self._dates(student, names)[assignment]

    def all_dates(self, student: str) -> dict[str, Dates]:
        """Return a student's dates for every assignment."""
        return self._dates(student, self.course.assignments)

    def _dates(self, student: str, names: Iterable[str]) -> dict[str, Dates]:
        """Return the dates by when these assignments were handed in."""
        handed_in: dict[str, datetime] = {}
        for name in names:
            when = read_timestamp(self.folder(student, name))
            if when is not None:
                handed_in[name] = when
        return self.term.dates(student, handed_in)
