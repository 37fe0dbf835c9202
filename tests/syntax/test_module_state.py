"""Modules of the course whose functions share state, which the notebook's cells change and a test asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.tiny import cell, notebook, tiny_course, tiny_release

from autograder.coordinator.proof import prove
from autograder.errors import ProofError
from autograder.records.course import Course
from autograder.release import build as releasing
from autograder.syntax.module_state import names_with_state, sharing_names

HELPER = """\
_counted = []
LIMIT = 3
_cache = {}

def mark_as_counted(i):
    _counted.append(i)

def check_if_counted(i):
    return i in _counted

def reset_all_to_not_counted():
    global _counted
    _counted = []

def all_counted(n):
    return all(check_if_counted(i) for i in range(n))

def square(x):
    if x not in _cache:
        _cache[x] = x * x
    return _cache[x]

def limit():
    return LIMIT
"""
IMPORT = "from markposition import mark_as_counted, check_if_counted, reset_all_to_not_counted"
ANSWER = "def count(n):\n    reset_all_to_not_counted()\n    for i in range(n):\n        {body}\n"
TEST = "count(3)\nassert check_if_counted(2) and not check_if_counted(3)\ncount(1)\nassert not check_if_counted(2)"

ALL_AT_ONCE = "count(1)\nassert check_if_counted(0)\nreset_all_to_not_counted()\nmark_as_counted(7)\nassert check_if_counted(7) and not check_if_counted(0)"
"""A test that calls all three functions of the import itself."""


def test_functions_share_state_if_one_changes_what_another_reads() -> None:
    """A cache, which one function keeps for itself, and a constant are no state."""
    shared = {"_counted", "mark_as_counted", "check_if_counted", "reset_all_to_not_counted", "all_counted"}
    assert sharing_names(HELPER) == shared


@pytest.mark.parametrize(
    ("source", "shared"),
    [
        ("n = 0\ndef tick():\n    global n\n    n += 1\ndef ticks(): return n", {"n", "tick", "ticks"}),
        ("seen = {}\ndef see(x): seen[x] = 1\ndef saw(x): return x in seen", {"seen", "see", "saw"}),
        ("xs = []\ndef f(xs): xs.append(1)\ndef g(): return xs", set()),
        ("import os\ndef f(): os.remove('x')\ndef g(): return os.getcwd()", set()),
        ("rng = make()\ndef f(x): rng.shuffle(x)\ndef g(): return rng", set()),
        ("not python", set()),
    ],
)
def test_what_counts_as_state(source: str, shared: set[str]) -> None:
    assert sharing_names(source) == shared


def test_names_that_a_cell_binds() -> None:
    """Imports under other names, of the module, and by a star."""
    state = {"mark": ("check", "tick")}
    source = "from mark import check as seen, other\nimport mark as m\nfrom mark import *\nfrom .mark import tick"
    assert names_with_state(source, state, {"mark": ("tick", "more")}) == {"seen", "m", "tick"}


def course_of(root: Path, imported: str, body: str = "mark_as_counted(i)", test: str = TEST, given: str = "") -> Course:
    """A course whose answer uses the module."""
    course = tiny_course(root)
    (course.source("hw") / "markposition.py").write_text(HELPER)
    text = f"{imported}\n### BEGIN SOLUTION\n{ANSWER.format(body=body)}### END SOLUTION"
    first = [cell(given, "given", locked=True)] if given else []
    cells = [*first, cell(text, "count", solution=True), cell(test, "test", grade=True, locked=True, points=2)]
    (course.source("hw") / "nb.ipynb").write_text(notebook(*cells))
    return course


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("imported", "body", "test"),
    [
        pytest.param(IMPORT, "mark_as_counted(i)", TEST, marks=pytest.mark.slow),
        pytest.param("from markposition import *", "mark_as_counted(i)", TEST, marks=pytest.mark.slow),
        pytest.param(
            "import markposition\nfrom markposition import reset_all_to_not_counted",
            "markposition.mark_as_counted(i)",
            TEST.replace("check_if", "markposition.check_if"),
            marks=pytest.mark.slow,
        ),
        pytest.param(IMPORT, "mark_as_counted(i)", ALL_AT_ONCE, marks=pytest.mark.slow),
        ("from markposition import *", "mark_as_counted(i)", ALL_AT_ONCE),
    ],
)
def test_the_solution_passes_with_the_notebooks_own_copy(tmp_path: Path, imported: str, body: str, test: str) -> None:
    course = course_of(tmp_path, imported, body, test)
    release = tiny_release(course)
    (first, *_) = releasing.check(release)
    assert "is called in the student's process" in first
    prove(course, release)


@pytest.mark.sandbox
def test_a_solution_that_marks_nothing_fails(tmp_path: Path) -> None:
    course = course_of(tmp_path, IMPORT, "pass")
    with pytest.raises(ProofError, match="the solution gets 0 of 2 points"):
        prove(course, tiny_release(course))


def test_a_module_that_the_instructors_cell_imports_is_the_tests_own_and_a_release_says_so(tmp_path: Path) -> None:
    course = course_of(tmp_path, "pass", given=IMPORT)
    (first, *_) = releasing.check(tiny_release(course))
    assert "a copy of its own" in first
    assert "import it in the answer cell alone" in first
