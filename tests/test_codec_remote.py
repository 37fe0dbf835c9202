"""Values of libraries between a test and the kernel: captured, handed over, changed in place, and where none can be."""

from __future__ import annotations

import collections

import pandas as pd
import pytest
from kernels import remote_after

from autograder import check
from autograder.probe import codec_core

FUNCTIONS = """
import pandas as pd

def clean(table):
    table["c"] = table["a"] * 2
    table.drop(columns="b", inplace=True)

def double(column):
    column *= 2

def turn(queue):
    queue.rotate(1)

def count(counter):
    counter.update("ab")

def shout(ordered):
    ordered.move_to_end("a")

def summary(table):
    return table.groupby("b")["a"].sum()

def table():
    return pd.DataFrame({"a": [1]})
"""


def function(name):
    remote, _ = remote_after(FUNCTIONS)
    snapshot, _ = remote.ask("snapshot")
    remote.ask("enter", snapshot)
    from autograder.probe.codec import decode

    packed = remote.ask("fetch", snapshot, [name])[name]
    return decode(packed[1], packed[2], remote.stand_in)


@pytest.mark.parametrize(
    ("name", "given", "becomes"),
    [
        ("clean", pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), pd.DataFrame({"a": [1, 2], "c": [2, 4]})),
        ("double", pd.Series([1, 2]), pd.Series([2, 4])),
        ("turn", collections.deque([1, 2, 3]), collections.deque([3, 1, 2])),
        ("count", collections.Counter("a"), collections.Counter("aab")),
        ("shout", collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1)),
    ],
)
def test_what_a_function_changes_is_changed(name, given, becomes):
    assert function(name)(given) is None
    assert type(given) is type(becomes)
    assert given.equals(becomes) if isinstance(given, pd.DataFrame | pd.Series) else list(given) == list(becomes)


def test_a_table_goes_there_and_a_column_comes_back():
    found = function("summary")(pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]}))
    pd.testing.assert_series_equal(found, pd.Series({"x": 4, "y": 2}, name="a").rename_axis("b"))


def test_a_table_without_its_library_is_remote_and_a_check_says_why(monkeypatch):
    make = function("table")
    monkeypatch.setattr(codec_core, "installed", lambda library: False)
    with pytest.raises(AssertionError, match="pandas is not installed where the test runs"):
        check.close(make(), 1.0)
