"""``check.close`` and ``check.function`` on tables, sparse matrices, tensors, exact numbers and dates."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import pathlib
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from autograder import check
from autograder.check.equality import same
from autograder.check.provenance import noting
from autograder.errors import CourseError

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, np.nan]}, index=["p", "q"])
DATES = pd.date_range("2026", periods=3, tz="UTC")
SPARSE = sparse.csr_array([[0, 1.5], [2, 0]])
HUGE = sparse.coo_array(([1.0, 2.0], ([0, 5], [7, 9])), shape=(10**6, 10**6))

SAME: list[tuple[Any, Any]] = [
    (decimal.Decimal("1.20"), decimal.Decimal("1.2")),
    (decimal.Decimal("sNaN"), decimal.Decimal("sNaN")),
    (fractions.Fraction(1, 3), fractions.Fraction(2, 6)),
    (datetime.date(2026, 1, 31), datetime.date(2026, 1, 31)),
    (datetime.datetime(2026, 1, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2026, 1, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))),
    (collections.Counter("aab"), {"a": 2, "b": 1}),
    (collections.defaultdict(list, a=[1]), {"a": [1.0]}),
    (collections.deque([1, 2]), collections.deque([1, 2])),
    ({frozenset([1]): 1}, {frozenset([1]): 1}),
    (np.str_("a"), "a"),
    (pathlib.Path("a/b"), pathlib.Path("a/b")),
    (re.compile("a"), re.compile("a")),
    (int, int),
    (np.float32, np.float32),
    (np.dtype("f4"), np.dtype("f4")),
    (np.datetime64("2026-01-01"), np.datetime64("2026-01-01")),
    (np.array(["2026-01-01", "NaT"], "M8[D]"), np.array(["2026-01-01", "NaT"], "M8[D]")),
    (np.array([1, "a", [2.0]], object), np.array([1, "a", [2]], object)),
    (np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), np.array([(1, 2.0)], [("a", "i8"), ("b", "f4")])),
    (np.ma.masked_array([1.0, 9], mask=[0, 1]), np.ma.masked_array([1.0, 7], mask=[0, 1])),
    (np.matrix([[1, 2]]), np.matrix([[1.0, 2]])),
    (FRAME.copy(), FRAME),
    (FRAME.assign(c=[0.5 + 1e-9, np.nan]), FRAME),
    (FRAME.astype({"a": "Int64", "b": object}), FRAME),
    (pd.DataFrame(), pd.DataFrame()),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[1, 2]], columns=["a", "a"])),
    (pd.Series([1, 2], index=pd.Index([0, 1])), pd.Series([1, 2], name="other")),
    (pd.Series([1, None], dtype="Int8"), pd.Series([1.0, np.nan])),
    (pd.Series(["a", None], dtype="category"), pd.Series(["a", None], dtype="category")),
    (pd.Series(pd.arrays.SparseArray([0, 1])), pd.Series([0, 1])),
    (pd.Series([True, None], dtype="boolean"), pd.Series([True, None], dtype="boolean")),
    (pd.Series(DATES), pd.Series(DATES)),
    (FRAME.set_index(["a", "b"]), FRAME.set_index(["a", "b"])),
    (DATES, DATES),
    (pd.RangeIndex(3), pd.Index([0, 1, 2])),
    (pd.interval_range(0, 3), pd.interval_range(0, 3)),
    (pd.period_range("2026", periods=2, freq="M"), pd.period_range("2026", periods=2, freq="M")),
    (pd.Timestamp("2026"), pd.Timestamp("2026")),
    (pd.NA, pd.NA),
    ({pd.Timestamp("2026"): 1}, {pd.Timestamp("2026"): 1}),
    (SPARSE.tocoo(), SPARSE),
    (sparse.lil_matrix(SPARSE), SPARSE),
    (HUGE.tocsr(), HUGE),
]  # fmt: skip

OTHER: list[tuple[Any, Any]] = [
    (1.2, decimal.Decimal("1.2")),
    (decimal.Decimal("1.3"), decimal.Decimal("1.2")),
    (0.5, fractions.Fraction(1, 2)),
    (datetime.date(2026, 1, 31), datetime.datetime(2026, 1, 31)),
    ({"a": 1}, collections.Counter("a")),
    (collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1)),
    ([1, 2], collections.deque([1, 2])),
    ("int", int),
    (np.timedelta64(3, "s"), 3),
    (3, np.timedelta64(3, "s")),
    (np.array([0, 1], "M8[D]"), np.array(["NaT", 1], "M8[D]")),
    (np.array([1, 2], object), np.array([1, 3], object)),
    (np.array([1.0, 2.0]), np.ma.masked_array([1.0, 2.0], mask=[0, 1])),
    (np.ma.masked_array([1.0, 2.0], mask=[1, 0]), np.ma.masked_array([1.0, 2.0], mask=[0, 1])),
    (np.array([[1, 2]]), np.matrix([[1, 2]])),
    (FRAME.to_dict(), FRAME),
    (FRAME[["b", "a", "c"]], FRAME),
    (FRAME.reset_index(drop=True), FRAME),
    (FRAME.assign(a=[1, 3]), FRAME),
    (FRAME.assign(a=[True, False]), FRAME),
    (FRAME.assign(c=[0.5, 0.0]), FRAME),
    (FRAME.assign(b=["x", "y"]), FRAME),
    (FRAME.iloc[:1], FRAME),
    (FRAME.iloc[:0], FRAME),
    (pd.DataFrame(), FRAME),
    (pd.Series([1, 2]), np.array([1, 2])),
    (pd.Series(["a"]), pd.Series(["a"], dtype="category")),
    (pd.Series(["a", "b"], dtype="category"), pd.Series(pd.Categorical(["a", "b"], ordered=True))),
    (DATES.tz_localize(None), DATES),
    (DATES[:2], DATES),
    (pd.Index([1, 2, 4]), pd.RangeIndex(3)),
    (pd.NaT, pd.NA),
    (float("nan"), pd.NA),
    (SPARSE.toarray(), SPARSE),
    (SPARSE * 1.1, SPARSE),
    (SPARSE[:1], SPARSE),
    (HUGE * 1.1, HUGE),
    (HUGE + sparse.coo_array(([1.0], ([3], [3])), shape=HUGE.shape), HUGE),
]  # fmt: skip


def name(value: Any) -> str:
    return type(value).__name__


@pytest.mark.parametrize(("actual", "expected"), SAME, ids=name)
def test_the_same_values_are_right(actual, expected):
    assert same(actual, expected)
    assert check.function(lambda: actual, cases=[((), expected)]).fraction == 1


@pytest.mark.parametrize(("actual", "expected"), OTHER, ids=name)
def test_other_values_are_wrong(actual, expected):
    with check.recording() as results:
        check.function(lambda: actual, cases=[((), expected)])
    assert results[0].fraction == 0
    assert re.search(r"case 1 gives (another|no|an array|a list)\b", results[0].message)


class Frame(pd.DataFrame):
    def equals(self, other):
        return True

    def __eq__(self, other):
        return True


class Array(np.ma.MaskedArray):
    pass


class Money(decimal.Decimal):
    def __eq__(self, other):
        return True

    __hash__ = decimal.Decimal.__hash__


@pytest.mark.parametrize(
    ("liar", "expected"),
    [
        (Frame(FRAME), FRAME),
        (Array([1.0]), np.ma.masked_array([1.0])),
        (Money(1), decimal.Decimal(1)),
        ({"a": Frame(FRAME)}, {"a": FRAME}),
        (collections.Counter({Money(1): 1}), {decimal.Decimal(1): 1}),
        (type("csr_array", (), {"shape": (2, 2), "toarray": lambda self: SPARSE.toarray()})(), SPARSE),
        (type("Timestamp", (), {"__eq__": lambda self, other: True, "__hash__": None})(), pd.Timestamp("2026")),
    ],
    ids=name,
)
def test_an_object_that_compares_itself_is_wrong(liar, expected):
    assert not same(liar, expected)


@pytest.mark.parametrize(
    ("actual", "desired"),
    [
        (FRAME[["a", "c"]], FRAME[["a", "c"]]),
        (FRAME[["a", "c"]], np.array([[1, 0.5], [2, np.nan]])),
        (pd.Series([1, 2], dtype="Int8"), [1, 2]),
        (pd.Series([1, None], dtype="Int8"), [1, np.nan]),
        (pd.Index([1, 2]), [1, 2]),
        (SPARSE, SPARSE.toarray()),
        (SPARSE.toarray(), SPARSE),
        ([decimal.Decimal("0.1"), fractions.Fraction(1, 2)], [0.1, 0.5]),
        (np.ma.masked_array([1.0, 9], mask=[0, 1]), np.ma.masked_array([1.0, 7], mask=[0, 1])),
        (np.matrix([[1, 2]]), [[1, 2]]),
    ],
    ids=name,
)
def test_close_looks_at_the_numbers_of_tables_and_matrices(actual, desired):
    assert check.close(actual, desired).fraction == 1


@pytest.mark.parametrize(
    ("actual", "desired", "message"),
    [
        ([], [1.0], r"the shape is \(0,\), and should be \(1,\)"),
        (pd.DataFrame(), FRAME[["a"]], r"the shape is \(0, 0\), and should be \(2, 1\)"),
        (FRAME[["c"]], FRAME[["a"]], "the columns are wrong"),
        (FRAME[["a"]].reset_index(drop=True), FRAME[["a"]], "the index is not right"),
        (np.array([[1], [2]]), FRAME[["a"]], "this is not a DataFrame"),
        (FRAME[["a"]] * 2, FRAME[["a"]], "2 of 2 values are not right"),
        (FRAME, np.ones((2, 3)), "this is not numbers"),
        (SPARSE * 2, SPARSE, "2 of 4 values are not right"),
        (HUGE, 1.0, "this is not numbers"),
        (np.ma.masked_array([1.0, 7], mask=[0, 1]), [1.0, 7], "the masked values are not the right ones"),
        (Frame(FRAME), [1.0], "its type is Frame"),
        (pd.Series([True, False]), ["a"], None),
    ],
    ids=name,
)
def test_close_says_what_differs(actual, desired, message):
    if message is None:
        with pytest.raises(CourseError):
            check.close(actual, desired)
        return
    with pytest.raises(AssertionError, match=message):
        check.close(actual, desired)


def test_a_function_can_not_change_the_authors_table():
    frame = pd.DataFrame({"a": [1, 2]})

    def change(table):
        table["a"] = 0
        return table

    check.function(change, cases=[(frame, pd.DataFrame({"a": [0, 0]}))])
    assert frame["a"].tolist() == [1, 2]


def test_expected_tables_are_no_part_of_the_message():
    with check.recording() as results, noting():
        check.function(lambda: 0, cases=[((), pd.DataFrame({"secret": [777]}))])
        check.close(pd.Series([1]), pd.Series([777]))
    assert not any("777" in result.message or "secret" in result.message for result in results)
    assert all("777" in result.detail for result in results)


def test_tensors_are_compared_as_their_numbers():
    jnp = pytest.importorskip("jax.numpy")
    assert check.close(jnp.array([1.0, 2.0]), [1.0, 2.0]).fraction == 1
    assert check.close(jnp.ones(2, "bfloat16"), [1.0, 1.0]).fraction == 1
    assert same(jnp.ones(2), jnp.ones(2))
    assert same(jnp.ones(2), np.ones(2))
    assert not same(np.ones(2), jnp.ones(2))
    assert not same(jnp.ones(2), jnp.zeros(2))


@pytest.mark.keras
def test_tensors_of_tensorflow_are_compared_as_their_numbers():
    import tensorflow as tf

    assert check.close(tf.constant([1.0, 2.0]), [1.0, 2.0]).fraction == 1
    assert check.close(tf.Variable([1.0]), tf.constant([1.0])).fraction == 1
    assert same(tf.constant([1.0]), tf.constant([1.0]))
    assert not same(tf.constant([1.0]), tf.constant([2.0]))
