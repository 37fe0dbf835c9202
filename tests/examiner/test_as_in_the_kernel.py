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

SORTING = "def tidy(xs):\n    xs.sort()\n    return xs"
ARGUMENTS = {
    "an argument that is returned": Case(
        "def chosen(a, b): return a if len(a) > len(b) else b",
        "x, y = [1, 2], [3]\nassert chosen(x, y) is x",
        "def chosen(a, b): return list(a)",
    ),
    "an argument that is changed and returned": Case(
        SORTING, "x = [2, 1]\nout = tidy(x)\nassert out is x and x == [1, 2]", "def tidy(xs): return sorted(xs)"
    ),
    "an array that is changed and returned": Case(
        "def shift(v):\n    v += 1\n    return v",
        NUMPY + "x = np.zeros(2)\nassert shift(v=x) is x and x[0] == 1",
        "def shift(v): return v + 1",
    ),
}

GLOBALS = {
    "a global that only the test binds": Case(
        "def area(r): return PI * r * r", "PI = 3\nassert area(2) == 12", "def area(r): return 0"
    ),
    "a global that a later line binds again": Case(
        "def area(r): return PI * r * r",
        "PI = 3\nassert area(2) == 12\nPI = 4\nassert area(2) == 16\ndel PI\ntry:\n    area(2)\n    found = True\n"
        "except NameError:\n    found = False\nassert not found",
        "def area(r): return 12",
    ),
}

FUNCTIONS = {
    "a library's function": Case(
        NUMPY + "f = np.sum",
        NUMPY + "assert f is np.sum and f == np.sum and f in (np.sum, np.max)",
        "import math\nf = math.fsum",
    ),
    "an attribute": Case(
        "import math\nclass A: pass\na = A()\na.fn = math.sin",
        "import math\nassert a.fn == math.sin and a.fn is not math.cos",
        "import math\nclass A: pass\na = A()\na.fn = lambda x: math.sin(x)",
    ),
    "a function of Python's": Case(
        "f = len", "assert f is len and len is f and not f is max", "def f(x): return len(x)"
    ),
    "a class": Case(
        "import collections\nT = collections.OrderedDict",
        "import collections\nassert T is collections.OrderedDict",
        "T = type('OrderedDict', (), {})",
    ),
}

TYPES = {
    "the name of an estimator's class": Case(
        "from sklearn.linear_model import LinearRegression\nm = LinearRegression()",
        "assert m.__class__.__name__ == 'LinearRegression' == type(m).__name__",
        "from sklearn.linear_model import Ridge\nm = Ridge()",
    ),
    "the name of an iterator's class": Case(
        "import itertools\nm = itertools.count()", "assert m.__class__.__name__ == 'count'", "m = iter([1])"
    ),
}

NOSE = {
    "nose.tools": Case(
        "def f(x): return x + 1",
        "from nose.tools import assert_equal, assert_true, ok_, eq_, assert_raises, assert_almost_equal\n"
        "assert_equal(f(1), 2)\nok_(f(1) == 2)\neq_(f(1), 2)\nassert_almost_equal(f(1.0), 2.0)\n"
        "assert_true(f(0))\nassert_raises(TypeError, f, 'a')\nwith assert_raises(TypeError): f('a')",
        "def f(x): return x",
    ),
    "nose.tools by its module": Case(
        "def f(x): return [x]",
        "import nose.tools as nt\n@nt.raises(TypeError)\ndef test_f(): f()\ntest_f()\nnt.assert_list_equal(f(1), [1])\n"
        "nt.assert_in(1, f(1)); nt.assert_is_instance(f(1), list); nt.assert_items_equal(f(1), [1])\n"
        "nt.assert_raises_regexp(TypeError, 'argument', f)",
        "def f(x=0): return [x]",
    ),
}

GROUPS = [IDENTITY, TEXTS, ARGUMENTS, GLOBALS, FUNCTIONS, TYPES, NOSE]
CASES = {name: case for group in GROUPS for name, case in group.items()}


@pytest.mark.filterwarnings("ignore:.is. with a literal")
@pytest.mark.parametrize("name", CASES)
def test_the_solution_gets_full_marks_and_the_wrong_answer_none(name):
    case = CASES[name]
    good = of(case, case.solution)
    assert good.outcome is Outcome.PASSED, good.detail
    assert case.wrong is None or of(case, case.wrong).fraction == 0


def test_a_change_that_is_not_the_functions_purpose_stays_in_the_kernel():
    """Otherwise a function could change what the test compares its result with."""
    case = Case(
        "def double(xs): return [2 * x for x in xs]", "x = [1]\nout = double(x)\nassert out == [2 * v for v in x]", ""
    )
    assert of(case, "def double(xs):\n    xs[0] = 0\n    return xs").fraction == 0


def test_hidden_data_that_are_changed_and_returned_stay_as_they_are(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"")
    import numpy as np

    np.savez(tmp_path / "x.npz", x=np.arange(3))
    source = (
        "from autograder import check\nx = check.hidden_data('x.npz')['x']\nout = tidy(x)\n"
        "assert x.tolist() == [0, 1, 2] and out.tolist() == [2, 1, 0]"
    )
    solution = "def tidy(v):\n    v[:] = v[::-1].copy()\n    return v"
    exam = exam_of((Role.ANSWER, solution), (Role.TEST, source))
    assert graded(exam, hidden=tmp_path)[0].fraction == 1


def test_an_object_that_says_it_is_a_number_is_none():
    """A claim to be a function of a library gives what that function would; nothing else can be claimed."""
    answer = "class A:\n    __module__, __qualname__ = 'numpy', 'sum'\n    def __call__(self): pass\nf = A()"
    assert of(Case("f = 3", "assert f == 3 or f is 3.0", ""), answer).fraction == 0
