"""Attributes that answers add to what locked cells define: it is the notebook's own then."""

from __future__ import annotations

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.syntax.names import vocabulary

ENV = "class Env:\n    def start(self, n):\n        raise NotImplementedError"
START = "def start(self, n):\n    self.n = n\n    return n + 1\n"
ADDING = {
    "an assignment": [(Role.READ_ONLY, ENV), (Role.ANSWER, f"{START}Env.start = start")],
    "setattr": [(Role.READ_ONLY, ENV), (Role.ANSWER, f"{START}setattr(Env, 'start', start)")],
    "a loop": [(Role.READ_ONLY, ENV), (Role.ANSWER, f"{START}for f in [start]: setattr(Env, f.__name__, f)")],
    "a decorator": [
        (Role.READ_ONLY, f"def add_to(kind):\n    return lambda f: setattr(kind, f.__name__, f)\n{ENV}"),
        (Role.ANSWER, f"@add_to(Env)\n{START}"),
    ],
    "a locked cell, of the answer's function": [
        (Role.READ_ONLY, ENV),
        (Role.ANSWER, START),
        (Role.READ_ONLY, "Env.start = start"),
    ],
}
TEST = "env = Env()\nassert env.start(1) == 2 and env.n == 1"


@pytest.mark.parametrize("cells", ADDING.values(), ids=ADDING)
def test_a_test_finds_what_an_answer_adds_to_a_locked_class(cells: list) -> None:
    exam = exam_of(*cells, (Role.TEST, TEST))
    assert graded(exam)[0].outcome is Outcome.PASSED
    assert graded(exam, cell1="start = None")[0].outcome is Outcome.FAILED
    wrong = cells[1][1].replace("n + 1", "n")
    assert graded(exam, cell1=wrong)[0].outcome is Outcome.FAILED


def test_a_test_finds_what_an_answer_adds_to_a_locked_function() -> None:
    cells = (Role.READ_ONLY, "def area(n):\n    return n * area.factor"), (Role.ANSWER, "area.factor = 2")
    exam = exam_of(*cells, (Role.TEST, "assert area(3) == 6"))
    assert graded(exam)[0].outcome is Outcome.PASSED
    assert graded(exam, cell1="area.factor = 3")[0].outcome is Outcome.FAILED
    assert vocabulary(exam).taken_along == {"area"}


def test_a_function_that_is_the_argument_of_an_answers_decorator_stays_the_instructors() -> None:
    locked = "def near(a, b): return abs(a - b) < 1e-6\ndef cached(by): return lambda f: f"
    cells = (Role.READ_ONLY, locked), (Role.ANSWER, "@cached(near)\ndef f(n): return n + 1")
    exam = exam_of(*cells, (Role.TEST, "assert near(f(1), 2)"))
    assert "near" in vocabulary(exam).trusted


def test_a_locked_class_that_derives_from_one_that_answers_add_to_is_told() -> None:
    locked = "class Board:\n    size = 3\nclass Judge(Board):\n    def fair(self): return self.size == 3"
    cells = (Role.READ_ONLY, locked), (Role.ANSWER, "Board.debug = True")
    assert vocabulary(exam_of(*cells, (Role.TEST, "assert Judge().fair()"))).taken_along == {"Judge"}


def test_a_locked_class_that_answers_add_to_is_a_class_whatever_its_decorator_says() -> None:
    locked = "def named(name): return lambda kind: kind\n@named('Board')\nclass Board:\n    size = 3"
    cells = (Role.READ_ONLY, locked), (Role.ANSWER, "Board.debug = True")
    assert not vocabulary(exam_of(*cells, (Role.TEST, "assert Board().size == 3"))).taken_along


def test_a_special_method_that_an_answer_adds_works_in_a_test() -> None:
    cells = (Role.READ_ONLY, ENV), (Role.ANSWER, "def add(self, other): return 7\nEnv.__add__ = add")
    assert graded(exam_of(*cells, (Role.TEST, "assert Env() + Env() == 7")))[0].outcome is Outcome.PASSED


@pytest.mark.parametrize("base", [(Role.READ_ONLY, ENV), (Role.ANSWER, ENV)])
def test_a_locked_class_that_derives_from_the_students_is_the_notebooks(base: tuple) -> None:
    derived = "class Twice(Env):\n    def twice(self, n):\n        return 2 * self.start(n)"
    exam = exam_of(
        base,
        (Role.ANSWER, f"{START}Env.start = start"),
        (Role.READ_ONLY, derived),
        (Role.TEST, "assert Twice().twice(1) == 4"),
    )
    assert graded(exam)[0].outcome is Outcome.PASSED
    assert graded(exam, cell1="Env.start = lambda self, n: n")[0].outcome is Outcome.FAILED


def test_a_cell_of_the_package_jdc_adds_to_its_class() -> None:
    cells = (
        (Role.READ_ONLY, f"import jdc\n{ENV}"),
        (Role.ANSWER, f"%%add_to Env\n\n{START}\ndef __len__(self):\n    return 3"),
    )
    known = vocabulary(exam_of(*cells, (Role.TEST, TEST)))
    assert "Env" not in known.trusted
    assert "Env" in known.students
    assert "__len__" in known.operators["Env"]


KEPT = [
    "check_all.tried = 0",
    "def count(): check_all.tried += 1",
    "check_all.__doc__ = 'Checks all.'",
]


@pytest.mark.parametrize("locked", KEPT)
def test_what_locked_cells_add_themselves_leaves_a_function_the_instructors(locked: str) -> None:
    """Else a student could answer for the instructor's own check."""
    cells = (Role.READ_ONLY, f"def check_all(f): return f(1) == 2\n{locked}"), (Role.ANSWER, "def f(n): return n + 1")
    exam = exam_of(*cells, (Role.TEST, "assert check_all(f)"))
    assert "check_all" in vocabulary(exam).trusted


@pytest.mark.parametrize(
    "answer", ["def f(check_all): check_all.x = 1", "def f(n):\n    check_all = n\n    check_all.x = 1\n    return n"]
)
def test_a_local_name_of_an_answer_is_another(answer: str) -> None:
    cells = (Role.READ_ONLY, "def check_all(f): return f(1) == 2"), (Role.ANSWER, answer)
    assert "check_all" in vocabulary(exam_of(*cells, (Role.TEST, "assert check_all(f)"))).trusted
