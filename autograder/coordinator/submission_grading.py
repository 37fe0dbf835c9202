"""Grading of one submission, the unit of work of a batch: one submission in, one folder out.

The submission's tests run in a process behind a wall. Their outcome is read as strictly as messages of a kernel;
then ``autograded/<student>/<assignment>/`` is written aside and renamed as the last act. Only that folder shows
that a submission was graded.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder._util.files import fill, replace_folder, unwritable
from autograder._util.text import bounded
from autograder.coordinator import observation, recordings
from autograder.coordinator.locks import LockedError
from autograder.course.late_policy import Penalty, late_penalty
from autograder.errors import AutograderError, CourseError, HostError, SandboxError, SubmissionError
from autograder.exchange import outcome_reader, result_json
from autograder.exchange.work import Work, read_stamp, versions
from autograder.records.dates import TIMESTAMP
from autograder.records.ending import GRADED, EndedError, Ending, EndingKind, Whose, failed
from autograder.records.grade import Grade, NotebookGrade, StepTimes
from autograder.term.student_dates import deadline


@dataclass(frozen=True)
class ExaminerReply:
    """What an examiner sent."""

    outcome: bytes
    """See :mod:`autograder.exchange.outcome`."""
    lent: datetime | None = None
    """When it got its first kernel; None if it needed none."""


Examine = Callable[[Work], ExaminerReply]
"""A function that examines a submission; it raises :class:`HostError`."""
LOG_LINES = 12
"""Number of a log's last lines that a reason quotes."""
_DISK_FULL = "53100"
"""PostgreSQL's code for a full disk."""
MAX_REASON = 4000
"""Largest number of characters of a reason, without its excerpt of a log."""
_policy_lock = threading.Lock()
"""Lock for calls of the course's own late policy, which was not written for threads."""


def grade_submission(work: Work, examine: Examine) -> Grade:
    """Grade one submission and write its folder.

    Raises:
        HostError: this machine cannot do it; nothing is written.
        CourseError: the course's own late policy failed; nothing is written.
        EndedError: the examiner reports why there is no grade, or that it needs a kernel; nothing is written.
    """
    begun = datetime.now(UTC)
    with _policy_lock:
        penalty = penalty_of(work)
    reply = examine(work)
    examined = datetime.now(UTC)
    try:
        verified = outcome_reader.read(reply.outcome, work.exams)
    except ValueError as error:
        raise HostError(f"the outcome of the process that examined it is refused: {error}") from error
    with _policy_lock:
        lost = penalty(work.student, [book.score for book in verified.notebooks])
    grade = Grade(
        student=work.student,
        assignment=work.assignment.name,
        notebooks=verified.notebooks,
        late_penalty=round(lost, work.assignment.decimals),
        submitted_at=work.submitted_at,
        graded_at=datetime.now(UTC),
        times=StepTimes(begun, reply.lent, _executed(reply.lent, verified.notebooks, examined), examined),
        versions=versions(),
        content_keys=work.content_keys,
        dates=work.dates,
        said=work.said,
    )
    recordings.save(work, verified.recordings)
    if work.observe:
        observation.write(work, verified.observations)
    write_grade(work, grade, verified.texts)
    return grade


def _executed(lent: datetime | None, notebooks: Sequence[NotebookGrade], examined: datetime) -> datetime | None:
    """Reckon when the last cell had run: the seconds of the notebooks' runs after the first kernel was lent.

    The tests of one notebook run before the next notebook, so of several it is too early.
    """
    seconds = sum(book.wall_seconds for book in notebooks if not book.replayed)
    return None if lent is None or not seconds else min(lent + timedelta(seconds=seconds), examined)


def penalty_of(work: Work) -> Penalty:
    """Choose the function that computes a submission's late penalty, by the student's own dates."""
    dates = work.dates
    if dates is None:
        return late_penalty(work.course, work.assignment, work.submitted_at)
    if dates.excused:
        return lambda student, scores: 0.0
    if dates.closed:
        return lambda student, scores: max(0.0, sum(scores))
    return late_penalty(work.course, replace(work.assignment, due=deadline(dates)), work.submitted_at)


def attempt(work: Work, examine: Examine, grade: Callable[[Work, Examine], Grade] = grade_submission) -> Ending:
    """Grade a submission, and return how that ended.

    If the kit itself is at fault, the traceback is in the log.
    """
    try:
        grade(work, examine)
    except Exception as error:
        return ending_of(error, work)
    return GRADED


def ending_of(error: Exception, work: Work | None = None) -> Ending:
    """Return the ending for an exception; whose fault it is follows from its class, and never from its words.

    The machine is at fault where its disk is full or its walls do not hold. Whatever else the system refuses may come
    of a submission's bytes, so its tries are counted; an examiner's word is no more.

    Args:
        error: the exception.
        work: the submission, if its processes wrote a log: the text quotes it where the kit is at fault.
    """
    text = bounded(str(error), MAX_REASON) or type(error).__name__
    match error:
        case EndedError(ending=Ending(kind=EndingKind.FAULT)) if work is not None:
            return replace(error.ending, text=text + _log_excerpt(work))
        case EndedError():
            return error.ending
        case _ if is_full(error):
            return failed(text, Whose.HOST, EndingKind.NO_SPACE)
        case CourseError():
            return failed(text, Whose.COURSE)
        case SubmissionError():
            return failed(text, Whose.SUBMISSION)
        case LockedError() | SandboxError():
            return failed(text, Whose.HOST)
        case _ if _is_database_away(error):
            return failed(text, Whose.HOST)
        case AutograderError() | OSError():
            return failed(text)
    text = bounded(f"{type(error).__name__}: {error}", MAX_REASON)
    if work is None:
        return failed(text)
    with contextlib.suppress(OSError):
        work.log.parent.mkdir(parents=True, exist_ok=True)
        with work.log.open("a") as log:
            traceback.print_exception(error, file=log)
    return failed(text + _log_excerpt(work))


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error, or what it came of, is that of a full disk: the system's, SQLite's or PostgreSQL's."""
    return any(
        (isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT))
        or _sqlite_code(link) == sqlite3.SQLITE_FULL
        or getattr(link, "sqlstate", "") == _DISK_FULL
        for link in _chain(error)
    )


def _is_database_away(error: BaseException) -> bool:
    """Tell whether a database's file is locked by others or cannot be reached."""
    away = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR)
    return any(_sqlite_code(link) in away for link in _chain(error))


def _sqlite_code(error: BaseException) -> int | None:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF if isinstance(error, sqlite3.Error) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came of; nbgrader raises anew without a cause."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def write_grade(work: Work, grade: Grade, notebooks: Mapping[str, str]) -> None:
    """Write a grade into its place: the instructor's details, and the folder as the last act.

    Args:
        work: says where.
        grade: the grade.
        notebooks: name without ``.ipynb`` → text of the annotated notebook, for those that ran.

    Raises:
        HostError: it cannot be written.
    """
    try:
        _write(work, grade, notebooks)
    except OSError as error:
        raise unwritable(work.scratch, error) from error


def _write(work: Work, grade: Grade, notebooks: Mapping[str, str]) -> None:
    work.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work.scratch, ignore_cleanup_errors=True) as aside:
        folder = Path(aside) / "new"
        folder.mkdir()
        files: dict[str, bytes | str] = {f"{name}.ipynb": text for name, text in notebooks.items()}
        if (stamp := read_stamp(work.submission)) is not None:
            files[TIMESTAMP] = stamp
        fill(folder, files | {result_json.NAME: result_json.dumps(result_json.public(grade))})
        result_json.write(work.details, grade)
        replace_folder(folder, work.target)


def _log_excerpt(work: Work) -> str:
    """Quote the last lines of the process's log, else of the batch's, with its path."""
    for log in (work.log, work.batch_log):
        if tail := _tail(log):
            return f"; the last lines of {log}:{tail}"
    return f"; {work.log} is empty"


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line.strip()][-LOG_LINES:]
    return "".join(f"\n  {bounded(line, 400)}" for line in lines)
