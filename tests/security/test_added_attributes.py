"""Classes and functions of locked cells to which answers add attributes, in the hands of a student who cheats."""

from __future__ import annotations

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.records.checks import Outcome
from autograder.records.exam import Role

ENV = "class Env:\n    def start(self, n):\n        raise NotImplementedError\ndef check_all(f): return f(1) == 2"
SOLUTION = "def start(self, n): return n + 1\nEnv.start = start\ndef f(n): return n + 1"
HIDDEN = (
    "env = Env()\nassert env.start(3) == 4 and isinstance(env, Env) and [Env().start(n) for n in range(3)] == [1, 2, 3]"
)
CHECKED = "assert check_all(f)"
EXAM = exam_of((Role.READ_ONLY, ENV), (Role.ANSWER, SOLUTION), (Role.TEST, HIDDEN), (Role.TEST, CHECKED))
EQUAL = "class Same(int):\n    def __eq__(self, other): return True\n    __ne__ = lambda self, other: False\n    __hash__ = int.__hash__\n"
HOSTILE = {
    "a metaclass that agrees to all": "class Kind(type):\n    def __instancecheck__(cls, x): return True\n"
    "    def __eq__(cls, x): return True\n    __hash__ = type.__hash__\n    def __call__(cls, *a): return cls\n"
    "    def __getattr__(cls, name): return lambda *a: True\nclass Env(metaclass=Kind): pass\n",
    "a result that equals everything": f"{EQUAL}Env.start = lambda self, n: Same()\n",
    "a class of its own": "class Env:\n    def start(self, n): return 4\n",
    "a changed check": "check_all.__code__ = (lambda f: True).__code__\ncheck_all.passed = True\nEnv.start = lambda self, n: n\n",
    "another check": "def check_all(f): return True\nEnv.start = lambda self, n: n\n",
}


@pytest.mark.parametrize("attack", HOSTILE.values(), ids=HOSTILE)
def test_neither_the_class_nor_a_locked_check_gives_points(attack: str) -> None:
    results = graded(EXAM, cell1=f"{attack}def f(n): return n")
    assert [result.fraction for result in results] == [0.0, 0.0]


UNUSUAL = {
    "the solution": SOLUTION,
    "a subclass under its name": "class Env(Env):\n    def start(self, n): return sum([n, 1])\nf = lambda n: n + 1",
    "the whole class anew": "class Env:\n    def start(self, n): return n + 1\ndef f(n): return n + 1",
    "setattr": "setattr(Env, 'start', lambda self, n: n + 1)\ndef f(n): return -~n",
}


@pytest.mark.parametrize("answer", UNUSUAL.values(), ids=UNUSUAL)
def test_an_honest_answer_has_its_points_however_it_adds_them(answer: str) -> None:
    assert [result.outcome for result in graded(EXAM, cell1=answer)] == [Outcome.PASSED, Outcome.PASSED]
