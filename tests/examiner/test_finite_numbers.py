"""NaN and infinity where the solution's numbers are finite: full points need that they do not decide."""

from __future__ import annotations

import copy
import math
from array import array
from collections import ChainMap, deque
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from scipy import sparse

from autograder.examiner.finite_numbers import SCALES, FiniteNumbers
from autograder.records.exam import Role
from autograder.records.waits import Waits

NAN, INF = math.nan, math.inf
HELD: dict[str, Any] = {
    "number": NAN,
    "of numpy": np.float64(NAN),
    "of half size": np.float16(NAN),
    "complex": complex(1, NAN),
    "decimal": Decimal("NaN"),
    "infinity": -INF,
    "array": np.array([1.0, NAN]),
    "of infinity": np.array([1, INF], np.float16),
    "matrix": np.array([[NAN, -INF]]),
    "objects": np.array([1, NAN, "a"], object),
    "fields": np.array([(1, NAN)], [("a", int), ("b", float)]),
    "masked": np.ma.masked_array([1.0, NAN, NAN], [False, False, True]),
    "both": np.ma.masked_array([INF, NAN], [False, True]),
    "days": np.array(["NaT", "2020-01-01"], "M8[D]"),
    "spans": np.array(["NaT"], "m8[s]"),
    "list": [1.0, NAN],
    "list of both": [1, NAN, None],
    "deep": {"a": [(1, {"b": deque([NAN])})]},
    "set": {NAN, 1.0},
    "column": pd.Series([1.0, NAN], name="a", index=["x", "y"]),
    "index": pd.Index([1.0, NAN]),
    "table": pd.DataFrame({"a": ["x", "y"], "b": [1.0, NAN]}),
    "two of a name": pd.DataFrame([[1.0, NAN], [2.0, 3.0]], columns=["a", "a"]),
    "column of days": pd.Series(pd.to_datetime(["2020-01-01", None])),
    "no day": pd.NaT,
    "key": {NAN: 1, "b": 2},
    "chain": ChainMap({"a": 1.0}, {"b": NAN}),
    "array of Python's": array("d", [1.0, NAN]),
    "polynomial": np.polynomial.Polynomial([1.0, NAN]),
    "old polynomial": np.poly1d([1.0, NAN, 2.0]),
    "index of a column": pd.Series([1, 2], index=[NAN, 1.0]),
    "index of a table": pd.DataFrame({"a": [1, 2]}, index=[INF, 1.0]),
    "index of two": pd.MultiIndex.from_arrays([["a", "b"], [1.0, NAN]], names=["x", "y"]),
    "categories": pd.Series([1.0, None], dtype="category"),
    "sparse": sparse.csr_array(np.array([[0.0, NAN]])),
}


def is_finite(value: Any) -> bool:
    asked: list[object] = []

    class Kinds(list[str]):
        def __contains__(self, kind: object) -> bool:
            asked.append(kind)
            return True

    FiniteNumbers().arriving(value, Kinds())
    return not asked


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("scale", SCALES)
def test_drawn_numbers_come_in_place_of_those_that_are_not_finite(name: str, scale: float) -> None:
    numbers, value = FiniteNumbers(), copy.deepcopy(HELD[name])
    assert not is_finite(value)
    with numbers.replacing(scale):
        finite = numbers.arriving(value, ())
    assert is_finite(np.ma.filled(finite, 0) if name in ("masked", "both") else finite) or name == "list of both"
    assert type(finite) is type(HELD[name]) or name == "no day"
    assert str(getattr(finite, "dtype", "")) == str(getattr(HELD[name], "dtype", ""))


@pytest.mark.parametrize("name", HELD)
def test_nothing_is_replaced_unless_it_is_asked(name: str) -> None:
    value = copy.deepcopy(HELD[name])
    assert FiniteNumbers().arriving(value, ()) is value


def test_what_is_finite_or_hidden_by_a_mask_stays() -> None:
    value = {"a": [1.0, 2], "b": np.ma.masked_array([1.0, NAN], [False, True]), "c": pd.DataFrame({"a": [1.0]})}
    numbers = FiniteNumbers()
    with numbers.replacing(30):
        arrived = numbers.arriving(value, ())
    assert arrived is value
    assert np.isnan(np.ma.getdata(arrived["b"])[1])


def test_other_numbers_stay_as_they_are() -> None:
    numbers = FiniteNumbers()
    with numbers.replacing(-30):
        table = numbers.arriving(pd.DataFrame({"a": [1, 2], "b": [NAN, 2.5]}, index=[7, 8]), ())
        array = numbers.arriving(np.array([1.5, NAN, INF, -INF]), ())
    assert table.a.tolist() == [1, 2]
    assert table.index.tolist() == [7, 8]
    assert table.b[8] == 2.5
    assert -45 <= table.b[7] <= -15
    assert array[0] == 1.5
    assert array[3] < -1e29 < 1e29 < array[2]


def question(solution: str, test: str) -> Any:
    start = "import numpy as np\nimport pandas as pd"
    return exam_of((Role.READ_ONLY, start), (Role.ANSWER, solution), (Role.TEST, test, 2.0))


def result(solution: str, test: str, answer: str) -> Any:
    (examined,) = graded(question(solution, test), cell1=answer)
    return examined


TIMES = "def f(x): return x * 3.0"
SUMS = "def f(X): return X.sum(1)"
ROWS = "X = np.arange(12.0).reshape(4, 3)\n"
ALL_NAN = "def f(x): return x * np.nan"
NAN_ROWS = "def f(X): return np.full(len(X), np.nan)"
TRICKS = {
    "an error that is raised": (TIMES, "if abs(f(2.0) - 6) > 1e-6: raise AssertionError", ALL_NAN),
    "not any": (SUMS, f"{ROWS}assert not (abs(f(X) - X.sum(1)) > 1e-6).any()", NAN_ROWS),
    "the worst": (SUMS, f"{ROWS}worst = 0.0\nfor a, b in zip(f(X), X.sum(1)): worst = max(worst, abs(a - b))\nassert worst < 1", NAN_ROWS),
    "a score": (SUMS, f"{ROWS}max(0, min(2, 2 - ((f(X) - X.sum(1)) ** 2).mean()))", NAN_ROWS),
    "a sum of pandas": (SUMS, f"{ROWS}assert pd.Series(f(X) - X.sum(1)).abs().sum() < 1e-6", NAN_ROWS),
    "an order": ("def f(): return [1.0, 0.5]", "l = f()\nassert not l[-1] >= l[0]", "def f(): return [np.nan] * 2"),
    "two calls": ("def f(x): return -x", "assert not f(2.0) >= f(1.0)", "def f(x): return np.nan"),
    "large tolerance": (TIMES, "assert not abs(f(2.0) - 6) > 1e6", ALL_NAN),
    "after a softmax": ("def f(v): return v", "v = np.array([1.0, 2.0])\np = np.exp(f(v)); p = p / p.sum()\nassert not abs(p - 1 / (1 + np.exp(v[::-1] - v))).max() > 1e-6", ALL_NAN.replace("x", "v")),
    "a name": ("loss = 0.25", "assert not loss > 0.5", "loss = float('nan')"),
    "an argument": ("def f(v): v *= 2", "v = np.array([1.0, 2.0])\nf(v)\nassert not (abs(v - [2, 4]) > 1e-6).any()", "def f(v): v *= np.nan"),
    "a table's column": ("def f(d): return d.assign(b=d.a * 2, c=np.nan)", "d = pd.DataFrame({'a': [1.0, 2.0]})\nassert (f(d).b - d.a * 2).abs().sum() < 1e-6", "def f(d): return d.assign(b=np.nan, c=np.nan)"),
    "more than the solution's": ("def f(v): return np.where(v > 0, v, np.nan)", "v = np.array([-1.0, 2.0])\nassert not abs(f(v) - v).max() > 1 and not np.nanmax(np.append(abs(f(v) - v), 0)) > 1e-9", "def f(v): return v * np.nan"),
    "an attribute": ("class M:\n    def fit(self, v): self.mean = v.mean()\nm = M()", "m.fit(np.ones(3))\nassert not abs(m.mean - 1) > 1e-6", "class M:\n    def fit(self, v): self.mean = np.nan\nm = M()"),
    "a generator": ("def f(n):\n    for k in range(n): yield k * 1.0", "for a, b in zip(f(3), range(3)):\n    if a != a: pass\n    elif abs(a - b) > 1e-6: raise AssertionError", "def f(n):\n    for k in range(n): yield np.nan"),
    "a text": ("def f(): return '0.5'", "assert not abs(float(f()) - 0.5) > 1e-6", "def f(): return 'nan'"),
    "infinity": (TIMES, "a = f(2.0)\nassert abs(a - 6) <= 0.1 * abs(a)", "def f(x): return float('inf')"),
    "shares": ("def f(v): return v", "v = np.ones(4)\np = f(v) / f(v).sum()\nassert not abs(p - 0.25).max() > 1e-6", "def f(v): return np.full(4, np.inf)"),
    "days": ("def f(): return pd.Timestamp('2020-01-02')", "late = f() - pd.Timestamp('2020-01-02')\nassert not (late > pd.Timedelta('1h') or -late > pd.Timedelta('1h'))", "def f(): return pd.NaT"),
    "a key": ("def f(): return {2.0: 'a'}", "for k in f():\n    if abs(k - 2) > 1e-6: raise AssertionError", "def f(): return {float('nan'): 'a'}"),
    "a polynomial": ("def f(): return np.polynomial.Polynomial([1.0, 2.0])", "if abs(f()(1.0) - 3) > 1e-6: raise AssertionError", "def f(): return np.polynomial.Polynomial([1.0, np.nan])"),
    "an index": ("def f(): return pd.Series([1, 2], index=[0.5, 1.0])", "if abs(f().index - [0.5, 1.0]).max() > 1e-6: raise AssertionError", "def f(): return pd.Series([1, 2], index=[np.nan, np.nan])"),
    "a callback": ("def f(g): return g(2.0)", "seen = []\nf(seen.append)\nassert not abs(seen[0] - 2) > 1e-6", "def f(g): return g(float('nan'))"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRICKS)
def test_a_test_that_nan_passes_is_for_a_person(name: str) -> None:
    solution, test, trick = TRICKS[name]
    waiting = result(solution, test, trick)
    assert (waiting.fraction, waiting.waits) == (0.0, Waits.UNDECIDED)
    assert "NaN" in waiting.detail
    assert "answers give nan" in waiting.detail
    right = result(solution, test, solution)
    assert (right.fraction, right.waits) == (1.0, None)


@pytest.mark.parametrize("name", TRICKS)
def test_a_line_allows_it(name: str) -> None:
    solution, test, trick = TRICKS[name]
    allowed = result(solution, f"# examine: answers give nan\n{test}", trick)
    assert (allowed.fraction, allowed.waits) == (1.0, None)


PAD = "r = f([1.0, 2.0], 4)\nassert list(r[:2]) == [1.0, 2.0] and len(r) == 4"
PADDED = "def f(v, n): return np.array([*v, *[0.0] * (n - len(v))])"
MASK = "def f(s): return np.where(np.tri(3) > 0, s, -1e9)"
OF_MASK = "e = np.exp(f(np.ones((3, 3))))\nassert np.allclose((e / e.sum(1, keepdims=True))[1], [0.5, 0.5, 0])"
HONEST = {
    "padding": (PADDED, PAD, "def f(v, n): return np.array([*v, *[np.nan] * (n - len(v))])"),
    "padding with infinity": (PADDED, PAD, "def f(v, n): return np.array([*v, *[np.inf] * (n - len(v))])"),
    "a list's": (PADDED, PAD, "def f(v, n): return [*v, *[float('nan')] * (n - len(v))]"),
    "a mask of infinity": (MASK, OF_MASK, "def f(s): return np.where(np.tri(3) > 0, s, -np.inf)"),
    "a column beside": ("def f(d): return d.assign(b=d.a * 2)", "d = pd.DataFrame({'a': [1.0]})\nassert (f(d).b == [2.0]).all()", "def f(d): return d.assign(b=d.a * 2, c=np.nan)"),
    "a lag": ("def f(v): return pd.Series(v).diff().fillna(0)", "assert list(f([1.0, 3.0]))[1:] == [2.0]", "def f(v): return pd.Series(v).diff()"),
    "the solution's own": ("def f(v): return pd.Series(v).diff()", "r = f([1.0, 3.0])\nassert np.isnan(r[0]) and r[1] == 2.0", "def f(v):\n    v = np.array(v)\n    return pd.Series([np.nan, *(v[1:] - v[:-1])])"),
    "missing on the way": ("def f(): return {'mean': 2.0, 'best': 0.0}", "assert f()['mean'] == 2.0", "def f(): return {'mean': 2.0, 'best': float('-inf')}"),
    "another infinity": ("def f(x): return 1e300 if x == 0 else 1 / x", "assert f(2.0) == 0.5 and f(0.0) > 1e9", "def f(x): return float('inf') if x == 0 else 1 / x"),
    "never asked": ("m, s = 2.0, 1.0", "assert m == 2.0", "m, s = 2.0, float('nan')"),
    "a diagonal": ("def f(X): return abs(X[:, None] - X)", "D = f(np.array([0.0, 1, 3]))\nnp.fill_diagonal(D, 99)\nassert list(D.argmin(1)) == [1, 0, 1]", "def f(X):\n    D = abs(X[:, None] - X)\n    np.fill_diagonal(D, np.inf)\n    return D"),
    "infinite distances": ("def f(): return [0.0, 2.0, 1e9]", "d = f()\nassert d[:2] == [0, 2] and d[2] > 1e6", "def f(): return [0.0, 2.0, float('inf')]"),
    "filled by the test": ("def f(v): return np.nan_to_num(v / v.sum())", "assert np.allclose(np.where([True, False], f(np.array([1.0, 0])), 0), [1, 0])", "def f(v): return np.array([1.0, np.nan])"),
    "no day": ("def f(): return pd.Series(pd.to_datetime(['2020-01-01', '2020-01-01']))", "assert f()[0] == pd.Timestamp('2020-01-01')", "def f(): return pd.Series(pd.to_datetime(['2020-01-01', None]))"),
    "allowed where the solution's was": ("def f(v): return np.mean(v) if len(v) else np.nan", "for v in ([1.0], []): assert f(v) == 1 or not len(v)", "def f(v): return sum(v) / len(v) if v else float('nan')"),
    "objects beside": ("def f(): return ('a', 1.0, 0.0)", "assert f()[:2] == ('a', 1.0)", "def f(): return ('a', 1.0, np.nan)"),
    "an extreme": ("def f(v): return max(v)", "assert f([-3.0, -2.0]) == -2", "def f(v):\n    best = float('-inf')\n    for x in v: best = max(best, x)\n    return best"),
    "no gradient yet": ("class M:\n    loss = 0.0\n    def step(self): self.loss = 1.0; return self.loss\nm = M()", "assert m.step() == 1.0", "class M:\n    loss = float('nan')\n    def step(self): self.loss = 1.0; return self.loss\nm = M()"),
    "clipped by the test": ("def f(p): return np.log(p + 1e-300)", "assert np.clip(f(np.array([1.0, 0.0])), -50, 0).tolist() == [0.0, -50.0]", "def f(p):\n    with np.errstate(divide='ignore'): return np.log(p)"),
    "None in the solution": ("def f(v): return [None, *v]", "assert pd.Series(f([1.0])).isna().tolist() == [True, False]", "def f(v): return np.array([np.nan, *v])"),
    "None alone": ("def f(v): return max(v) if v else None", "assert pd.isna(f([]))", "def f(v): return max(v) if v else np.nan"),
    "a nullable column": ("def f(): return pd.Series([1, None], dtype='Int64')", "assert f().isna().tolist() == [False, True]", "def f(): return pd.Series([1, np.nan])"),
    "a masked array": ("def f(): return np.ma.masked_array([1.0, 0.0], [False, True])", "assert not np.ma.filled(np.ma.fix_invalid(f()), 5)[1] < 5", "def f(): return np.array([1.0, np.nan])"),
    "partial points": (PADDED, "r = f([1.0], 3)\nsum([r[0] == 1.0, len(r) == 3])", "def f(v, n): return np.array([*v, *[np.nan] * (n - len(v))])"),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_answer_with_nan_keeps_its_points(name: str) -> None:
    solution, test, answer = HONEST[name]
    kept = result(solution, test, answer)
    assert (kept.fraction, kept.waits) == (1.0, None)


def test_points_that_do_not_depend_on_it_count() -> None:
    test = "max(0, 1 - abs(f(1.0) - 3)) + (not abs(f(2.0) - 6) > 1e-6)"
    waiting = result(TIMES, test, "def f(x): return 3.0 if x == 1 else float('nan')")
    assert (waiting.fraction, waiting.waits) == (0.5, Waits.UNDECIDED)


def test_a_test_that_takes_it_by_name_waits_unless_a_line_says_so() -> None:
    solution, answer = "def f(x): return 0.0 if x == 0 else 1 / x", "def f(x): return float('inf') if x == 0 else 1 / x"
    test = "assert f(2.0) == 0.5 and f(0.0) in (0.0, float('inf'))"
    assert result(solution, test, answer).waits is Waits.UNDECIDED
    assert result(solution, f"# examine: answers give nan\n{test}", answer).fraction == 1.0
