"""The gradebook, where people enter points: an extension keeps it, and this module is the way to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from autograder._util import registry
from autograder._util.text import one_line
from autograder.course.nbgrader_config import read_nbgrader_config
from autograder.errors import HostError, UsageError
from autograder.records.course import Course
from autograder.records.exam import Exam
from autograder.records.grade import Grade

KIND = "nbgrader"
"""Name under which an extension registers what keeps gradebooks."""
Points = Mapping[tuple[str, str, str], tuple[float | None, float | None]]
"""Mapping (student, notebook, grade_id) → manual score and extra credit, for questions that have one of them."""


class Gradebook(Protocol):
    """A module, or an object, that keeps the gradebooks of courses."""

    def prepare(self) -> None:
        """Load what is needed, while a batch runs."""

    def database_of(self, course: Course) -> Path | str:
        """Return where a course's gradebook is, for people; empty if there is none."""

    def record(self, course: Course, exams: Sequence[Exam], grades: Sequence[Grade]) -> None:
        """Write grades, and leave what people entered."""

    def points_by_hand(self, course: Course, assignment: str) -> Points | None:
        """Read the points that people gave; None if they cannot be read."""

    def enter_points(self, course: Course, grade: Grade, notebook: str, question: str, score: float | None) -> None:
        """Enter a person's points of a question; None takes them back; UsageError: there is no such question."""

    def with_manual_scores(self, course: Course, grades: Sequence[Grade]) -> tuple[Grade, ...]:
        """Return grades with manual scores, extra credit and comments."""


class NoGradebook:
    """A gradebook for courses that have none, where no extension keeps them."""

    def prepare(self) -> None:
        """Load nothing."""

    def database_of(self, course: Course) -> Path | str:
        """Return an empty text.

        Raises:
            HostError: the course has a gradebook, whose entries would be left out.
        """
        address = read_nbgrader_config(course.root).get("CourseDirectory", "db_url")
        if course.gradebook.exists() or address is not None:
            raise HostError(f"{course.gradebook.name} {registry.absence(KIND, registry.GRADEBOOKS)}")
        return ""

    def record(self, course: Course, exams: Sequence[Exam], grades: Sequence[Grade]) -> None:
        """Write nothing."""
        self.database_of(course)

    def points_by_hand(self, course: Course, assignment: str) -> Points | None:
        """Return an empty mapping: people entered nothing."""
        self.database_of(course)
        return {}

    def enter_points(self, course: Course, grade: Grade, notebook: str, question: str, score: float | None) -> None:
        """Refuse, with a UsageError: there is no gradebook."""
        raise UsageError(f"points {registry.absence(KIND, registry.GRADEBOOKS)}")

    def with_manual_scores(self, course: Course, grades: Sequence[Grade]) -> tuple[Grade, ...]:
        """Return the grades as they are."""
        self.database_of(course)
        return tuple(grades)


def load() -> Gradebook:
    """Import what keeps the gradebooks of courses."""
    if KIND not in registry.names(registry.GRADEBOOKS):
        return NoGradebook()
    return cast(Gradebook, registry.load(registry.GRADEBOOKS, KIND))


def changed_points(before: Points | None, now: Points | None) -> Iterator[str]:
    """Yield a line for each question whose points by hand changed; nothing if one reading failed."""
    if before is None or now is None:
        return
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key, (None, None)), now.get(key, (None, None))
        if old != new:
            yield f"{_cell_label(key)}: {_in_words(*new)} given by hand while this batch ran ({_in_words(*old)} before)"


def points_out_of_range(points: Points | None, grades: Iterable[Grade]) -> Iterator[str]:
    """Yield a line for each manual score below 0 or above the question's points (more is extra credit)."""
    for grade in grades if points else ():
        for book in grade.notebooks:
            for question in book.questions:
                key = (grade.student, book.notebook, question.id)
                score, _ = (points or {}).get(key, (None, None))
                if score is not None and not 0 <= score <= question.max_score + 1e-9:
                    yield f"{_cell_label(key)}: {score:g} points by hand, of {question.max_score:g}"


def _cell_label(key: tuple[str, str, str]) -> str:
    student, notebook, cell = (one_line(part, 60) for part in key)
    return f"{student}: {notebook}/{cell}"


def _in_words(score: float | None, extra: float | None) -> str:
    points = "no points" if score is None else f"{score:g} point{'s' if score != 1 else ''}"
    return f"{points} and {extra:g} extra" if extra else points
