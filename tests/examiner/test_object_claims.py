"""Where the solution gives a value, an object of a class of its own is read as one, and gives no verdict."""

from __future__ import annotations

import pytest
from helpers.examination import graded, observed
from helpers.exams import exam_of

from autograder.records.exam import Role
from autograder.records.observations import COPY, OBJECT, Act

LIST = "def f(): return [3, 1, 2]"
OWN = (
    "class Own:\n    items = {}\n    def __iter__(self): return iter(self.items)\n    def __len__(self): return {}\n"
    "    def __getitem__(self, key): return {}\n    def index(self, item): return 1\ndef f(): return Own()"
)
OF_LIST = "class Own(list):\n    def {}(self, *_): return {}\ndef f(): return Own([3, 1, 2])"
OF_FLOAT = "class Own(float):\n    def {}(self, *_): return {}\ndef f(): return [Own(3.4)]"
AGREES = OWN.format("[3, 1, 2]", 3, "self.items[key]")


def exam(solution, *tests):
    return exam_of(
        (Role.READ_ONLY, "import pandas as pd"), (Role.ANSWER, solution), *((Role.TEST, test) for test in tests)
    )


def result(solution, answer, test):
    (examined,) = graded(exam(solution, test), cell1=answer)
    return examined


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        ("x = [1]", "assert x", {("cell2 x", COPY)}),
        ("class A: pass\nx = A()", "assert x is not None", {("cell2 x", OBJECT)}),
        (LIST, "assert f()", {("cell2:1:1 f", COPY)}),
        ("class A: pass\ndef f(n): return A() if n else 'a'", "for n in range(2): f(n)",
         {("cell2:1:6 f", COPY), ("cell2:1:6 f", OBJECT)}),
        ("def f(): pass", "assert f() is None", set()),
        ("class A: x = 1", "assert A.x == 1", {("cell2:1:1 A", COPY)}),
    ],
)  # fmt: skip
def test_the_form_of_what_the_solution_gives_is_a_fact_of_its_place(solution, test, shown):
    facts = observed(exam(solution, test)).facts
    of_answers = {(fact.subject, fact.value) for fact in facts if fact.act is Act.ARRIVES}
    assert {fact for fact in of_answers if fact != ("cell2 f", OBJECT) and fact != ("cell2 A", OBJECT)} == shown


@pytest.mark.parametrize(
    "answer",
    [
        "def f(): yield from (3, 1, 2)",
        "class Numbers(list): pass\ndef f(): return Numbers([3, 1, 2])",
        "import typing\nclass Three(typing.NamedTuple):\n    a: int\n    b: int\n    c: int\ndef f(): return Three(3, 1, 2)",
        AGREES,
    ],
)
def test_an_object_may_be_read_in_place_of_a_list(answer):
    assert result(LIST, answer, "assert list(f()) == [3, 1, 2]\nassert sorted(f()) == [1, 2, 3]").fraction == 1


def test_an_object_that_agrees_with_itself_may_be_read_in_several_ways():
    test = "x = f()\nassert len(x) == 3 and x[0] == 3 and sorted(x) == [1, 2, 3] and x[2] == 2 and len(x) == 3"
    assert result(LIST, AGREES, test).fraction == 1


def test_a_plain_type_answers_for_an_object_that_derives_from_it():
    answer = "class Numbers(list): pass\ndef f(): return Numbers([3, 1, 2])"
    assert result(LIST, answer, "assert f().index(2) == 2 and f().count(1) == 1").fraction == 1


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        (AGREES, "assert f().index(1) == 1"),
        (OWN.format("[3, 1, 2]", 3, "7"), "x = f()\nassert list(x) == [3, 1, 2] and x[0] == 7"),
        (OWN.format("[3, 1, 2]", 3, "7"), "x = f()\nassert x[0] == 7 and list(x) == [3, 1, 2]"),
        (OWN.format("[3, 1, 2]", 2, "7"), "x = f()\nassert len(x) == 2 and list(x) == [3, 1, 2]"),
        (OWN.format("[3, 1, 2]", 2, "7"), "x = f()\nassert list(x) == [3, 1, 2] and len(x) == 2"),
        (OWN.format("[3, 1, 2]", 4, "7"), "x = f()\nassert len(x) == 4 and list(x) == [3, 1, 2]"),
        (AGREES, "x = f()\nassert list(x[:1]) == [3] or True"),
        (
            OWN.format("[3, 1, 2]", 3, "7 if key < 0 else self.items[key]"),
            "x = f()\nassert x[-1] == 7 and x[len(x) - 1] == 2",
        ),
        (OWN.format("[3, 1, 2]", 3, "self.items[key % 3]"), "x = f()\nassert list(x) == [3, 1, 2] and x[3] == 3"),
        (OF_LIST.format("__iter__", "iter([3])"), "x = f()\nassert 3 in x and x == [3, 1, 2]"),
        (OF_LIST.format("__getitem__", "7"), "assert f() == [3, 1, 2]"),
        (OF_LIST.format("__len__", "2"), "assert f() + [4] == [3, 1, 2, 4]"),
        (OF_LIST.format("__eq__", "True"), "assert f() == [3, 1, 2]"),
        (OF_FLOAT.format("__int__", "7"), "assert int(f()[0]) == 7"),
        (OF_FLOAT.format("__float__", "7.0"), "assert float(f()[0]) == 7"),
        (OF_FLOAT.format("__round__", "7"), "assert round(f()[0]) == 7"),
        (OF_FLOAT.format("__abs__", "7"), "assert abs(f()[0]) == 7"),
        (OF_LIST.format("__setitem__", "None"), "x = f()\nx[0] = 4\nassert x == [4, 1, 2]"),
    ],
)
def test_a_person_decides_about_a_verdict_of_an_objects_own_and_about_items_that_differ(answer, test):
    examined = result(LIST, answer, test)
    assert (examined.fraction, examined.undecided) == (0, True)
    assert "an object of __main__.Own" in examined.detail
    assert "index" not in examined.message


def test_a_number_of_a_class_of_its_own_is_rounded_as_a_number():
    answer = "class Meters(float):\n    unit = 'm'\ndef f(): return [Meters(-3.4)]"
    test = "(x,) = f()\nassert int(x) == -3 and float(x) == -3.4 and round(x, 1) == -3.4 and abs(x) == 3.4"
    assert result("def f(): return [-3.4]", answer, test).fraction == 1


def test_an_object_answers_where_the_solution_gives_objects_and_where_a_line_says_so():
    verdict = "assert f().index(1) == 1"
    assert result(AGREES, AGREES, verdict).fraction == 1
    assert result(LIST, AGREES, f"# examine: answers give object\n{verdict}").fraction == 1


JUDGE = "class Judge:\n    def issubset(self, other): return True\n    def __deepcopy__(self, memo): return self\n"


@pytest.mark.parametrize(
    ("solution", "answer", "test"),
    [
        ("def f(): return [{1}]", "def f(): return [Judge()]", "assert all(x.issubset({1}) for x in f())"),
        ("def f(out): out.append({1})", "def f(out): out.append(Judge())", "out = []\nf(out)\nassert out[0].issubset({1})"),
        ("log = []\ndef f(): log.append({1})", "log = []\ndef f(): log.append(Judge())", "f()\nassert log[0].issubset({1})"),
        ("def f(): yield {1}", "def f(): yield Judge()", "assert next(f()).issubset({1})"),
        ("async def f(): return {1}", "async def f(): return Judge()",
         "import asyncio\nassert asyncio.run(f()).issubset({1})"),
        ("def f(): return {1}", "def f(): return Judge", "assert f().issubset({1}, {1})"),
        ("def f(): return {1}", "def f(): return Judge()", "import copy\nassert copy.deepcopy(f()).issubset({1})"),
        ("def f(): return {0: {1}}", "class Holds(Judge):\n    def __getitem__(self, key): return Judge()\nf = Holds",
         "assert f()[0].issubset({1})"),
    ],
)  # fmt: skip
def test_no_way_around_brings_a_verdict(solution, answer, test):
    examined = result(solution, JUDGE + answer, test)
    assert (examined.fraction, examined.undecided) == (0, True)
    assert result(solution, solution, test.replace("({1}, {1})", "({1})")).fraction == 1


def test_an_enum_in_place_of_texts_is_itself():
    solution = "class Color:\n    RED, BLUE = 'red', 'blue'\ndef f(c): return Color.BLUE"
    answer = "import enum\nclass Color(enum.Enum):\n    RED, BLUE = 'red', 'blue'\ndef f(c): return Color.BLUE"
    assert result(solution, answer, "assert f(Color.RED) is Color.BLUE and f(Color.RED) is not Color.RED").fraction == 1
