"""Sockets that a process inside a sandbox listens on, opened from outside before any student's code runs.

Each socket is opened once, without following links. Later connections through the descriptor reach that very socket,
even if the student has put something else in its place.
"""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox.base import SOCKETS, Job, Process, Sandbox

LOOK_SECONDS = 0.002


def start_listening(
    sandbox: Sandbox, job: Job, names: Sequence[str], seconds: float, subject: str
) -> tuple[Process, dict[str, int]]:
    """Start a job that listens on sockets in :data:`~autograder.sandbox.base.SOCKETS`; wait until it does.

    Args:
        sandbox: where to start it.
        job: what to start.
        names: file names of the sockets.
        seconds: how long it may take until it listens on all of them.
        subject: the process, in words, for errors.

    Returns:
        The process, and an ``O_PATH`` descriptor of each socket by its name. The caller closes both.

    Raises:
        SandboxError: the sandbox cannot be built, or the job does not listen.
    """
    process = sandbox.start(job)
    try:
        return process, _wait_for(process, names, seconds, subject)
    except BaseException:
        process.close()
        raise


def _wait_for(process: Process, names: Sequence[str], seconds: float, subject: str) -> dict[str, int]:
    deadline = time.monotonic() + seconds
    pinned: dict[str, int] = {}
    try:
        while True:
            for name in names:
                if name not in pinned and (descriptor := pin_socket(process, name)) is not None:
                    pinned[name] = descriptor
            if len(pinned) == len(names):
                return pinned
            ended = process.poll()
            if ended is not None or time.monotonic() > deadline:
                raise SandboxError(_startup_failure(process, ended, seconds, subject))
            time.sleep(LOOK_SECONDS)
    except BaseException:
        close_all(pinned.values())
        raise


def close_all(descriptors: Iterable[int]) -> None:
    """Close descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)


def pin_socket(process: Process, name: str) -> int | None:
    """Open the socket ``name`` as an ``O_PATH`` descriptor; None while nothing listens there.

    No component is followed through a link: everything below the sandbox's root may be the student's.
    """
    opened: list[int] = []
    try:
        opened.append(os.open(process.root, os.O_PATH | os.O_DIRECTORY))
        for part in Path(SOCKETS).parts[1:]:
            opened.append(os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
        descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=opened[-1])
    except OSError:
        return None
    finally:
        close_all(opened)
    if stat.S_ISSOCK(os.fstat(descriptor).st_mode) and _listens(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _listens(descriptor: int) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(f"/proc/self/fd/{descriptor}") == 0


def _startup_failure(process: Process, ended: int | None, seconds: float, subject: str) -> str:
    how = f"did not answer within {seconds:g} s" if ended is None else f"ended with status {ended} while it started"
    errors = process.stderr().strip()[-2000:]
    return (
        f"{subject} {how}. Its last words: {errors or '(none)'}\n"
        "Check that the assignment's environment has ipykernel, and run `autograder doctor`."
    )
