"""Python code in a sandbox: what it prints and how it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.records.limits import Limits
from autograder.sandbox import Job, Process, Sandbox
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.layout import environment

NS_GET_PARENT = 0xB702
PATIENCE_SECONDS = 30.0
"""How long something may take that a quiet machine does at once."""
SMALL = Limits(memory_mib=256, processes=32, disk_mib=16)
Run = Callable[..., Process]


@contextlib.contextmanager
def starting(sandbox: Sandbox) -> Iterator[Run]:
    """Give a function that starts Python code inside; everything is closed at the end."""
    started: list[Process] = []

    def run(code: str, limits: Limits = SMALL, **fields: object) -> Process:
        argv = (sys.executable, "-I", "-S", "-c", textwrap.dedent(code))
        process = sandbox.start(Job(argv, limits=limits, **fields))  # type: ignore[arg-type]
        started.append(process)
        return process

    yield run
    for process in started:
        process.close()


def shown_below(folder: str) -> list[str]:
    """List what a new sandbox has in a folder that holds its environment: the way to it alone."""
    paths = [Path(path) for path in environment(Interpreter.current()).operations]
    return sorted({path.relative_to(folder).parts[0] for path in paths if path.is_relative_to(folder)})


def answer(process: Process, seconds: float = PATIENCE_SECONDS) -> str:
    """Return what the process printed, after it ended."""
    status = process.wait(seconds)
    assert status == 0, f"status {status}: {process.stderr()}"
    return process.stdout().strip()


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until a condition holds; return whether it does in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def living(namespace: int) -> list[int]:
    """List the host pids of the live processes in a pid namespace and in those below it."""
    pids = []
    for name in filter(str.isdigit, (entry.name for entry in Path("/proc").iterdir())):
        with contextlib.suppress(OSError):
            zombie = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if namespace in lineage(int(name)) and not zombie:
                pids.append(int(name))
    return pids


def lineage(pid: int) -> Iterator[int]:
    """Yield the pid namespace of a process and those above it, as inode numbers."""
    with contextlib.ExitStack() as opened:
        fd = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
        while True:
            opened.callback(os.close, fd)
            yield os.fstat(fd).st_ino
            try:
                fd = fcntl.ioctl(fd, NS_GET_PARENT)
            except OSError:  # above is what we may not see
                return


def namespace(process: Process) -> int:
    """Return the pid namespace of a process, as an inode number."""
    return Path(f"/proc/{process.pid}/ns/pid").stat().st_ino
