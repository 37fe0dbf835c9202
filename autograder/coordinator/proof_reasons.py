"""Reasons why a proof fails, each with what to do."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.records.failures import NOTES, Failure, FailureKind
from autograder.records.grade import Grade
from autograder.records.limits import TEST_SECONDS
from autograder.records.run import RunStatus

_LEND_INPUT = (
    "nobody answers input() where tests run: let the test answer, as in `with mock.patch('builtins.input', lambda "
    "prompt: '4'):`"
)
_READ_ONLY = {f"{kind}: attempt to write a readonly database" for kind in ("Exception", "sqlite3.OperationalError")}
"""How SQLite ends in a released file that is too large to be copied for each notebook."""
_COPY_IT = (
    "a released file of this size is read-only where notebooks are graded: let the function write a file that its "
    "argument names, and let the test give it a copy, made by shutil.copyfile"
)
_REMEDIES = {
    FailureKind.NO_INPUT: _LEND_INPUT,
    FailureKind.STOPPED_CALL: (
        "a call has the time of a cell: let the test ask for less, or raise cell_seconds in `limits` of course.yaml"
    ),
    FailureKind.STOPPED_TEST: (
        f"a test cell has {TEST_SECONDS:g} s of its own time, and no more than all of them have: let it ask for less, "
        "divide it, or raise examiner_seconds in `limits` of course.yaml"
    ),
}
"""What ended a test → what to do about it."""
_BY_TIME = {FailureKind.STOPPED_CALL, FailureKind.STOPPED_TEST, FailureKind.CALLED_OFTEN}
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
    ended = {failure.kind for book in grade.notebooks for question in book.questions for failure in question.failures}
    by_time = any(book.status in {RunStatus.TIMED_OUT, RunStatus.OUT_OF_CPU} for book in grade.notebooks)
    return by_time or not _BY_TIME.isdisjoint(ended)


def reason_of(failures: Sequence[Failure]) -> str:
    """Return the line of the test that ended it, and why; empty if there is none.

    For example: ``line 2: assert f(1) == 3: AssertionError; f(1) is 2``.
    """
    located = [failure for failure in failures if failure.kind not in NOTES]
    if not located:
        return ""
    ended = next((failure for failure in located if not failure.leads_on), located[-1])
    reason = _line_and_message(ended)
    return reason if ended is located[0] else f"{reason}; after {_line_and_message(located[0])}"


def _line_and_message(failure: Failure) -> str:
    position = "".join([f"line {failure.line}: " if failure.line else "", f"{failure.code}: " if failure.code else ""])
    lines = [line for line in failure.said if not line.startswith(" ")]
    remedy = _REMEDIES.get(failure.kind, "") if _READ_ONLY.isdisjoint(lines) else _COPY_IT
    message = "; ".join([*lines, *filter(None, [remedy])])
    return position + (message if len(message) <= 500 else message[:499] + "…")
