"""Objects of a library's class as arguments: the student's code gets one of its own, built from the same data."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import datascience_like
from helpers.examination import graded, observed
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel

from autograder.examiner.remote import library_objects
from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.observations import Act

LIBRARY = (
    Path(datascience_like.__file__).read_text()
    + '''
import threading

class Slotted:
    __slots__ = ("x", "y")
    def __init__(self, x, y):
        self.x, self.y = x, y

class Row(list):
    unit = "m"

class Locked:
    def __init__(self):
        self.lock = threading.Lock()

class Bag:
    """It has callables of its own among its attributes."""
    def __init__(self, items, extra=None):
        self.items, self.extra = list(items), extra
        self.clear = self.items.clear

class Session:
    def __init__(self):
        self.fetch = self._fetch
    def _fetch(self, name):
        return getattr(collections, name)

class Holder:
    def __init__(self, *parts):
        self.parts = parts

class Scale(Holder):
    """An object that can be called, and that is data."""
    def __call__(self, x):
        return self.parts[0] * x

class Keyed:
    def __init__(self, key):
        self.key = key
    def __hash__(self):
        return hash(self.key)
    def __eq__(self, other):
        return self.key == other.key

class Data:
    def __init__(self, X, y):
        self.X, self.y = X, y
    def subset(self, rows):
        return Subset(self, rows)

class Subset:
    """As in libraries of data sets, a part of the data knows all of them."""
    def __init__(self, data, rows):
        self.data, self.rows = data, list(rows)
    def __getitem__(self, place):
        return self.data.X[self.rows[place]], self.data.y[self.rows[place]]
'''
)
IMPORTS = (
    "import io\nfrom pathlib import Path\nfrom unittest.mock import Mock\nfrom autograder import check\n"
    "import datascience_like\nfrom datascience_like import *\n"
    "from datascience_like import Bag, Data, Holder, Keyed, Locked, Row, Scale, Session, Slotted, Table"
)


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    """A library as it is installed."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "datascience_like.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(folder))
    yield
    sys.modules.pop("datascience_like", None)


def exam_with(solution, *tests):
    return exam_of((Role.READ_ONLY, IMPORTS), (Role.ANSWER, solution), *((Role.TEST, test) for test in tests))


def examined(solution, test, answer=None, hidden=None):
    return graded(exam_with(solution, test), cell1=answer or solution, hidden=hidden)[0]


@pytest.mark.parametrize(
    ("solution", "test"),
    [
        ("def f(t): return t.num_rows", "assert f(Table().with_columns('a', [1, 2], 'b', ['x', 'y'])) == 2"),
        (
            "def f(t): return t.where('b', 'x').column('a').sum()",
            "t = Table().with_columns('a', [1, 2, 3], 'b', ['x', 'y', 'x'])\nassert f(t) == 4\nassert f(t.where('a', 1)) == 1",
        ),
        ("def f(t): return t.take[1]['a']", "assert f(Table().with_columns('a', [1, 2])) == 2"),
        ("def f(t): return isinstance(t, Table) and t.take._table is t", "assert f(Table()) is True"),
        ("def f(s, t): return s is t", "t = Table()\nassert f(t, t) and not f(t, Table())"),
        ("def f(ts): return sum(t.num_rows for t in ts)", "assert f([Table().with_columns('a', [1])] * 3) == 3"),
        ("def f(t): return t.where('a', 2)", "assert f(Table().with_columns('a', [1, 2])).column('a').tolist() == [2]"),
        ("def f(s): return s.x + s.y", "assert f(Slotted(1, 2)) == 3"),
        ("def f(row): return sum(row), row.unit", "r = Row([1, 2])\nassert f(r) == (3, 'm')\nr.unit = 'cm'\nassert f(r) == (3, 'cm')"),
        ("def f(g): return g().num_rows", "assert f(lambda: Table().with_columns('a', [1, 2])) == 2"),
        ("def f(h): return h.parts[1].__name__", "assert f(Holder(1, len)) == 'len'"),
        ("def f(h): return h.parts[0](4)", "assert f(Holder(Scale(2))) == 8"),
        ("def g(): return 7\ndef f(h): return h.parts[0]()", "assert f(Holder(g)) == 7"),
        ("def f(h, g): return g(h.parts[0])", "assert f(Holder(1), lambda x: x + 1) == 2"),
        ("def f(b): return next(iter(b.parts[0])).key", "assert f(Holder({Keyed('a'): 1})) == 'a'"),
        (
            "def f(n):\n    depth = 0\n    while n.parts: n, depth = n.parts[0], depth + 1\n    return depth",
            "n = Holder()\nfor _ in range(300): n = Holder(n)\nassert f(n) == 300",
        ),
        ("def f(path): return path.name", "assert f(Path('data/a.csv')) == 'a.csv'"),
        ("def f(path): return path / 'a.csv'", "assert f(Path('data')) == Path('data/a.csv')"),
        ("def f(path): return [path.parent, path.suffix]", "assert f(path=Path('data/a.csv')) == [Path('data'), '.csv']"),
    ],
)  # fmt: skip
def test_an_object_of_a_library_reaches_the_function(solution, test):
    result = examined(solution, test)
    assert result.outcome is Outcome.PASSED, result.detail


def test_the_function_sees_what_the_test_changed_between_calls():
    test = (
        "t = Table().with_columns('a', [1])\nassert f(t) == ['a']\nt.append_column('b', [2])\nassert f(t) == ['a', 'b']"
    )
    assert examined("def f(t): return list(t._columns)", test).fraction == 1


def test_the_tests_object_does_not_change():
    solution = "def f(t):\n    t.append_column('b', [2])\n    return t"
    test = "t = Table().with_columns('a', [1])\nassert list(f(t)._columns) == ['a', 'b'] and list(t._columns) == ['a']"
    assert examined(solution, test).fraction == 1


def test_a_wrong_answer_stays_wrong():
    test = "assert f(Table().with_columns('a', [1, 2])) == 2"
    result = examined("def f(t): return t.num_rows", test, "def f(t): return 1")
    assert (result.outcome, result.undecided) == (Outcome.FAILED, False)


def test_an_object_that_cannot_be_built_where_the_students_code_runs_is_for_a_person():
    test = "s = Slotted(1, 2)\nassert f(s) == 1"
    result = graded(exam_with("def f(t): return 1", test), kernel=WithoutLibrary, honest=InProcessKernel)[0]
    assert (result.outcome, result.undecided) == (Outcome.FAILED, True)


class WithoutLibrary(InProcessKernel):
    """A kernel in which the library is missing when the test runs."""

    def exchange(self, request, timeout=None, answer=None):
        if b'"call"' not in request.text:
            return super().exchange(request, timeout, answer)
        agent = sys.modules[type(self.server.callbacks).__module__]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(agent, "_library", lambda name: importlib.import_module("missing"))
            return super().exchange(request, timeout, answer)


GIVEN = [
    "Locked()", "[Locked()]", "Table().with_columns('a', [object()])", "Bag([1, 2])", "Session()", "Holder([].append)",
    "Holder(lambda: 1)", "Holder(Mock())", "Holder(io.StringIO())", "Holder(iter([1]))", "Holder(n for n in [1])",
    "Holder([Holder({'a': (Bag([]),)})])", "Holder(Table.with_columns.__get__(Table()))",
]  # fmt: skip


@pytest.mark.parametrize("given", GIVEN)
def test_what_cannot_be_built_is_for_a_person(given):
    result = examined("def f(t): return 1", f"1\nassert f({given}) == 1")
    assert (result.outcome, result.fraction) == (Outcome.BROKEN, 0)
    assert '<test cell2>", line 2' in result.detail


def test_no_method_of_the_tests_object_is_lent():
    test = "b = Bag([1, 2])\ntry: f(b)\nexcept ValueError: pass\nassert b.items == [1, 2]"
    assert examined("def f(b): return b.clear()", test).outcome is Outcome.PASSED


def test_each_object_is_looked_at_once(monkeypatch):
    """Every one of 40 objects refers to all others: 40 of them are encoded, and not each way from one to another."""
    seen = []
    parts = library_objects.parts
    monkeypatch.setattr(library_objects, "parts", lambda value, *rest: seen.append(id(value)) or parts(value, *rest))
    test = "all = [Holder() for _ in range(40)]\nfor h in all: h.parts = [o for o in all if o is not h]\nassert f(all) == 40"
    assert examined("def f(all): return len(all[0].parts) + 1", test).outcome is Outcome.PASSED
    assert max(map(seen.count, set(seen))) <= 4, "numbered and encoded, in the run that is observed and in this one"


SEES_ALL = "def fit(train):\n    table = dict(zip(train.data.X, train.data.y))\n    return lambda x: table[x]"
HONEST = "def fit(train):\n    return lambda x: int(x > 0)"


@pytest.fixture
def hidden(tmp_path):
    folder = tmp_path / "hidden"
    folder.mkdir()
    np.savez(folder / "all.npz", X=np.array([-3, 5, 2, -1]), y=np.array([0, 1, 1, 0]))
    return folder


@pytest.mark.parametrize(
    "made",
    [
        "Data(data['X'], data['y'])",
        "Data(data['X'].tolist(), data['y'].tolist())",
        "Data(data['X'][:2], [0, 1])",
        "Data(*map(list, data.values()))",
    ],
)
def test_nothing_that_may_know_hidden_data_goes_along(made, hidden):
    test = f"data = check.hidden_data('all.npz')\nd = {made}\nassert fit(d.subset([0, 1]))(2) == 1"
    result = examined(HONEST, test, SEES_ALL, hidden)
    assert result.outcome is Outcome.BROKEN
    assert "check.hidden_data" in result.detail


def test_an_object_made_before_and_filled_later_does_not_go_along(hidden):
    test = "d = Data([5], [1])\nfit(d.subset([0]))\nd.X = check.hidden_data('all.npz')['X']\nassert fit(d.subset([0]))(2) == 1"
    assert examined(HONEST, test, hidden=hidden).outcome is Outcome.BROKEN


def test_an_object_goes_where_hidden_data_come_later(hidden):
    test = "predict = fit(Data([5], [1]).subset([0]))\nX = check.hidden_data('all.npz')['X']\nassert predict(int(X[1])) == 1"
    assert examined(HONEST, test, hidden=hidden).outcome is Outcome.PASSED


def test_a_later_cell_that_uses_hidden_data_gives_no_object(hidden):
    tests = "y = check.hidden_data('all.npz')['y'].tolist()", "assert fit(Data([5, 2], y).subset([0]))(2) == 1"
    assert graded(exam_with(HONEST, *tests), hidden=hidden)[1].outcome is Outcome.BROKEN


def test_the_record_names_the_classes_that_go_along():
    exam = exam_with(HONEST, "d = Data([5, 2], [1, 1])\nassert fit(d.subset([0]))(2) == 1")
    facts = [fact for fact in observed(exam).facts if fact.act is Act.GETS]
    assert {fact.value for fact in facts} == {"datascience_like.Data", "datascience_like.Subset"}
    assert all(fact.subject.startswith("cell2:2:") for fact in facts)


def test_an_object_that_no_call_gets_is_not_in_the_record():
    exam = exam_with(HONEST, "d = Data([5, 2], [1, 1])\nassert callable(fit) and d")
    assert not [fact for fact in observed(exam).facts if fact.act is Act.GETS]


def test_objects_go_only_where_the_solution_got_one():
    test = "t = Holder(Data([1], [1])) if f(0) else 3\nassert f(t) == 0"
    result = examined("def f(t): return 0", test, "def f(t): return t == 0")
    assert result.outcome is Outcome.BROKEN
    assert "your solution was not seen to get them" in result.detail


class Open(InProcessKernel):
    """A kernel whose agent the student's code has found."""

    def __init__(self):
        super().__init__()
        self.namespace["agent"] = self.server


ASKS = """
numbers, ask = [], agent.callbacks.ask
def remembering(number, *question):
    numbers.append(number)
    return ask(number, *question)
agent.callbacks.ask = remembering
"""


def forged(solution, test, answer, hidden=None):
    more = {"kernel": Open, "honest": InProcessKernel, "hidden": hidden}
    return graded(exam_with(solution, test), cell1=f"{ASKS}{answer}", **more)[0]


def test_an_object_that_was_refused_cannot_be_asked_for(hidden):
    answer = (
        "def asked(number):\n"
        "    try: return ask(number, 'state', (), {})[0]['y'][0]\n"
        "    except Exception: return 0\n"
        "def f(g):\n"
        "    try: g()\n"
        "    except Exception: pass\n"
        "    return max(asked(number) for number in range(-20, 0))"
    )
    test = "check.hidden_data('all.npz')\nd = Data([5], [7])\nassert f(lambda: Holder(d)) == 7"
    result = forged("def f(g): return 7", test, answer, hidden)
    assert (result.outcome, result.undecided) == (Outcome.FAILED, False)


def test_what_an_object_becomes_later_cannot_be_asked():
    answer = "def f(d):\n    return ask(numbers[0], 'state', (), {})[0]['y'][0] if d == 3 else 0"
    test = "d = Data([5], [1])\nf(d)\nd.y = [7]\nassert f(3) == 7"
    result = forged("def f(d): return 7", test, answer)
    assert (result.outcome, result.undecided) == (Outcome.FAILED, False)


def test_the_kernel_has_copies_and_cannot_answer_with_the_tests_object():
    answer = (
        "Reference, honest = type(agent.refer(object())), agent.callbacks.reference\n"
        "agent.callbacks.reference = lambda v: Reference(numbers[0], 'built', '') if type(v) is Holder else honest(v)\n"
        "def f(d): return Holder() if numbers else 0"
    )
    test = "d = Data([5], [1])\nf(d)\nd.y = [7]\nassert f(d).y == [7]"
    result = forged("def f(d): return d", test, answer)
    assert (result.outcome, result.undecided) == (Outcome.FAILED, False)
    assert "cannot be read" in result.message


TORCH = "import torch\nfrom torch import nn\nfrom autograder import check"


def with_torch(solution, test, answer=None):
    pytest.importorskip("torch")
    exam = exam_of((Role.READ_ONLY, TORCH), (Role.ANSWER, solution), (Role.TEST, test))
    return graded(exam, cell1=answer or solution)[0]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("solution", "test"),
    [
        ("def f(m): return sum(p.numel() for p in m.parameters())", "assert f(nn.Linear(3, 2)) == 8"),
        (
            "def f(m): return sum(p.numel() for p in m.parameters() if p.requires_grad)",
            "m = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 1))\n"
            "for p in m[0].parameters(): p.requires_grad = False\n"
            "assert f(m) == 16",
        ),
        (
            "def f(m, x):\n    m.eval()\n    with torch.no_grad():\n        return m(x)",
            "m, x = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.9), nn.BatchNorm1d(2)), torch.rand(5, 3)\n"
            "assert torch.allclose(f(m, x), m.eval()(x), atol=1e-6)",
        ),
        ("def f(m): return all(isinstance(p, nn.Parameter) for p in m.parameters())", "assert f(nn.LSTM(3, 2))"),
        ("def f(m): return nn.Sequential(m, nn.Flatten())", "assert f(nn.Conv2d(1, 2, 3))(torch.zeros(1, 1, 4, 4)).shape == (1, 8)"),
        (
            "def f(w, loss):\n    w = w.clone().requires_grad_()\n    loss(w, torch.zeros(2)).backward()\n    return w.grad",
            "assert torch.allclose(f(torch.tensor([1.0, 2.0]), nn.MSELoss()), torch.tensor([1.0, 2.0]))",
        ),
        (
            "def f(loader): return sum(len(y) for x, y in loader)",
            "from torch.utils.data import DataLoader, TensorDataset\n"
            "assert f(DataLoader(TensorDataset(torch.zeros(5, 2), torch.zeros(5)), batch_size=2)) == 5",
        ),
    ],
)  # fmt: skip
def test_a_module_of_torch_reaches_the_function_as_one_of_its_own(solution, test):
    result = with_torch(solution, test)
    assert result.outcome is Outcome.PASSED, result.detail


@pytest.mark.integration
@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("class Own(nn.Module):\n    def forward(self, x): return x\nf(Own())", "an Own cannot be copied"),
        ("f(torch.optim.SGD([torch.zeros(1)], lr=0.1))", "make it in a cell of the notebook with its model"),
        ("m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))\nm[1].weight = m[0].weight\nf(m)", "a Sequential cannot be copied"),
    ],
)  # fmt: skip
def test_a_module_or_optimizer_that_cannot_be_copied_waits_for_a_person(test, why):
    """A stand-in that can only be called would cost an answer its points that also calls `eval()`."""
    result = with_torch("def f(m): return 1", test)
    assert result.outcome is Outcome.BROKEN
    assert why in result.detail
