"""Points and comments that people give: entered as formgrader enters them, and never over what another just gave."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder.extensions.gradebook.database import database_of, opened, transact
from autograder.extensions.gradebook.database_rows import rows
from autograder.records.course import Course

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


@dataclass(frozen=True, slots=True)
class QuestionKey:
    """One question of an assignment."""

    assignment: str
    notebook: str
    question: str
    """The grade_id of the cell with the points."""
    answer: str
    """The grade_id of the cell whose comment it is: the answer before a test, else the same cell."""


@dataclass(frozen=True, slots=True)
class GradebookStanding:
    """What stands in the gradebook for one student's question."""

    automatic: float | None
    manual: float | None
    extra: float | None
    waits: bool
    comment: str
    """A person's comment."""

    @property
    def version(self) -> str:
        """Digest of what a person sees before they give points."""
        return hashlib.sha256(repr((self.automatic, self.manual, self.comment, self.waits)).encode()).hexdigest()[:16]


class Changed(Exception):
    """Somebody else gave points or a comment meanwhile."""

    def __init__(self, standing: GradebookStanding) -> None:
        super().__init__("somebody else changed it meanwhile")
        self.standing = standing


def standings(course: Course, question: QuestionKey) -> dict[str, GradebookStanding]:
    """Read what stands for a question, by student.

    Raises:
        HostError: the gradebook cannot be read.
    """
    with opened(course) as book:
        return _standings(book, question)


def enter(
    course: Course, question: QuestionKey, student: str, score: float | None, comment: str, version: str
) -> GradebookStanding:
    """Enter a person's points and comment.

    Args:
        course: the course.
        question: the question.
        student: the student.
        score: the points; None takes a person's points back, and the automatic ones count.
        comment: the comment, in Markdown; empty for none.
        version: the version that the person saw.

    Returns:
        What stands there now.

    Raises:
        Changed: another version stands there now; nothing is entered.
        KeyError: the student has no such question.
        HostError: the gradebook cannot be written.
    """
    with opened(course) as book:

        def act() -> None:
            before = _standings(book, question, student)[student]
            if before.version != version:
                raise Changed(before)
            row = book.find_grade(question.question, question.notebook, question.assignment, student)
            row.manual_score = score
            row.needs_manual_grade = score is None and (row.auto_score is None or before.waits)
            if comment != before.comment:
                entry = book.find_comment(question.answer, question.notebook, question.assignment, student)
                entry.manual_comment = comment or None
            book.db.flush()

        transact(book, database_of(course), act)
        return _standings(book, question, student)[student]


def _standings(book: Gradebook, question: QuestionKey, student: str | None = None) -> dict[str, GradebookStanding]:
    from nbgrader.api import BaseCell, Comment, Grade, Notebook, SubmittedAssignment

    def found(kind: Any, cell: str, *columns: Any) -> Any:
        query = rows(kind, question.assignment, *columns).where(
            Notebook.name == question.notebook, BaseCell.name == cell
        )
        if student is not None:
            query = query.where(SubmittedAssignment.student_id == student)
        return book.db.execute(query.execution_options(populate_existing=True))

    comments = {who: text or "" for who, _, _, text in found(Comment, question.answer, Comment.manual_comment)}
    columns = Grade.auto_score, Grade.manual_score, Grade.extra_credit, Grade.needs_manual_grade
    return {
        student_id: GradebookStanding(automatic, manual, extra, bool(waits), comments.get(student_id, ""))
        for student_id, _, _, automatic, manual, extra, waits in found(Grade, question.question, *columns)
    }
