"""What a test sees of an answer is what it would see in the kernel: identity, names, types, globals, lent objects."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.records import Outcome, Role


class Case(NamedTuple):
    solution: str
    test: str
    wrong: str | None
    """An answer that the test refuses; None where every answer passes."""
    given: str = ""
    """A locked cell before the answer."""


def of(case: Case, answer: str):
    locked = [(Role.READ_ONLY, case.given)] if case.given else []
    exam = exam_of(*locked, (Role.ANSWER, case.solution), (Role.TEST, case.test))
    return graded(exam, **{f"cell{len(locked)}": answer})[0]


NUMPY = "import numpy as np\n"

IDENTITY = {
    "arrays in a list": Case(
        NUMPY + "x = np.ones(2)\na = [x, x]", "assert a[0] is a[1]", NUMPY + "a = [np.ones(2), np.ones(2)]"
    ),
    "rows of their own": Case("m = [[0] * 2 for _ in range(2)]", "assert m[0] is not m[1]", "m = [[0] * 2] * 2"),
    "a row that changes alone": Case(
        "m = [[0] * 2 for _ in range(2)]", "m[0][0] = 1\nassert m == [[1, 0], [0, 0]]", "m = [[0] * 2] * 2"
    ),
    "rows of a result": Case(
        "def grid(n): return [[0] * n for _ in range(n)]",
        "g = grid(2)\ng[0][0] = 5\nassert g == [[5, 0], [0, 0]]",
        "def grid(n): return [[0] * n] * n",
    ),
    "two names of one list": Case("a = [1]\nb = a", "assert a is b", "a = [1]\nb = [1]"),
    "a copy is another list": Case("a = [1]\nb = a.copy()", "assert a is not b and a == b", "a = [1]\nb = a"),
    "a name and an item": Case(
        NUMPY + "x = np.ones(2)\nd = {'x': x}", "assert d['x'] is x", NUMPY + "x = np.ones(2)\nd = {'x': x.copy()}"
    ),
    "an argument that is given twice": Case(
        "def same(a, b): return a is b",
        "x = [1]\nassert same(x, x) and not same(x, [1])",
        "def same(a, b): return True",
    ),
}

TEXTS = {
    "a text compared by is": Case(
        "def f(kind): return 1 if kind is 'min' else 2", "assert f('min') == 1", "def f(kind): return 2"
    ),
    "texts in a list": Case(
        "def f(kinds): return [k is 'min' for k in kinds]",
        "assert f(['min', 'max']) == [True, False]",
        "def f(k): pass",
    ),
    "a key": Case(
        "def f(d): return [k is 'width' for k in d]", "assert f({'width': 1}) == [True]", "def f(d): return []"
    ),
}

GROUPS = [IDENTITY, TEXTS]
CASES = {name: case for group in GROUPS for name, case in group.items()}


@pytest.mark.filterwarnings("ignore:.is. with a literal")
@pytest.mark.parametrize("name", CASES)
def test_the_solution_gets_full_marks_and_the_wrong_answer_none(name):
    case = CASES[name]
    good = of(case, case.solution)
    assert good.outcome is Outcome.PASSED, good.detail
    assert case.wrong is None or of(case, case.wrong).fraction == 0
