"""Test cells as courses write them: full marks for the instructor's solution, nothing for a given wrong answer."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from helpers.limits import starting
from helpers.student_classes import EQUAL, VECTOR

from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.syntax.names import bindings


class Case(NamedTuple):
    solution: str
    test: str
    wrong: str


INSPECT = {
    "source": Case(
        "def mean(v):\n    '''The mean.'''\n    return sum(v) / len(v)",
        "import ast, inspect\ntree = ast.parse(inspect.getsource(mean))\n"
        "assert not any(isinstance(n, ast.For) for n in ast.walk(tree))\nassert mean([1, 3]) == 2",
        "def mean(v):\n    t = 0\n    for x in v: t += x\n    return t / len(v)",
    ),
    "source of a class": Case(
        "class A:\n    def f(self): return 1",
        "import inspect\nassert inspect.getsource(A).count('def ') == 1\nassert inspect.isclass(A)",
        "class A:\n    def f(self): return 1\n    def g(self): return 1",
    ),
    "signature": Case(
        "def greet(name, greeting='Hello', *, end: str = '!') -> str: return greeting + name + end",
        "import inspect\ns = inspect.signature(greet)\nassert list(s.parameters) == ['name', 'greeting', 'end']\n"
        "assert s.parameters['greeting'].default == 'Hello'\nassert s.return_annotation is str\n"
        "assert s.parameters['end'].kind is inspect.Parameter.KEYWORD_ONLY",
        "def greet(name, greeting, *, end='!'): return greeting + name + end",
    ),
    "signature of a method": Case(
        "class A:\n    def __init__(self, x): self.x = x\n    def f(self, y): return y",
        "import inspect\nassert list(inspect.signature(A).parameters) == ['x']\n"
        "assert list(inspect.signature(A(1).f).parameters) == ['y']",
        "class A:\n    def __init__(self, x, z=1): self.x = x\n    def f(self, y): return y",
    ),
    "docstrings and names": Case(
        "def f(x):\n    '''Doubles.'''\n    return 2 * x",
        "import inspect\nassert f.__doc__ and inspect.getdoc(f) == 'Doubles.'\nassert f.__name__ == 'f'\n"
        "assert inspect.isfunction(f) and callable(f) and f.__code__.co_argcount == 1",
        "f = lambda x: 2 * x",
    ),
    "docstring of a class and its method": Case(
        "class A:\n    'A class.'\n    def f(self): 'A method.'",
        "assert A.__doc__ == 'A class.' and A.f.__doc__ == 'A method.'\nassert A.__name__ == 'A'",
        "class A:\n    def f(self): 'A method.'",
    ),
    "type hints": Case(
        "def f(x: int, y: str = '') -> float: return 1.0",
        "import typing\nassert typing.get_type_hints(f) == {'x': int, 'y': str, 'return': float}",
        "def f(x, y=''): return 1.0",
    ),
    "argument specification": Case(
        "def f(a, b=2, *c, d, **e): return a",
        "import inspect\ns = inspect.getfullargspec(f)\nassert s.args == ['a', 'b'] and s.defaults == (2,) and s.kwonlyargs == ['d']\n"
        "assert f.__defaults__ == (2,) and 'a' in f.__code__.co_varnames",
        "def f(a, b, *c, d, **e): return a",
    ),
    "names in globals": Case(
        "rate = 3\ndef f(): return rate",
        "assert 'rate' in globals() and 'ratio' not in globals() and globals()['f']() == 3 and eval('f() + rate') == 6",
        "ratio = 3\ndef f(): return ratio",
    ),
    "members": Case(
        "class A:\n    def run(self): pass\n    def stop(self): pass",
        "import inspect\nnames = [n for n, _ in inspect.getmembers(A) if not n.startswith('_')]\n"
        "assert names == ['run', 'stop']\nassert inspect.ismethod(A().run)",
        "class A:\n    def run(self): pass",
    ),
    "a generator": Case(
        "def count(n):\n    for i in range(n): yield i",
        "import inspect, types\nassert inspect.isgeneratorfunction(count)\n"
        "assert isinstance(count(3), types.GeneratorType)\ng = count(2)\nassert next(g) == 0 and next(g) == 1",
        "def count(n): return list(range(n))",
    ),
}

BANK = """
class BankError(ValueError):
    def __init__(self, amount, limit=0):
        super().__init__(f'{amount} is too much')
        self.amount = amount
class Broke(BankError): pass
def withdraw(balance, amount):
    if balance <= 0: raise Broke(amount)
    if amount > balance: raise BankError(amount)
    return balance - amount
"""
EXCEPTIONS = {
    "pytest.raises": Case(
        BANK,
        "import pytest\nwith pytest.raises(BankError, match='too much') as caught: withdraw(1, 3)\n"
        "assert caught.value.amount == 3",
        BANK.replace("raise BankError(amount)", "raise ValueError(f'{amount} is too much')"),
    ),
    "except": Case(
        BANK,
        "try:\n    withdraw(1, 3)\nexcept BankError as e:\n    assert e.amount == 3 and '3' in str(e)\n"
        "    assert e.args == ('3 is too much',) and isinstance(e, ValueError)\nelse:\n    assert False",
        BANK.replace("self.amount = amount", "self.amount = 0"),
    ),
    "a child is caught as its parent": Case(
        BANK,
        "import pytest\nwith pytest.raises(BankError): withdraw(0, 1)\nwith pytest.raises(Broke): withdraw(0, 1)\n"
        "assert issubclass(Broke, BankError) and issubclass(BankError, ValueError)",
        BANK.replace("Broke(BankError)", "Broke(ValueError)"),
    ),
    "assertRaises": Case(
        BANK,
        "import unittest\nt = unittest.TestCase()\nt.assertRaises(BankError, withdraw, 1, 3)\n"
        "with t.assertRaises(Broke): withdraw(0, 3)",
        BANK.replace("raise Broke", "raise BankError"),
    ),
    "made by the test": Case(
        BANK,
        "e = BankError(7)\nassert e.amount == 7 and str(e) == '7 is too much'\nassert isinstance(e, Exception)",
        BANK.replace("too much", "too little"),
    ),
    "a cause": Case(
        "def f(x):\n    try:\n        return 1 / x\n    except ZeroDivisionError as e:\n        raise ValueError('bad') from e",
        "import pytest\nwith pytest.raises(ValueError) as caught: f(0)\nassert isinstance(caught.value.__cause__, ZeroDivisionError)",
        "def f(x): raise ValueError('bad')",
    ),
    "an alias": Case(
        "TooBig = OverflowError\ndef f(x):\n    if x > 9: raise TooBig\n    return x",
        "import pytest\nwith pytest.raises(TooBig): f(10)",
        "TooBig = Exception\ndef f(x): raise ValueError",
    ),
}

SHAPES = """
from abc import ABC, abstractmethod
class Shape(ABC):
    count = 0
    def __init__(self): type(self).count += 1
    @abstractmethod
    def area(self): ...
class Square(Shape):
    def __init__(self, a):
        super().__init__()
        self.a = a
    def area(self): return self.a ** 2
    def __str__(self): return f'Square({self.a})'
    @property
    def side(self): return self.a
    @side.setter
    def side(self, a):
        if a <= 0: raise ValueError('a')
        self.a = a
    @staticmethod
    def corners(): return 4
"""
CLASSES = {
    "operators": Case(
        VECTOR,
        "assert Vector(1, 2) + Vector(3, 4) == Vector(4, 6)\nassert Vector(1, 2) * 3 == Vector(3, 6) == 3 * Vector(1, 2)\n"
        "assert Vector(1, 2) != Vector(2, 1)\nassert repr(Vector(1, 2)) == 'Vector(1, 2)'",
        VECTOR.replace("self.y + o.y", "self.y"),
    ),
    "chains of operators": Case(
        VECTOR,
        "v = 2 * (Vector(1, 1) + Vector(0, 1))\nassert v == Vector(2, 4) and v.x == 2\n"
        "assert Vector(1, 0).double().double() == Vector(4, 0)\nassert Vector.zero() + v == v\n"
        "v += Vector(1, 1)\nassert v == Vector(3, 5)\nassert sum([Vector(1, 1), Vector(1, 2)], Vector.zero()) == Vector(2, 3)",
        VECTOR.replace("self * 2", "self"),
    ),
    "order, sets and truth": Case(
        VECTOR,
        "assert sorted([Vector(3, 3), Vector(1, 1)])[0] == Vector(1, 1)\nassert Vector(0, 1) < Vector(2, 2)\n"
        "assert len({Vector(1, 2), Vector(1, 2)}) == 1\nassert not Vector(0, 0)\nassert Vector(1, 0)\n"
        "assert 3 in Vector(3, 4) and 5 not in Vector(3, 4)\nassert max(Vector(1, 1), Vector(5, 5)).x == 5",
        VECTOR.replace("self.norm() < o.norm()", "False"),
    ),
    "a function that makes instances": Case(
        VECTOR + "def middle(a, b): return (a + b) * 0.5",
        "m = middle(Vector(0, 0), Vector(2, 4))\nassert m == Vector(1, 2) and m != Vector(2, 4)",
        VECTOR + "def middle(a, b): return a",
    ),
    "a data class": Case(
        "from dataclasses import dataclass\n@dataclass(order=True)\nclass P:\n    x: int\n    y: int = 0",
        "assert P(1) == P(1, 0) and P(1) < P(2) and P(1, 2).y == 2\nassert str(P(1)) == 'P(x=1, y=0)'\n"
        "import dataclasses\nassert dataclasses.is_dataclass(P)",
        "class P:\n    def __init__(self, x, y=0): self.x, self.y = x, y",
    ),
    "a named tuple": Case(
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef mirror(p): return P(p.y, p.x)",
        "p = P(1, 2)\nassert p == P(1, 2) and p.x == 1 and mirror(p) == P(2, 1)\nassert tuple(p) == (1, 2)",
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef mirror(p): return P(0, 0)",
    ),
    "isinstance and issubclass": Case(
        SHAPES,
        "import pytest\ns = Square(2)\nassert isinstance(s, Square) and isinstance(s, Shape) and issubclass(Square, Shape)\n"
        "assert type(s) is Square and type(s).__name__ == 'Square' and s.__class__.__name__ == 'Square'\n"
        "assert not isinstance(s, int) and not isinstance(3, Shape)\nwith pytest.raises(TypeError): Shape()",
        SHAPES.replace("Square(Shape)", "Square").replace("super().__init__()", "pass"),
    ),
    "attributes of a class": Case(
        SHAPES,
        "before = Square.count\nSquare(1); Square(2)\nassert Square.count == before + 2 and Square.corners() == 4\n"
        "assert str(Square(3)) == 'Square(3)' == f'{Square(3)}'\nassert '__str__' in Square.__dict__ and hasattr(Square, 'area')\n"
        "assert Square.__str__ is not object.__str__ and hasattr(Square(1), 'side')",
        SHAPES.replace("count += 1", "count += 2"),
    ),
    "properties": Case(
        SHAPES,
        "import pytest\ns = Square(2)\ns.side = 5\nassert s.area() == 25 and s.side == 5\n"
        "with pytest.raises(ValueError): s.side = -1\nassert sorted([Square(3), Square(1)], key=lambda q: q.a)[0].a == 1",
        SHAPES.replace("if a <= 0", "if False"),
    ),
    "missing special methods": Case(
        "class Stack:\n    def __init__(self): self.items = []\n    def __len__(self): return len(self.items)\n"
        "    def push(self, x): self.items.append(x)",
        "s = Stack()\ns.push(1)\nassert hasattr(Stack, '__len__') and len(s) == 1 and vars(s) == {'items': [1]}",
        "class Stack:\n    def __init__(self): self.items = []\n    def push(self, x): self.items.append(x)",
    ),
    "containers": Case(
        "class Deck:\n    def __init__(self): self.cards = list(range(5))\n    def __getitem__(self, i): return self.cards[i]\n"
        "    def __len__(self): return 5\n    def __iter__(self): return iter(self.cards)\n    def __call__(self, x): return x + 1",
        "d = Deck()\nassert d[0] == 0 and d[1:3] == [1, 2] and list(d) == [0, 1, 2, 3, 4] and 3 in d and d(1) == 2\n"
        "assert [x for x in d if x > 3] == [4]\nimport copy\nc = copy.deepcopy(d)\nc.cards.append(9)\nassert len(d.cards) == 5",
        "class Deck:\n    def __init__(self): self.cards = [0] * 5\n    def __getitem__(self, i): return self.cards[i]",
    ),
    "a context manager": Case(
        "class Timer:\n    done = None\n    def __enter__(self): return self\n    def __exit__(self, kind, value, trace):\n"
        "        self.done = kind.__name__ if kind else 'fine'\n        return kind is KeyError",
        "t = Timer()\nwith t as inside: pass\nassert t.done == 'fine' and inside is not None\nwith t: {}['k']\nassert t.done == 'KeyError'\n"
        "try:\n    with t: 1 / 0\nexcept ZeroDivisionError: pass\nelse: assert False\nassert t.done == 'ZeroDivisionError'",
        "class Timer:\n    done = 'fine'\n    def __enter__(self): return self\n    def __exit__(self, *a): return True",
    ),
    "one and the same": Case(
        "class Config:\n    one = None\n    def __new__(cls):\n        cls.one = cls.one or super().__new__(cls)\n        return cls.one\n"
        "class Node:\n    def __init__(self, next=None): self.next = next",
        "assert Config() is Config()\na = Node()\nb = Node(a)\nassert b.next is a and a.next is None and b is not a",
        "class Config: pass\nclass Node:\n    def __init__(self, next=None): self.next = next",
    ),
    "a linked list": Case(
        "class Node:\n    def __init__(self, value, next=None): self.value, self.next = value, next\n"
        "def build(xs):\n    return Node(xs[0], build(xs[1:])) if xs else None",
        "node, seen = build([1, 2, 3]), []\nwhile node:\n    seen.append(node.value)\n    node = node.next\nassert seen == [1, 2, 3]\n"
        "assert not build([])",
        "class Node:\n    def __init__(self, value, next=None): self.value, self.next = value, next\n    def __bool__(self): return True\n"
        "def build(xs):\n    return Node(xs[0], build(xs[1:])) if xs else None",
    ),
    "an iterator": Case(
        "class R:\n    def __init__(s, n): s.n, s.i = n, 0\n    def __iter__(s): return s\n    def __next__(s):\n        if s.i >= s.n:\n"
        "            raise StopIteration\n        s.i += 1\n        return s.i",
        "import pytest\nr = R(2)\nassert next(r) == 1 and next(r) == 2\nwith pytest.raises(StopIteration): next(r)\n"
        "assert list(R(3)) == [1, 2, 3] and sum(R(3)) == 6 and list(zip(R(2), R(2))) == [(1, 1), (2, 2)]",
        "class R:\n    def __init__(s, n): s.n = n\n    def __iter__(s): return iter([1, 2, 3])",
    ),
    "a generator that is sent values": Case(
        "def average():\n    total = n = 0\n    mean = None\n    while True:\n        total += yield mean\n        n += 1\n        mean = total / n",
        "g = average()\nnext(g)\nassert g.send(10) == 10 and g.send(20) == 15\ng.close()",
        "def average():\n    while True: yield 10",
    ),
    "a cache": Case(
        "from functools import lru_cache\n@lru_cache(None)\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)",
        "assert fib(30) == 832040 and fib.cache_info().misses == 31",
        "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)",
    ),
    "a data class taken apart": Case(
        "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    x: int\n    tags: list = field(default_factory=list)",
        "import dataclasses\nassert dataclasses.asdict(P(1)) == {'x': 1, 'tags': []}\n"
        "assert [f.name for f in dataclasses.fields(P)] == ['x', 'tags'] and dataclasses.is_dataclass(P)",
        "class P:\n    def __init__(self, x): self.x, self.tags = x, []",
    ),
    "an enumeration": Case(
        "from enum import Enum\nclass Color(Enum):\n    RED = 1\n    BLUE = 2\ndef mix(): return Color.BLUE",
        "assert Color.RED.value == 1 and Color['BLUE'] == Color(2) == mix() and len(Color) == 2\n"
        "assert [c.name for c in Color] == ['RED', 'BLUE'] and mix() is not Color.RED",
        "from enum import Enum\nclass Color(Enum):\n    RED = 1\n    BLUE = 2\ndef mix(): return Color.RED",
    ),
}

CALLBACKS = {
    "a lambda": Case(
        "def integrate(f, a, b, n=100):\n    h = (b - a) / n\n    return sum(f(a + (i + .5) * h) for i in range(n)) * h",
        "assert abs(integrate(lambda x: x ** 2, 0, 1) - 1 / 3) < 1e-3\nimport math\nassert abs(integrate(math.sin, 0, math.pi) - 2) < 1e-3",
        "def integrate(f, a, b, n=100): return 0.5",
    ),
    "map": Case(
        "def my_map(f, xs): return [f(x) for x in xs]",
        "assert my_map(lambda v: v + 1, [1, 2]) == [2, 3] and my_map(str, (1,)) == ['1']\nassert my_map(len, ['ab']) == [2]",
        "def my_map(f, xs): return xs",
    ),
    "a lazy map": Case(
        "def my_map(f, xs):\n    for x in xs: yield f(x)",
        "assert list(my_map(lambda v: v + 1, [1, 2])) == [2, 3]",
        "def my_map(f, xs):\n    for x in xs: yield x",
    ),
    "a decorator": Case(
        "import functools\ndef log(f):\n    @functools.wraps(f)\n    def inner(*a, **k):\n        print('before')\n        r = f(*a, **k)\n"
        "        print('after')\n        inner.calls += 1\n        return r\n    inner.calls = 0\n    return inner",
        "import io, contextlib\n@log\ndef add(a, b=1):\n    print('adding')\n    return a + b\nout = io.StringIO()\n"
        "with contextlib.redirect_stdout(out): assert add(1, b=2) == 3\n"
        "assert out.getvalue() == 'before\\nadding\\nafter\\n' and add.calls == 1 and add.__name__ == 'add'",
        "def log(f): return f",
    ),
    "exceptions of the callback": Case(
        "def retry(f, n):\n    for i in range(n):\n        try: return f()\n        except ValueError: pass\n    return f()",
        "import pytest\ncalls = []\ndef flaky():\n    calls.append(1)\n    if len(calls) < 3: raise ValueError('no')\n    return 'yes'\n"
        "assert retry(flaky, 5) == 'yes' and len(calls) == 3\nclass Own(Exception): pass\ndef fails(): raise Own(5)\n"
        "with pytest.raises(Own): retry(fails, 2)",
        "def retry(f, n):\n    try: return f()\n    except Exception: return None",
    ),
    "a callback that calls the student's": Case(
        "def twice(f, x): return f(f(x))\ndef inc(x): return x + 1",
        "assert twice(lambda v: inc(v) * 2, 1) == 10\nassert twice(inc, 1) == 3",
        "def twice(f, x): return f(x)\ndef inc(x): return x + 1",
    ),
    "a sort key": Case(
        "def by(xs, key): return sorted(xs, key=key)",
        "assert by(['bb', 'a'], key=len) == ['a', 'bb']\nassert by([3, -5], lambda v: v * v) == [3, -5]",
        "def by(xs, key): return sorted(xs)[::-1]",
    ),
    "input": Case(
        "def ask():\n    name = input('Name? ')\n    return int(input()) + len(name)",
        "from unittest import mock\nwith mock.patch('builtins.input', side_effect=['Ann', '4']) as m: assert ask() == 7\n"
        "assert m.call_count == 2 and m.call_args_list[0] == mock.call('Name? ')",
        "def ask(): return 7",
    ),
    "input assigned": Case(
        "def ask(): return int(input())",
        "import builtins\nold = builtins.input\nbuiltins.input = lambda *a: '6'\ntry:\n    assert ask() == 6\nfinally:\n    builtins.input = old\n"
        "input = lambda *a: '8'\nassert ask() == 8\ndel input",
        "def ask(): return 6",
    ),
    "standard input": Case(
        "import sys\ndef total(): return int(input()) + int(input('? ')) + sum(int(l) for l in sys.stdin)",
        "import io, sys\nold = sys.stdin\nsys.stdin = io.StringIO('3\\n4\\n5\\n6\\n')\ntry:\n    assert total() == 18\nfinally:\n    sys.stdin = old",
        "def total(): return 7",
    ),
    "print": Case(
        "def greet(n): print('Hello', n, sep=', ')",
        "from unittest.mock import patch\nwith patch('builtins.print') as p: greet('Ann')\np.assert_called_once_with('Hello', 'Ann', sep=', ')",
        "def greet(n): print('Hello')",
    ),
    "standard output patched": Case(
        "def greet(n): print('Hello', n)",
        "import io\nfrom unittest.mock import patch\nwith patch('sys.stdout', new_callable=io.StringIO) as out: greet('Ann')\n"
        "assert out.getvalue().strip() == 'Hello Ann'",
        "def greet(n): print('Hello')",
    ),
    "a helper replaced": Case(
        "def price(): return 100\ndef total(n): return n * price()",
        "from unittest import mock\nwith mock.patch('__main__.price', return_value=3) as m: assert total(2) == 6\n"
        "m.assert_called_once_with()\nassert total(2) == 200",
        "def price(): return 100\ndef total(n): return n * 100",
    ),
    "a library's function replaced": Case(
        "import random, time\ndef roll():\n    time.sleep(9)\n    return random.randint(1, 6) + 1",
        "from unittest.mock import patch\nwith patch('random.randint', return_value=4) as m, patch('time.sleep') as s: assert roll() == 5\n"
        "m.assert_called_once_with(1, 6)\ns.assert_called_once()\nimport random\nassert random.randint(1, 1) == 1",
        "import random, time\ndef roll(): return 5",
    ),
    "a mock with attributes": Case(
        "def fetch(client):\n    r = client.get('/x')\n    return r.json()['a'] if r.status == 200 else None",
        "from unittest.mock import Mock\nc = Mock()\nc.get.return_value.status = 200\nc.get.return_value.json.return_value = {'a': 5}\n"
        "assert fetch(c) == 5\nc.get.assert_called_once_with('/x')",
        "def fetch(client): return 5",
    ),
    "a file that is not there": Case(
        "def count(path):\n    with open(path) as f: return sum(1 for _ in f)",
        "from unittest.mock import mock_open, patch\nwith patch('builtins.open', mock_open(read_data='a\\nb\\n')) as m: assert count('x.txt') == 2\n"
        "m.assert_called_once_with('x.txt')",
        "def count(path): return 2",
    ),
    "a method replaced": Case(
        "class A:\n    def get(self): return 1\n    def total(self): return self.get() + 1",
        "from unittest import mock\nwith mock.patch.object(A, 'get', return_value=5): assert A().total() == 6\nassert A().total() == 2",
        "class A:\n    def get(self): return 1\n    def total(self): return 6",
    ),
}

ARGUMENTS = {
    "a text file": Case(
        "def count(f): return sum(1 for line in f if line.strip())",
        "import io\nassert count(io.StringIO('a\\n\\nb\\n')) == 2",
        "def count(f): return len(f.read())",
    ),
    "a file that is written": Case(
        "def save(f, xs):\n    for x in xs: f.write(f'{x}\\n')\n    print('done', file=f)",
        "import io\nf = io.StringIO()\nsave(f, [1, 2])\nassert f.getvalue() == '1\\n2\\ndone\\n'",
        "def save(f, xs): pass",
    ),
    "json and csv": Case(
        "import csv, json\ndef load(f): return json.load(f)\ndef rows(f): return list(csv.reader(f))",
        "import io\nassert load(io.StringIO('{\"a\": 1}')) == {'a': 1}\nassert rows(io.StringIO('a,b\\n1,2\\n')) == [['a', 'b'], ['1', '2']]",
        "def load(f): return {}\nrows = load",
    ),
    "bytes": Case(
        "def head(f): return f.read(2)",
        "import io\nassert head(io.BytesIO(b'abc')) == b'ab'",
        "def head(f): return b''",
    ),
    "iterators": Case(
        "def take(n, xs):\n    out = []\n    for x in xs:\n        if len(out) == n: break\n        out.append(x)\n    return out",
        "import itertools\nassert take(2, iter([1, 2, 3])) == [1, 2] and take(3, itertools.count()) == [0, 1, 2]\n"
        "assert take(1, (x for x in 'ab')) == ['a'] and take(2, map(str, [1, 2])) == ['1', '2']\n"
        "assert take(1, zip([1], [2])) == [(1, 2)] and take(2, {'a': 1}.keys()) == ['a']",
        "def take(n, xs): return list(range(n))",
    ),
    "changed by keyword": Case(
        "def fill(n, *, into): into.extend(range(n))",
        "xs = []\nfill(2, into=xs)\nassert xs == [0, 1]",
        "def fill(n, *, into): pass",
    ),
}

SCOPES = {
    "comprehensions and lambdas": Case(
        "def f(x): return x + 1",
        "assert [f(i) for i in range(2)] == [1, 2] and {i: f(i) for i in (1,)} == {1: 2} and (lambda v: f(v))(1) == 2\n"
        "assert all(f(i) == i + 1 for i in range(3)) and (y := f(1)) == 2 and y == 2",
        "def f(x): return x",
    ),
    "nested functions and globals": Case(
        "def f(x): return x + 1",
        "total = 0\ndef outer():\n    def inner():\n        global total\n        total += f(1)\n    inner()\nouter()\nassert total == 2\n"
        "class C:\n    value = f(2)\n    def get(self): return f(self.value)\nassert C().get() == 4",
        "def f(x): return 1",
    ),
    "match, try and loops": Case(
        "def f(x): return {'kind': x}",
        "match f('a'):\n    case {'kind': 'a'}: found = True\n    case _: found = False\ntry:\n    f()\nexcept TypeError:\n    pass\n"
        "else:\n    found = False\nfinally:\n    done = 1\nfor _ in range(2):\n    assert f'{f(1)!r}' == \"{'kind': 1}\"\nassert found",
        "def f(x='a'): return {'kind': x}",
    ),
    "asyncio.run": Case(
        "import asyncio\ndef f(x): return x + 1\nasync def slow(x):\n    await asyncio.sleep(0)\n    return x * 2",
        "import asyncio\nasync def check_it():\n    a, b = await asyncio.gather(slow(1), slow(2))\n    return f(a) + b\n"
        "assert asyncio.run(check_it()) == 7 and asyncio.run(slow(4)) == 8",
        "def f(x): return x\nasync def slow(x): return x",
    ),
}

UNITTEST = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(f(1), 2)\n    def test_b(self): self.assertTrue(f(0))\n"
FRAMEWORKS = {
    "seeds": Case(
        "import random\nimport numpy as np\ndef roll(): return random.randint(1, 6)\ndef noise(n): return np.random.normal(size=n)",
        "import random\nimport numpy as np\nrandom.seed(3)\nwanted = [random.randint(1, 6) for _ in range(9)]\nrandom.seed(3)\n"
        "assert [roll() for _ in range(9)] == wanted\nnp.random.seed(1)\na = noise(4)\nnp.random.seed(1)\nassert np.array_equal(a, noise(4))",
        "import random\nimport numpy as np\ndef roll(): return 4\ndef noise(n): return np.zeros(n)",
    ),
    "unittest.main": Case(
        "def f(x): return x + 1", UNITTEST + "unittest.main(argv=[''], exit=False)", "def f(x): return 9"
    ),
    "a runner": Case(
        "def f(x): return x + 1",
        UNITTEST + "unittest.TextTestRunner().run(unittest.TestLoader().loadTestsFromTestCase(T))",
        "def f(x): return 9",
    ),
    "parametrize called by hand": Case(
        "def f(x): return x + 1",
        "import pytest\n@pytest.mark.parametrize('a, b', [(1, 2)])\ndef test_f(a, b): assert f(a) == b\nfor a, b in [(1, 2), (4, 5)]: test_f(a, b)",
        "def f(x): return 2",
    ),
    "approx and numpy": Case(
        "import numpy as np\ndef f(x): return np.asarray(x) / 3",
        "import numpy as np, pytest\nassert f(1) == pytest.approx(1 / 3)\nassert f([1, 2]) == pytest.approx(np.array([1, 2]) / 3)\n"
        "np.testing.assert_array_almost_equal(f([3]), [1.0])",
        "import numpy as np\ndef f(x): return np.asarray(x) / 2",
    ),
}
GROUPS = [INSPECT, EXCEPTIONS, CLASSES, CALLBACKS, ARGUMENTS, SCOPES, FRAMEWORKS]
CASES = {name: case for group in GROUPS for name, case in group.items()}


def of(case: Case, answer: str):
    """What the case's test says of an answer; nothing of the test runs in the kernel, where it might not end."""
    exam = exam_of((Role.ANSWER, case.solution), (Role.TEST, case.test))
    hidden = dataclasses.replace(exam.cells[1], released="")
    return graded(dataclasses.replace(exam, cells=(exam.cells[0], hidden)), cell0=answer)[0]


@pytest.mark.parametrize("name", CASES)
def test_the_solution_gets_full_marks_and_the_wrong_answer_none(name):
    case = CASES[name]
    good = of(case, case.solution)
    assert good.outcome is Outcome.PASSED, good.detail
    assert of(case, case.wrong).fraction == 0


@pytest.mark.parametrize("name", CASES)
def test_an_object_that_says_yes_to_everything_earns_nothing(name):
    case = CASES[name]
    found = bindings(case.solution)
    names = (found.definitions.keys() - found.imported) | found.assigned
    assert of(case, f"{EQUAL}\n{' = '.join(sorted(names))} = Yes()").fraction == 0


@pytest.mark.slow
@pytest.mark.sandbox
def test_all_of_them_in_one_notebook_in_a_sandbox():
    """In a real kernel, one after the other: sources, callbacks and mocks work there as they do in this process."""
    cells = [cell for case in CASES.values() for cell in ((Role.ANSWER, case.solution), (Role.TEST, case.test))]
    with starting(Limits(memory_mib=1024, processes=64, disk_mib=32, output_mib=4)) as start:
        results = graded(exam_of(*cells), start, seconds=30)
    failed = {name: r.detail[-600:] for name, r in zip(CASES, results, strict=True) if r.fraction != 1}
    assert failed == {}


@pytest.mark.sandbox
def test_a_seed_reaches_a_notebook_that_has_not_drawn_yet():
    """NumPy imports its generators when they are first needed."""
    case = CASES["seeds"]
    with starting(Limits(memory_mib=1024, processes=64, disk_mib=32, output_mib=4)) as start:
        (result,) = graded(exam_of((Role.ANSWER, case.solution), (Role.TEST, case.test)), start, seconds=30)
    assert result.fraction == 1, result.detail
