"""Pool of submissions that are graded at the same time: a thread for each waits for the processes that work."""

from __future__ import annotations

import contextlib
import os
import queue
import resource
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import wait
from typing import Any

from autograder.coordinator.examiner import Examiners
from autograder.coordinator.recordings import are_kept
from autograder.coordinator.submission_grading import attempt
from autograder.coordinator.templates import Templates
from autograder.exchange.work import Endings, Work
from autograder.records.ending import Ending, EndingKind, failed

Grade = Callable[[Work], Ending]
"""A function that grades a submission, and returns how that ended; raises nothing."""
MAX_OPEN_FILES = 16_384
JOIN_SECONDS = 30.0
"""Seconds that stopped threads have to end their processes."""


class Pool:
    """A pool that grades submissions in threads of this process.

    Args:
        grade: grades one.
    """

    def __init__(self, grade: Grade) -> None:
        self._grade = grade
        self._threads: dict[str, threading.Thread] = {}
        self._done: queue.SimpleQueue[tuple[Work, Ending]] = queue.SimpleQueue()
        self._woken, self._wake = os.pipe()
        self._closing = threading.Lock()
        self._closed = False

    def __len__(self) -> int:
        return len(self._threads)

    def start(self, work: Work) -> None:
        """Start grading a submission."""
        thread = threading.Thread(target=self._run, args=(work,), name=f"grades {work.student}", daemon=True)
        thread.start()
        self._threads[str(work.submission)] = thread

    def _run(self, work: Work) -> None:
        ending = failed("its thread ended without saying why", kind=EndingKind.LOST)
        try:
            ending = self._grade(work)
        except BaseException as error:  # whatever it is, the pool must report the submission as ended
            ending = failed(f"{type(error).__name__}: {error}"[:1000])
        finally:
            self._done.put((work, ending))
            with self._closing:
                if not self._closed:
                    os.write(self._wake, b"1")

    def ended(self, timeout: float | None, also: Sequence[Any] = ()) -> Iterator[tuple[Work, Ending]]:
        """Yield each submission that has ended, with its ending.

        Waits at most ``timeout`` seconds for one to end, or for one of ``also`` (objects with a file descriptor) to
        become readable.
        """
        if self._woken not in wait([self._woken, *also], timeout):
            return
        for _ in os.read(self._woken, 4096):
            work, ending = self._done.get()
            self._threads.pop(str(work.submission)).join()
            yield work, ending

    def close(self) -> None:
        """Wait for the submissions that still run; the caller has stopped them."""
        deadline = time.monotonic() + JOIN_SECONDS
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        self._threads.clear()
        with self._closing:
            self._closed = True
            os.close(self._woken)
            os.close(self._wake)


class _StartedAhead(threading.local):
    """Templates that a thread started ahead, the newest last; those of another thread may close at any moment."""

    def __init__(self) -> None:
        self.templates: list[Templates] = []


_ahead = _StartedAhead()


@contextlib.contextmanager
def prestart_templates(due: Sequence[Work], *, warm: bool = True, force: bool = False) -> Iterator[Mapping[str, None]]:
    """Start the templates of :func:`in_processes` until the context ends; they import while the caller continues.

    Yields what they should have forked, and could not, as it comes to be known.

    Args:
        due: the submissions of one assignment that will be graded.
        warm: whether kernels are forked from a template.
        force: whether all are executed, without replay.
    """
    if not due:
        yield {}
        return
    executed = [work for work in due if force or not are_kept(work)]
    kernels = sum(len(work.exams) for work in executed) if warm else 0
    with Templates(due[0], submissions=len(due), kernels=kernels, executed=bool(executed)) as templates:
        _ahead.templates.append(templates)
        try:
            yield templates.cold
        finally:
            _ahead.templates.remove(templates)


def in_processes(due: Sequence[Work], workers: int, *, warm: bool = True) -> Endings:
    """Grade submissions of one assignment, ``workers`` at a time, in the given order.

    A process that dies, or outlives its deadline, becomes that submission's ending and affects no other. Closing the
    iterator ends every process that still runs.

    Yields:
        Each submission as it ends, with its ending; the folder shows whether it is graded.
    """
    if not due:
        return
    open_more_files()
    with contextlib.ExitStack() as stack:
        if not any(made.serves(due[0]) for made in _ahead.templates):
            stack.enter_context(prestart_templates(due, warm=warm, force=not all(work.replay_only for work in due)))
        templates = next(made for made in reversed(_ahead.templates) if made.serves(due[0]))
        executed = [work for work in due if not work.replay_only]
        if executed:
            templates.start_large()
            templates.expect_kernels(sum(len(work.exams) for work in executed) if warm else 0)
        examiners = Examiners(templates)
        yield from in_threads(due, workers, lambda work: attempt(work, examiners.examine), examiners.stop)


def open_more_files() -> None:
    """Raise the limit on open files: a submission takes some fifteen, and shells allow 1,024 by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def in_threads(due: Sequence[Work], workers: int, grade: Grade, stop: Callable[[], None] = lambda: None) -> Endings:
    """Grade submissions, ``workers`` at a time, in the given order; ``stop`` ends early what ``grade`` began."""
    with contextlib.closing(Pool(grade)) as pool, contextlib.ExitStack() as stack:
        stack.callback(stop)
        pending = deque(due)
        while pending or len(pool):
            while pending and len(pool) < max(1, workers):
                pool.start(pending.popleft())
            yield from pool.ended(timeout=1.0)
