"""Main function of an examiner: it receives one submission, grades it, and sends one outcome.

    coordinator ──task, unit, recordings──▶ here ──requests for kernels, then one outcome──▶ coordinator

This process holds hidden tests and hidden data, and receives everything that a student's code sends. So it is trusted
with no more than that one submission's grade, see :mod:`autograder.exchange.outcome_writer`.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from autograder._util import libraries
from autograder._util.plain_records import from_plain
from autograder.errors import AutograderError, BusyError
from autograder.examination.attempt import Conditions
from autograder.examination.kernel_source import RecordingBytes, ReplayMiss, kernel_source
from autograder.examination.lent_kernel import CoordinatorClient, lent_kernel
from autograder.examination.notebook_grading import GradedNotebook, grade_notebook
from autograder.examination.shown_cells import shown_cells
from autograder.examiner.memory_limit import limit_memory
from autograder.exchange import outcome_writer
from autograder.exchange.annotated_notebook import ShownCell, sources_for_people
from autograder.exchange.parcel import Common, unpack_unit
from autograder.exchange.rendering import render
from autograder.exchange.wire import Closed, Line
from autograder.exchange.work import Work, handed_in, shared_files, test_libraries
from autograder.exchange.work_layout import SOCKET_PATH, UNIT
from autograder.execution.notebook_run import Kernel
from autograder.models.computing_process import computing_apart
from autograder.records.ending import EndingKind
from autograder.records.exam import Exam
from autograder.records.limits import Limits
from autograder.sandbox.base import located
from autograder.syntax.course_modules import TESTS

MAX_PARCEL_BYTES = 1 << 31
"""Largest parcel from the coordinator, which sends only its own data."""


def main() -> None:
    """Serve one coordinator, then exit."""
    faulthandler.enable()  # a library that crashes leaves its stack in the log
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        socket_path = located(SOCKET_PATH)
        listening.bind(socket_path)
        Path(socket_path).chmod(0o666)
        listening.listen(4)
        line, task = _first_task(listening)
    from autograder.examination.common import common, load_networks, speed_up

    assert common is not None
    limits = from_plain(Limits, task["limits"])
    common = replace(common, assignment=replace(common.assignment, limits=limits))
    unit = _parcel(line)
    stored = [RecordingBytes(_parcel(line), _parcel(line)) for _ in common.exams]
    recorded: list[RecordingBytes | None] = [record if task["record"] is True else None for record in stored]
    _import_libraries(common, task["without"])
    speed_up(common)
    load_networks()
    libraries.do_without(task["without"])
    client = CoordinatorClient(line)
    start = partial(lent_kernel, client, limits)
    with computing_apart(limit_memory):  # from here on, this process may read hidden data
        client.send_outcome(examined(common, unit, recorded, start, replay_only=task["replay_only"] is True))
    os._exit(0)  # without waiting for threads of the libraries


def _import_libraries(common: Common, without: Sequence[str]) -> None:
    """Import the libraries of the tests before anything of a student's arrives, unless a template has done so."""
    if without:
        return
    for name in test_libraries(common.exams, common.modules):
        with contextlib.suppress(Exception, SystemExit):  # the test says what is wrong
            importlib.import_module(name)


def _first_task(listening: socket.socket) -> tuple[Line, dict[str, Any]]:
    """Wait for a connection over which a task comes; a connection that is only tried and closed is skipped."""
    while True:
        connection, _ = listening.accept()
        line = Line(connection, MAX_PARCEL_BYTES, takes_descriptors=True)
        with contextlib.suppress(Closed):
            task, _ = line.receive()
            if isinstance(task, dict):
                return line, task
        line.close()


def _parcel(line: Line) -> bytes:
    content, _ = line.receive()
    assert isinstance(content, bytes)
    return content


def examined(
    common: Common,
    unit: bytes,
    recorded: Sequence[RecordingBytes | None],
    start: Callable[[], Kernel],
    *,
    replay_only: bool,
    folder: Path | None = None,
) -> bytes:
    """Grade a submission.

    Args:
        common: the data that all submissions of the batch share.
        unit: the parcel of the submission.
        recorded: the recording of each notebook; a new one is stored in it, too.
        start: starts a kernel.
        replay_only: grade by replay alone.
        folder: a folder to make, for the submission's files; None: the usual one.

    Returns:
        The outcome, see :mod:`autograder.exchange.outcome_writer`.
    """
    folder = folder or Path(located(UNIT))
    try:
        folder.mkdir(parents=True)
        work = unpack_unit(unit, common, folder)
        graded = _graded(work, recorded, start, replay_only=replay_only)
    except (Exception, SystemExit) as error:  # nothing but an outcome may end this process with status 0
        return outcome_writer.ended(*_ending(error))
    if libraries.wanted():
        return outcome_writer.ended(*_UNIMPORTED)
    observations = [one.observations for one in graded] if work.observe else None
    recordings = [None if record is None else record.new() for record in recorded]
    return outcome_writer.pack(
        [one.grade for one in graded], _shown_cells(common.exams, graded), recordings, observations
    )


def _shown_cells(exams: Sequence[Exam], graded: Sequence[GradedNotebook]) -> list[Sequence[ShownCell] | None]:
    """Make the cells of each annotated notebook, rendered within bounds."""
    cells_by_notebook = [() if one.ran is None else shown_cells(*one.ran) for one in graded]
    sources = [
        sources_for_people(exam, cells) if cells else [] for exam, cells in zip(exams, cells_by_notebook, strict=True)
    ]
    return [
        [replace(cell, rendered=html) for cell, html in zip(cells, rendered, strict=True)] or None
        for cells, rendered in zip(cells_by_notebook, render(sources), strict=True)
    ]


def _graded(
    work: Work,
    recorded: Sequence[RecordingBytes | None],
    start: Callable[[], Kernel],
    *,
    replay_only: bool,
) -> list[GradedNotebook]:
    conditions = Conditions(
        start,
        work.assignment.limits,
        work.hidden,
        shared=shared_files(work),
        handed_in=handed_in(work),
        tests=work.modules[0] / TESTS,
        settings=work.assignment.settings,
        observe=work.observe,
    )
    sys.path[:0] = map(str, work.modules)
    graded: list[GradedNotebook] = []
    earlier: Mapping[str, bytes] = {}
    try:
        for exam, record in zip(work.exams, recorded, strict=True):
            chosen = replace(
                conditions,
                kernel_source=kernel_source(start, record, replay_only=replay_only),
                earlier=earlier,
                is_followed=exam is not work.exams[-1],
            )
            source = work.submission / f"{exam.notebook}.ipynb"
            graded.append(grade_notebook(exam, source, chosen, work.assignment.decimals))
            earlier = earlier if graded[-1].ran is None else graded[-1].left
        return graded
    finally:
        del sys.path[: len(work.modules)]


_UNIMPORTED = EndingKind.LIBRARIES, "its examiner cannot import what the tests need"


def _ending(error: BaseException) -> tuple[EndingKind, str]:
    """Return the kind and the text of the ending for an exception."""
    if libraries.wanted():
        return _UNIMPORTED
    if isinstance(error, ReplayMiss):
        return EndingKind.UNRECORDED, "its recording does not answer all that the tests ask now"
    if isinstance(error, AutograderError):
        kind = EndingKind.BUSY if isinstance(error, BusyError) else EndingKind.FAILED
        return kind, str(error) or type(error).__name__
    traceback.print_exception(error)
    return EndingKind.FAULT, f"{type(error).__name__}: {error}"
