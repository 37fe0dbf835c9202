"""Variables of the notebook that its functions change while a test calls them: one state, as in a notebook."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from helpers.kernels import FreezingKernel

from autograder.records.exam import Role
from autograder.syntax.names import vocabulary


class Case(NamedTuple):
    """An answer with a variable, and tests that it passes in a notebook, one after the other."""

    answer: str
    tests: tuple[str, ...]


CASES = {
    "list": Case(
        "log = []\ndef add(x): log.append(x)\ndef total(): return sum(log)",
        ("add(5)\nassert log == [5]\nassert total() == 5",),
    ),
    "list, in two tests": Case(
        "log = []\ndef add(x): log.append(x)", ("add(1)\nassert log == [1]", "add(2)\nassert log == [1, 2]")
    ),
    "list, under a name of the test's own": Case(
        "log = []\ndef add(x): log.append(x)", ("mine = log\nadd(1)\nassert mine is log == [1]",)
    ),
    "dict that is returned": Case(
        "stock = {}\ndef buy(k):\n    stock[k] = stock.get(k, 0) + 1\n    return stock",
        ("r = buy('a')\nassert r is stock == {'a': 1}\nassert buy('a')['a'] == 2 == r['a']",),
    ),
    "counter that is bound anew": Case(
        "n = 0\ndef tick():\n    global n\n    n += 1\n    return n",
        ("assert tick() == 1 == n\ntick()\nassert n == 2", "assert n == 2\ntick()\nassert n == 3"),
    ),
    "list that is bound anew": Case(
        "log = [1]\ndef clear():\n    global log\n    log = []",
        ("old = log\nclear()\nassert log == [] and old == [1]",),
    ),
    "cache that the test empties": Case(
        "cache = {}\ndef fib(n):\n    if n not in cache: cache[n] = n if n < 2 else fib(n - 1) + fib(n - 2)\n"
        "    return cache[n]",
        ("fib(3)\ncache.clear()\nassert fib(10) == 55\nassert len(cache) == 11 and cache[10] == 55",),
    ),
    "cache that the test fills": Case(
        "cache = {}\ndef square(n):\n    if n not in cache: cache[n] = n * n\n    return cache[n]",
        ("cache[3] = 7\nassert square(3) == 7 and square(2) == 4\nassert cache == {3: 7, 2: 4}",),
    ),
    "cache that the test binds": Case(
        "cache = {0: 1}\ndef put(k): cache[k] = 1", ("cache = {}\nput('a')\nassert cache == {'a': 1}",)
    ),
    "array": Case(
        "import numpy as np\nW = np.zeros(2)\ndef step(): W[0] += 1", ("step(); step()\nassert W.tolist() == [2, 0]",)
    ),
    "argument that a function reads as a variable": Case(
        "xs = [3, 1]\ndef srt(a): a.sort()\ndef first(): return xs[0]",
        ("srt(xs)\nassert xs == [1, 3] and first() == 1",),
    ),
    "variable that the test changes and a function reads": Case(
        "xs = [3, 1]\ndef first(): return xs[0]", ("xs.sort()\nassert first() == 1",)
    ),
    "method": Case(
        "made = []\nclass Dog:\n    def __init__(self): made.append(self)\n    def name(self): return len(made)",
        ("a, b = Dog(), Dog()\nassert len(made) == 2 and made[0] is a and a.name() == 2",),
    ),
    "call that raises": Case(
        "log = []\ndef f(x):\n    log.append(x)\n    raise ValueError",
        ("import pytest\nwith pytest.raises(ValueError): f(1)\nassert log == [1]",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_variable_has_one_state(name: str) -> None:
    answer, tests = CASES[name]
    notebook: dict = {}
    for source in (answer, *tests):
        exec(compile(source, "notebook", "exec"), notebook)  # as it is in a notebook
    exam = exam_of((Role.ANSWER, answer), *((Role.TEST, test) for test in tests), (Role.FREE, "later = 1"))
    results = graded(exam, kernel=FreezingKernel)
    assert [one.fraction for one in results] == [1] * len(tests), [one.detail for one in results]


def test_a_cell_between_tests_changes_what_the_later_one_finds() -> None:
    exam = exam_of(
        (Role.ANSWER, "n = 0\ndef tick():\n    global n\n    n += 1"),
        (Role.TEST, "tick()\nassert n == 1"),
        (Role.FREE, "n = 10"),
        (Role.TEST, "tick()\nassert n == 11"),
        (Role.FREE, "later = 1"),
    )
    assert [one.fraction for one in graded(exam, kernel=FreezingKernel)] == [1, 1]


def test_a_function_that_changes_no_variable_fails() -> None:
    answer, tests = CASES["list"]
    exam = exam_of((Role.ANSWER, answer), (Role.TEST, tests[0]), (Role.FREE, "later = 1"))
    assert (
        graded(exam, kernel=FreezingKernel, cell0="log = []\ndef add(x): pass\ndef total(): return 5")[0].fraction == 0
    )


@pytest.mark.parametrize(
    "spoils", ["expected.clear()", "global expected; expected = []", "globals()['expected'] = []", "y.clear()"]
)
def test_names_of_the_tests_and_other_variables_are_not_changed(spoils: str) -> None:
    exam = exam_of(
        (Role.ANSWER, "y = [1, 2]\nlog = []\ndef add(x): log.append(x)"),
        (Role.TEST, "expected = [1, 2]\nadd(3)\nassert expected == [1, 2] == y"),
        (Role.FREE, "later = 1"),
    )
    answer = f"y = [1, 2]\nlog = []\nexpected = [5]\ndef add(x):\n    {spoils}"
    assert graded(exam, kernel=FreezingKernel, cell0=answer)[0].fraction == 1


def test_a_large_variable_stops_no_call(few_items: None) -> None:
    exam = exam_of(
        (Role.ANSWER, "log = []\ndef add(x): log.append(x)\ndef one(): return 1"),
        (Role.TEST, "add(1)\nassert one() == 1"),
        (Role.FREE, "later = 1"),
    )
    answer = "log = []\ndef add(x): log.extend([[] for _ in range(1_100)])\ndef one(): return 1"
    assert graded(exam, kernel=FreezingKernel, cell0=answer)[0].fraction == 1


def test_a_constant_that_a_function_binds_anew_is_none() -> None:
    """The test asks the notebook for it; what the function only reads stays the instructor's."""
    exam = exam_of(
        (Role.READ_ONLY, "n = 0\nLIMIT = 3\nlog = []"),
        (Role.ANSWER, "def tick():\n    global n\n    n += 1\n    log.append(LIMIT)"),
        (Role.TEST, "tick()\nassert n == 1 and LIMIT == 3 and log == [3]"),
        (Role.FREE, "later = 1"),
    )
    assert "LIMIT" in vocabulary(exam).trusted
    assert "n" not in vocabulary(exam).trusted
    assert graded(exam, kernel=FreezingKernel)[0].fraction == 1
