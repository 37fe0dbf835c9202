"""What is handed to a learning system: for each student a score, a comment and a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder._util.text import one_line
from autograder.errors import UsageError
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade, QuestionGrade
from autograder.results import given_totals, publication, report
from autograder.results.report.status_words import moment, points
from autograder.results.student_view import for_students

MAX_COMMENT = 4000
"""Limit on the characters of a comment."""


@dataclass(frozen=True)
class ResultEntry:
    """The result of one student."""

    student: str
    """Name of the folder in submitted/."""
    score: float | None
    """Points after the late penalty; None: not to be handed over yet."""
    max_score: float
    comment: str
    """A line for each question."""
    page: Path | None
    """The feedback page, if there is one."""
    waits: str = "a person has not decided yet"
    """Why there is no score."""


def entries(
    course: Course, assignment: Assignment, now: datetime, *, unfinished: bool = False
) -> tuple[list[ResultEntry], dict[str, str]]:
    """Read what stands for each student: with the points that people gave, by name.

    What students may not see yet is not handed over.

    Args:
        course: the course.
        assignment: the assignment.
        now: the time by which results are held back, or not.
        unfinished: whether submissions that wait for a person are handed over with the points that they have.

    Returns:
        The entries, and student → reason for those whose grade on disk does not count.

    Raises:
        UsageError: nothing is graded.
    """
    standing = publication.on_disk(course, assignment.name)
    if not standing.current and not standing.set_aside:
        raise UsageError(f"nothing is graded; run `autograder grade {assignment.name}` first")
    exact = given_totals.by_people(course, standing.current)
    pairs = zip(exact, for_students(course, assignment, exact, now), strict=True)
    return [_entry(course, grade, unfinished, whole) for whole, grade in pairs], dict(standing.set_aside)


def _entry(course: Course, grade: Grade, unfinished: bool, exact: Grade) -> ResultEntry:
    """Make the entry of a grade as its student may see it; stepped points are handed over exactly."""
    page = course.feedback(grade.student, grade.assignment) / report.feedback_name(grade)
    existing_page = page if page.is_file() else None
    if grade.held_back:
        until = moment(max(one.until for one in grade.held_back), course.zone)
        return ResultEntry(grade.student, None, grade.max_score, "", None, f"results are held back until {until}")
    if grade.dates is not None and grade.dates.excused:
        return ResultEntry(grade.student, None, grade.max_score, "", None, "the student is excused")
    waits = exact.needs_manual_grade and exact.given is None
    score = None if waits and not unfinished else exact.score
    is_whole = grade.score == exact.score
    comment = summary(grade) if is_whole else f"in all: {points(exact.score)} of {points(exact.max_score)}"
    return ResultEntry(grade.student, score, exact.max_score, comment, existing_page)


def summary(grade: Grade) -> str:
    """Write a comment: a line for each question with its points, the late penalty, and the sum."""
    several = len(grade.notebooks) > 1
    lines = [
        f"{f'{book.notebook}/' if several else ''}{_line(question)}"
        for book in grade.notebooks
        for question in book.questions
    ]
    if grade.late_penalty:
        lines.append(f"late: −{points(grade.late_penalty)}")
    if grade.given is not None:
        lines.append("a person gave the total")
    lines.append(f"in all: {points(grade.score)} of {points(grade.max_score)}")
    return _bounded(lines)


def _line(question: QuestionGrade) -> str:
    if question.waits:
        return f"{one_line(question.id, 80)}: a person has to look at it"
    message = one_line(question.message, 200) if question.score < question.max_score else ""
    scored = f"{one_line(question.id, 80)}: {points(question.score)} of {points(question.max_score)}"
    return f"{scored}; {message}" if message else scored


def _bounded(lines: Sequence[str]) -> str:
    """Join the lines; of too many the first are kept, and the sum."""
    text = "\n".join(lines)
    if len(text) <= MAX_COMMENT:
        return text
    first_lines: list[str] = []
    characters_left = MAX_COMMENT - len(lines[-1]) - len("\n…\n")
    for line in lines[:-1]:
        characters_left -= len(line) + 1
        if characters_left < 0:
            break
        first_lines.append(line)
    return "\n".join([*first_lines, "…", lines[-1]])
