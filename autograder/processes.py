"""Runs work in processes of its own, forked from one server that has imported what the examiner needs."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import sys
import time
from collections import deque
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
from autograder.forks import Process
from autograder.grade import read_tests
from autograder.records import Exam
from autograder.sandbox.base import computing_alike
from autograder.text import bounded
from autograder.traceless import traceless
from autograder.warm import ahead, templates
from autograder.waves import has_runs
from autograder.worker import Work

Target = Callable[[Work, Connection], None]
"""What a process runs: gets the work and the pipe for its report (see :func:`worker.main`)."""

LOG_LINES = 12
"""How many of a log's last lines a reason quotes."""


PORTION = 32
"""Of works whose tests leave nothing behind, at most so many are done by one process, one after the other."""


@dataclass
class _Running:
    works: deque[Work]
    """What it has not reported of; the first of them is in hand."""
    process: ForkServerProcess | Process
    report: Connection
    deadline: float
    several: bool
    """It runs :func:`worker.several`."""
    reported: int = 0


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
    workers = max(1, workers)
    kept = all(work.kept for work in due)
    together = kept and target is worker.main and _leave_nothing(due)
    pending = deque(_portions(due, min(PORTION, math.ceil(len(due) / workers)) if together else 1))
    large = _libraries(exams_of(due))
    with contextlib.closing(Pool(target, large, light=not large or kept)) as pool:
        while pending or len(pool):
            while pending and len(pool) < workers:
                pool.start(*pending.popleft())
            yield from pool.ended(timeout=1.0)
            pending.extendleft(reversed(pool.left_over()))


def _leave_nothing(due: Sequence[Work]) -> bool:
    """Whether all that is run of the course's when these are graded leaves nothing behind in its process."""
    return all(work.assignment.late.kind != "plugin" for work in due) and traceless(exams_of(due))


def _portions(due: Sequence[Work], size: int) -> Iterator[Sequence[Work]]:
    return (due[start : start + size] for start in range(0, len(due), size))


class Pool:
    """Processes that work, forked from the servers that :func:`start_server` started.

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
        self._left: list[Sequence[Work]] = []

    def __len__(self) -> int:
        return len(self._running)

    def start(self, *works: Work) -> None:
        """Begin with a work; or with several, which one process does by :func:`worker.several` while it may do without
        the large libraries.

        Raises:
            HostError: no process can be started.
        """
        if not self._light:
            self._leave_each(works[1:])
            works = works[:1]
        started = _start(works, self._target, self._large, light=self._light)
        self._running[started.process.sentinel] = started

    def ended(self, timeout: float, also: Sequence[Any] = ()) -> Iterator[tuple[Work, str]]:
        """Each work that has ended, and the reason why it did not succeed (empty: it did).

        Waits ``timeout`` seconds at most for one to end, or for one of ``also`` (what has a file descriptor) to have
        something to read.
        """
        reports = {one.report: one for one in self._running.values() if one.several}
        for ready in wait([*self._running, *reports, *also], timeout):
            if ready in reports:
                yield from self._reported(reports[ready])
            elif ready in self._running:
                ended = self._running.pop(ready)
                yield from self._stopped(ended) if ended.several else self._ended(ended)
        for sentinel, late in list(self._running.items()):
            if time.monotonic() > late.deadline:
                del self._running[sentinel]
                _end(late)
                if late.works:
                    work = late.works.popleft()
                    yield work, f"grading took longer than {work.seconds:g} s and was stopped" + _said(work)
                    self._left.append(tuple(late.works))

    def left_over(self) -> list[Sequence[Work]]:
        """What was to be done with others, and has to be begun again because of them. It is handed out once."""
        left, self._left = self._left, []
        return [works for works in left if works]

    def _leave_each(self, works: Iterable[Work]) -> None:
        self._left += [(work,) for work in works]

    def _ended(self, ended: _Running) -> Iterator[tuple[Work, str]]:
        reason = _reason(ended)
        if reason == worker.LIBRARIES:
            self._light = False  # what one of them needs, most of the others do
            self.start(ended.works[0])
        else:
            yield ended.works[0], reason

    def _reported(self, one: _Running) -> Iterator[tuple[Work, str]]:
        """What a process has said of the first of its works, if it is the last word on it."""
        with contextlib.suppress(EOFError, OSError):
            while one.works and one.report.poll():
                reason = _received(one.report)
                if reason == worker.LIBRARIES:
                    self._light = False
                    self._leave_each(one.works)
                    one.works.clear()
                    return
                work = one.works.popleft()
                one.reported += 1
                one.deadline = time.monotonic() + work.seconds
                yield work, _with_log(reason, work)

    def _stopped(self, one: _Running) -> Iterator[tuple[Work, str]]:
        """Whoever was in hand when a process died is begun again alone, and the others without them."""
        one.process.join()
        yield from self._reported(one)
        one.report.close()
        alone = 1 if one.process.exitcode or not one.reported else 0
        works = list(one.works)
        self._left += [tuple(works[:alone]), tuple(works[alone:])]

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
    executed = force or not any(has_runs(work) for work in due)
    if due:
        start_server(due, executed=executed)
    with ahead(due) if warm and executed else contextlib.nullcontext():
        yield


def start_server(due: Sequence[Work], *, executed: bool) -> None:
    """Start the servers that processes are forked from, if they do not run yet; they import while the caller goes on.
    The one with the large libraries waits until somebody needs it where not all will be ``executed``; the one without
    is a copy of this process where it can be, which has imported everything.

    What libraries print while they are imported goes to the batch's log. To call this before a progress bar is on the
    screen keeps the bar whole: standard error points elsewhere for a moment.
    """
    exams = exams_of(due)
    if executed and _libraries(exams):
        start_server_for(exams, due[0].batch_log, _threads(due[0]))
    for exam in exams:
        read_tests(exam)
    with _for_servers(due[0].batch_log, _threads(due[0])):
        if not servers.start_copy(exams, unwanted=worker.HEAVY[1:], kernels=executed):
            servers.start_light()


def stop_server() -> None:
    """End the one that is a copy of this process: what is known here changes from one batch to the next."""
    servers.stop_copy()


def start_server_for(exams: Iterable[Exam], log: Path, threads: int) -> None:
    """The one with the libraries that these exams import, which compute with so many threads."""
    with _for_servers(log, threads):
        servers.start_heavy(_libraries(exams))


def exams_of(due: Sequence[Work]) -> list[Exam]:
    """The exams of all works, each once."""
    return list({id(exam): exam for work in due for exam in work.exams}.values())


def _libraries(exams: Iterable[Exam]) -> list[str]:
    """Those that take long to import, and that not every process of the kit's has."""
    return [name for name in worker.heavy_modules(exams) if name != "numpy"]


def _threads(work: Work) -> int:
    return work.assignment.limits.threads


@contextlib.contextmanager
def _for_servers(log: Path, threads: int) -> Iterator[None]:
    """What a server inherits when it is started: where its errors go, and how many threads compute."""
    with _standard_error_in(log), computing_alike(threads):
        yield


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
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
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


def _start(works: Sequence[Work], target: Target, large: Sequence[str], *, light: bool) -> _Running:
    first, several = works[0], len(works) > 1
    for work in works:
        work.log.unlink(missing_ok=True)
    run: Callable[..., Any] = worker.several if several else target
    if not light and large:
        with _for_servers(first.batch_log, _threads(first)):
            servers.start_heavy(large)
    elif large:
        run = partial(worker.without_libraries, run, large)
    receiver, sender = multiprocessing.get_context("forkserver").Pipe(duplex=False)
    try:
        process = _process(run, tuple(works) if several else first, sender, first, light=light)
    except (OSError, EOFError) as error:
        receiver.close()
        why = f"no process can be started ({type(error).__name__}: {error})"
        raise HostError(f"{why}; {first.batch_log} says{_tail(first.batch_log) or ' nothing'}") from error
    finally:
        sender.close()
    return _Running(deque(works), process, receiver, time.monotonic() + first.seconds, several)


def _process(run: Callable[..., object], args: object, report: Connection, first: Work, *, light: bool) -> Any:
    process = servers.process(run, (args,), report, light=light)
    try:
        process.start()
    except (OSError, EOFError):
        if not (light and servers.copy_is_gone()):
            raise
        servers.stop_copy()
        with _for_servers(first.batch_log, _threads(first)):
            servers.start_light()
        process = servers.process(run, (args,), report, light=light)
        process.start()
    return process


def _end(running: _Running) -> None:
    running.process.kill()
    running.process.join()
    running.report.close()


def _reason(ended: _Running) -> str:
    """Believe only a complete report."""
    ended.process.join()
    work = ended.works[0]
    try:
        if ended.report.poll():
            return _with_log(_received(ended.report), work)
    except (EOFError, OSError):
        pass
    finally:
        ended.report.close()
    return f"the process that graded it ended without a report ({_exit(ended.process.exitcode)})" + _said(work)


def _received(report: Connection) -> str:
    return report.recv_bytes(worker.MAX_REPORT).decode("utf-8", "replace")


def _with_log(reason: str, work: Work) -> str:
    return reason if not reason.startswith(worker.FAULT) else reason.removeprefix(worker.FAULT) + _said(work)


def _exit(code: int | None) -> str:
    # The server says 255 of a process whose end it did not see, because it was ended itself.
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _said(work: Work) -> str:
    """The last lines of the log, for people, with its place: the process's own, else the batch's."""
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
