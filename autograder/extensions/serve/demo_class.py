"""A made-up class for the door: a course, its people, and notebooks to hand in."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder import demo
from autograder._util.files import write_atomically
from autograder.course.configuration import load_course
from autograder.demo.students import STUDENTS
from autograder.release.build import build, write
from autograder.release.preparation import prepare
from autograder.term.csv_tables import as_text

STAFF = "teacher"
HAND_INS = "hand-ins"


def make(folder: Path) -> None:
    """Make the demo's course with a release and people; what the class would hand in lies in ``hand-ins/``.

    Raises:
        UsageError: the folder holds anything but an earlier demo.
    """
    demo.make_course(folder)
    settings = folder / "course.yaml"
    write_atomically(settings, f"{settings.read_text('utf-8')}\nserve: {{staff: [{STAFF}]}}\n")
    course = load_course(folder)
    assignment = course.assignments[demo.ASSIGNMENT]
    prepare(course, assignment)
    write(course, assignment, build(course, assignment))
    rows = [{"id": student.name, "name": student.name.replace("-", " ").title()} for student in STUDENTS]
    write_atomically(folder / "people.csv", as_text(("id", "name"), rows))
    for student in demo.make_class(folder, demo.ASSIGNMENT):
        notebook = next(course.submitted(student, demo.ASSIGNMENT).glob("*.ipynb"))
        (folder / HAND_INS).mkdir(exist_ok=True)
        shutil.move(notebook, folder / HAND_INS / f"{student}.ipynb")
    shutil.rmtree(course.directory("submitted"))
