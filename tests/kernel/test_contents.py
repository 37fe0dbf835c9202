"""Another content for the same object."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autograder.codec import encode
from autograder.kernel.contents import refill

PAIRS = [
    ([1, 2], [3]),
    (bytearray(b"ab"), bytearray(b"c")),
    ({"a": 1}, {"b": 2}),
    ({1}, {2, 3}),
    (Counter("aab"), Counter("c")),
    (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    (defaultdict(list, a=[1]), defaultdict(list, b=[2])),
    (deque([1, 2], 3), deque([3], 3)),
    (np.zeros(3), np.arange(3.0)),
]
OTHERS = [
    ([1], (2,)),
    ({"a": 1}, OrderedDict(a=2)),
    ("a", "b"),
    (1, 2),
    (np.zeros(3), np.zeros(4)),
    (np.zeros(3), np.zeros(3, int)),
    (pd.Series([1]), pd.Series([2])),
]


@pytest.mark.parametrize(("own", "value"), PAIRS, ids=lambda value: type(value).__name__)
def test_an_object_gets_the_content_of_one_of_its_type(own: Any, value: Any) -> None:
    assert refill(own, value)
    assert encode(own) == encode(value)


@pytest.mark.parametrize(("own", "value"), OTHERS, ids=lambda value: type(value).__name__)
def test_an_object_of_another_kind_stays_as_it_is(own: Any, value: Any) -> None:
    before = encode(own)
    assert not refill(own, value)
    assert encode(own) == before
