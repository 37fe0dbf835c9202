"""Failures of a test, located in its own lines while their exceptions are at hand."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from autograder.errors import TooOftenError
from autograder.examiner.remote.exceptions import is_interrupt
from autograder.examiner.wording import ExaminationTimeout
from autograder.records.failures import MAX_LINES, Failure, FailureKind

TEST_ENDED = "the time for this test ended here"
_KIT = f"{__name__.partition('.')[0]}."
_STARTER = "_pytest_run("
"""Beginning of the statement that starts a pytest function: the author has not written it."""
_MOST_LINE, _MOST_NOTE = 1000, 4000
_MOST_CHAIN = 20


def located(error: BaseException) -> list[Failure]:
    """Locate an exception that ended a test, with what led to it, in the order of a traceback."""
    chain = [error]
    while (before := _before(chain[0])) is not None and before not in chain and len(chain) < _MOST_CHAIN:
        chain.insert(0, before)
    return [_failure(one, leads_on=one is not error) for one in chain]


def note(text: str, kind: FailureKind = FailureKind.NOTE) -> list[Failure]:
    """Make a note of a text's lines; none of an empty text."""
    lines = tuple(line[:_MOST_LINE] for line in text[-_MOST_NOTE:].splitlines() if line.strip())[:MAX_LINES]
    return [Failure(0, "", lines, kind)] if lines else []


def _before(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _failure(error: BaseException, *, leads_on: bool) -> Failure:
    kind = _kind(error)
    try:
        number, code = _test_line(error)
        lines = tuple(line[:_MOST_LINE] for line in _words(error) if line.strip())[:MAX_LINES]
        return Failure(number, code[:_MOST_LINE], lines, kind, _type(error), leads_on)
    except Exception:  # an exception made by a student's code may fail to be shown
        return Failure(0, "", (type(error).__name__,), kind, type(error).__name__, leads_on)


def _test_line(error: BaseException) -> tuple[int, str]:
    """Return line and code of the test's statement through which an exception went."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("<test ")]
    own_frames = [frame for frame in frames if not (frame.line or "").startswith(_STARTER)]
    return next(((frame.lineno or 0, frame.line or "") for frame in own_frames or frames), (0, ""))


def _words(error: BaseException) -> Iterator[str]:
    """Yield the lines of an exception: its type and text, and its notes; of the kit's own, no type."""
    if type(error).__module__.startswith(_KIT):
        yield from (str(error) or TEST_ENDED).splitlines()
        return
    lines = "".join(traceback.format_exception_only(error)).splitlines()
    begins = next((index for index, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    yield from lines[begins:]


def _type(error: BaseException) -> str:
    kind = type(error)
    if kind.__module__.startswith(_KIT):
        return ""
    prefix = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    return f"{prefix}{kind.__qualname__}"


def _kind(error: BaseException) -> FailureKind:
    match error:
        case ExaminationTimeout():
            return FailureKind.STOPPED_TEST
        case TooOftenError():
            return FailureKind.CALLED_OFTEN
        case NameError():
            return FailureKind.UNBOUND
        case EOFError(args=("EOF when reading a line",)):  # the words of Python's input()
            return FailureKind.NO_INPUT
    return FailureKind.STOPPED_CALL if is_interrupt(error) else FailureKind.RAISED
