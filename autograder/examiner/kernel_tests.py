"""Test cells that are marked to run in the student's kernel, after the last cell.

What such a test says is a claim of the student's process, which can read the test and give itself its points. Nothing
else rests on it: names that it binds stay in the kernel, and no other test goes there.
"""

from __future__ import annotations

import builtins
import contextlib
import io
from typing import Any

from autograder.check.words import sentence
from autograder.errors import HostError, LostError
from autograder.examiner.points import finite_number
from autograder.examiner.remote.proxy import Remote
from autograder.execution.allowance import Allowance
from autograder.execution.capture import Capture
from autograder.records.exam import ExamCell
from autograder.records.failures import Failure

KernelEnd = tuple[float | None, str, str, tuple[Failure, ...]]
MAX_DETAIL = 20_000
_PYTHONS = frozenset(
    n for n, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
)


def run_in_kernel(cell: ExamCell, capture: Capture, remote: Remote, limit: Allowance) -> KernelEnd:
    """Run a marked test cell.

    Returns:
        The points that it ends in (NaN: it states none; None: it failed), the message for the student, and the detail
        and the failures for the instructor.

    Raises:
        HostError: this machine is at fault.
    """
    remote.ending = None
    remote.callbacks.forget()
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            remote.enter(capture.snapshot)
            answer = remote.ask("run_test", cell.in_kernel, timeout=max(0.1, limit.left()))
    except HostError:
        raise
    except Exception as error:  # the student's code decides what the kernel answers or raises
        lost = sentence(str(error)) if isinstance(error, LostError) else _FAILED
        return None, lost, f"{type(error).__name__}: {str(error)[:MAX_DETAIL]}", ()
    detail = printed.getvalue()[:MAX_DETAIL]
    if type(answer) is not dict or answer.get("passed") is not True:
        return None, _message(answer, cell), f"{detail}\n{_error(answer)}".strip()[-MAX_DETAIL:], _failures(answer)
    points = finite_number(answer.get("points"))
    return float("nan") if points is None else points, "", detail, ()


_FAILED = "A test that runs in your notebook's kernel failed."


def _message(answer: Any, cell: ExamCell) -> str:
    """Return the message: the line if students have it, and the name of one of Python's own exceptions.

    Another name could be a hidden input of another test, which the student's code has met before.
    """
    error = answer.get("error") if type(answer) is dict else None
    name = error.get("name") if type(error) is dict else None
    of_python = type(name) is str and name in _PYTHONS and name != "AssertionError"
    number = answer.get("line") if type(answer) is dict else None
    lines = cell.in_kernel.splitlines()
    line = lines[number - 1].strip() if type(number) is int and 0 < number <= len(lines) else ""
    if line and line in {text.strip() for text in cell.released.splitlines()}:
        return f"Failed at `{line[:200]}`" + (f": {name}." if of_python else ".")
    return f"{_FAILED[:-1]}: {name}." if of_python else _FAILED


def _error(answer: Any) -> str:
    error = answer.get("error") if type(answer) is dict else None
    if type(error) is not dict:
        return "the kernel gave no readable answer"
    return f"line {answer.get('line')}: {error.get('name')}: {error.get('text')}"


def _failures(answer: Any) -> tuple[Failure, ...]:
    """Locate the failure that the kernel claims."""
    error = answer.get("error") if type(answer) is dict else None
    line = answer.get("line") if type(answer) is dict else None
    if type(error) is not dict or type(line) is not int or not 0 < line < _MAX_LINE:
        return ()
    name, text = str(error.get("name"))[:_MAX_CLAIM], str(error.get("text"))[:_MAX_CLAIM]
    return (Failure(line, "", (f"{name}: {text}",), type=name if name in _PYTHONS else ""),)


_MAX_CLAIM, _MAX_LINE = 1000, 10**6
