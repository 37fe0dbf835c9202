"""A course and a class to try the kit on: honest, mistaken, unlucky and dishonest submissions.

make_course copies the kit's own course to a fresh folder, and make_class fills its submitted/ from the release.
``expected`` gives the right score of each student, so that the demo is also a test.
"""

from __future__ import annotations

from autograder.demo.classroom import check_library, class_of, expected, make_class, next_steps
from autograder.demo.demo_course import make_course
from autograder.demo.students import ASSIGNMENT, STUDENTS, DemoStudent

__all__ = [
    "ASSIGNMENT",
    "STUDENTS",
    "DemoStudent",
    "check_library",
    "class_of",
    "expected",
    "make_class",
    "make_course",
    "next_steps",
]
