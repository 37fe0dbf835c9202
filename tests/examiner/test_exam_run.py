"""Run of an exam: a test cell means outside what it meant inside, and a student's code decides nothing."""

from __future__ import annotations

import dataclasses
import gc
import time

import pytest
from helpers.clock import own_seconds
from helpers.examination import graded, outcome
from helpers.exams import exam_of
from helpers.kernels import FreezingKernel, InProcessKernel
from helpers.student_classes import EQUAL
from scipy import sparse

from autograder.codec import Packed, Reference, encode
from autograder.errors import BusyError, HostError, LostError, SandboxError
from autograder.examiner.namespace import Answers
from autograder.examiner.remote.proxy import RefusedModelHandle, Remote
from autograder.execution import allowance
from autograder.execution.capture import Captured
from autograder.kernel.frozen_copies import SPAN
from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.observations import Observations

ROWS_IN_BLOCKS = sparse.bsr_array([[0, 1.5], [2, 0]])
HONEST = [
    ("x = [1, 2]", "assert x == [1, 2]"),
    ("def f(n): return n * 2", "assert [f(i) for i in range(3)] == [0, 2, 4]"),
    ("def f(n):\n    if n < 0: raise ValueError\n    return n", "try:\n    f(-1)\nexcept ValueError:\n    pass\nelse:\n    assert 0"),
    ("def f(n): raise ValueError('no')", "import pytest\nwith pytest.raises(ValueError, match='no'): f(1)"),
    ("import numpy as np\na = np.ones(3)", "np.testing.assert_allclose(a, [1, 1, 1])"),
    ("import numpy as np\ndef f(a): return a.sum()", "assert f(np.arange(4)) == 6"),
    ("class Point:\n    def __init__(self, x): self.x = x\n    def twice(self): return Point(2 * self.x)",
     "p = Point(3)\nassert p.twice().x == 6"),
    ("def hello(): print('hello')", "import io, contextlib\nout = io.StringIO()\nwith contextlib.redirect_stdout(out): hello()\nassert out.getvalue() == 'hello\\n'"),
    ("def f(x): return x", "class T:\n    given = f(1)\n    def check(self): assert f(2) == 2\nT().check()\nassert T.given == 1"),
    ("def f(x): return x", "import unittest\nclass T(unittest.TestCase):\n    def runTest(self): self.assertEqual(f(1), 1)\nT().debug()"),
    ("def gen():\n    yield 1\n    yield 2", "assert list(gen()) == [1, 2]"),
    ("x = 5", "import math\nassert math.isclose(x, 5.0)"),
    ("def f(d): d['k'] = 1", "d = {}\nf(d)\nassert d == {'k': 1}"),
    ("functions = [abs, lambda v: v + 1]", "assert functions[1](1) == 2"),
    ("def f(*a, **k): return (a, k)", "assert f(1, b=2) == ((1,), {'b': 2})"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "test"), HONEST)
def test_ordinary_tests_pass_on_right_answers_and_fail_without_them(answer, test):
    assert outcome(answer, test).outcome is Outcome.PASSED
    assert outcome("pass", test).fraction == 0


def test_a_test_that_deletes_a_helper_sees_whether_the_function_depends_on_it():
    test = (
        "orig = squares\ndel squares\ntry:\n    total(3)\nexcept NameError:\n    pass\n"
        "else:\n    raise AssertionError('no')\nfinally:\n    squares = orig\nassert total(2) == 5"
    )
    source = "def squares(n): return [i * i for i in range(n + 1)]\ndef total(n): return sum(squares(n))"
    exam = exam_of((Role.ANSWER, source), (Role.TEST, test))
    assert graded(exam)[0].outcome is Outcome.PASSED
    own_way = source.replace("sum(squares(n))", "sum(i * i for i in range(n + 1))")
    assert graded(exam, cell0=own_way)[0].outcome is Outcome.FAILED


def test_the_own_time_of_a_test_has_the_students_code_in_it_and_no_waiting_for_others():
    exam = exam_of((Role.ANSWER, "import time\ndef f(): time.sleep(0.05)"), (Role.TEST, "f()"), (Role.TEST, "pass"))
    assert graded(exam)[0].seconds >= 0.05
    assert graded(exam, waited=time.monotonic)[0].seconds < 0.05


def test_functions_see_their_globals_as_they_were_at_the_test():
    exam = exam_of(
        (Role.ANSWER, "scale = 2\ndef f(x): return x * scale"),
        (Role.TEST, "assert f(1) == 2"),
        (Role.ANSWER, "scale = 3"),
        (Role.TEST, "assert f(1) == 3"),
    )
    assert [r.outcome for r in graded(exam)] == [Outcome.PASSED, Outcome.PASSED]


def test_a_tests_value_for_a_global_of_the_students_function_reaches_it():
    exam = exam_of(
        (Role.ANSWER, "data = [1]\ndef total(): return sum(data)"),
        (Role.TEST, "data = [1, 2]\nassert total() == 3"),
    )
    assert graded(exam)[0].outcome is Outcome.PASSED


def test_an_expected_value_under_a_students_name_never_reaches_the_kernel():
    exam = exam_of(
        (Role.ANSWER, "y = 0\ndef f(x): return 2 * x"),
        (Role.TEST, "for x, y in [(1, 2), (5, 10)]:\n    assert f(x) == y"),
    )
    assert graded(exam)[0].outcome is Outcome.PASSED
    assert graded(exam, cell0="y = 0\ndef f(x): return y")[0].outcome is Outcome.FAILED


def test_test_cells_share_what_they_define():
    exam = exam_of(
        (Role.ANSWER, "def f(x): return x"),
        (Role.TEST, "def twice(v): return 2 * v\nlimit = 4"),
        (Role.TEST, "assert twice(f(2)) == limit"),
    )
    assert graded(exam)[1].outcome is Outcome.PASSED


@pytest.mark.parametrize("kernel", [InProcessKernel, FreezingKernel])
def test_a_helper_of_an_earlier_test_finds_the_answers_that_it_reads(kernel):
    exam = exam_of(
        (Role.ANSWER, "def square(x): return x * x\ndef cube(x): return square(x) * x"),
        (Role.TEST, "def squares(n): return square(n)\ndef agree(n, m): return squares(n) == m\nassert agree(2, 4)"),
        (Role.ANSWER, "unit = 1"),
        (Role.TEST, "assert agree(3, 9)"),
    )
    assert [result.fraction for result in graded(exam, kernel)] == [1, 1]
    assert [result.fraction for result in graded(exam, kernel, cell0="def square(x): return 4")] == [1, 0]


CHEATS = {
    "equal to everything": EQUAL,
    "an int that equals": "class I(int):\n    __eq__ = lambda s, o: True\n    __hash__ = int.__hash__\nx = I(0)\nf = squares = lambda *a: I(0)",
    "a list that equals": "class L(list):\n    __eq__ = lambda s, o: True\nx = L()\nf = squares = lambda *a: L()",
    "an array that equals": "import numpy as np\nclass A(np.ndarray):\n    __eq__ = lambda s, o: True\n    __array_ufunc__ = lambda s, *a, **k: True\nx = np.zeros(1).view(A)\nf = squares = lambda *a: x",
    "leaves": "x = 0\ndef f(*a): raise SystemExit(0)\nsquares = f",
    "stops iteration": "x = 0\ndef f(*a): raise StopIteration\nsquares = f",
}  # fmt: skip
TESTS = [
    "assert f(3) == 9",
    "assert x == 9",
    "assert not f(3) != 9",
    "assert squares(3) == [1, 4, 9]",
    "import numpy as np\nnp.testing.assert_allclose(f(3), 9)",
    "import numpy as np\nassert np.isclose(f(3), 9)",
    "import numpy as np\nassert np.allclose(x, 9)",
    "assert abs(f(3) - 9) < 1e-6",
    "assert f(3) in (9, 10)",
    "assert 9 in squares(3)",
    "assert f(3)",
    "assert all(v == 9 for v in [f(3)])",
    "import math\nassert math.isclose(f(3), 9)",
    "from autograder import check\ncheck.close(f(3), 9)",
    "from autograder import check\ncheck.function(f, cases=[((3,), 9), ((4,), 16)])",
    "import pytest\nassert f(3) == pytest.approx(9)",
]


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("cheat", CHEATS)
def test_cheats_get_nothing(cheat, test):
    assert outcome(CHEATS[cheat], test).fraction == 0


@pytest.mark.parametrize("test", TESTS)
def test_the_same_tests_pass_on_an_honest_answer(test):
    honest = "x = 9\ndef f(n): return n * n\ndef squares(n): return [i * i for i in range(1, n + 1)]"
    assert outcome(honest, test).fraction == 1


def test_a_locked_helper_is_the_instructors_even_if_the_student_rewrites_it():
    exam = exam_of(
        (Role.READ_ONLY, "def verify(f): assert f(2) == 4"),
        (Role.ANSWER, "def f(x): return 2 * x"),
        (Role.TEST, "verify(f)"),
    )
    assert graded(exam)[0].outcome is Outcome.PASSED
    assert graded(exam, cell1="def f(x): return 0\ndef verify(f): pass")[0].outcome is Outcome.FAILED


def test_a_hidden_tests_helper_can_not_be_defined_by_the_student():
    exam = exam_of((Role.ANSWER, "f = 1"), (Role.TEST, "def verify(v): assert v == 2"), (Role.TEST, "verify(f)"))
    assert graded(exam, cell0="f = 1\ndef verify(v): pass")[1].outcome is Outcome.FAILED


def test_a_module_is_the_examiners_own_and_only_if_the_instructor_imports_it():
    assert outcome("import os as x", "assert x.getcwd()").fraction == 1  # answered by the kernel, not by us
    exam = exam_of((Role.READ_ONLY, "import math as m"), (Role.ANSWER, ""), (Role.TEST, "assert m.floor(1.5) == 1"))
    assert graded(exam)[0].fraction == 1


@pytest.mark.parametrize(
    ("test", "fraction"),
    [("0.5", 0.5), ("2", 1.0), ("5", 1.0), ("-1", 0.0), ("float('nan')", 0.0), ("1 + 0.5", 0.75), ("None", 1.0), ("'text'", 1.0),
     ("import numpy as np\nnp.float64(1)", 0.5), ("True", 1.0)],
)  # fmt: skip
def test_a_number_at_the_end_is_the_score_within_the_points(test, fraction):
    points = 2.0 if test != "0.5" else 1.0
    assert outcome("pass", test, points).fraction == fraction


def test_a_number_that_only_looks_like_one_is_no_score():
    assert outcome("class N(float): pass\nn = N(9)", "n").fraction == 1.0
    assert outcome("n = 0.25", "n").fraction == 0.25


def test_checks_share_the_points_by_weight_and_all_are_reported():
    result = outcome("a, b = 1, 2", "from autograder import check\ncheck.close(a, 1, weight=3)\ncheck.close(b, 1)", 4)
    assert result.fraction == 0.75
    assert result.outcome is Outcome.PARTIAL
    assert [c.fraction for c in result.checks] == [1, 0]


def test_a_failed_assertion_beside_checks_is_zero():
    assert outcome("a = 1", "from autograder import check\ncheck.close(a, 1)\nassert a == 2").fraction == 0


def test_an_exception_of_the_tests_own_making_goes_to_a_person():
    assert outcome("a = 1", "import no_such_module").outcome is Outcome.BROKEN
    assert outcome("a = 1", "from autograder import check\ncheck.loss(a, on=None)").outcome in (
        Outcome.BROKEN,
        Outcome.FAILED,
    )


SECRET = "zanzibar41"


@pytest.mark.parametrize(
    "answer",
    [
        "def f(v): return 0",
        "def f(v): raise ValueError(v)",
        "def f(v): print(v); raise KeyError(v)",
        "def f(v): raise type(v, (ValueError,), {})()",
        "def f(v): raise type(v, (Exception,), {})(v)",
        "def f(v): return v",
        "",
        "f = 3",
    ],
)
def test_the_students_message_never_carries_a_hidden_test(answer):
    result = outcome(answer, f"assert f('{SECRET}') == 'expected-{SECRET}'", released="")
    assert result.fraction == 0
    assert result.message
    assert SECRET not in result.message


def test_a_line_that_the_student_has_is_quoted():
    exam = exam_of((Role.ANSWER, "def f(v): return 0"), (Role.TEST, "x = 1\nassert f(1) == 1"))
    assert "`assert f(1) == 1`" in graded(exam)[0].message


def test_an_undefined_answer_is_named():
    assert outcome("", "assert squares(1) == [1]").message == "`squares` is not defined."


def test_an_answer_that_the_solution_binds_is_named_and_a_hidden_name_is_not():
    exam = exam_of(
        (Role.ANSWER, "count = 3\ndef squares(n): ..."),
        *[(Role.TEST, f"assert {n}") for n in ("count", "squares", "secret")],
    )
    cells = tuple(dataclasses.replace(cell, released="# write here") for cell in exam.cells)
    results = graded(dataclasses.replace(exam, cells=cells))
    assert [one.message for one in results] == [
        "`count` is not defined.",
        "`squares` is not defined.",
        "A name is not defined.",
    ]


def test_the_details_of_a_refusal_have_no_lines_of_the_kit():
    test = "import random\nassert f(random.Random(0)) == 1"
    for answer in ("def f(x): return x", "def f(x): raise KeyError"):
        detail = outcome(answer, test.replace("random.Random(0)", "1") if "raise" in answer else test).detail
        assert "line 2, in <module>" in detail
        assert "remote.py" not in detail
    assert "a Random cannot be copied to another process. A test can pass" in outcome("def f(x): return x", test).detail


def test_a_test_cell_that_never_ends_is_stopped():
    began = own_seconds()
    result = outcome(
        "",
        "while True:\n    try:\n        pass\n    except Exception:\n        pass",
        released="",
        seconds=0.3,
    )
    assert own_seconds() - began < 3
    assert "too long" in result.message


def held(share):
    """Seconds that others took: this share of all time."""
    began = time.monotonic()
    return lambda: share * (time.monotonic() - began)


def test_a_test_that_was_kept_waiting_has_its_own_time():
    """It needs 0.6 s by the wall clock and half of that for itself."""
    test = "import time\nuntil = time.monotonic() + 0.6\nwhile time.monotonic() < until: pass"
    assert outcome("", test, released="", seconds=0.4).outcome is Outcome.FAILED
    assert outcome("", test, released="", seconds=0.4, waited=held(0.5)).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "test",
    ["while True: pass", "try:\n    while True: pass\nexcept BaseException:\n    pass"],
    ids=["plain", "swallows"],
)
def test_a_test_that_got_no_processor_is_nobodys_failure(test, monkeypatch):
    monkeypatch.setattr(allowance, "MIN_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(allowance, "is_busy", lambda: True)
    with pytest.raises(BusyError, match=r"the test cell1 got 0\.\d+ s of its own in [1-9]"):
        outcome("", test, released="", seconds=0.3, waited=held(0.9))


def test_a_kernel_that_got_no_processor_is_nobodys_failure():
    """A test that catches it changes nothing: the kernel says so again at its end."""

    class Starved(InProcessKernel):
        def exchange(self, request, timeout=None, answer=None):
            if b"call" in request.text:
                raise BusyError("a call got 1 s of its own in 120 s")
            return super().exchange(request, timeout, answer)

    with pytest.raises(BusyError):
        outcome("def f(): return 1", "assert f() == 1", kernel=Starved)


def test_a_cell_that_the_run_never_reached_is_skipped():
    exam = exam_of((Role.ANSWER, "raise Dies"), (Role.TEST, "assert 1"))
    assert graded(exam)[0].outcome is Outcome.SKIPPED


def unreleased(exam):
    return dataclasses.replace(exam, cells=tuple(dataclasses.replace(c, released="") for c in exam.cells))


def test_answers_that_are_slow_one_by_one_are_stopped_together():
    """The solution and the answer after half a second each, and not after 24 s together, however busy the machine is."""
    exam = exam_of((Role.ANSWER, ""), *[(Role.TEST, "while True: pass")] * 40)
    exam = unreleased(exam)
    began = time.monotonic()
    results = graded(exam, seconds=0.3, total_seconds=0.5)
    assert time.monotonic() - began < 15
    assert [r.fraction for r in results] == [0] * 40


def test_a_person_decides_what_the_time_of_all_tests_does_not_reach():
    """The first test has all its time and fails; an honest answer behind it loses nothing by it."""
    endless, quick = (Role.TEST, "while True: pass"), (Role.TEST, "assert slow(1) == 1")
    slow = "import time\ndef slow(x):\n    time.sleep(0.4)\n    return x"
    exam = unreleased(exam_of((Role.ANSWER, slow), endless, endless, quick))
    first, second, honest = graded(exam, seconds=0.3, total_seconds=0.5)
    assert (first.outcome, first.undecided) == (Outcome.FAILED, False)
    assert [(r.outcome, r.undecided) for r in (second, honest)] == [(Outcome.FAILED, True)] * 2
    assert "a person will look at it" in honest.message
    assert "The tests of this notebook had 0.5 s" in honest.detail


class Stopping(InProcessKernel):
    """Stops a call of ``loop`` as a kernel does that was interrupted."""

    def __init__(self):
        super().__init__()
        self.namespace["stopped"] = []
        self.given = self.namespace["given"] = []

    def exchange(self, request, timeout=None, answer=None):
        if b'"call"' in request.text:
            self.given.append(timeout)
        return super().exchange(request, timeout, answer)


LOOPS = "def loop(x):\n    raise KeyboardInterrupt\ndef quick(x):\n    return x"


def looping(*tests, answer=LOOPS, kernel=Stopping):
    honest = "def loop(x): return x\ndef quick(x): return x"
    exam = unreleased(exam_of((Role.ANSWER, honest), *((Role.TEST, test) for test in tests)))
    return graded(exam, kernel=kernel, honest=InProcessKernel, cell0=answer)


def test_calls_have_a_short_time_once_three_have_used_up_theirs():
    """An endless answer holds a worker for three limits, and not for one in each question."""
    kernels = []

    class Seen(Stopping):
        def __init__(self):
            super().__init__()
            kernels.append(self)

    looping(*["assert loop(1) == 1"] * 5, kernel=Seen)
    assert kernels[-1].given == [None, None, None, 3.0, 3.0]


def test_what_a_short_time_decided_is_for_a_person():
    results = looping(*["assert loop(1) == 1"] * 4, "assert quick(2) == 2")
    assert [r.undecided for r in results] == [False, False, False, True, False]
    assert "3 calls of your code had taken too long, so this one was stopped after 3 s." in results[3].message
    assert "a person will look at it" in results[3].message
    assert results[4].outcome is Outcome.PASSED


def test_a_test_ends_at_the_first_call_that_is_stopped_early():
    _, second = looping("loop(1)\nloop(2)\nloop(3)", "loop(1)\nassert quick(2) == 3")
    assert (second.undecided, second.message.count("stopped after 3 s")) == (True, 1)
    assert "wrong" not in second.message


@pytest.mark.parametrize(
    "test",
    ["try:\n    loop(1)\nexcept Exception:\n    pass\nassert False", "check.function(loop, [((1,), 1)])"],
    ids=["swallowed", "check"],
)
def test_a_call_that_is_stopped_early_is_for_a_person_whatever_the_test_makes_of_it(test):
    results = looping("loop(1)\nloop(2)\nloop(3)", f"from autograder import check\n{test}")
    assert [r.undecided for r in results] == [False, True]


def test_a_kernel_that_is_lost_in_a_short_call_leaves_the_rest_to_a_person():
    class Lost(Stopping):
        def exchange(self, request, timeout=None, answer=None):
            if timeout == 3.0:
                raise LostError("a call of your code took longer than 3 s and could not be stopped")
            return super().exchange(request, timeout, answer)

    results = looping("loop(1)\nloop(2)\nloop(3)", "loop(1)", "assert quick(2) == 2", kernel=Lost)
    assert [r.undecided for r in results] == [False, True, True]


IN_ORDER = [
    (["from dataclasses import dataclass", "@dataclass\nclass Item:\n    name: str"], "assert Item('a').name == name"),
    (["from enum import Enum", "class Color(Enum):\n    RED = 1"], "assert Color.RED.value == 1 and name"),
    (["from functools import lru_cache\n@lru_cache\ndef fib(n): return n"], "assert fib(1) == 1 and name"),
    (["import numpy as np", "def area(r, pi=np.pi): return pi * r"], "assert area(1) > 3 and name"),
    (["class Zero: pass", "class Above(Zero): pass"], "assert Above() and name"),
    (["ZOOM = 2", "def grown(n, by=ZOOM): return n * by"], "assert grown(2) == 4 and name"),
    (
        ["import math", "def area(r, pi=math.pi): return pi * r", "import math"],
        "assert area(1) > 3 and math.e and name",
    ),
    (["SIZES = [1, 2]"], "def first(given=SIZES): return given[0]\nassert first() == 1 and name"),
]


@pytest.mark.parametrize(("locked", "test"), IN_ORDER)
def test_what_locked_cells_define_is_made_in_the_order_of_the_notebook(locked, test):
    exam = exam_of(*((Role.READ_ONLY, source) for source in locked), (Role.ANSWER, "name = 'a'"), (Role.TEST, test))
    (result,) = graded(exam)
    assert (result.outcome, result.fraction) == (Outcome.PASSED, 1), result.detail


# --- attacks that once worked -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shadow", "test"),
    [
        ("def abs(v): return 0.0", "assert abs(f(21) - 42) < 1e-9"),
        ("def range(*a): return []", "assert all(f(i) == 2 * i for i in range(1, 9))"),
        ("def all(v): return True", "assert all([f(3) == 6])"),
        ("def len(v): return 6", "assert len([0] * f(3)) == 6"),
    ],
)
def test_a_builtin_that_the_student_defines_anew_is_not_the_tests(shadow, test):
    exam = exam_of((Role.ANSWER, "def f(n): return 2 * n"), (Role.TEST, test))
    assert graded(exam, cell0=f"def f(n): return 0\n{shadow}")[0].fraction == 0
    assert graded(exam, cell0=f"def f(n): return 2 * n\n{shadow}")[0].fraction == 1


@pytest.mark.parametrize(
    "locked",
    [
        "from numpy.testing import *",
        "try:\n    from numpy.testing import assert_allclose\nexcept ImportError:\n    pass",
        "if True:\n    def assert_allclose(a, b): assert a == b",
    ],
)
def test_a_locked_helper_in_whatever_form_can_not_be_replaced(locked):
    exam = exam_of(
        (Role.READ_ONLY, locked), (Role.ANSWER, "def f(n): return 9"), (Role.TEST, "assert_allclose(f(3), 9)")
    )
    assert graded(exam)[0].fraction == 1
    cheat = "def f(n): return 0\ndef assert_allclose(a, b): pass"
    assert graded(exam, cell1=cheat)[0].fraction == 0


@pytest.mark.parametrize("bind", ["def s():\n    global e\n    e = 9\ns()", "exec('e = 9')", "globals()['e'] = 9"])
def test_what_an_earlier_test_bound_in_whatever_way_stays_the_tests(bind):
    exam = exam_of(
        (Role.ANSWER, "def f(n): return 0"), (Role.TEST, bind), (Role.ANSWER, ""), (Role.TEST, "assert f(3) == e")
    )
    assert graded(exam, cell2="e = 0")[1].fraction == 0


@pytest.mark.parametrize("name", ["evaluate", "count_params"])
def test_what_the_examiner_computes_is_not_asked_of_a_students_object(name):
    answer = f"class M:\n    def {name}(self, *a): return 24\nm = M()"
    assert outcome(answer, f"assert m.{name}() == 24").fraction == 0


def test_a_function_that_returns_something_changes_nothing_of_the_tests():
    test = "import numpy as np\nx = np.arange(1.0, 5.0)\nassert np.allclose(f(x), 2 * x)"
    exam = exam_of((Role.ANSWER, "def f(x): return 2 * x"), (Role.TEST, test))
    assert graded(exam, cell0="def f(x):\n    x *= 0\n    return x")[0].fraction == 0
    assert outcome("def f(x): return 2 * x", test).fraction == 1
    exam = exam_of((Role.ANSWER, "def f(x): return sorted(x)"), (Role.TEST, "x = [2, 1]\nassert f(x) == sorted(x)"))
    assert graded(exam, cell0="def f(x):\n    x[:] = []\n    return x")[0].fraction == 0


@pytest.mark.parametrize(
    "answer",
    [
        "def f(n): raise SyntaxError('m', ('f', 1, 'x', 'text'))",
        "def f(n): raise ImportError(1, 2, 3)",
        "def f(n): raise UnicodeDecodeError('a', b'', 1, 2, 'c')",
        "def f(n): return range(10**12)",
        "import decimal\ndef f(n): return decimal.Decimal('1e999999')",
    ],
)
def test_an_answer_made_to_break_the_examiner_is_a_wrong_answer(answer):
    result = outcome(answer, "assert sum([int(v) for v in [f(3)]]) == 9", released="")
    assert (result.fraction, result.outcome) == (0, Outcome.FAILED)


def test_a_kernel_that_lies_about_its_names_is_a_failed_answer():
    class Lies(InProcessKernel):
        def run(self, source, seconds):
            def snapshot():
                raise KeyError("no")

            self.server.snapshot = snapshot
            return super().run(source, seconds)

    assert outcome("x = 1", "assert x == 1", kernel=Lies).outcome is Outcome.SKIPPED


@pytest.mark.parametrize(
    "reply", [encode(ROWS_IN_BLOCKS), encode([ROWS_IN_BLOCKS] * 3), Packed(b'["ref",1,"object","x"]', [])]
)
@pytest.mark.parametrize("verb", [b'"enter"', b'"call"'])
def test_a_reply_that_is_any_value_is_a_failed_answer(verb, reply):
    """Taking a sparse matrix of blocks apart raises NotImplementedError, and a handle would ask the kernel again."""

    class Lies(InProcessKernel):
        def exchange(self, request, timeout=None, answer=None):
            return reply if verb in request.text else super().exchange(request, timeout, answer)

    found = outcome("def f(): return 1", "assert f() == 1", kernel=Lies)
    assert (found.outcome, found.undecided) == (Outcome.FAILED, False)
    assert "gave an answer that cannot be read" in found.message


@pytest.mark.parametrize("kind", ["model", "figure", "object"])
def test_a_handle_that_the_kernel_cannot_have_given_is_a_failed_answer(kind):
    """Each process that answers gives numbers of its own; the test is not to blame for one of none."""

    class Lies(InProcessKernel):
        def run(self, source, seconds):
            forged = encode([len], lambda leaf: Reference(7 * SPAN, kind, "builtins.object"))
            honest = self.server.fetch
            self.server.fetch = lambda number, names: (
                {"x": ("value", *forged)} if names == ["x"] else honest(number, names)
            )
            return super().run(source, seconds)

    found = outcome("x = [len]\ndef f(value): return value", "f(x)", kernel=Lies)
    assert (found.outcome, found.undecided) == (Outcome.FAILED, False)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_an_async_function_where_a_plain_one_is_asked_is_a_failed_answer():
    """Its coroutine goes back to the kernel as it is: what then fails is the student's own code."""
    exam = exam_of((Role.ANSWER, "def g(x): return x\ndef f(x): return x + 1"), (Role.TEST, "assert f(g(1)) == 2"))
    found = graded(exam, cell0="async def g(x): return x\ndef f(x): return x + 1")[0]
    assert (found.outcome, found.undecided) == (Outcome.FAILED, False)
    assert "your code raised TypeError" in found.message
    gc.collect()


@pytest.mark.parametrize("claimed", ["np.zeros(2)", "3", "None", "'gcd'"])
def test_a_name_that_an_object_claims_is_only_compared_if_it_is_a_text(claimed):
    exam = exam_of((Role.ANSWER, "from math import gcd"), (Role.TEST, "assert gcd(4, 6) == 2"))
    own = f"import numpy as np\nclass Named:\n    __name__ = {claimed}\n    def __call__(self, a, b): return 1\ngcd = Named()"
    assert graded(exam, cell0=own)[0].outcome is Outcome.FAILED


CLAIMS = [None, 3, ROWS_IN_BLOCKS, {"a": 1, "b": 2}, {1: {}, 2: []}.values(), [{}, []], ({}, []) * 2, ([], {})]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: type(claim).__name__)
def test_a_claim_of_another_form_is_a_refused_model(claim):
    answers = Answers(Remote(InProcessKernel()), frozenset(), lambda described, weights: "model")
    captured = Captured(Packed(b'["ref",1,"model","Net"]', []), "", {1: claim})
    assert isinstance(answers.value("net", captured), RefusedModelHandle)


def test_a_rebuilt_model_goes_back_as_the_students_own():
    answers = Answers(Remote(InProcessKernel()), frozenset(), lambda claim, weights: object())
    reference = Reference(1, "model", "keras.Model")
    model = answers.model(reference, ({"name": "m"}, []))
    assert answers.remote.callbacks.refer(model) == reference


def test_a_model_is_rebuilt_once_for_each_claim():
    built = []
    answers = Answers(Remote(InProcessKernel()), frozenset(), lambda claim, weights: built.append(claim) or "model")
    claim = ({"name": "m"}, [])
    reference = Reference(1, "model", "keras.Model")
    assert [answers.model(reference, claim) for _ in range(5)] == ["model"] * 5
    assert len(built) == 1


@pytest.mark.parametrize(
    "catch", ["try:\n    f()\nexcept Exception:\n    pass", "import pytest\nwith pytest.raises(Exception): f()"]
)
def test_an_exit_that_a_test_catches_is_no_exception_as_any(catch):
    assert outcome("def f(): raise SystemExit(0)", catch).fraction == 0
    assert outcome("def f(): raise ValueError", catch).fraction == 1


def test_a_kernel_that_dies_where_a_test_expects_an_exception_has_not_raised_one():
    class Dying(InProcessKernel):
        def exchange(self, request, timeout=None, answer=None):
            if b"dies" in request.text:
                raise LostError("the notebook's kernel died while its answer was examined")
            return super().exchange(request, timeout, answer)

    test = "import pytest\nwith pytest.raises(Exception): f('dies')"
    assert outcome("def f(x): return x", test, kernel=Dying, released="").fraction == 0
    exam = exam_of((Role.ANSWER, "def f(x): return x"), (Role.TEST, test), (Role.TEST, test.replace("dies", "lives")))
    assert [one.fraction for one in graded(exam, kernel=Dying)] == [0, 0]  # nor where it died before


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise SystemExit", "called exit"),
        (
            "raise KeyboardInterrupt",
            "took too long and was stopped",
        ),  # what the kernel raises in a call that is stopped
        ("raise GeneratorExit", "raised an exception"),
    ],
)
def test_how_the_students_code_ended_is_told_in_words(body, said):
    message = outcome(f"def f():\n    {body}", "assert f() == 1", released="").message
    assert message == f"A hidden test failed: your code {said} in cell 1, line 2: `{body}`."


# --- what is the machine's -------------------------------------------------------------------------------


def test_a_full_disk_of_the_examiners_is_no_students_failure() -> None:
    """The same error from the student's own code is theirs."""
    full = "import errno\nraise OSError(errno.ENOSPC, 'No space left on device')"
    exam = exam_of((Role.ANSWER, "def f(): pass"), (Role.TEST, f"f()\n{full}"))
    exam = dataclasses.replace(exam, observations=Observations())
    with pytest.raises(HostError, match="this machine's disk is full"):
        graded(exam)
    (theirs,) = graded(exam, cell0="def f():\n    " + full.replace("\n", "\n    "))
    assert theirs.outcome is Outcome.FAILED


def test_a_machine_that_fails_while_a_test_asks_passes_through_every_handler() -> None:
    class Broken(InProcessKernel):
        def exchange(self, request, timeout=None, answer=None):
            if b'"call"' in request.text:
                raise SandboxError("no memory left")
            return super().exchange(request, timeout, answer)

    exam = exam_of((Role.ANSWER, "def f(): pass"), (Role.TEST, "assert 1 == 2\nf()"))
    with pytest.raises(SandboxError):
        graded(exam, Broken)
