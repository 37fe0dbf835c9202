"""Integers beyond ±2³¹ that the solution's answers do not have: in a test, no square of a difference wraps."""

from __future__ import annotations

import copy
from collections import OrderedDict, deque
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from autograder.examiner.exact_integers import LIMIT, is_wide, without_wrapping

BIG = 3_500_000_000
ARRAY = np.full(4, BIG)

WRAPPING: dict[str, Any] = {
    "array": ARRAY,
    "unsigned": ARRAY.astype("u8"),
    "a few bits less": ARRAY.astype("u4"),
    "matrix": ARRAY.reshape(2, 2),
    "objects": np.array([np.int64(BIG)] * 4, object),
    "masked": np.ma.masked_array(ARRAY),
    "list": [BIG] * 4,
    "tuple": (BIG,) * 4,
    "deque": deque([BIG] * 4),
    "list of scalars": [np.int64(BIG)] * 4,
    "scalar": np.int64(BIG),
    "integer": BIG,
    "column": pd.Series(ARRAY),
    "index": pd.Index(ARRAY),
    "nullable": pd.Series(ARRAY, dtype="Int64"),
    "negative": [-BIG] * 4,
}


@pytest.mark.parametrize("name", WRAPPING)
def test_the_square_of_a_difference_does_not_wrap(name: str) -> None:
    exact = without_wrapping(copy.deepcopy(WRAPPING[name]), wide=False)
    assert np.all(np.asarray(exact) == (-BIG if name == "negative" else BIG))
    assert np.mean(np.square(np.asarray(exact) - 5)) > 1e19
    assert np.sum((np.array(exact) - 5) ** 2) > 1e19
    difference = np.atleast_1d(np.array(exact) - 5).ravel()
    assert difference @ difference > 1e19


@pytest.mark.parametrize("name", WRAPPING)
def test_the_solutions_wide_answers_stay_as_they_are(name: str) -> None:
    assert without_wrapping(WRAPPING[name], wide=True) is WRAPPING[name]
    assert is_wide(WRAPPING[name])


def test_a_table_has_objects_where_it_is_wide() -> None:
    frame = pd.DataFrame([[1, BIG, 0.5], [2, 3, 0.5]], columns=["a", "a", "b"])
    exact = without_wrapping(frame, wide=False)
    assert [str(dtype) for dtype in exact.dtypes] == ["int64", "object", "float64"]
    assert list(exact.columns) == ["a", "a", "b"]
    assert is_wide(frame)


def test_a_sparse_matrix_has_floats() -> None:
    assert without_wrapping(sparse.csr_array(ARRAY[None]), wide=False).dtype == np.float64


@pytest.mark.parametrize(
    "value",
    [
        5, LIMIT, -LIMIT, True, 2.0**70, "3500000000", None, b"x", np.arange(5), np.float32(1e20), np.array(["a"]), range(9),
        np.array([1.5, 2]), np.array([], int), pd.Series([1, 2]), pd.DataFrame({"a": [1]}), pd.Series([], dtype=int), [1, [2]],
        {"a": (1, 2)}, np.array([1, None, "x"], object), np.datetime64("2030-01-01"), sparse.csr_array([[1]]), pd.Series(["a"]),
        pd.Series([1, None], dtype="Int64"), pd.Timestamp("2030-01-01"), np.array([(1, BIG)], [("a", "i4"), ("b", "f8")]),
    ],
    ids=repr,
)  # fmt: skip
def test_other_values_are_the_same_objects(value: Any) -> None:
    assert without_wrapping(value, wide=False) is value
    assert not is_wide(value)


def test_containers_stay_the_same_objects_with_exact_items() -> None:
    row = [1, BIG]
    value = {"rows": [row, row], "pair": (BIG, {BIG}), "more": OrderedDict(a=ARRAY)}
    exact = without_wrapping(value, wide=False)
    assert exact is value
    assert exact["rows"][0] is row is exact["rows"][1]
    assert row == [1, BIG]
    assert [type(exact["pair"][0]).__name__, exact["more"]["a"].dtype] == ["Fraction", np.dtype(object)]
    assert exact["pair"] == (BIG, {BIG})


def test_what_is_nested_past_the_limit_of_messages_is_left() -> None:
    value: list[Any] = [BIG]
    for _ in range(200):
        value = [value]
    assert without_wrapping(value, wide=False) is value


@pytest.mark.keras
def test_a_tensor_has_floats() -> None:
    import tensorflow as tf

    exact = without_wrapping(tf.constant([BIG], "int64"), wide=False)
    assert exact.dtype == tf.float64
    assert float(tf.reduce_sum((exact - 5) ** 2)) > 1e19
    assert without_wrapping(tf.constant([5], "int64"), wide=False).dtype == tf.int64
