"""What students read never carries a hidden test, an expected value, a hidden input or a path; the examiner reads all."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.records import Role

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
