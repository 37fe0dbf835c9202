"""Runs work in processes of its own, forked from one server that has imported what the examiner needs."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from autograder import servers, worker
from autograder.errors import HostError
from autograder.files import unwritable
from autograder.records import Exam
from autograder.text import bounded
from autograder.warm import ahead, templates
from autograder.worker import Work

Target = Callable[[Work, Connection], None]
"""What a process runs: gets the work and the pipe for its report (see :func:`worker.main`)."""

LOG_LINES = 12
"""How many of a log's last lines a reason quotes."""


@dataclass
class _Running:
    work: Work
    process: ForkServerProcess
    report: Connection
    deadline: float


def in_processes(
    due: Sequence[Work], workers: int, target: Target = worker.main, *, warm: bool = True
) -> Generator[tuple[Work, str], None, None]:
    """Do the work, ``workers`` at a time, in the given order; gives each work as it ends, with the reason why it did
    not succeed (empty: the process says that it did).

    A process that dies, or outlives its deadline, is that work's reason and nothing else's. Closing the iterator ends
    every process that still runs, and what it started.

    Raises:
        HostError: the server that processes are forked from can not be started.
    """
    if not due:
        return
    start_server(due, executed=not all(work.kept for work in due))
    with templates(due) if warm and target is worker.main else contextlib.nullcontext(lambda work: work) as warmed:
        yield from _in_turn([warmed(work) for work in due], workers, target)


def _in_turn(due: Sequence[Work], workers: int, target: Target) -> Generator[tuple[Work, str], None, None]:
    pending = list(reversed(due))
    large = _libraries(exams_of(due))
    with contextlib.closing(Pool(target, large, light=not large or all(work.kept for work in due))) as pool:
        while pending or len(pool):
            while pending and len(pool) < max(1, workers):
                pool.start(pending.pop())
            yield from pool.ended(timeout=1.0)


class Pool:
    """Processes that work, one for each work, forked from the servers that :func:`start_server` started.

    Args:
        target: what a process runs.
        large: the libraries that take long to import.
        light: begin without them; from the first one that needs them on, all have them.
    """

    def __init__(self, target: Target = worker.main, large: Sequence[str] = (), *, light: bool = False) -> None:
        self._target = target
        self._large = large
        self._light = light
        self._running: dict[Any, _Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Work) -> None:
        """Begin with ``work``.

        Raises:
            HostError: no process can be started.
        """
        started = _start(work, self._target, self._large, light=self._light)
        self._running[started.process.sentinel] = started

    def ended(self, timeout: float, also: Sequence[Any] = ()) -> Iterator[tuple[Work, str]]:
        """Each work that has ended, and the reason why it did not succeed (empty: it did).

        Waits ``timeout`` seconds at most for one to end, or for one of ``also`` (what has a file descriptor) to have
        something to read.
        """
        for ready in wait([*self._running, *also], timeout):
            if ready in self._running:
                ended = self._running.pop(ready)
                reason = _reason(ended)
                if reason == worker.LIBRARIES:
                    self._light = False  # what one of them needs, most of the others do
                    self.start(ended.work)
                else:
                    yield ended.work, reason
        for sentinel, late in list(self._running.items()):
            if time.monotonic() > late.deadline:
                del self._running[sentinel]
                _end(late)
                yield late.work, f"grading took longer than {late.work.seconds:g} s and was stopped" + _said(late)

    def close(self) -> None:
        """End every process that still runs, and what it started."""
        for left in self._running.values():
            _end(left)
        self._running.clear()


@contextlib.contextmanager
def starting(due: Sequence[Work], *, warm: bool = True, force: bool = False) -> Iterator[None]:
    """Start what :func:`in_processes` will need until the context ends, the templates of ``warm`` kernels among it: all
    of it imports at the same time, while the caller goes on. What kept runs may do without waits; ``force``: nobody
    will ask them."""
    executed = force or not any(_has_runs(work) for work in due)
    if due:
        start_server(due, executed=executed)
    with ahead(due) if warm and executed else contextlib.nullcontext():
        yield


def start_server(due: Sequence[Work], *, executed: bool) -> None:
    """Start the servers that processes are forked from, if they do not run yet; they import while the caller goes on.
    The one with the large libraries waits until somebody needs it where not all will be ``executed``.

    What libraries print while they are imported goes to the batch's log. To call this before a progress bar is on the
    screen keeps the bar whole: standard error points elsewhere for a moment.
    """
    with _standard_error_in(due[0].batch_log):
        servers.start_light()
    exams = exams_of(due)
    if executed and _libraries(exams):
        start_server_for(exams, due[0].batch_log)


def start_server_for(exams: Iterable[Exam], log: Path) -> None:
    """The one with the libraries that these exams import."""
    with _standard_error_in(log):
        servers.start_heavy(_libraries(exams))


def exams_of(due: Sequence[Work]) -> list[Exam]:
    """The exams of all works, each once."""
    return list({id(exam): exam for work in due for exam in work.exams}.values())


def _libraries(exams: Iterable[Exam]) -> list[str]:
    """Those that take long to import, and that not every process of the kit's has."""
    return [name for name in worker.heavy_modules(exams) if name != "numpy"]


def _has_runs(work: Work) -> bool:
    return work.runs is not None and work.runs.is_dir() and any(work.runs.iterdir())


@contextlib.contextmanager
def _standard_error_in(path: Path) -> Iterator[None]:
    """The server inherits descriptors 1 and 2 as they are when it is started."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error
    kept = {number: os.dup(number) for number in (1, 2) if _is_open(number)}
    try:
        for number in kept:
            os.dup2(log, number)
        yield
    finally:
        for number, original in kept.items():
            os.dup2(original, number)
            os.close(original)
        os.close(log)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _start(work: Work, target: Target, large: Sequence[str], *, light: bool) -> _Running:
    work.log.unlink(missing_ok=True)
    if not light and large:
        with _standard_error_in(work.batch_log):
            servers.start_heavy(large)
    elif large:
        target = partial(worker.without_libraries, target, large)
    receiver, sender = multiprocessing.get_context("forkserver").Pipe(duplex=False)
    process = servers.process(target, (work, sender), light=light)
    try:
        process.start()
    except (OSError, EOFError) as error:
        receiver.close()
        why = f"no process can be started ({type(error).__name__}: {error})"
        raise HostError(f"{why}; {work.batch_log} says{_tail(work.batch_log) or ' nothing'}") from error
    finally:
        sender.close()
    return _Running(work, process, receiver, time.monotonic() + work.seconds)


def _end(running: _Running) -> None:
    running.process.kill()
    running.process.join()
    running.report.close()


def _reason(ended: _Running) -> str:
    """Believe only a complete report."""
    ended.process.join()
    try:
        if ended.report.poll():
            reason = ended.report.recv_bytes(worker.MAX_REPORT).decode("utf-8", "replace")
            return reason if not reason.startswith(worker.FAULT) else reason.removeprefix(worker.FAULT) + _said(ended)
    except (EOFError, OSError):
        pass
    finally:
        ended.report.close()
    return f"the process that graded it ended without a report ({_exit(ended.process.exitcode)})" + _said(ended)


def _exit(code: int | None) -> str:
    # The server says 255 of a process whose end it did not see, because it was ended itself.
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _said(ended: _Running) -> str:
    """The last lines of the log, for people, with its place: the process's own, else the batch's."""
    for log in (ended.work.log, ended.work.batch_log):
        if tail := _tail(log):
            return f"; the last lines of {log}:{tail}"
    return f"; {ended.work.log} is empty"


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line.strip()][-LOG_LINES:]
    return "".join(f"\n  {bounded(line, 400)}" for line in lines)
