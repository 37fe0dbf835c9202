"""What students read never carries a hidden test, an expected value, a hidden input or a path; the examiner reads all."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.examination import graded, outcome
from helpers.exams import exam_of

from autograder.records.checks import Outcome
from autograder.records.exam import Role

CANARY = "canary7349"
NUMBER = "734912.25"

HIDDEN = {
    "an assertion": f"assert f('{CANARY}') == '{CANARY}!'",
    "an assertion with a message": f"assert f('{CANARY}') == 1, 'it should be {CANARY}'",
    "a loop": f"for case in ['a', '{CANARY}']:\n    assert f(case) == case + '!'",
    "a number": f"assert f({NUMBER}) == {NUMBER}",
    "numpy": f"import numpy as np\nnp.testing.assert_allclose(f(1.0), {NUMBER})",
    "unittest": f"import unittest\nunittest.TestCase().assertEqual(f('{CANARY}'), '{CANARY}!')",
    "pytest": f"import pytest\nwith pytest.raises(KeyError, match='{CANARY}'):\n    f('x')",
    "a key": f"assert {{'{CANARY}': 1}}[f('x')] == 1",
    "its own error": f"raise ValueError('{CANARY}') if f('{CANARY}') != 1 else None",
    "a helper's error": f"def compare(a):\n    {CANARY} = f(a)\n    raise RuntimeError({CANARY})\ncompare('{CANARY}')",
    "check.close": f"check.close(f('{CANARY}'), {NUMBER})",
    "check.close of arrays": f"check.close(f('{CANARY}'), [{NUMBER}] * 3)",
    "check.function": f"check.function(f, [('{CANARY}', '{CANARY}!'), ({NUMBER}, {NUMBER})])",
    "check.loss": f"check.loss(f, on=([[{NUMBER}]], [0]), below=0.734912, show=False)",
    "check.accuracy": f"check.accuracy(f, on=([[{NUMBER}]], [0]), above=0.734912, show=False)",
    "check.events": f"check.events('{CANARY}', scalars=['{CANARY}'])",
    "hidden data": f"check.hidden_data('{CANARY}.npz')",
    "a file": f"open('/{CANARY}/secret.txt')",
    "a name of its own": f"assert {CANARY} == 1",
    "a prerequisite": f"check.requires('{CANARY}')",
}  # fmt: skip

ANSWERS = {
    "nothing": "",
    "None": "f = None",
    "wrong": "def f(x): return 0",
    "raises its input": "def f(x): raise ValueError(x)",
    "raises by the name of its input": "def f(x): raise type(str(x), (Exception,), {})(x)",
    "exits with its input": "def f(x): raise SystemExit(x)",
    "prints its input": "def f(x):\n    print(x)\n    raise KeyError(x)",
    "an object named by its input": "def f(x): return type(str(x), (), {'__repr__': lambda s: str(x)})()",
    "an error in a file named by its input": "def f(x): exec(compile('\\n1/0', '/t' 'mp/' + str(x) + '.py', 'exec'))",
    "a name of its input": "def f(x): raise NameError(\"name '%s' is not defined\" % x, name=str(x))",
    "an attribute of its input": "def f(x): return getattr(f, str(x))",
    "a syntax error": "def f(x): exec(str(x) + ' = = 1')",
    "an import of its input": "def f(x): return __import__(str(x))",
    "its input again": "def f(x): return x",
    "a list of its input": "def f(x): return [x, {x: x}] * 3",
    "a path": "def f(x): raise FileNotFoundError(2, 'no', '/ho' 'me/' + str(x))",
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("test", HIDDEN)
def test_no_message_tells_what_is_hidden(test, answer):
    source = "from autograder import check\n" + HIDDEN[test]
    exam = exam_of((Role.ANSWER, ANSWERS[answer]), (Role.TEST, source))
    exam = dataclasses.replace(exam, cells=(exam.cells[0], dataclasses.replace(exam.cells[1], released="")))
    result = graded(exam)[0]
    read = "\n".join([result.message, *(c.message for c in result.checks)])
    for secret in (CANARY, NUMBER, "734912", "/home", "/tmp", "secret.txt"):
        assert secret not in read
    assert result.fraction < 1 or answer == "its input again"


@pytest.mark.parametrize(
    "test", ["an assertion", "a number", "check.function", "check.close", "hidden data", "a name of its own"]
)
def test_the_examiner_reads_what_was_hidden(test):
    exam = exam_of((Role.ANSWER, "def f(x): return 0"), (Role.TEST, "from autograder import check\n" + HIDDEN[test]))
    result = graded(exam)[0]
    detail = "\n".join([result.detail, *(c.detail for c in result.checks)])
    assert CANARY in detail or NUMBER in detail


def test_a_handled_exception_is_not_told_in_place_of_the_assertion_that_failed():
    for answer in ("def f(x): raise ValueError('boom')", "def f(x): raise SystemExit"):
        exam = exam_of(
            (Role.ANSWER, answer), (Role.TEST, "try:\n    r = f(1)\nexcept Exception:\n    r = None\nassert r == 3")
        )
        result = graded(exam)[0]
        assert result.message == "Failed at `assert r == 3`."
        assert "AssertionError" in result.detail
        assert "boom" not in result.detail


KITS_OWN = {
    "an argument that cannot be sent": ("def f(x): return x", "import random\nassert f(random.Random(0)) == 2"),
    "a second failure": (
        "def f(x): return x",
        "import random\nassert f(1) == 2\nf(random.Random(0))\nassert f(3) == 4",
    ),
    "exit": ("def f(x): raise SystemExit", "assert f(1) == 2"),
    "no proper exception": ("def f(x): raise ExceptionGroup('x', [ValueError(1)])", "assert f(1) == 2"),
    "too much": ("def f(n): return [[] for _ in range(n)]", "assert f(1_200) == 2"),
    "too long": ("def f(x): pass", "while True: pass"),
    "an answer too large": ("x = [[] for _ in range(1_200)]", "assert len(x) == 3"),
}


@pytest.mark.parametrize("name", KITS_OWN)
def test_no_class_of_the_kits_own_is_named(name, few_items):
    answer, test = KITS_OWN[name]
    exam = exam_of((Role.ANSWER, answer), (Role.TEST, test))
    exam = dataclasses.replace(exam, cells=(exam.cells[0], dataclasses.replace(exam.cells[1], released="")))
    result = graded(exam, seconds=20.0 if name != "too long" else 0.3)[0]
    assert result.fraction == 0
    for word in ("CodecError", "ArgumentError", "RemoteError", "ExaminationTimeout", "autograder", "NotPlain"):
        assert word not in result.message + result.detail


def test_a_test_that_cannot_be_run_on_anybodys_answer_is_nobodys_fault():
    exam = exam_of((Role.ANSWER, "def f(x): return x"), (Role.TEST, "import random\nassert f(random.Random(0)) == 2"))
    result = graded(exam)[0]
    assert result.outcome is Outcome.BROKEN
    assert "seed globally" in result.detail


IN_A_TRY = "try:\n    assert double(2) == 4\nexcept {}:\n    raise AssertionError('it does not double')"
RAISED = "Failed at `raise AssertionError('it does not double')`"


def test_the_line_that_failed_in_a_try_is_quoted_with_the_one_that_raised() -> None:
    result = outcome("def double(x): return x", IN_A_TRY.format("AssertionError"))
    assert result.message == f"{RAISED}, after `assert double(2) == 4`."
    result = outcome("def double(x): return y", IN_A_TRY.format("Exception"))
    assert result.message == f"{RAISED}, after `assert double(2) == 4`."


def test_a_hidden_line_in_a_try_is_not_quoted() -> None:
    released = IN_A_TRY.format("AssertionError").replace("    assert double(2) == 4\n", "")
    result = outcome("def double(x): return x", IN_A_TRY.format("AssertionError"), released=released)
    assert result.message == f"{RAISED}."
