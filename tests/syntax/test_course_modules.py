"""Modules of the course in notebooks and tests: star imports, folders of the notebook's own, helpers with asserts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.exams import exam_of
from helpers.tiny import Here, cell, notebook, tiny_course, tiny_release

from autograder.coordinator.proof import prove
from autograder.errors import CourseError, ProofError
from autograder.records.course import Course
from autograder.records.exam import Role
from autograder.release import build as releasing
from autograder.release import exam_cache
from autograder.syntax.course_modules import search_folders, star_names

HELPER = """\
import math
from deeper import *
_LIMIT = 3
def test_double(target):
    '''Public tests, as courses ship them.'''
    assert target(2) == 4, "wrong for 2"
    assert math.isclose(target(0.5), 1.0)
    print("All tests passed.")
"""
DEEPER = "__all__ = ['ANSWER']\nANSWER = 42\nOTHER = 3\n"


@pytest.fixture(autouse=True)
def forget_modules() -> Iterator[None]:
    """Modules of these courses are imported in this process."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in ("course_helper", "deeper"):
        sys.modules.pop(name, None)


def course_of(root: Path, *cells: dict, folder: str = "") -> Course:
    """A course with the modules beside its notebook, or in a folder there."""
    course = tiny_course(root)
    place = course.source("hw") / folder
    place.mkdir(exist_ok=True)
    (place / "course_helper.py").write_text(HELPER)
    (place / "deeper.py").write_text(DEEPER)
    (course.source("hw") / "nb.ipynb").write_text(notebook(*cells))
    return course


def answer(source: str = "return 2 * x") -> dict:
    """The answer of the tiny course."""
    text = f"def double(x):\n    ### BEGIN SOLUTION\n    {source}\n    ### END SOLUTION"
    return cell(text, "double", solution=True)


def graded_by(test: str) -> dict:
    """Its test."""
    return cell(test, "test-double", grade=True, locked=True, points=2)


STAR = "from course_helper import *"
ASKED = "test_double(double)\n### BEGIN HIDDEN TESTS\nassert double(21) == ANSWER\n### END HIDDEN TESTS"


@pytest.mark.parametrize(
    "cells",
    [
        [cell(STAR), answer(), graded_by(ASKED)],
        [cell(STAR, "imports", locked=True), answer(), graded_by(ASKED)],
        [answer(), graded_by(f"{STAR}\n{ASKED}")],
        [cell("import course_helper"), answer(), graded_by("course_helper.test_double(double)")],
    ],
)
def test_a_star_import_of_the_courses_own_module_is_resolved(tmp_path: Path, cells: list[dict]) -> None:
    course = course_of(tmp_path, *cells)
    release = tiny_release(course)
    assert releasing.check(release) == []
    assert prove(course, release, execute=Here()).warnings == ()


@pytest.mark.parametrize(
    "line", ['sys.path.append("./code")', "sys.path.insert(0, 'code/')", "sys.path.append('code')"]
)
@pytest.mark.parametrize("locked", [False, True])
def test_the_folders_that_the_notebook_puts_on_the_path_are_followed(tmp_path: Path, line: str, locked: bool) -> None:
    flags = {"grade_id": "imports", "locked": True} if locked else {}
    given = cell(f"import sys\n{line}\n{STAR}", **flags)
    course = course_of(tmp_path, given, answer(), graded_by(ASKED), folder="code")
    release = tiny_release(course)
    assert releasing.check(release) == []
    sys.path.append(str(course.source("hw") / "code"))  # the kernel of these tests has no folder of its own
    assert prove(course, release, execute=Here()).warnings == ()


def test_a_wrong_answer_fails_in_a_helper_of_the_courses(tmp_path: Path) -> None:
    course = course_of(tmp_path, cell(STAR), answer("return 3 * x"), graded_by(ASKED))
    with pytest.raises(ProofError, match="the solution gets 0 of 2 points"):
        prove(course, tiny_release(course), execute=Here())


def test_a_name_that_the_module_does_not_bind_is_named(tmp_path: Path) -> None:
    course = course_of(tmp_path, cell(STAR), answer(), graded_by("test_dubble(double)\nassert OTHER and _LIMIT"))
    with pytest.raises(CourseError, match=r"(?s)did you mean 'test_double'.*'OTHER'.*'_LIMIT'"):
        releasing.check(tiny_release(course))


def test_nothing_of_the_course_is_imported_to_learn_its_names(tmp_path: Path) -> None:
    course = course_of(tmp_path, cell(STAR), answer(), graded_by(ASKED))
    helper = course.source("hw") / "course_helper.py"
    helper.write_text(HELPER + f"\nopen({str(tmp_path / 'ran')!r}, 'w')\n")
    (exam,) = tiny_release(course).exams
    assert exam.stars == {"course_helper": ("ANSWER", "math", "test_double")}
    assert not (tmp_path / "ran").exists()
    assert star_names(exam, ()) == {}


def test_a_module_with_other_names_makes_another_exam(tmp_path: Path) -> None:
    course = course_of(tmp_path, cell(STAR), answer(), graded_by(ASKED))
    exam_cache.save(course, course.assignments["hw"], tiny_release(course))
    assert exam_cache.load(course, course.assignments["hw"]) is not None
    (course.source("hw") / "course_helper.py").write_text(HELPER + "\nmore = 1\n")
    assert exam_cache.load(course, course.assignments["hw"]) is None


def test_only_folders_beside_the_notebook_are_followed() -> None:
    lines = ['sys.path.append("/data")', 'sys.path.append("../up")', 'sys.path.append("~/x")', "sys.path.append(name)",
             'sys.path.append(".")', 'sys.path.append(".hidden")', 'sys.path.append("a/../../b")', 'sys.path.append()',
             'sys.path.append("lib/x")']  # fmt: skip
    assert search_folders(exam_of((Role.FREE, "%magic\nimport sys\n" + "\n".join(lines)))) == ["lib/x"]


@pytest.mark.parametrize(
    ("lines", "folders"),
    [
        ("import sys\nwhere = 'lib'\nsys.path.append(where)", ["lib"]),
        ("from sys import path\nwhere = './lib'\npath.append(where); ", ["lib"]),
        ("from sys import path as search\nsearch.insert(0, 'lib')", ["lib"]),
        ("import os, sys\nsys.path.append(os.path.abspath('lib'))", ["lib"]),
        ("import os, sys\nsys.path.append(os.path.join('lib', 'deep'))", ["lib/deep"]),
        ("import sys\nfrom pathlib import Path\nsys.path.append(str(Path('lib')))", ["lib"]),
        ("import sys\nwhere = 'lib'\nwhere = find()\nsys.path.append(where)", []),
        ("import os, sys\nsys.path.append(os.path.join('lib', deep))", []),
        ("path = []\npath.append('lib')", []),
    ],
)
def test_the_folder_may_be_a_constant_of_the_notebook(lines: str, folders: list[str]) -> None:
    assert search_folders(exam_of((Role.FREE, lines))) == folders
