"""A course with questions for people, and two graded students."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.coordinator import batch
from autograder.coordinator.cache_keys import exam_key
from autograder.course.configuration import load_course
from autograder.records.course import Course
from autograder.results import publication
from helpers.tiny import YAML, Here, cell, grade_here, notebook, tiny_release

SCHEME = "Plot it.\n### BEGIN MARK SCHEME\n- 2 points: axes are named\n- 1 point: a title\n### END MARK SCHEME"
ANSWERS = {"ada": "It <script>alert(1)</script> *descends*.", "bob": "No idea."}
"""Student → written answer."""


def manual(text: str) -> dict[str, Any]:
    return cell(text, "explain", "markdown", grade=True, solution=True, points=3)


def task(text: str) -> dict[str, Any]:
    return cell(text, "plot", "markdown", grade=True, task=True, locked=True, points=3)


def graded() -> dict[str, Any]:
    return cell("assert x == 1", "test-x", grade=True, locked=True, points=2)


def review_course(root: Path, yaml: str = YAML) -> Course:
    """Make a course with a written answer, a task and a test, hand in for two students, and grade them."""
    source = root / "source" / "hw"
    source.mkdir(parents=True)
    heading = cell("## Why does it learn?", kind="markdown")
    answer = cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "x", solution=True)
    given = cell("## Now a number", kind="markdown")
    cells = [heading, manual("Because of the gradient."), task(SCHEME), given, answer, graded()]
    (source / "nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(yaml)
    for student in ANSWERS:
        hand_in(root, student)
    grade(root)
    return load_course(root)


def hand_in(root: Path, student: str) -> None:
    folder = load_course(root).submitted(student, "hw")
    folder.mkdir(parents=True)
    heading, given = cell("## Why does it learn?", kind="markdown"), cell("## Now a number", kind="markdown")
    plot = cell("drawn = 'by hand'")
    text = ANSWERS.get(student, "Perhaps.")
    cells = [heading, manual(text), task("Plot it."), plot, given, cell("x = 1", "x", solution=True), graded()]
    (folder / "nb.ipynb").write_text(notebook(*cells))


def grade(root: Path) -> None:
    course = load_course(root)
    release = tiny_release(course)
    batch.run(batch.plan(course, release), execute=Here(grade_here))
    exams = [book.exam for book in release.notebooks]
    publication.record(course, course.assignments["hw"], exams, exam_key(course, release))
