"""The gradebook: grades in nbgrader's schema, so that its export, formgrader and feedback work on them.

A person's work there (manual scores, extra credit, comments) is never written over. nbgrader's API commits
after every call; here one submission is one transaction, taken with the write lock, so that a batch that is
killed leaves whole submissions behind and formgrader can be open meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from autograder.records import Course, Exam, Grade
from autograder.results.gradebook.cells import save_exams
from autograder.results.gradebook.database import opened, patiently, place, prepare, server, transact
from autograder.results.gradebook.people import (
    Points,
    changed_points,
    manual_entries,
    points_by_hand,
    points_out_of_range,
    with_entries,
)
from autograder.results.gradebook.rows import stored
from autograder.results.gradebook.scores import is_recorded, save_grade

__all__ = [
    "Points",
    "changed_points",
    "place",
    "points_by_hand",
    "points_out_of_range",
    "prepare",
    "record",
    "with_manual_scores",
]


def record(course: Course, exams: Sequence[Exam], grades: Sequence[Grade]) -> None:
    """Write ``grades`` into the course's gradebook, which is made where there is none.

    ``exams`` are all notebooks of the assignments that ``grades`` are of: the gradebook's cells become
    theirs, and cells that went away go with their scores. Recording a grade again, or a new one, replaces
    what the kit wrote and keeps what people wrote; a manual score is marked for review where the submission
    or its automatic score changed after it. Submissions of other assignments or students are left as they
    are, and so is a grade that is in it already.

    Raises:
        HostError: the gradebook is locked for longer than
        :data:`~autograder.results.gradebook.database.PATIENCE_SECONDS`, is damaged, or is of another
            version of nbgrader.
    """
    where = place(course)
    with opened(course) as book:
        for name in dict.fromkeys(exam.assignment for exam in exams):
            these = [exam for exam in exams if exam.assignment == name]
            transact(book, where, partial(save_exams, book, course, name, these))
            its = {exam.notebook: exam for exam in these}
            of_it = [grade for grade in grades if grade.assignment == name]
            for some in _portions(of_it):
                students = [grade.student for grade in some]
                found = patiently(where, partial(stored, book, name, students))
                for grade in some:
                    if not is_recorded(grade, its, found.get(grade.student)):
                        transact(book, where, partial(save_grade, book, grade, its))
                book.db.expunge_all()


PORTION = 25
"""How many submissions' rows are held at a time: the memory of a large class is that of a small one."""


def _portions(grades: Sequence[Grade]) -> Iterator[Sequence[Grade]]:
    return (grades[start : start + PORTION] for start in range(0, len(grades), PORTION))


def with_manual_scores(course: Course, grades: Sequence[Grade]) -> tuple[Grade, ...]:
    """``grades`` with what people entered in the gradebook: their scores, extra credit and comments on
    written answers. A course without a gradebook has none."""
    if server(course) is None and not course.gradebook.exists():
        return tuple(grades)
    with opened(course) as book:
        entries = {name: manual_entries(book, name) for name in {grade.assignment for grade in grades}}
    return tuple(with_entries(grade, entries[grade.assignment].get(grade.student, {})) for grade in grades)
