"""Test cases of otter-grader: each is run, compared with its expected text, and reported by itself.

The release of an otter notebook writes this vocabulary into its tests; people write
:mod:`autograder.check`. A case prints and shows what a cell of a notebook would: the text that its statements print,
and the value of the last one. A value is shown by :func:`~autograder.check.display.shows`, never by the student's code.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from autograder.check.display import plainly, shows
from autograder.check.results import report
from autograder.check.words import exception_name
from autograder.errors import CourseError, EmptyAnswerError, HostError, RemoteError
from autograder.records.checks import PUBLIC, RECORDED

MAX_DETAIL = 2_000
_SHOW = "_otter_show("
_NOTHING: Any = object()
_WRONG = "a hidden test found a wrong answer"


class case:
    """A test case: a block whose exceptions and outputs decide whether it passes.

    >>> with case("q1 - 1", shown="25") as show:                        # doctest: +SKIP
    ...     show(square(5))
    """

    def __init__(
        self,
        name: str,
        *,
        weight: float = 1.0,
        hidden: bool = False,
        printed: str | None = None,
        shown: str = "",
        success: str = "",
        failure: str = "",
    ) -> None:
        """Describe the case.

        Args:
            name: its name for people.
            weight: its share of the question's points.
            hidden: students do not have it: a message says nothing of what it expects.
            printed: the text that the block should print; None: it does not matter.
            shown: the text of the value that the block should show; empty: it shows none.
            success: what students read if it passes.
            failure: what students read if it fails.
        """
        self.name = f"{name} (hidden)" if hidden else name
        self.weight, self.hidden = weight, hidden
        self.printed, self.shown = printed, shown
        self.success, self.failure = success, failure
        self.output = io.StringIO()
        self.value: Any = _NOTHING
        self.streams = contextlib.ExitStack()

    def __enter__(self) -> Callable[[Any], None]:
        self.streams.enter_context(contextlib.redirect_stdout(self.output))
        self.streams.enter_context(contextlib.redirect_stderr(io.StringIO()))  # warnings, which no text expects
        return self.show

    def show(self, value: Any) -> None:
        """Take the value of the block's last statement."""
        self.value = value

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.streams.close()
        if error is not None and not _is_students(error):
            return False
        if isinstance(error, EmptyAnswerError):
            error.is_reported = True
        problem, detail = self._found() if error is None else (self._ended(error), _described(error))
        passed = not problem
        message = (self.success or "right") if passed else (self.failure or problem)
        for_instructor = detail[:MAX_DETAIL] or message
        evidence = {} if self.hidden else {PUBLIC: True}
        report(self.name, float(passed), message, weight=self.weight, detail=for_instructor, evidence=evidence)
        return True

    def _found(self) -> tuple[str, str]:
        """Return what is wrong with the outputs, for the student and for the instructor; empty if nothing is."""
        try:
            return self._problem()
        except Exception as error:  # the value is a handle, and showing itself failed
            if not _is_students(error):
                raise
            return self._ended(error), _described(error)

    def _problem(self) -> tuple[str, str]:
        if self.printed is None:
            return "", ""
        output = self.output.getvalue()
        if self.value is None and self.shown and output and not self.printed:  # otter does not tell them apart
            same = same_text(output, self.shown)
            return ("", "") if same else (self._expected(self.shown, "show"), self._both("printed", output, self.shown))
        if not same_text(output, self.printed):
            return self._expected(self.printed, "print"), self._both("printed", output, self.printed)
        value = None if self.value is _NOTHING else self.value
        if not shows(value, self.shown):
            return self._expected(self.shown, "show"), f"shows {_excerpt(value)}, expected {self.shown!r}"
        return "", ""

    def _both(self, verb: str, actual: str, expected: str) -> str:
        return f"{verb} {actual!r}, expected {expected!r}"

    def _expected(self, text: str, verb: str) -> str:
        """Say what a visible case expects; what it got is not said, as it may carry a hidden input."""
        if self.hidden:
            return _WRONG
        wanted = f"`{text.strip()[:200]}`" if text.strip() else "nothing"
        return f"it should {verb} {wanted}"

    def _ended(self, error: BaseException) -> str:
        if isinstance(error, RemoteError) and not hasattr(error, "remote"):
            return str(error)  # the kit's own words
        if hasattr(error, "remote"):
            return "your code raised an exception"
        if isinstance(error, NameError) and error.name and not self.hidden:
            return f"`{error.name}` is not defined"
        if isinstance(error, AssertionError):
            return _WRONG if self.hidden else "an assertion of the test failed"
        return f"the test failed: {exception_name(error)}"


class recorded_case(case):
    """A test case that says what its block prints and shows, and compares it with nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.streams.close()
        if error is not None:
            return super().__exit__(kind, error, trace)
        try:
            display = "" if self.value is _NOTHING or self.value is None else repr(self.value)
        except Exception as failure:  # the value is a handle, and showing itself failed
            return super().__exit__(type(failure), failure, failure.__traceback__)
        detail = json.dumps([self.output.getvalue(), display])
        report(self.name, 1.0, "recorded", detail=detail, evidence={RECORDED: True})
        return True


def given(look: Callable[[], Any], default: Any = None) -> Any:
    """Return a name's value, or ``default`` if the notebook does not define it."""
    try:
        return look()
    except NameError as error:
        if hasattr(error, "remote"):
            raise
        return default


def environment(**names: Callable[[], Any]) -> dict[str, Any]:
    """Return the notebook's values under the names that a test asks for; those that it lacks are not in it."""
    values = {name: given(look, _NOTHING) for name, look in names.items()}
    return {name: value for name, value in values.items() if value is not _NOTHING}


def _is_students(error: BaseException) -> bool:
    """Tell whether an exception is the answer's fault: not the test's, not this machine's, and no end of the test."""
    if hasattr(error, "remote"):
        return isinstance(error, Exception)
    tests_own = isinstance(error, HostError | CourseError | SyntaxError | ImportError)
    is_disk_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, Exception) and not tests_own and not is_disk_full


def _described(error: BaseException) -> str:
    """Return the exception and the test's statement, for the instructor."""
    try:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("<test ")]
        statement = f"{_as_written(frames[-1].line or '')}: " if frames else ""
        return statement + "".join(traceback.format_exception_only(type(error), error)).strip()
    except Exception:  # an exception made by a student's code may fail to be shown
        return type(error).__name__


def _as_written(line: str) -> str:
    """Return a statement of the test without the call that takes its value."""
    return line.removeprefix(_SHOW).removesuffix(")") if line.startswith(_SHOW) else line


def _excerpt(value: Any) -> str:
    try:
        return repr(value)[:500]
    except Exception:  # a handle asks the student's code
        return f"an object of type {type(value).__name__}"


def same_text(printed: str, expected: str) -> bool:
    """Compare printed text line by line, without blanks at the ends of lines and of the text."""
    printed_lines, expected_lines = (
        [line.rstrip() for line in plainly(text).rstrip().split("\n")] for text in (printed, expected)
    )
    return printed_lines == expected_lines
