"""An autograding kit for deep-learning courses: hidden tests never run in the student's process.

The command line (``autograder --help``) does what most courses need; this is the same from Python. Test cells use
``from autograder import check``.
"""

from __future__ import annotations

import importlib
from typing import Any

from autograder.errors import AutograderError, CourseError, HostError, ProofError, SandboxError, SubmissionError
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam
from autograder.records.grade import Grade
from autograder.records.limits import Limits

__version__ = "0.1.0"

__all__ = [
    "Assignment",
    "AutograderError",
    "Course",
    "CourseError",
    "Exam",
    "Grade",
    "HostError",
    "Limits",
    "ProofError",
    "SandboxError",
    "SubmissionError",
    "check",
    "load_course",
]


def __getattr__(name: str) -> Any:
    """Import ``check`` and ``load_course`` on first use: they load heavy modules."""
    if name == "check":
        return importlib.import_module("autograder.check")
    if name == "load_course":
        return importlib.import_module("autograder.course.configuration").load_course
    raise AttributeError(f"module 'autograder' has no attribute {name!r}")
