"""Submissions of the demo's class, made from the release and the table of students."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograder._util import libraries
from autograder._util.files import write_atomically
from autograder.course.configuration import assignment as find_assignment
from autograder.course.configuration import load_course
from autograder.demo.students import ASSIGNMENT, CLASSES, LIBRARIES, DemoStudent
from autograder.errors import CourseError, HostError, UsageError
from autograder.records.course import Course

WITHOUT_DUE_DATE = datetime(2030, 1, 1, tzinfo=UTC)
WRITTEN_ANSWER = "your-explanation"
"""Cell id of the lesson's written answer, which has no grade_id."""


def make_class(course_root: Path, assignment: str) -> tuple[str, ...]:
    """Write one submission for each student of the assignment's class, from release/<assignment>/.

    submitted/<student>/<assignment>/ gets the notebook and a timestamp.txt as nbgrader writes it. The times
    are counted from the due date, so that the same course gives the same submissions on any day.

    Args:
        course_root: the demo's course folder.
        assignment: the name of its assignment.

    Returns:
        The students' names.

    Raises:
        UsageError: there is no such assignment, none that the table has answers for, or no release of it.
        CourseError: the release lacks a cell that the table answers.
    """
    course = load_course(course_root)
    due = find_assignment(course, assignment).due or WITHOUT_DUE_DATE
    students = class_of(assignment)
    name, notebook = _released(course, assignment)
    for number, student in enumerate(students):
        answers, modules = _answers(course, assignment, student)
        text = _submission(notebook, student, answers)
        when = due + student.late if student.late else due - timedelta(hours=3 + 2 * number)
        folder = course.submitted(student.name, assignment)
        write_atomically(folder / name, text)
        for path, content in modules.items():
            write_atomically(folder / path, content)
        write_atomically(folder / "timestamp.txt", f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC")
    return tuple(student.name for student in students)


def class_of(assignment: str) -> tuple[DemoStudent, ...]:
    """Return the students of a lesson.

    Raises:
        UsageError: the demo has no class for it.
    """
    if assignment not in CLASSES:
        raise UsageError(f"the demo has classes for {', '.join(CLASSES)}, and none for {assignment}")
    return CLASSES[assignment]


def check_library(assignment: str) -> None:
    """Refuse a lesson whose library is not installed.

    Raises:
        HostError: it is not; the message says what installs it.
    """
    library, extra = LIBRARIES[assignment]
    if find_spec(library) is None:
        raise HostError(
            f"the lesson {assignment} needs {library}, which is not installed: {libraries.with_extra(extra)}"
        )


def expected(student: str, assignment: str = ASSIGNMENT) -> tuple[float, float]:
    """Return the lowest and the highest right score of a student, in points, ends included.

    Answers that a person grades count as 0; the late penalty is taken off.

    Raises:
        UsageError: the demo has no such student.
    """
    for entry in class_of(assignment):
        if entry.name == student:
            return entry.low, entry.high
    raise UsageError(f"the demo has no student {student!r}")


def next_steps(course_root: Path, assignment: str) -> tuple[tuple[str, str], ...]:
    """Return what to open, and what to ask, after the demo: titles, and paths or commands."""
    students = [student.name for student in class_of(assignment)]
    name = "patches-evaluate" if "patches-evaluate" in students else students[1]  # somebody who lost points
    page = course_root / "feedback" / name / assignment / f"{assignment}.html"
    return (
        ("open next", str(course_root / "reports" / f"{assignment}.html")),
        ("and", str(page)),
        ("then ask", f"autograder why {name} {assignment} --course {course_root}"),
    )


def _released(course: Course, assignment: str) -> tuple[str, Any]:
    """Return the released notebook's file name and content."""
    from autograder._util.notebook_format import nbformat

    notebooks = sorted(course.release(assignment).glob("*.ipynb"))
    if len(notebooks) != 1:
        raise UsageError(
            f"{course.release(assignment)} holds {len(notebooks)} notebooks, expected one; "
            f"run `autograder release {assignment}` first"
        )
    return notebooks[0].name, nbformat.read(notebooks[0], as_version=4)


def _answers(course: Course, assignment: str, student: DemoStudent) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
    """Return the sources of the student's answers, by grade_id, and modules, by their paths beside the notebook."""
    from autograder._util.notebook_format import nbformat

    answers = dict(student.answers)
    modules: dict[str, bytes] = {}
    if student.named:
        folder = course.source(assignment) / "answers" / student.named
        modules = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.py")}
        path = folder / f"{assignment}.ipynb" if folder.is_dir() else folder.with_name(f"{student.named}.ipynb")
        cells = nbformat.read(path, as_version=4).cells if path.is_file() or not modules else ()
        answers |= {cell.metadata["nbgrader"]["grade_id"]: cell.source for cell in cells}
    return answers, modules


def _submission(released: Any, student: DemoStudent, answers: Mapping[str, str]) -> str:
    """Write the file that the student hands in, as text."""
    from autograder._util.notebook_format import nbformat

    notebook = copy.deepcopy(released)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    for grade_id, source in answers.items():
        if grade_id not in cells:
            raise CourseError(
                f"the release has no cell {grade_id!r}, which the demo's {student.name} answers; "
                "adapt autograder/demo/students.py to the lesson"
            )
        cells[grade_id].source = source.rstrip("\n")
    for cell in notebook.cells:
        if cell.get("id") == WRITTEN_ANSWER and student.text:
            cell.source = student.text
    if student.edit:
        student.edit(notebook)
    text: str = nbformat.writes(notebook)
    return student.damage(text) if student.damage else text
