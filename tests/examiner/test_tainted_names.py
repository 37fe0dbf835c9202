"""What a test fills with hidden data goes nowhere by a name, whenever the name was bound."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.records.exam import Role

START = "import numpy as np\nfrom autograder import check"
HIDDEN = "check.hidden_data('d.npz')['y']"
PREDICT = "def predict(n): return np.arange(n)\n"
LOOKS = "def predict(n): return np.array([*v.values()][0] if isinstance(v := globals()['y'], dict) else v)[:n]\n"
READS = "def size(): return len(y)\n"
KEEPS = "kept = []\ndef size():\n    kept.append(y.copy())\n    return len(y)\n" + LOOKS.replace(
    "globals()['y']", "kept[-1]"
)


@pytest.fixture
def scores(tmp_path):
    np.savez(tmp_path / "d.npz", y=np.arange(5))

    def scores(solution, answer, *tests):
        exam = exam_of((Role.READ_ONLY, START), (Role.ANSWER, solution), *((Role.TEST, test) for test in tests))
        return [result.fraction for result in graded(exam, cell1=answer, hidden=tmp_path)]

    return scores


FILLED = [
    ("np.zeros(5)", f"y[:] = {HIDDEN}", "y"),
    ("{}", f"y['a'] = {HIDDEN} * 1", "y['a']"),
    ("[]", f"y.extend({HIDDEN})", "np.array(y)"),
    ("np.zeros(5)", f"z = y\nz += {HIDDEN}", "y"),
]


@pytest.mark.parametrize(("empty", "fill", "filled"), FILLED)
def test_a_variable_of_the_notebook_that_a_test_fills_with_hidden_data_stays_here(scores, empty, fill, filled):
    test = f"{fill}\nassert (predict(5) == {filled}).all()"
    assert scores(f"y = {empty}\n{PREDICT}", f"y = {empty}\n{PREDICT}", test) == [1]
    assert scores(f"y = {empty}\n{PREDICT}", f"y = {empty}\n{LOOKS}", test) == [0]


@pytest.mark.parametrize(("empty", "fill", "filled"), FILLED)
def test_a_name_that_the_solution_reads_is_not_lent_once_it_is_filled_with_hidden_data(scores, empty, fill, filled):
    test = (
        f"y = {empty}\nsize()\n{fill}\ntry:\n    size()\nexcept NameError: pass\nassert (predict(5) == {filled}).all()"
    )
    assert scores(READS + PREDICT, READS + PREDICT, test) == [1]
    assert scores(READS + PREDICT, KEEPS, test) == [0]


def test_what_one_test_fills_with_hidden_data_stays_here_in_the_next(scores):
    tests = ["y = []\nassert size() == 0", f"y.extend({HIDDEN})", "assert (predict(5) == np.array(y)).all()"]
    later = "try:\n    size()\nexcept NameError: pass\n"
    assert scores(READS + PREDICT, READS + PREDICT, *tests[:2], later + tests[2]) == [1, 1, 1]
    assert scores(READS + PREDICT, KEEPS, *tests[:2], later + tests[2]) == [1, 1, 0]


def test_control_what_calls_and_tests_change_beside_hidden_data_is_shared(scores):
    solution = "log = [0]\ndef f(X):\n    log.append(len(X))\n    return len(log)"
    test = f"log.clear()\nX = {HIDDEN}\nassert f(X) == 1\nassert f(X) == 2 and log == [5, 5]"
    assert scores(solution, solution, test) == [1]


def test_control_a_value_from_before_is_lent_beside_hidden_data(scores):
    solution = "def f(x): return x > limit"
    test = f"limit = 3\nX = {HIDDEN}\nassert list(f(X)) == [False] * 4 + [True]"
    assert scores(solution, solution, test) == [1]
