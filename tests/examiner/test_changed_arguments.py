"""Arguments that the notebook's function changes in place and returns, or returns a part of: one object, as in a notebook."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel

from autograder.records.exam import Role


class Case(NamedTuple):
    """A function and a test that it passes in a notebook."""

    answer: str
    test: str


CASES = {
    "list, returned": Case(
        "def f(a):\n    a.sort()\n    return a", "a = [2, 1]\nb = f(a)\nassert b is a and a == [1, 2]"
    ),
    "list, in one assertion": Case(
        "def f(a):\n    a.sort()\n    return a", "a = [2, 1]\nassert f(a) is a\nassert a == [1, 2]"
    ),
    "list, of a helper": Case(
        "def swap(a, i, j):\n    a[i], a[j] = a[j], a[i]\ndef f(a):\n    swap(a, 0, 1)\n    return a",
        "a = [2, 1]\nb = f(a)\nassert b is a and a == [1, 2]",
    ),
    "list, by recursion": Case(
        "def f(a, lo=0, hi=None):\n    hi = len(a) - 1 if hi is None else hi\n    if lo < hi:\n"
        "        i = min(range(lo, hi + 1), key=a.__getitem__)\n        a[lo], a[i] = a[i], a[lo]\n"
        "        return f(a, lo + 1, hi)\n    return a",
        "a = [3, 1, 2]\nb = f(a)\nassert b is a and a == [1, 2, 3]",
    ),
    "list, under another name": Case(
        "def f(a):\n    b = a\n    b.append(1)\n    return b", "a = []\nb = f(a)\nassert b is a and a == [1]"
    ),
    "list, by an inner function": Case(
        "def f(a):\n    def go(a, i):\n        a[i] += 1\n    for i in range(len(a)): go(a, i)\n    return a",
        "a = [1, 2]\nb = f(a)\nassert b is a and a == [2, 3]",
    ),
    "list, with a number beside it": Case(
        "def f(a):\n    last = a.pop()\n    return last", "a = [1, 2]\nassert f(a) == 2 and a == [1]"
    ),
    "list, in a tuple": Case(
        "def f(a):\n    a.append(0)\n    return a, len(a)",
        "a = [1]\nb, n = f(a)\nassert b is a and n == 2 and a == [1, 0]",
    ),
    "list, swapped with another": Case(
        "def f(a, b):\n    a.append(1)\n    return b, a",
        "a, b = [], [5]\nx, y = f(a, b)\nassert x is b and y is a and a == [1] and b == [5]",
    ),
    "list, by keyword": Case(
        "def f(n, *, into):\n    into.append(n)\n    return into",
        "mine = []\nfound = f(3, into=mine)\nassert found is mine == [3]",
    ),
    "list, twice the same": Case(
        "def f(a, b):\n    a.append(1)\n    return a is b",
        "x = []\nassert f(x, x) is True and x == [1]\nassert f(x, [1]) is False and x == [1, 1]",
    ),
    "list, local to a function of the test": Case(
        "def f(a):\n    a.sort()\n    return a",
        "def tried(values):\n    mine = list(values)\n    found = f(mine)\n    return found is mine and mine\n"
        "assert tried((2, 1)) == [1, 2]",
    ),
    "list, by a function under another name": Case(
        "def f(a):\n    a.sort()\n    return a",
        "def tried(g):\n    a = [2, 1]\n    b = g(a)\n    assert b is a and a == [1, 2]\nfor one in [f]: tried(one)",
    ),
    "list, by map": Case(
        "def f(a):\n    a.sort()\n    return a",
        "rows = [[2, 1], [4, 3]]\nfound = list(map(f, rows))\nassert rows == [[1, 2], [3, 4]] and found[0] is rows[0]",
    ),
    "list, in vain": Case("def f(a):\n    return a", "a = [2, 1]\nassert f(a) is a and a == [2, 1]"),
    "list, copied": Case(
        "def f(a):\n    a = sorted(a)\n    return a",
        "a = [2, 1]\nb = f(a)\nassert b == [1, 2] and a == [2, 1] and b is not a",
    ),
    "list, before an exception": Case(
        "def f(a):\n    a.append(1)\n    raise ValueError(a)",
        "import pytest\na = []\nwith pytest.raises(ValueError): f(a)\nassert a == [1]",
    ),
    "rows of a list": Case(
        "def f(grid):\n    for row in grid: row.reverse()\n    return grid",
        "one, two = [1, 2], [3, 4]\ngrid = [one, two]\nfound = f(grid)\n"
        "assert found is grid and grid[0] is one and one == [2, 1] and two == [4, 3]",
    ),
    "rows of a list, as a statement": Case(
        "def f(grid):\n    for row in grid: row.reverse()",
        "one = [1, 2]\ngrid = [one]\nf(grid)\nassert grid[0] is one and one == [2, 1]",
    ),
    "row of a list, returned": Case(
        "def f(grid):\n    row = grid[0]\n    row[0] = 9\n    return row",
        "grid = [[1, 2]]\nrow = grid[0]\nfound = f(grid)\nassert found is row and grid == [[9, 2]]",
    ),
    "row of a list, unchanged": Case(
        "def f(grid): return max(grid, key=sum)", "grid = [[1], [2]]\nassert f(grid) is grid[1] is not grid[0]"
    ),
    "rows in another order": Case(
        "def f(grid):\n    grid.sort()\n    return grid",
        "one, two = [1], [2]\ngrid = [two, one]\nassert f(grid) is grid and grid[0] is one and grid[1] is two",
    ),
    "rows of a list of its own": Case(
        "def f(grid): return [row for row in grid if sum(row) > 1]",
        "grid = [[1], [2]]\nfound = f(grid)\nassert found == [[2]] and found[0] is grid[1]",
    ),
    "dict": Case(
        "def f(d):\n    d['n'] = d.get('n', 0) + 1\n    return d",
        "d = {}\nassert f(d) is d and f(d) == {'n': 2} and d == {'n': 2}",
    ),
    "dict of lists": Case(
        "def f(d, key, item):\n    d.setdefault(key, []).append(item)\n    return d",
        "xs = [1]\nd = {'a': xs}\nassert f(d, 'a', 2) is d and d['a'] is xs == [1, 2]\nf(d, 'b', 3)\n"
        "assert d == {'a': [1, 2], 'b': [3]}",
    ),
    "dict of lists, the list returned": Case(
        "def f(d):\n    d['a'].append(2)\n    return d['a']", "d = {'a': [1]}\nxs = d['a']\nassert f(d) is xs == [1, 2]"
    ),
    "dict in a list": Case(
        "def f(people):\n    for p in people: p['old'] = p['age'] > 60\n    return people",
        "ann = {'age': 61}\nassert f([ann])[0] is ann and ann['old'] is True",
    ),
    "set": Case("def f(s):\n    s.add(3)\n    return s", "s = {1}\nassert f(s) is s == {1, 3}"),
    "counter and deque": Case(
        "def f(c, q):\n    c.update('a')\n    q.appendleft(0)\n    return c, q",
        "from collections import Counter, deque\nc, q = Counter(), deque([1])\nx, y = f(c, q)\n"
        "assert x is c and y is q and c['a'] == 1 and q == deque([0, 1])",
    ),
    "array": Case(
        "def f(x):\n    x[x < 0] = 0\n    return x",
        "import numpy as np\nx = np.array([-1.0, 2])\ny = f(x)\nassert y is x and (x == [0, 2]).all()",
    ),
    "array, by an operator": Case(
        "def f(x):\n    x *= 2\n    return x",
        "import numpy as np\nx = np.array([1, 2], 'int32')\ny = f(x)\nassert y is x and x.tolist() == [2, 4] and x.dtype == 'int32'",
    ),
    "array, by a function of numpy": Case(
        "import numpy as np\ndef f(x):\n    np.fill_diagonal(x, 7)\n    np.add(x, 1, out=x)\n    return x",
        "import numpy as np\nx = np.zeros((2, 2))\ny = f(x)\nassert y is x and x.tolist() == [[8, 1], [1, 8]]",
    ),
    "array, a view of it": Case(
        "def f(x):\n    x[:] = 5\n    return x",
        "import numpy as np\nx = np.zeros(3)\nf(x[1:])\nassert x.tolist() == [0, 5, 5]",
    ),
    "arrays in a dict": Case(
        "def f(parameters, gradients, rate):\n    for key in parameters:\n"
        "        parameters[key] -= rate * gradients[key]\n    return parameters",
        "import numpy as np\nW = np.ones(2)\np = {'W': W}\ng = {'W': np.ones(2)}\nq = f(p, g, 0.5)\n"
        "assert q is p and p['W'] is W and W.tolist() == [0.5, 0.5] and g['W'].tolist() == [1, 1]",
    ),
    "arrays in a list": Case(
        "def f(xs):\n    for x in xs: x.sort()\n    return xs",
        "import numpy as np\nx = np.array([2, 1])\nassert f([x])[0] is x and x.tolist() == [1, 2]",
    ),
    "table": Case(
        "def f(df):\n    df['b'] = df['a'] * 2\n    return df",
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\nout = f(df)\nassert out is df and list(df['b']) == [2, 4]",
    ),
    "table, by an option": Case(
        "def f(df):\n    df.drop(columns='a', inplace=True)\n    return df",
        "import pandas as pd\ndf = pd.DataFrame({'a': [1], 'b': [2]})\nassert f(df) is df and list(df) == ['b']",
    ),
    "method of a class": Case(
        "class Bag:\n    def fill(self, into):\n        into.append(1)\n        return into",
        "a = []\nb = Bag().fill(a)\nassert b is a == [1]",
    ),
    "static method of a class": Case(
        "class Bag:\n    @staticmethod\n    def fill(into):\n        into.append(1)\n        return into",
        "a = []\nb = Bag.fill(a)\nassert b is a == [1]",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_argument_is_one_object_before_and_after_a_call(name: str) -> None:
    answer, test = CASES[name]
    exec(compile(f"{answer}\n{test}", "notebook", "exec"), {})  # as it is in a notebook
    result = graded(exam_of((Role.ANSWER, answer), (Role.TEST, test)))[0]
    assert result.fraction == 1, result.detail


MUTED = {
    "a list that is not returned": ("def f(a):\n    a.sort()\n    return a", "def f(a): return sorted(a)"),
    "a list that is not changed": ("def f(a):\n    a.sort()\n    return a", "def f(a): return a"),
    "a list that is left empty": ("def f(a):\n    a.sort()\n    return a", "def f(a):\n    a.clear()\n    return a"),
}


@pytest.mark.parametrize("name", MUTED)
def test_a_wrong_answer_fails(name: str) -> None:
    solution, answer = MUTED[name]
    exam = exam_of((Role.ANSWER, solution), (Role.TEST, "a = [2, 1]\nb = f(a)\nassert b is a and a == [1, 2]"))
    assert [graded(exam, cell0=source)[0].fraction for source in (solution, answer)] == [1, 0]


LABELS = "import numpy as np\nX, y = [3.0, 1.0], [1, 0]\n"
PREDICT = "def f(X, y):\n    X.sort()\n    return [0, 1]"
SPOILS = "def f(X, y):\n    {}\n    return []"


@pytest.mark.parametrize("spoils", ["y.clear()", "y[:] = []", "del y[:]; X.clear()"])
@pytest.mark.parametrize("call", ["p = f(X, y)", "p = f(X, y=y)", "p = f(y=y, X=X)", "(p,) = [g(X, y) for g in (f,)]"])
def test_only_the_parameters_that_the_solution_changes_are_changed(spoils: str, call: str) -> None:
    exam = exam_of((Role.ANSWER, PREDICT), (Role.TEST, f"{LABELS}{call}\nassert y == [1, 0]"))
    assert graded(exam, cell0=SPOILS.format(spoils))[0].fraction == 1


@pytest.mark.parametrize(
    "answer",
    [
        "def predict(X, y):\n    y.clear()\n    return []\nsort = predict",
        "def sort(X, y=None):\n    (X if y is None else y).clear()\n    return X\npredict = sort",
    ],
)
def test_a_function_under_two_names_may_change_what_both_may(answer: str) -> None:
    """A helper calls the answer under a name of its own: what `sort` may do is not for `predict`."""
    solution = "def predict(X, y): return [2]\ndef sort(a):\n    a.sort()\n    return a"
    test = "def tried(g, y):\n    p = g([1], y)\n    return y\nassert tried(predict, [1, 2]) == [1, 2]"
    assert graded(exam_of((Role.ANSWER, solution), (Role.TEST, test)), cell0=answer)[0].fraction == 1


def test_an_object_that_is_held_in_two_arguments_is_for_the_one_that_is_changed() -> None:
    solution = "def f(grid, row):\n    grid[0][0] = 9\n    return row"
    test = "row = [1]\ngrid = [row]\nfound = f(grid, row)\nassert found is row == [9] and grid == [[9]]"
    assert graded(exam_of((Role.ANSWER, solution), (Role.TEST, test)))[0].fraction == 1


def test_what_is_no_argument_cannot_be_passed_off_as_one() -> None:
    """A test's own value is what it was, whatever the student's function says of identity."""
    exam = exam_of(
        (Role.ANSWER, "def f(a): return list(a)"), (Role.TEST, "a = [1, 2]\nb = f(a)\nassert b is not a and b == a")
    )
    assert graded(exam)[0].fraction == 1
    assert graded(exam, cell0="def f(a): return a")[0].fraction == 0


@pytest.mark.parametrize(
    "claim",
    [
        "([1], {-1: [9], -2: [9], 7: [9], 'a': [9]}, {})",
        "([1], {True: [9], None: [9]}, {0.0: [9]})",
        "([1], {0: (9,), 1: {9: 9}}, {})",
        "([1], [(0, [9])], {})",
        "([1], {}, None)",
        "([1], {1: [9]})",
    ],
)
def test_a_kernel_that_lies_of_arguments_changes_nothing(claim: str) -> None:
    """Keys of nothing that was given, other types, arguments that are not to change, and no answer at all."""

    class Lying(InProcessKernel):
        def __init__(self) -> None:
            super().__init__()
            self.server.call = lambda *_: eval(claim)

    exam = exam_of(
        (Role.ANSWER, "def f(a, b):\n    a.sort()\n    return [1]"),
        (Role.TEST, "import contextlib\na, b = [2], [3]\nwith contextlib.suppress(Exception): f(a, b)[0]\n"
                    "assert a == [2] and b == [3]"),
    )  # fmt: skip
    assert graded(exam, kernel=Lying, honest=InProcessKernel)[0].fraction == 1


def test_what_a_kernel_passes_off_as_an_argument_is_that_argument() -> None:
    class Lying(InProcessKernel):
        def __init__(self) -> None:
            super().__init__()
            other = [9]
            self.server.call = lambda *_: (other, {}, {0: other})

    test = "a = [2]\nassert f(a) is a and a == [2]"
    exam = exam_of((Role.ANSWER, "def f(a): return a"), (Role.TEST, test))
    assert graded(exam, kernel=Lying, honest=InProcessKernel)[0].fraction == 1


def test_more_lists_in_an_argument_than_are_followed_come_back_as_new_ones() -> None:
    answer = "def f(grid):\n    for row in grid: row.append(1)\n    return grid"
    test = "row = []\ngrid = [row, *([] for _ in range({}))]\nassert f(grid) is grid and row == {} and grid[-1] == [1]"
    exam = exam_of((Role.ANSWER, answer), (Role.TEST, test.format(900, [1])), (Role.TEST, test.format(1100, [])))
    assert [one.fraction for one in graded(exam)] == [1, 1]
