"""Slips of an author that the solution does not show are told before a release."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.exams import exam_of

from autograder.lint.exam_findings import findings
from autograder.records.exam import Role

START = (Role.READ_ONLY, "import numpy as np\nfrom autograder import check\npytest = None")
ANSWER = (Role.ANSWER, "mean = 1.0246")


def found(*cells) -> list[str]:
    return [str(one) for one in findings(exam_of(START, ANSWER, *cells))]


@pytest.mark.parametrize(
    ("test", "is_exact"),
    [
        ("assert mean == 1.024645772237586", True),
        ("assert 0.3333333333333333 == mean", True),
        ("assert [mean] == [0.30000000000000004]", True),
        ("assert mean == -1.024645772", True),
        ("assert mean == -1.0246", False),
        ("assert mean == 0.5", False),
        ("assert mean == 0.1", False),  # as a task says it
        ("assert mean == 1e-07", False),
        ("assert mean == 3.25", False),  # exact in binary
        ("assert mean == 1000000.0", False),
        ("assert round(mean, 4) == 1.0246", False),
        ("assert mean == pytest.approx(1.0246)", False),
        ("check.close(mean, 1.024645772237586)", False),
        ("assert abs(mean - 1.024645772237586) < 1e-6", False),
    ],
)
def test_equality_with_a_computed_float_is_a_warning(test: str, is_exact: bool) -> None:
    assert any("is not equal to this one" in text for text in found((Role.TEST, test, 1.0))) is is_exact


def test_a_path_into_the_hidden_folder_is_a_warning_with_the_right_call() -> None:
    test = "rows = np.load('hidden/rows.npz')['x']\nassert rows.mean() == mean"
    said = (
        "the folder hidden/ is not there where notebooks run; read it in a hidden test: check.hidden_data('rows.npz')"
    )
    assert any(text.endswith(said) for text in found((Role.TEST, test, 1.0)))
    assert any(said in text for text in found((Role.READ_ONLY, "rows = np.load('./hidden/rows.npz')")))
    assert not any(said in text for text in found((Role.TEST, "assert check.hidden_data('rows.npz') is not mean", 1.0)))


@pytest.mark.parametrize("test", ["check.close(mean, 1)", "assert mean > 1"])
def test_a_test_in_a_cell_that_a_person_grades_is_a_warning(test: str) -> None:
    (said,) = found((Role.MANUAL, f"mean = 1\n{test}", 2.0), (Role.TEST, "check.close(mean, 1)", 1.0))
    assert "a person gives its points, whatever is tested here; mark it as an autograded answer" in said


def test_data_of_an_editable_cell_that_only_a_hidden_part_reads_are_named() -> None:
    """A student may write other data into that cell, and answers that fit them."""
    cells = (Role.FREE, "noisy = np.arange(9) ** 2"), (Role.TEST, "check.close(mean, noisy.mean())", 1.0)
    exam = exam_of(START, ANSWER, *cells)
    hidden = dataclasses.replace(exam.cells[-1], released="mean")
    (said,) = findings(dataclasses.replace(exam, cells=(*exam.cells[:-1], hidden)))
    assert "the hidden part reads 'noisy', which a given cell computes" in str(said)


@pytest.mark.parametrize(
    ("cell", "is_told"),
    [
        ("def check(x):\n    return x", True),
        ("check = 3", True),
        ("class check:\n    pass", True),
        ("def f():\n    global check\n    check = 3", True),
        ("def f():\n    check = 3\n    return check", False),
        ("def f(check):\n    return check", False),
        ("from autograder import check", False),
        ("checks = 3", False),
    ],
)
def test_a_cell_that_binds_the_name_of_the_checks_is_told(cell: str, is_told: bool) -> None:
    told = [
        text for text in found((Role.READ_ONLY, cell), (Role.TEST, "check.close(mean, 1)", 1.0)) if "`check`" in text
    ]
    assert len(told) == is_told
    assert all("cell 3" in text and text.endswith("give it another name") for text in told)
