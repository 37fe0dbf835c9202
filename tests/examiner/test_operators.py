"""Operators run the student's code on what the test made of a class that is to have them, and on nothing else."""

from __future__ import annotations

import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from helpers.student_classes import VECTOR

from autograder.records.exam import Role
from autograder.syntax.operands import class_operators

CHEAT = """
class Vector:
    def __init__(self, *a): self.x = self.y = 0
    def norm(self): return Vector()
    def __add__(self, o): return Vector()
    __sub__ = __mul__ = __rmul__ = __radd__ = __rsub__ = __neg__ = __abs__ = __add__
    def __abs__(self): return 0.0
    __float__ = __round__ = __abs__
    def __int__(self): return 0
    __len__ = __hash__ = __int__
    def __eq__(self, o): return True
    __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __contains__ = __eq__
    def __bool__(self): return True
    @classmethod
    def zero(cls): return cls()
answer = Vector()
def dot(a, b): return Vector()
def total(v): return Vector()
"""
SOLUTION = (
    VECTOR
    + """
    def __abs__(self): return self.norm()
    def __neg__(self): return Vector(-self.x, -self.y)
    def __round__(self, n=0): return Vector(round(self.x, n), round(self.y, n))
    def __float__(self): return self.norm()
answer = 5.0
def dot(a, b): return a.x * b.x + a.y * b.y
def total(v): return v.x + v.y
"""
)


def points(answer, test, solution=SOLUTION):
    return graded(exam_of((Role.ANSWER, solution), (Role.TEST, test)), cell0=answer)[0].fraction


@pytest.mark.parametrize(
    "test",
    [
        "assert answer == 5",
        "assert abs(answer - 5) < 1e-9",
        "assert abs(5 - answer) < 1e-9",
        "assert not answer != 5",
        "assert abs(dot(Vector(1, 2), Vector(3, 4)) - 11) < 1e-9",
        "assert dot(Vector(1, 2), Vector(3, 4)) == 11",
        "assert abs(Vector(3, 4).norm() - 5) < 1e-9",
        "assert round(Vector(3, 4).norm() - 5, 6) == 0",
        "assert float(Vector(3, 4).norm() - 5) == 0",
        "assert Vector(3, 4).norm() <= 5",
        "assert Vector(3, 4).norm() == 5",
        "d = total(Vector(1, 2))\nd -= 3\nassert d == 0",
        "assert total(Vector(1, 2)) in [3]",
        "assert total(Vector(1, 2)) < 4",
        "assert total(Vector(1, 2))",
        "import math\nassert math.isclose(total(Vector(1, 2)), 3)",
        "import pytest\nassert total(Vector(1, 2)) == pytest.approx(3)",
        "import numpy as np\nnp.testing.assert_allclose(total(Vector(1, 2)), 3)",
        "assert Vector(1, 2) != Vector(2, 1)",
        "assert not (Vector(1, 2) == Vector(2, 1))",
        "assert not Vector(0, 0)",
        "assert 7 not in Vector(1, 2)",
        "assert (Vector(1, 2) + Vector(1, 1)).x == 2",
        "assert Vector(1, 2) == [1, 2] or Vector(1, 2).x == 1",
    ],
)
def test_a_class_that_says_yes_to_everything_earns_nothing(test):
    assert points(CHEAT, test) == 0
    assert points(SOLUTION, test) == 1


@pytest.mark.parametrize(
    "test",
    [
        "assert (2 * Vector(1, 2) * 3 + Vector(0, 1)) * 2 == Vector(12, 26)",
        "assert -(2 * Vector(1, 2) * 3) == Vector(-6, -12)",
        "v = Vector(1, 2) * 3\nv = v * 2\nv *= 0.5\nassert (v * 4).x == 12",
    ],
)
def test_numbers_may_meet_an_instance_again_and_again(test):
    """An expression of a test's is a chain of operators: ``3 * (2 * a + b) + 1.5``."""
    assert points(SOLUTION, test) == 1
    assert points(CHEAT.replace("return True", "return False"), test) == 0


@pytest.mark.parametrize(
    "test",
    [
        "assert abs(total(Vector(1, 2)) * 1 - 3) < 1e-9",
        "assert float(total(Vector(1, 2)) * 1 - 3) == 0",
        "assert total(Vector(1, 2)) * 1 - 3 == 0",
        "assert not total(Vector(1, 2)) * 1 - 3",
        "assert total(Vector(1, 2)) * 1 - 2 > 0",
        "import pytest\nassert total(Vector(1, 2)) * 1 * 1 == pytest.approx(3)",
    ],
)
def test_a_second_number_makes_no_verdict_of_it(test):
    assert points(SOLUTION, test) == 1
    assert points(CHEAT, test) == 0


@pytest.mark.parametrize(
    "test",
    [
        "assert Vector(1, 2) == (1, 2)",
        "assert Vector(1, 1) == 1",
        "assert [1] == Vector(1, 2)",
        "assert Vector(1, 1) in [1]",
    ],
)
def test_an_instance_never_equals_plain_data(test):
    assert points(CHEAT, test) == 0


def test_operators_that_the_instructors_class_lacks_are_the_examiners():
    solution = "class P:\n    def __init__(self, x): self.x = x"
    cheat = solution + "\n    def __eq__(self, o): return True\n    __lt__ = __eq__\n    def __sub__(self, o): return 0"
    for test in ("assert P(1) == P(1)", "assert P(1) < P(2)", "assert P(1) - 1 == 0"):
        assert points(cheat, test, solution) == 0


def test_a_comparison_that_gives_no_boolean_is_an_error():
    cheat = VECTOR.replace("return (self.x, self.y) == (o.x, o.y)", "return 1")
    assert points(cheat, "assert Vector(1, 2) == Vector(1, 2)", VECTOR) == 0


def test_what_is_expected_does_not_reach_an_object_of_the_students():
    seen = VECTOR + "seen = []\nVector.__rsub__ = Vector.__sub__ = lambda s, o: seen.append(o)\nanswer = Vector(0, 0)\n"
    test = (
        "for act in (lambda: answer - 77123, lambda: 77123 - answer, lambda: answer < 77123):\n"
        "    try: act()\n    except TypeError: pass\nassert seen == []"
    )
    assert points(seen, test, VECTOR + "seen = []\nanswer = 77123") == 1  # fmt: skip


@pytest.mark.parametrize(
    ("source", "name", "has"),
    [
        ("class A:\n    def __eq__(self, o): pass", "A", {"__eq__"}),
        ("class A:\n    def __add__(self, o): pass\n    __radd__ = __add__", "A", {"__add__", "__radd__"}),
        ("@dataclass\nclass A:\n    x: int", "A", {"__eq__"}),
        ("@dataclasses.dataclass(frozen=True)\nclass A:\n    x: int", "A", {"__eq__", "__hash__"}),
        ("@total_ordering\nclass A:\n    def __lt__(self, o): pass", "A", {"__lt__", "__le__", "__gt__", "__ge__"}),
        (
            "class A:\n    def __lt__(self, o): pass\nclass B(A):\n    def __len__(self): pass",
            "B",
            {"__lt__", "__len__"},
        ),
        ("class A:\n    x = 1", "A", set()),
    ],
)
def test_the_operators_of_a_class_are_read_from_the_instructors_source(source, name, has):
    assert class_operators([source])[name] == has
