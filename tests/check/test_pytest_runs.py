"""Test files of an assignment, examined without a sandbox: what the real pytest says of right and wrong answers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.extensions.pytest_files.pytest_files import with_tests
from autograder.records.checks import Outcome
from autograder.records.exam import Role

ANSWER = "def square(x):\n    return x * x\nvalue = 3"


def questions(tmp_path: Path, tests: str, *cells: tuple, answer: str | None = None):
    """The results of a file's tests, after a notebook with one answer (``cell0``) and other cells."""
    (tmp_path / "tests").mkdir(exist_ok=True)
    (tmp_path / "tests/test_nb.py").write_text(f"import pytest\n\n{tests}")
    exams, _ = with_tests({"nb": exam_of((Role.ANSWER, ANSWER), *cells)}, tmp_path)
    exam = exams["nb"]
    results = graded(exam, **({"cell0": answer} if answer is not None else {}))
    return {str(cell.grade_id).partition("::")[2]: one for cell, one in zip(exam.questions, results, strict=True)}


def one(tmp_path: Path, tests: str, answer: str | None = None):
    (result,) = questions(tmp_path, tests, answer=answer).values()
    return result


SQUARE = """
@pytest.mark.points(3)
def test_square(student):
    square = student.square
    assert square(4) == 16
"""


def test_a_right_answer_passes_and_a_wrong_one_fails_with_line_and_values(tmp_path) -> None:
    right = one(tmp_path, SQUARE)
    assert (right.outcome, right.fraction, right.message) == (Outcome.PASSED, 1.0, ""), right.detail
    wrong = one(tmp_path, SQUARE, "def square(x):\n    return 2 * x")
    assert (wrong.outcome, wrong.fraction) == (Outcome.FAILED, 0.0)
    assert wrong.message == "A hidden test found a wrong answer."
    assert "tests/test_nb.py::test_square" in wrong.detail
    assert "assert square(4) == 16" in wrong.detail
    assert wrong.detail.splitlines()[-1] == "square(4) is 8"


def test_a_failed_assertion_of_a_class_names_what_was_compared_and_on_what(tmp_path) -> None:
    tests = """
class TestSquare:
    def helper(self, x):
        assert x

    @pytest.mark.points(1)
    def test_square(self, student):
        self.helper(1)
        for n in (1, 3):
            assert student.square(n) == n ** 2
"""
    detail = one(tmp_path, tests, "def square(x):\n    return x").detail.splitlines()
    assert detail[-3:] == ["student.square(n) is 3", "n ** 2 is 9", "n is 3"]


def test_names_that_are_missing_and_code_that_raises_cost_the_points(tmp_path) -> None:
    assert one(tmp_path, SQUARE, "pass").message == "`square` is not defined."
    raised = one(tmp_path, SQUARE, "def square(x):\n    raise KeyError(x)")
    assert (raised.outcome, raised.fraction) == (Outcome.FAILED, 0.0)
    assert "your code raised" in raised.message


def test_a_name_of_the_test_file_does_not_become_the_notebooks(tmp_path) -> None:
    tests = """
value = 10

@pytest.fixture
def square(student):
    return student.square

@pytest.mark.points(1)
def test_both(square, student):
    assert square(2) == 4 and student.value == 3 and value == 10
"""
    result = one(tmp_path, tests)
    assert result.outcome is Outcome.PASSED, result.detail


def test_fixtures_raises_approx_capsys_and_monkeypatch_work(tmp_path) -> None:
    tests = """
import os

class Settings:
    depth = 1

@pytest.fixture
def numbers():
    yield [1, 2, 3]

@pytest.mark.points(1)
def test_all(student, numbers, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(Settings, "depth", 2)
    monkeypatch.setenv("DEPTH", "4")
    assert Settings.depth == 2 and os.environ["DEPTH"] == "4"
    with pytest.raises(TypeError, match="NoneType"):
        student.square(None)
    assert student.square(1.1) == pytest.approx(1.21)
    print("seen")
    assert capsys.readouterr().out == "seen\\n"
    assert [student.square(n) for n in numbers] == [1, 4, 9]
    (tmp_path / "a.txt").write_text("x")
    assert (tmp_path / "a.txt").read_text() == "x"
"""
    result = one(tmp_path, tests)
    assert result.outcome is Outcome.PASSED, result.detail


def test_more_of_pytests_fixtures_work(tmp_path) -> None:
    tests = """
import warnings

@pytest.fixture(scope="module")
def base():
    return 10

@pytest.fixture(autouse=True)
def doubled(request, base):
    request.node.doubled = 2 * base

@pytest.fixture
def power(request):
    return request.param

@pytest.mark.points(1)
@pytest.mark.usefixtures("doubled")
@pytest.mark.parametrize("power", [2, 3], indirect=True)
def test_all(student, request, recwarn, power):
    warnings.warn("careful")
    assert len(recwarn) == 1
    assert request.node.doubled == 20
    assert power in (2, 3) and student.value == 3
"""
    result = one(tmp_path, tests)
    assert result.outcome is Outcome.PASSED, result.detail
    assert len(result.checks) == 2


def test_a_handle_that_lies_decides_nothing(tmp_path) -> None:
    liar = "class Liar:\n    def __eq__(self, other): return True\n    def __bool__(self): return True\n"
    result = one(tmp_path, SQUARE, f"{liar}def square(x):\n    return Liar()")
    assert result.outcome is Outcome.FAILED, result
    raising = "def square(x):\n    import pytest\n    raise pytest.skip.Exception('no')"
    assert one(tmp_path, SQUARE, raising).outcome is Outcome.FAILED
    leaving = "def square(x):\n    import pytest\n    pytest.exit('no', returncode=0)"
    assert one(tmp_path, SQUARE, leaving).outcome is Outcome.FAILED


def test_raises_that_sees_no_exception_is_a_failure(tmp_path) -> None:
    tests = """
@pytest.mark.points(1)
def test_refuses(student):
    with pytest.raises(ValueError):
        student.square(-1)
"""
    result = one(tmp_path, tests)
    assert (result.outcome, result.message) == (Outcome.FAILED, "A hidden test found a wrong answer.")


def test_cases_of_parametrize_share_the_points(tmp_path) -> None:
    tests = """
@pytest.mark.points(3)
@pytest.mark.parametrize("x", [0, 2, 5])
def test_square(student, x):
    assert student.square(x) == x * x
"""
    result = one(tmp_path, tests, "def square(x):\n    return 2 * x")
    assert result.fraction == pytest.approx(2 / 3), result.detail
    names = [check.name for check in result.checks]
    assert names == ["test_square, case 1", "test_square, case 2", "test_square, case 3 (hidden)"]
    assert one(tmp_path, tests).fraction == 1


def test_visible_cases_are_named_by_their_parameters(tmp_path) -> None:
    tests = """
@pytest.mark.visible
@pytest.mark.points(3)
@pytest.mark.parametrize("x", [0, 2, 5])
def test_square(student, x):
    assert student.square(x) == x * x
"""
    result = one(tmp_path, tests, "def square(x):\n    return 2 * x")
    assert [check.name for check in result.checks] == ["test_square[0]", "test_square[2]", "test_square[5]"]


def test_a_visible_test_says_where_it_failed(tmp_path) -> None:
    result = one(tmp_path, "@pytest.mark.visible" + SQUARE, "def square(x):\n    return 2 * x")
    assert result.message == "Failed at `assert square(4) == 16`."
    assert "_pytest/" not in result.detail


def test_subtests_share_the_points(tmp_path) -> None:
    tests = """
@pytest.mark.points(4)
def test_square(student, subtests):
    for x in range(4):
        with subtests.test("x", x=x):
            assert student.square(x) == x * x
"""
    result = one(tmp_path, tests, "def square(x):\n    return 2 * x")
    assert result.fraction == pytest.approx(1 / 2), result.detail
    assert len(result.checks) == 4


def test_checks_give_partial_credit(tmp_path) -> None:
    tests = """
from autograder import check

@pytest.mark.points(2)
def test_checks(student):
    check.close(student.value, 3)
    check.report("words", 0.5, "half of them")
"""
    result = one(tmp_path, tests)
    assert result.fraction == 0.75, result.detail
    assert [c.fraction for c in result.checks] == [1.0, 0.5]


def test_a_place_in_the_notebook(tmp_path) -> None:
    tests = """
@pytest.mark.points(1)
def test_early(student):
    assert student.at("cell0").value == 3

@pytest.mark.points(1)
def test_late(student):
    assert student.value == 7
"""
    results = questions(tmp_path, tests, (Role.FREE, "value = 7"))
    assert [one.outcome for one in results.values()] == [Outcome.PASSED, Outcome.PASSED], results


def test_classes_of_tests(tmp_path) -> None:
    tests = """
class TestSquare:
    @pytest.fixture
    def square(self, student):
        return student.square

    @pytest.mark.points(1)
    def test_small(self, square):
        assert square(2) == 4

    @pytest.mark.points(1)
    def test_large(self, square):
        assert square(100) == 10_000
"""
    results = questions(tmp_path, tests, answer="def square(x):\n    return 2 * x")
    assert {name: one.fraction for name, one in results.items()} == {
        "TestSquare::test_small": 1.0,
        "TestSquare::test_large": 0.0,
    }


@pytest.mark.parametrize(
    "body",
    [
        "pytest.skip('not today')",
        "pytest.exit('at once')",
        "raise ImportError('no such module')",
        "undefined_fixture",
    ],
)
def test_a_test_at_fault_waits_for_a_person(tmp_path, body) -> None:
    argument = ", nothing" if body == "undefined_fixture" else ""
    body = "pass" if argument else body
    result = one(tmp_path, f"@pytest.mark.points(1)\ndef test_one(student{argument}):\n    {body}\n")
    assert result.outcome is Outcome.BROKEN, result


def test_a_test_that_never_ends_is_stopped(tmp_path) -> None:
    tests = "@pytest.mark.points(1)\ndef test_one(student):\n    while True:\n        pass\n"
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_nb.py").write_text(f"import pytest\n{tests}")
    exams, _ = with_tests({"nb": exam_of((Role.ANSWER, ANSWER))}, tmp_path)
    (result,) = graded(exams["nb"], seconds=0.5)
    assert (result.outcome, result.message) == (
        Outcome.FAILED,
        "Checking this answer took too long and was stopped.",
    )


def test_what_the_notebook_calls_pytest_and_student_changes_nothing(tmp_path) -> None:
    answer = "pytest = student = _pytest_run = _pytest_module = None\ndef square(x):\n    return 2 * x"
    assert one(tmp_path, SQUARE, answer).outcome is Outcome.FAILED
    assert one(tmp_path, SQUARE, answer.replace("2 * x", "x * x")).outcome is Outcome.PASSED


def test_lines_within_texts_stay_as_they_are(tmp_path) -> None:
    tests = '''
TEXT = """one
  two
three"""

@pytest.mark.points(1)
def test_text(student):
    assert TEXT.split("\\n") == ["one", "  two", "three"]
    assert student.value == 3
'''
    result = one(tmp_path, tests)
    assert result.outcome is Outcome.PASSED, result.detail


def test_a_conftest_lends_its_fixtures_and_hooks(tmp_path, monkeypatch) -> None:
    """As pytest does: also with autouse, and with a relative import where the folder is a package."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/__init__.py").write_text("")
    (tmp_path / "tests/common.py").write_text("NINE = 9\n")
    (tmp_path / "tests/conftest.py").write_text(
        "import pytest\nfrom .common import NINE\n\n\n"
        "def pytest_addoption(parser):\n    parser.addoption('--exact', action='store_true', default=False)\n\n\n"
        "@pytest.fixture\ndef nine(request):\n    assert request.config.getoption('--exact') is False\n    return NINE\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        monkeypatch.delitem(sys.modules, name)
    tests = "def test_square(student, nine):\n    assert student.square(3) == nine\n"
    assert one(tmp_path, tests).outcome is Outcome.PASSED
    assert one(tmp_path, tests, "def square(x):\n    return 2 * x").outcome is Outcome.FAILED


def test_a_star_of_a_test_file_binds_what_it_binds_in_python(tmp_path) -> None:
    tests = "from math import *\n\ndef test_square(student):\n    assert student.square(floor(3.5)) == 9\n"
    assert one(tmp_path, tests).outcome is Outcome.PASSED
    assert one(tmp_path, tests, "def square(x):\n    return 2 * x").outcome is Outcome.FAILED


def test_a_test_may_call_another_test_of_its_file(tmp_path) -> None:
    """Which may call a third one, that is in turn a question of its own."""
    tests = """
def test_root():
    assert sqrt(9) == LENGTH

def test_middle():
    test_root()

def test_all():
    test_middle()

from math import sqrt
LENGTH = %d
"""
    assert {one.outcome for one in questions(tmp_path, tests % 3).values()} == {Outcome.PASSED}
    assert {one.outcome for one in questions(tmp_path, tests % 4).values()} != {Outcome.PASSED}
