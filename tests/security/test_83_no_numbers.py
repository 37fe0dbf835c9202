"""Acceptance test 83: NaN, NaT or infinity where the solution's numbers are finite, in tests that ask for a large error.

Each is for a person, and gives no points until then. Who computes the numbers has the points.
"""

from __future__ import annotations

import importlib.util

import pytest
from questions import START, Class, Question, Sheet, graded_class

pytestmark = pytest.mark.sandbox

HAS_TORCH = importlib.util.find_spec("torch") is not None
ROWS = "def f(X): return X.sum(1)"
NO_ROWS = "def f(X): return np.full(len(X), np.nan)"
X = "X = np.random.default_rng(4).normal(size=(20, 3))\nerror = ((f(X) - X.sum(1)) ** 2)\n"
FRAME, NO_FRAME = "def g(d): return d.assign(b=d.a * 2)", "def g(d): return d.assign(b=np.nan)"
D = "d = pd.DataFrame({'a': [1.0, 2.0, 3.0]})\n"
RELU, NO_RELU = "def h(x): return torch.relu(x)", "def h(x): return x * float('nan')"
T = "x = torch.tensor([-1.0, 2.0])\n"
MODULE = "class N(nn.Module):\n    def forward(s, x): return torch.relu(x)"
NUMBERS = {
    "any": Question(NO_ROWS, ROWS, f"{X}assert not (error > 1e-6).any()"),
    "raised": Question("def f(x): return np.nan", "def f(x): return x * 3.0", "if abs(f(2.5) - 7.5) > 1e-6: raise AssertionError"),
    "worst": Question(NO_ROWS, ROWS, f"{X}worst = 0.0\nfor e in error: worst = max(worst, e)\nassert worst < 1e-6"),
    "score": Question(NO_ROWS, ROWS, f"{X}max(0, min(1, 1 - error.mean()))"),
    "least": Question(NO_ROWS, ROWS, f"{X}min(1, 1 - error.mean())"),
    "ignored": Question(NO_ROWS, ROWS, f"{X}assert np.nansum(error) < 1e-6"),
    "sorted": Question("def f(v): return np.full(len(v), np.nan)", "def f(v): return np.sort(v)", "r = f(np.array([3.0, 1, 2]))\nassert not (np.diff(r) < 0).any()"),
    "norm": Question("def f(v): return v * np.nan", "def f(v): return v / np.linalg.norm(v)", "if abs(np.linalg.norm(f(np.array([3.0, 4.0]))) - 1) > 1e-9: raise AssertionError"),
    "losses": Question("def train(): return [float('nan')] * 3", "def train(): return [1.0, 0.5, 0.1]", "l = train()\nassert not l[-1] >= l[0]"),
    "dict": Question("def f(v): return {'mean': float('nan')}", "def f(v): return {'mean': sum(v) / len(v)}", "for k, e in {'mean': 2.0}.items():\n    if abs(f([1, 2, 3])[k] - e) > 1e-9: raise AssertionError(k)"),
    "frame": Question(NO_FRAME, FRAME, f"{D}assert not (g(d).b - d.a * 2).abs().max() > 1e-9"),
    "frame-sum": Question(NO_FRAME, FRAME, f"{D}assert (g(d).b - d.a * 2).abs().sum() < 1e-9"),
    "days": Question("def f(): return pd.NaT", "def f(): return pd.Timestamp('2020-01-02')", "late = f() - pd.Timestamp('2020-01-02')\nassert not late > pd.Timedelta('1h') and not -late > pd.Timedelta('1h')"),
    "infinite": Question("def f(x): return float('inf')", "def f(x): return x * 3.0", "a = f(2.5)\nassert abs(a - 7.5) <= 0.01 * abs(a)"),
    "name": Question("loss = float('nan')", "loss = 0.25", "assert not loss > 0.5"),
}  # fmt: skip
TENSORS = {
    "tensor": Question(NO_RELU, RELU, f"{T}assert not ((h(x) - x.clamp(min=0)).abs() > 1e-6).any()"),
    "tensor-loop": Question(NO_RELU, RELU, f"{T}for a, b in zip(h(x).tolist(), [0.0, 2.0]):\n    if abs(a - b) > 1e-6: raise AssertionError"),
    "module": Question(MODULE.replace("torch.relu(x)", "x * float('nan')"), MODULE, f"{T}assert not (N()(x) - torch.relu(x)).abs().max() > 1e-6"),
    "gradient": Question("def step(w): w.grad = w * float('nan')", "def step(w): w.grad = 2 * w.detach()", "w = torch.ones(2, requires_grad=True)\nstep(w)\nassert not (w.grad - 2).abs().max() > 1e-6"),
}  # fmt: skip
HONEST = {
    "padding": Question("def f(v, n): return [*v, *[float('nan')] * (n - len(v))]", "def f(v, n): return [*v, *[0.0] * (n - len(v))]", "assert f([1.0, 2.0], 4)[:2] == [1.0, 2.0]", earned=1.0),
    "mask": Question("def f(s): return np.where(np.tri(3) > 0, s, -np.inf)", "def f(s): return np.where(np.tri(3) > 0, s, -1e9)", "e = np.exp(f(np.ones((3, 3))))\nassert np.allclose((e / e.sum(1, keepdims=True))[1], [0.5, 0.5, 0])", earned=1.0),
    "as-the-solution": Question("def f(v): return pd.Series(v).diff()", "def f(v): return pd.Series(v) - pd.Series(v).shift()", "r = f([1.0, 3.0])\nassert np.isnan(r[0]) and r[1] == 2.0", earned=1.0),
    "beside": Question("def g(d): return d.assign(b=d.a * 2, c=np.nan)", "def g(d): return d.assign(b=d.a * 2)", f"{D}assert (g(d).b == d.a * 2).all()", earned=1.0),
}  # fmt: skip


def named(questions: dict[str, Question], prefix: str) -> dict[str, Question]:
    return {f"83-{prefix}{name}": question for name, question in questions.items()}


ALL = named(NUMBERS, "") | named(HONEST, "control-")
ALL |= named(TENSORS, "") if HAS_TORCH else {}
LIBRARIES = f"{START}\nimport pandas as pd" + ("\nimport torch\nimport torch.nn as nn" if HAS_TORCH else "")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return graded_class(tmp_path_factory.mktemp("no-numbers") / "course", Sheet(ALL, LIBRARIES), memory=3000)


@pytest.mark.parametrize("name", ALL)
def test_83_what_is_no_number_earns_nothing_where_it_decides(graded: Class, name: str) -> None:
    assert graded.points("eve")[f"test-{name}"] == ALL[name].earned


def test_83_a_person_decides_about_it(graded: Class) -> None:
    waiting = {q.id for q in graded.notebook("eve").questions if q.needs_manual_grade}
    assert waiting == {f"test-{name}" for name, question in ALL.items() if not question.earned}


@pytest.mark.parametrize("name", ALL)
def test_83_control_who_computes_it_has_the_points(graded: Class, name: str) -> None:
    assert graded.points("ada")[f"test-{name}"] == 1.0


def test_83_control_in_one_process_it_has_them_too(graded: Class) -> None:
    assert graded.unguarded.passed == {f"test-{name}" for name in ALL}
