"""The keys `learning_system` and `posted_to` of course.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.extensions.lms.course_keys import LearningSystem, learning_system, posted_to
from autograder.records.course import Course


def load(root: Path, text: str) -> Course:
    (root / "source" / "intro").mkdir(parents=True, exist_ok=True)
    (root / "course.yaml").write_text(text)
    return load_course(root)


def test_the_system_is_the_courses_and_the_number_the_assignments(tmp_path: Path) -> None:
    system = "learning_system: {kind: canvas, url: https://canvas.example.edu, course: 12}\n"
    course = load(tmp_path, f"course: x\n{system}assignments:\n  intro: {{posted_to: 34}}\n")
    assert learning_system(course) == LearningSystem("canvas", "https://canvas.example.edu", 12)
    assert posted_to(course.assignments["intro"]) == 34


def test_a_course_without_the_keys_has_neither(tmp_path: Path) -> None:
    course = load(tmp_path, "course: x\nassignments:\n  intro:\n")
    assert learning_system(course).kind == ""
    assert posted_to(course.assignments["intro"]) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "learning_system: {kind: canvs, url: u, course: 1}\n",
            "course.yaml:2: unknown kind 'canvs' in 'learning_system'; did you mean 'canvas'",
        ),
        (
            "learning_system: {kind: canvas, course: 1}\n",
            "course.yaml:2: 'learning_system' needs url, its address, and course",
        ),
        (
            "learning_system: {kind: sakai, url: u, course: 1}\n",
            "course.yaml:2: unknown kind 'sakai' in 'learning_system'; it is one of canvas, lti, moodle",
        ),
        (
            "learning_system: {kind: blackboard, url: u, course: 1}\n",
            "course.yaml:2: 'blackboard' in 'learning_system' takes no results by an API; use autograder post --into",
        ),
        ("learning_sistem: {}\n", "unknown key 'learning_sistem' in the course; did you mean 'learning_system'"),
        ("posted_to: 3\n", "course.yaml:2: unknown key 'posted_to' in the course"),
        (
            "assignments:\n  intro: {posted_to: here}\n",
            r"course.yaml:3: 'posted_to' must be a whole number, not text \('here'\)",
        ),
        (
            "assignments:\n  intro: {postd_to: 3}\n",
            "unknown key 'postd_to' in assignment 'intro'; did you mean 'posted_to'",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        load(tmp_path, f"course: x\n{text}")
