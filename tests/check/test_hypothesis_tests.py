"""Tests of Hypothesis in test files: the same examples for everybody, and no search for smaller ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.extensions.pytest_files.pytest_files import with_tests
from autograder.records.checks import Outcome
from autograder.records.exam import Role

SOLUTION = "def add(x, y): return x + y"
SUITE = """
from hypothesis import given, settings
from hypothesis.strategies import floats, integers

@given(floats(-100, 100), integers(-5, 5))
@settings(deadline=1)
def test_add(student, x, y):
    assert abs(student.add(x, y) - (x + y)) < 1e-9
"""


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("hypothesis")
    (folder / "tests").mkdir()
    (folder / "tests/test_nb.py").write_text(SUITE)
    return with_tests({"nb": exam_of((Role.ANSWER, SOLUTION))}, folder)[0]["nb"]


def test_the_solution_passes_though_each_call_takes_longer_than_the_tests_limit(exam) -> None:
    assert graded(exam, seconds=60.0)[0].fraction == 1


@pytest.mark.parametrize("answer", ["return x - y", "return x + y if x < 3 else 0", "raise NotImplementedError"])
def test_a_wrong_answer_fails_after_few_calls(exam, answer: str) -> None:
    """Hypothesis would call it some hundred times more, to find the smallest example and to explain it."""
    count = "calls.append(1)\n    if len(calls) > 120: raise MemoryError('too many calls')"
    wrong = f"calls = []\ndef add(x, y):\n    {count}\n    {answer}"
    result = graded(exam, seconds=60.0, cell0=wrong)[0]
    assert result.outcome is Outcome.FAILED
    assert result.fraction == 0
    assert "too many calls" not in result.detail
