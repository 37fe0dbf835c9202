"""Values of libraries between a test and the kernel: captured, handed over, changed in place, and where none can be."""

from __future__ import annotations

import collections
import json

import numpy as np
import pandas as pd
import pytest
from helpers.kernels import remote_after

from autograder import check
from autograder.codec import CodecError, core, decode, encode
from autograder.examiner.permissions import Observer
from autograder.examiner.remote.proxy import RemoteObject

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


def captured(source, name):
    remote, _ = remote_after(source)
    remote.permissions = Observer()
    snapshot, _ = remote.ask("snapshot")
    remote.ask("enter", snapshot)
    packed = remote.ask("fetch", snapshot, [name])[name]
    return decode(packed[1], packed[2], remote.stand_in, strict=True)


def function(name):
    return captured(FUNCTIONS, name)


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
    function(name)(given)
    assert type(given) is type(becomes)
    assert given.equals(becomes) if isinstance(given, pd.DataFrame | pd.Series) else list(given) == list(becomes)


def test_a_table_goes_there_and_a_column_comes_back():
    found = function("summary")(pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]}))
    pd.testing.assert_series_equal(found, pd.Series({"x": 4, "y": 2}, name="a").rename_axis("b"))


UNKNOWN = """
import numpy as np, pandas as pd
masked = np.ma.masked_all(3)
column = pd.Series([pd.NA] * 3, dtype="Int64")
table = pd.DataFrame({"a": column})
texts = pd.Series([None], dtype="string")
constant = np.ma.masked
inside = {"a": [column]}
honest = pd.Series([1, None], dtype="Int64")
shown = np.ma.masked_array([1.0, 9.0], mask=[0, 1])
complete = [np.ma.masked_array([1, 2]), pd.Series([1, 2], dtype="Int64"), pd.NA, pd.Series(["a", None])]
"""


def answer(name):
    return captured(UNKNOWN, name)


@pytest.mark.parametrize("name", ["masked", "column", "table", "texts", "constant"])
def test_what_would_equal_anything_is_remote(name):
    """``np.testing.assert_allclose(masked, expected)`` and ``(column == expected).all()`` hold otherwise."""
    value = answer(name)
    assert isinstance(value, RemoteObject)
    assert not (value == 3)


def test_what_would_equal_anything_is_remote_in_a_container_too():
    assert isinstance(answer("inside")["a"][0], RemoteObject)


def test_without_missing_items_it_is_a_value():
    masked, column, missing, texts = answer("complete")
    assert type(masked) is np.ndarray
    assert masked.tolist() == [1, 2]
    assert column.dtype == np.int64
    assert column.tolist() == [1, 2]
    assert missing is pd.NA
    assert not (texts == ["a", "b"]).all()


def test_checks_compare_what_is_missing():
    assert check.function(lambda: answer("honest"), cases=[((), pd.Series([1, None], dtype="Int64"))]).fraction == 1
    assert check.close(answer("honest"), [1, np.nan]).fraction == 1
    assert check.close(answer("shown"), np.ma.masked_array([1.0, 7.0], mask=[0, 1])).fraction == 1
    with pytest.raises(AssertionError, match="masked values"):
        check.close(answer("masked"), [1.0, 2.0, 3.0])
    with pytest.raises(AssertionError, match="0 of 1 cases"):
        check.function(lambda: answer("column"), cases=[((), pd.Series([1, 2, 3], dtype="Int64"))])


def test_a_kernel_that_hides_the_handle_gains_nothing():
    packed = encode(np.ma.masked_all(3))
    for text in (packed.text, json.dumps(json.loads(packed.text)[2]).encode()):
        with pytest.raises(CodecError, match="masked or missing"):
            decode(text, packed.buffers, lambda reference: reference, strict=True)


def test_a_table_without_its_library_is_remote_and_a_check_says_why(monkeypatch):
    make = function("table")
    monkeypatch.setattr(core, "installed", lambda library: False)
    with pytest.raises(AssertionError, match="pandas is not installed where the test runs"):
        check.close(make(), 1.0)


@pytest.mark.keras
def test_a_variable_is_the_notebooks_own_to_a_test_and_its_value_at_the_cell_to_a_check():
    source = "import tensorflow as tf\nW = tf.Variable([1.0, 2.0])"
    remote, _ = remote_after(source)
    snapshot, _ = remote.ask("snapshot")
    packed = remote.ask("fetch", snapshot, ["W"])["W"]
    W = decode(packed[1], packed[2], remote.stand_in, strict=True)
    assert isinstance(W, RemoteObject)
    W.assign([5.0, 6.0])
    assert W.numpy().tolist() == [5, 6]
    assert check.close(W, [1.0, 2.0]).fraction == 1
    assert W != [5.0, 6.0]
