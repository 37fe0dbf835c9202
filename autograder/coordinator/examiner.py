"""One submission's examiner, from outside: started, given its task, lent kernels, read to its one outcome."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from autograder._util.plain_records import to_plain
from autograder.coordinator import kernels, recordings, staging
from autograder.coordinator.grading_sandboxes import kernel_sandbox
from autograder.coordinator.submission_grading import ExaminerReply
from autograder.coordinator.templates import Templates, examiner_limits
from autograder.errors import HostError, SandboxError
from autograder.exchange import outcome, outcome_reader, wire, work_layout
from autograder.exchange.outcome import Recording
from autograder.exchange.parcel import pack_unit
from autograder.exchange.work import Work, handed_in, hidden_paths, preload, top_names
from autograder.records.ending import EndedError, EndingKind, Whose, failed
from autograder.records.run import ATTEMPTS
from autograder.sandbox.base import Job, Process, Sandbox
from autograder.sandbox.kernel_job import kernel_job
from autograder.sandbox.sockets import close_all, start_listening
from autograder.sandbox.work_files import work_files

START_SECONDS = 300.0
"""Seconds that an examiner without a template may take to import everything, on a busy machine."""
END_SECONDS = 5.0
"""Seconds in which a process that has hung up is expected to end."""


class Examiners:
    """Examiners of one assignment's submissions, each a process in a sandbox of its own. Thread-safe.

    Args:
        templates: the templates that they are forked from.
    """

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End every examination at once, without an outcome."""
        self._stopped.set()

    def examine(self, work: Work) -> ExaminerReply:
        """Examine a submission.

        Raises:
            HostError: this machine cannot do it, or the process ended without an outcome.
        """
        sandbox, without = self._templates.examiner()
        reply = self._examine_once(work, sandbox, without)
        if without and outcome_reader.ending_kind(reply.outcome) == EndingKind.LIBRARIES:
            self._templates.start_large()
            reply = self._examine_once(work, *self._templates.examiner())
        return reply

    def _examine_once(self, work: Work, sandbox: Sandbox, without: list[str]) -> ExaminerReply:
        deadline = time.monotonic() + work.seconds
        recorded = recordings.load(work) if work.replay_only else tuple(Recording() for _ in work.exams)
        unit = pack_unit(work)
        job = replace(self._templates.examiner_job(), limits=examiner_limits(work))
        task = {
            "limits": to_plain(work.assignment.limits),
            "replay_only": work.replay_only,
            "record": work.runs is not None,
            "without": without,
        }
        with _own_files(work) as files, self._kernels(work, files) as lent:
            process, sockets = start_listening(
                sandbox, job, [work_layout.SOCKET], START_SECONDS, "The examiner's process"
            )
            with contextlib.ExitStack() as stack:
                stack.callback(_keep_log, work, process)
                stack.callback(close_all, sockets.values())
                stack.callback(process.close)
                try:
                    with contextlib.closing(_connect(sockets[work_layout.SOCKET])) as line:
                        go_on = wire.until(deadline, lambda: not self._stopped.is_set())
                        return ExaminerReply(serve(line, task, unit, recorded, lent, go_on), lent.first_lent)
                except (wire.Closed, ValueError, OverflowError) as error:
                    raise self._failure(work, process, error, deadline) from error

    def _kernels(self, work: Work, files: Mapping[str, Path]) -> kernels.Kernels:
        is_submitted = any((work.submission / f"{exam.notebook}.ipynb").is_file() for exam in work.exams)
        limit = 3 * ATTEMPTS * len(work.exams)
        return kernels.Kernels(
            partial(self._start_kernel, work, files),
            limit,
            ahead=is_submitted and not work.replay_only,
        )

    def _failure(self, work: Work, process: Process, error: Exception, deadline: float) -> HostError:
        """Return the error for an examiner without an outcome: what its process did may be the submission's doing."""
        if self._stopped.is_set():
            return HostError("the batch was stopped")
        if time.monotonic() > deadline:
            return EndedError(failed(f"grading took longer than {work.seconds:g} s and was stopped"))
        if isinstance(error, ValueError):
            return EndedError(failed(str(error)))
        ended = process.wait(END_SECONDS)
        if process.usage().out_of_memory:
            limit = work.assignment.limits.examiner_memory_mib
            text = (
                f"the process that examined it needed more than {limit} MiB of memory; a person should look at the "
                "submission, or raise examiner_memory_mib in the limits of course.yaml"
            )
            return EndedError(failed(text, Whose.SUBMISSION))
        how = f"exit status {ended}" if ended is not None else str(error)
        text = f"the process that examined it ended without an outcome ({how})"
        return EndedError(failed(text, kind=EndingKind.LOST))

    def _start_kernel(self, work: Work, student_files: Mapping[str, Path]) -> kernels.Lent:
        """Start a fresh kernel in a fresh sandbox: forked from the template, or started cold where that fails."""
        released = self._templates.staged.released
        released = {name: path for name, path in released.items() if name not in student_files}
        files = {**work_files(student_files), **work_files(released)}
        modules = self._templates.released_modules
        first = preload(work.assignment, modules)

        def describe(key: str) -> Job:
            return kernel_job(
                files,
                work.assignment.limits,
                key,
                python=work.assignment.environment,
                hidden_paths=hidden_paths(work),
                preload=first,
            )

        forks = self._templates.kernel_sandbox()
        if forks is not None and not {module.split(".")[0] for module in modules} & top_names(student_files):
            with contextlib.suppress(SandboxError):
                return kernels.start(forks, describe)
        return kernels.start(kernel_sandbox(work.assignment), describe)


def serve(
    line: wire.Line,
    task: Mapping[str, object],
    unit: bytes,
    recorded: tuple[Recording, ...],
    lent: kernels.Kernels,
    go_on: Callable[[], bool],
) -> bytes:
    """Send the task, answer requests, and return the outcome.

    Raises:
        Closed: the examiner has ended without an outcome, has sent an invalid message, or ``go_on`` returned False.
        ValueError: it has sent a request that is not allowed.
    """
    line.send_request(task)
    line.send_parcel(unit)
    for recording in recorded:
        line.send_parcel(recording.run or b"")
        line.send_parcel(recording.figures)
    while True:
        message, _ = line.receive(go_on)
        if isinstance(message, bytes):
            return message
        reply, descriptors = lent.answer(message)
        line.send_request(reply, descriptors)


def _connect(socket_descriptor: int) -> wire.Line:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"/proc/self/fd/{socket_descriptor}")
        connection.settimeout(wire.SEND_SECONDS)
    except OSError as error:
        connection.close()
        raise wire.Closed(str(error)) from error
    return wire.Line(connection, outcome.MAX_BYTES)


@contextlib.contextmanager
def _own_files(work: Work) -> Iterator[Mapping[str, Path]]:
    """Copy the student's further files into a folder whose name contains neither student nor course."""
    originals = handed_in(work)
    if not originals:
        yield {}
        return
    with staging.neutral_folder() as folder:
        copies = {name: folder / str(number) for number, name in enumerate(originals)}
        for name, copy in copies.items():
            shutil.copyfile(originals[name], copy, follow_symlinks=False)
        yield copies


def _keep_log(work: Work, process: Process) -> None:
    """Save the output of the process's libraries, and the traceback of a fault, in the submission's log."""
    text = process.stderr()
    with contextlib.suppress(OSError):
        work.log.unlink(missing_ok=True)
        if text:
            work.log.parent.mkdir(parents=True, exist_ok=True)
            work.log.touch(mode=0o600)
            work.log.write_text(text, "utf-8", "replace")
