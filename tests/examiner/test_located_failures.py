"""Failures of a test as data: where, of which type, and what was said; no words of a traceback are read for it."""

from __future__ import annotations

import pytest
from helpers.examination import outcome

from autograder.errors import TooOftenError
from autograder.examiner.located_failures import located
from autograder.examiner.remote.exceptions import rebuilt_exception
from autograder.examiner.wording import ExaminationTimeout
from autograder.records.failures import MAX_CHARACTERS, MAX_FAILURES, Failure, FailureKind, cut, size


def found(answer: str, test: str) -> list[Failure]:
    return list(outcome(answer, test).failures)


def test_each_failed_statement_has_its_line_its_code_and_the_values() -> None:
    first, second = found("def f(n): return n", "assert f(1) == 1\nassert f(1) == 2\nassert f(3) == 4")
    assert (first.line, first.code, first.type) == (2, "assert f(1) == 2", "AssertionError")
    assert first.said == ("AssertionError", "f(1) is 1")
    assert (second.line, second.said[-1]) == (3, "f(3) is 3")


@pytest.mark.parametrize(
    ("answer", "kind", "name"),
    [
        ("return 1 / 0", FailureKind.RAISED, "ZeroDivisionError"),
        ("raise EOFError('EOF when reading a line')", FailureKind.NO_INPUT, "EOFError"),
        ("raise EOFError('Ran out of input')", FailureKind.RAISED, "EOFError"),
        ("return nothing", FailureKind.UNBOUND, "NameError"),
        ("raise ValueError('the code took too long and was stopped')", FailureKind.RAISED, "ValueError"),
        ("raise ValueError('x\\nNameError: name ')", FailureKind.RAISED, "ValueError"),
    ],
)
def test_the_kind_follows_from_the_exception_and_never_from_its_words(
    answer: str, kind: FailureKind, name: str
) -> None:
    failure = found(f"def f(n):\n    {answer}", "assert f(1) == 2")[-1]
    assert (failure.kind, failure.type) == (kind, name)
    assert (failure.line, failure.code) == (1, "assert f(1) == 2")


def test_the_end_of_time_and_of_patience_is_told_by_its_exception() -> None:
    interrupted = rebuilt_exception({"classes": ["KeyboardInterrupt"]})
    kinds = [located(error)[0].kind for error in (interrupted, ExaminationTimeout(), TooOftenError("words"))]
    assert kinds == [FailureKind.STOPPED_CALL, FailureKind.STOPPED_TEST, FailureKind.CALLED_OFTEN]


def test_what_an_exception_followed_from_comes_before_it() -> None:
    test = "try:\n    assert f(1) == 2\nexcept AssertionError:\n    raise ValueError('worse')"
    first, last = found("def f(n): return n", test)
    assert (first.line, first.type, first.leads_on) == (2, "AssertionError", True)
    assert (last.line, last.type, last.leads_on) == (4, "ValueError", False)


def test_lines_of_libraries_are_not_the_tests_and_what_it_printed_is_a_note() -> None:
    test = "import numpy.testing as npt\nprint('seen')\nnpt.assert_equal(f(1), 2)"
    note, failure = found("def f(n): return n", test)
    assert (note.kind, note.said) == (FailureKind.NOTE, ("seen",))
    assert (failure.line, failure.code) == (3, "npt.assert_equal(f(1), 2)")
    assert "Items are not equal:" in failure.said


def test_much_that_a_test_printed_hides_no_failure() -> None:
    test = "for n in range(200):\n    print(str(n) * 200)\nassert f(1) == 3"
    note, failure = cut(tuple(found("def f(n): return n", test)))
    assert note.kind is FailureKind.NOTE
    assert failure.code == "assert f(1) == 3"


@pytest.mark.parametrize("text", ["x" * 10**6, "x\n" * 10**5, "\ud800", ""])
def test_whatever_a_students_exception_says_stays_within_bounds(text: str) -> None:
    failures = cut(tuple(found(f"def f(n): raise ValueError({text!r})", "assert f(1) == 2\n" * 300)))
    assert 0 < len(failures) <= MAX_FAILURES
    assert sum(map(size, failures)) <= MAX_CHARACTERS
