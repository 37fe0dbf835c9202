"""What is written for people once grades exist: gradebook, CSV, feedback pages, class report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat

from autograder import gradebook, result
from autograder.errors import HostError, UsageError
from autograder.files import write_atomically
from autograder.records import Assignment, Course, Exam, Grade


def record(course: Course, assignment: Assignment, exams: Sequence[Exam], current: Sequence[Grade]) -> dict[str, Path]:
    """Write everything for the grades of one assignment; gives what → path.

    The CSV holds all assignments, the report all current grades of this one, whichever were graded just now.
    """
    gradebook.record(course, exams, current)
    pages = write_feedback(course, assignment, current)
    paths = {
        "gradebook": course.gradebook,
        "grades": write_csv(course),
        "class report": write_report(course, assignment, grades(course, assignment.name)),
    }
    if pages:
        paths["feedback"] = pages[0]
    return paths


def grades(course: Course, assignment: str | None = None, only: Sequence[str] = ()) -> tuple[Grade, ...]:
    """The grades on disk, by assignment and student.

    Raises:
        UsageError: a student in ``only`` has none.
        HostError: a result.json is damaged.
    """
    found = list(_read(course, assignment))
    missing = sorted(set(only) - {g.student for g in found})
    if missing:
        raise UsageError(f"nothing is graded for {', '.join(missing)}; run `autograder grade {assignment}` first")
    chosen = [g for g in found if not only or g.student in only]
    return tuple(sorted(chosen, key=lambda g: (g.assignment, g.student)))


def _read(course: Course, assignment: str | None) -> Iterator[Grade]:
    for path in sorted((course.root / "autograded").glob(f"*/{assignment or '*'}/result.json")):
        yield result.read(path)


def write_csv(course: Course, to: Path | None = None) -> Path:
    """grades.csv, with the points that people gave in the gradebook."""
    from autograder.report.table import grades_csv

    path = to or course.grades_csv
    write_atomically(path, grades_csv(gradebook.with_manual_scores(course, grades(course))))
    return path


def write_report(course: Course, assignment: Assignment, current: Sequence[Grade]) -> Path:
    """reports/<assignment>.html"""
    from autograder.report import render_class_report

    if not current:
        raise UsageError(f"nothing is graded; run `autograder grade {assignment.name}` first")
    path = course.reports / f"{assignment.name}.html"
    write_atomically(path, render_class_report(course, assignment, gradebook.with_manual_scores(course, current)))
    return path


def write_feedback(course: Course, assignment: Assignment, current: Sequence[Grade]) -> list[Path]:
    """feedback/<student>/<assignment>/<page>.html of each grade."""
    from autograder.report import feedback_name, render_feedback

    written = []
    for grade in gradebook.with_manual_scores(course, current):
        folder = course.autograded(grade.student, assignment.name)
        notebooks = {}
        for n in grade.notebooks:
            path = folder / f"{n.notebook}.ipynb"
            if path.is_file():
                try:
                    notebooks[n.notebook] = nbformat.read(path, as_version=4)
                except (ValueError, OSError) as error:
                    raise HostError(f"{path} is damaged ({error}); grade it anew with --force") from error
        page = course.feedback(grade.student, assignment.name) / feedback_name(grade)
        write_atomically(page, render_feedback(course, assignment, grade, notebooks))
        written.append(page)
    return written
