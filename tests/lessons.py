"""The kit's own course, with the files that a release makes first."""

from __future__ import annotations

from pathlib import Path

from autograder.course import load_course
from autograder.prepare import prepare
from autograder.records import Course, Exam
from autograder.release import build

ROOT = Path(__file__).resolve().parents[1]


def prepared_course(name: str, root: Path = ROOT) -> Course:
    """The course in ``root``, ready to build the release of its assignment ``name``."""
    course = load_course(root)
    prepare(course, course.assignments[name])
    return course


def lesson_exam(name: str) -> Exam:
    """The exam of a lesson, whose holdout.npz then lies in its hidden folder."""
    course = prepared_course(name)
    (notebook,) = build(course, course.assignments[name]).notebooks
    return notebook.exam
