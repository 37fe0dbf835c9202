"""The examiner's detail says what a failed assertion compared; the student's message does not."""

from __future__ import annotations

import pytest
from helpers.examination import outcome

from autograder.examiner.comparison import HINT

ANSWER = (
    "total = 3\nwords = ['a']\ndef f(x): return x + 1\nclass Own:\n    def __repr__(self): return 'lie'\nown = Own()"
)

CASES = [
    ("assert total == 4", "total is 3"),
    ("assert f(1) == f(2)", "f(1) is 2"),
    ("assert f(1) == f(2)", "f(2) is 3"),
    ("assert 1 < total < 3", "total is 3"),
    ("assert not total == 3", "total is 3"),
    ("assert total and len(words) == 2, 'two'", "len(words) is 1"),
    ("assert isinstance(words, dict)", "words is ['a']"),
    ("for n in (1, 2, 3):\n    assert f(n) == [0, 2, 3, 5][n]", "f(n) is 4"),
    ("if total:\n    with open(__import__('os').devnull):\n        assert (\n            f(total)\n            == 5\n        )", "f(total) is 4"),
    ("assert own == 3", "own is an object of the notebook (__main__.Own)"),
    ("assert words[0] == 'b'", "words[0] is 'a'"),
]  # fmt: skip


@pytest.mark.parametrize(("test", "said"), CASES)
def test_the_parts_of_a_failed_assertion_are_told(test: str, said: str) -> None:
    result = outcome(ANSWER, test, released="")
    assert result.fraction == 0
    assert said in result.detail.splitlines()
    assert said not in result.message
    assert result.message == "A hidden test found a wrong answer."


def test_the_inputs_of_a_failed_assertion_are_told_once() -> None:
    """As in a loop: the line alone does not say for which of the inputs the answer is wrong."""
    test = "import numpy as np\nxs = np.arange(2)\nfor n in (1, 2, 3):\n    assert f(n) + xs[0] == n + [0, 1, 1, 2][n]"
    detail = outcome(ANSWER, test, released="").detail.splitlines()
    assert "n is 3" in detail
    assert sum(line.startswith("n is") for line in detail) == 1
    assert not any(line.startswith(("f is", "np is")) for line in detail)


def test_an_input_of_which_the_test_does_not_have_the_value_is_not_fetched() -> None:
    assert "own is" not in outcome(ANSWER, "assert f(own.__class__ and 1) == 3", released="").detail


@pytest.mark.parametrize(("test", "hint"), [("assert own == 3", True), ("assert total == 4", False)])
def test_who_compares_an_object_with_plain_data_is_told_what_to_write(test: str, hint: bool) -> None:
    assert (HINT in outcome(ANSWER, test, released="").detail) is hint


def test_each_part_is_computed_once_and_in_order() -> None:
    answer = "calls = []\ndef f(x):\n    calls.append(x)\n    return len(calls)"
    test = "assert f(1) == 1\nassert f(2) < f(3) and (f(4) == 4 or f(5))\nassert f(6) == 5"
    assert outcome(answer, test, released="").fraction == 1


def test_other_assertions_of_the_statement_are_not_told() -> None:
    detail = outcome(ANSWER, "if True:\n    assert total == 3\n    assert f(1) == 3").detail
    assert "f(1) is 2" in detail
    assert "total is" not in detail


def test_what_was_kept_is_no_name_of_the_test() -> None:
    assert outcome(ANSWER, "assert f(1) == 2\nassert not [n for n in globals() if ' ' in n]").fraction == 1


def test_the_detail_begins_at_the_tests_own_line() -> None:
    lines = outcome(ANSWER, "n = 1\nassert f(n) == 3").detail.splitlines()
    assert lines[:3] == [
        "Traceback (most recent call last):",
        '  File "<test cell1>", line 2, in <module>',
        "    assert f(n) == 3",
    ]


@pytest.mark.parametrize("test", ["assert (lambda x: x == 2)(1)", "assert all(x == 2 for x in [1])", "assert (y := total) == 4", "def g():\n    assert total == 4\ng()", "assert 10 ** 5000 == total"])  # fmt: skip
def test_what_has_names_of_its_own_is_left_as_it_is(test: str) -> None:
    assert outcome(ANSWER, test, released="").message == "A hidden test found a wrong answer."
