"""Which files are answers, and what students get of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.answer_files import LAYERS, make_files_course
from helpers.tiny import cell, notebook

from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.records.exam import Exam, Role
from autograder.release.build import build, copy_files
from autograder.release.leaks import check_files
from autograder.syntax.names import vocabulary

HEAD = "course: c\nassignments:\n  hw: {"


def exam_of(root: Path, text: str, *, code: str = "from m import *", keys: str = "") -> Exam:
    folder = root / "source/hw"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.py").write_bytes(text.encode())
    graded = cell("assert f(1) == 2", "t", grade=True, locked=True, points=1)
    (folder / "nb.ipynb").write_text(notebook(cell(code, "i", locked=True), graded))
    (root / "course.yaml").write_text(f"{HEAD}{keys}}}\n")
    course = load_course(root)
    release = build(course, course.assignments["hw"])
    check_files(course, release)
    copy_files(release, root / "out")
    return release.exams[0]


STUB = "# YOUR CODE HERE\n{0}raise NotImplementedError()"
CUTS = [
    (
        "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n",
        f"def f(x):\n    {STUB.format('    ')}\n",
    ),
    (
        "class A:\n    def f(self):\n        ### BEGIN SOLUTION\n        y = 1\n        ### END SOLUTION\n        z = 2  # stays\n"
        "        ### BEGIN SOLUTION\n        return y\n        ### END SOLUTION\n\nf = A\n",
        f"class A:\n    def f(self):\n        {STUB.format(' ' * 8)}\n        z = 2  # stays\n        {STUB.format(' ' * 8)}\n\nf = A\n",
    ),
    (
        "# Ä comment\r\ndef f(x):\r\n    '''Doc.'''\r\n    ### BEGIN SOLUTION\r\n    return x\r\n    ### END SOLUTION\r\n",
        "# Ä comment\r\ndef f(x):\r\n    '''Doc.'''\r\n    # YOUR CODE HERE\r\n    raise NotImplementedError()\r\n",
    ),
]


@pytest.mark.parametrize(("source", "released"), CUTS)
def test_solutions_are_cut_and_the_rest_stays(tmp_path: Path, source: str, released: str) -> None:
    """Indented ones, several in a method, with the line endings that the file has."""
    exam = exam_of(tmp_path, source)
    assert (tmp_path / "out/m.py").read_bytes().decode() == released
    (answer,) = exam.answer_files
    assert (answer.role, answer.file, answer.source) == (Role.ANSWER, "m.py", source)


def test_a_skeleton_has_its_solution_beside_it(tmp_path: Path) -> None:
    (tmp_path / "source/hw/solution").mkdir(parents=True)
    (tmp_path / "source/hw/solution/m.py").write_text("def f(x):\n    return 2\n")
    exam = exam_of(tmp_path, "def f(x):\n    pass\n", keys="answers: m.py")
    assert [(c.source, c.released) for c in exam.answer_files] == [
        ("def f(x):\n    return 2\n", "def f(x):\n    pass\n")
    ]
    assert sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")) == [
        "m.py",
        "nb.ipynb",
    ]


FAULTS = [
    ("def f(x):\n    ### BEGIN SOLUTION\n    return x\n", "", "has no '### END SOLUTION'"),
    ("def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTON\n", "", "m.py: line"),
    ("x = (\n### BEGIN SOLUTION\n1\n### END SOLUTION\n)\ndef f(x): 0\n", "", "without its solution, it is not Python"),
    ("def f(x):\n    pass\n", "answers: other.py", "there is no file 'other.py'"),
    ("def f(x):\n    pass\n", "answers: ../x.py", "leads out of source/hw"),
]


@pytest.mark.parametrize(("source", "keys", "message"), FAULTS)
def test_a_file_that_cannot_be_released_is_named(tmp_path: Path, source: str, keys: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        exam_of(tmp_path, source, keys=keys)


def test_a_marked_module_that_nothing_imports_is_refused_as_a_leak(tmp_path: Path) -> None:
    """It may be a draft, or a script that was made of a notebook."""
    with pytest.raises(CourseError, match=r"m\.py: line 2"):
        exam_of(tmp_path, "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n", code="f = abs")


def test_names_of_answer_modules_are_the_students_and_those_of_libraries_are_not(tmp_path: Path) -> None:
    """Also through a given module that takes something from an answer; `np`, which a star brings along, is numpy."""
    course = make_files_course(tmp_path)
    exam = build(course, course.assignments["hw"]).exams[0]
    known = vocabulary(exam)
    assert exam.theirs == ("losses", "net.layers", "net.solver")
    assert {"relu", "Linear", "SCALE", "L", "solve"} <= known.students - known.trusted.keys()
    assert known.trusted["np"] == "import numpy as np"
    assert known.trusted["data"] == "from net import data"
    assert {"relu", "Linear", "np"} & set(exam.stars["net.layers"]) == {"relu", "Linear"}


def test_a_package_whose_init_takes_from_an_answer_is_the_kernels_whole(tmp_path: Path) -> None:
    course = make_files_course(tmp_path)
    (tmp_path / "source/hw/net/__init__.py").write_text("from .layers import *\n")
    exam = build(course, course.assignments["hw"]).exams[0]
    assert exam.theirs == ("losses", "net", "net.data", "net.layers", "net.solver")


def test_each_notebook_has_the_files_that_it_imports(tmp_path: Path) -> None:
    course = make_files_course(tmp_path)
    second = notebook(
        cell("import losses", "i", locked=True), cell("assert losses.mse", "t", grade=True, locked=True, points=1)
    )
    (tmp_path / "source/hw/second.ipynb").write_text(second)
    exams = {e.notebook: e for e in build(course, course.assignments["hw"]).exams}
    files = {name: [c.file for c in exam.answer_files] for name, exam in exams.items()}
    assert files == {"nb": ["losses.py", "net/layers.py"], "second": ["losses.py"]}
    assert LAYERS


@pytest.mark.parametrize(("dates", "said"), [("", 1), ("due: 2030-01-01", 0), ("close: 2030-01-01", 0)])
def test_an_earlier_assignment_without_dates_is_warned_of(tmp_path: Path, dates: str, said: int) -> None:
    """It counts as closed, so the finished file runs, and can be printed, while students can still hand in theirs."""
    for name in ("hw1", "hw2"):
        (tmp_path / "source" / name).mkdir(parents=True)
        (tmp_path / "source" / name / "m.py").write_text(CUTS[0][0])
        graded = cell("assert f(1) == 1", "t", grade=True, locked=True, points=1)
        (tmp_path / "source" / name / "nb.ipynb").write_text(
            notebook(cell("from m import *", "i", locked=True), graded)
        )
    yaml = f"course: c\nassignments:\n  hw1: {{{dates}}}\n  hw2: {{carried: {{hw1: [m.py]}}}}\n"
    (tmp_path / "course.yaml").write_text(yaml)
    course = load_course(tmp_path)
    warnings = [text for text in build(course, course.assignments["hw2"]).warnings if "counts as closed" in text]
    assert [text.partition(": it has")[0] for text in warnings] == ["assignments: hw1"] * said
