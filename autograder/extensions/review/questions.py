"""Questions and answers as the review page shows them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from autograder.course.nbgrader_config import read_nbgrader_config
from autograder.extensions.review.entering import GradebookStanding, QuestionKey
from autograder.extensions.review.rubric import RubricItem, items
from autograder.records.course import Course
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import Grade, QuestionGrade
from autograder.release.markers import Markers, course_markers, unreleased
from autograder.results import report
from autograder.results.report.cell_views import CellView, views


@dataclass(frozen=True)
class Question:
    """One question, with what the instructor says of it."""

    asked: QuestionKey
    title: str
    points: float
    by_hand: bool
    """Whether a person always grades it."""
    said: str
    """Source that students see: the task or the question's text."""
    scheme: str
    """What they do not see: the mark scheme, or the instructor's answer."""
    rubric: tuple[RubricItem, ...]
    kind: str
    """``markdown`` or ``code``: the language of ``scheme``."""
    given: frozenset[str] = frozenset()
    """Sources of the cells that every student got: none of them is part of an answer."""


@dataclass(frozen=True)
class Answer:
    """One student's answer."""

    student: str
    cells: tuple[CellView, ...]
    grade: QuestionGrade
    standing: GradebookStanding


def questions(course: Course, exams: Sequence[Exam], grades: Sequence[Grade]) -> list[Question]:
    """List the questions that a person may grade: first those that wait for one.

    Args:
        course: the course.
        exams: all notebooks of the assignment.
        grades: the current grades; a test that waits for a person in one of them is listed, too.
    """
    markers = course_markers(read_nbgrader_config(course.root))
    waiting = {
        (book.notebook, question.id)
        for grade in grades
        for book in grade.notebooks
        for question in book.questions
        if question.waits
    }
    listed = []
    for exam in exams:
        titles = report.headings((cell.cell_type, cell.released, cell.grade_id) for cell in exam.cells)
        provided = frozenset(cell.released for cell in exam.cells if cell.role is Role.FREE)
        answer = ""
        for cell in exam.cells:
            name = str(cell.grade_id)
            if cell.role in (Role.ANSWER, Role.MANUAL, Role.TASK):
                answer = name
            if cell not in exam.questions or (not cell.points and (exam.notebook, name) not in waiting):
                continue
            by_hand = cell.role in (Role.MANUAL, Role.TASK)
            question_key = QuestionKey(exam.assignment, exam.notebook, name, name if by_hand else answer)
            listed.append(_question(question_key, cell, titles.get(name, "") or "", markers, provided))
    return sorted(listed, key=lambda q: (q.asked.notebook, q.asked.question) not in waiting)


def _question(
    question_key: QuestionKey, cell: ExamCell, title: str, markers: Markers, provided: frozenset[str]
) -> Question:
    hidden = unreleased(cell.source, cell.released, markers)
    by_hand = cell.role in (Role.MANUAL, Role.TASK)
    task = cell.released if cell.role is Role.TASK else ""
    rubric = items(hidden) if by_hand else ()
    return Question(question_key, title, cell.points, by_hand, task, hidden, rubric, cell.cell_type, provided)


def answers(
    course: Course, question: Question, grades: Sequence[Grade], entered: Mapping[str, GradebookStanding]
) -> list[Answer]:
    """Read the answers to a question; ``entered`` is what stands in the gradebook, by student."""
    listed = []
    for grade in grades:
        graded = _graded(grade, question.asked)
        if graded is None or grade.student not in entered:
            continue
        path = answers_file(course, grade.student, question)
        views_of_cells = _views(path, path.stat().st_mtime_ns) if path.is_file() else ()
        cells = answer_cells(views_of_cells, question)
        listed.append(Answer(grade.student, cells, graded, entered[grade.student]))
    return listed


def answers_file(course: Course, student: str, question: Question) -> Path:
    """Return the path of the notebook that the page shows of a student."""
    return course.autograded(student, question.asked.assignment) / f"{question.asked.notebook}.ipynb"


def _graded(grade: Grade, question_key: QuestionKey) -> QuestionGrade | None:
    return next(
        (
            q
            for b in grade.notebooks
            if b.notebook == question_key.notebook
            for q in b.questions
            if q.id == question_key.question
        ),
        None,
    )


@lru_cache(maxsize=64)
def _views(path: Path, changed: int) -> tuple[tuple[CellView, str], ...]:
    """Read an annotated notebook, cell by cell with its source; ``changed`` is its time: a new one is read again."""
    from autograder._util.notebook_format import nbformat

    notebook = nbformat.v4.reads(path.read_text("utf-8"))
    cell_views, _ = views(notebook)
    return tuple(zip(cell_views, (str(cell.source) for cell in notebook.cells), strict=False))


def answer_cells(views_of_cells: Sequence[tuple[CellView, str]], question: Question) -> tuple[CellView, ...]:
    """Choose the cells of an answer: the answer's own, and the student's cells right after it."""
    answer_views: list[CellView] = []
    begun = False
    for cell, source in views_of_cells:
        if begun and (cell.role != "free" or source in question.given):
            break
        if begun or (cell.grade_id == question.asked.answer and cell.role != "task"):
            answer_views.append(cell)
        begun = begun or cell.grade_id == question.asked.answer
    return tuple(answer_views)


def shuffled(students: Iterable[str], salt: str) -> list[str]:
    """Return students in an order that tells nothing of their names, the same for one ``salt``."""
    return sorted(students, key=lambda name: hashlib.sha256(f"{salt}\0{name}".encode()).digest())
