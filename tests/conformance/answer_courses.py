"""Public assignments whose answers stand in modules: repository, commit and paths alone; nothing of them is kept here.

A skeleton and its solution are two repositories, or one whose marks around each answer are the course's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OWN = "own"
"""Tests of our own, in ``answer_tests/<name>.py``: the course's decide nothing, or its tests are not public."""


@dataclass(frozen=True)
class Place:
    """A folder of a commit of a public repository."""

    repository: str
    commit: str
    folder: str = ""


@dataclass(frozen=True)
class AnswerCourse:
    """An assignment, and how it is brought."""

    solved: Place
    answers: tuple[str, ...]
    """The lines of ``answers`` in course.yaml."""
    skeleton: Place | None = None
    """What students get; None: the solution without what stands between ``marks``, or without the bodies of ``cut``."""
    cut: tuple[str, ...] = ()
    """Functions whose bodies students write, where no skeleton is public and nothing is marked."""
    marks: tuple[str, str] = ("", "")
    stub: str = "pass"
    given: tuple[str, ...] = ()
    """Further files that go into the assignment: patterns."""
    tests: str = OWN
    """Pattern of the course's own tests in the skeleton."""
    leave_out: Mapping[str, str] = field(default_factory=dict)
    """Test function → why it cannot be compared."""
