"""Reasons why a proof fails, each with what to do."""

from __future__ import annotations

import itertools
import re

from autograder.errors import CourseError
from autograder.records.grade import Grade
from autograder.records.limits import TEST_SECONDS
from autograder.records.run import RunStatus
from autograder.results.failures import TRACEBACK, frames_in_test

_CHAINED = ("another exception occurred:", "the direct cause of the following exception:")
"""How the text ends between an exception and the one that followed from it."""
_LINE = re.compile(r"line \d+: ")
_REFUSED_IN_SQL = re.compile(r"^(.* is refused in SQL: .*)$", re.MULTILINE)
_COURSE_ERROR = f"{CourseError.__module__}.{CourseError.__qualname__}: "
_NO_ANSWER = "EOFError: EOF when reading a line"
"""How ``input()`` of an answer ends, where a test calls it."""
_LEND_INPUT = (
    "nobody answers input() where tests run: let the test answer, as in `with mock.patch('builtins.input', lambda "
    "prompt: '4'):`"
)
_READ_ONLY = "attempt to write a readonly database"
"""How SQLite ends in a released file that is too large to be copied for each notebook."""
_COPY_IT = (
    "a released file of this size is read-only where notebooks are graded: let the function write a file that its "
    "argument names, and let the test give it a copy, made by shutil.copyfile"
)
_STOPPED_CALL = "the code took too long and was stopped"
_STOPPED_TEST = "the time for this test ended here"
_CALLED_OFTEN = "your code took too long here"
"""How the examiner's detail tells that a call of the student's code, or a test, used up its time."""
_REMEDIES = {
    _NO_ANSWER: _LEND_INPUT,
    **dict.fromkeys((f"{kind}: {_READ_ONLY}" for kind in ("Exception", "sqlite3.OperationalError")), _COPY_IT),
    _STOPPED_CALL: (
        "a call has the time of a cell: let the test ask for less, or raise cell_seconds in `limits` of course.yaml"
    ),
    _STOPPED_TEST: (
        f"a test cell has {TEST_SECONDS:g} s of its own time, and no more than all of them have: let it ask for less, "
        "divide it, or raise examiner_seconds in `limits` of course.yaml"
    ),
}
"""Beginning of the message of an exception → what to do about it."""
_LIMITS = {
    RunStatus.TIMED_OUT: "cell_seconds or notebook_seconds",
    RunStatus.OUT_OF_MEMORY: "memory_mib",
    RunStatus.OUT_OF_CPU: "cpu_seconds",
    RunStatus.OUT_OF_PROCESSES: "processes",
    RunStatus.OUT_OF_DISK: "disk_mib",
    RunStatus.TOO_MUCH_OUTPUT: "output_mib",
}


def with_remedy(message: str, status: str) -> str:
    """Return why the solution was stopped; where a limit did it, with what to do about the limit."""
    limit = _LIMITS.get(RunStatus(status)) if status in set(RunStatus) else None
    todo = f"let the solution need less, or raise {limit} in `limits` of course.yaml" if limit else ""
    return f"{message.rstrip('.')}; {todo}" if todo else message


def was_stopped(grade: Grade) -> bool:
    """Return whether time ended the notebook, a call of its code, or a test."""
    ends = (_STOPPED_CALL, _STOPPED_TEST, _CALLED_OFTEN)
    details = [question.detail for book in grade.notebooks for question in book.questions]
    by_time = any(book.status in {RunStatus.TIMED_OUT, RunStatus.OUT_OF_CPU} for book in grade.notebooks)
    return by_time or any(end in detail for end in ends for detail in details)


def reason_of(detail: str) -> str:
    """Return the line of the test that ended it, and why; empty if the examiner's detail does not say.

    For example: ``line 2: assert f(1) == 3: AssertionError; f(1) is 2``.
    """
    if TRACEBACK not in detail:  # a test that ran in the kernel says no more than its line
        return detail.strip() if _LINE.match(detail) else ""
    tracebacks = detail[detail.find(TRACEBACK) :].split(f"\n{TRACEBACK}")
    chained = itertools.takewhile(lambda text: text.rstrip().endswith(_CHAINED), tracebacks)
    ended = tracebacks[min(len(list(chained)), len(tracebacks) - 1)]
    refused = _REFUSED_IN_SQL.search(detail)  # SQLite's own exception does not say which code was refused
    reason = _line_and_message(ended, refused[1] if refused else "")
    return reason if ended is tracebacks[0] else f"{reason}; after {_line_and_message(tracebacks[0])}"


def _line_and_message(traceback: str, message: str = "") -> str:
    lines = traceback.strip("\n").splitlines()
    in_test, after = frames_in_test(lines)
    position = next((f"line {number}: {code}: " for number, code in in_test), "")
    ending = lines[-2:] if after is lines else [line for line in after if not line.startswith(" ")]
    message = message or "; ".join(itertools.takewhile(bool, ending)).removeprefix(_COURSE_ERROR)
    message = "; ".join([message, *(todo for begin, todo in _REMEDIES.items() if message.startswith(begin))])
    return position + (message if len(message) <= 500 else message[:499] + "…")
