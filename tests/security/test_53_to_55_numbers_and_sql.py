"""Acceptance tests 53 to 55: infinity in few bits, integers that wrap, and SQL that changes what the test compares with.

Each question is answered by eve, who cheats, and by ada, who is honest, and graded in the sandbox.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from questions import Class, Question, Sheet

from autograder.examiner.exact_integers import arriving, kind_of

STARTS = ["warm", pytest.param("cold", marks=pytest.mark.security)]
POWERS = "[2 ** (100 * k) for k in range(1, n)]"
INVERSES = "def inverses(n):\n    return np.float32(1) / np.zeros(n, np.float32)"
TABLE = "CREATE TABLE people (name, pay); INSERT INTO people VALUES ('ann', 5), ('bob', 9), ('cleo', 9)"
RICH = "SELECT name FROM people WHERE pay > 7 ORDER BY name"


def sql(name: str, attack: str, earned: float = 0.0) -> Question:
    """A query whose rows are compared with those of the instructor's, in the same connection and after it."""
    test = f"import sqlite3\nc = sqlite3.connect(':memory:')\nc.executescript({TABLE!r})\n"
    test += f"assert c.execute({name}).fetchall() == c.execute({RICH!r}).fetchall()"
    return Question(f"{name} = {attack!r}", f"{name} = {RICH!r}", test, earned=earned)


def distance(attack: str, gathered: str, honest: str = "def at(k): return k", start: str = "") -> Question:
    """Numbers of which a test makes an array, and the length of the difference to 0, 1, 2 …"""
    return Question(attack, honest, f"{start}e = np.array([{gathered}]) - np.arange(12)\nassert e @ e < 1e-9")


QUESTIONS = {
    "53-scalar": Question(
        "def fact(n): return np.float32('inf')", "import math\ndef fact(n):\n    return math.factorial(n)",
        "assert fact(50) == 30414093201713378043612608166064768844377641568960512000000000000",
    ),
    "53-complex": Question(
        "def power(n): return np.complex64('inf')", "def power(n): return 2 ** n", "assert power(200) == 2 ** 200"
    ),
    "53-in-a-list": Question(
        "def row(n): return [2 ** 100] + [np.float32('inf')] * (n - 2)", f"def row(n): return {POWERS}",
        "assert row(4) == [2 ** 100, 2 ** 200, 2 ** 300]",
    ),
    "53-array": Question(
        "def rows(n): return np.full(n, np.float32('inf'))", f"def rows(n): return {POWERS}[1:]",
        "assert all(a == b for a, b in zip(rows(4), [2 ** 200, 2 ** 300]))",
    ),
    "53-honest": Question(INVERSES, INVERSES, "assert (inverses(3) == 1 / np.zeros(3)).all()", earned=1.0),
    "55-delete": sql("delete", "DELETE FROM people"),
    "55-table": sql("table", "CREATE TEMP TABLE people (name, pay)"),
    "55-view": sql("view", "CREATE TEMP VIEW people AS SELECT 0 AS name, 0 AS pay WHERE 0"),
    "54-mean-of-squares": Question(
        "def line(x): return np.full(len(x), 3_500_000_000)", "def line(x): return 2 * x",
        "x = np.arange(6)\nassert np.mean((line(x) - 2 * x) ** 2) < 0.5",
    ),
    "54-from-a-list": Question(
        "def line(x): return [3_500_000_000] * len(x)", "def line(x): return [2 * int(v) for v in x]",
        "x = np.arange(6)\ne = np.array(line(x)) - 2 * x\nassert e @ e < 1e-9",
    ),
    "54-honest": Question(
        "import math\ndef fact(n): return np.array(math.factorial(n))", "import math\ndef fact(n): return math.factorial(n)",
        "assert fact(20) == 2432902008176640000 and fact(20) - 1 > 2 ** 60", earned=1.0,
    ),
    "54-sum-of-squares": Question(
        "def line(x): return np.full(len(x), 2 ** 30)", "def line(x): return 2 * x",
        "x = np.arange(12)\nassert ((line(x) - 2 * x) ** 2).sum() < 0.5",
    ),
    "54-call-by-call": distance("def at(k): return 2 ** 30", "at(k) for k in range(12)"),
    "54-through-a-helper": Question(
        "def ident(k): return 10 ** 9 + k\ndef at(k): return 2 ** 30", "def ident(k): return 10 ** 9 + k\ndef at(k): return k",
        "def gathered(f): return np.array([f(k) for k in range(12)])\nassert list(gathered(ident)[:2]) == [10 ** 9, 10 ** 9 + 1]\n"
        "e = gathered(at) - np.arange(12)\nassert e @ e < 1e-9",
    ),
    "54-int": distance("def at(k): return 2 ** 30", "int(at(k)) for k in range(12)"),
    "54-int-of-a-float": distance("def at(k): return 2.0 ** 30", "int(at(k)) for k in range(12)"),
    "54-int-of-an-object": distance(
        "class N:\n    def __int__(self): return 2 ** 30\ndef at(k): return N()", "int(at(k)) for k in range(12)"
    ),
    "54-int-by-map": distance("def at(k): return '1073741824'", "*map(int, [at(k) for k in range(12)])", "def at(k): return str(k)"),
    "54-len": distance(
        "class N:\n    def __len__(self): return 2 ** 30\ndef at(k): return N()", "len(at(k)) for k in range(12)",
        "def at(k): return 'x' * k",
    ),
    "54-round": distance("def at(k): return 2.0 ** 30", "round(at(k)) for k in range(12)"),
    "54-sum": distance("def at(k): return [2 ** 22] * 256", "sum(at(k)) for k in range(12)", "def at(k): return [k]"),
    "54-coroutine": distance(
        "async def at(k): return 2 ** 30", "asyncio.run(at(k)) for k in range(12)", "async def at(k): return k", "import asyncio\n"
    ),
    "54-json": distance(
        "def at(k): return '1073741824'", "json.loads(at(k)) for k in range(12)", "def at(k): return str(k)", "import json\n"
    ),
    "54-file": Question(
        "def write(path): open(path, 'w').write('n\\n' + '3500000000\\n' * 6)", "def write(path): open(path, 'w').write('n\\n' + '5\\n' * 6)",
        "import pandas as pd\nwrite('numbers.csv')\nassert ((pd.read_csv('numbers.csv')['n'] - 5) ** 2).mean() < 1e-6",
    ),
    "54-honest-file": Question(
        "def write(path): open(path, 'w').write('n\\n' + '5\\n' * 6)", "def write(path):\n    with open(path, 'w') as f: f.write('n\\n' + '5\\n' * 6)",
        "import io\nimport pandas as pd\nwrite('numbers.csv')\npeople = pd.read_csv(io.StringIO('n\\n3500000000'))['n']\n"
        "assert (pd.read_csv('numbers.csv')['n'] == 5).all() and people.dtype == 'int64'", earned=1.0,
    ),
    "54-32-bits": Question(
        "def line(x): return np.full(len(x), 2 ** 16 + 5, np.int32)", "def line(x): return np.full(len(x), 5)",
        "assert np.mean((line(np.arange(6)) - 5) ** 2) < 0.5",
    ),
    "54-honest-32-bits": Question(
        "def line(x): return np.full(len(x), 5, np.int32)", "def line(x): return np.full(len(x), 5)",
        "assert np.mean((line(np.arange(6)) - 5) ** 2) < 0.5 and np.arange(9)[line(np.arange(2))].sum() == 10", earned=1.0,
    ),
    "54-honest-numbers": Question(
        "import itertools\nnumbers = itertools.count(3_000_000_000)\ndef ident(): return next(numbers)",
        "import itertools\nnumbers = itertools.count(1)\ndef ident(): return next(numbers)",
        "import json\na, b = [ident() for _ in range(2)]\nassert type(a) is int and isinstance(b, int) and a < b == a + 1\n"
        "assert len({a, b}) == len(range(a, b + 1)) == 2 and f'{a:d}' == str(a) and json.loads(json.dumps([a])) == [a]\n"
        "assert a // 10 * 10 + a % 10 == a and a >> 1 << 1 | a & 1 == a and (np.array([a, b]) == [a, b]).all() and np.mean([a, a]) == a\n"
        "assert {a: 'x'}[a] == 'x' and 'abc'[a % 3] in 'abc' and int(str(a)) == int(a)", earned=1.0,
    ),
    "55-honest": sql("honest", RICH, earned=1.0),
    "55-honest-insert": Question(
        'insert = "INSERT INTO people (pay, name) VALUES (9, \'Zoe\')"', 'insert = "INSERT INTO people VALUES (\'Zoe\', 9)"',
        f"import sqlite3\nc = sqlite3.connect(':memory:')\nc.executescript({TABLE!r})\n"
        "c.execute(insert)\nassert ('Zoe', 9) in c.execute('SELECT name, pay FROM people').fetchall()", earned=1.0,
    ),
}  # fmt: skip


SHEETS = {"numbers-and-sql": Sheet(QUESTIONS)}


@pytest.fixture(scope="module", params=STARTS)
def points(request: pytest.FixtureRequest, graded_sheet: Callable[..., Class]) -> Class:
    return graded_sheet("numbers-and-sql", request.param)


def of(number: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name in QUESTIONS if name.startswith(number)])


def worth_its_work(points: Class, name: str) -> None:
    assert points.points("eve")[f"test-{name}"] == QUESTIONS[name].earned
    assert points.points("ada")[f"test-{name}"] == 1


def passes_in_one_process(points: Class, number: str) -> None:
    passed = {name for name in points.unguarded.passed if name.startswith(f"test-{number}")}
    assert passed == {f"test-{name}" for name in QUESTIONS if name.startswith(number)}


@of("53")
@pytest.mark.sandbox
def test_53_infinity_of_few_bits_equals_no_larger_number(points: Class, name: str) -> None:
    worth_its_work(points, name)


@pytest.mark.sandbox
def test_53_control_in_one_process_it_equals_them(points: Class) -> None:
    passes_in_one_process(points, "53")


@of("54")
@pytest.mark.sandbox
def test_54_large_integers_are_close_to_nothing_else(points: Class, name: str) -> None:
    worth_its_work(points, name)


@pytest.mark.sandbox
def test_54_control_in_one_process_squares_wrap(points: Class) -> None:
    passes_in_one_process(points, "54")


@of("55")
@pytest.mark.sandbox
def test_55_no_statement_changes_what_it_is_compared_with(points: Class, name: str) -> None:
    worth_its_work(points, name)


@pytest.mark.sandbox
def test_55_control_in_one_process_the_reference_finds_nothing(points: Class) -> None:
    passes_in_one_process(points, "55")


# --- 54: integers that wrap ------------------------------------------------------------------------------

BIG = 3_500_000_000
ANSWERS: dict[str, Any] = {
    "array": np.full(3, BIG),
    "list": [BIG] * 3,
    "tuple": (BIG,) * 3,
    "scalars": [np.int64(BIG)] * 3,
}
EXPECTED = [5, 7, 9]
COMPARISONS: dict[str, Callable[[Any], bool]] = {
    "mean": lambda answer: bool(np.mean((np.array(answer) - EXPECTED) ** 2) < 0.5),
    "square": lambda answer: bool(np.square(np.subtract(answer, EXPECTED)).sum() < 1e-6),
    "product": lambda answer: bool((e := np.array(answer) - np.array(EXPECTED)) @ e < 1e-9),
    "each": lambda answer: all(np.square(a - e) < 1e-9 for a, e in zip(answer, EXPECTED, strict=True)),
}


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_54_the_square_of_a_difference_is_not_below_zero(answer: str, comparison: str) -> None:
    assert not kind_of(EXPECTED)
    assert not COMPARISONS[comparison](arriving(copy.copy(ANSWERS[answer]), ()))
    assert COMPARISONS[comparison](arriving(EXPECTED, ()))


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_54_control_in_64_bits_it_is(answer: str, comparison: str) -> None:
    assert COMPARISONS[comparison](ANSWERS[answer])
