"""Objects of a library's class as arguments: the student's code gets one of its own, built from the same data."""

from __future__ import annotations

import importlib
import sys

import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel

from autograder.records.checks import Outcome
from autograder.records.exam import Role

LIBRARY = '''
import collections
import threading

import numpy as np

class _Taker:
    """As in teaching libraries, a part of a table knows its table."""
    def __init__(self, table):
        self._table = table
    def __getitem__(self, row):
        return {label: column[row] for label, column in self._table._columns.items()}

class Table:
    def __init__(self, labels=()):
        self._columns = collections.OrderedDict((label, np.array([])) for label in labels)
        self.take = _Taker(self)
    def with_columns(self, *pairs):
        table = Table()
        for label, column in zip(pairs[::2], pairs[1::2]):
            table._columns[label] = np.array(column)
        return table
    @property
    def num_rows(self):
        return len(next(iter(self._columns.values())))
    def column(self, label):
        return self._columns[label]
    def append_column(self, label, column):
        self._columns[label] = np.array(column)
    def where(self, label, value):
        kept = self._columns[label] == value
        pairs = [part for name, column in self._columns.items() for part in (name, column[kept])]
        return Table().with_columns(*pairs)

class Slotted:
    __slots__ = ("x", "y")
    def __init__(self, x, y):
        self.x, self.y = x, y

class Row(list):
    unit = "m"

class Locked:
    def __init__(self):
        self.lock = threading.Lock()
'''
IMPORTS = (
    "from pathlib import Path\nfrom datascience_like import *\nfrom datascience_like import Locked, Row, Slotted, Table"
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


def examined(solution, test, answer=None):
    exam = exam_of((Role.READ_ONLY, IMPORTS), (Role.ANSWER, solution), (Role.TEST, test))
    return graded(exam, cell1=answer or solution)[0]


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
    exam = exam_of((Role.READ_ONLY, IMPORTS), (Role.ANSWER, "def f(t): return 1"), (Role.TEST, test))
    result = graded(exam, kernel=WithoutLibrary, honest=InProcessKernel)[0]
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


@pytest.mark.parametrize("given", ["Locked()", "[Locked()]", "Table().with_columns('a', [object()])"])
def test_what_cannot_be_built_is_for_a_person(given):
    assert examined("def f(t): return 1", f"assert f({given}) == 1").outcome is Outcome.BROKEN
