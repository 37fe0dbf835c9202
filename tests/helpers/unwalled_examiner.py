"""Examines in processes without walls, for cells that one trusts: quick enough to be killed in every run of the tests."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from autograder.coordinator import submission_grading
from autograder.coordinator.pool import in_threads
from autograder.coordinator.submission_grading import ExaminerReply
from autograder.exchange.work import Endings, Work
from autograder.records.ending import EndedError, EndingKind, failed
from helpers import tiny

Misbehave = Callable[[Work], None]
"""What a process does before it examines."""

_processes: Any = multiprocessing.get_context("forkserver")


def well(work: Work) -> None:
    """Nothing."""


def _examine(work: Work, misbehave: Misbehave, report: Connection) -> None:
    misbehave(work)
    report.send_bytes(tiny.examine_here(work).outcome)


def examine(work: Work, misbehave: Misbehave = well) -> ExaminerReply:
    """Examine a submission in a process of its own."""
    _processes.set_forkserver_preload(["helpers.tiny"])
    receiver, sender = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_examine, args=(work, misbehave, sender), daemon=True)
    process.start()
    sender.close()
    with contextlib.suppress(EOFError):
        return ExaminerReply(receiver.recv_bytes())
    process.join()
    text = f"the process that examined it ended without an outcome (exit code {process.exitcode})"
    raise EndedError(failed(text, kind=EndingKind.LOST))


def in_unwalled_processes(due: Sequence[Work], workers: int, misbehave: Misbehave = well) -> Endings:
    """As :func:`autograder.coordinator.pool.in_processes` does."""
    grade = partial(submission_grading.attempt, examine=partial(examine, misbehave=misbehave))
    yield from in_threads(due, workers, grade)
