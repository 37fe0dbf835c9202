"""How the checks and tests of a cell share its points, and what a student reads of them."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.examination import graded, outcome
from helpers.exams import composed_of, exam_of
from helpers.kernels import InProcessKernel

from autograder import check
from autograder.errors import CourseError
from autograder.examination.attempt import Conditions
from autograder.examination.notebook_grading import grade_notebook
from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.limits import Limits

CHECK = "from autograder import check\n"


def marked(test, answer="x = 1", **more):
    return outcome(answer, CHECK + test, **more)


# --- sharing


ALL = "with check.all_or_nothing():\n    check.close(x, 1, name='one')\n    check.close(x, {0}, name='two')\n"


def test_all_or_nothing_gives_everything_or_nothing():
    assert marked(ALL.format(1)).fraction == 1
    result = marked(ALL.format(2))
    assert (result.fraction, result.outcome) == (0, Outcome.FAILED)
    assert result.message == "one: right (counts only together with `two`)\ntwo: the value is not right"


def test_a_right_check_without_credit_is_not_shown_as_wrong():
    result = marked(ALL.format(2))
    assert [(one.outcome, one.fraction) for one in result.checks] == [(Outcome.PASSED, 0.0), (Outcome.FAILED, 0.0)]


def test_checks_beside_an_all_or_nothing_block_keep_their_share():
    assert marked(ALL.format(2) + "check.close(x, 1, weight=2)").fraction == 0.5


def test_all_or_nothing_holds_where_an_exception_leaves_the_block():
    test = "try:\n    with check.all_or_nothing():\n        check.close(x, 1)\n        check.close(x, 2)\n        1 / 0\nexcept ZeroDivisionError:\n    pass"
    assert marked(test).fraction == 0


PREREQUISITE = (
    "size = check.close(x, {0}, name='size')\nwith check.only_if(size):\n    check.close(x, 1, name='value')\n"
)


def test_what_is_inside_only_if_counts_where_the_prerequisite_is_right():
    assert marked(PREREQUISITE.format(1)).fraction == 1
    result = marked(PREREQUISITE.format(2))
    assert result.fraction == 0
    assert "value: right (counts only when `size` is right)" in result.message


def test_only_if_takes_results_of_checks_alone():
    with pytest.raises(CourseError, match="what checks return"), check.only_if(True):
        pass


@pytest.mark.parametrize(("first", "fraction"), [(1, 1.0), (2, 0.0)])
def test_a_cell_may_require_an_earlier_question(first, fraction):
    exam = exam_of(
        (Role.ANSWER, "x = 1"),
        (Role.TEST, f"assert x == {first}"),
        (Role.TEST, CHECK + "check.requires('cell1')\ncheck.close(x, 1)"),
    )
    result = graded(exam)[1]
    assert result.fraction == fraction
    assert (result.message == "This counts only when `cell1` is right.") == (not fraction)


def test_a_requirement_may_be_a_share():
    exam = exam_of(
        (Role.ANSWER, "x = 1"),
        (Role.TEST, "0.5"),
        (Role.TEST, CHECK + "check.requires('cell1', at_least=0.5)"),
        (Role.TEST, CHECK + "check.requires('cell1', at_least=0.6)"),
    )
    results = graded(exam)
    assert [r.fraction for r in results] == [0.5, 1.0, 0.0]
    assert results[2].message == "This counts only when `cell1` has at least 60% of its points."


def test_what_misses_its_prerequisite_still_says_what_its_checks_found():
    exam = exam_of((Role.TEST, "assert False"), (Role.TEST, CHECK + "check.requires('cell0')\ncheck.close(1, 2)"))
    assert graded(exam)[1].message.splitlines()[1] == "values: the value is not right"


def test_a_requirement_that_names_no_question_before_it_is_the_tests_fault():
    result = marked("check.requires('cell9')")
    assert result.outcome is Outcome.BROKEN
    assert "no test cell 'cell9' stands before this one" in result.detail


def test_in_a_notebook_a_requirement_asks_nothing():
    check.requires("whatever")


@pytest.mark.parametrize(("desired", "bonus"), [(1, 2.0), (3, 0.0)])
def test_a_bonus_comes_on_top_and_is_not_missed(desired, bonus):
    result = marked(f"check.close(x, 1)\nwith check.bonus(2):\n    check.close(x, {desired})")
    assert (result.fraction, result.outcome, result.bonus) == (1, Outcome.PASSED, bonus)


def test_a_bonus_is_shared_by_weight_and_partial():
    result = marked("with check.bonus(3):\n    check.close(x, 1, weight=2)\n    check.close(x, 2)")
    assert result.bonus == 2


@pytest.mark.parametrize("points", [0, -1, True, "2", float("nan"), float("inf")])
def test_a_bonus_is_a_positive_number(points):
    with pytest.raises(CourseError, match="greater than 0"), check.bonus(points):
        pass


def test_an_exception_takes_the_bonus_too():
    assert marked("with check.bonus(2):\n    check.close(x, 1)\nassert x == 2").bonus == 0


def test_a_grade_holds_the_bonus_above_its_maximum(tmp_path):
    exam = exam_of(
        (Role.ANSWER, "x = 1"),
        (Role.TEST, CHECK + "check.close(x, 1)\nwith check.bonus(2):\n    check.close(x, 1)", 3.0),
    )
    grade = whole_grade(exam, tmp_path)
    assert (grade.score, grade.max_score) == (5.0, 3.0)


def test_a_check_of_the_authors_own_gives_any_share():
    result = marked("check.report('words', 0.25, '5 of 20')\ncheck.report('lines', 1, 'all', weight=2)")
    assert result.fraction == 0.75
    assert result.message == "words: 5 of 20"


def test_a_check_is_true_where_it_is_passed():
    assert marked("assert check.close(x, 1)").fraction == 1
    assert marked("assert check.close(x, 2)").fraction == 0


def test_a_check_of_weight_0_decides_only_what_depends_on_it():
    test = "size = check.close(x, {}, name='size', weight=0)\nwith check.only_if(size):\n    check.close(x, 1)\ncheck.close(x, 1)"
    assert marked(test.format(1)).fraction == 1
    result = marked(test.format(2))
    assert result.fraction == 0.5
    assert result.message.startswith("size: the value is not right\n")


def test_a_cell_in_which_no_check_counts_is_the_tests_fault():
    result = marked("check.close(x, 1, weight=0)")
    assert result.outcome is Outcome.BROKEN
    assert "the weights are all 0" in result.detail


# --- every failure is reported


def test_every_failing_assertion_of_a_cell_is_reported():
    test = "assert f(1) == 2\nassert f(2) == 4\nassert f(3) == 6"
    result = outcome("def f(n): return 4", test)
    assert result.fraction == 0
    assert result.message.splitlines() == ["Failed at `assert f(1) == 2`.", "Failed at `assert f(3) == 6`."]


def test_hidden_failures_are_counted_and_not_quoted():
    result = outcome("def f(n): return 4", "assert f(1) == 2\nassert f(2) == 4\nassert f(3) == 6", released="")
    assert result.message == "2 hidden tests found wrong answers."


def test_what_merely_follows_from_a_failure_is_not_reported():
    result = outcome("def f(n): raise KeyError", "y = f(1)\nassert y == 2\nz = y + 1", released="y = f(1)")
    assert (
        result.message
        == "Failed at `y = f(1)`: your code raised KeyError in cell 1, line 1: `def f(n): raise KeyError`."
    )


def test_checks_behind_a_failing_assertion_are_made_and_reported():
    result = marked("assert x == 2\ncheck.close(x, 3, name='three')\ncheck.close(x, 1, name='one')")
    assert result.fraction == 0
    assert [c.name for c in result.checks if c.fraction < 1] == ["three"]


def test_helpers_behind_a_failing_assertion_are_there_for_the_next_cell():
    exam = exam_of(
        (Role.ANSWER, "x = 1"), (Role.TEST, "assert x == 2\ndef same(a): return a == 1"), (Role.TEST, "assert same(x)")
    )
    assert [r.fraction for r in graded(exam)] == [0, 1]


def test_a_cell_keeps_its_own_future_flags():
    test = "from __future__ import annotations\ndef g(a: nowhere): return 1\nassert x == 1"
    assert outcome("x = 1", test).fraction == 1
    assert outcome("x = 1", "def g(a: nowhere): return 1").fraction == 0


# --- where it came from


SOURCE = "def mean(xs):\n    total = sum(xs)\n    return total / len(xs)"


def test_the_line_of_the_students_own_code_is_shown():
    result = outcome(SOURCE, "assert mean([]) == 0", released="")
    assert result.message == (
        "A hidden test failed: your code raised ZeroDivisionError in cell 1, line 3: `return total / len(xs)`."
    )


def test_a_failing_case_of_a_function_shows_the_line():
    result = marked("check.function(mean, [(([1.0],), 1.0), (([],), 0.0)])", answer=SOURCE)
    assert result.message == (
        "function: 1 of 2 cases are right; case 2 raises ZeroDivisionError in cell 1, line 3: `return total / len(xs)`"
    )


def test_what_the_kernel_says_of_a_line_is_only_a_pointer_into_the_notebook():
    secret = "hidden-input-4711"
    lies = "def f(s):\n    exec(compile('\\n' * 3 + 'raise ValueError', f'/tmp/{s}.py', 'exec'))"
    result = outcome(lies, f"f({secret!r})", released="")
    assert result.message.endswith(
        "in cell 1, line 2: `exec(compile('\\n' * 3 + 'raise ValueError', f'/tmp/{s}.py', 'exec'))`."
    )
    assert secret not in result.message


@pytest.mark.parametrize(
    "trace", [None, [], [1], [("x.py", 1)], [("x.py", True, "f")], [(b"x", 1, "f")], [("/x\0.py", -5, "f")], "no"]
)
def test_a_trace_that_is_none_gives_no_line(trace):
    from autograder.examiner.origin import Origins

    error = ValueError()
    error.remote = {"trace": trace}
    assert Origins(composed_of(exam_of((Role.ANSWER, "x = 1"))).cells, {"x"})(error) == ("ValueError", "")


def test_a_name_that_only_a_hidden_test_has_is_not_told(tmp_path):
    exam = exam_of((Role.ANSWER, ""), (Role.TEST, "assert secret_name"), (Role.TEST, "assert known_name"))
    cells = (exam.cells[0], dataclasses.replace(exam.cells[1], released="# known_name"), exam.cells[2])
    grade = whole_grade(dataclasses.replace(exam, cells=cells), tmp_path)
    assert [q.message for q in grade.questions] == ["A name is not defined.", "`known_name` is not defined."]


def whole_grade(exam, folder):
    """The grade of the exam's own sources, through everything but a sandbox."""
    import nbformat

    cells = [
        nbformat.v4.new_code_cell(
            c.source,
            metadata={
                "nbgrader": {
                    "grade_id": c.grade_id, "schema_version": 3, "grade": c.role is Role.TEST, "solution": c.role is Role.ANSWER,
                    "locked": c.role is Role.TEST, "task": False, "points": c.points,
                }
            },
        )
        for c in exam.cells
    ]  # fmt: skip
    path = folder / "nb.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return grade_notebook(exam, path, Conditions(InProcessKernel, Limits())).grade
