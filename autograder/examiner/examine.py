"""Runs the test cells of one notebook, outside, after the student's last cell has ended."""

from __future__ import annotations

import ast
import contextlib
import io
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from autograder import check
from autograder.errors import CourseError
from autograder.examiner.names import Vocabulary
from autograder.examiner.namespace import Answers, Capture, Namespace, TooLarge
from autograder.examiner.remote import LostError, RemoteError
from autograder.records import CheckResult, ExamCell, Outcome, shortcomings

MAX_DETAIL = 20_000


class ExaminationTimeout(BaseException):
    """A test cell ran past its time; no ``except Exception`` of the cell's swallows it."""


@dataclass(frozen=True)
class Examined:
    """What came of one test cell."""

    fraction: float
    """The share of the points earned, 0 to 1."""
    outcome: Outcome
    message: str
    detail: str
    checks: tuple[CheckResult, ...] = ()


def examine(
    cells: Sequence[tuple[ExamCell, Capture | None]],
    known: Vocabulary,
    answers: Answers,
    hidden: Path | None,
    seconds: float = 120.0,
    total_seconds: float = 300.0,
) -> list[Examined]:
    """Run test cells in order, each on what was captured at its position.

    Args:
        cells: the TEST cells and their captures; None where the run never got to the cell.
        known: whose the names are.
        answers: turns captures into objects.
        hidden: the assignment's folder of hidden data.
        seconds: wall clock of one test cell.
        total_seconds: wall clock of all of them: answers that are slow one by one hold up nobody else for long.
    """
    namespace = Namespace(known, answers)
    deadline = time.monotonic() + total_seconds
    examined = []
    for cell, capture in cells:
        left = max(0.01, deadline - time.monotonic())
        examined.append(_examine_cell(cell, capture, namespace, hidden, min(seconds, left)))
    return examined


def _examine_cell(
    cell: ExamCell, capture: Capture | None, namespace: Namespace, hidden: Path | None, seconds: float
) -> Examined:
    if capture is None:
        return Examined(0.0, Outcome.SKIPPED, "The notebook stopped before it got here.", "no capture")
    try:
        body, last = _compiled(cell)
    except SyntaxError as error:
        return _broken(f"the test is not Python: {error}")
    printed = io.StringIO()
    value: Any = None
    raised: BaseException | None = None
    prepared = False
    with (
        check.recording() as results,
        check.serving_hidden_data(hidden) if hidden else contextlib.nullcontext(),
        check.asking_kernel(namespace.answers.remote),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        try:
            with _time_limit(seconds):
                namespace.prepare(cell.source, capture)
                prepared = True
                exec(body, namespace)
                value = eval(last, namespace) if last else None
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            raised = error
    if raised is not None and not prepared:
        return _unprepared(raised, cell)
    with contextlib.suppress(Exception):
        namespace.close()
    detail = printed.getvalue()[:MAX_DETAIL]
    if raised is not None:
        return _failed(raised, cell, tuple(results), detail)
    return _passed(value, cell, tuple(results), detail)


def _unprepared(error: BaseException, cell: ExamCell) -> Examined:
    """The names of the cell could not be filled in: the student's doing where it came from their answers."""
    if isinstance(error, TooLarge):
        return Examined(0.0, Outcome.FAILED, _sentence(str(error)), str(error))
    if isinstance(error, RemoteError | ExaminationTimeout) or hasattr(error, "remote"):
        return Examined(0.0, Outcome.FAILED, _explain(error, cell), _trace(error))
    return _broken(_trace(error))


def _trace(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))[-MAX_DETAIL:]
    except Exception:  # an exception that a student's code made can be one that can not be shown
        return type(error).__name__


def _compiled(cell: ExamCell) -> tuple[CodeType, CodeType | None]:
    """The cell's statements, and its last expression where it ends in one."""
    tree = ast.parse(cell.source)
    name = _file_name(cell)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), name, "eval")  # type: ignore[attr-defined]
    return compile(tree, name, "exec"), last


def _file_name(cell: ExamCell) -> str:
    return f"<test {cell.grade_id}>"


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises :class:`ExaminationTimeout` in the main thread after ``seconds`` of wall clock, and again each second:
    an event loop may swallow the first."""
    running = True

    def expire(signum: int, frame: FrameType | None) -> None:
        if running:
            raise ExaminationTimeout

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _passed(value: Any, cell: ExamCell, checks: tuple[CheckResult, ...], detail: str) -> Examined:
    """The cell ran to its end: checks decide, else a number that it ends in, else it is passed."""
    if any(c.outcome is Outcome.BROKEN for c in checks):
        return Examined(0.0, Outcome.BROKEN, _BROKEN, detail, checks)
    if checks:
        fraction = check.score(checks, 1.0)
        return Examined(fraction, _outcome(fraction), shortcomings(checks), detail, checks)
    points = _number(value)
    if points is None:
        return Examined(1.0, Outcome.PASSED, "", detail)
    fraction = min(1.0, max(0.0, points / cell.points)) if cell.points else 1.0
    return Examined(fraction, _outcome(fraction), "", detail)


def _number(value: Any) -> float | None:
    """The points that a cell's last expression states: a finite number of an exact type, as nbgrader reads it."""
    if type(value) in (int, float):
        return float(value) if value == value else 0.0
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and value.dtype.kind in "iuf":
        return float(value) if value == value else 0.0
    return None


def _outcome(fraction: float) -> Outcome:
    if fraction >= 1.0:
        return Outcome.PASSED
    return Outcome.PARTIAL if fraction > 0 else Outcome.FAILED


_BROKEN = "This test could not be run; a person will look at it."


def _broken(detail: str) -> Examined:
    return Examined(0.0, Outcome.BROKEN, _BROKEN, detail[-MAX_DETAIL:])


def _failed(error: BaseException, cell: ExamCell, checks: tuple[CheckResult, ...], printed: str) -> Examined:
    """An exception ends the cell with 0. What the student reads depends on where it came from."""
    detail = f"{printed}\n{_trace(error)}".strip()
    if isinstance(error, CourseError | SyntaxError | ImportError) and not hasattr(error, "remote"):
        return Examined(0.0, Outcome.BROKEN, _BROKEN, detail, checks)
    return Examined(0.0, Outcome.FAILED, _explain(error, cell), detail, checks)


def _explain(error: BaseException, cell: ExamCell) -> str:
    """A message that quotes a test only where the student has that line anyway.

    The exception's own text is never shown: it may carry a hidden input, be it the test's words or the student's code
    telling what it was called with.
    """
    if isinstance(error, ExaminationTimeout):
        return "Checking this answer took too long and was stopped."
    if isinstance(error, LostError):
        return _sentence(str(error))
    if isinstance(error, NameError) and not hasattr(error, "remote") and error.name:
        return f"`{error.name}` is not defined."
    by_student = hasattr(error, "remote")
    if isinstance(error, RemoteError) and not by_student:
        return _sentence(str(error))
    kind = "an exception" if isinstance(error, RemoteError) else type(error).__name__
    by = f"your code raised {kind}" if by_student else kind
    line = _line(error, cell)
    if line and line in {text.strip() for text in cell.released.splitlines()}:
        return f"Failed at `{line[:200]}`" + ("." if isinstance(error, AssertionError) else f": {by}.")
    if isinstance(error, AssertionError) and not by_student:
        return "A hidden test found a wrong answer."
    return f"A hidden test failed: {by}."


def _line(error: BaseException, cell: ExamCell) -> str:
    """The test's line that was running when the exception passed through it."""
    number = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == _file_name(cell):
            number = number if number and frame.f_code.co_name != "<module>" else line
    lines = cell.source.splitlines()
    return lines[number - 1].strip() if number and number <= len(lines) else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
