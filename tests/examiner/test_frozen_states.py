"""The state that a test finds: objects are as they were at its own cell, in the order in which nbgrader runs cells."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from helpers.grids import each_once
from helpers.kernels import FreezingKernel, InProcessKernel

from autograder.records.checks import Outcome
from autograder.records.exam import Role

FITTED = """
class Fitted:
    def __init__(self): self.coef, self.calls, self.seen = 0, 0, []
    def fit(self, x): self.coef = x; self.calls += 1; self.seen.append(x); return self
    def predict(self, x): self.calls += 1; return self.coef * x
model = Fitted()
model.fit(3)
"""
GENERATOR = "def count():\n    yield from range(1, 100)\nnumbers = count()"
ACCOUNT = "class Account:\n    def __init__(self, balance): self.balance = balance"


def cells(*sources, hidden=()):
    """Alternate answers and tests; those numbered in ``hidden`` show the student nothing."""
    exam = exam_of(*((Role.TEST if "assert" in s else Role.ANSWER, s) for s in sources))
    made = [dataclasses.replace(c, released="# hidden tests") if i in hidden else c for i, c in enumerate(exam.cells)]
    return dataclasses.replace(exam, cells=tuple(made))


def in_the_kernel(exam):
    """What nbgrader gives: all of each cell runs in one process, in order."""
    names = {"__name__": "__main__"}
    points = []
    for cell in exam.cells:
        try:
            exec(compile(cell.source, "cell", "exec", dont_inherit=True), names)
            points.append(1.0)
        except Exception:
            points.append(0.0)
    return [p for p, cell in zip(points, exam.cells, strict=True) if cell.role is Role.TEST]


def scores(exam, kernel=FreezingKernel):
    return [one.fraction for one in graded(exam, kernel)]


CASES = {
    "attributes": cells(FITTED, "assert model.coef == 3", "model.fit(5)", "assert model.coef == 5"),
    "attributes, hidden": cells(
        FITTED, "assert model.coef == 3", "model.fit(5)", "assert model.coef == 5", "model.fit(7)", hidden=(1, 3)
    ),
    "a list in an object": cells(FITTED, "assert list(model.seen) == [3]", "model.seen.append(8)"),
    "a counter of calls": cells(
        FITTED,
        "assert model.predict(2) == 6\nassert model.calls == 2",
        "model.fit(1)",
        "assert model.calls == 3\nassert model.predict(2) == 2\nassert model.calls == 4",
    ),
    "a generator": cells(
        GENERATOR,
        "assert next(numbers) == 1\nassert next(numbers) == 2",
        "third = next(numbers)",
        "assert third == 3\nassert next(numbers) == 4",
    ),
    "tests that follow each other": cells(
        GENERATOR, "assert next(numbers) == 1", "assert next(numbers) == 2", "rest = list(numbers)", hidden=(1, 2)
    ),
    "tests of different names that follow each other": cells(
        FITTED + GENERATOR + "\ndef use():\n    return model.predict(next(numbers))",
        "assert next(numbers) == 1",
        "assert use() == 6",
        "assert model.calls == 2",
        "model = numbers = None",
        hidden=(1, 2, 3),
    ),
    "a class with state": cells(
        "class Box:\n    made = []\n    def __init__(self): Box.made.append(self)",
        "Box()\nassert len(Box.made) == 1",
        "Box(); Box()",
        "assert len(Box.made) == 3",
    ),
    "random numbers": cells(
        "import random\nrng = random.Random(1)",
        "assert rng.random() == __import__('random').Random(1).random()",
        "x = [rng.random() for _ in range(9)]",
        "assert len(x) == 9",
    ),
    "the one generator of random numbers": cells(
        "import random\nrandom.seed(5)\ndef draw():\n    return random.random()",
        "assert draw() == __import__('random').Random(5).random()",
        "y = [draw() for _ in range(9)]",
        hidden=(1,),
    ),
    "a function with a memory": cells(
        "seen = {}\ndef f(x):\n    seen[x] = len(seen)\n    return seen[x]",
        "assert f('a') == 0\nassert f('b') == 1",
        "f('c')",
        "assert f('d') == 3",
    ),
    "an object that a test makes and a later test uses": cells(
        ACCOUNT,
        "mine = Account(100)\nassert mine.balance == 100",
        "def pay(one, other, x):\n    one.balance -= x\n    other.balance += x",
        "other = Account(0)\npay(mine, other, 30)\nassert (mine.balance, other.balance) == (70, 30)",
        "Account = None",
    ),
    "a value that a test keeps for a later one": cells(
        FITTED, "first = model.coef\nassert first == 3", "model.fit(5)", "assert first != model.coef", hidden=(1, 3)
    ),
    "an object that a test keeps for two later ones": cells(
        ACCOUNT,
        "mine = Account(100)\nassert mine",
        "x = 1",
        "yours = mine\nassert yours.balance == 100",
        "y = 2",
        "mine.balance -= 1\nassert (mine.balance, yours.balance) == (99, 99)",
        "Account = None",
        hidden=(1, 3, 5),
    ),
    "an object that a helper of an earlier test reads": cells(
        ACCOUNT,
        "mine = Account(100)\ndef left():\n    return mine.balance\nassert left() == 100",
        "x = 1",
        "assert Account(3).balance == 3",
        "y = 2",
        "assert left() == 100",
        "Account = None",
        hidden=(1, 3, 5),
    ),
    "a list that a test changes before the next one": cells(
        "xs = [1, 2]\nrates = {'a': 1}",
        "xs.append(3)\nassert xs == [1, 2, 3]",
        "rates['b'] = 2\nassert rates == {'a': 1, 'b': 2}",
        "assert (xs, rates) == ([1, 2, 3], {'a': 1, 'b': 2})",
        "z = 1",
        hidden=(1, 2, 3),
    ),
    "a list that a test changes and a function reads": cells(
        "xs = [1, 2]\ndef total():\n    return sum(xs)",
        "xs.append(3)\nassert total() == 6",
        "xs.append(4)\nassert total() == 10",
        "z = 1",
        hidden=(1, 2),
    ),
    "an array that a test changes back": cells(
        "import numpy as np\nx = np.arange(3)",
        "x[0] = 7\nassert x.sum() == 10",
        "assert x[0] == 7\nx[0] = 0",
        "assert x.sum() == 3",
        hidden=(1, 2, 3),
    ),
    "a list that the next test's released lines change": cells(
        "xs = [1, 2]", "xs.append(3)\nassert xs", "assert xs == [1, 2, 3]", "z = len(xs)", "assert z == 3"
    ),
    "an object deep in lists": cells(
        FITTED + "kept = [[[[(model,)]]]]", "assert kept[0][0][0][0][0].coef == 3", "model.fit(5)"
    ),
    "an object that is a key": cells(FITTED + "kept = {model: 1}", "assert list(kept)[0].coef == 3", "model.fit(5)"),
    "an object in an array": cells(
        "import numpy as np\n" + FITTED + "kept = np.array([model], dtype=object)",
        "assert kept[0].coef == 3",
        "model.fit(5)",
    ),
    "a callback of the test's": cells(
        "class Loop:\n    def __init__(self): self.n = 0\n    def run(self, f):\n        self.n += 1\n"
        "        return [f(i, self) for i in range(3)]\nloop = Loop()",
        "assert loop.run(lambda i, l: i * l.n) == [0, 1, 2]",
        "loop.run(print)",
        "assert loop.run(lambda i, l: i * l.n) == [0, 3, 6]",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_scores_are_those_of_the_order_in_the_kernel(name):
    exam = CASES[name]
    assert scores(exam) == in_the_kernel(exam) == [1.0] * len(in_the_kernel(exam))


def test_without_copies_an_object_is_as_at_the_end():
    assert scores(CASES["attributes"], InProcessKernel) == [0.0, 1.0]


def test_the_details_say_where_an_object_was_as_at_the_end():
    first, second = graded(CASES["attributes"], InProcessKernel)
    assert first.detail.startswith("Objects of the notebook's kernel were as at its end")
    assert "this kernel cannot be copied" in second.detail
    assert not any("as at its end" in one.detail for one in graded(CASES["attributes"], FreezingKernel))
    assert not any("as at its end" in one.detail for one in graded(CASES["a function with a memory"], InProcessKernel))


def test_what_a_hidden_test_changed_is_not_found_behind_a_cell_of_the_student():
    """Hidden lines never run before a cell of the student's, so no cell and no later test finds their changes."""
    exam = cells(FITTED, "model.fit(9)\nassert model.coef == 9", "y = 1", "assert model.coef == 3", hidden=(1, 3))
    assert scores(exam) == [1.0, 1.0]
    exam = cells("xs = [1]", "xs.append(2)\nassert xs == [1, 2]", "y = len(xs)", "assert y == len(xs)", hidden=(1, 3))
    assert scores(exam) == [1.0, 1.0]


def test_a_value_that_a_hidden_test_has_changed_is_not_shown_by_the_next_one():
    """Messages quote answers as they were at their cell, where nothing hidden was."""
    first = "import numpy as np\nfrom autograder import check\nparts = [np.zeros(2)]"
    show = "check.close(parts[0], np.zeros(9))\n'assert'"
    seen, changed = (
        graded(cells(first, f"{lines}assert parts", show, hidden=(1,)), FreezingKernel)[1].message
        for lines in ("", "parts[0] = np.zeros(48)\n")
    )
    assert seen == "values: the shape is (2,), and should be (9,)"
    assert changed == "values: the shape is another one, and should be (9,)"


def test_each_function_of_a_test_file_finds_the_answers_as_they_were():
    exam = cells("xs = [1]", "xs.append(2)\nassert xs == [1, 2]", "xs.append(3)\nassert xs == [1, 3]", hidden=(1, 2))
    assert scores(exam) == [1.0, 0.0]
    tests = [dataclasses.replace(cell, file="tests/test_xs.py") for cell in exam.cells[1:]]
    assert scores(dataclasses.replace(exam, cells=(exam.cells[0], *tests))) == [1.0, 1.0]


def test_a_test_that_is_examined_twice_finds_twice_what_the_test_before_it_left():
    """As where students write themselves what the instructor imports."""
    exam = cells(
        "from math import sqrt\nxs = [1]",
        "xs.append(4)\nassert xs == [1, 4]",
        "xs.append(9)\nassert [sqrt(x) for x in xs] == [1, 2, 3]",
        "assert len(xs) == 3",
        hidden=(1, 2, 3),
    )
    own = "def sqrt(x):\n    return x ** 0.5\nxs = [1]"
    assert [one.fraction for one in graded(exam, FreezingKernel, cell0=own)] == [1.0, 1.0, 1.0]


def test_a_copy_that_dies_decides_nothing():
    """Code that ends its own process ends the copy; then the kernel itself answers, as it is at the end."""
    answer = (
        "import os\nhome = os.getpid()\ndef f():\n    if os.getpid() != home:\n        os._exit(1)\n    return n\nn = 1"
    )
    tests = ["assert f() == 1", "n = 2", "assert f() == 2"]
    exam = cells(answer, *tests, hidden=(1, 3))
    assert scores(exam) == [1.0, 1.0]  # names are those of the cell all the same


def test_an_object_of_another_state_is_for_a_person():
    """A test that reaches an earlier test's object by a way that its source does not show."""
    exam = cells(
        ACCOUNT,
        "def keep(x, kept=[]):\n    kept.append(x)\n    return kept[0]\nassert keep(Account(1)).balance == 1",
        "def balance(a):\n    return a.balance",
        "assert balance(keep(None)) == 1",
        "y = 2",
        hidden=(1, 3),
    )
    assert graded(exam, FreezingKernel)[1].outcome is Outcome.BROKEN


LATER = {
    "a value": ("result = 7", "assert result == 7"),
    "an object": ("result = Account(7)", "assert result.balance == 7"),
    "a function": ("def result(x):\n    return x + 1", "assert result(1) == 2"),
    "a class": ("class result:\n    size = 3", "assert result().size == 3"),
    "an import": ("from math import sqrt as result", "assert result(4) == 2"),
    "a global of a function": ("def begin():\n    global result\n    result = 3\nbegin()", "assert result == 3"),
}
FIRST = ["result = Account(2)\nassert result.balance == 2", "result = 4\nassert result == 4"]


@pytest.mark.parametrize(("kind", "first"), each_once(LATER, FIRST))
def test_a_tests_variable_may_have_the_name_of_a_later_answer(kind, first):
    """Between the two, tests with a copy of their own do not name the variable, and need nothing of it."""
    later, test = LATER[kind]
    between = ("class Shop:\n    open = True", "assert Shop().open")
    exam = cells(f"{ACCOUNT}\nmodel = Account(1)", first, *between, later, test, "y = 2", hidden=(1, 3, 5))
    assert scores(exam) == [1.0, 1.0, 1.0], [one.detail for one in graded(exam, FreezingKernel)]


def test_a_global_of_a_tests_function_is_the_tests_until_an_answer_binds_it():
    first = "def begin():\n    global result\n    result = 4\nbegin()\nassert result == 4"
    assert scores(cells("x = 1", first, "result = 7", "assert result == 7", hidden=(1, 3))) == [1.0, 1.0]


def test_the_message_names_variable_tests_and_line_where_an_object_is_out_of_reach():
    exam = cells(
        ACCOUNT,
        "def left(kept=[]):\n    return kept[0]\nmine = Account(1)\nleft.__defaults__[0].append(mine)\n"
        "assert mine.balance == 1",
        "def balance(a):\n    return a.balance",
        "x = 1\nassert balance(left()) == 1",
        "y = 2",
        hidden=(1, 3),
    )
    second = graded(exam, FreezingKernel)[1]
    assert second.outcome is Outcome.BROKEN
    assert "the test 'cell3', in line 2, uses 'mine', which the test 'cell1' made with another" in second.detail


@pytest.mark.parametrize(
    "forged", ["9 * 2**32 + 1", *(pytest.param(number, marks=pytest.mark.slow) for number in ("2**52 + 1", "2**70"))]
)
def test_a_number_that_the_copy_cannot_have_given_is_the_answers_fault(forged):
    """Otherwise the test would look broken, and a person would be asked for points."""
    answer = (
        "import gc\n"
        "class Box: value = 1\n"
        "box = Box()\n"
        "def make():\n"
        "    for one in gc.get_objects():\n"
        "        if type(one).__name__ == 'Server':\n"
        f"            one.last = {forged}\n"
        "    return Box()\n"
    )
    exam = cells(answer, "made = make()\nassert box.value == 1\nassert list(map(id, [made])) is made", "box.value = 2")
    one = graded(exam, FreezingKernel)[0]
    assert (one.fraction, one.outcome) == (0.0, Outcome.FAILED), one.detail


@pytest.mark.parametrize(
    ("number", "last"), [("10**5000", 9), ("-7", 9), ("0", "10**5000"), ("0", "-1"), ("0", "True")]
)
def test_forged_numbers_of_copies_neither_break_a_test_nor_earn_anything(number, last):
    answer = (
        "import gc\n"
        "class Box: value = 1\n"
        "box = Box()\n"
        "for one in gc.get_objects():\n"
        "    if type(one).__name__ == 'Server':\n"
        f"        one.snapshot = lambda: ({number}, ['box'])\n"
        "        one.fetch = lambda _, names, one=one: {name: one.value(globals()[name]) for name in names}\n"
        f"        one.freeze = lambda *_: ('frozen', {last})\n"
    )
    results = graded(cells(answer, "assert box.value == 1", "y = 1"), FreezingKernel)
    assert all(one.fraction == 0 and one.outcome in (Outcome.FAILED, Outcome.SKIPPED) for one in results)
