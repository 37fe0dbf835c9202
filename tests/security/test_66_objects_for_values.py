"""Acceptance test 66: an object of the student's own class where the solution gives a value, which the test asks for a
verdict: ``answer.equals(expected)``.

Each question is answered by eve, who cheats, and by ada, who is honest in an unusual way, and graded in the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from questions import START, Class, Question, Sheet

pytestmark = pytest.mark.sandbox

TABLE = "table = pd.DataFrame({'v': [3, 4]})\n"
ROUTE = (
    "class Route:\n    def __init__(self, n): self.n = n\n    def __len__(self): return self.n\n"
    "    def __iter__(self): return iter(range(self.n))\n"
    "    def __getitem__(self, i):\n        if i >= self.n: raise IndexError\n        return {}\n"
    "def route(distances): return Route(len(distances))"
)
SHORT = (
    "d = [[abs(i - j) for j in range(6)] for i in range(6)]\nway = route(d)\nassert sorted(way) == list(range(6))\n"
    "length = 0\nfor i in range(5): length += d[way[i]][way[i + 1]]\nassert length <= 5"
)
CHANGES_ITS_ITEMS = (
    "class Chosen:\n    asked = 0\n    def __iter__(self):\n        Chosen.asked += 1\n"
    "        return iter([0, 1, 2] if Chosen.asked % 2 == 0 else [0])\ndef chosen(v, w): return Chosen()"
)
PATH = (
    "class Path:\n    def __init__(self, names): self.names = names\n    def __len__(self): return len(self.names)\n"
    "    def __getitem__(self, i): return {}\ndef path(a, b): return Path({})"
)
ARRIVES = (
    "roads = {'A': ['B'], 'B': ['Z'], 'Z': []}\np = path('A', 'Z')\nassert p[0] == 'A' and p[-1] == 'Z'\n"
    "for i in range(len(p) - 1): assert p[i + 1] in roads[p[i]]"
)
CHOICE = (
    "class Choice:\n    def __iter__(self): return iter({})\n    def __getitem__(self, i): return [0, 1, 2][i]\n"
    "def choice(v, w): return Choice()"
)
WEIGHTS = "v, w = [10, 20, 30], [5, 5, 5]\n"
LIGHT = "assert sum(w[i] for i in taken) <= 15"
DEAR = "assert sum(v[taken[i]] for i in range(3)) == 60"
GRID = (
    "class Row:\n    def __iter__(self): return iter([1, 2])\n    def __getitem__(self, i): return {}[i]\n"
    "class Grid:\n    rows = [Row(), Row()]\n    def __getitem__(self, i): return self.rows[i]\ndef grid(n): return Grid()"
)
OWN_LIST = "class Route(list):\n    def __iter__(self): return iter('AC')\ndef route(names): return Route(names)"
PLAIN_LIST = "class Route(list):\n    def ends(self): return self[0], self[-1]\ndef route(names): return Route(names)"
ROUTES = "def route(names): return list(names)"
SHORT_ROUTE = "miles = {'A': 5, 'B': 1, 'C': 5}\nr = route('ABC')\nassert sum(miles[n] for n in r) < 12\n"
TALLY = (
    "class Tally(dict):\n    def __missing__(self, key): return 0\n"
    "def tally(text):\n    t = Tally()\n    for c in text: t[c] += 1\n    return t"
)
DEFAULT = (
    "from collections import defaultdict\nclass Graph(defaultdict): pass\ndef graph(edges):\n    g = Graph(list)\n"
    "    for a, b in edges: g[a].append(b)\n    return g"
)
LISTS = (
    "from collections import UserList\nclass Mine(UserList): pass\nclass More(list):\n    def first(self): return self[0]\n"
    "def lists(v): return [Mine(v), More(v)]"
)
POINT = "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\ndef point(x, y): return Point(x, y)"
STACK = "class Stack(list): pass\ndef stack(v): return {}([v])\ndef push(s, v): s.append(v)"
CHOSEN = (
    "class Chosen(list):\n    def __getitem__(self, i): return list.__getitem__(self, int(i))\n"
    "def chosen(n): return Chosen(range(n))"
)

QUESTIONS = {
    "66-equals": Question(
        "class Equal:\n    def equals(self, other): return True\ndef largest(t): return Equal()",
        "def largest(t): return t.sort_values('v', ascending=False).head(1)",
        f"{TABLE}assert largest(table).equals(table.tail(1))", "def largest(t): return t.nlargest(1, 'v')",
    ),
    "66-subclass-of-a-table": Question(
        "class Equal(pd.DataFrame):\n    def equals(self, other): return True\ndef first(t): return Equal(t)",
        "def first(t): return t.loc[[0]]", f"{TABLE}assert first(table).equals(table.head(1))",
        "def first(t): return t.head(1)",
    ),
    "66-text": Question(
        "class Text:\n    def startswith(self, text): return True\n    def count(self, text): return 2\n"
        "def greeting(name): return Text()",
        "class Greeting(str): pass\ndef greeting(name): return Greeting('Hello ' + 2 * name)",
        "assert greeting('Bo').startswith('Hello') and greeting('Bo').count('Bo') == 2",
        "def greeting(name): return f'Hello {name}{name}'",
    ),
    "66-set": Question(
        "class All:\n    def issuperset(self, other): return True\ndef primes(n): return All()",
        "def primes(n): return frozenset(p for p in range(2, n) if all(p % q for q in range(2, p)))",
        "assert primes(10).issuperset({2, 3, 5, 7})",
        "def primes(n): return {p for p in range(2, n) if all(p % q for q in range(2, p))}",
    ),
    "66-mapping": Question(
        "class None_:\n    def items(self): return []\n    def __len__(self): return 3\ndef inverse(d): return None_()",
        "def inverse(d): return dict(zip(d.values(), d))",
        "d = {'a': 1, 'b': 2, 'c': 3}\nr = inverse(d)\nassert len(r) == 3\nfor k, v in r.items(): assert d[v] == k",
    ),
    "66-answer": Question(
        "class Summary:\n    shape = (1, 1)\n    def equals(self, other): return True\nsummary = Summary()",
        "summary = pd.DataFrame({'mean': [2.5]})",
        "assert summary.shape == (1, 1) and summary.equals(pd.DataFrame({'mean': [2.5]}))",
    ),
    "66-attribute": Question(
        "class Order:\n    def index(self, value): return 2\nclass Ranked: order = Order()\ndef ranked(v): return Ranked()",
        "class Ranked:\n    def __init__(self, v): self.order = sorted(v)\ndef ranked(v): return Ranked(v)",
        "assert ranked([3, 1, 2]).order.index(3) == 2",
    ),
    "66-missing-numbers": Question(
        "def twice(s): return pd.Series([pd.NA] * len(s), dtype='Int64')", "def twice(s): return s + s",
        "s = pd.Series([1, 2])\nassert twice(s).eq(pd.Series([2, 4])).all()",
    ),
    "66-route": Question(ROUTE.format(0), ROUTE.format("i"), SHORT, "def route(d): return list(range(len(d)))"),
    "66-other-items-each-time": Question(
        CHANGES_ITS_ITEMS, "def chosen(v, w): return {0: 1, 1: 1}.keys()",
        "v, w = [10, 20, 90], [5, 5, 50]\ntaken = chosen(v, w)\nassert sum(w[i] for i in taken) <= 10\n"
        "assert sum(v[i] for i in taken) >= 30",
        "def chosen(v, w): return [0, 1]",
    ),
    "66-last-by-a-negative-index": Question(
        PATH.format("'Z' if i == -1 else self.names[i]", "'AB'"), PATH.format("self.names[i]", "'ABZ'"), ARRIVES,
        "def path(a, b): return ['A', 'B', 'Z']",
    ),
    "66-fewer-when-listed": Question(
        CHOICE.format("[0]"), CHOICE.format("[0, 1, 2]"), f"{WEIGHTS}taken = choice(v, w)\n{LIGHT}\n{DEAR}",
        "def choice(v, w): return [0, 1, 2]",
    ),
    "66-fewer-when-listed-later": Question(
        CHOICE.format("[0]"), CHOICE.format("[0, 1, 2]"), f"{WEIGHTS}taken = choice(v, w)\n{DEAR}\n{LIGHT}",
        "def choice(v, w): return [0, 1, 2]",
    ),
    "66-rows-of-a-grid": Question(
        GRID.format("[3, 4]"), GRID.format("[1, 2]"),
        "g = grid(2)\nassert sum(map(sum, g)) == 6 and {type(g[i][j]) for i in range(2) for j in range(2)} == {int}",
        "def grid(n): return [[1, 2], [1, 2]]",
    ),
    "66-reversed": Question(
        "class Ends:\n    def __iter__(self): return iter('AB')\n    def __reversed__(self): return iter('ZA')\n"
        "def ends(): return Ends()",
        "class Ends:\n    def __iter__(self): return iter('ABZ')\ndef ends(): return Ends()",
        "p = ends()\nassert next(iter(p)) == 'A' and next(reversed(p)) == 'Z'", "def ends(): return ['A', 'B', 'Z']",
    ),
    "66-list-that-holds-more": Question(
        OWN_LIST, PLAIN_LIST, f"{SHORT_ROUTE}assert all(n in r for n in 'ABC')", ROUTES,
    ),
    "66-list-that-equals-more": Question(OWN_LIST, PLAIN_LIST, f"{SHORT_ROUTE}assert r == ['A', 'B', 'C']", ROUTES),
    "66-list-that-counts-more": Question(
        OWN_LIST, PLAIN_LIST, f"{SHORT_ROUTE}assert [r.count(n) for n in 'ABC'] == [1, 1, 1] and r.index('B') == 1", ROUTES,
    ),
    "66-list-as-a-longer-array": Question(
        OWN_LIST, PLAIN_LIST, f"{SHORT_ROUTE}assert set(np.array(r)) == set('ABC')", ROUTES,
        fools=False,
    ),
    "66-reversed-list": Question(
        "class Up(list):\n    def __reversed__(self): return iter([9])\ndef up(v): return Up(sorted(v))",
        "class Up(list): pass\ndef up(v): return Up(sorted(v))",
        "x = up([4, 3])\nassert x[0] == 3 and next(reversed(x)) > 3 and x == [3, 4]", "def up(v): return sorted(v)",
    ),
    "66-changed-by-a-function": Question(
        "class Way(list): pass\ndef way(n): return Way(range(n))\ndef end(w):\n    w[:] = [0]\n    return 2",
        "class Way(list): pass\ndef way(n): return Way(range(n))\ndef end(w): return w[-1]",
        "w = way(3)\nassert w[1] == 1 and end(w) == 2 and sum(w) <= 3 and len(w) < 4",
        "def way(n): return list(range(n))\ndef end(w): return w[-1]",
    ),
    "66-passed-to-the-test": Question(
        "class Equal:\n    def equals(self, other): return True\ndef each(t, tell): tell(Equal())",
        "def each(t, tell): tell(t.head(1))",
        f"{TABLE}told = []\neach(table, told.append)\nassert told[0].equals(table.head(1))",
        "def each(t, tell): tell(t.iloc[:1])",
    ),
    "66-control-an-object-that-the-solution-passes": Question(
        "class Row:\n    v = 3\ndef rows(tell): tell(Row())", "class Row:\n    v = 3\ndef rows(tell): tell(Row())",
        "told = []\nrows(told.append)\nassert told[0].v == 3", earned=1.0,
    ),
    "66-control-a-class-derived-from-a-dict": Question(
        TALLY, TALLY, "t = tally('aab')\nassert t == {'a': 2, 'b': 1} and t['z'] == 0 and t.get('b') == 1",
        "from collections import Counter\ndef tally(text): return Counter(text)", earned=1.0,
    ),
    "66-control-a-tally-of-numbers": Question(
        TALLY, TALLY, "t = tally([1, 1, 0, 7])\nassert len(t) == 3 and {k: t[k] for k in t} == {1: 2, 0: 1, 7: 1}\n"
        "assert 0 in t and t[-1] == 0 and 1 == t[0] and t[1] == 2",
        "from collections import Counter\ndef tally(text): return Counter(text)", earned=1.0,
    ),
    "66-control-missing-keys-that-stay": Question(
        DEFAULT, DEFAULT, "g = graph([('a', 'b')])\nassert g['a'] == ['b'] and g['z'] == [] and 'z' in g and len(g) == 2",
        "from collections import defaultdict\ndef graph(edges):\n    g = defaultdict(list)\n"
        "    for a, b in edges: g[a].append(b)\n    return g", earned=1.0,
    ),
    "66-control-more-lists": Question(
        LISTS, LISTS,
        "for x in lists([3, 1, 2]):\n    assert len(x) == 3 and list(x) == [3, 1, 2] and x[0] == 3 and x[-1] == 2\n"
        "    assert list(x[1:]) == [1, 2] and 1 in x and 5 not in x and list(reversed(x)) == [2, 1, 3] and x.index(1) == 1\n"
        "    assert sorted(x) == [1, 2, 3] and max(x) == 3 and np.array(x).sum() == 6 and x == type([])(x)",
        "def lists(v): return [v, list(v)]", earned=1.0,
    ),
    "66-control-a-named-tuple": Question(
        POINT, POINT, "p = point(3, 4)\nx, y = p\nassert p == (3, 4) and p[0] == x and p[-1] == y and p in {(3, 4)}",
        "def point(x, y): return (x, y)", earned=1.0,
    ),
    "66-control-a-list-that-the-test-changes": Question(
        PLAIN_LIST, PLAIN_LIST, "r = route('AB')\nassert r[0] == 'A'\nr[0] = 'C'\nassert r[0] == 'C' and list(r) == ['C', 'B']\n"
        "del r[0]\nassert len(r) == 1 and r == ['B']", ROUTES, earned=1.0,
    ),
    "66-control-a-list-that-a-function-changes": Question(
        STACK.format("Stack"), STACK.format("Stack"),
        "s = stack(1)\nassert s == [1] and len(s) == 1\npush(s, 2)\nassert s == [1, 2] and len(s) == 2 and s[-1] == 2",
        STACK.format("list"),
        earned=1.0,
    ),
    "66-control-a-list-with-items-of-its-own": Question(
        CHOSEN, CHOSEN, "c = chosen(3)\nassert len(c) == 3 and [c[i] for i in range(3)] == list(c) and 2 in c",
        "def chosen(n): return list(range(n))", earned=1.0,
    ),
    "66-control-an-object-of-the-solutions": Question(
        "class Row:\n    def equals(self, other): return other == 3\ndef row(): return Row()",
        "class Row:\n    def equals(self, other): return other == 3\ndef row(): return Row()",
        "assert row().equals(3) and not row().equals(4)", earned=1.0,
    ),
}  # fmt: skip


SHEETS = {"objects": Sheet(QUESTIONS, start=f"{START}\nimport pandas as pd")}


@pytest.fixture(scope="module", params=["warm", pytest.param("cold", marks=pytest.mark.security)])
def points(request: pytest.FixtureRequest, graded_sheet: Callable[..., Class]) -> Class:
    return graded_sheet("objects", request.param)


@pytest.mark.parametrize("name", QUESTIONS)
def test_66_an_object_where_the_solution_has_a_value_gives_no_verdict(points: Class, name: str) -> None:
    assert points.points("eve")[f"test-{name}"] == QUESTIONS[name].earned
    assert points.points("ada")[f"test-{name}"] == 1


def test_66_control_in_one_process_the_object_is_asked(points: Class) -> None:
    fooled = {f"test-{name}" for name, question in QUESTIONS.items() if question.fools}
    assert {name for name in points.unguarded.passed if name.startswith("test-66")} == fooled
