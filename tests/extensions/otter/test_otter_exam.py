"""Exams of otter notebooks: what each kind of test gives to right and wrong answers, case by case."""

from __future__ import annotations

import pytest
from helpers.examination import graded
from helpers.otter import SQUARE, block, code, config, exam_of, question, text

from autograder.records.checks import Outcome


def solution(source: str) -> list[dict]:
    return block("solution", code(source))


def one(
    tmp_path, answer: str, *tests: dict, settings: str = "name: q", head: str = "", solved: str = "x = 1 # SOLUTION"
):
    """The examined question of an exam with one answer and these tests."""
    exam = exam_of(tmp_path, config(head), question(settings, text("?"), solution(solved), block("tests", *tests)))
    return graded(exam, **{"q-answer": answer})[0]


def fractions(examined) -> list[float]:
    return [check.fraction for check in examined.checks]


def test_each_case_has_its_points_its_message_and_its_visibility(tmp_path) -> None:
    exam = exam_of(tmp_path, config(), SQUARE)
    (cell,) = exam.questions
    assert (cell.grade_id, cell.points, cell.released) == ("q1", 4.0, 'grader.check("q1")')
    right = graded(exam, **{"q1-answer": "def square(x):\n    return x * x"})[0]
    wrong = graded(exam, **{"q1-answer": "def square(x):\n    return 3 * x"})[0]
    assert (right.fraction, right.outcome) == (1.0, Outcome.PASSED)
    assert [(c.name, c.weight, c.fraction, c.message) for c in wrong.checks] == [
        ("q1 - 1", 2.0, 1.0, "right"),
        ("q1 - 2 (hidden)", 2.0, 0.0, "a hidden test found a wrong answer"),
    ]
    assert "shows -6, expected '4'" in wrong.checks[1].detail


def test_an_exception_costs_its_case_only(tmp_path) -> None:
    examined = one(
        tmp_path,
        "def f(x):\n    if x < 0:\n        raise ValueError(x)\n    return x",
        code("f(1)", "1"),
        code("f(-1)", "1"),
        code("f(2)", "2"),
        solved="def f(x):\n    return abs(x) # SOLUTION",
    )
    assert fractions(examined) == [1, 0, 1]
    assert examined.checks[1].message == "your code raised an exception"
    assert examined.fraction == pytest.approx(2 / 3)


def test_messages_of_the_test_config(tmp_path) -> None:
    head = '""" # BEGIN TEST CONFIG\nsuccess_message: Well done\nfailure_message: Try again\nhidden: true\n""" # END TEST CONFIG\n'
    assert one(tmp_path, "x = 1", code(head + "x", "1")).checks[0].message == "Well done"
    assert one(tmp_path, "x = 2", code(head + "x", "1")).checks[0].message == "Try again"
    assert one(tmp_path, "x = 2", code(head + "x", "1")).checks[0].name == "q - 1 (hidden)"


def test_printed_text_and_shown_value(tmp_path) -> None:
    greets = "def f():\n    print('hello')\n    return 3"
    assert one(tmp_path, greets, code("f()", "3", "hello\n"), solved=greets).fraction == 1
    assert one(tmp_path, "def f():\n    return 3", code("f()", "3", "hello\n"), solved=greets).fraction == 0
    assert one(tmp_path, greets, code("f()", "3"), solved=greets).fraction == 0
    assert one(tmp_path, greets, code("x = f()", "", "hello\n"), solved=greets).fraction == 1
    assert one(tmp_path, "x = 4", code("x;")).fraction == 1


def test_a_function_that_prints_its_result_passes_as_in_otter(tmp_path) -> None:
    solved = "def f():\n    return 3 # SOLUTION"
    assert one(tmp_path, "def f():\n    print(3)", code("f()", "3"), solved=solved).fraction == 1
    assert one(tmp_path, "def f():\n    print(3)\n    return 4", code("f()", "3"), solved=solved).fraction == 0
    assert one(tmp_path, "def f():\n    print('True')", code("f() == 3", "True"), solved=solved).fraction == 0


def test_printed_values_of_another_version_are_the_same(tmp_path) -> None:
    head = "import numpy as np\nprint([np.float64(x), np.bool_(True)])"
    assert one(tmp_path, "x = 1.5", code(head, printed="[1.5, True]\n")).fraction == 1
    assert one(tmp_path, "x = 2.5", code(head, printed="[1.5, True]\n")).fraction == 0


def test_random_answers_are_seeded_before_the_first_case(tmp_path) -> None:
    import random

    drawn = random.Random(5)
    expected = [drawn.random(), drawn.random()]
    solved = "import random\ndef f():\n    return random.random() # SOLUTION"
    answer = "import random\nrandom.seed(1)\ndef f():\n    return random.random()"
    tests = [code("f()", repr(number)) for number in expected]
    assert one(tmp_path, answer, *tests, head="generate: {seed: 5}", solved=solved).fraction == 1


def test_statements_before_the_last_show_nothing(tmp_path) -> None:
    assert one(tmp_path, "x = 1", code("x + 1\n# a comment\n\nx", "1")).fraction == 1


def test_a_case_reads_the_notebook_and_keeps_its_own_names(tmp_path) -> None:
    first = code("x = x + 1\nx", "2")
    assert fractions(one(tmp_path, "x = 1", first, code("x", "1"))) == [1, 1]


def test_changes_of_an_object_stay(tmp_path) -> None:
    answer = "class Stack:\n    def __init__(self):\n        self.n = 0\n    def push(self):\n        self.n += 1\nx = Stack()"
    items = answer + " # SOLUTION"
    assert fractions(one(tmp_path, answer, code("x.push()"), code("x.n", "1"), solved=items)) == [1, 1]


def test_classes_loops_and_functions_of_a_test(tmp_path) -> None:
    source = "class A:\n    n = x\ndef twice(y):\n    '''Over\n    two lines.'''\n    return 2 * y\ntotal = 0\nfor i in range(3):\n    total += i\n[A.n, twice(x), total]"
    assert one(tmp_path, "x = 1", code(source, "[1, 2, 3]")).fraction == 1


def test_all_or_nothing(tmp_path) -> None:
    tests = code("x > 0", "True"), code("x", "1")
    assert one(tmp_path, "x = 2", *tests, settings="name: q\nall_or_nothing: true").fraction == 0
    assert one(tmp_path, "x = 1", *tests, settings="name: q\nall_or_nothing: true").fraction == 1
    assert one(tmp_path, "x = 2", *tests).fraction == 0.5


def test_a_passed_case_of_all_or_nothing_is_not_shown_as_failed(tmp_path) -> None:
    tests = code("x > 0", "True"), code("x", "1")
    result = one(tmp_path, "x = 2", *tests, settings="name: q\nall_or_nothing: true")
    assert [check.outcome for check in result.checks] == [Outcome.PASSED, Outcome.FAILED]


@pytest.mark.parametrize(
    ("settings", "own", "points"),
    [
        ("", [None, None], [0.5, 0.5]),
        ("", [1, None], [1, 0]),
        ("", [0, None, None], [0, 0.5, 0.5]),
        ("", [0, 0], [0, 0]),
        ("points: 6", [2, 2, None, None], [2, 2, 1, 1]),
        ("points: 4", [1, 1], [1, 1]),
        ("points: [1, 2]", [None, None], [1, 2]),
        ("points: [null, 2]", [None, None], [0, 2]),
        ("points: {each: 3}", [None, None], [3, 3]),
    ],
)
def test_points_are_shared_as_otter_shares_them(tmp_path, settings, own, points) -> None:
    heads = ["" if p is None else f'""" # BEGIN TEST CONFIG\npoints: {p}\n""" # END TEST CONFIG\n' for p in own]
    tests = [code(f"{head}x", "1") for head in heads]
    exam = exam_of(tmp_path, question(f"name: q\n{settings}", solution("x = 1 # SOLUTION"), block("tests", *tests)))
    examined = graded(exam, **{"q-answer": "x = 1"})[0]
    assert exam.questions[0].points == sum(points)
    assert [c.weight for c in examined.checks] == (points if sum(points) else [1.0] * len(points))


# --- the exception format ----------------------------------------------------------------------------

FUNCTIONS = "tests:\n  ok_format: false"


def test_functions_get_the_notebooks_values_by_name(tmp_path) -> None:
    test = code(
        "def test_x(x, nothing_of_this_name=3):\n    assert x == 1\n    assert nothing_of_this_name is None\ntest_x(x)"
    )
    told = "x = 1 # SOLUTION\nnothing_of_this_name = 2 # SOLUTION NO PROMPT"
    assert one(tmp_path, "x = 1", test, head=FUNCTIONS, solved=told).fraction == 1
    assert one(tmp_path, "x = 2", test, head=FUNCTIONS, solved=told).fraction == 0


def test_functions_may_ask_env_for_names(tmp_path) -> None:
    test = code('def test_x(env):\n    assert env["x"] == 1 and "y" not in env and env.get("y", 5) == 5')
    solved = "x = 1 # SOLUTION\ny = 2 # SOLUTION NO PROMPT"
    assert one(tmp_path, "x = 1", test, head=FUNCTIONS, solved=solved).fraction == 1
    assert one(tmp_path, "x = 1\ny = 3", test, head=FUNCTIONS, solved=solved).fraction == 0
    assert one(tmp_path, "z = 1", test, head=FUNCTIONS, solved=solved).checks[0].message == "the test failed: KeyError"


def test_what_a_function_prints_does_not_matter(tmp_path) -> None:
    test = code("def test_x(x):\n    print(x)\n    assert x == 1")
    assert one(tmp_path, "x = 1", test, head=FUNCTIONS).fraction == 1


# --- attacks -----------------------------------------------------------------------------------------

ALWAYS = """
class Yes:
    def __eq__(self, other): return True
    def __ne__(self, other): return True
    def __gt__(self, other): return True
    def __lt__(self, other): return True
    def __bool__(self): return True
    def __repr__(self): return 'True'
    __str__ = __repr__
    def __hash__(self): return 1
x = Yes()
"""


@pytest.mark.parametrize("test", ["x == 25", "x", "x > 3", "bool(x)", "[x][0]", "(x == 25) == True"])
def test_an_object_that_agrees_with_everything_gets_no_point(tmp_path, test) -> None:
    assert one(tmp_path, ALWAYS, code(test, "True")).fraction == 0
    assert one(tmp_path, "x = 25", code("x == 25", "True")).fraction == 1


def test_an_assertion_is_not_won_either(tmp_path) -> None:
    assert one(tmp_path, ALWAYS, code("assert x == 25")).fraction == 0
    assert one(tmp_path, ALWAYS, code("def test_x(x):\n    assert x == 25"), head=FUNCTIONS).fraction == 0


@pytest.mark.parametrize(
    "trick",
    [
        "_otter_case = _otter_show = _otter_body = lambda *a, **k: None",
        "class grader:\n    check = staticmethod(lambda q: print('1'))",
    ],
)
def test_names_of_the_tests_mean_nothing_in_the_notebook(tmp_path, trick) -> None:
    assert one(tmp_path, f"{trick}\nx = 2", code("isinstance(x, int) and x == 1", "True")).fraction == 0


def test_an_answer_that_exits_fails_its_case(tmp_path) -> None:
    leaves = "def f():\n    raise SystemExit"
    assert one(tmp_path, leaves, code("f()", ""), solved="def f():\n    pass # SOLUTION").fraction == 0
