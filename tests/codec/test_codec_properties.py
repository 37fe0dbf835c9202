"""The codec on random values: what comes back is what went in, to the type and the bit."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from helpers.alike import assert_alike
from helpers.strategies import ARRAYS, PLAIN, RUNS, SERIES, frames, matrices
from hypothesis import strategies as st

from autograder.codec import decode, encode

KINDS: dict[str, Any] = {
    "plain": PLAIN,
    "runs": RUNS,
    "arrays": ARRAYS,
    "turned arrays": ARRAYS.map(lambda a: a.T),
    "every other item": ARRAYS.filter(lambda a: a.ndim > 0).map(lambda a: a[::2]),
    "objects": st.lists(PLAIN, min_size=1, max_size=4).map(lambda items: _objects(items)),
    "frames": frames(),
    "series": SERIES,
    "sparse": matrices(),
}


def _objects(items: list[Any]) -> Any:
    import numpy as np

    array = np.empty(len(items), object)
    for index, item in enumerate(items):
        array[index] = item
    return array


def round_trip(kind: str, examples: int) -> None:
    @hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(KINDS[kind])
    def check(value: Any) -> None:
        assert_alike(decode(*encode(value)), value)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_a_random_value_comes_back_as_it_was(kind):
    round_trip(kind, 10)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_random_values_come_back_as_they_were(kind):
    round_trip(kind, 500)
