"""What cannot be read, or asked for, is the kit's failure: a person decides, and it is never 0."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.examination import graded, outcome
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel

from autograder.codec import Packed, encode
from autograder.records.checks import Outcome
from autograder.records.exam import Role

IMPORTS = "import numpy as np\nimport pandas as pd\nfrom autograder import check"


def test_an_answer_that_cannot_be_read_waits_for_a_person():
    class Garbled(InProcessKernel):
        def run(self, source, seconds):
            honest = self.server.fetch
            self.server.fetch = lambda number, names: (
                {"x": ("value", b'["pd.string","python",false,[[3]]]', [])} if names == ["x"] else honest(number, names)
            )
            return super().run(source, seconds)

    result = outcome("x = 1", "assert x == 1", kernel=Garbled, honest=InProcessKernel)
    assert (result.outcome, result.undecided) == (Outcome.FAILED, True)
    assert "`x` could not be read" in result.message
    assert "a person will look at it" in result.message


def test_a_reply_that_cannot_be_read_waits_for_a_person():
    class Garbled(InProcessKernel):
        def exchange(self, request, timeout=None, answer=None):
            garbled = Packed(b'["tuple",["ok",["pd.string"],""]]', [])
            return garbled if b'"call"' in request.text else super().exchange(request, timeout, answer)

    result = outcome("def f(): return 1", "assert f() == 1", kernel=Garbled, honest=InProcessKernel)
    assert (result.outcome, result.undecided) == (Outcome.FAILED, True)


@pytest.mark.parametrize(("share", "waits"), [(0, True), (0.5, True), (1, False)])
def test_a_check_of_ones_own_can_leave_it_to_a_person(share, waits):
    """What it gave is certain; full credit leaves nothing to decide."""
    test = f"{IMPORTS}\ncheck.report('x', {share}, 'Nobody knows.', undecided=True)"
    result = outcome("x = 1", test, kernel=InProcessKernel, honest=InProcessKernel)
    assert (result.fraction, result.undecided) == (share, waits)


def test_a_test_that_requires_a_broken_one_waits_for_a_person_too():
    """The test's own fault costs nobody the points of what builds on it."""
    needs = (Role.TEST, "from autograder import check\ncheck.requires('cell1')\ncheck.close(x, 1)")
    exam = exam_of((Role.ANSWER, "x = 1"), (Role.TEST, "import nowhere_at_all\nassert x == 1"), needs)
    broken, later = graded(exam, cell0="x = 1")
    assert (broken.outcome, later.outcome, later.undecided) == (Outcome.BROKEN, Outcome.FAILED, True)


def saying(reply: Packed) -> type[InProcessKernel]:
    """A kernel that answers every call so."""

    class Saying(InProcessKernel):
        def exchange(self, request, timeout=None, answer=None):
            return reply if b'"call"' in request.text else super().exchange(request, timeout, answer)

    return Saying


@pytest.mark.parametrize(("argument", "undecided"), [("3", False), ("[3]", False), ("len", True), ("np.sin", True)])
def test_a_request_that_could_not_be_read_is_believed_where_a_library_may_lack(argument, undecided):
    test = f"import numpy as np\nassert f({argument}) == 4"
    kernel = saying(encode(("unread", None, "")))
    result = outcome("def f(x): return 4", test, kernel=kernel, honest=InProcessKernel)
    assert (result.outcome, result.undecided) == (Outcome.FAILED, undecided)


BEYOND = [
    f'["Fraction",["int","{hex(1 << 70_000)}"],1]',
    f'["Fraction",1,["int","{hex(1 << 70_000)}"]]',
    f'["int","{hex(1 << 1_000_100)}"]',
    f'["Decimal","{"1" * 5_000}"]',
    '["range",0,2000000,1]',
]
"""Values that no honest kernel writes."""


@pytest.mark.parametrize("value", BEYOND)
def test_a_value_that_no_honest_kernel_writes_is_a_failed_answer(value):
    kernel = saying(Packed(f'["tuple",["ok",{value},""]]'.encode(), []))
    result = outcome("def f(): return 1", "assert f() == 1", kernel=kernel, honest=InProcessKernel)
    assert (result.outcome, result.undecided) == (Outcome.FAILED, False)
    assert "an answer that cannot be read" in result.message


@pytest.mark.parametrize("answer", ["x = Decimal('1E+5000')", "x = 1\ndef f(): return Decimal('1E+5000')"])
def test_an_honest_value_that_cannot_be_read_waits_for_a_person(answer):
    solution = "from decimal import Decimal\nx = 1\ndef f(): return 1"
    exam = exam_of((Role.ANSWER, solution), (Role.TEST, "assert x == 1\nassert f() == 1"))
    result = graded(exam, cell0=f"from decimal import Decimal\n{answer}")[0]
    assert (result.outcome, result.undecided) == (Outcome.FAILED, True)


def examined(solution, answer, test):
    exam = exam_of((Role.READ_ONLY, IMPORTS), (Role.ANSWER, solution), (Role.TEST, test))
    exam = dataclasses.replace(exam, cells=(*exam.cells[:2], dataclasses.replace(exam.cells[2], released="")))
    return graded(exam, cell1=answer)[0]


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        ("x = [1.0, 3.0]", "assert x.max() == 3"),
        ("x = (1.0, 3.0)", "assert x.shape == (2,)"),
        ("x = pd.Series([1.0, 3.0])", "assert x.flatten().sum() == 4"),
        ("x = np.matrix([1.0, 3.0])", "assert x.iloc[0]"),
        ("x = {0: 1.0, 1: 3.0}", "assert x.loc[1] == 3"),
    ],
)
def test_a_method_of_another_kind_of_array_is_asked_of_a_person(answer, test):
    result = examined("x = np.array([1.0, 3.0])", answer, f"check.close(3.0, 3.0)\n{test}")
    assert (result.outcome, result.undecided) == (Outcome.FAILED, True)
    assert [check.fraction for check in result.checks] == [1.0]
    assert "which other arrays have" in result.detail


@pytest.mark.parametrize("answer", ["x = None", "x = []", "x = 3", "x = 'ab'", "x = {}", "x = lambda: 3"])
def test_a_method_of_a_value_that_holds_no_numbers_is_a_wrong_answer(answer):
    result = examined("x = np.array([1.0, 3.0])", answer, "assert x.max() == 3")
    assert (result.outcome, result.undecided) == (Outcome.FAILED, False)


def test_a_misspelt_method_is_not_one_of_another_kind():
    result = examined("x = np.array([1.0])", "x = [1.0]", "x.maximun()")
    assert not result.undecided


def test_a_method_that_the_students_own_code_lacks_is_the_students():
    result = examined("def f(x): return x.max()", "def f(x): return [1.0].max()", "assert f(np.ones(2)) == 1")
    assert (result.outcome, result.undecided) == (Outcome.FAILED, False)


TIMED = "import time\nbegan = time.time()\n{}\nelapsed = time.time() - began\n"


@pytest.mark.parametrize(
    ("test", "undecided"),
    [
        (TIMED.format("f(1)") + "assert elapsed < 0", True),
        (TIMED.format("f(1)") + "is_quick = elapsed < 0\nassert is_quick, 'too slow'", True),
        ("from time import perf_counter\na = perf_counter()\nf(1)\nassert perf_counter() - a < 0", True),
        ("import timeit\nassert timeit.timeit(lambda: f(1), number=1) < 0", True),
        (TIMED.format("f(1)") + "assert f(1) == 3", False),
        (TIMED.format("f(1)") + "assert f(1) == 3\nassert elapsed < 0", False),
        (TIMED.format("assert f(1) == 3"), False),
    ],
)
def test_a_time_that_a_test_measured_costs_no_points(test: str, undecided: bool) -> None:
    """The way to the test and back, and others on the machine, are in such a time."""
    result = outcome("def f(x): return 2 * x", test)
    assert (result.outcome, result.undecided) == (Outcome.FAILED, undecided)
    assert ("these calls are slow, so a person will look at it" in result.message) is undecided


@pytest.mark.integration
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("torch.ones(2)", Outcome.PASSED),
        ("torch.ones(2).double()", None),
        ("torch.zeros(2)", Outcome.FAILED),
        ("torch.ones(3)", Outcome.FAILED),
        ("None", Outcome.FAILED),
    ],
)
@pytest.mark.parametrize("test", ["assert torch.allclose(f(), torch.ones(2))", "assert f() @ torch.ones(2) == 2"])
def test_tensors_of_two_types_that_pytorch_does_not_compare_wait_for_a_person(answer, expected, test):
    pytest.importorskip("torch")
    solution, own = ("def f(): return torch.ones(2)", f"def f(): return {answer}")
    exam = exam_of((Role.READ_ONLY, "import torch"), (Role.ANSWER, solution), (Role.TEST, test))
    result = graded(exam, cell1=own)[0]
    assert (result.outcome, result.undecided) == (expected or Outcome.FAILED, expected is None)
    assert ("check.close takes any" in result.detail) == (expected is None)
