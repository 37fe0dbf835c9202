"""Gradebooks in nbgrader's schema, so that its export, formgrader and feedback work on them.

The module is a :class:`~autograder.results.gradebook.Gradebook`.

A person's entries (manual scores, extra credit, comments) are never overwritten. nbgrader's API commits
after every call; here one submission is one transaction, taken with the write lock. So a killed batch
leaves whole submissions behind, and formgrader can be open meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from autograder.errors import UsageError
from autograder.extensions.gradebook.cells import save_exams
from autograder.extensions.gradebook.database import database_of, opened, prepare, retry_while_locked, server, transact
from autograder.extensions.gradebook.database_rows import stored
from autograder.extensions.gradebook.manual_points import manual_entries, points_by_hand, with_entries
from autograder.extensions.gradebook.scores import is_recorded, save_grade
from autograder.records.course import Course
from autograder.records.exam import Exam
from autograder.records.grade import Grade

__all__ = [
    "database_of",
    "enter_points",
    "points_by_hand",
    "prepare",
    "record",
    "with_manual_scores",
]


def record(course: Course, exams: Sequence[Exam], grades: Sequence[Grade]) -> None:
    """Write ``grades`` into the course's gradebook, which is made if there is none.

    Recording a grade again, or a new one, replaces the kit's entries and leaves those of people. A manual score is
    marked for review if the submission or its automatic score changed after it. Submissions of other assignments or
    students stay as they are, and so does a grade that is already recorded.

    Args:
        course: the course.
        exams: all notebooks of the assignments of ``grades``. The gradebook gets their cells; cells that are no longer
            in
            them are removed with their scores.
        grades: the grades to record.

    Raises:
        HostError: the gradebook is locked for longer than
            :data:`~autograder.extensions.gradebook.database.PATIENCE_SECONDS`, is damaged, or is of another
            version of nbgrader.
    """
    database = database_of(course)
    with opened(course) as book:
        for name in dict.fromkeys(exam.assignment for exam in exams):
            these = [exam for exam in exams if exam.assignment == name]
            transact(book, database, partial(save_exams, book, course, name, these))
            its = {exam.notebook: exam for exam in these}
            of_it = [grade for grade in grades if grade.assignment == name]
            for portion in _portions(of_it):
                students = [grade.student for grade in portion]
                entries = retry_while_locked(database, partial(stored, book, name, students))
                for grade in portion:
                    if not is_recorded(grade, its, entries.get(grade.student)):
                        transact(book, database, partial(save_grade, book, grade, its))
                book.db.expunge_all()


PORTION = 25
"""Number of submissions whose rows are held at a time, so that a large class needs no more memory than a small one."""


def _portions(grades: Sequence[Grade]) -> Iterator[Sequence[Grade]]:
    return (grades[start : start + PORTION] for start in range(0, len(grades), PORTION))


def enter_points(course: Course, grade: Grade, notebook: str, question: str, score: float | None) -> None:
    """Enter a person's points of a question; None takes them back; UsageError: there is no such question."""
    from nbgrader.api import MissingEntry

    with opened(course) as book:

        def act() -> None:
            row = book.find_grade(question, notebook, grade.assignment, grade.student)
            row.manual_score = score
            row.needs_manual_grade = score is None and row.auto_score is None
            book.db.flush()

        try:
            transact(book, database_of(course), act)
        except MissingEntry:
            raise UsageError(f"the gradebook has no question {question} of {grade.student}") from None


def with_manual_scores(course: Course, grades: Sequence[Grade]) -> tuple[Grade, ...]:
    """Return ``grades`` with manual scores, extra credit and comments from the gradebook.

    A course without a gradebook has none of them.
    """
    if server(course) is None and not course.gradebook.exists():
        return tuple(grades)
    with opened(course) as book:
        entries = {name: manual_entries(book, name) for name in {grade.assignment for grade in grades}}
    return tuple(with_entries(grade, entries[grade.assignment].get(grade.student, {})) for grade in grades)
