"""Locks of a course: who holds one is said, and what does not disturb goes on."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import pytest

from autograder.coordinator import batch, locks
from autograder.errors import HostError
from autograder.records.course import Course


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path, "c", "c", {})


def refusal(course: Course, name: str = locks.GRADING) -> str:
    with pytest.raises(locks.LockedError) as caught, locks.held(course, name):
        pass
    return str(caught.value)


def test_who_holds_a_lock_is_said_with_its_time(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/lib/autograder/__main__.py", "grade", "hw1", "--watch"])
    with locks.held(course, locks.GRADING):
        assert refusal(course).startswith("`autograder grade hw1 --watch` has been at work since ")


def test_another_day_is_named(course: Course) -> None:
    with locks.held(course, locks.GRADING):
        signed = json.dumps({"command": "autograder grade hw1", "since": "2026-01-31T23:30:00+00:00"})
        (course.state / locks.GRADING).write_text(signed)
        assert " on 2026-0" in refusal(course)


def test_a_lock_that_cannot_be_signed_holds_and_ends_as_any_other(course: Course) -> None:
    """As on a full disk, where what was left in a buffer would be written once more as the lock is closed."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
    try:
        with locks.held(course, locks.GRADING):
            assert refusal(course) == f"another command works in {course.root}; wait until it has ended"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert (course.state / locks.GRADING).read_bytes() == b""


@pytest.mark.parametrize("damaged", ["", "{", '{"command": 1}', '{"command": "x", "since": "soon"}'])
def test_a_lock_without_a_name_holds_all_the_same(course: Course, damaged: str) -> None:
    with locks.held(course, locks.GRADING):
        (course.state / locks.GRADING).write_text(damaged)
        assert refusal(course) == f"another command works in {course.root}; wait until it has ended"


def test_an_address_with_a_password_is_not_written(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["autograder", "people", "import", "postgresql://ada:secret@host/db"])
    with locks.held(course, locks.COLLECTING):
        assert "secret" not in (course.state / locks.COLLECTING).read_text()


def test_a_batch_excludes_batches_and_collecting_and_a_proof_excludes_neither(course: Course) -> None:
    with locks.held(course, locks.RELEASING), batch.exclusive(course):
        assert "at work since" in refusal(course)
        assert "at work since" in refusal(course, locks.COLLECTING)
    with locks.held(course, locks.COLLECTING), pytest.raises(HostError, match="at work"), batch.exclusive(course):
        pass
    with locks.held(course, locks.COLLECTING), batch.exclusive(course, reads_submissions=False):
        pass
