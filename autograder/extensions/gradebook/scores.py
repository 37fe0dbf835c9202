"""Scores of one submission in the gradebook: automatic ones and comments, beside those of people."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from autograder._util.text import inert_markdown, visible
from autograder.records.checks import Outcome
from autograder.records.exam import Exam, Role
from autograder.records.grade import Grade, QuestionGrade
from autograder.records.waits import OF_OUTCOMES

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

    from autograder.extensions.gradebook.database_rows import StoredEntries


def save_grade(book: Gradebook, grade: Grade, exams: Mapping[str, Exam]) -> None:
    """Save a grade's scores, penalties and comments; a person's entries stay."""
    from nbgrader.api import MissingEntry
    from nbgrader.utils import parse_utc

    book.update_or_create_student(grade.student)
    anew = False
    with contextlib.suppress(MissingEntry):
        before = book.find_submission(grade.assignment, grade.student)
        anew = before.timestamp != parse_utc(grade.submitted_at)
    # add_submission walks the assignment while its own rows are half made.
    with book.db.no_autoflush:
        submission = book.update_or_create_submission(grade.assignment, grade.student, timestamp=grade.submitted_at)
    names = cell_names(submission)
    penalties = _shared_penalty(grade)
    for row in submission.notebooks:
        name = row.notebook.name
        row.late_submission_penalty = penalties.get(name)
        questions = _questions(grade, name)
        for entry in row.grades:
            _save_score(entry, questions.get(names[entry.cell_id]), anew)
        comments = _comments(exams[name], questions) if name in exams else {}
        for entry in row.comments:
            entry.auto_comment = comments.get(names[entry.cell_id])


def is_recorded(grade: Grade, exams: Mapping[str, Exam], entry: StoredEntries | None) -> bool:
    """Tell whether :func:`save_grade` would change nothing in the gradebook."""
    from nbgrader.utils import parse_utc

    if entry is None or entry.timestamp != parse_utc(grade.submitted_at):
        return False
    penalties = _shared_penalty(grade)
    questions = {name: _questions(grade, name) for name in entry.penalties}
    comments = {name: _comments(exams[name], questions[name]) if name in exams else {} for name in questions}
    return (
        all(penalty == penalties.get(name) for name, penalty in entry.penalties.items())
        and all(_is_score(score, questions[name].get(cell)) for (name, cell), score in entry.scores.items())
        and all(text == comments[name].get(cell) for (name, cell), text in entry.comments.items())
    )


def _is_score(entry: tuple[float | None, float | None, bool], question: QuestionGrade | None) -> bool:
    automatic, manual, waits = entry
    score, should_wait = _automatic(question)
    return automatic == score and (manual is not None or waits == should_wait)


def _questions(grade: Grade, notebook: str) -> dict[str, QuestionGrade]:
    """Return the questions by id; none if no such notebook was submitted."""
    return {q.id: q for book in grade.notebooks if book.notebook == notebook for q in book.questions}


def cell_names(submission: Any) -> dict[str, str]:
    """Return cell id → grade_id for all cells of a submission."""
    notebooks = submission.assignment.notebooks
    return {
        cell.id: cell.name for book in notebooks for cell in [*book.grade_cells, *book.solution_cells, *book.task_cells]
    }


def _save_score(entry: Any, question: QuestionGrade | None, anew: bool) -> None:
    score, waits = _automatic(question)
    if entry.manual_score is None:
        entry.needs_manual_grade = waits
    elif anew or entry.auto_score != score:
        # The person who scored it saw another submission or another automatic score.
        entry.needs_manual_grade = True
    entry.auto_score = score


def _automatic(question: QuestionGrade | None) -> tuple[float | None, bool]:
    """Return one question's automatic score, and whether it waits for a person.

    The score is None if a person has to find it, and 0 without a question (no such notebook was submitted).
    """
    if question is None:
        return 0.0, False
    is_open = question.waits in OF_OUTCOMES
    return None if is_open else question.score, question.waits is not None


def _shared_penalty(grade: Grade) -> dict[str, float | None]:
    """Split the late penalty among the notebooks, in proportion to their scores; None for none.

    The parts add up to the submission's penalty.
    """
    total = sum(book.score for book in grade.notebooks)
    if grade.late_penalty <= 0 or not grade.notebooks:
        return {}
    shares: dict[str, float | None] = {}
    remaining = grade.late_penalty
    for book in grade.notebooks[:-1]:
        part = grade.late_penalty * book.score / total if total > 0 else 0.0
        shares[book.notebook] = part or None
        remaining -= part
    shares[grade.notebooks[-1].notebook] = remaining or None
    return shares


def _comments(exam: Exam, questions: Mapping[str, QuestionGrade]) -> dict[str, str]:
    """Write the comments: an answer gets the findings of the tests after it.

    nbgrader has comments on answers and tasks, and none on tests.
    """
    lines: dict[str, list[str]] = {}
    answer: str | None = None
    for cell in exam.cells:
        if cell.grade_id is None:
            continue
        question = questions.get(cell.grade_id)
        if cell.role in (Role.MANUAL, Role.TASK):
            answer = cell.grade_id if cell.role is Role.MANUAL else answer
            if question is not None and question.outcome is Outcome.SKIPPED:
                lines[cell.grade_id] = [_comment_text(question.message) or "No response."]
        elif cell.role is Role.ANSWER:
            answer = cell.grade_id
        elif cell.role is Role.TEST and question is not None and answer is not None:
            lines.setdefault(answer, []).extend(_findings(question))
    return {name: "\n".join(found) for name, found in lines.items() if found}


def _findings(question: QuestionGrade) -> Iterable[str]:
    if question.outcome is Outcome.PASSED:
        return
    open_checks = [check for check in question.checks if check.outcome is not Outcome.PASSED]
    texts = [question.message, *(f"{check.name}: {check.message}" for check in open_checks)]
    for text in filter(None, texts):
        yield f"- `{question.id}` {_comment_text(text)}"


def _comment_text(text: str) -> str:
    """Make a text safe for a comment: nbgrader renders it as Markdown with HTML, and it may quote a student."""
    return inert_markdown(" ".join(visible(text, 2000).split()))
