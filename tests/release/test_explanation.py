"""What an exam's tests let an answer do is told in sentences, each with its line."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.examination import observed
from helpers.exams import exam_of

from autograder.records.exam import Exam, Role
from autograder.release.explanation import NOTHING, UNSEEN, explained

SOLUTION = (
    "def sort(values): values.sort()\ndef area(r): return PI * r\nx = np.uint8(3)\ndef noise(): return np.random.rand()"
)
TESTS = (
    "a = [2, 1]\nsort(a)\nassert a == [1, 2]",
    "PI = 3\nassert area(2) == 6",
    "assert x == 3",
    "np.random.seed(1)\nassert 0 <= noise() < 1",
    "assert True",
)


def told(*tests: str) -> list[str]:
    exam = exam_of((Role.READ_ONLY, "import numpy as np"), (Role.ANSWER, SOLUTION), *((Role.TEST, t) for t in tests))
    return list(explained(dataclasses.replace(exam, observations=observed(exam))))


@pytest.mark.parametrize(
    ("test", "lines"),
    [
        (0, ["line 2 (sort(a)): `sort` may change its argument 1"]),
        (1, ["line 2 (assert area(2) == 6): `area` gets the test's `PI`, which it reads as a global"]),
        (2, ["the answer `x` may be of kind uint8"]),
        (3, ["line 1 (np.random.seed(1)): the seed is the notebook's, too, which draws after it"]),
        (4, [NOTHING]),
    ],
)
def test_each_fact_is_a_sentence(test: int, lines: list[str]) -> None:
    first, *others = told(TESTS[test])
    assert first == "cell2:"
    assert set(lines) <= {line.strip() for line in others}


def test_a_solution_that_was_not_run_allows_nothing() -> None:
    assert list(explained(Exam("hw", "nb", ()))) == [UNSEEN]
