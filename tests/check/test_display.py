"""Values and the texts that notebooks have saved for them: other versions spell the same value otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.check.display import same_display, shows
from autograder.records.exam import Role


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "True"),
        (np.True_, "True"),
        (True, "np.True_"),
        (np.float64(1.5), "1.5"),
        (1.5, "np.float64(1.5)"),
        (np.int64(3), "3"),
        (np.float32("nan"), "nan"),
        (np.complex128(1 + 2j), "(1+2j)"),
        (np.str_("a(b"), "'a(b'"),
        ([np.float64(1.5), np.int64(2)], "[1.5, 2]"),
        ((np.True_, np.False_), "(True, False)"),
        ({"b": 1, "a": 2}, "{'a': 2, 'b': 1}"),
        ({3, 1, 2}, "{1, 2, 3}"),
        ([[1, 2], [3, 4]], "[[1, 2],\n [3, 4]]"),
        (np.array([1.0, 2.5]), "array([ 1. ,  2.5])"),
        (np.datetime64("2026-01-31"), "numpy.datetime64('2026-01-31')"),
        (pd.Series(["x"]), "0    x\ndtype: object"),
        (pd.Index([1, 2]), "Int64Index([1, 2], dtype='int64')"),
        ("text", "'text'"),
        (None, ""),
    ],
)
def test_the_same_value_in_another_spelling(value, expected) -> None:
    assert shows(value, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (False, "True"),
        (1, "True"),
        (1, "1.0"),
        (2.0, "2"),
        ("2", "2"),
        ("True", "True"),
        ([1, 2], "(1, 2)"),
        ([1, 2], "[2, 1]"),
        ("a  b", "'a b'"),
        (np.array([12]), "array([1, 2])"),
        (np.array([1]), "1"),
        ([1], "[True]"),
        (3, ""),
        (None, "None"),
    ],
)
def test_another_value(value, expected) -> None:
    assert not shows(value, expected)


def test_white_space_counts_within_texts_only() -> None:
    assert same_display("{'a b':  1}", "{'a b': 1}")
    assert not same_display("{'a  b': 1}", "{'a b': 1}")


CLASS = "class Point:\n    def __repr__(self):\n        return {!r}\n    def __eq__(self, other):\n        return True\np = Point()"


def shown(answer: str, expected: str):
    test = f"from autograder.check.cases import case as _c\nwith _c('case', printed='', shown={expected!r}) as show:\n    show(p)"
    return graded(exam_of((Role.ANSWER, answer), (Role.TEST, test)))[0]


def test_an_object_that_shows_itself_as_a_plain_value_is_none() -> None:
    for expected in ("True", "25", "[1, 2]", "array([1])", "'text'"):
        assert shown(CLASS.format(expected), expected).fraction == 0


def test_a_class_of_the_assignment_shows_itself() -> None:
    assert shown(CLASS.format("Point(1, 2)"), "Point(1, 2)").fraction == 1
    assert shown(CLASS.format("Point(1, 3)"), "Point(1, 2)").fraction == 0
