"""Handles: values of any shape that hold an object of the kernel's."""

from __future__ import annotations

from collections import ChainMap, OrderedDict, deque

import numpy as np
import pandas as pd
import pytest

from autograder.check.handle import holds_handle
from autograder.codec import Reference


class Kind(type):
    def _autograder_reference(cls) -> Reference:
        return Reference("class", 1, "student.Kind")


class Kept:
    """As handles are, of an object that stays in the kernel."""

    def _autograder_reference(self) -> Reference:
        return Reference("object", 1, "student.Kept")


class OfAStudentsClass(metaclass=Kind):
    """As classes of a test are that derive from a student's."""


KEPT = Kept()
DEEP: list = [KEPT]
for _ in range(2_000):
    DEEP = [DEEP]
LOOP: list = [1]
LOOP.append(LOOP)
HOLDING = [
    KEPT,
    OfAStudentsClass(),
    OfAStudentsClass,
    [1, KEPT],
    (1, {2: [KEPT]}),
    {KEPT},
    {KEPT: 1},
    {1: KEPT},
    OrderedDict(a=KEPT),
    ChainMap({}, {"a": KEPT}),
    deque([KEPT]),
    np.array([[KEPT, 1]], dtype=object),
    pd.Series([1, KEPT]),
    pd.Series([1], index=[KEPT]),
    pd.Index([KEPT]),
    pd.DataFrame({"a": [1], "b": [KEPT]}),
    DEEP,
    [LOOP, KEPT],
]
PLAIN = [
    None,
    1,
    "text",
    [1, (2, {3})],
    {"a": deque([1])},
    np.arange(3),
    np.array(["a", None], dtype=object),
    pd.DataFrame({"a": [1], "b": ["x"]}),
    pd.Series(["x"]),
    pd.MultiIndex.from_tuples([(1, "a")]),
    LOOP,
]


@pytest.mark.parametrize("value", HOLDING, ids=lambda value: type(value).__name__)
def test_a_handle_is_found_wherever_it_is(value) -> None:
    assert holds_handle(value)


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_values_hold_none(value) -> None:
    assert not holds_handle(value)
