"""An integer with which a test does what it does with Python's, and that numpy never makes 64 bits of."""

from __future__ import annotations

import copy
import fractions
import math
import operator
import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autograder import check
from autograder.check.exact_integer import ExactInteger

BIG, HUGE = 3_500_000_000, 2**60 + 1
NUMBERS = [BIG, -BIG, HUGE]

OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda n: (n + 1, 2 - n, n * n, n // 7, n % 7, 10**20 % n, n**2, pow(n, 3, 10), divmod(n, 60), -n, abs(n)),
    "floats": lambda n: (n / 2, 0.5 * n, n**0.5, n + 1j, float(n), complex(n), math.sqrt(abs(n)), math.log10(n * n)),
    "bits": lambda n: (n & 255, n | 1, n ^ 5, ~n, n >> 3, n << 2, 1 << (n >> 20) % 9, n.bit_length(), n.bit_count()),
    "comparisons": lambda n: (n == n + 0, n != 5, n < 4.5, n >= 1, 7 > n, n == float(n), n is None, sorted([n, 3]), max(n, 0)),
    "text": lambda n: (str(n), repr(n), f"{n:,}", f"{n:>20d}", f"{n!r}", f"{n:.2e}", "%d" % n, hex(n), bin(n)),  # noqa: UP031
    "whole": lambda n: (round(n), round(n, -3), math.floor(n), math.ceil(n), math.trunc(n), int(n), operator.index(n)),
    "attributes": lambda n: (n.real, n.imag, n.numerator, n.denominator, n.conjugate(), n.as_integer_ratio()),
    "containers": lambda n: (n in [n + 0], {n: 1}[n + 0], {n, n + 0}, hash(n), range(n, n + 3)[1], "abc"[n % 3], copy.deepcopy([n])),
    "kinds": lambda n: (isinstance(n, int), isinstance(n, float), n.__class__, bool(n)),
    "others": lambda n: (fractions.Fraction(n, 3), n * fractions.Fraction(1, 3), math.gcd(n, 10), [0] * (n % 3), struct.pack("q", n)),
}  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_it_does_what_pythons_integer_does(name: str, number: int) -> None:
    assert str(OPERATIONS[name](ExactInteger(number))) == str(OPERATIONS[name](number))


@pytest.mark.parametrize("number", NUMBERS)
def test_it_computes_with_numpys_scalars(number: int) -> None:
    exact = ExactInteger(number)
    assert (exact + np.int64(3), exact * np.True_, exact / np.float64(2)) == (number + 3, number, number / 2)
    assert exact == np.int64(number) == exact != np.int64(number - 1) != exact
    assert (exact < np.int64(5)) == (number < 5)


def test_its_large_results_are_of_its_kind_and_small_ones_plain() -> None:
    number = ExactInteger(BIG)
    large = [
        number + 1,
        1 - number,
        -number,
        round(number),
        divmod(number, 1)[0],
        number.numerator,
        number + np.int64(1),
    ]
    assert {type(result) for result in large} == {ExactInteger}
    assert {type(result) for result in (number % 7, number - BIG, number.bit_length(), number == 1)} == {int, bool}


def test_a_pattern_takes_it_for_an_integer() -> None:
    match ExactInteger(BIG):
        case int(value):
            assert value == BIG
        case _:
            pytest.fail("no integer")


@pytest.mark.parametrize("number", NUMBERS)
def test_no_array_has_it_as_64_bits(number: int) -> None:
    exact = ExactInteger(number)
    arrays = [
        np.array([exact, 1]),
        np.full(2, exact),
        np.arange(2) + exact,
        exact - np.arange(2),
        np.append([1, 2], exact),
    ]
    arrays += [
        pd.Series([exact, 1]).to_numpy(),
        (pd.Series([1, 2]) * exact).to_numpy(),
        np.square([exact]),
        np.cumsum([exact] * 2),
    ]
    for array in arrays:
        assert array.dtype in (np.float64, object)
        assert (array**2).sum() > 1e18
    assert (np.array([exact, 5]) == [number, 5]).all()
    assert np.isclose(np.mean([exact, exact]), number)


def test_libraries_take_it() -> None:
    exact = ExactInteger(BIG)
    assert datetime.fromtimestamp(exact) == datetime.fromtimestamp(BIG)
    assert np.zeros(ExactInteger(5_000_000), bool).shape == (5_000_000,)
    assert np.isclose(exact, BIG)
    assert np.sqrt(exact) == math.sqrt(BIG)
    np.testing.assert_allclose(exact, BIG)


def test_a_check_takes_it_for_an_integer() -> None:
    with check.recording(1) as results:
        check.close(ExactInteger(BIG), BIG)
        check.function(lambda n: ExactInteger(n), cases=[((BIG,), BIG), ((HUGE,), HUGE)])
        check.function(lambda n: {ExactInteger(n): [ExactInteger(n)]}, cases=[((BIG,), {BIG: [BIG]})])
        check.function(lambda n: ExactInteger(n + 1), cases=[((HUGE,), HUGE)])
    assert [result.fraction for result in results] == [1, 1, 1, 0]
