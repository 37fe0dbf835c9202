"""An assignment of modules and tests, without a notebook, from source to grade in the real sandbox."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.submission import pack

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

STACK = '''\
"""A stack."""


class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        ### BEGIN SOLUTION
        self.items.append(item)
        ### END SOLUTION

    def pop(self):
        ### BEGIN SOLUTION
        if not self.items:
            raise IndexError("empty")
        return self.items.pop()
        ### END SOLUTION
'''
VISIBLE = """\
import pytest
from stack import Stack

pytestmark = pytest.mark.visible


@pytest.mark.points(1)
def test_push():
    stack = Stack()
    stack.push(1)
    assert stack.items == [1]
"""
HIDDEN = """\
import pytest
from stack import Stack


@pytest.fixture
def full():
    stack = Stack()
    for number in range(3):
        stack.push(number)
    return stack


@pytest.mark.points(2)
def test_pop(full):
    assert [full.pop() for _ in range(3)] == [2, 1, 0]


@pytest.mark.points(1)
def test_empty():
    with pytest.raises(IndexError):
        Stack().pop()
"""


def run(root: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--course", str(root)])
    assert result.exit_code == 0, result.output
    return result.output


def test_modules_and_tests_are_an_assignment(tmp_path: Path) -> None:
    folder = tmp_path / "source/hw1"
    (folder / "tests").mkdir(parents=True)
    (folder / "stack.py").write_text(STACK)
    (folder / "tests/test_visible.py").write_text(VISIBLE)
    (folder / "tests/test_hidden.py").write_text(HIDDEN)
    (tmp_path / "course.yaml").write_text("course: stacks\nassignments:\n  hw1: {points: 4}\n")
    assert "4 points; proved: the solution gets full marks, the unchanged notebook none" in run(
        tmp_path, "release", "hw1"
    )
    released = tmp_path / "release/hw1"
    files = sorted(p.relative_to(released).as_posix() for p in released.rglob("*.*"))
    assert files == ["hw1.ipynb", "stack.py", "tests/test_visible.py"]
    solution = "\n".join(line for line in STACK.split("\n") if "###" not in line)
    home = tmp_path / "home"
    shutil.copytree(released, home)
    tested = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    assert subprocess.run(tested, cwd=home, capture_output=True).returncode == 1
    (home / "stack.py").write_text(solution)
    assert subprocess.run(tested, cwd=home, capture_output=True).returncode == 0
    receipt = pack(home / "hw1.ipynb", student="packed", release=released)
    assert receipt.files == ("hw1.ipynb", "stack.py")
    assert (receipt.answered, receipt.unanswered) == (("stack.py",), ())
    assert "packed" in run(tmp_path, "collect", "hw1", str(receipt.path))
    wrong = solution.replace("return self.items.pop()", "return self.items.pop(0)")
    for student, text in {"alone": solution, "wrong": wrong, "none": None}.items():
        (tmp_path / "submitted" / student / "hw1").mkdir(parents=True)
        if text is not None:  # without the notebook
            (tmp_path / "submitted" / student / "hw1/stack.py").write_text(text)
    run(tmp_path, "grade", "hw1")
    scores = {
        student: json.loads((tmp_path / "autograded" / student / "hw1/result.json").read_text())["score"]
        for student in ("packed", "alone", "wrong", "none")
    }
    assert scores == {"packed": 4, "alone": 4, "wrong": 2, "none": 0}
    assert load_course(tmp_path).assignments["hw1"].points == 4
