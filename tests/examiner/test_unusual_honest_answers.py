"""Right answers of another style than the solution's: none of them loses a point."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.examiner.cell_results import Examined
from autograder.records.exam import Role

IMPORTS = """import random
import math
import numpy as np
import pandas as pd
from autograder import check"""


class Case(NamedTuple):
    """One task: the instructor's solution and test, and a student's answer."""

    name: str
    solution: str
    answer: str
    test: str


def examined(case: Case) -> Examined:
    """Examine the answer; the solution earns all points."""
    exam = exam_of((Role.READ_ONLY, IMPORTS), (Role.ANSWER, case.solution), (Role.TEST, case.test))
    exam = dataclasses.replace(exam, cells=(*exam.cells[:2], dataclasses.replace(exam.cells[2], released="")))
    (own,) = graded(exam)
    assert own.fraction == 1, own.detail
    (of_answer,) = graded(exam, cell1=case.answer)
    return of_answer


NUMBERS = [
    Case(
        "a numpy float for a Python float",
        "def mean(xs):\n    return sum(xs) / len(xs)",
        "def mean(xs):\n    return np.mean(xs)",
        "for xs in ([1, 2], [3.5], list(range(10))):\n    assert mean(xs) == sum(xs) / len(xs)",
    ),
    Case(
        "a Python float for a numpy float",
        "def mean(xs):\n    return np.mean(xs)",
        "def mean(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return float(total / len(xs))",
        "assert mean(np.array([1, 2, 6])) == 3.0\nassert np.isclose(mean([1.5, 2.5]), 2)",
    ),
    Case(
        "a numpy integer for a Python integer",
        "def largest(xs):\n    return max(xs)",
        "def largest(xs):\n    return np.array(xs).max()",
        "assert largest([3, 9, 2]) == 9\nassert 10 - largest([3, 9, 2]) == 1\nassert [0] * largest([2, 1]) == [0, 0]",
    ),
    Case(
        "a number of 32 bits for one of 64 bits",
        "def area(r):\n    return math.pi * r ** 2",
        "def area(r):\n    return np.float32(np.pi) * np.float32(r) ** 2",
        "import pytest\nassert area(2) == pytest.approx(12.566370614, rel=1e-4)\nassert abs(area(1) - 3.14159265) < 1e-4",
    ),
    Case(
        "an array of 16 bits for one of 64 bits",
        "def scaled(x):\n    return x / np.max(x)",
        "def scaled(x):\n    x = np.asarray(x, dtype=np.float16)\n    return x / x.max()",
        "x = np.array([1.0, 2.0, 4.0])\nnp.testing.assert_allclose(scaled(x), [0.25, 0.5, 1.0])\nassert scaled(x).max() == 1",
    ),
    Case(
        "a small unsigned array for a list",
        "def bits(n):\n    return [int(c) for c in bin(n)[2:]]",
        "def bits(n):\n    return np.array(list(bin(n)[2:]), dtype=np.uint8)",
        "assert list(bits(10)) == [1, 0, 1, 0]\nassert sum(b << i for i, b in enumerate(reversed(list(bits(300))))) == 300",
    ),
    Case(
        "a fraction for a float",
        "def average(a, b):\n    return (a + b) / 2",
        "from fractions import Fraction\ndef average(a, b):\n    return Fraction(a + b, 2)",
        "assert average(1, 2) == 1.5\nassert average(3, 5) == 4\nassert abs(average(2, 5) - 3.5) < 1e-12",
    ),
    Case(
        "a float for a fraction",
        "from fractions import Fraction\nhalf = Fraction(1, 2)",
        "half = 0.5",
        "assert half == 0.5\nassert half * 4 == 2\nassert float(half) == 0.5",
    ),
    Case(
        "a decimal for a float",
        "def cents(price):\n    return round(price * 100) / 100",
        "from decimal import Decimal\ndef cents(price):\n    return Decimal(str(price)).quantize(Decimal('0.01'))",
        "assert float(cents(2.5)) == 2.5\nassert cents(0.25) == 0.25\nassert round(cents(1.504), 2) == cents(1.5)",
    ),
    Case(
        "an integer for a float that is whole",
        "def celsius(f):\n    return (f - 32) / 1.8",
        "def celsius(f):\n    c = (f - 32) * 5 / 9\n    return int(c) if c == int(c) else c",
        "assert celsius(212) == 100\nassert celsius(32) == 0\nassert math.isclose(celsius(50), 10.0)",
    ),
    Case(
        "True for 1",
        "def count_true(a, b):\n    return int(a) + int(b)",
        "def count_true(a, b):\n    return a + b if a and b else a or b",
        "assert count_true(True, True) == 2\nassert count_true(True, False) == 1\nassert count_true(False, False) == 0",
    ),
    Case(
        "a numpy boolean for a boolean",
        "def is_even(n):\n    return n % 2 == 0",
        "def is_even(n):\n    return np.mod(n, 2) == 0",
        "assert is_even(4)\nassert not is_even(3)\nassert [n for n in range(6) if is_even(n)] == [0, 2, 4]\n"
        "assert is_even(2) == True and is_even(1) == False",
    ),
    Case(
        "a boolean for a numpy boolean",
        "def has_zero(x):\n    return np.any(x == 0)",
        "def has_zero(x):\n    return 0 in x.tolist()",
        "assert has_zero(np.array([1, 0]))\nassert not has_zero(np.array([1, 2]))\nassert bool(has_zero(np.zeros(3))) is True",
    ),
    Case(
        "an array without dimensions for a number",
        "def norm(v):\n    return math.sqrt(sum(x * x for x in v))",
        "def norm(v):\n    return np.array(np.sqrt((np.asarray(v) ** 2).sum()))",
        "assert norm([3, 4]) == 5\nassert abs(norm([1, 1]) - 2 ** 0.5) < 1e-9\nassert float(norm([0])) == 0",
    ),
    Case(
        "complex numbers of numpy",
        "def roots(a, b, c):\n    d = (b * b - 4 * a * c + 0j) ** 0.5\n    return (-b + d) / (2 * a), (-b - d) / (2 * a)",
        "def roots(a, b, c):\n    return np.roots([a, b, c])",
        "got = sorted(roots(1, -3, 2), key=lambda z: z.real)\nassert abs(got[0] - 1) < 1e-9 and abs(got[1] - 2) < 1e-9\n"
        "assert all(abs(z * z + 1) < 1e-9 for z in roots(1, 0, 1))",
    ),
    Case(
        "a real number where the solution's is complex",
        "def root(x):\n    return complex(x) ** 0.5",
        "import cmath\ndef root(x):\n    z = cmath.sqrt(x)\n    return z.real if z.imag == 0 else z",
        "assert abs(root(4) - 2) < 1e-9\nassert abs(root(-4) - 2j) < 1e-9",
    ),
    Case(
        "infinity of numpy for that of math",
        "def ratio(a, b):\n    return a / b if b else math.inf",
        "def ratio(a, b):\n    with np.errstate(divide='ignore'):\n        return np.float64(a) / np.float64(b)",
        "assert ratio(1, 0) == float('inf')\nassert ratio(1, 2) == 0.5\nassert math.isinf(ratio(5, 0))",
    ),
    Case(
        "infinity of 32 bits",
        "def ratio(a, b):\n    return a / b if b else math.inf",
        "def ratio(a, b):\n    with np.errstate(divide='ignore'):\n        return np.float32(a) / np.float32(b)",
        "assert ratio(1, 0) == float('inf')\nassert ratio(1, 2) == 0.5\nassert ratio(5, 0) > 10 ** 30",
    ),
    Case(
        "an array with NaN for a list with None checked by pandas",
        "def first_or_missing(xs):\n    return [x[0] if x else math.nan for x in xs]",
        "def first_or_missing(xs):\n    return pd.Series([x[0] if x else np.nan for x in xs], dtype='float64')",
        "got = first_or_missing([[1], [], [3]])\nassert pd.isna(got[1])\nassert got[0] == 1 and got[2] == 3\n"
        "assert np.allclose(list(got), [1, np.nan, 3], equal_nan=True)",
    ),
    Case(
        "NaN of 32 bits",
        "def safe_log(x):\n    return math.log(x) if x > 0 else float('nan')",
        "def safe_log(x):\n    with np.errstate(all='ignore'):\n        return np.log(np.float32(x))",
        "assert math.isnan(safe_log(-1))\nassert abs(safe_log(1)) < 1e-6\nassert np.isnan(safe_log(-5))",
    ),
]

LARGE = [
    Case(
        "a factorial of floats",
        "def fact(n):\n    return 1 if n == 0 else n * fact(n - 1)",
        "def fact(n):\n    return round(math.exp(math.lgamma(n + 1)))",
        "for n in range(8):\n    assert fact(n) == math.factorial(n)",
    ),
    Case(
        "a large factorial by math.prod",
        "def fact(n):\n    return 1 if n == 0 else n * fact(n - 1)",
        "def fact(n):\n    return math.prod(range(1, n + 1))",
        "assert fact(30) == 265252859812191058636308480000000\nassert fact(50) // fact(49) == 50\nassert fact(20) % 19 == 0",
    ),
    Case(
        "a factorial of numpy's 64 bits",
        "def fact(n):\n    return 1 if n == 0 else n * fact(n - 1)",
        "def fact(n):\n    return np.prod(np.arange(1, n + 1, dtype=np.int64))",
        "assert fact(15) == 1307674368000\nassert fact(20) == math.factorial(20)\nassert fact(18) // fact(17) == 18",
    ),
    Case(
        "a large sum as integer where the solution has a float",
        "def total(xs):\n    return float(sum(xs))",
        "def total(xs):\n    return int(sum(xs))",
        "assert total([2_000_000_000, 3_000_000_000]) == 5e9\nassert total([1, 2]) == 3\n"
        "assert abs(total([2_000_000_000] * 3) - 6e9) < 1\nassert math.isclose(total([4_000_000_000]), 4e9)",
    ),
    Case(
        "a large sum as a numpy integer where the solution has a float array",
        "def squares(n):\n    return np.arange(n) ** 2.0",
        "def squares(n):\n    return np.arange(n, dtype=np.int64) ** 2",
        "got = squares(60_000)\nassert got[-1] == 59_999 ** 2\nassert np.allclose(got, np.arange(60_000.0) ** 2)\n"
        "assert got.sum() > 0 and got.shape == (60_000,)\nnp.testing.assert_array_equal(got[:3], [0, 1, 4])",
    ),
    Case(
        "a list of large integers where the solution has an array of floats",
        "def powers(n):\n    return np.power(2.0, np.arange(n))",
        "def powers(n):\n    return [2 ** k for k in range(n)]",
        "got = powers(40)\nassert len(got) == 40\nassert got[35] == 2 ** 35\nassert np.allclose(got, [2.0 ** k for k in range(40)])\n"
        "assert np.array(got).sum() == 2 ** 40 - 1",
    ),
    Case(
        "an array of floats where the solution has large integers",
        "def powers(n):\n    return [2 ** k for k in range(n)]",
        "def powers(n):\n    return np.power(2.0, np.arange(n))",
        "got = powers(40)\nassert len(got) == 40\nassert got[35] == 2 ** 35\nassert list(got) == [2 ** k for k in range(40)]",
    ),
    Case(
        "an array of objects where the solution has large integers",
        "def fib(n):\n    a, b = 0, 1\n    out = []\n    for _ in range(n):\n        out.append(a)\n        a, b = b, a + b\n    return out",
        "def fib(n):\n    f = np.zeros(n, dtype=object)\n    f[1] = 1\n    for i in range(2, n):\n        f[i] = f[i - 1] + f[i - 2]\n    return f",
        "assert list(fib(10)) == [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]\nassert fib(100)[-1] == 218922995834555169026",
    ),
    Case(
        "milliseconds where the solution's are seconds as float",
        "stamp = pd.Timestamp('2024-05-01').timestamp()",
        "stamp = int(pd.Timestamp('2024-05-01').timestamp())",
        "assert stamp == 1714521600\nassert pd.Timestamp(stamp, unit='s') == pd.Timestamp('2024-05-01')",
    ),
    Case(
        "timestamps as integers after the year 2038",
        "def seconds(year):\n    return (pd.Timestamp(year=year, month=1, day=1) - pd.Timestamp('1970')).total_seconds()",
        "import calendar\ndef seconds(year):\n    return calendar.timegm((year, 1, 1, 0, 0, 0))",
        "assert seconds(1970) == 0\nassert seconds(2040) == 2208988800\nassert pd.Timestamp(seconds(2040), unit='s').year == 2040\n"
        "assert '%d' % seconds(2040) == '2208988800'\nassert int(seconds(2050)) == 2524608000",
    ),
    Case(
        "a hash as numpy integer",
        "def djb2(s):\n    h = 5381\n    for c in s:\n        h = (h * 33 + ord(c)) % 2 ** 32\n    return h",
        "def djb2(s):\n    h = np.uint64(5381)\n    for c in s:\n        h = (h * np.uint64(33) + np.uint64(ord(c))) % np.uint64(2 ** 32)\n    return h",
        "assert djb2('') == 5381\nassert djb2('hello world') == 894552257\nassert djb2('abcdef') % 101 == djb2('abcdef') % 101\n"
        "assert hex(djb2('hello')) == '0xf923099'",
    ),
    Case(
        "a large product where the solution only shows small numbers at that place",
        "def product(xs):\n    p = 1.0\n    for x in xs:\n        p *= x\n    return p",
        "from functools import reduce\ndef product(xs):\n    return reduce(lambda a, b: a * b, xs, 1)",
        "for xs in ([2, 3], [], [10] * 12):\n    assert product(xs) == 10 ** 12 or product(xs) in (6, 1)\n"
        "assert f'{product([10] * 11):.0f}' == '1' + '0' * 11",
    ),
    Case(
        "the number of grains as numpy's unsigned integer",
        "def grains(square):\n    return 2 ** (square - 1)",
        "def grains(square):\n    return np.uint64(1) << np.uint64(square - 1)",
        "assert grains(1) == 1\nassert grains(64) == 9223372036854775808\nassert grains(33) == 4294967296",
    ),
]

SEQUENCES = [
    Case(
        "an array for a list",
        "def squares(n):\n    return [k * k for k in range(n)]",
        "def squares(n):\n    return np.arange(n) ** 2",
        "assert list(squares(4)) == [0, 1, 4, 9]\nassert len(squares(7)) == 7\nassert squares(5)[-1] == 16",
    ),
    Case(
        "a list for an array",
        "def squares(n):\n    return np.arange(n) ** 2",
        "def squares(n):\n    return [k * k for k in range(n)]",
        "np.testing.assert_array_equal(squares(4), [0, 1, 4, 9])\nassert np.sum(squares(3)) == 5",
    ),
    Case(
        "a tuple for a list",
        "def minmax(xs):\n    return [min(xs), max(xs)]",
        "def minmax(xs):\n    return min(xs), max(xs)",
        "low, high = minmax([3, 1, 2])\nassert low == 1 and high == 3\nassert list(minmax([5])) == [5, 5]",
    ),
    Case(
        "a deque for a list",
        "def rotate(xs, k):\n    k %= len(xs)\n    return xs[-k:] + xs[:-k]",
        "from collections import deque\ndef rotate(xs, k):\n    d = deque(xs)\n    d.rotate(k)\n    return d",
        "assert list(rotate([1, 2, 3, 4], 1)) == [4, 1, 2, 3]\nassert rotate([1, 2, 3], 2)[0] == 2",
    ),
    Case(
        "a generator for a list",
        "def evens(n):\n    return [k for k in range(n) if k % 2 == 0]",
        "def evens(n):\n    for k in range(0, n, 2):\n        yield k",
        "assert list(evens(7)) == [0, 2, 4, 6]\nassert sum(evens(5)) == 6\nassert all(k % 2 == 0 for k in evens(20))",
    ),
    Case(
        "a list for a generator",
        "def evens(n):\n    for k in range(0, n, 2):\n        yield k",
        "def evens(n):\n    return [k for k in range(n) if k % 2 == 0]",
        "assert list(evens(7)) == [0, 2, 4, 6]\nassert [*evens(3)] == [0, 2]",
    ),
    Case(
        "a map object for a list",
        "def lengths(words):\n    return [len(w) for w in words]",
        "def lengths(words):\n    return map(len, words)",
        "assert sorted(lengths(['aa', 'b'])) == [1, 2]\nassert max(lengths(['abc', ''])) == 3",
    ),
    Case(
        "an iterator class for a generator",
        "def countdown(n):\n    while n:\n        yield n\n        n -= 1",
        "class countdown:\n    def __init__(self, n):\n        self.n = n\n    def __iter__(self):\n        return self\n"
        "    def __next__(self):\n        if self.n == 0:\n            raise StopIteration\n        self.n -= 1\n        return self.n + 1",
        "assert list(countdown(3)) == [3, 2, 1]\nassert next(iter(countdown(5))) == 5",
    ),
    Case(
        "a range for a list",
        "def evens(n):\n    return [k for k in range(n) if k % 2 == 0]",
        "def evens(n):\n    return range(0, n, 2)",
        "assert list(evens(7)) == [0, 2, 4, 6]\nassert 4 in evens(7) and 5 not in evens(7)",
    ),
    Case(
        "a frozenset for a set",
        "def vowels(s):\n    return set(s) & set('aeiou')",
        "def vowels(s):\n    return frozenset(c for c in s if c in 'aeiou')",
        "assert vowels('banana') == {'a'}\nassert vowels('xyz') == set()\nassert len(vowels('education')) == 5",
    ),
    Case(
        "the keys of a dict for a set",
        "def letters(s):\n    return set(s)",
        "def letters(s):\n    return dict.fromkeys(s).keys()",
        "assert letters('hello') == {'h', 'e', 'l', 'o'}\nassert sorted(letters('cab')) == ['a', 'b', 'c']",
    ),
    Case(
        "a Counter for a dict",
        "def counts(s):\n    d = {}\n    for c in s:\n        d[c] = d.get(c, 0) + 1\n    return d",
        "from collections import Counter\ndef counts(s):\n    return Counter(s)",
        "assert counts('aab') == {'a': 2, 'b': 1}\nassert counts('')  == {}\nassert sorted(counts('ba')) == ['a', 'b']",
    ),
    Case(
        "a defaultdict for a dict",
        "def groups(words):\n    d = {}\n    for w in words:\n        d.setdefault(len(w), []).append(w)\n    return d",
        "from collections import defaultdict\ndef groups(words):\n    d = defaultdict(lambda: [])\n    for w in words:\n        d[len(w)] += [w]\n    return d",
        "assert groups(['a', 'bb', 'c']) == {1: ['a', 'c'], 2: ['bb']}\nassert 3 not in groups(['a'])",
    ),
    Case(
        "an OrderedDict for a dict",
        "ages = {'ann': 3, 'bob': 4}",
        "from collections import OrderedDict\nages = OrderedDict([('bob', 4), ('ann', 3)])",
        "assert ages == {'ann': 3, 'bob': 4}\nassert sum(ages.values()) == 7",
    ),
    Case(
        "a dict for a Counter",
        "from collections import Counter\ndef counts(s):\n    return Counter(s)",
        "def counts(s):\n    return {c: s.count(c) for c in s}",
        "assert dict(counts('aab')) == {'a': 2, 'b': 1}\nassert max(counts('abb'), key=counts('abb').get) == 'b'",
    ),
    Case(
        "a nested tuple for a matrix",
        "def identity(n):\n    return np.eye(n)",
        "def identity(n):\n    return tuple(tuple(1 if i == j else 0 for j in range(n)) for i in range(n))",
        "assert np.array_equal(identity(2), np.eye(2))\nassert np.allclose(identity(3) @ np.ones(3), 1)",
    ),
    Case(
        "np.matrix for an array",
        "def inverse(a):\n    return np.linalg.inv(a)",
        "def inverse(a):\n    return np.matrix(a).I",
        "a = np.array([[2.0, 0], [0, 4]])\nassert np.allclose(inverse(a), [[0.5, 0], [0, 0.25]])\nassert np.allclose(a @ inverse(a), np.eye(2))",
    ),
    Case(
        "a masked array without a mask",
        "def clip(x):\n    return np.clip(x, 0, 1)",
        "def clip(x):\n    x = np.ma.masked_array(x)\n    return np.ma.where(x > 1, 1, np.ma.where(x < 0, 0, x))",
        "np.testing.assert_allclose(clip(np.array([-1, 0.5, 2])), [0, 0.5, 1])\nassert clip(np.array([3.0])).sum() == 1",
    ),
    Case(
        "columns in Fortran order",
        "def transpose(a):\n    return np.array([[row[i] for row in a] for i in range(len(a[0]))])",
        "def transpose(a):\n    return np.asarray(a).T",
        "assert (transpose([[1, 2], [3, 4]]) == np.array([[1, 3], [2, 4]])).all()\nassert transpose([[1, 2, 3]]).shape == (3, 1)",
    ),
    Case(
        "a string of numpy",
        "def longest(words):\n    return max(words, key=len)",
        "def longest(words):\n    a = np.array(words)\n    return a[np.char.str_len(a).argmax()]",
        "assert longest(['a', 'ccc', 'bb']) == 'ccc'\nassert longest(['x']).upper() == 'X'\nassert 'word: ' + longest(['q']) == 'word: q'",
    ),
    Case(
        "an array of strings",
        "def upper(words):\n    return [w.upper() for w in words]",
        "def upper(words):\n    return np.char.upper(words)",
        "assert list(upper(['a', 'b'])) == ['A', 'B']\nassert ' '.join(upper(['x', 'y'])) == 'X Y'",
    ),
]

PANDAS = "people = pd.DataFrame({'name': ['ann', 'bob', 'cy'], 'age': [31, 25, 40], 'team': ['a', 'b', 'a']})\n"
TABLES = [
    Case(
        "a nullable column",
        PANDAS + "ages = people['age'] + 1",
        PANDAS + "ages = people['age'].astype('Int64') + 1",
        "assert ages.tolist() == [32, 26, 41]\nassert (ages == pd.Series([32, 26, 41])).all()\nassert ages.mean() == 33",
    ),
    Case(
        "a nullable table by convert_dtypes",
        PANDAS + "def old(t):\n    return t[t['age'] > 30]",
        PANDAS + "def old(t):\n    t = t.convert_dtypes()\n    return t.loc[t.age.gt(30)]",
        "got = old(people)\nassert got['name'].tolist() == ['ann', 'cy']\nassert got.shape == (2, 3)\nassert (got['age'] > 30).all()\n"
        "pd.testing.assert_frame_equal(got.reset_index(drop=True), people.iloc[[0, 2]].reset_index(drop=True), check_dtype=False)",
    ),
    Case(
        "a categorical column",
        PANDAS + "teams = people['team']",
        PANDAS + "teams = people['team'].astype('category')",
        "assert teams.tolist() == ['a', 'b', 'a']\nassert teams.nunique() == 2\nassert (teams == 'a').sum() == 2",
    ),
    Case(
        "a string column",
        PANDAS + "def initials(t):\n    return t['name'].map(lambda n: n[0].upper())",
        PANDAS + "def initials(t):\n    return t.name.astype('string').str.get(0).str.upper()",
        "assert list(initials(people)) == ['A', 'B', 'C']\nassert initials(people).eq(pd.Series(['A', 'B', 'C'])).all()",
    ),
    Case(
        "a boolean nullable mask",
        PANDAS + "is_old = people['age'] > 30",
        PANDAS + "is_old = people.age.astype('Int64') > 30",
        "assert is_old.sum() == 2\nassert is_old.tolist() == [True, False, True]\n"
        "assert pd.Series([1, 2, 3])[is_old].tolist() == [1, 3]",
    ),
    Case(
        "a narrow column by downcast",
        PANDAS + "def ages(t):\n    return t['age']",
        PANDAS + "def ages(t):\n    return pd.to_numeric(t['age'], downcast='integer')",
        "assert ages(people).sum() == 96\nassert (ages(people) * 10).max() == 400",
    ),
    Case(
        "a dict for a series",
        PANDAS + "def mean_age(t):\n    return t.groupby('team')['age'].mean()",
        PANDAS + "def mean_age(t):\n    return {k: g['age'].mean() for k, g in t.groupby('team')}",
        "got = mean_age(people)\nassert got['a'] == 35.5 and got['b'] == 25\nassert dict(got) == {'a': 35.5, 'b': 25.0}",
    ),
    Case(
        "an array for a series",
        PANDAS + "def zscores(t):\n    return (t['age'] - t['age'].mean()) / t['age'].std()",
        PANDAS
        + "def zscores(t):\n    a = t['age'].to_numpy(dtype='float32')\n    return (a - a.mean()) / a.std(ddof=1)",
        "z = zscores(people)\nassert abs(z.mean()) < 1e-6\nassert np.isclose(z.std(), z.std())\n"
        "assert np.allclose(z, [-0.1325, -0.9272, 1.0596], atol=1e-3)",
    ),
    Case(
        "a table changed in place and returned",
        PANDAS + "def with_year(t):\n    return t.assign(born=2024 - t['age'])",
        PANDAS + "def with_year(t):\n    t['born'] = 2024 - t['age']\n    return t",
        "got = with_year(people)\nassert got['born'].tolist() == [1993, 1999, 1984]\nassert 'born' in got.columns",
    ),
    Case(
        "a table copied where the solution changes it and returns it",
        PANDAS + "def with_year(t):\n    t['born'] = 2024 - t['age']\n    return t",
        PANDAS + "def with_year(t):\n    t = t.copy()\n    t.insert(0, 'born', t.age.rsub(2024))\n    return t",
        "t = people.copy()\ngot = with_year(t)\nassert got['born'].tolist() == [1993, 1999, 1984]\nassert set(got.columns) == {'name', 'age', 'team', 'born'}",
    ),
    Case(
        "a chain of methods with pipe and query",
        PANDAS + "def names(t):\n    t = t[t['age'] > 30]\n    t = t.sort_values('age')\n    return t['name'].tolist()",
        PANDAS
        + "limit = 30\ndef names(t):\n    return (t.query('age > @limit').pipe(lambda d: d.sort_values('age')).name.to_numpy())",
        "assert list(names(people)) == ['ann', 'cy']\nassert len(names(people.head(0))) == 0",
    ),
    Case(
        "missing values as pandas' own",
        "def fill(s):\n    return s.fillna(s.mean())",
        "def fill(s):\n    s = s.convert_dtypes()\n    return s.mask(s.isna(), s.mean())",
        "s = pd.Series([1.0, None, 3.0])\nassert fill(s).tolist() == [1, 2, 3]\nassert fill(s).isna().sum() == 0",
    ),
    Case(
        "missing values left as pandas' own",
        "def ages(t):\n    return pd.to_numeric(t, errors='coerce')",
        "def ages(t):\n    return pd.to_numeric(t, errors='coerce').astype('Int64')",
        "got = ages(pd.Series(['1', 'x', '3']))\nassert got.isna().sum() == 1\nassert got.dropna().tolist() == [1, 3]\nassert got.sum() == 4",
    ),
    Case(
        "a query with subqueries",
        "query = 'SELECT name FROM pets WHERE age = (SELECT MAX(age) FROM pets)'",
        "query = '''WITH ranked AS (SELECT name, RANK() OVER (ORDER BY age DESC) AS r FROM pets)\n"
        "           SELECT name -- the oldest\n           FROM ranked WHERE r = 1;'''",
        "import sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('CREATE TABLE pets (name TEXT, age INT)')\n"
        "db.executemany('INSERT INTO pets VALUES (?, ?)', [('a', 1), ('b', 9), ('c', 9)])\n"
        "assert sorted(db.execute(query).fetchall()) == [('b',), ('c',)]",
    ),
    Case(
        "a query by VALUES and UNION",
        "def query(n):\n    return f'SELECT name FROM pets ORDER BY age LIMIT {n}'",
        "def query(n):\n    return ('SELECT name FROM (SELECT name, age, (SELECT COUNT(*) FROM pets q WHERE q.age < p.age) AS k '\n"
        "            'FROM pets p) WHERE k < ' + str(n) + ' UNION ALL SELECT NULL WHERE 0')",
        "import sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('CREATE TABLE pets (name TEXT, age INT)')\n"
        "db.executemany('INSERT INTO pets VALUES (?, ?)', [('a', 1), ('b', 9), ('c', 5)])\n"
        "got = pd.read_sql(query(2), db)\nassert sorted(got['name']) == ['a', 'c']",
    ),
    Case(
        "a recursive query",
        "query = 'SELECT COUNT(*) FROM n'",
        "query = 'WITH RECURSIVE k(i, c) AS (SELECT MIN(i), 1 FROM n UNION ALL SELECT i + 1, c + 1 FROM k WHERE i < (SELECT MAX(i) FROM n)) SELECT MAX(c) FROM k'",
        "import sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('CREATE TABLE n (i INT)')\n"
        "db.executemany('INSERT INTO n VALUES (?)', [(k,) for k in range(20)])\nassert db.execute(query).fetchone()[0] == 20",
    ),
]

FUNCTIONS = [
    Case(
        "a lambda",
        "def double(x):\n    return 2 * x",
        "double = lambda x: x << 1",
        "assert [double(k) for k in range(4)] == [0, 2, 4, 6]\nassert list(map(double, (5, 6))) == [10, 12]",
    ),
    Case(
        "functools.partial",
        "def power_of_two(n):\n    return 2 ** n",
        "from functools import partial\npower_of_two = partial(pow, 2)",
        "assert power_of_two(5) == 32\nassert list(map(power_of_two, range(4))) == [1, 2, 4, 8]",
    ),
    Case(
        "a callable object",
        "def add(a, b=1):\n    return a + b",
        "class Adder:\n    __slots__ = ()\n    def __call__(self, a, b=1):\n        return a + b\nadd = Adder()",
        "assert add(1) == 2 and add(1, b=5) == 6\nassert callable(add)\nassert [add(*p) for p in [(1, 2), (3, 4)]] == [3, 7]",
    ),
    Case(
        "a function for an instance of a class",
        "class Line:\n    def __init__(self, a, b):\n        self.a, self.b = a, b\n    def __call__(self, x):\n        return self.a * x + self.b\n"
        "line = Line(2, 1)",
        "def line(x):\n    return 2 * x + 1",
        "assert line(0) == 1 and line(3) == 7\nassert list(map(line, [1, 2])) == [3, 5]",
    ),
    Case(
        "a closure for a class",
        "class Counter:\n    def __init__(self, start):\n        self.n = start\n    def __call__(self):\n        self.n += 1\n        return self.n\n"
        "def make_counter(start=0):\n    return Counter(start)",
        "def make_counter(start=0):\n    def step():\n        nonlocal start\n        start += 1\n        return start\n    return step",
        "a, b = make_counter(), make_counter(10)\nassert [a(), a(), b(), a()] == [1, 2, 11, 3]",
    ),
    Case(
        "a generator's method for a closure",
        "def make_counter():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n        return n\n    return step",
        "import itertools\ndef make_counter():\n    return itertools.count(1).__next__",
        "a, b = make_counter(), make_counter()\nassert [a(), a(), b()] == [1, 2, 1]",
    ),
    Case(
        "a decorated function",
        "def hypot(a, b):\n    return (a * a + b * b) ** 0.5",
        "import functools\ndef checked(f):\n    @functools.wraps(f)\n    def g(*args):\n        assert all(x >= 0 for x in args)\n        return f(*args)\n"
        "    return g\n@checked\ndef hypot(a, b):\n    return math.hypot(a, b)",
        "assert hypot(3, 4) == 5\nassert hypot.__name__ == 'hypot'",
    ),
    Case(
        "lru_cache for recursion",
        "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)",
        "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)",
        "assert [fib(k) for k in range(10)] == [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]\nassert fib(15) == 610",
    ),
    Case(
        "a dict of the module as cache",
        "def fib(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a",
        "memo = {0: 0, 1: 1}\ndef fib(n):\n    if n not in memo:\n        memo[n] = fib(n - 1) + fib(n - 2)\n    return memo[n]",
        "for n, expected in enumerate([0, 1, 1, 2, 3, 5, 8]):\n    assert fib(n) == expected\nassert fib(90) == 2880067194370816120",
    ),
    Case(
        "a cache in a default argument",
        "def steps(n):\n    k = 0\n    while n != 1:\n        n = n // 2 if n % 2 == 0 else 3 * n + 1\n        k += 1\n    return k",
        "def steps(n, seen={1: 0}):\n    if n not in seen:\n        seen[n] = 1 + steps(n // 2 if n % 2 == 0 else 3 * n + 1)\n    return seen[n]",
        "assert steps(27) == 111\nassert [steps(k) for k in (1, 2, 3)] == [0, 1, 7]",
    ),
    Case(
        "an attribute of a function as counter",
        "calls = 0\ndef tick():\n    global calls\n    calls += 1\n    return calls",
        "def tick():\n    tick.n += 1\n    return tick.n\ntick.n = 0",
        "assert tick() == 1\nassert tick() == 2\nassert [tick() for _ in range(2)] == [3, 4]",
    ),
    Case(
        "a counter in a list of the notebook",
        "calls = 0\ndef tick():\n    global calls\n    calls += 1\n    return calls",
        "state = [0]\ndef tick():\n    state[0] += 1\n    return state[0]",
        "assert tick() == 1\nassert tick() == 2\nassert [tick() for _ in range(2)] == [3, 4]",
    ),
    Case(
        "a doctest in the docstring",
        "def square(x):\n    return x * x",
        'def square(x):\n    """Square.\n\n    >>> square(3)\n    9\n    """\n    return x ** 2\nimport doctest\ndoctest.testmod()',
        "assert square(-3) == 9\nassert square.__doc__ is None or isinstance(square.__doc__, str)",
    ),
    Case(
        "threads",
        "def squares(xs):\n    return [x * x for x in xs]",
        "from concurrent.futures import ThreadPoolExecutor\ndef squares(xs):\n    with ThreadPoolExecutor(4) as pool:\n        return list(pool.map(lambda x: x * x, xs))",
        "assert squares([1, 2, 3]) == [1, 4, 9]\nassert squares([]) == []",
    ),
    Case(
        "a thread of one's own with a queue",
        "def total(xs):\n    return sum(xs)",
        "import threading, queue\ndef total(xs):\n    q = queue.Queue()\n    t = threading.Thread(target=lambda: q.put(sum(xs)))\n    t.start()\n    t.join()\n    return q.get()",
        "assert total([1, 2, 3]) == 6\nassert total(range(5)) == 10",
    ),
    Case(
        "coroutines",
        "def fetch_all(names):\n    return [n.upper() for n in names]",
        "import asyncio\nasync def fetch(n):\n    await asyncio.sleep(0)\n    return n.upper()\ndef fetch_all(names):\n    async def run():\n"
        "        return await asyncio.gather(*map(fetch, names))\n    return asyncio.new_event_loop().run_until_complete(run())",
        "assert fetch_all(['a', 'b']) == ['A', 'B']\nassert list(fetch_all([])) == []",
    ),
    Case(
        "an own exception derived from the asked one",
        "def root(x):\n    if x < 0:\n        raise ValueError('negative')\n    return x ** 0.5",
        "class NegativeError(ValueError):\n    def __init__(self, x):\n        self.x = x\n        super().__init__(f'{x} is negative')\ndef root(x):\n    if x < 0:\n"
        "        raise NegativeError(x)\n    return math.sqrt(x)",
        "import pytest\nassert root(9) == 3\nwith pytest.raises(ValueError):\n    root(-1)\n"
        "try:\n    root(-4)\n    assert False\nexcept ValueError as error:\n    assert 'negative' in str(error)",
    ),
    Case(
        "an exception of a library that derives from the asked one",
        "def parse(s):\n    if not s.startswith('{'):\n        raise ValueError(s)\n    return {}",
        "import json\ndef parse(s):\n    return json.loads(s)",
        "import pytest\nassert parse('{}') == {}\nwith pytest.raises(ValueError):\n    parse('x')\npytest.raises(Exception, parse, '')",
    ),
    Case(
        "KeyError by a dict for LookupError",
        "def price(name):\n    if name != 'tea':\n        raise LookupError(name)\n    return 3",
        "price = {'tea': 3}.__getitem__",
        "import pytest\nassert price('tea') == 3\nwith pytest.raises(LookupError):\n    price('gold')",
    ),
    Case(
        "a match statement and walrus",
        "def kind(x):\n    if isinstance(x, list):\n        return 'list'\n    if isinstance(x, dict):\n        return 'dict'\n    return 'other'",
        "def kind(x):\n    match x:\n        case [*_]:\n            return 'list'\n        case {}:\n            return 'dict'\n    return (y := 'other')",
        "assert [kind(x) for x in ([], {}, 3)] == ['list', 'dict', 'other']",
    ),
    Case(
        "recursion for a loop over a nested list",
        "def flatten(xs):\n    out = []\n    stack = [xs]\n    while stack:\n        x = stack.pop()\n        if isinstance(x, list):\n            stack.extend(reversed(x))\n"
        "        else:\n            out.append(x)\n    return out",
        "def flatten(xs):\n    return sum(map(flatten, xs), []) if isinstance(xs, list) else [xs]",
        "assert flatten([1, [2, [3, []]], 4]) == [1, 2, 3, 4]\nassert flatten([]) == []",
    ),
    Case(
        "yield from for a list of permutations",
        "import itertools\ndef permutations(xs):\n    return list(itertools.permutations(xs))",
        "def permutations(xs):\n    if not xs:\n        yield ()\n    for i, x in enumerate(xs):\n        for rest in permutations(xs[:i] + xs[i + 1:]):\n            yield (x, *rest)",
        "assert sorted(permutations([1, 2, 3])) == [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]\n"
        "assert len(set(permutations([1, 2, 3, 4]))) == 24",
    ),
    Case(
        "a sort key as callable object",
        "def by_length(w):\n    return (len(w), w)",
        "from operator import itemgetter\nclass Key:\n    def __call__(self, w):\n        return [len(w), w]\nby_length = Key()",
        "assert sorted(['ccc', 'b', 'a'], key=by_length) == ['a', 'b', 'ccc']\nassert max(['x', 'yy'], key=by_length) == 'yy'",
    ),
    Case(
        "a sort key of numpy's scalars",
        "def distance(p):\n    return (p[0] ** 2 + p[1] ** 2) ** 0.5",
        "def distance(p):\n    return np.linalg.norm(p)",
        "assert sorted([(3, 4), (0, 1), (2, 2)], key=distance) == [(0, 1), (2, 2), (3, 4)]\nassert min([(1, 1), (5, 5)], key=distance) == (1, 1)",
    ),
    Case(
        "a sort key of narrow scalars",
        "def brightness(p):\n    return sum(p) / 3",
        "def brightness(p):\n    return np.float16(np.mean(p))",
        "assert sorted([(200, 9, 9), (0, 0, 1), (255, 255, 255)], key=brightness)[0] == (0, 0, 1)",
    ),
]

GLOBALS = [
    Case(
        "a global read by a class instead of the function",
        "limit = 10\ndef small(xs):\n    return [x for x in xs if x < limit]",
        "limit = 10\nclass Filter:\n    def __call__(self, x):\n        return x < limit\ndef small(xs):\n    return list(filter(Filter(), xs))",
        "limit = 3\nassert small([1, 5, 2]) == [1, 2]\nlimit = 6\nassert small([1, 5, 7]) == [1, 5]",
    ),
    Case(
        "a global read by a helper of the answer",
        "rate = 0.5\ndef tax(x):\n    return x * rate",
        "rate = 0.5\ndef current_rate():\n    return globals()['rate']\ndef tax(x):\n    return x * current_rate()",
        "rate = 0.25\nassert tax(8) == 2",
    ),
    Case(
        "a global read by the function where the solution's helper reads it",
        "rate = 0.5\ndef rate_of(x):\n    return rate\ndef tax(x):\n    return x * rate_of(x)",
        "rate = 0.5\ndef tax(x):\n    return x * rate",
        "rate = 0.25\nassert tax(8) == 2",
    ),
    Case(
        "a global read by a method where the solution's is read at another one",
        "scale = 2\nclass Ruler:\n    def __init__(self, length):\n        self.length = length\n    def measure(self):\n        return self.length * scale",
        "scale = 2\nclass Ruler:\n    def __init__(self, length):\n        self.length = length\n    @property\n    def scaled(self):\n        return scale * self.length\n"
        "    def measure(self):\n        return self.scaled",
        "scale = 10\nassert Ruler(3).measure() == 30",
    ),
    Case(
        "a global that the solution does not need",
        "data = [1, 2, 3]\ndef mean(xs):\n    return sum(xs) / len(xs)",
        "data = [1, 2, 3]\ndef mean(xs):\n    data = list(xs)\n    return sum(data) / len(data)",
        "data = [2, 4]\nassert mean(data) == 3",
    ),
    Case(
        "a generator that reads a global late",
        "step = 1\ndef walk(n):\n    return [k * step for k in range(n)]",
        "step = 1\ndef walk(n):\n    for k in range(n):\n        yield k * step",
        "step = 5\nassert list(walk(3)) == [0, 5, 10]",
    ),
    Case(
        "a log that the answer binds anew",
        "log = []\ndef note(x):\n    log.append(x)",
        "log = []\ndef note(x):\n    global log\n    log = log + [x]",
        "note(1)\nnote(2)\nassert log == [1, 2]",
    ),
    Case(
        "a log that the answer extends where the solution binds it anew",
        "log = []\ndef note(x):\n    global log\n    log = log + [x]",
        "log = []\ndef note(x):\n    log.append(x)",
        "note(1)\nnote(2)\nassert log == [1, 2]",
    ),
    Case(
        "a log that is a deque",
        "log = []\ndef note(x):\n    log.append(x)",
        "from collections import deque\nlog = deque()\ndef note(x):\n    log.append(x)",
        "note(1)\nnote(2)\nassert list(log) == [1, 2]\nlog.clear()\nnote(3)\nassert len(log) == 1",
    ),
    Case(
        "a table of the notebook changed by a helper",
        "stock = {'tea': 2}\ndef sell(name):\n    stock[name] -= 1",
        "stock = {'tea': 2}\ndef change(name, by):\n    stock.update({name: stock[name] + by})\ndef sell(name):\n    change(name, -1)",
        "sell('tea')\nassert stock['tea'] == 1\nstock['tea'] = 5\nsell('tea')\nassert stock == {'tea': 4}",
    ),
]

CHANGES = [
    Case(
        "sorted copy where the solution sorts in place and returns",
        "def ordered(xs):\n    xs.sort()\n    return xs",
        "def ordered(xs):\n    return sorted(xs)",
        "xs = [3, 1, 2]\nassert ordered(xs) == [1, 2, 3]\nassert ordered([]) == []",
    ),
    Case(
        "sort in place and return where the solution copies",
        "def ordered(xs):\n    return sorted(xs)",
        "def ordered(xs):\n    xs.sort()\n    return xs",
        "xs = [3, 1, 2]\nassert ordered(xs) == [1, 2, 3]\nassert ordered([2, 1]) == [1, 2]",
    ),
    Case(
        "sort in place through a helper as statement",
        "def bubble(xs):\n    for i in range(len(xs)):\n        for j in range(len(xs) - 1 - i):\n            if xs[j] > xs[j + 1]:\n                xs[j], xs[j + 1] = xs[j + 1], xs[j]",
        "def swap(xs, i, j):\n    xs[i], xs[j] = xs[j], xs[i]\ndef sink(xs, n):\n    for j in range(n):\n        if xs[j] > xs[j + 1]:\n            swap(xs, j, j + 1)\n"
        "def bubble(xs):\n    for n in range(len(xs) - 1, 0, -1):\n        sink(xs, n)",
        "xs = [5, 1, 4, 2]\nbubble(xs)\nassert xs == [1, 2, 4, 5]\nempty = []\nbubble(empty)\nassert empty == []",
    ),
    Case(
        "slice assignment for a sort in place",
        "def quick(xs, low=0, high=None):\n    xs.sort()",
        "def quick(xs):\n    def q(ys):\n        return ys if len(ys) < 2 else q([y for y in ys[1:] if y < ys[0]]) + [ys[0]] + q([y for y in ys[1:] if y >= ys[0]])\n    xs[:] = q(list(xs))",
        "for xs in ([3, 1, 2], [], [2, 2, 1]):\n    expected = sorted(xs)\n    quick(xs)\n    assert xs == expected",
    ),
    Case(
        "an in-place change of an array with another dtype",
        "def negate(a):\n    a *= -1",
        "def negate(a):\n    for i in range(len(a)):\n        a[i] = -a[i]",
        "a = np.array([1, -2, 3])\nnegate(a)\nassert a.tolist() == [-1, 2, -3]",
    ),
    Case(
        "a dict changed in place and nothing returned, by update",
        "def birthday(person):\n    person['age'] += 1",
        "def birthday(person):\n    person.update(age=person.pop('age') + 1)",
        "ann = {'name': 'ann', 'age': 3}\nbirthday(ann)\nassert ann == {'name': 'ann', 'age': 4}",
    ),
    Case(
        "rows changed through aliases",
        "def zero_row(grid, i):\n    for j in range(len(grid[i])):\n        grid[i][j] = 0",
        "def zero_row(grid, i):\n    grid[i] = [0] * len(grid[i])",
        "grid = [[1, 2], [3, 4]]\nzero_row(grid, 0)\nassert grid == [[0, 0], [3, 4]]",
    ),
    Case(
        "an unused argument is emptied by the answer",
        "def merge(a, b):\n    return sorted(a + b)",
        "def merge(a, b):\n    out = []\n    while a and b:\n        out.append(a.pop(0) if a[0] <= b[0] else b.pop(0))\n    return out + a + b",
        "assert merge([1, 4], [2, 3]) == [1, 2, 3, 4]\na, b = [1], [0, 9]\nassert merge(a, b) == [0, 1, 9]",
    ),
    Case(
        "a table changed in place as statement by another way",
        "def clean(t):\n    t.dropna(inplace=True)",
        "def clean(t):\n    t.drop(index=t.index[t.isna().any(axis=1)], inplace=True)",
        "t = pd.DataFrame({'a': [1.0, None, 3.0], 'b': [1, 2, 3]})\nclean(t)\nassert len(t) == 2\nassert t['a'].tolist() == [1, 3]",
    ),
    Case(
        "in-place sort by a method of a class",
        "class Sorter:\n    def sort(self, xs):\n        xs.sort()\n        return self",
        "class Sorter:\n    @staticmethod\n    def sort(xs):\n        xs[:] = sorted(xs)\n        return Sorter()",
        "xs = [2, 1]\nSorter().sort(xs).sort(xs)\nassert xs == [1, 2]",
    ),
    Case(
        "either way where the test takes both",
        "def ordered(xs):\n    xs.sort()",
        "def ordered(xs):\n    return sorted(xs)",
        "xs = [3, 1, 2]\nresult = ordered(xs)\nif result is None:\n    result = xs\nassert result == [1, 2, 3]",
    ),
]

OBJECTS = [
    Case(
        "a class with slots",
        "class Point:\n    def __init__(self, x, y):\n        self.x, self.y = x, y\n    def norm(self):\n        return (self.x ** 2 + self.y ** 2) ** 0.5",
        "class Point:\n    __slots__ = ('x', 'y')\n    def __init__(self, x, y):\n        self.x = x\n        self.y = y\n    def norm(self):\n        return math.hypot(self.x, self.y)",
        "p = Point(3, 4)\nassert p.norm() == 5 and p.x == 3\np.x = 0\nassert p.norm() == 4",
    ),
    Case(
        "a dataclass",
        "class Point:\n    def __init__(self, x, y=0):\n        self.x, self.y = x, y\n    def __eq__(self, other):\n        return (self.x, self.y) == (other.x, other.y)",
        "from dataclasses import dataclass\n@dataclass(order=True)\nclass Point:\n    x: float\n    y: float = 0",
        "assert Point(1, 2) == Point(1, 2)\nassert Point(1) != Point(2)\nassert Point(1).y == 0",
    ),
    Case(
        "a class for a dataclass",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Card:\n    rank: int\n    suit: str",
        "class Card:\n    def __init__(self, rank, suit):\n        self.__dict__.update(rank=rank, suit=suit)\n    def __eq__(self, o):\n"
        "        return isinstance(o, Card) and vars(self) == vars(o)\n    def __hash__(self):\n        return hash((self.rank, self.suit))\n    def __setattr__(self, *_):\n        raise AttributeError('frozen')",
        "import pytest\nassert Card(1, 'h') == Card(1, 'h') and Card(1, 'h') != Card(2, 'h')\nassert len({Card(1, 'h'), Card(1, 'h')}) == 1\n"
        "with pytest.raises(AttributeError):\n    Card(1, 'h').rank = 2",
    ),
    Case(
        "a named tuple for a class",
        "class Point:\n    def __init__(self, x, y):\n        self.x, self.y = x, y\n    def __add__(self, o):\n        return Point(self.x + o.x, self.y + o.y)",
        "from typing import NamedTuple\nclass Point(NamedTuple):\n    x: float\n    y: float\n    def __add__(self, o):\n        return Point(self.x + o.x, self.y + o.y)",
        "p = Point(1, 2) + Point(3, 4)\nassert (p.x, p.y) == (4, 6)",
    ),
    Case(
        "properties for attributes",
        "class Square:\n    def __init__(self, side):\n        self.side = side\n        self.area = side * side",
        "class Square:\n    def __init__(self, side):\n        self._side = side\n    side = property(lambda self: self._side)\n    @property\n    def area(self):\n        return self._side ** 2",
        "s = Square(3)\nassert s.area == 9 and s.side == 3",
    ),
    Case(
        "__getattr__ for attributes",
        "class Config:\n    def __init__(self, **kw):\n        for k, v in kw.items():\n            setattr(self, k, v)",
        "class Config:\n    def __init__(self, **kw):\n        self._kw = kw\n    def __getattr__(self, name):\n        try:\n            return self.__dict__['_kw'][name]\n        except KeyError:\n            raise AttributeError(name)",
        "c = Config(a=1, b='x')\nassert c.a == 1 and c.b == 'x'\nassert not hasattr(c, 'z')",
    ),
    Case(
        "methods that chain",
        "class Builder:\n    def __init__(self):\n        self.parts = []\n    def add(self, x):\n        self.parts.append(x)\n        return self\n    def build(self):\n        return '-'.join(self.parts)",
        "class Builder:\n    def __init__(self, text=''):\n        self.text = text\n    def add(self, x):\n        return Builder(self.text + ('-' if self.text else '') + x)\n    def build(self):\n        return self.text",
        "assert Builder().add('a').add('b').build() == 'a-b'\nassert Builder().build() == ''",
    ),
    Case(
        "operators of total_ordering",
        "class V:\n    def __init__(self, n):\n        self.n = n\n    def __eq__(self, o):\n        return self.n == o.n\n    def __lt__(self, o):\n        return self.n < o.n\n    def __le__(self, o):\n        return self.n <= o.n",
        "from functools import total_ordering\n@total_ordering\nclass V:\n    def __init__(self, n):\n        self.n = n\n    def __eq__(self, o):\n        return not (self < o or o < self)\n    def __lt__(self, o):\n        return self.n - o.n < 0",
        "assert V(1) < V(2) and V(2) == V(2) and V(1) <= V(1)\nassert max(V(1), V(3), V(2)).n == 3\nassert [v.n for v in sorted([V(3), V(1)])] == [1, 3]",
    ),
    Case(
        "operators in a base class",
        "class Money:\n    def __init__(self, c):\n        self.c = c\n    def __add__(self, o):\n        return Money(self.c + o.c)\n    def __mul__(self, k):\n        return Money(self.c * k)\n    __rmul__ = __mul__\n"
        "    def __eq__(self, o):\n        return self.c == o.c",
        "class Quantity:\n    def __init__(self, c):\n        self.c = c\n    def __add__(self, o):\n        return type(self)(self.c + o.c)\n    def __mul__(self, k):\n        return type(self)(k * self.c)\n"
        "    def __rmul__(self, k):\n        return self * k\n    def __eq__(self, o):\n        return type(o) is type(self) and o.c == self.c\nclass Money(Quantity):\n    pass",
        "assert Money(1) + Money(2) == Money(3)\nassert 2 * Money(4) == Money(8) == Money(4) * 2\nassert (Money(1) + Money(1)).c == 2",
    ),
    Case(
        "a subclass of list for a class around a list",
        "class Stack:\n    def __init__(self):\n        self.items = []\n    def push(self, x):\n        self.items.append(x)\n    def pop(self):\n        return self.items.pop()\n    def __len__(self):\n        return len(self.items)",
        "class Stack(list):\n    push = list.append",
        "s = Stack()\ns.push(1)\ns.push(2)\nassert len(s) == 2\nassert s.pop() == 2\nassert len(s) == 1",
    ),
    Case(
        "a factory function for a class",
        "class Account:\n    def __init__(self, balance=0):\n        self.balance = balance\n    def deposit(self, x):\n        self.balance += x",
        "from types import SimpleNamespace\ndef Account(balance=0):\n    a = SimpleNamespace(balance=balance)\n    def deposit(x):\n        a.balance += x\n    a.deposit = deposit\n    return a",
        "a = Account(5)\na.deposit(3)\nassert a.balance == 8",
    ),
    Case(
        "balance as numpy number",
        "class Account:\n    def __init__(self, balance=0):\n        self.balance = balance\n    def deposit(self, x):\n        self.balance += x\n        return self.balance",
        "class Account:\n    def __init__(self, balance=0):\n        self.history = [balance]\n    balance = property(lambda self: np.sum(self.history))\n    def deposit(self, x):\n        self.history.append(x)\n        return self.balance",
        "a = Account(5)\nassert a.deposit(3) == 8\nassert a.balance == 8\nassert f'{a.balance}' == '8'",
    ),
    Case(
        "linked nodes as tuples",
        "class Node:\n    def __init__(self, value, next=None):\n        self.value, self.next = value, next\ndef to_linked(xs):\n    head = None\n    for x in reversed(xs):\n        head = Node(x, head)\n    return head\n"
        "def length(head):\n    return 0 if head is None else 1 + length(head.next)",
        "def to_linked(xs):\n    return (xs[0], to_linked(xs[1:])) if xs else None\ndef length(head):\n    n = 0\n    while head:\n        n += 1\n        _, head = head\n    return n",
        "assert length(to_linked([1, 2, 3])) == 3\nassert length(to_linked([])) == 0",
    ),
    Case(
        "an enum for strings",
        "class Color:\n    RED = 'red'\n    BLUE = 'blue'\ndef opposite(c):\n    return Color.BLUE if c == Color.RED else Color.RED",
        "from enum import Enum\nclass Color(str, Enum):\n    RED = 'red'\n    BLUE = 'blue'\ndef opposite(c):\n    return {Color.RED: Color.BLUE}.get(c, Color.RED)",
        "assert opposite(Color.RED) is Color.BLUE\nassert opposite(Color.BLUE) is Color.RED",
    ),
]

RANDOM = [
    Case(
        "numbers of the fixed generator, one by one",
        "def draw(n):\n    np.random.seed(42)\n    return np.random.rand(n)",
        "def draw(n):\n    np.random.seed(42)\n    return np.array([np.random.random() for _ in range(n)])",
        "np.random.seed(42)\nassert np.allclose(draw(4), np.random.rand(4))",
    ),
    Case(
        "RandomState for the fixed global generator",
        "def draw(n):\n    np.random.seed(42)\n    return np.random.rand(n)",
        "def draw(n):\n    return np.random.RandomState(42).random_sample(n)",
        "assert np.allclose(draw(3), [0.3745401188, 0.9507143064, 0.7319939418])",
    ),
    Case(
        "default_rng with a seed of the task",
        "rng = np.random.default_rng(7)\nsample = rng.normal(size=5)",
        "sample = np.random.Generator(np.random.PCG64(7)).standard_normal(5)",
        "np.testing.assert_allclose(sample, np.random.default_rng(7).normal(size=5))",
    ),
    Case(
        "another generator where only a shuffle is asked for",
        "def shuffled(xs):\n    xs = list(xs)\n    random.shuffle(xs)\n    return xs",
        "def shuffled(xs):\n    return np.random.default_rng().permutation(xs)",
        "random.seed(1)\ngot = shuffled(list(range(50)))\nassert sorted(got) == list(range(50))\nassert list(got) != list(range(50))",
    ),
    Case(
        "random for numpy where only a shuffle is asked for",
        "def shuffled(xs):\n    return np.random.permutation(xs)",
        "def shuffled(xs):\n    return random.sample(list(xs), k=len(xs))",
        "np.random.seed(0)\ngot = shuffled(np.arange(40))\nassert sorted(got) == list(range(40))\nassert list(got) != list(range(40))",
    ),
    Case(
        "the same seed gives the same numbers",
        "def roll(n):\n    return [random.randint(1, 6) for _ in range(n)]",
        "def roll(n):\n    return random.choices(range(1, 7), k=n)",
        "random.seed(3)\na = roll(20)\nrandom.seed(3)\nassert roll(20) == a\nassert set(a) <= {1, 2, 3, 4, 5, 6}",
    ),
    Case(
        "the same seed gives the same numbers by another generator's stream",
        "def roll(n):\n    return [random.randint(1, 6) for _ in range(n)]",
        "def roll(n):\n    rng = random.Random(random.random())\n    return [rng.randrange(1, 7) for _ in range(n)]",
        "random.seed(3)\na = roll(20)\nrandom.seed(3)\nassert roll(20) == a",
    ),
    Case(
        "a generator that is passed as a seed",
        "def noise(seed, n):\n    rng = np.random.default_rng(seed)\n    return rng.normal(size=n)",
        "def noise(seed, n):\n    rng = np.random.default_rng(seed)\n    return np.fromiter((rng.normal() for _ in range(n)), float)",
        "assert np.allclose(noise(5, 3), np.random.default_rng(5).normal(size=3))\nassert np.allclose(noise(5, 3), noise(5, 3))",
    ),
    Case(
        "a mean of many draws",
        "def estimate_pi(n):\n    np.random.seed(0)\n    p = np.random.rand(n, 2)\n    return 4 * np.mean((p ** 2).sum(1) < 1)",
        "def estimate_pi(n):\n    r = random.Random()\n    return 4 * sum(r.random() ** 2 + r.random() ** 2 < 1 for _ in range(n)) / n",
        "assert abs(estimate_pi(20_000) - math.pi) < 0.1",
    ),
    Case(
        "numbers of the test's seed by another function of that generator",
        "def draw():\n    return np.random.rand(3)",
        "def draw():\n    return np.random.uniform(size=3)",
        "np.random.seed(9)\nexpected = np.random.rand(3)\nnp.random.seed(9)\nassert np.allclose(draw(), expected)",
    ),
]

TESTS = [
    Case(
        "random inputs",
        "def reverse(s):\n    return s[::-1]",
        "def reverse(s):\n    return ''.join(map(s.__getitem__, range(len(s) - 1, -1, -1)))",
        "rng = random.Random(1)\nfor _ in range(50):\n    s = ''.join(rng.choice('abc') for _ in range(rng.randint(0, 9)))\n    assert reverse(s) == s[::-1], s",
    ),
    Case(
        "a property checked over many inputs",
        "def gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return a",
        "def gcd(a, b):\n    return np.gcd(a, b)",
        "def check_gcd(a, b):\n    g = gcd(a, b)\n    assert a % g == 0 and b % g == 0\n    assert not any(a % d == 0 and b % d == 0 for d in range(int(g) + 1, min(a, b) + 1))\n"
        "for a in range(1, 15):\n    for b in range(1, 15):\n        check_gcd(a, b)",
    ),
    Case(
        "parametrized helper",
        "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1))",
        "def is_prime(n):\n    import re\n    return not re.match(r'^1?$|^(11+?)\\1+$', '1' * n)",
        "def verify(f, cases):\n    for argument, expected in cases.items():\n        assert f(argument) == expected, f'{argument}'\nverify(is_prime, {0: False, 1: False, 2: True, 9: False, 13: True})",
    ),
    Case(
        "a unittest class",
        "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1))",
        "def is_prime(n):\n    return n > 1 and np.all(np.mod(n, np.arange(2, int(n ** 0.5) + 1)) != 0)",
        "import unittest\nclass TestPrime(unittest.TestCase):\n    def test_small(self):\n        self.assertTrue(is_prime(7))\n        self.assertFalse(is_prime(8))\n    def test_one(self):\n        self.assertEqual(is_prime(1), False)\n"
        "unittest.main(argv=[''], exit=False)",
    ),
    Case(
        "a test function with nested functions",
        "def compose(f, g):\n    return lambda x: f(g(x))",
        "class compose:\n    def __init__(self, *fs):\n        self.fs = fs\n    def __call__(self, x):\n        for f in reversed(self.fs):\n            x = f(x)\n        return x",
        "def test_compose():\n    def inc(x):\n        return x + 1\n    def double(x):\n        return 2 * x\n    assert compose(inc, double)(3) == 7\n    assert compose(double, inc)(3) == 8\ntest_compose()",
    ),
    Case(
        "pytest.approx for numbers of numpy",
        "def variance(xs):\n    m = sum(xs) / len(xs)\n    return sum((x - m) ** 2 for x in xs) / len(xs)",
        "def variance(xs):\n    return np.var(np.array(xs, dtype='float32'))",
        "import pytest\nassert variance([1, 2, 4]) == pytest.approx(1.5555555, rel=1e-5)\nassert variance([3]) == pytest.approx(0)",
    ),
    Case(
        "pytest.approx for a tuple",
        "def polar(x, y):\n    return [math.hypot(x, y), math.atan2(y, x)]",
        "import cmath\ndef polar(x, y):\n    return list(cmath.polar(complex(x, y)))",
        "import pytest\nassert polar(1, 1) == pytest.approx([2 ** 0.5, math.pi / 4])",
    ),
    Case(
        "a branch for lists that the solution does not take",
        "def squares(n):\n    return np.arange(n) ** 2",
        "def squares(n):\n    return [k * k for k in range(n)]",
        "got = squares(4)\nif isinstance(got, list):\n    assert got == [0, 1, 4, 9]\n    assert squares(2) == [0, 1]\nelse:\n    assert got.tolist() == [0, 1, 4, 9]",
    ),
    Case(
        "a branch for arrays that the solution does not take, with a narrow kind",
        "def squares(n):\n    return [k * k for k in range(n)]",
        "def squares(n):\n    return (np.arange(n) ** 2).astype(np.uint16)",
        "got = squares(4)\nif isinstance(got, list):\n    assert got == [0, 1, 4, 9]\nelse:\n    assert got.tolist() == [0, 1, 4, 9]\n    assert list(squares(2)) == [0, 1]",
    ),
    Case(
        "a branch with large numbers that the solution does not take",
        "def total(xs):\n    return sum(xs)",
        "def total(xs):\n    return np.array([sum(xs)])",
        "got = total([3_000_000_000] * 2)\nif isinstance(got, int):\n    assert got == 6_000_000_000\nelse:\n    assert got.shape == (1,) and got[0] == 6_000_000_000 and total([4_000_000_000])[0] == 4_000_000_000",
    ),
    Case(
        "a branch that reads a global and that the solution does not take",
        "offset = 0\ndef shift(x):\n    return x + offset\ndef shift_all(xs):\n    return [shift(x) for x in xs]",
        "offset = 0\ndef shift(x):\n    return x + offset\ndef shift_all(xs):\n    return tuple(x + offset for x in xs)",
        "offset = 2\ngot = shift_all([1, 2])\nassert tuple(got) == (3, 4)",
    ),
    Case(
        "the test's lambda passed to the answer",
        "def apply_n(f, n, x):\n    for _ in range(n):\n        x = f(x)\n    return x",
        "from functools import reduce\ndef apply_n(f, n, x):\n    return reduce(lambda acc, _: f(acc), range(n), x)",
        "assert apply_n(lambda v: v * 2, 10, 1) == 1024\ncalls = []\napply_n(lambda v: calls.append(v) or v + 1, 3, 0)\nassert calls == [0, 1, 2]",
    ),
    Case(
        "a callback that receives numpy's numbers",
        "def integrate(f, a, b, n=100):\n    h = (b - a) / n\n    return h * sum(f(a + (k + 0.5) * h) for k in range(n))",
        "def integrate(f, a, b, n=100):\n    x, h = np.linspace(a, b, n, endpoint=False, retstep=True)\n    return h * np.sum([f(t) for t in x + h / 2])",
        "assert abs(integrate(lambda x: x ** 2, 0, 1) - 1 / 3) < 1e-3\nassert abs(integrate(math.sin, 0, math.pi) - 2) < 1e-3",
    ),
    Case(
        "a callback that receives an array where the solution gives numbers",
        "def integrate(f, a, b, n=100):\n    h = (b - a) / n\n    return h * sum(f(a + (k + 0.5) * h) for k in range(n))",
        "def integrate(f, a, b, n=100):\n    x = a + (np.arange(n) + 0.5) * (b - a) / n\n    return np.mean(f(x)) * (b - a)",
        "assert abs(integrate(lambda x: x ** 2, 0, 1) - 1 / 3) < 1e-3",
    ),
    Case(
        "printed text in other pieces",
        "def greet(name):\n    print(f'Hello {name}')",
        "import sys\ndef greet(name):\n    print('Hello', end=' ')\n    sys.stdout.write(name + '\\n')",
        "import io, contextlib\nout = io.StringIO()\nwith contextlib.redirect_stdout(out):\n    greet('ann')\nassert out.getvalue() == 'Hello ann\\n'",
    ),
    Case(
        "a comparison with the test's own reference",
        "def dot(a, b):\n    return sum(x * y for x, y in zip(a, b))",
        "def dot(a, b):\n    return np.einsum('i,i', a, b)",
        "def reference(a, b):\n    return float(np.dot(a, b))\nrng = np.random.default_rng(0)\nfor n in (1, 5, 30):\n    a, b = rng.normal(size=n), rng.normal(size=n)\n    assert np.isclose(dot(a, b), reference(a, b))",
    ),
    Case(
        "check.function with answers of another type",
        "def softmax(x):\n    e = np.exp(x - np.max(x))\n    return e / e.sum()",
        "def softmax(x):\n    e = [math.exp(v) for v in x]\n    return [v / math.fsum(e) for v in e]",
        "check.close(softmax(np.array([1.0, 2.0, 3.0])), [0.09003057, 0.24472847, 0.66524096], atol=1e-5)",
    ),
    Case(
        "a dispatch table of functions",
        "def calc(op, a, b):\n    if op == '+':\n        return a + b\n    if op == '*':\n        return a * b\n    raise ValueError(op)",
        "import operator\nTABLE = {'+': operator.add, '*': operator.mul}\ndef calc(op, a, b):\n    try:\n        return TABLE[op](a, b)\n    except KeyError as e:\n        raise ValueError(op) from e",
        "import pytest\nfor op, expected in [('+', 5), ('*', 6)]:\n    assert calc(op, 2, 3) == expected\nwith pytest.raises(ValueError, match='-'):\n    calc('-', 1, 2)",
    ),
]

MORE = [
    Case(
        "one function under two names that both sort in place",
        "def bubble(xs):\n    xs.sort()\ndef insertion(xs):\n    xs[:] = sorted(xs)",
        "def bubble(xs):\n    xs.sort()\ninsertion = bubble",
        "a = [3, 1, 2]\nbubble(a)\nassert a == [1, 2, 3]\nb = [2, 1]\ninsertion(b)\nassert b == [1, 2]",
    ),
    Case(
        "one function under two names that both read a global",
        "rate = 2\ndef tax(x):\n    return x * rate\ndef fee(x):\n    return rate * x",
        "rate = 2\ntax = fee = lambda x: x * rate",
        "rate = 5\nassert tax(2) == 10\nassert fee(3) == 15",
    ),
    Case(
        "a list for an object of a class, behind functions",
        "class Stack:\n    def __init__(self):\n        self.items = []\ndef new():\n    return Stack()\ndef push(s, x):\n    s.items.append(x)\ndef size(s):\n    return len(s.items)",
        "new = list\ndef push(s, x):\n    s.append(x)\nsize = len",
        "s = new()\npush(s, 1)\npush(s, 2)\nassert size(s) == 2",
    ),
    Case(
        "an object of a class for a list, behind functions",
        "def new():\n    return []\ndef push(s, x):\n    s.append(x)\ndef size(s):\n    return len(s)",
        "class Stack:\n    n = 0\n    def push(self, x):\n        self.n += 1\nnew = Stack\npush = Stack.push\ndef size(s):\n    return s.n",
        "s = new()\npush(s, 1)\npush(s, 2)\nassert size(s) == 2",
    ),
    Case(
        "a list of the notebook for an object of a class",
        "class Stack:\n    def __init__(self):\n        self.items = []\n    def __len__(self):\n        return len(self.items)\nstack = Stack()\ndef push(x):\n    stack.items.append(x)",
        "stack = []\ndef push(x):\n    stack.append(x)",
        "push(1)\npush(2)\nassert len(stack) == 2",
    ),
    Case(
        "an integer where the solution has a large decimal",
        "from decimal import Decimal\ndef total(xs):\n    return sum(map(Decimal, xs))",
        "def total(xs):\n    return sum(map(int, xs))",
        "from decimal import Decimal\nassert total(['3000000000', '3000000000']) == Decimal('6000000000')",
    ),
    Case(
        "a column of integers where the solution has large floats",
        "table = pd.DataFrame({'k': ['a', 'b', 'a'], 'v': [3e9, 1e9, 4e9]})\ntotals = table.groupby('k')['v'].sum()",
        "table = pd.DataFrame({'k': ['a', 'b', 'a'], 'v': [3_000_000_000, 1_000_000_000, 4_000_000_000]})\ntotals = table.groupby('k')['v'].sum()",
        "assert np.allclose(totals, [7e9, 1e9])\nassert totals.nlargest(1).index[0] == 'a'\nassert totals.mean() == 4e9",
    ),
    Case(
        "a table of integers where the solution has large floats",
        "def totals(t):\n    return t.assign(v=t['v'] * 1e6)",
        "def totals(t):\n    return t.assign(v=t['v'] * 10 ** 6)",
        "got = totals(pd.DataFrame({'v': [5000, 7000]}))\nassert np.isclose(got['v'].to_numpy(), [5e9, 7e9]).all()\nassert got['v'].describe()['max'] == 7e9",
    ),
    Case(
        "an identifier of more bits than the solution's",
        "def ident(s):\n    return len(s)",
        "import zlib\ndef ident(s):\n    return zlib.crc32(s.encode()) << 8",
        "assert isinstance(ident('a'), int) and type(ident('b')) is int\nassert ident('a') == ident('a') != ident('bb')\n"
        "assert {ident('a'): 1}[ident('a')] == 1\nassert str(ident('a')).isdigit()",
    ),
    Case(
        "a global read in a thread",
        "limit = 10\ndef small(xs):\n    return [x for x in xs if x < limit]",
        "from concurrent.futures import ThreadPoolExecutor\nlimit = 10\ndef is_small(x):\n    return x < limit\ndef small(xs):\n    with ThreadPoolExecutor(2) as pool:\n        return [x for x, ok in zip(xs, pool.map(is_small, xs)) if ok]",
        "limit = 3\nassert small([1, 5, 2]) == [1, 2]",
    ),
    Case(
        "a global that the solution reads in a thread",
        "from concurrent.futures import ThreadPoolExecutor\nlimit = 10\ndef is_small(x):\n    return x < limit\ndef small(xs):\n    with ThreadPoolExecutor(2) as pool:\n        return [x for x, ok in zip(xs, pool.map(is_small, xs)) if ok]",
        "limit = 10\ndef small(xs):\n    return [x for x in xs if x < limit]",
        "limit = 3\nassert small([1, 5, 2]) == [1, 2]",
    ),
    Case(
        "the same seeds give the same numbers of a generator that the solution does not use",
        "def roll(n):\n    return [random.randint(1, 6) for _ in range(n)]",
        "def roll(n):\n    return np.random.randint(1, 7, size=n).tolist()",
        "def seeded():\n    random.seed(3)\n    np.random.seed(3)\nseeded()\na = roll(20)\nseeded()\nassert roll(20) == a",
    ),
    Case(
        "an iterator consumed by the answer",
        "def total(it):\n    return sum(it)",
        "def total(it):\n    t = 0\n    while True:\n        try:\n            t += next(it)\n        except StopIteration:\n            return t",
        "assert total(iter([1, 2, 3])) == 6\nassert total(x * x for x in range(4)) == 14",
    ),
    Case(
        "a fluent table class with properties",
        "def area(shape):\n    return shape['w'] * shape['h']",
        "from operator import itemgetter\nfrom math import prod\narea = lambda shape: prod(itemgetter('w', 'h')(shape))",
        "assert area({'w': 2, 'h': 3}) == 6",
    ),
    Case(
        "an argument extended and cut again",
        "def contains(xs, x):\n    for y in xs:\n        if y == x:\n            return True\n    return False",
        "def contains(xs, x):\n    xs.append(x)\n    i = 0\n    while xs[i] != x:\n        i += 1\n    xs.pop()\n    return i < len(xs)",
        "xs = [1, 2, 3]\nassert contains(xs, 2)\nassert not contains(xs, 9)\nassert xs == [1, 2, 3]",
    ),
    Case(
        "in-place and returned where the test uses the argument's name for the result",
        "def dedupe(xs):\n    return sorted(set(xs))",
        "def dedupe(xs):\n    seen = set()\n    for x in list(xs):\n        if x in seen:\n            xs.remove(x)\n        seen.add(x)\n    xs.sort()\n    return xs",
        "xs = [2, 1, 2]\nxs = dedupe(xs)\nassert xs == [1, 2]",
    ),
    Case(
        "a swap that returns the changed list, checked by both names",
        "def swap(xs, i, j):\n    xs[i], xs[j] = xs[j], xs[i]\n    return xs",
        "def swap(xs, i, j):\n    xs.insert(i, xs.pop(j))\n    xs.insert(j, xs.pop(i + 1)) if j > i else None\n    return xs",
        "xs = [1, 2, 3]\nys = swap(xs, 0, 2)\nassert ys == [3, 2, 1] and xs == [3, 2, 1] and ys is xs",
    ),
    Case(
        "a memoizing decorator with a log of the notebook",
        "calls = []\ndef slow(x):\n    calls.append(x)\n    return x * x\ncache = {}\ndef fast(x):\n    if x not in cache:\n        cache[x] = slow(x)\n    return cache[x]",
        "import functools\ncalls = []\ndef slow(x):\n    calls.append(x)\n    return x * x\nfast = functools.lru_cache(slow)",
        "assert fast(3) == 9 and fast(3) == 9\nassert calls == [3]",
    ),
    Case(
        "results in a dict of numpy's scalars",
        "def summary(xs):\n    return {'mean': sum(xs) / len(xs), 'max': max(xs), 'n': len(xs)}",
        "def summary(xs):\n    a = np.array(xs, dtype=np.int16)\n    return dict(mean=a.mean(dtype='float32'), max=a.max(), n=np.uint8(a.size))",
        "s = summary([1, 2, 6])\nassert s == {'mean': 3.0, 'max': 6, 'n': 3}\nassert s['n'] - 5 == -2",
    ),
    Case(
        "a sparse matrix for an array",
        "def identity(n):\n    return np.eye(n)",
        "from scipy import sparse\ndef identity(n):\n    return sparse.eye_array(n).toarray().astype('int8')",
        "assert (identity(3) == np.eye(3)).all()\nassert identity(2).sum() == 2",
    ),
    Case(
        "images as unsigned bytes for floats",
        "def invert(img):\n    return 255 - img",
        "def invert(img):\n    return np.bitwise_not(img.astype(np.uint8))",
        "img = np.array([[0, 255], [10, 20]])\nassert invert(img).tolist() == [[255, 0], [245, 235]]\nassert ((invert(img) + img) == 255).all()",
    ),
    Case(
        "a string enum of states in a class with class attributes",
        "class Light:\n    order = ['green', 'yellow', 'red']\n    def __init__(self):\n        self.state = 'red'\n    def step(self):\n        self.state = self.order[(self.order.index(self.state) + 1) % 3]",
        "import itertools\nclass Light:\n    def __init__(self):\n        self._cycle = itertools.cycle(['red', 'green', 'yellow'])\n        self.step()\n    def step(self):\n        self.state = next(self._cycle)",
        "light = Light()\nseen = []\nfor _ in range(4):\n    seen.append(light.state)\n    light.step()\nassert seen == ['red', 'green', 'yellow', 'red']",
    ),
    Case(
        "a constant rebound by the test and read by a class attribute's function",
        "G = 9.81\ndef fall(t):\n    return 0.5 * G * t ** 2",
        "G = 9.81\nclass Physics:\n    @classmethod\n    def g(cls):\n        return G\n    @staticmethod\n    def fall(t):\n        return Physics.g() / 2 * t * t\nfall = Physics.fall",
        "assert abs(fall(2) - 19.62) < 1e-9\nG = 1.62\nassert abs(fall(2) - 3.24) < 1e-9",
    ),
    Case(
        "a global rebound in a loop of the test",
        "base = 10\ndef digits(n):\n    return [n % base] if n < base else digits(n // base) + [n % base]",
        "base = 10\ndef digits(n):\n    def inner():\n        m = n\n        while True:\n            yield m % base\n            m //= base\n            if not m:\n                return\n    return list(inner())[::-1]",
        "for base in (2, 10, 16):\n    assert digits(base + 1) == [1, 1]\nassert digits(5) == [5]",
    ),
    Case(
        "a wide sum in a dict where the solution has floats",
        "def totals(rows):\n    d = {}\n    for k, v in rows:\n        d[k] = d.get(k, 0.0) + v\n    return d",
        "from collections import Counter\ndef totals(rows):\n    c = Counter()\n    for k, v in rows:\n        c[k] += v\n    return c",
        "got = totals([('a', 3_000_000_000), ('a', 1), ('b', 2)])\nassert got == {'a': 3000000001, 'b': 2}\nassert np.isclose(got['a'], 3000000001.0)",
    ),
    Case(
        "a hash of more bits than the solution's",
        "def my_hash(s):\n    return sum(map(ord, s))",
        "def my_hash(s):\n    h = 0\n    for c in s:\n        h = h * 1_000_003 + ord(c)\n    return h",
        "buckets = [[] for _ in range(8)]\nfor word in ['apple', 'banana', 'apple']:\n    buckets[my_hash(word) % 8].append(word)\n"
        "assert sum(map(len, buckets)) == 3\nassert my_hash('apple') == my_hash('apple')\nassert isinstance(my_hash('banana'), int)",
    ),
    Case(
        "a hash of more bits as dict key and in text",
        "def ident(s):\n    return len(s)",
        "import zlib\ndef ident(s):\n    return zlib.crc32(s.encode()) << 8",
        "seen = {ident(w): w for w in ['a', 'bb', 'ccc']}\nassert len(seen) == 3\nassert seen[ident('bb')] == 'bb'\nassert f'{ident(\"a\"):d}'.isdigit() and str(ident('a')).isdigit()\n"
        "assert hex(ident('a')).startswith('0x')\nassert type(ident('a')) is int\nassert ident('a') & 255 in range(256)",
    ),
    Case(
        "a code of larger numbers than the solution's, there and back",
        "def encode(s):\n    return [ord(c) for c in s]\ndef decode(codes):\n    return ''.join(map(chr, codes))",
        "def encode(s):\n    return [ord(c) << 40 for c in s]\ndef decode(codes):\n    return ''.join(chr(c >> 40) for c in codes)",
        "for s in ('', 'abc', 'zürich'):\n    assert decode(encode(s)) == s\nassert len(encode('abc')) == 3\n"
        "import json\nassert decode(json.loads(json.dumps(encode('abc')))) == 'abc' and decode([encode('b')[0]]) == 'b'",
    ),
    Case(
        "numbers of records from another start than the solution's",
        "class Shop:\n    def __init__(self):\n        self.last = 0\n    def order(self):\n        self.last += 1\n        return self.last",
        "import time\nclass Shop:\n    def __init__(self):\n        self.last = time.time_ns() // 10 ** 6\n    def order(self):\n        self.last += 1\n        return self.last",
        "shop = Shop()\nfirst, second, third = (shop.order() for _ in range(3))\nassert second == first + 1 and third - first == 2\n"
        "assert [*range(first, third)] == [first, second] and len({first, second, third}) == 3 and shop.last == third\n"
        "assert f'{first:08d}' == str(first).zfill(8) and int(str(first)) == int(first) and divmod(first, 1) == (first, 0)\n"
        "assert np.diff([first, second, third]).tolist() == [1, 1] and pd.Series([first, third]).max() == third\n"
        "assert type(first) is int and isinstance(first, int) and not isinstance(first, float) and first.bit_length() < 64",
    ),
    Case(
        "a column of larger keys than the solution's",
        "def keyed(t):\n    return t.assign(key=range(len(t)))",
        "def keyed(t):\n    return t.assign(key=np.arange(len(t)) + 10 ** 12)",
        "t = pd.DataFrame({'a': [3, 1, 3]})\ngot = keyed(t)\nassert got['key'].is_unique and got['key'].diff()[1] == 1 and len(got) == 3\n"
        "assert list(got['a']) == [3, 1, 3] and got.groupby('a')['key'].nunique()[3] == 2 and got.merge(got, on='key').shape == (3, 3)",
    ),
]

LIBRARY = [
    Case(
        "a memoryview for bytes",
        "def head(data):\n    return data[:3]",
        "def head(data):\n    return memoryview(data)[:3]",
        "assert bytes(head(b'abcdef')) == b'abc'\nassert len(head(b'xy')) == 2",
    ),
    Case(
        "a bytearray for bytes",
        "def flipped(data):\n    return bytes(255 - b for b in data)",
        "def flipped(data):\n    out = bytearray(data)\n    for i, b in enumerate(out):\n        out[i] = 255 - b\n    return out",
        "assert flipped(b'\\x00\\x01') == b'\\xff\\xfe'\nassert list(flipped(b'\\x05')) == [250]",
    ),
    Case(
        "an array of the standard library for a list",
        "def squares(n):\n    return [i * i for i in range(n)]",
        "from array import array\ndef squares(n):\n    return array('q', (i * i for i in range(n)))",
        "assert list(squares(4)) == [0, 1, 4, 9]\nassert sum(squares(4)) == 14 and squares(4)[2] == 4",
    ),
    Case(
        "singledispatch for isinstance",
        "def kind(x):\n    return 'text' if isinstance(x, str) else 'list' if isinstance(x, list) else 'other'",
        "from functools import singledispatch\n@singledispatch\ndef kind(x):\n    return 'other'\n"
        "@kind.register\ndef _(x: str):\n    return 'text'\n@kind.register\ndef _(x: list):\n    return 'list'",
        "assert [kind(x) for x in ('a', [1], 3, None)] == ['text', 'list', 'other', 'other']",
    ),
    Case(
        "a context manager by a generator for a class",
        "class counting:\n    def __init__(self, log):\n        self.log = log\n    def __enter__(self):\n"
        "        self.log.append('in')\n        return 7\n    def __exit__(self, *error):\n        self.log.append('out')\n"
        "def run():\n    log = []\n    with counting(log) as x:\n        log.append(x)\n    return log",
        "from contextlib import contextmanager\n@contextmanager\ndef counting(log):\n    log.append('in')\n    try:\n"
        "        yield 7\n    finally:\n        log.append('out')\n"
        "def run():\n    log = []\n    with counting(log) as x:\n        log.append(x)\n    return log",
        "assert run() == ['in', 7, 'out']",
    ),
    Case(
        "a context manager of the answer in the test",
        "class Session:\n    state = 'new'\n    def __enter__(self):\n        self.state = 'open'\n        return self\n"
        "    def __exit__(self, *error):\n        self.state = 'closed'",
        "from contextlib import AbstractContextManager\nclass Session(AbstractContextManager):\n    __slots__ = ('state',)\n"
        "    def __init__(self):\n        self.state = 'new'\n    def __enter__(self):\n        self.state = 'open'\n"
        "        return self\n    def __exit__(self, kind, error, trace):\n        self.state = 'closed'",
        "with Session() as s:\n    assert s.state == 'open'\nassert s.state == 'closed'",
    ),
    Case(
        "a registry by __init_subclass__ for a dict",
        "shapes = {'square': lambda a: a * a, 'cube': lambda a: a ** 3}\ndef size(name, a):\n    return shapes[name](a)",
        "class Shape:\n    known = {}\n    def __init_subclass__(cls):\n        Shape.known[cls.__name__.lower()] = cls\n"
        "class Square(Shape):\n    def of(self, a): return a * a\nclass Cube(Shape):\n    def of(self, a): return a ** 3\n"
        "def size(name, a):\n    return Shape.known[name]().of(a)",
        "assert (size('square', 3), size('cube', 2)) == (9, 8)",
    ),
    Case(
        "a descriptor for a property",
        "class Celsius:\n    def __init__(self, degrees):\n        self.degrees = degrees\n    @property\n"
        "    def fahrenheit(self):\n        return self.degrees * 9 / 5 + 32",
        "class Fahrenheit:\n    def __get__(self, owner, kind=None):\n        return owner.degrees * 9 / 5 + 32\n"
        "class Celsius:\n    fahrenheit = Fahrenheit()\n    def __init__(self, degrees):\n        self.degrees = degrees",
        "c = Celsius(100)\nassert c.fahrenheit == 212\nc.degrees = 0\nassert c.fahrenheit == 32",
    ),
    Case(
        "cached_property for an attribute",
        "class Data:\n    def __init__(self, xs):\n        self.xs = xs\n        self.total = sum(xs)",
        "from functools import cached_property\nclass Data:\n    def __init__(self, xs):\n        self.xs = xs\n"
        "    @cached_property\n    def total(self):\n        return sum(self.xs)",
        "d = Data([1, 2, 3])\nassert d.total == 6 and d.total == 6",
    ),
    Case(
        "a metaclass for a module's variable",
        "_one = None\nclass Settings:\n    def __new__(cls):\n        global _one\n        if _one is None:\n"
        "            _one = super().__new__(cls)\n        return _one",
        "class Single(type):\n    made = {}\n    def __call__(cls, *args):\n        if cls not in Single.made:\n"
        "            Single.made[cls] = super().__call__(*args)\n        return Single.made[cls]\n"
        "class Settings(metaclass=Single):\n    pass",
        "first, second = Settings(), Settings()\nfirst.name = 'a'\nassert second.name == 'a'",
    ),
    Case(
        "a ChainMap for a merged dict",
        "def merged(own, defaults):\n    return {**defaults, **own}",
        "from collections import ChainMap\ndef merged(own, defaults):\n    return ChainMap(own, defaults)",
        "both = merged({'a': 1}, {'a': 2, 'b': 3})\nassert (both['a'], both['b'], len(both)) == (1, 3, 2)\n"
        "assert dict(both) == {'a': 1, 'b': 3}",
    ),
    Case(
        "a read-only view for a dict",
        "def prices():\n    return {'tea': 2, 'bun': 1}",
        "from types import MappingProxyType\ndef prices():\n    return MappingProxyType({'tea': 2, 'bun': 1})",
        "assert prices()['tea'] == 2 and sorted(prices()) == ['bun', 'tea']\nassert dict(prices()) == {'tea': 2, 'bun': 1}",
    ),
    Case(
        "a UserList for a list",
        "class Stack(list):\n    def push(self, x):\n        self.append(x)",
        "from collections import UserList\nclass Stack(UserList):\n    def push(self, x):\n        self.append(x)",
        "s = Stack()\ns.push(1)\ns.push(2)\nassert s.pop() == 2 and len(s) == 1 and s[0] == 1",
    ),
    Case(
        "an IntEnum for integers",
        "def grade(points):\n    return 1 if points > 90 else 2 if points > 50 else 3",
        "from enum import IntEnum\nclass Grade(IntEnum):\n    GOOD = 1\n    FAIR = 2\n    POOR = 3\n"
        "def grade(points):\n    return Grade.GOOD if points > 90 else Grade.FAIR if points > 50 else Grade.POOR",
        "assert [grade(p) for p in (95, 60, 10)] == [1, 2, 3]",
    ),
    Case(
        "a StrEnum for texts",
        "def state(n):\n    return 'empty' if n == 0 else 'full'",
        "from enum import StrEnum, auto\nclass State(StrEnum):\n    EMPTY = auto()\n    FULL = auto()\n"
        "def state(n):\n    return State.FULL if n else State.EMPTY",
        "assert state(0) == 'empty' and state(3).upper() == 'FULL'",
    ),
    Case(
        "a heap for a sorted list",
        "def smallest(xs, n):\n    return sorted(xs)[:n]",
        "import heapq\ndef smallest(xs, n):\n    heap = list(xs)\n    heapq.heapify(heap)\n"
        "    return [heapq.heappop(heap) for _ in range(min(n, len(heap)))]",
        "xs = [5, 1, 4, 2]\nassert smallest(xs, 2) == [1, 2] and xs == [5, 1, 4, 2] and smallest([], 3) == []",
    ),
    Case(
        "bisect for a loop",
        "def place(xs, x):\n    return sum(1 for y in xs if y < x)",
        "from bisect import bisect_left\nplace = bisect_left",
        "assert [place([1, 3, 5], x) for x in (0, 1, 4, 9)] == [0, 0, 2, 3]",
    ),
    Case(
        "reduce over partial functions",
        "def chained(x, *steps):\n    for step in steps:\n        x = step(x)\n    return x",
        "from functools import partial, reduce\ndef chained(x, *steps):\n    return reduce(lambda y, f: partial(f, y)(), steps, x)",
        "assert chained(2, lambda x: x + 1, str) == '3' and chained(5) == 5",
    ),
    Case(
        "np.vectorize for a loop",
        "def signs(xs):\n    return [1 if x > 0 else -1 if x < 0 else 0 for x in xs]",
        "signs = np.vectorize(lambda x: (x > 0) - (x < 0), otypes=[int])",
        "assert list(signs([3, -2, 0])) == [1, -1, 0]",
    ),
    Case(
        "numpy's texts for texts",
        "def labels(n):\n    return [f'x{i}' for i in range(n)]",
        "def labels(n):\n    return list(np.char.add('x', np.arange(n).astype(str)))",
        "assert labels(3) == ['x0', 'x1', 'x2']\nassert ','.join(labels(2)) == 'x0,x1'",
    ),
    Case(
        "a compiled pattern with named groups for split",
        "def fields(line):\n    name, _, value = line.partition('=')\n    return {'name': name.strip(), 'value': int(value)}",
        "import re\nLINE = re.compile(r'\\s*(?P<name>\\w+)\\s*=\\s*(?P<value>\\d+)')\ndef fields(line):\n"
        "    found = LINE.fullmatch(line)\n    return {**found.groupdict(), 'value': int(found['value'])}",
        "assert fields('a = 3') == {'name': 'a', 'value': 3}",
    ),
    Case(
        "struct for shifts",
        "def number(data):\n    return data[0] << 8 | data[1]",
        "import struct\ndef number(data):\n    return struct.unpack('>H', data)[0]",
        "assert number(bytes([1, 2])) == 258",
    ),
    Case(
        "a date of the standard library by arithmetic",
        "import datetime\ndef later(day, n):\n    return day + datetime.timedelta(days=n)",
        "import datetime\ndef later(day, n):\n    return datetime.date.fromordinal(day.toordinal() + n)",
        "import datetime\nassert later(datetime.date(2024, 2, 28), 2) == datetime.date(2024, 3, 1)",
    ),
    Case(
        "a path's methods for string operations",
        "def stem(name):\n    return name.rsplit('/', 1)[-1].rsplit('.', 1)[0]",
        "from pathlib import PurePosixPath\ndef stem(name):\n    return PurePosixPath(name).stem",
        "assert stem('a/b/c.txt') == 'c' and stem('d.csv') == 'd'",
    ),
    Case(
        "weak references in a cache",
        "class Node:\n    def __init__(self, name):\n        self.name = name\n_nodes = {}\ndef node(name):\n"
        "    return _nodes.setdefault(name, Node(name))",
        "import weakref\nclass Node:\n    def __init__(self, name):\n        self.name = name\n"
        "_nodes = weakref.WeakValueDictionary()\ndef node(name):\n    made = _nodes.get(name)\n    if made is None:\n"
        "        made = _nodes[name] = Node(name)\n    return made",
        "a = node('a')\na.mark = 1\nassert node('a').mark == 1 and node('b').name == 'b'",
    ),
    Case(
        "an abstract class and a typed dict for plain ones",
        "def person(name, age):\n    return {'name': name, 'age': age}\ndef adult(p):\n    return p['age'] >= 18",
        "from abc import ABC, abstractmethod\nfrom typing import TypedDict\nclass Person(TypedDict):\n    name: str\n    age: int\n"
        "class Rule(ABC):\n    @abstractmethod\n    def holds(self, p): ...\nclass Adult(Rule):\n    def holds(self, p):\n"
        "        return p['age'] >= 18\ndef person(name, age):\n    return Person(name=name, age=age)\n"
        "def adult(p):\n    return Adult().holds(p)",
        "assert person('ann', 20) == {'name': 'ann', 'age': 20} and adult(person('bob', 9)) is False",
    ),
    Case(
        "exception groups for a loop of errors",
        "def checked(xs):\n    bad = [x for x in xs if x < 0]\n    if bad:\n        raise ValueError(str(bad))\n    return len(xs)",
        "def checked(xs):\n    errors = [ValueError(x) for x in xs if x < 0]\n    try:\n        if errors:\n"
        "            raise ExceptionGroup('negative', errors)\n    except* ValueError as group:\n"
        "        raise ValueError(str([e.args[0] for e in group.exceptions])) from None\n    return len(xs)",
        "assert checked([1, 2]) == 2\ntry:\n    checked([1, -2])\n    raised = False\nexcept Exception as error:\n"
        "    raised = True\nassert raised",
    ),
    Case(
        "a class pattern with guards for a chain of conditions",
        "def area(shape):\n    kind, *sizes = shape\n    return sizes[0] ** 2 if kind == 'square' else sizes[0] * sizes[1]",
        "from dataclasses import dataclass\n@dataclass(frozen=True, slots=True)\nclass Rect:\n    a: float\n    b: float\n"
        "def area(shape):\n    match shape:\n        case ['square', a]:\n            rect = Rect(a, a)\n"
        "        case ['rect', a, b] if a >= 0:\n            rect = Rect(a, b)\n    match rect:\n"
        "        case Rect(a=x, b=y):\n            return x * y",
        "assert area(('square', 3)) == 9 and area(['rect', 2, 4]) == 8",
    ),
    Case(
        "an asynchronous generator for a loop",
        "def evens(n):\n    return [i for i in range(n) if i % 2 == 0]",
        "import asyncio\nasync def numbers(n):\n    for i in range(n):\n        yield i\nasync def collect(n):\n"
        "    return [i async for i in numbers(n) if not i % 2]\ndef evens(n):\n"
        "    loop = asyncio.new_event_loop()\n    try:\n        return loop.run_until_complete(collect(n))\n"
        "    finally:\n        loop.close()",
        "assert evens(7) == [0, 2, 4, 6]",
    ),
    Case(
        "a generator that is sent values for a class",
        "class Mean:\n    def __init__(self):\n        self.n = self.total = 0\n    def add(self, x):\n        self.n += 1\n"
        "        self.total += x\n        return self.total / self.n\ndef means(xs):\n    mean = Mean()\n"
        "    return [mean.add(x) for x in xs]",
        "def running():\n    n = total = 0\n    mean = None\n    while True:\n        x = yield mean\n        n, total = n + 1, total + x\n"
        "        mean = total / n\ndef means(xs):\n    mean = running()\n    next(mean)\n    return [mean.send(x) for x in xs]",
        "assert means([2, 4, 6]) == [2, 3, 4]",
    ),
]
"""By other parts of the language and its library than the solution's."""

UNDECIDED = [
    Case(
        "an array of larger numbers than the solution's that goes back",
        "def encode(s):\n    return np.array([ord(c) for c in s])\ndef decode(codes):\n    return ''.join(map(chr, codes))",
        "def encode(s):\n    return np.array([ord(c) << 30 for c in s])\ndef decode(codes):\n    return ''.join(chr(c >> 30) for c in codes)",
        "assert decode(encode('abc')) == 'abc'",
    ),
    Case(
        "an array of larger indexes than the solution's",
        "def order(n):\n    return np.arange(n)",
        "def order(n):\n    return np.arange(n) + 10 ** 10 * 0 + np.array([0, 1 << 23, 0]) * (n == 3)",
        "a = np.zeros(1 << 24)\nassert a[order(3)].sum() == 0",
    ),
    Case(
        "a key of more bits than the solution's",
        "def make_key():\n    return 61, 53",
        "def make_key():\n    return 2 ** 61 - 1, 2 ** 31 - 1",
        "p, q = make_key()\nn, phi = p * q, (p - 1) * (q - 1)\ne = next(k for k in range(3, 99, 2) if math.gcd(k, phi) == 1)\nd = pow(e, -1, phi)\nassert pow(pow(42, e, n), d, n) == 42",
    ),
    Case(
        "a global read by the constructor where the solution's method reads it",
        "scale = 2\nclass Ruler:\n    def __init__(self, length):\n        self.length = length\n    def measure(self):\n        return self.length * scale",
        "scale = 2\nclass Ruler:\n    def __init__(self, length):\n        self.scaled = length * scale\n    def measure(self):\n        return self.scaled",
        "scale = 10\nruler = Ruler(3)\nassert ruler.measure() == 30",
    ),
    Case(
        "a global read in another call than the solution's",
        "limit = 10\ndef make():\n    return lambda x: x < limit",
        "limit = 10\ndef make():\n    bound = limit\n    return lambda x: x < bound",
        "limit = 3\nsmall = make()\nassert small(2) and not small(5)",
    ),
]
"""The solution shows nothing like them where the test needs it: a person looks."""

KNOWN = [
    Case(
        "either way where the test takes both and the solution returns",
        "def ordered(xs):\n    return sorted(xs)",
        "def ordered(xs):\n    xs.sort()",
        "xs = [3, 1, 2]\nresult = ordered(xs)\nif result is None:\n    result = xs\nassert result == [1, 2, 3]",
    ),
]
"""They lose: the solution returns, so changes stay outside, unless a line of the test lets them in."""

CASES = [
    *NUMBERS,
    *LARGE,
    *SEQUENCES,
    *TABLES,
    *FUNCTIONS,
    *GLOBALS,
    *CHANGES,
    *OBJECTS,
    *RANDOM,
    *TESTS,
    *MORE,
    *LIBRARY,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_right_answer_of_another_style_loses_nothing(case: Case) -> None:
    of_answer = examined(case)
    assert of_answer.fraction == 1, of_answer.detail


@pytest.mark.parametrize("case", UNDECIDED, ids=lambda case: case.name)
def test_an_answer_that_the_solution_says_nothing_about_waits_for_a_person(case: Case) -> None:
    assert examined(case).undecided


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.name)
def test_the_test_has_to_say_what_its_other_branch_needs(case: Case) -> None:
    assert not examined(case).fraction
    assert examined(case._replace(test=f"# examine: ordered changes xs\n{case.test}")).fraction == 1
