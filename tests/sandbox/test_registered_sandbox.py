"""Sandboxes that other packages register: a course may choose them, and a machine must have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.installed import installed
from helpers.tiny import tiny_course

from autograder.course.sandboxes import sandboxes
from autograder.errors import CourseError, SandboxError
from autograder.records.course import USER_SANDBOX
from autograder.sandbox import default_sandbox

MODULE = """
class Jail:
    name = "jail"

    def __init__(self, python):
        self.python = python
"""
YAML = "course: x\nassignments:\n  hw: {sandbox: %s}\n"


@pytest.fixture(autouse=True)
def jail(tmp_path: Path) -> Iterator[None]:
    entry_points = "[autograder.sandboxes]\njail = jail_sandbox:Jail\nlost = jail_sandbox:Lost\n"
    with installed(tmp_path / "site", "jail-sandbox", {"jail_sandbox": MODULE}, entry_points):
        yield


def test_a_course_may_choose_a_registered_sandbox(tmp_path: Path) -> None:
    assert sandboxes() == ("bubblewrap", "gvisor", "jail", "lost")
    course = tiny_course(tmp_path / "course", yaml=YAML % "jail")
    made = default_sandbox("/usr/bin/python3", course.assignments["hw"].sandbox)
    assert (made.name, made.python) == ("jail", "/usr/bin/python3")  # type: ignore[attr-defined]


def test_no_course_may_choose_the_weaker_sandbox(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="there is no sandbox 'user'"):
        tiny_course(tmp_path / "course", yaml=YAML % USER_SANDBOX)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lost", "'lost' of the package jail-sandbox cannot be loaded"),
        ("nsjail", "no installed package registers 'nsjail'"),
    ],
)
def test_a_sandbox_that_cannot_be_loaded_is_no_other_one(name: str, message: str) -> None:
    with pytest.raises(SandboxError, match=message):
        default_sandbox(None, name)
