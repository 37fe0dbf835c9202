"""Three lessons as teachers write them: the solution earns all points, plausible wrong answers none."""

from __future__ import annotations

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.records.exam import Role

IMPORTS = "import random\nimport numpy as np\nimport pandas as pd"

SORTING = (
    "def insertion_sort(xs):\n    for i in range(1, len(xs)):\n        j = i\n        while j and xs[j - 1] > xs[j]:\n"
    "            xs[j - 1], xs[j] = xs[j], xs[j - 1]\n            j -= 1",
    "numbers = [5, 2, 9, 2]\ninsertion_sort(numbers)\nassert numbers == [2, 2, 5, 9]\n"
    "for n in range(8):\n    xs = [random.randint(0, 99) for _ in range(n)]\n    expected = sorted(xs)\n"
    "    insertion_sort(xs)\n    assert xs == expected",
    {
        "a sorted copy": "def insertion_sort(xs):\n    return sorted(xs)",
        "a name bound anew": "def insertion_sort(xs):\n    xs = sorted(xs)",
        "downwards": "def insertion_sort(xs):\n    xs.sort(reverse=True)",
        "without duplicates": "def insertion_sort(xs):\n    xs[:] = sorted(set(xs))",
        "one pass": "def insertion_sort(xs):\n    for i in range(len(xs) - 1):\n        if xs[i] > xs[i + 1]:\n"
        "            xs[i], xs[i + 1] = xs[i + 1], xs[i]",
        "emptied": "def insertion_sort(xs):\n    xs.clear()",
        "nothing": "def insertion_sort(xs):\n    pass",
    },
)

CLEANING = (
    "def clean(t):\n    t = t.drop_duplicates()\n    t = t.dropna(subset=['price'])\n"
    "    return t.assign(name=t['name'].str.strip().str.lower()).reset_index(drop=True)",
    "raw = pd.DataFrame({'name': [' Tea', 'Milk ', ' Tea', 'rice'], 'price': [3.0, None, 3.0, 2.0]})\nbefore = raw.copy()\n"
    "got = clean(raw)\nassert list(got['name']) == ['tea', 'rice']\nassert got['price'].sum() == 5\n"
    "assert not got.isna().any().any()\nassert list(got.index) == [0, 1]\npd.testing.assert_frame_equal(raw, before)",
    {
        "duplicates stay": "def clean(t):\n    t = t.dropna().copy()\n    t['name'] = t['name'].str.strip().str.lower()\n    return t",
        "missing prices filled": "def clean(t):\n    t = t.drop_duplicates().fillna(0)\n"
        "    return t.assign(name=t['name'].str.strip().str.lower()).reset_index(drop=True)",
        "spaces stay": "def clean(t):\n    t = t.drop_duplicates().dropna()\n"
        "    return t.assign(name=t['name'].str.lower()).reset_index(drop=True)",
        "old index": "def clean(t):\n    t = t.drop_duplicates().dropna()\n    return t.assign(name=t['name'].str.strip().str.lower())",
        "an empty table": "def clean(t):\n    return t.iloc[:0]",
        "missing prices as pandas' own": "def clean(t):\n    t = t.drop_duplicates().convert_dtypes()\n"
        "    return t.assign(name=t['name'].str.strip().str.lower()).reset_index(drop=True)",
    },
)

_VECTOR = (
    "class Vector:\n    def __init__(self, x, y):\n        self.x, self.y = x, y\n"
    "    def __add__(self, o):\n        return Vector(self.x + o.x, self.y + o.y)\n"
    "    def __mul__(self, k):\n        return Vector(self.x * k, self.y * k)\n"
    "    def __eq__(self, o):\n        return (self.x, self.y) == (o.x, o.y)\n"
    "    def __abs__(self):\n        return (self.x ** 2 + self.y ** 2) ** 0.5\n"
    "    def __repr__(self):\n        return f'Vector({self.x}, {self.y})'"
)
VECTORS = (
    _VECTOR,
    "v = Vector(1, 2) + Vector(2, 2)\nassert (v.x, v.y) == (3, 4)\nassert v == Vector(3, 4)\nassert Vector(1, 2) != Vector(2, 1)\n"
    "assert abs(v) == 5\nassert (v * 2).x == 6 and v.x == 3\nassert repr(v) == 'Vector(3, 4)'",
    {
        "all vectors are equal": _VECTOR.replace("(self.x, self.y) == (o.x, o.y)", "True"),
        "a sum in place": _VECTOR.replace("return Vector(self.x * k, self.y * k)", "self.x *= k\n        return self"),
        "another length": _VECTOR.replace("** 0.5", ""),
        "a sum of the first part": _VECTOR.replace("self.y + o.y", "self.y"),
        "another text": _VECTOR.replace("f'Vector(", "f'V("),
        "no operators": "class Vector:\n    def __init__(self, x, y):\n        self.x, self.y = x, y",
    },
)

LESSONS = {"sorting": SORTING, "cleaning": CLEANING, "vectors": VECTORS}


def examined(lesson, **answers):
    solution, test, _ = LESSONS[lesson]
    (of_answer,) = graded(exam_of((Role.READ_ONLY, IMPORTS), (Role.ANSWER, solution), (Role.TEST, test)), **answers)
    return of_answer


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_solution_of_a_lesson_earns_all_points(lesson):
    assert examined(lesson).fraction == 1


@pytest.mark.parametrize(
    ("lesson", "wrong"), [(lesson, wrong) for lesson, (*_, answers) in LESSONS.items() for wrong in answers]
)
def test_a_plausible_wrong_answer_fails_and_asks_nobody(lesson, wrong):
    of_answer = examined(lesson, cell1=LESSONS[lesson][2][wrong])
    assert (of_answer.fraction, of_answer.undecided) == (0, False)
