"""Log of a batch, for a person to read afterwards: how it began, each submission, how it ended.

Each line is written at once, so that the log of a killed batch shows what was done. Such a log has no last paragraph.
"""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TextIO

from autograder import __version__
from autograder._util.files import unwritable
from autograder._util.text import one_line
from autograder.coordinator import tally
from autograder.coordinator.batch import free_mib
from autograder.errors import Terminated
from autograder.exchange import result_json
from autograder.records.course import Course
from autograder.records.grade import Grade, NotGraded
from autograder.results.report.status_words import points

Again = Callable[[Sequence[str]], str]
"""A function that gives the command line to grade the remaining students; for none, the command as it was given."""

MAX_LOGS = 20
"""Number of logs that are kept for an assignment; a new one removes the oldest."""
MAX_REASON = 2000
"""Largest number of characters of the reason why a submission is not graded."""


class BatchLog:
    """The log of one batch, written within ``with``.

    Raises (at ``with``):
        HostError: the file cannot be written.
    """

    def __init__(self, course: Course, assignment: str, due: Sequence[str], *, again: Again, workers: int) -> None:
        """Make the log of a batch that grades the students in ``due``, in that order."""
        self.course, self.assignment, self.again, self.workers = course, assignment, again, workers
        self.due = tuple(due)
        self.done: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.path: Path | None = None
        """None before it is begun, and where nothing is due."""
        self._file: TextIO | None = None
        self._width = max((len(one_line(student, 40)) for student in due), default=0)

    def __enter__(self) -> BatchLog:
        began = datetime.now(UTC)
        self._began = time.monotonic()
        if not self.due:
            return self
        self.path, self._file = _create(folder(self.course, self.assignment), began)
        memory = free_mib()
        had = f", {memory / 1024:.1f} GiB of memory free" if memory is not None else ""
        cores = len(os.sched_getaffinity(0))
        self._write(
            f"autograder {__version__}: {one_line(self.assignment)}, course {one_line(self.course.course_id)}",
            f"began    {_moment(began)} in {one_line(str(self.course.root), 500)}",
            f"command  {one_line(self.again(()), MAX_REASON)}",
            f"machine  {one_line(platform.node())}: {cores} cores{had}, {platform.platform(terse=True)}, "
            f"Python {platform.python_version()}",
            f"to do    {len(self.due)} submissions, {self.workers or 'as many as a cluster takes'} at a time",
            "",
        )
        return self

    def advance(self, student: str, outcome: Grade | NotGraded) -> None:
        """Log one more submission as done."""
        self.counts[tally.status_of(outcome)] += 1
        if isinstance(outcome, Grade):
            self.done.add(student)
        self._write(f"{datetime.now(UTC):%H:%M:%S}  {one_line(student, 40):{self._width}}  {_summary(outcome)}")

    @property
    def left(self) -> tuple[str, ...]:
        """Students who have no grade of this batch yet."""
        return tuple(student for student in self.due if student not in self.done)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        how, more = "ended", []
        if error is not None:
            how = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
            more = [
                f"why      {one_line(_reason(error), MAX_REASON)}",
                f"continue {one_line(self.again(self.left), 100_000)}",
            ]
        seconds = time.monotonic() - self._began
        self._write(
            "",
            f"{how:8} {_moment(datetime.now(UTC))} after {seconds:.1f} s",
            f"counts   {tally.in_words(self.counts)}",
            *more,
        )
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _write(self, *lines: str) -> None:
        """Write and flush lines, for people who watch. A full disk costs the log its lines and the batch nothing."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()


def folder(course: Course, assignment: str) -> Path:
    """Return the folder of an assignment's batch logs; the logs of its submissions lie above it."""
    return course.state / "log" / assignment / "batches"


def _create(folder: Path, moment: datetime) -> tuple[Path, TextIO]:
    """Create a log, named by the time so that names sort like times; remove the oldest ones."""
    while (path := folder / f"{moment:%Y-%m-%dT%H%M%SZ}.log").exists():
        moment += timedelta(seconds=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        for outdated in sorted(folder.glob("*.log"))[:-MAX_LOGS]:
            outdated.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    return path, os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")


def _summary(outcome: Grade | NotGraded) -> str:
    if isinstance(outcome, NotGraded):
        return f"{tally.NOT_GRADED}: {one_line(outcome.reason, MAX_REASON)}"
    score = f"{points(outcome.score)} / {points(outcome.max_score)}"
    seconds = sum(book.wall_seconds for book in outcome.notebooks)
    peak = result_json.peak_memory(outcome)
    memory = f"{peak:.0f} MiB" if peak is not None else ""
    sandbox = ", ".join(sorted({book.sandbox for book in outcome.notebooks if book.sandbox}))
    return f"{score:>11}  {outcome.status:16}  {seconds:7.1f} s  {memory:>9}  {one_line(sandbox)}".rstrip()


def _reason(error: BaseException) -> str:
    if isinstance(error, Terminated):
        return "SIGTERM"
    if isinstance(error, KeyboardInterrupt):
        return "Ctrl-C"
    return type(error).__name__ + (f": {error}" if str(error) else "")


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
