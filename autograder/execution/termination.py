"""The limit that ended a kernel, and the sentence that says so: what was reached, and how much was allowed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from autograder.errors import SandboxError
from autograder.records.limits import Limits
from autograder.records.run import RunStatus

if TYPE_CHECKING:
    from autograder.sandbox.base import Process, Usage

_NO_PROCESS = ("BlockingIOError: [Errno 11]", "RuntimeError: can't start new thread")
_NO_ROOM = ("OSError: [Errno 28]", "OSError: [Errno 27]")
"""How the error of a cell begins if it names the limit: EAGAIN of fork, ENOSPC of a folder, EFBIG of one file."""

Stop = tuple[RunStatus, str]
"""How a run ended, and a sentence for the student."""


def output_limit(limits: Limits) -> Stop:
    """Describe the end of a notebook that printed too much."""
    return RunStatus.TOO_MUCH_OUTPUT, f"The notebook printed more than {limits.output_mib:g} MiB and was stopped."


def cpu_limit(limits: Limits) -> Stop:
    """Describe the end of a notebook that used too much processor time."""
    most = f"{limits.most_cpu_seconds:g} s of processor time"
    return RunStatus.OUT_OF_CPU, f"The notebook used more than {most} and was stopped."


def message_limit(mib: int) -> Stop:
    """Describe the end of a kernel that sent too much."""
    sent = f"more than {mib:,} MiB, more than any answer holds"
    return RunStatus.TOO_MUCH_OUTPUT, f"The notebook's kernel sent {sent}, and was stopped."


def reached_limit(used: Usage, error: str, refused: int) -> RunStatus | None:
    """Find the limit that a cell which raised ``error`` ran into.

    The sandbox's counts come first, then the cell's error: a folder may have room again by now.

    Args:
        used: what the sandbox's process has used.
        error: the cell's error, as ``Name: text``.
        refused: how many processes had been refused before the cell.
    """
    if used.processes_refused > refused or error.startswith(_NO_PROCESS):
        return RunStatus.OUT_OF_PROCESSES
    return RunStatus.OUT_OF_DISK if used.disk_full or error.startswith(_NO_ROOM) else None


def cause_of_death(process: Process, limits: Limits) -> Stop:
    """Find why a sandbox's process, or its connection, ended.

    Raises:
        SandboxError: the machine had no memory left, which is not the notebook's failure.
    """
    if process.usage().host_full:
        raise SandboxError(
            "this machine had no memory left, and the system killed the notebook, which was within its limit; "
            "grade with fewer --workers, or end other programs that need memory"
        )
    if process.usage().out_of_memory:
        most = f"{limits.memory_mib} MiB of memory"
        return RunStatus.OUT_OF_MEMORY, f"The notebook used more than {most} and was stopped."
    # A connection ends a moment before the process does.
    until = time.monotonic() + 0.5
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    if process.poll() is None:
        return output_limit(limits)
    used = process.usage()
    if used.cpu_seconds > limits.most_cpu_seconds:
        return cpu_limit(limits)
    if used.processes_refused:
        most = f"{limits.processes} processes and threads"
        return RunStatus.OUT_OF_PROCESSES, f"The notebook ended where it needed more than {most}."
    return RunStatus.KILLED, "The notebook's kernel ended while a cell was running."
