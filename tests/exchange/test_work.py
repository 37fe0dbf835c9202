"""What follows from a submission's work: what is imported first, and how long it may take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.exams import exam_of
from helpers.tiny import submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.exchange.work import Work, heavy_modules, kernel_options, released_modules
from autograder.exchange.work import test_libraries as libraries_of_tests
from autograder.extensions.keras.kernel_side import fast_training
from autograder.records.course import Course
from autograder.records.exam import Exam, ExamCell, Role


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = tiny_course(tmp_path)
    submit(made, "ada")
    return made


def work_of(course: Course, student: str = "ada") -> Work:
    (work,) = batch.plan(course, tiny_release(course), [student])
    return work


def test_the_libraries_that_take_long_are_those_that_the_instructor_imports() -> None:
    exam = exam_of((Role.FREE, "import numpy as np\nfrom keras.layers import Dense\nimport json"))
    assert heavy_modules([exam]) == ["numpy", "keras"]


def test_a_course_module_is_no_library_also_without_an_init_file(tmp_path: Path) -> None:
    """Its import would import the solution of what students write, and tests would ask that."""
    (tmp_path / "parts/net").mkdir(parents=True)
    (tmp_path / "parts/net/layers.py").write_text("")
    (tmp_path / "helpers.py").write_text("")
    exam = exam_of((Role.FREE, "import math\nfrom parts.net.layers import relu\nimport helpers"))
    assert libraries_of_tests([exam], [tmp_path]) == ["math"]


def test_a_kernel_imports_what_students_see_imported(course: Course, tmp_path: Path) -> None:
    """What a module of the release imports is among it; a solution's, a hidden test's imports and that module are not."""
    (tmp_path / "helpers.py").write_text("def load():\n    import csv\n")
    exam = exam_of(
        (Role.FREE, "import numpy as np\nfrom matplotlib import pyplot\nimport helpers, jax"),
        (Role.TEST, "### BEGIN HIDDEN TESTS\nimport scipy.stats\n### END HIDDEN TESTS"),
    )
    exam = replace(exam, cells=(exam.cells[0], replace(exam.cells[1], released="import unittest")))
    work = replace(work_of(course), exams=(exam,), files={"helpers.py": tmp_path / "helpers.py"})
    assert released_modules(work) == ["matplotlib", "matplotlib.pyplot", "numpy", "unittest", "csv"]


def test_the_kernel_trains_fast_unless_the_course_says_otherwise(course: Course) -> None:
    assignment = course.assignments["hw"]
    assert kernel_options(assignment) == [fast_training.OPTION]
    assert kernel_options(replace(assignment, training="exact")) == []


def test_the_time_that_a_submission_may_take_grows_with_its_notebooks(course: Course) -> None:
    work = work_of(course)
    twice = replace(work, exams=work.exams * 2)
    assert twice.seconds - work.seconds == 4 * (3 * 60 + 300)


@pytest.mark.parametrize(
    ("released", "imported"),
    [
        ("import os, scipy\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras, pytensor", ["keras", "scipy"]),
        ("%env PYTENSOR_FLAGS=floatX=float32\nimport pytensor", []),
        ("import pytensor", ["pytensor"]),
    ],
)
def test_what_may_look_at_the_environment_is_not_imported_before_it_is_set(
    course: Course, released: str, imported: list[str]
) -> None:
    """But for what every kernel imports before its first cell."""
    work = work_of(course)
    (exam,) = work.exams
    cells = tuple(replace(cell, released=released if i == 0 else "") for i, cell in enumerate(_code(exam)))
    assert released_modules(replace(work, exams=(replace(exam, cells=cells),))) == imported


def _code(exam: Exam) -> list[ExamCell]:
    return [cell for cell in exam.cells if cell.cell_type == "code"]
