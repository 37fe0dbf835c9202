"""Cases of otter's tests: whose fault an exception is, and what is said of it."""

from __future__ import annotations

import errno

import pytest

from autograder import check
from autograder.check.cases import case, environment, given
from autograder.errors import CourseError, HostError, RemoteError


class OfTheStudent(ValueError):
    remote = "the kernel says so"


def outcome(error: BaseException | None = None, **options):
    with check.recording() as results, case("c", **options):
        if error is not None:
            raise error
    return results[0]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OfTheStudent("secret"), "your code raised an exception"),
        (AssertionError("secret"), "an assertion of the test failed"),
        (ZeroDivisionError("secret"), "the test failed: ZeroDivisionError"),
        (NameError("secret", name="x"), "`x` is not defined"),
        (RemoteError("the kernel has ended"), "the kernel has ended"),
    ],
)
def test_an_exception_of_the_answers_fails_the_case(error, message) -> None:
    assert (outcome(error).fraction, outcome(error).message) == (0.0, message)


def test_a_hidden_case_says_nothing_of_what_it_asks() -> None:
    for error in (AssertionError("secret"), NameError("secret", name="secret")):
        assert "secret" not in outcome(error, hidden=True).message
    assert outcome(hidden=True, printed="secret").message == "a hidden test found a wrong answer"


@pytest.mark.parametrize(
    "error",
    [
        CourseError("the test's"),
        SyntaxError("the test's"),
        ImportError("the test's"),
        HostError("this machine's"),
        OSError(errno.ENOSPC, "no space"),
        KeyboardInterrupt(),
    ],
)
def test_an_exception_that_is_not_the_answers_goes_on(error) -> None:
    with check.recording() as results, pytest.raises(type(error)), case("c"):
        raise error
    assert not results


def test_names_that_the_notebook_lacks() -> None:
    names: dict[str, int] = {}
    assert given(lambda: undefined) is None  # noqa: F821
    assert environment(x=lambda: 1, y=lambda: undefined) == {"x": 1}  # noqa: F821
    with pytest.raises(KeyError):
        given(lambda: names["x"])


def test_warnings_are_no_output() -> None:
    import sys

    with check.recording() as results, case("c", printed=""):
        sys.stderr.write("a warning")
    assert results[0].fraction == 1
