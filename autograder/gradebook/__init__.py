"""gradebook.db: grades in nbgrader's schema, so that its export, formgrader and feedback work on them.

A person's work there (manual scores, extra credit, comments) is never written over. nbgrader's API commits
after every call; here one submission is one transaction, taken with the write lock, so that a batch that is
killed leaves whole submissions behind and formgrader can be open meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from autograder.gradebook.cells import save_exams
from autograder.gradebook.database import opened, transact
from autograder.gradebook.people import manual_entries, with_entries
from autograder.gradebook.scores import save_grade
from autograder.records import Course, Exam, Grade

__all__ = ["record", "with_manual_scores"]


def record(course: Course, exams: Sequence[Exam], grades: Sequence[Grade]) -> None:
    """Write ``grades`` into the course's gradebook, which is made where there is none.

    ``exams`` are all notebooks of the assignments that ``grades`` are of: the gradebook's cells become
    theirs, and cells that went away go with their scores. Recording a grade again, or a new one, replaces
    what the kit wrote and keeps what people wrote; a manual score is marked for review where the submission
    or its automatic score changed after it. Submissions of other assignments or students are left as they
    are.

    Raises:
        HostError: the gradebook is locked for longer than
        :data:`~autograder.gradebook.database.PATIENCE_SECONDS`, is damaged, or is of another
            version of nbgrader.
    """
    with opened(course) as book:
        for name in dict.fromkeys(exam.assignment for exam in exams):
            these = [exam for exam in exams if exam.assignment == name]
            transact(book, course.gradebook, partial(save_exams, book, course, name, these))
        for grade in grades:
            its = {exam.notebook: exam for exam in exams if exam.assignment == grade.assignment}
            transact(book, course.gradebook, partial(save_grade, book, grade, its))


def with_manual_scores(course: Course, grades: Sequence[Grade]) -> tuple[Grade, ...]:
    """``grades`` with what people entered in the gradebook: their scores, extra credit and comments on
    written answers. A course without a gradebook has none."""
    if not course.gradebook.exists():
        return tuple(grades)
    with opened(course) as book:
        entries = {name: manual_entries(book, name) for name in {grade.assignment for grade in grades}}
    return tuple(with_entries(grade, entries[grade.assignment].get(grade.student, {})) for grade in grades)
