"""What students read of exceptions: types, functions of the exercise, and one line of source for a submission."""

from __future__ import annotations

import pytest
from helpers.exams import composed_of, exam_of

from autograder.examiner.origin import ANYTHING, MAX_LINES, MAX_TOLD, Origins, asked_names, cell_stem
from autograder.records.exam import Role

MEAN = "def mean(v):\n    total = sum(v)\n    return total / len(v)"


def origins(*sources: str, asked: tuple[str, ...] = ("mean", "Stack", "Stack.push")) -> Origins:
    return Origins(composed_of(exam_of(*((Role.ANSWER, source) for source in sources))).cells, asked)


def raised(source: str, *lines: int, kind: type[Exception] = ValueError) -> Exception:
    """An exception that passed these lines of a cell, the outermost first."""
    error = kind()
    error.remote = {"trace": [(f"/tmp/{cell_stem(source)}.py", line, "f") for line in lines]}  # type: ignore[attr-defined]
    return error


def test_the_first_exception_shows_its_line_and_another_one_its_function() -> None:
    tell = origins(MEAN)
    assert tell(raised(MEAN, 3)) == ("ValueError", "cell 1, line 3: `return total / len(v)`")
    assert tell(raised(MEAN, 2)) == ("ValueError", "`mean`")


def test_the_same_line_is_shown_again() -> None:
    tell = origins(MEAN)
    assert tell(raised(MEAN, 3)) == tell(raised(MEAN, 3))


def test_a_function_that_nobody_asked_for_is_not_named_but_its_caller_is() -> None:
    source = f"def input_is_27():\n    1 / 0\n{MEAN}"
    assert origins(source)(raised(source, 4, 2)) == ("ValueError", "cell 1, line 4: `total = sum(v)`")
    assert origins(source)(raised(source, 2)) == ("ValueError", "")


@pytest.mark.parametrize("extra", [0, 1])
def test_a_function_of_more_lines_shows_none(extra: int) -> None:
    source = "def mean(v):\n" + "\n".join(f"    if v == {n}: raise ValueError" for n in range(MAX_LINES - 1 + extra))
    kind, place = origins(source)(raised(source, 5))
    assert (kind, place == "`mean`") == ("ValueError", extra == 1)


def test_a_line_of_an_expression_counts_as_one_that_can_raise() -> None:
    source = "mean = lambda v: [\n" + ",\n".join(f"    v[{n}]" for n in range(MAX_LINES)) + "]"
    assert origins(source)(raised(source, 5)) == ("ValueError", "`mean`")


def test_the_lines_of_a_name_that_is_bound_often_count_together() -> None:
    source = "\n".join(["def mean(v): raise ValueError"] * (MAX_LINES + 1))
    assert origins(source)(raised(source, 5)) == ("ValueError", "`mean`")
    halves = ["\n".join([f"def mean(v): raise ValueError({n})"] * (MAX_LINES // 2 + 1)) for n in range(2)]
    assert origins(*halves)(raised(halves[0], 5)) == ("ValueError", "`mean`")


def test_a_method_is_named_if_the_exercise_asks_for_it() -> None:
    source = "class Stack:\n    def push(self, x): pass\n    def input_is_27(self): pass"
    tell = origins(MEAN, source)
    tell(raised(MEAN, 3))
    assert tell(raised(source, 2))[1] == "`Stack.push`"
    assert tell(raised(source, 3))[1] == "`Stack`"


def test_of_many_different_exceptions_only_some_are_told() -> None:
    kinds = [ValueError, TypeError, KeyError, IndexError, OSError, EOFError, NameError, AttributeError, RuntimeError]
    assert len(kinds) > MAX_TOLD
    tell = origins(MEAN)
    told = [tell(raised(MEAN, 3, kind=kind))[0] for kind in kinds]
    assert told == [kind.__name__ for kind in kinds[:MAX_TOLD]] + [ANYTHING] * (len(kinds) - MAX_TOLD)
    assert tell(raised(MEAN, 3))[0] == "ValueError", "one that was told before is told again"


def test_a_decorated_function_is_found_by_all_of_its_lines() -> None:
    source = f"@print\n{MEAN}"
    assert origins(source)(raised(source, 1))[1] == "cell 1, line 1: `@print`"


@pytest.mark.parametrize("source", ["def mean(v:\n    pass", "%%writefile x.py\ndef mean(v): pass", "(" * 300])
def test_a_cell_that_is_no_python_names_nothing(source: str) -> None:
    assert origins(source)(raised(source, 1)) == ("ValueError", "")


def test_the_names_asked_for_are_those_of_the_instructors_answers() -> None:
    exam = exam_of(
        (Role.FREE, "a = b = 1"), (Role.ANSWER, "class C:\n    def m(self): pass\nx: int = 1"), (Role.TEST, "y = 1")
    )
    assert asked_names(exam) == {"a", "b", "C", "C.m", "x"}
