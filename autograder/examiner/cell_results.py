"""Results of test cells: how a cell's statements ended, as points, words and a reason to wait."""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograder import check
from autograder.check.results import CheckRecorder, bonus_points, share
from autograder.codec import CodecError
from autograder.errors import CourseError, RemoteError, TooOftenError, UnreadError
from autograder.examiner.located_failures import TEST_ENDED, located, note
from autograder.examiner.namespace import TooLarge
from autograder.examiner.points import NoNumber, stated_points
from autograder.examiner.undecided import differing_types, is_of_time, missing_method, why_undecided
from autograder.examiner.wording import ExaminationTimeout, Wording
from autograder.execution.capture import Capture
from autograder.execution.captured_files import TooManyFiles
from autograder.records.checks import CheckResult, Outcome, shortcomings
from autograder.records.exam import ExamCell
from autograder.records.failures import Failure, FailureKind
from autograder.records.mistakes import ModelMistakes
from autograder.records.waits import Waits

_KIT = str(Path(check.__file__).parents[1]) + "/"
MAX_DETAIL = 20_000
_AT_END = "Objects of the notebook's kernel were as at its end, and not as at this cell: "


@dataclass(frozen=True)
class Examined:
    """The result of one test cell."""

    fraction: float
    """Share of the points that was earned, 0 to 1."""
    outcome: Outcome
    message: str
    detail: str
    checks: tuple[CheckResult, ...] = ()
    bonus: float = 0.0
    """Points beyond the cell's own."""
    waits: Waits | None = None
    """Why a person has to decide, unless it passed; None: nobody has."""
    unmet: bool = False
    """Whether the test requires another one that did not earn enough."""
    unbound: str = ""
    """The name that the test lacked, if a missing name of its own made it fail."""
    hidden_from: int | None = None
    """Number of checks before the test asked for hidden data; None: it did not."""
    stated: bool = False
    """Whether the test stated its points, any number of them."""
    raised: bool = False
    """Whether the student's code raised an exception in it."""
    mistakes: tuple[ModelMistakes, ...] = ()
    """What models get wrong, by the predictions of its checks."""
    failures: tuple[Failure, ...] = ()
    """What ended its statements, for the instructor."""
    seconds: float = field(default=0.0, compare=False)
    """Own time of the test, with the student's code that it called."""

    @property
    def undecided(self) -> bool:
        """Whether something of the answer can neither be examined nor be called wrong."""
        return self.waits not in (None, Waits.BROKEN)


def with_state(result: Examined, cell: ExamCell, capture: Capture | None, *, died: bool) -> Examined:
    """Tell the instructor where a test saw objects as they are at the notebook's end, not at its cell."""
    if capture is None or not (capture.objects or cell.in_kernel) or not (died or capture.unfrozen):
        return result
    reason = "the copy of the kernel from there died" if died else capture.unfrozen
    noted = (*note(reason, FailureKind.AT_END), *result.failures)
    return replace(result, detail=f"{_AT_END}{reason}.\n{result.detail}".strip()[:MAX_DETAIL], failures=noted)


def for_a_person(result: Examined, reason: str = "") -> Examined:
    """Let a person decide about a test; the teacher reads why."""
    waits = result.waits or Waits.UNDECIDED
    message = result.message if result.undecided else f"{result.message}\n{Waits.UNDECIDED.sentence}".strip()
    detail = f"{result.detail[: MAX_DETAIL - len(reason) - 1]}\n{reason}".strip()
    return replace(result, waits=waits, message=message, detail=detail, failures=(*result.failures, *note(reason)))


def with_fraction(result: Examined, fraction: float) -> Examined:
    """Return the result with fewer points, and without the checks that gave more."""
    return replace(result, fraction=fraction, outcome=outcome_of(fraction), checks=(), bonus=0.0)


def unprepared(error: BaseException, cell: ExamCell, wording: Wording) -> Examined:
    """Return the result of a cell whose names could not be filled in.

    The student is responsible if the failure came from the answers, otherwise the test is broken.
    """
    if isinstance(error, TooLarge | TooManyFiles | UnreadError):
        waits = why_undecided([error])
        message = "\n".join([wording.sentence(error), *([waits.sentence] if waits else [])])
        return Examined(0.0, Outcome.FAILED, message, str(error), waits=waits)
    failures = tuple(located(error))
    if isinstance(error, RemoteError | ExaminationTimeout) or hasattr(error, "remote"):
        return Examined(0.0, Outcome.FAILED, wording.of([error], cell), _trace(error), failures=failures)
    return broken(_trace(error), failures=failures)


def passed(value: Any, cell: ExamCell, results: CheckRecorder, detail: str) -> Examined:
    """Return the result of a cell that ran to its end.

    Checks decide; without checks a number at its end decides; otherwise the cell is passed.
    """
    checks = tuple(results)
    if any(c.outcome is Outcome.BROKEN for c in checks):
        return broken(detail, checks)
    waits = why_undecided([], checks)
    if results.unmet:
        message = "\n".join([*results.unmet, shortcomings(checks)]).strip()
        return Examined(0.0, Outcome.FAILED, message, detail, checks, waits=waits, unmet=True)
    if checks:
        try:
            fraction = share(checks)
        except CourseError as error:
            return broken(str(error))
        bonus = bonus_points(checks)
        return Examined(fraction, outcome_of(fraction), shortcomings(checks), detail, checks, bonus, waits)
    try:
        points = stated_points(value, cell.source)
    except NoNumber:
        return Examined(0.0, Outcome.FAILED, "The points of this test did not come to a number.", detail)
    if points is None:
        return Examined(1.0, Outcome.PASSED, "", detail)
    fraction = min(1.0, max(0.0, points / cell.points)) if cell.points else 1.0
    return Examined(fraction, outcome_of(fraction), "", detail, stated=True)


def failed(
    errors: Sequence[BaseException], cell: ExamCell, checks: tuple[CheckResult, ...], printed: str, wording: Wording
) -> Examined:
    """Return the result of a cell that an exception ended: 0 points, and a message that depends on its origin."""
    notes = [printed, *filter(None, [*map(missing_method, errors), *map(differing_types, errors)])]
    detail = "\n".join([*notes, *map(_trace, errors)]).strip()[-MAX_DETAIL:]
    failures = (*note("\n".join(notes)), *itertools.chain.from_iterable(map(located, errors)))
    first = errors[0]
    if isinstance(first, CourseError | SyntaxError | ImportError) and not hasattr(first, "remote"):
        return broken(detail, checks, failures)
    unbound = (isinstance(first, NameError) and not hasattr(first, "remote") and first.name) or ""
    timed = is_of_time(errors, cell.source)
    is_slow = timed or any(isinstance(error, TooOftenError) for error in errors)
    waits = Waits.SLOW if is_slow else why_undecided(errors, checks)
    message = "\n".join([wording.of(errors, cell), *([waits.sentence] if waits else [])])
    result = Examined(0.0, Outcome.FAILED, message, detail, checks, waits=waits, unbound=unbound)
    return replace(result, failures=failures, raised=any(hasattr(error, "remote") for error in errors))


def broken(detail: str, checks: tuple[CheckResult, ...] = (), failures: tuple[Failure, ...] = ()) -> Examined:
    """Make the result of a test that is at fault itself."""
    waits, detail = Waits.BROKEN, detail[-MAX_DETAIL:]
    return Examined(0.0, Outcome.BROKEN, waits.sentence, detail, checks, waits=waits, failures=failures)


def outcome_of(fraction: float) -> Outcome:
    """Return the outcome of a share of the points."""
    if fraction >= 1.0:
        return Outcome.PASSED
    return Outcome.PARTIAL if fraction > 0 else Outcome.FAILED


def _trace(error: BaseException) -> str:
    """Return the traceback from the test's own line on.

    The kit's own lines are left out if the kit refused something or the student's code raised the exception.
    """
    begin = error.__traceback__
    while begin is not None and not begin.tb_frame.f_code.co_filename.startswith("<test "):
        begin = begin.tb_next
    try:
        trace = traceback.TracebackException(type(error), error, begin or error.__traceback__)
        if isinstance(error, RemoteError | CodecError | CourseError | ExaminationTimeout) or hasattr(error, "remote"):
            frames = [frame for frame in trace.stack or () if not frame.filename.startswith(_KIT)]
            trace.stack = traceback.StackSummary.from_list(frames) if frames else trace.stack
        lines = list(trace.format())
        if type(error).__module__.startswith("autograder."):  # its class is the kit's own affair
            count = len(list(trace.format_exception_only()))  # with its notes
            lines[-count] = f"{error}\n" if str(error) else f"{TEST_ENDED}\n"
        return "".join(lines)[-MAX_DETAIL:]
    except Exception:  # an exception made by a student's code may fail to be shown
        return type(error).__name__
