"""The key `audit` of course.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.extensions.trust.course_keys import audit_floor
from autograder.records.course import Course


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("intro", "dense"):
        (tmp_path / "source" / name).mkdir(parents=True)
    return tmp_path


def load(root: Path, text: str) -> Course:
    (root / "course.yaml").write_text(text)
    return load_course(root)


def test_the_floor_of_an_audit_is_the_courses_or_the_assignments(root: Path) -> None:
    course = load(root, "course: x\naudit: {caught: 0.8}\nassignments:\n  intro:\n  dense: {audit: {caught: 0.95}}\n")
    assert [audit_floor(a).caught for a in course.assignments.values()] == [0.8, 0.95]
    assert audit_floor(load(root, "course: x\nassignments:\n  intro:\n").assignments["intro"]).caught is None
    with pytest.raises(CourseError, match=r"course.yaml:2: 'caught' is 90; it must be between 0 and 1"):
        load(root, "course: x\naudit: {caught: 90}\n")


def test_changes_that_a_task_allows_are_listed_by_answer(root: Path) -> None:
    course = load(root, "course: x\nassignments:\n  intro: {audit: {right: {fit: [one epoch], net: no bias}}}\n")
    assert audit_floor(course.assignments["intro"]).right == {"fit": ("one epoch",), "net": ("no bias",)}
    with pytest.raises(CourseError, match=r"course.yaml:3: 'right' must be a mapping \(key: value\), not text"):
        load(root, "course: x\nassignments:\n  intro: {audit: {right: one epoch}}\n")
    with pytest.raises(CourseError, match=r"course.yaml:2: 'right' names answers, so it belongs into 'audit' of an"):
        load(root, "course: x\naudit: {right: {fit: one epoch}}\n")
