"""Integers beyond ±2³¹ that the solution's answers do not have: in a test, no square of a difference wraps."""

from __future__ import annotations

import copy
from collections import OrderedDict, deque
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from scipy import sparse

from autograder.examiner.exact_integers import LIMIT, is_wide, without_wrapping
from autograder.records.exam import Role

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
    "column of objects": pd.Series([BIG] * 4, dtype=object),
    "categories": pd.Series([BIG] * 4).astype("category"),
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
        pd.Series([1.0], index=[5]), pd.Series(["a"]).astype("category"), pd.DataFrame({"a": ["x"], "b": [None]}), range(0, 2**40, 2**50),
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


NAMED: dict[str, tuple[Any, Any]] = {
    "keys": ({BIG: 0, BIG + 1: 1}, list),
    "a range": (range(BIG, BIG + 2), list),
    "index of a table": (pd.DataFrame({"a": [1, 2]}, index=[BIG, BIG + 1]), lambda v: v.index),
    "names of columns": (pd.DataFrame([[1, 2]], columns=[BIG, BIG + 1]), lambda v: v.columns),
    "index of a column": (pd.Series([1, 2], index=[BIG, BIG + 1]), lambda v: v.index),
    "fields": (np.array([(BIG, "x"), (BIG + 1, "y")], [("a", int), ("b", "U1")]), lambda v: v["a"]),
}


@pytest.mark.parametrize("name", NAMED)
def test_numbers_that_are_no_items_do_not_wrap_either(name: str) -> None:
    value, read = NAMED[name]
    assert is_wide(value)
    numbers = np.array(read(without_wrapping(copy.deepcopy(value), wide=False)))
    assert list(numbers) == [BIG, BIG + 1]
    assert np.mean((numbers - 5) ** 2) > 1e19


BRINGS = {
    "a generator": ("def f():\n    yield {}", "found = [n for n in f()]"),
    "an object with items": ("class F:\n    def __iter__(self): return iter([{}])\nf = F()", "found = [n for n in f]"),
    "a function of the test's": ("def f(g): g({})", "found = []\nf(lambda n: found.append(n))"),
    "an operator": (
        "class F:\n    def __matmul__(self, other): return {}\ndef f(): return F()", "found = [f() @ f()]"
    ),
    "a rounded number": ("class F:\n    def __round__(self, n=0): return {}\nf = F()", "found = [round(f)]"),
}  # fmt: skip


@pytest.mark.parametrize("way", BRINGS)
def test_an_answer_does_not_wrap_whatever_brings_it(way: str) -> None:
    answer, test = BRINGS[way]
    test = f"import numpy as np\n{test}\nassert (np.array(found) ** 2).mean() < 2"
    exam = exam_of((Role.ANSWER, answer.format(1)), (Role.TEST, test))
    assert [graded(exam)[0].fraction, graded(exam, cell0=answer.format(BIG))[0].fraction] == [1, 0]
