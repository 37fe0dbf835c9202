"""A call changes what the test gave it where that is the point of the call, and hidden data never."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.examination import graded, outcome
from helpers.exams import exam_of

from autograder import check
from autograder.check.data import is_hidden
from autograder.records.exam import Role
from autograder.syntax.procedures import functions_returning_nothing

SORT = "def sort(values):\n    values.sort()"
PREDICT = "def predict(X, y=None): return 2 * X"


def fractions(solution, answer, *tests, hidden=None):
    """What each test gives a student's ``answer`` where the instructor's cell holds ``solution``."""
    tests = tuple((Role.TEST, test) for test in tests)
    exam = exam_of(
        (Role.READ_ONLY, "import numpy as np\nfrom autograder import check"), (Role.ANSWER, solution), *tests
    )
    return [one.fraction for one in graded(exam, hidden=hidden, cell1=answer)]


@pytest.mark.parametrize(
    "test",
    [
        "x = [2, 1]\nsort(x)\nassert x == [1, 2]",
        "x = np.array([2, 1])\nsort(\n    values=x,\n)\nassert (x == [1, 2]).all()",
        "x = [2, 1]\nassert sort(x) is None\nassert x == [1, 2]",
        "x = [2, 1]\nfound = sort(x)\nassert x == [1, 2]",
        "for x in ([2, 1], [1, 2]):\n    sort(x)\n    assert x == [1, 2]",
        "def run(f, x):\n    f(x)\n    return x\nassert run(sort, [2, 1]) == [1, 2]",
        "x = [2, 1]\nsort(x); sort(x); assert x == [1, 2]",
        "x = [2, 1]\nassert x.append(0) or sort(x) is None and x == [0, 1, 2]",
        "import unittest\nclass T(unittest.TestCase):\n"
        "    def runTest(self):\n        x = [2, 1]\n        sort(x)\n        self.assertEqual(x, [1, 2])\nT().debug()",
    ],
)
def test_a_function_that_is_to_change_its_argument_changes_it(test):
    assert fractions(SORT, SORT, test) == [1]


def test_a_locked_helper_may_make_the_call():
    exam = exam_of(
        (Role.READ_ONLY, "def run(f, x):\n    f(x)\n    return x"),
        (Role.ANSWER, SORT),
        (Role.TEST, "assert run(sort, [2, 1]) == [1, 2]"),
    )
    assert graded(exam)[0].fraction == 1


def test_a_student_who_returns_the_list_that_was_to_be_sorted_in_place_has_sorted_it():
    answer = "def sort(values):\n    values.sort()\n    return values"
    test = "x = [2, 1]\nsort(x)\nassert x == [1, 2]"
    assert fractions(SORT, answer, test, test.replace("sort(x)", "found = sort(x)")) == [1, 1]


METHOD = "class Sorter:\n    def sort(self, values):\n        values.sort()"


def test_methods_are_functions():
    test = "x, s = [2, 1], Sorter()\nfound = s.sort(x)\nassert x == [1, 2]"
    assert fractions(METHOD, METHOD, test, test.replace("found = ", "")) == [1, 1]


ZEROES = "def predict(X, y=None):\n    for given in (X, y):\n        if given is not None: given[...] = 0"


@pytest.mark.parametrize(
    "test",
    [
        "X = np.arange(1.0, 4)\np = predict(X)\nassert X.any()",
        "X, y = np.ones(3), np.ones(3)\nloss = (predict(X, y) is None) * 1.0\nassert y.all() and X.all()",
        "X = np.ones(3)\nassert predict(X) is None and X.all()",
        "X = np.ones(3)\nprint(predict(X))\nassert X.all()",
        "X = np.ones(3)\nfound = [predict(X)]\nassert X.all()",
        "X = np.ones(3)\nfound = list(map(predict, [X]))\nassert X.all()",
    ],
)
def test_what_a_function_that_is_to_return_something_changes_stays_there(test):
    assert fractions(PREDICT, ZEROES, test) == [1]


LABELS = "data = check.hidden_data('d.npz')\nX, y = data['X'], data['y']\n"
CALLS = ["predict(X, y)", "predict(X[:2], y=y[:2])", "predict(y.reshape(3, 1).T)", "spoil(data)", "spoil([X, y])"]
SPOILS = (
    f"{ZEROES}\ndef spoil(data):\n    for key in data if isinstance(data, dict) else (0, 1):\n        data[key] = 0"
)


@pytest.mark.parametrize("call", CALLS)
def test_hidden_data_are_never_changed(call, tmp_path):
    """Neither in the cell that makes the call, which a student may give up, nor in those after it."""
    np.savez(tmp_path / "d.npz", X=np.ones(3), y=np.ones(3))
    look = "assert X.all() and y.all() and data['y'] is y and data['X'] is X"
    solution = f"{PREDICT}\ndef spoil(data): pass"
    assert fractions(solution, SPOILS, f"{LABELS}{call}\n{look}", look, hidden=tmp_path) == [1, 1]


def test_control_a_copy_of_hidden_data_is_the_tests_own(tmp_path):
    np.savez(tmp_path / "d.npz", X=np.ones(3), y=np.ones(3))
    test = (
        f"{LABELS}mine = y.copy()\npredict(X, mine)  # examine: predict changes mine\nassert not mine.any() and y.all()"
    )
    assert fractions(PREDICT, ZEROES, test, hidden=tmp_path) == [1]


def test_views_of_hidden_arrays_are_hidden(tmp_path):
    np.savez(tmp_path / "d.npz", X=np.ones((4, 2)))
    with check.serving_hidden_data(tmp_path):
        data = check.hidden_data("d.npz")
    assert all(map(is_hidden, (data, data["X"], data["X"].T[0][1:], [data["X"]], {"a": (data["X"][0],)})))
    assert not any(map(is_hidden, (np.ones(3), data["X"].copy(), data["X"] + 1, [], {"a": 1}, None)))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x):\n    x.sort()", {"f"}),
        ("def f(x):\n    if x: return\n    return None", {"f"}),
        ("def f(x):\n    def g(): return 1\n    h = lambda: 2", {"f"}),
        ("def f(x): yield x", set()),
        ("async def f(x): ...", set()),
        ("def f(x):\n    for i in x:\n        if i: return i", set()),
        ("class A:\n    def f(self): pass\ndef f(x): return 1", set()),
        ("class A:\n    def m(self): pass", {"m"}),
        ("%time f()", set()),
    ],
)
def test_which_functions_return_nothing_is_read_from_the_instructors_source(source, names):
    assert functions_returning_nothing([source]) == names


TIMED = """
import contextlib
@contextlib.contextmanager
def timed(title):
    times = {}
    yield times
    times[title] = 1.5
"""


@pytest.mark.parametrize(
    ("test", "fraction"),
    [
        ("with timed('a') as times:\n    pass\nassert times == {'a': 1.5}", 1.0),
        ("with timed('a') as times:\n    with timed('b') as more:\n        pass\nassert {**times, **more} == "
         "{'a': 1.5, 'b': 1.5}", 1.0),
        ("with timed('a') as times:\n    assert times == {'a': 1.5}", 0.0),
    ],
)  # fmt: skip
def test_what_a_context_manager_changes_when_its_block_ends_is_changed(test, fraction):
    assert outcome(TIMED, test).fraction == fraction


def test_a_context_manager_changes_nothing_that_is_the_tests():
    answer = "import contextlib\n@contextlib.contextmanager\ndef gives(x):\n    yield x\n    x.clear()"
    test = "mine = [1, 2]\nwith gives(mine) as given:\n    pass\nassert mine == [1, 2] and given == []"
    assert outcome(answer, test).fraction == 1.0
