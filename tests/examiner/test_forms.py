"""An answer arrives in the form of the solution's: a tensor as an array, and empty only where the solution's was."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers.examination import graded, observed
from helpers.exams import exam_of

from autograder.examiner.empty_answer import EmptyAnswer
from autograder.examiner.forms import Arrival, Form, SolutionForms, form_of, forms_in
from autograder.examiner.permissions import Permissions
from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.observations import Act, Fact, Observations

START = (
    "import math\nimport random\nimport numpy as np\nimport pandas as pd\nimport pytest\nfrom autograder import check"
)


def exam(solution, test):
    return exam_of((Role.READ_ONLY, START), (Role.ANSWER, solution), (Role.TEST, test))


def result(solution, answer, test):
    return graded(exam(solution, test), cell1=answer)[0]


SQUARE = "def f(x): return x * x"
SQUARES = "def f(x): return np.asarray(x) ** 2"
NUMBERS = "def f(x): return [v * v for v in x]"
NONE = "def f(x): return np.empty(0)"
NONE_IN_ROWS = "def f(x): return np.empty((0, 3))"
NO_TENSOR = "import torch\ndef f(x): return torch.empty(0)"
NO_COLUMN = "import torch\ndef f(x): return torch.empty(len(x), 0)"

VACUOUS = {
    "asserted": (SQUARE, NONE, "np.testing.assert_allclose(f(3), 9)"),
    "equal": (SQUARE, NONE, "np.testing.assert_equal(f(3), 9)"),
    "almost equal": (SQUARE, NONE, "np.testing.assert_almost_equal(f(3), 9)"),
    "close": (SQUARES, NONE_IN_ROWS, "assert np.allclose(f([1, 2, 3]), [1, 4, 9])"),
    "close on the other side": (SQUARES, NONE_IN_ROWS, "assert np.allclose([1, 4, 9], f([1, 2, 3]))"),
    "all close": (SQUARES, NONE_IN_ROWS, "assert np.isclose(f([1, 2, 3]), [1, 4, 9]).all()"),
    "approximately": (SQUARE, NONE, "assert f(3) == pytest.approx(9)"),
    "approximately, on the other side": (SQUARE, NONE, "assert pytest.approx(9) == f(3)"),
    "by name": (SQUARE, NONE, "assert np.allclose(a=f(3), b=9)"),
    "all equal": (SQUARES, NONE, "assert (f([3]) == 9).all()"),
    "a norm": (SQUARES, NONE, "assert np.linalg.norm(f([3]) - 9) < 1e-6"),
    "a norm on the other side": (SQUARES, NONE, "assert np.linalg.norm(9 - f([3])) < 1e-6"),
    "all of Python's": (SQUARES, NONE, "assert all(v == 9 for v in f([3]))"),
    "a sum of errors": (SQUARES, NONE, "assert np.sum((f([3]) - 9) ** 2) < 1e-9"),
    "an array less a value": (SQUARES, NONE, "assert np.abs(np.array([9.0]) - f([3])).sum() < 1e-9"),
    "in a tuple": ("def f(x): return x * np.ones(2), 1", "def f(x): return np.empty(0), 1", "a, b = f(3)\nassert np.allclose(a, 3)"),
    "in a dictionary": (
        "def f(x): return {'w': x * np.ones(2)}", "def f(x): return {'w': np.empty(0)}", "assert np.allclose(f(3)['w'], 3)"
    ),
    "in a list": ("def f(x): return [np.ones(2)]", "def f(x): return [np.empty(0)]", "assert all(np.allclose(a, 1) for a in f(3))"),
    "a list for a number": (SQUARE, "def f(x): return []", "assert np.allclose(f(3), 9)"),
    "an attribute": (
        "class M:\n    def fit(self): self.w = np.ones(2)\n        ", "class M:\n    def fit(self): self.w = np.empty(0)",
        "m = M()\nm.fit()\nassert np.allclose(m.w, 1)",
    ),
    "a name": ("w = np.ones(2)", "w = np.empty(0)", "assert np.allclose(w, 1)"),
    "a table": (
        "def f(): return pd.DataFrame({'a': [1, 1]})", "def f(): return pd.DataFrame({'a': []})", "assert (f()['a'] == 1).all()"
    ),
    "where only an empty input gives nothing": (
        SQUARES, NONE, "for x in ([], [3.0]): np.testing.assert_allclose(f(x), 9.0 if x else np.empty(0))"
    ),
    "an error that the test catches": (
        SQUARES, NONE, "assert not np.array_equal(f([3]), [4])\ntry: assert np.allclose(f([3]), 9)\nexcept Exception: pass"
    ),
    "passed to the test": (
        "def f(tell): tell(np.ones(2))", "def f(tell): tell(np.empty(0))", "told = []\nf(told.append)\nassert np.allclose(told[0], 1)"
    ),
    "text": ("def f(x): return 'abc'", "def f(x): return np.empty(0)", "assert all(c in 'abc' for c in f(1))"),
    "a list that is emptied": (
        "def f(a): a.sort()", "def f(a): a.clear()", "a = [2, 1]\nf(a)\nassert all(x <= y for x, y in zip(a, a[1:]))"
    ),
    "a list in a list that is emptied": (
        "def f(a): a[0].sort()", "def f(a): a[0].clear()", "a = [[2, 1]]\nf(a)\nassert all(x <= y for x, y in zip(a[0], a[0][1:]))"
    ),
    "a tensor that wraps": (
        "def area(a, b): return a * b", "import torch\ndef area(a, b): return torch.tensor(65536 + 91, dtype=torch.int32)",
        "assert (area(13, 7) - 91) ** 2 < 1e-6",
    ),
    "an empty tensor, close": (SQUARE, NO_TENSOR, "assert np.allclose(f(3), 9)"),
    "an empty tensor, approximately": (SQUARE, NO_TENSOR, "assert f(3) == pytest.approx(9)"),
    "an empty tensor, equal": (SQUARE, NO_TENSOR, "np.testing.assert_array_equal(f(3), 9)"),
    "an empty tensor, isclose": (SQUARE, NO_TENSOR, "assert np.all(np.isclose(f(3), 9))"),
    "an empty column": ("def f(x): return np.array(x)[:, None] ** 2", NO_COLUMN, "assert np.allclose(f([1, 2]), [[1], [4]])"),
}  # fmt: skip


@pytest.mark.parametrize("name", VACUOUS)
def test_an_empty_answer_where_the_solution_has_items_gives_nothing(name):
    solution, answer, test = VACUOUS[name]
    if "torch" in answer:
        pytest.importorskip("torch")
    wrong = result(solution, answer, test)
    assert (wrong.fraction, wrong.outcome) == (0, Outcome.FAILED)
    assert result(solution, solution, test).fraction == 1


def test_the_student_reads_that_the_answer_is_empty():
    wrong = result(SQUARE, NONE, "assert np.allclose(f(3), 9)")
    assert (wrong.message, wrong.undecided) == ("Your answer is empty.", False)


CASES = (
    "from autograder.check.cases import case\n"
    "with case('a'): assert np.allclose(f(3), 9)\n"
    "with case('b'): assert np.allclose(g(3), 9)"
)


def test_an_empty_answer_fails_its_own_case_alone():
    both = f"{SQUARE}\ndef g(x): return 9"
    partly = result(both, f"{NONE}\ndef g(x): return 9", CASES)
    assert (partly.fraction, partly.outcome, partly.undecided) == (0.5, Outcome.PARTIAL, False)
    assert result(both, f"{NONE}\ndef g(x): return np.empty(0)", CASES).fraction == 0


def test_an_empty_answer_that_a_case_catches_fails_the_question():
    caught = CASES.replace("with case('a'): assert", "with case('a'):\n    try: assert").replace(
        "9)\nwith", "9)\n    except Exception: pass\nwith", 1
    )
    both = f"{SQUARE}\ndef g(x): return 9"
    assert result(both, f"{NONE}\ndef g(x): return 9", caught).fraction == 0
    assert result(both, both, caught).fraction == 1


PYTORCH = "import torch\nimport torch.nn.functional as F\n"
OF_PYTORCH = {
    "a loss": ("def f(p, y): return ((p - y) ** 2).mean()", "p, y = torch.ones(3), torch.zeros(3)\nassert torch.allclose(f(p, y), F.mse_loss(p, y))"),
    "a forward pass": ("def f(x): return x @ torch.ones(2, 1)", "x = torch.ones(3, 2)\nassert torch.allclose(f(x), x.sum(1, keepdim=True))"),
    "isclose": ("def f(x): return x + 1", "assert torch.isclose(f(torch.ones(2)), torch.tensor(2.0)).all()"),
    "a norm": ("def f(x): return x + 1", "assert torch.linalg.norm(f(torch.ones(2)) - torch.tensor([2.0, 2.0])) < 1e-6"),
    "absolute differences": ("def f(x): return F.relu(x)", "assert torch.all((f(torch.ones(2)) - 1).abs() < 1e-6)"),
    "NumPy's": ("def f(x): return F.relu(x)", "assert np.allclose(f(torch.ones(2)), 1)"),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_PYTORCH)
def test_an_empty_tensor_is_close_to_no_tensor(name):
    pytest.importorskip("torch")
    solution, test = OF_PYTORCH[name]
    wrong = result(PYTORCH + solution, f"{PYTORCH}def f(*a): return torch.empty(0)", PYTORCH + test)
    assert (wrong.fraction, wrong.message, wrong.undecided) == (0, "Your answer is empty.", False)
    assert result(PYTORCH + solution, PYTORCH + solution, PYTORCH + test).fraction == 1


FOR_A_PERSON = {
    "a list, item by item": (NUMBERS, "def f(x): return []", "for a, b in zip(f([1, 2]), [1, 4]): assert a == b"),
    "one of several right answers": (
        "def zero(v): return [1, -1]", "def zero(v): return []", "s = zero([1, -1, 5])\nassert sum(s) == 0 and set(s) <= {1, -1, 5}"
    ),
    "a text": ("def f(n): return 'a' * n", "def f(n): return ''", "assert f(2) in 'aaaa'"),
    "a dictionary": ("def f(x): return {1: 1}", "def f(x): return {}", "assert all(v == 1 for v in f(1).values())"),
    "a generator": (NUMBERS, "def f(x):\n    yield from ()", "for a, b in zip(f([1, 2]), [1, 4]): assert a == b"),
    "an object without items": (
        NUMBERS, "class E:\n    def __iter__(self): return iter(())\ndef f(x): return E()",
        "for a, b in zip(f([1, 2]), [1, 4]): assert a == b",
    ),
    "a generator of the solution's": (
        "def f(x):\n    yield from (v * v for v in x)", "def f(x):\n    yield from ()",
        "for a, b in zip(f([1, 2]), [1, 4]): assert a == b",
    ),
    "another input than the solution was asked": (
        SQUARES, NONE, "import secrets\nx = np.array([secrets.randbelow(1000) + 1.0])\nassert np.allclose(f(x), x[0] ** 2)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOR_A_PERSON)
def test_a_person_decides_about_an_empty_answer_that_may_be_right(name):
    found = result(*FOR_A_PERSON[name])
    assert (found.fraction, found.undecided) == (0, True)


def test_without_a_record_a_person_decides():
    unseen = exam(SQUARE, "assert np.allclose(f(3), 9)")
    for facts in ((), (Fact(Act.ARRIVES, "cell2:1:5 f", "copy"), Fact(Act.RETURNS, "cell2:1:5", "int"))):
        old = graded(exam_with(unseen, facts), cell1=NONE)[0]
        assert (old.fraction, old.undecided) == (0, True)


def exam_with(unseen, facts):
    return dataclasses.replace(unseen, observations=Observations.of(facts))


def test_an_argument_that_is_emptied_is_for_a_person_without_a_record():
    test = "a = [2, 1]\nf(a)\nassert all(x <= y for x, y in zip(a, a[1:]))"
    old = exam_with(exam("def f(a): a.sort()", test), [Fact(Act.CHANGES, "cell2:2:2 f", "0")])
    assert graded(old, cell1="def f(a): a.clear()")[0].undecided
    assert graded(old, cell1="def f(a): a.sort()")[0].fraction == 1


TORCH_SQUARES = "import torch\ndef f(x): return torch.as_tensor(x) ** 2"
HONEST = {
    "empty for an empty input": (SQUARES, "def f(x): return np.array([v * v for v in x])", "for x in ([], [3.0]): np.testing.assert_allclose(f(x), np.array(x) ** 2)"),
    "another kind of nothing": (SQUARES, "def f(x): return [v * v for v in x]", "assert len(f([])) == 0 and list(f([])) == []"),
    "an empty list that equals one of the right ones": ("def way(a, b): return [a]", "def way(a, b): return []", "assert way('A', 'A') in ([], ['A'])"),
    "an empty set that equals one": ("def f(): return {1}", "def f(): return set()", "assert f() == set() or f() == {1}"),
    "what the test does not use": ("def fit(): return np.ones(2), [1.0]", "def fit(): return np.ones(2), []", "w, losses = fit()\nassert np.allclose(w, 1) and isinstance(losses, list)"),
    "a statement's value": ("def show(x): return np.ones(3)", "def show(x): return np.empty(0)", "show(1)\nassert callable(show)"),
    "nothing and None": ("def fit(a): a.append(1)", "def fit(a):\n    a.append(1)\n    return []", "a = []\nassert not fit(a)\nassert a == [1]"),
    "what is passed on": (
        "def code(s): return [c for c in s]\ndef decode(x): return ''.join(x)",
        "kept = {}\ndef code(s):\n    kept[0] = s\n    return []\ndef decode(x): return kept[0] if x == [] else ''",
        "assert decode(code('ab')) == 'ab'",
    ),
    "an object of the solution's class": (
        "class Stack:\n    def __init__(self): self.a = []\ndef new(): return Stack()\ndef push(s, v): s.a.append(v)\ndef top(s): return s.a[-1]",
        "def new(): return []\ndef push(s, v): s.append(v)\ndef top(s): return s[-1]",
        "s = new()\npush(s, 3)\nassert top(s) == 3",
    ),
    "a queue that a call uses up": (
        "def first(q): return q.pop()", "def first(q):\n    v = q.pop()\n    q.clear()\n    return v", "q = [1, 2]\nassert first(q) == 2"
    ),
    "a list that is to be emptied": ("def f(a): a.clear()", "def f(a): del a[:]", "a = [1]\nf(a)\nassert a == []"),
    "a log that begins empty": (
        "log = ['begin']\ndef f(): log.append(1)", "log = []\ndef f(): log.append(1)", "f()\nassert log[-1] == 1"
    ),
    "rows that a filter leaves": (
        "def f(t): return t[t.a > 1]", "def f(t): return t.loc[t['a'] > 1].copy()",
        "assert len(f(pd.DataFrame({'a': [1]}))) == 0 and len(f(pd.DataFrame({'a': [2]}))) == 1",
    ),
    "a generator for an empty list": (NUMBERS, "def f(x):\n    for v in x: yield v * v", "for x in ([], [2]): assert list(f(x)) == [v * v for v in x]"),
    "a missing item of a dictionary": ("def f(k): return {'a': [1], 'b': []}[k]", "def f(k): return [1] if k == 'a' else []", "for k in 'ab': assert f(k) == ([1] if k == 'a' else [])"),
    "a number and an array without dimensions": ("def f(x): return 2.5 * x", "def f(x): return np.array(2.5 * x)", "assert f(2) == 5 and math.isclose(f(2), 5) and np.allclose(f(2), 5)"),
    "a column and an array": ("def f(x): return np.array([1.0, 2.0])", "def f(x): return pd.Series([1.0, 2.0])", "assert np.allclose(f(1), [1, 2]) and f(1).sum() == 3"),
    "a list for an array": (SQUARES, NUMBERS, "assert np.allclose(f([1, 2]), [1, 4])"),
    "float32 and float64": (SQUARES, "def f(x): return np.asarray(x, 'f4') ** 2", "assert np.allclose(f([1, 2]), [1, 4])"),
    "a check of something empty": (SQUARES, NUMBERS, "check.close(f([]), [])\ncheck.close(f([2]), [4])"),
    "an input by chance that leaves nothing": (
        "def f(x): return [v for v in x if v > 2]", "def f(x): return list(filter(lambda v: v > 2, x))",
        "x = [1, 2]\nassert f(x) == [] and f([3]) == [3]",
    ),
    "a tensor for an array": (SQUARES, TORCH_SQUARES, "assert np.allclose(f([1.0, 2.0]), [1, 4]) and f([1.0, 2.0]).mean() == 2.5 and f([1.0]).shape == (1,)"),
    "a tensor with a gradient": (SQUARES, "import torch\ndef f(x): return torch.tensor(x, requires_grad=True) ** 2", "np.testing.assert_allclose(f([1.0, 2.0]), [1, 4])"),
    "a tensor for a number": (SQUARE, "import torch\ndef f(x): return torch.tensor(float(x)) ** 2", "assert f(3) == 9 and round(f(3), 2) == 9 and math.isclose(f(3), 9) and f'{f(3):.1f}' == '9.0'"),
    "a tensor that the test turns into one": (SQUARES, TORCH_SQUARES, "import torch\nassert torch.allclose(torch.as_tensor(f([1.0, 2.0])).float(), torch.tensor([1.0, 4.0]))"),
    "a tensor for a list of tensors": ("import torch\ndef f(x): return [torch.ones(2), torch.ones(2)]", "import torch\ndef f(x): return torch.ones(2, 2)", "import torch\nassert all(torch.allclose(t, torch.ones(2)) for t in f(1))"),
    "tensors in a tuple and a dictionary": (
        "def f(x): return (np.ones(2), {'b': 1.0})", "import torch\ndef f(x): return (torch.ones(2), {'b': torch.tensor(1.0)})",
        "w, d = f(1)\nassert np.array_equal(w, np.ones(2)) and np.isscalar(d['b']) and d['b'] == 1",
    ),
    "a tensor as attribute": (
        "class M:\n    def __init__(self): self.w = np.ones(2)", "import torch\nclass M:\n    def __init__(self): self.w = torch.ones(2)",
        "assert np.allclose(M().w, 1) and M().w.dtype.kind == 'f'",
    ),
    "a tensor under a name": ("w = np.ones(2)", "import torch\nw = torch.ones(2, requires_grad=True)", "assert (w == 1).all() and w.sum() == 2"),
    "a small tensor": ("def f(): return 7", "import torch\ndef f(): return torch.tensor(7, dtype=torch.uint8)", "assert f() * 100 == 700"),
    "a tensor where the solution has tensors": ("import torch\ndef f(x): return x.relu()", "import torch\ndef f(x): return torch.clamp(x, min=0)", "import torch\nassert f(torch.ones(2)).numpy().sum() == 2 and torch.equal(f(torch.ones(2)), torch.ones(2))"),
    "an empty tensor where the solution's is": ("import torch\ndef f(x): return x[x > 0]", "import torch\ndef f(x): return torch.masked_select(x, x > 0)", "import torch\nassert f(torch.zeros(2)).numel() == 0 and f(torch.ones(2)).numel() == 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_answer_in_another_form_keeps_its_points(name):
    if "torch" in "".join(HONEST[name]):
        pytest.importorskip("torch")
    found = result(*HONEST[name])
    assert found.fraction == 1, (found.message, found.detail)


@pytest.mark.keras
@pytest.mark.parametrize(
    "answer",
    [
        "import tensorflow as tf\ndef f(x): return tf.constant(x) ** 2",
        "import jax\ndef f(x): return jax.numpy.asarray(x) ** 2",
    ],
)
def test_tensors_of_each_library_arrive_as_arrays_of_the_same_numbers(answer):
    library = answer.split()[1]
    pytest.importorskip(library)
    test = (
        "got = f([1.0, 3.0])\nassert isinstance(got, np.ndarray) and got.dtype.itemsize >= 4 and got.max() == 9\n"
        "assert f([3]).dtype == np.int64 and (f([3]) * 10 ** 9).sum() == 9 * 10 ** 9"
    )
    found = result(SQUARES, answer, test)
    assert found.fraction == 1, found.detail
    empty = answer.replace(" ** 2", "[:0]")
    wrong = result(SQUARES, empty, "assert (f([3.0]) == 9).all()")
    assert (wrong.fraction, wrong.message) == (0, "Your answer is empty.")


def test_a_tensor_that_a_test_wants_as_such_is_for_a_person():
    pytest.importorskip("torch")
    test = "x = f([1.0])\nassert isinstance(x, np.ndarray) and x.sum() == 1 or x.detach().sum() == 2"
    found = result(SQUARES, "import torch\ndef f(x): return torch.tensor([2.0])", test)
    assert (found.fraction, found.undecided) == (0, True)
    line = "# examine: answers give tensor\n"
    assert result(SQUARES, "import torch\ndef f(x): return torch.tensor([2.0])", line + test).fraction == 1


def test_a_line_allows_something_empty():
    test = "s = zero([1, -1])  # examine: answers give empty\nassert sum(s) == 0"
    assert result("def zero(v): return v", "def zero(v): return []", test).fraction == 1


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (3, Form("number", 1)), (np.float32(3), Form("number", 1)), (None, Form("nothing", 1)), (False, Form("nothing", 1)),
        ("", Form("text", 0)), ([], Form("items", 0)), ({1: 2}, Form("items", 1)), (range(0), Form("items", 0)),
        (np.zeros((2, 0)), Form("array", 0)), (np.zeros(()), Form("array", 1)), (np.ones(3), Form("array", 3)),
    ],
)  # fmt: skip
def test_a_value_has_a_family_and_a_size(value, form):
    assert form_of(value) == form


def test_forms_have_paths():
    value = ({"a": np.ones(2)}, [np.ones(1), []], 3)
    assert [path for path, _ in forms_in(value)] == ["", "/*", "/0", "/0/'a'", "/1", "/1/*", "/1/*"]


def test_a_tuple_of_the_students_may_be_a_list_of_the_solutions():
    forms = SolutionForms(holds={" items", "/* array"}, questions={"q.s"})
    arrival = Arrival(Permissions(Observations()), forms, frozenset(), lambda: "q")
    formed = arrival.convert((np.ones(2), np.empty(0)))
    assert [type(item) for item in formed] == [np.ndarray, EmptyAnswer]


DRAWN = (
    "import secrets\n"
    "for axis in (0, None):\n"
    "    out = f([[secrets.randbelow(9)], [secrets.randbelow(9)]], axis)\n"
    "    shape = out.shape\n"
    "    assert shape == ((1,) if axis == 0 else ())\n"
    "    for size in shape: assert size == 1\n"
    "    assert len(shape) == (axis == 0)"
)


def test_where_a_test_draws_its_questions_their_turn_tells_what_may_be_empty():
    """``shape`` of a sum over all axes is ``()``; at no turn is another empty one than the solution's."""
    solution = "class Sum:\n    def __init__(self, x): self.shape = np.shape(x)\ndef f(x, axis): return Sum(np.sum(x, axis=axis))"
    seen = observed(exam(solution, DRAWN)) | observed(exam(solution, DRAWN))
    hand_ins = {
        solution: 1,
        solution.replace("np.shape(x)", "tuple(np.shape(x))"): 1,
        solution.replace("np.shape(x)", "()"): 0,
    }
    for answer, points in hand_ins.items():
        (one,) = graded(dataclasses.replace(exam(solution, DRAWN), observations=seen), cell1=answer)
        assert (one.fraction, one.undecided) == (points, False)


def test_a_turn_tells_nothing_where_a_test_draws_nothing():
    """An answer that makes the question unknown by another answer gets no empty one through."""
    solution = "def make(): return ['1', 'a', 'b']\ndef letters(w): return [v for v in w if v in 'ab']"
    test = "words = make()\nassert all(v in 'ab' for w in words for v in letters(w))"
    seen = observed(exam(solution, test)) | observed(exam(solution, test))
    empty = "def make(): return ['zz']\ndef letters(w): return []"
    for answer, points in ((solution, 1), (empty, 0)):
        (one,) = graded(dataclasses.replace(exam(solution, test), observations=seen), cell1=answer)
        assert one.fraction == points


def test_questions_that_two_runs_did_not_both_ask_are_forgotten():
    first, second = (
        observed(exam(SQUARES, "import secrets\nassert f([3]).size == 1\nassert f([secrets.token_bytes(9)[0]]).size"))
        for _ in range(2)
    )
    both = first | second
    asked = {run: {f.subject for f in run.facts if f.act is Act.ASKS} for run in (first, both)}
    assert asked[first] == {"cell2:2:3 f", "cell2:3:8 f"}
    assert asked[both] == {"cell2:2:3 f"}
