"""A course of one small notebook that needs nothing but Python, and submissions to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from autograder import worker
from autograder.course import load_course
from autograder.records import Course, Grade
from autograder.release import Release, build
from autograder.worker import Work

SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TEST = "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS"
YAML = """\
course: tiny
assignments:
  hw:
    title: Doubling
    limits: {cell_seconds: 20, notebook_seconds: 60, memory_mib: 512}
"""


def cell(source: str, grade_id: str = "", kind: str = "code", **flags: Any) -> dict[str, Any]:
    marks = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
    }
    made: dict[str, Any] = {
        "cell_type": kind,
        "metadata": {"nbgrader": marks | flags} if grade_id else {},
        "source": source,
    }
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def notebook(*cells: dict[str, Any]) -> str:
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return json.dumps({"cells": list(cells), "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4})


def tiny_course(root: Path, *, solution: str = SOLUTION, test: str = TEST, yaml: str = YAML) -> Course:
    """A course with the assignment ``hw``: one answer, one test of 2 points."""
    folder = root / "source/hw"
    folder.mkdir(parents=True, exist_ok=True)
    graded = cell(test, "test-double", grade=True, locked=True, points=2)
    (folder / "nb.ipynb").write_text(notebook(cell(solution, "double", solution=True), graded))
    (root / "course.yaml").write_text(yaml)
    return load_course(root)


def tiny_release(course: Course) -> Release:
    return build(course, course.assignments["hw"])


def submit(course: Course, student: str, answer: str = "def double(x):\n    return 2 * x") -> Path:
    """Put a submission with this answer into submitted/."""
    folder = course.submitted(student, "hw")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nb.ipynb").write_text(notebook(cell(answer, "double", solution=True)))
    return folder


class Here:
    """Executes in this process, one after the other, with the real grading or another; remembers whom it graded."""

    def __init__(self, grade: Callable[[Work], Grade] = worker.grade_submission) -> None:
        self.grade = grade
        self.started: list[str] = []
        self.closed = False

    def __call__(self, due: Sequence[Work], workers: int) -> Generator[tuple[Work, str], None, None]:
        try:
            for work in due:
                self.started.append(work.student)
                yield work, worker.attempt(work, self.grade)
        finally:
            self.closed = True
