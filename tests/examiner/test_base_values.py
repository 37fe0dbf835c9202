"""An object of a class that derives from a plain type, and leaves equality to it, is compared as that type."""

from __future__ import annotations

import pytest
from helpers.examination import graded, outcome
from helpers.exams import exam_of

from autograder.records.exam import Role

EXTREMES = "def f(xs): return min(xs), max(xs)"
COUNTS = "def f(s): return {c: s.count(c) for c in s}"
SIGN = "def f(x): return 1 if x > 0 else 0"
COLOR = "def f(x): return 'red'"
ONES = "def f(n): return [1] * n"
NAMED = "from collections import namedtuple\nR = namedtuple('R', 'low high')\ndef f(xs): return R(min(xs), max(xs))"
TYPED = "from typing import NamedTuple\nclass R(NamedTuple):\n    low: int\n    high: int\ndef f(xs): return R(min(xs), max(xs))"
TALLY = (
    "class Tally(dict):\n    def __missing__(self, key): return 0\n"
    "def f(s):\n    t = Tally()\n    for c in s: t[c] += 1\n    return t"
)
COUNTER = "import collections\nclass Letters(collections.Counter): pass\nf = Letters"
SIGNS = (
    "from enum import IntEnum\nclass S(IntEnum):\n    NO = 0\n    YES = 1\ndef f(x): return S.YES if x > 0 else S.NO"
)
COLORS = "from enum import Enum\nclass C(str, Enum):\n    RED = 'red'\ndef f(x): return C.RED"
LISTS = "class L(list):\n    def total(self): return sum(self)\ndef f(n): return L([1] * n)"
WRAPPED = "from collections import UserList\ndef f(n): return UserList([1] * n)"
WRAPPED_COUNTS = "from collections import UserDict\ndef f(s): return UserDict({c: s.count(c) for c in s})"
WRAPPED_COLOR = "from collections import UserString\ndef f(x): return UserString('red')"
DEQUES = "import collections\nclass D(collections.deque): pass\ndef f(n): return D([1] * n)"

RIGHT = [
    *((EXTREMES, answer, test) for answer in (NAMED, TYPED) for test in (
        "assert f([1, 2]) == (1, 2) and (1, 2) == f([1, 2]) and f([1, 2]) != (1, 3) and not f([1, 2]) != (1, 2)",
        "low, high = f([1, 2])\nassert low == 1 and f([1, 2])[1] == 2",
        "assert [f([1, 2])] == [(1, 2)] and f([1, 2]) in [(1, 2)] and {f([1, 2]): 'a'} == {(1, 2): 'a'}",
        "assert isinstance(f([1, 2]), tuple) and f([1, 2]) < (1, 3) and f([1, 2]) + (3,) == (1, 2, 3)",
        "assert f([1, 2]) == f([2, 1]) and f([1, 2]) != f([1, 3])",
        "import numpy as np\nassert np.allclose(f([1, 2]), (1, 2))",
        "import pytest\nassert f([1, 2]) == pytest.approx((1, 2))",
        "from autograder import check\ncheck.function(f, [(([1, 2],), (1, 2)), (([4, 3],), (3, 4))])\ncheck.close(f([1, 2]), (1, 2))",
    )),
    *((COUNTS, answer, test) for answer in (TALLY, COUNTER) for test in (
        "assert f('aab') == {'a': 2, 'b': 1} and f('aab') != {'a': 2} and f('aab')['a'] == 2",
        "assert isinstance(f('a'), dict) and not f('') and 'a' in f('a')",
    )),
    (SIGN, SIGNS, "assert f(2) == 1 and f(-1) == 0 and f(2) != 0 and f(2) > 0 and f(2) + 1 == 2 and 3 - f(2) == 2"),
    (SIGN, SIGNS, "assert f(2) and not f(-1) and isinstance(f(2), int) and abs(f(2) - 1) < 1e-9"),
    (SIGN, SIGNS, "assert {1: 'a'}[f(2)] == 'a' and sorted([f(2), f(-1)]) == [0, 1] and f(2) in {1}"),
    (COLOR, COLORS, "assert f(1) == 'red' and f(1).upper() == 'RED' and f(1) in {'red'} and f(1) + 'x' == 'redx'"),
    (COLOR, COLORS, "assert isinstance(f(1), str) and 'ed' in f(1)"),
    (ONES, LISTS, "assert f(2) == [1, 1] and f(1) + [2] == [1, 2] and [2] + f(1) == [2, 1] and not f(0)"),
    (ONES, LISTS, "import numpy as np\nnp.testing.assert_array_equal(f(2), [1, 1])\nassert isinstance(f(1), list)"),
    (ONES, WRAPPED, "assert f(2) == [1, 1] and list(f(2)) == [1, 1] and len(f(2)) == 2 and f(2)[0] == 1 and f(2).count(1) == 2"),
    (COUNTS, WRAPPED_COUNTS, "assert f('aab') == {'a': 2, 'b': 1} and f('aab').get('a') == 2 and len(f('aab')) == 2"),
    (COLOR, WRAPPED_COLOR, "assert f(1) == 'red' and f(1).upper() == 'RED' and f(1) + 'x' == 'redx'"),
    ("from collections import deque\ndef f(n): return deque([1] * n)", DEQUES, "assert list(f(2)) == [1, 1] and f(0) == f(0)"),
]  # fmt: skip


@pytest.mark.parametrize(("solution", "answer", "test"), RIGHT)
def test_a_right_result_of_a_type_of_its_own_is_right(solution, answer, test):
    exam = exam_of((Role.ANSWER, solution), (Role.TEST, test))
    assert graded(exam)[0].fraction == 1
    result = graded(exam, cell0=answer)[0]
    assert result.fraction == 1, result.detail


UNITTEST = [
    *((COUNTS, answer, test) for answer in (TALLY, COUNTER) for test in (
        "assertDictEqual(f('aab'), {'a': 2, 'b': 1})", "assertDictEqual({'a': 2, 'b': 1}, f('aab'))",
        "assertIsInstance(f('aab'), dict)", "assertCountEqual(f('aab'), ['b', 'a'])",
    )),
    *((EXTREMES, answer, test) for answer in (NAMED, TYPED) for test in (
        "assertTupleEqual(f([1, 2]), (1, 2))", "assertSequenceEqual((1, 2), f([1, 2]), seq_type=tuple)",
        "assertSequenceEqual(f([1, 2]), [1, 2])", "assertNotIsInstance(f([1, 2]), list)",
    )),
    (ONES, LISTS, "assertListEqual(f(2), [1, 1])"),
    (ONES, LISTS, "assertCountEqual(f(2), (1, 1))"),
    (COLOR, COLORS, "assertMultiLineEqual(f(1), 'red')"),
]  # fmt: skip


@pytest.mark.parametrize(("solution", "answer", "assertion"), UNITTEST)
def test_an_assertion_of_unittest_knows_the_base(solution, answer, assertion):
    exam = exam_of((Role.ANSWER, solution), (Role.TEST, f"import unittest\nunittest.TestCase().{assertion}"))
    assert graded(exam)[0].fraction == 1
    result = graded(exam, cell0=answer)[0]
    assert result.fraction == 1, result.detail


def test_an_assertion_of_unittest_tells_bases_apart():
    for wrong in ("{'a': 2}", "[('a', 2), ('b', 1)]"):
        test = f"import unittest\nunittest.TestCase().assertDictEqual(f('aab'), {wrong})"
        assert outcome(TALLY, test).fraction == 0
    test = "import unittest\nunittest.TestCase().assertListEqual(f(1), [1])"
    assert outcome(LISTS.replace("[1] * n", "[1] * n + [2]"), test).fraction == 0
    assert outcome("class L(list):\n    __eq__ = lambda s, o: True\ndef f(n): return L()", test).fraction == 0


UNREAD = [
    (COLOR, COLORS, "import re\nassert re.search('^r', f(1))"),
    (COLOR, COLORS, "assert ''.join([f(1)]) == 'red' and 'a red'.endswith(f(1)) and f(1) in 'a red'"),
    (COUNTS, TALLY, "import json\nassert json.loads(json.dumps(f('a'))) == {'a': 1}"),
    (COUNTS, TALLY, "from collections import Counter\nassert Counter(f('aab')).most_common(1) == [('a', 2)]"),
    (COUNTS, TALLY, "import pandas as pd\nassert pd.Series(f('aab')).sum() == 3"),
    (EXTREMES, NAMED, "assert '%d to %d' % f([1, 2]) == '1 to 2'"),
    (SIGN, SIGNS, "assert list(range(f(2))) == [0] and 'ab'[f(2)] == 'b'"),
    ("x = (1, 2)", "class P(tuple): pass\nx = P((1, 2))", "assert '%d to %d' % x == '1 to 2'"),
]


@pytest.mark.parametrize(("solution", "answer", "test"), UNREAD)
def test_a_library_that_needs_the_base_itself_leaves_a_right_result_to_a_person(solution, answer, test):
    exam = exam_of((Role.ANSWER, solution), (Role.TEST, test))
    assert graded(exam)[0].fraction == 1
    result = graded(exam, cell0=answer)[0]
    assert result.fraction == 1 or result.undecided, result.detail
    assert "the plain value" in " ".join(result.detail.split())


@pytest.mark.parametrize("value", ["S('rod')", "S('')"])
def test_a_wrong_result_is_wrong_there_too(value):
    result = outcome(f"class S(str): pass\ndef f(x): return {value}", "import re\nassert re.search('^red', f(1))")
    assert result.fraction == 0
    assert not result.undecided


WRONG = [
    ("class R(tuple): pass\ndef f(): return R((1, 3))", "assert f() == (1, 2)"),
    ("class R(tuple): pass\ndef f(): return R((1, 2))", "assert f() == [1, 2]"),
    ("class R(tuple): pass\ndef f(): return R((1, 2))", "assert isinstance(f(), list)"),
    ("class T(dict): pass\ndef f(): return T(a=1)", "assert f() == {'a': 2}"),
    ("from enum import IntEnum\nclass S(IntEnum):\n    NO = 0\ndef f(): return S.NO", "assert f()"),
    ("from enum import Enum\nclass S(Enum):\n    RED = 'red'\ndef f(): return S.RED", "assert f() == 'red'"),
]


@pytest.mark.parametrize(("answer", "test"), WRONG)
def test_a_wrong_result_of_a_type_of_its_own_is_wrong(answer, test):
    assert outcome(answer, test).fraction == 0


CHEATS = {
    "an equality of its own": "class L(list):\n    __eq__ = lambda s, o: True\nx = L()",
    "an order of its own": "class L(list):\n    __lt__ = __gt__ = __eq__ = lambda s, o: True\nx = L()",
    "an equality of a base class": "class M:\n    def __eq__(self, o): return True\nclass L(M, list): pass\nx = L()",
    "an operator of its own": "class L(int):\n    __sub__ = __rsub__ = lambda s, o: 0\nx = L(3)",
    "methods of its own": "class L(list):\n    count = lambda s, o: 2\nx = L()",
    "truth of its own": "class L(list):\n    __bool__ = lambda s: True\nx = L()",
    "a length of its own": "class L(list):\n    __len__ = lambda s: 2\nx = L()",
    "items of its own": "class L(list):\n    __iter__ = lambda s: iter([1, 1])\n    __getitem__ = lambda s, i: 1\nx = L()",
    "a hash of its own": "class L(tuple):\n    __hash__ = lambda s: hash((1, 1))\n    __eq__ = lambda s, o: True\nx = L()",
}


@pytest.mark.parametrize("cheat", CHEATS)
@pytest.mark.parametrize(
    "test",
    [
        "assert x == [1, 1]",
        "assert not x != [1, 1]",
        "assert x > [1, 0]",
        "assert abs(x - 9) < 1",
        "assert x",
        "assert x in {(1, 1)}",
        "assert isinstance(x, list) and x.count(1) == 2",
        "import numpy as np\nnp.testing.assert_array_equal(x, [1, 1])",
        "from autograder import check\ncheck.close(x, [1, 1])",
    ],
)
def test_a_class_that_decides_itself_gets_nothing(cheat, test):
    if (cheat, test) != ("an operator of its own", "assert x"):  # it is 3, which is true
        assert outcome(CHEATS[cheat], test).fraction == 0


def test_a_result_that_may_contain_the_expected_value_is_no_plain_value():
    vector = "class V(tuple):\n    def __sub__(self, o): return {}"
    exam = exam_of(
        (Role.ANSWER, vector.format("V(a - b for a, b in zip(self, o))")),
        (Role.TEST, "v = V((1, 2))\nassert v - V((1, 1)) == V((0, 1)) and (v - (1, 2)) == (0, 0)"),
    )
    assert graded(exam, cell0=vector.format("V((0, 0))"))[0].fraction == 0


def test_a_message_tells_no_shape_of_what_was_read_after_the_last_cell():
    answer = "class L(list): pass\nx = L()\ndef f(n):\n    x.extend([1] * n)\n    return 1"
    test = "from autograder import check\nassert f(7) == 1\ncheck.close(x, [1.0, 2.0])"
    result = outcome(answer, test, released="")
    assert "7" not in result.message
    assert all("7" not in check.message for check in result.checks)
