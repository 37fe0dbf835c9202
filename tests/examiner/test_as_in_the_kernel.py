"""What a test sees of an answer is what it would see in the kernel: identity, names, types, globals, lent objects."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from helpers.limits import starting

from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.limits import Limits


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

GLOBALS |= {
    "names that a test goes through": Case(
        "def step_one(): return 1\ndef step_two(): return 2\nother = 5",
        "steps = [v for n, v in sorted(globals().items()) if n.startswith('step' + '_')]\n"
        "assert len(steps) == 2 and [s() for s in steps] == [1, 2]\nassert sum(n.startswith('st') for n in dir()) == 3",
        "def step_one(): return 1",
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

NODE = "class Node:\n    def __init__(self, value, next=None): self.value, self.next = value, next\n"
LENT = {
    "a text with a method": Case(
        "def shout(s): return s.upper() + '!' + s.kind() if isinstance(s, str) else ''",
        "class Word(str):\n    def kind(self): return self[:1]\nassert shout(Word('a')) == 'A!a'",
        "def shout(s): return s",
    ),
    "a list that forbids its sort": Case(
        "def smallest(xs):\n    best = xs[0]\n    for x in xs: best = min(best, x)\n    return best",
        "class Numbers(list):\n    def sort(self, *a, **k): raise AssertionError('without sort')\n"
        "assert smallest(Numbers([3, 1, 2])) == 1",
        "def smallest(xs):\n    xs.sort()\n    return xs[0]",
    ),
    "a list that counts": Case(
        "def first(xs): return xs[0]",
        "class Numbers(list):\n    reads = 0\n    def __getitem__(self, i):\n        Numbers.reads += 1\n"
        "        return super().__getitem__(i)\nassert first(Numbers([7])) == 7 and Numbers.reads == 1",
        "def first(xs): return 7",
    ),
    "a list that grows": Case(
        "def add(xs, x):\n    xs.append(x)\n    xs[0] += 1\n    return len(xs) + sum(xs)",
        "class Numbers(list): pass\nxs = Numbers([1])\nassert add(xs, 5) == 9 and xs == [2, 5]",
        "def add(xs, x): return 9",
    ),
    "a dict with a default": Case(
        "def count(d, key):\n    d[key] = d[key] + 1",
        "class Counts(dict):\n    def __missing__(self, key): return 0\nd = Counts()\ncount(d, 'a'); count(d, 'a')\nassert d == {'a': 2}",
        "def count(d, key):\n    d[key] = d.get(key, 1)",
    ),
    "attributes and methods": Case(
        "def rename(p, name):\n    p.name = name\n    p.tags.append(p.greet('Hi'))\n    p.marks['a'] = 1",
        "class Person:\n    def __init__(self): self.name, self.tags, self.marks = 'a', [], {}\n"
        "    def greet(self, word): return f'{word} {self.name}'\n"
        "p = Person()\nrename(p, 'Ann')\nassert p.name == 'Ann' and p.tags == ['Hi Ann'] and p.marks == {'a': 1}",
        "def rename(p, name): p.name = name",
    ),
    "no such attribute": Case(
        "def kind(x): return 'duck' if hasattr(x, 'quack') else 'other'",
        "class Duck:\n    def quack(self): pass\nclass Dog: pass\nassert kind(Duck()) == 'duck' and kind(Dog()) == 'other'",
        "def kind(x): return 'duck'",
    ),
    "operators": Case(
        "def add(a, b): return a + b if a != b and a < b else a",
        "from functools import total_ordering\n@total_ordering\nclass V:\n    def __init__(self, x): self.x = x\n"
        "    def __add__(self, o): return V(self.x + o.x)\n    def __eq__(self, o): return self.x == o.x\n"
        "    def __lt__(self, o): return self.x < o.x\nassert add(V(1), V(2)) == V(3) and add(V(2), V(2)) == V(2)",
        "def add(a, b): return b",
    ),
    "iteration": Case(
        "def total(xs): return sum(xs) + len(xs) + (3 in xs)",
        "class Two:\n    def __iter__(self): return iter([1, 2])\n    def __len__(self): return 2\n"
        "    def __contains__(self, x): return x == 3\nassert total(Two()) == 6",
        "def total(xs): return 5",
    ),
    "a linked list of the test": Case(
        "def length(n):\n    count = 0\n    while n is not None: count, n = count + 1, n.next\n    return count\n"
        "def last(n):\n    while n.next: n = n.next\n    return n",
        NODE + "end = Node(2)\nassert length(Node(1, end)) == 2 and last(Node(1, end)) is end",
        "def length(n): return 2\ndef last(n): return n",
    ),
    "a locked class": Case(
        "def push(n, value):\n    if not isinstance(n, Node): raise TypeError(n)\n    while n.next: n = n.next\n    n.next = Node(value)",
        "n = Node(1)\npush(n, 2)\npush(n, 3)\nassert n.next.value == 2 and n.next.next.value == 3 and n.next.next.next is None",
        "def push(n, value): pass",
        NODE,
    ),
    "a locked enumeration": Case(
        "def turn(c): return 'stop' if c is Color.RED else c.name",
        "assert turn(Color.RED) == 'stop' and turn(Color.GREEN) == 'GREEN'",
        "def turn(c): return 'stop'",
        "from enum import Enum\nclass Color(Enum):\n    RED, GREEN = 1, 2",
    ),
    "named tuples and data classes": Case(
        "def total(p):\n    x, *_ = p if isinstance(p, tuple) else (p.x,)\n    return x + p.y",
        "from collections import namedtuple\nfrom dataclasses import dataclass\nfrom types import SimpleNamespace\n"
        "P = namedtuple('P', 'x y')\n@dataclass\nclass Q:\n    x: int\n    y: int\n"
        "assert total(P(1, 2)) == 3 and total(Q(1, 2)) == 3 and total(SimpleNamespace(x=1, y=2)) == 3",
        "def total(p): return 4",
    ),
    "an object that comes back": Case(
        "def oldest(people): return max(people, key=lambda p: p.age)",
        "class P:\n    def __init__(self, age): self.age = age\na, b = P(1), P(2)\nassert oldest([a, b]) is b and oldest((b, a)) is b",
        "def oldest(people): return people[0]",
    ),
}

GROUPS = [LENT, IDENTITY, TEXTS, ARGUMENTS, GLOBALS, FUNCTIONS, TYPES, NOSE]
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
    assert of(Case("f = 3", "assert f == 3", ""), answer).fraction == 0


CHECKS = """
from sklearn.linear_model import LinearRegression
def is_regression(x): return isinstance(x, LinearRegression) and type(x) == LinearRegression
def is_sine(f):
    import math
    return f is math.sin
class Own(type): pass
made = Own("Made", (), {})
assert isinstance(made, Own) and type(3) is int and issubclass(Own, type)
"""


def test_a_module_of_the_course_sees_types_as_a_test_cell_does(tmp_path, monkeypatch):
    (tmp_path / "checks_of_types.py").write_text(CHECKS)
    monkeypatch.syspath_prepend(tmp_path)
    solution = "import math\nfrom sklearn.linear_model import LinearRegression\nm, f = LinearRegression(), math.sin"
    test = "from checks_of_types import is_regression, is_sine\nassert is_regression(m) and is_sine(f)"

    def hidden(answer):
        """The kernel here is in this process: it must not import the module first."""
        exam = exam_of((Role.ANSWER, solution), (Role.TEST, test))
        cells = (exam.cells[0], dataclasses.replace(exam.cells[1], released=""))
        return graded(dataclasses.replace(exam, cells=cells), cell0=answer)[0]

    good = hidden(solution)
    assert good.fraction == 1, good.detail
    assert hidden("from sklearn.linear_model import Ridge\nimport math\nm, f = Ridge(), math.sin").fraction == 0
    assert hidden(solution.replace("math.sin", "math.cos")).fraction == 0
    assert not list(tmp_path.rglob("*.pyc"))


@pytest.mark.parametrize("made", ["list(range(2_000_000))", "[i / 2 for i in range(2_000_000)]"])
def test_a_long_list_is_timed_with_the_function_and_not_with_its_way(made):
    """Two million numbers go to the kernel as one buffer."""
    test = f"import time\nxs = {made}\nbegan = time.process_time()\nassert total(xs) == sum(xs)\nassert time.process_time() - began < 3"
    case = Case("def total(xs): return sum(xs)", test, "")
    assert of(case, case.solution).fraction == 1


GCD = "def gcd(a, b):\n    while b: a, b = b, a % b\n    return a"


def test_what_the_solution_imports_students_may_write_themselves():
    case = Case("from math import gcd", "assert gcd(12, 18) == 6 and gcd(7, 3) == 1", "")
    assert of(case, case.solution).fraction == of(case, GCD).fraction == 1
    wrong = of(case, "def gcd(a, b): return 6")
    assert (wrong.fraction, wrong.outcome) == (0, Outcome.FAILED)
    assert of(case, "pass").fraction == 0


def test_no_student_writes_what_a_test_judges_other_answers_with():
    solution = "from sklearn.metrics import accuracy_score\np = [1, 0]"
    case = Case(solution, "assert accuracy_score([1, 0], p) == 1", "")
    assert of(case, "def accuracy_score(y, p): return sum(a == b for a, b in zip(y, p)) / 2\np = [1, 0]").fraction == 1
    lie = of(case, "def accuracy_score(y, p): return 1\np = [0, 1]")
    assert (lie.fraction, lie.outcome) == (0, Outcome.BROKEN)
    assert "accuracy_score" in lie.detail


REPLACE = "class Judge:\n    def __init__(self): self.seen = []\n    def fair(self, x): return x == 7\nj = Judge()\n"


@pytest.mark.parametrize(
    "answer",
    [
        "def f(j):\n    j.fair = lambda x: True\n    return 1",
        "def f(j):\n    type(j).fair = lambda self, x: True\n    return 1",
        "def f(j):\n    j.__class__ = type('J', (), {'fair': lambda self, x: True})\n    return 1",
        "def f(j):\n    j.__dict__['fair'] = lambda x: True\n    return 1",
        "def f(j):\n    j.fair.__func__.__code__ = (lambda self, x: True).__code__\n    return 1",
        "def f(j):\n    del j.fair\n    return 1",
    ],
)
def test_no_answer_replaces_a_method_of_the_tests_object(answer):
    case = Case(
        "def f(j): return 7", REPLACE + "try:\n    x = f(j)\nexcept Exception:\n    x = 1\nassert j.fair(x)", ""
    )
    assert of(case, case.solution).fraction == 1
    assert of(case, answer).fraction == 0


def test_no_answer_reaches_what_is_behind_a_method_of_the_tests_object():
    """Neither the test's globals nor its code are in the kernel."""
    answer = """
def f(j):
    found = []
    for reach in ("__globals__", "__code__", "__closure__", "__self__", "__func__", "__wrapped__"):
        found.append(repr(getattr(j.fair, reach, "")))
    for name in ("__init__", "__class__", "__reduce_ex__"):
        found.append(repr(getattr(getattr(j, name), "__globals__", "")))
    return "SECRET" in "".join(found)
"""
    case = Case("def f(j): return 7", "SECRET = 'canary'\n" + REPLACE + "assert f(j) is True", "")
    assert of(case, answer).fraction == 0


def test_a_class_of_the_tests_is_another_in_the_next_cell():
    test = "class P:\n    def __init__(self, x): self.{0} = x\nassert f(P(3)) == 3"
    exam = exam_of(
        (Role.ANSWER, "def f(p): return getattr(p, 'a', None) or p.b"),
        (Role.TEST, test.format("a")),
        (Role.TEST, test.format("b")),
    )
    assert [one.fraction for one in graded(exam)] == [1, 1]


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.filterwarnings("ignore:.is. with a literal")
def test_all_of_them_in_one_notebook_in_a_sandbox():
    """In a real kernel, one after the other, as in this process."""
    some = {name: case for name, case in CASES.items() if not case.given}
    cells = [cell for case in some.values() for cell in ((Role.ANSWER, case.solution), (Role.TEST, case.test))]
    with starting(Limits(memory_mib=1024, processes=64, disk_mib=32, output_mib=4)) as start:
        results = graded(exam_of(*cells), start, seconds=30)
    failed = {name: r.detail[-600:] for name, r in zip(some, results, strict=True) if r.fraction != 1}
    assert failed == {}
