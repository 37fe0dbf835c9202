"""Python code in a sandbox: what it prints and how it ends."""

from __future__ import annotations

import contextlib
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.records.limits import Limits
from autograder.sandbox import Job, Process, Sandbox
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.layout import environment
from helpers.clock import PATIENCE_SECONDS

SMALL = Limits(memory_mib=256, processes=32, disk_mib=16)
Run = Callable[..., Process]


@contextlib.contextmanager
def starting(sandbox: Sandbox) -> Iterator[Run]:
    """A function that starts Python code inside; everything is closed at the end."""
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
    """What a new sandbox has in a folder of its own: the way to an environment that lies below a folder of that name."""
    paths = [Path(path) for path in environment(Interpreter.current()).operations]
    return sorted({path.relative_to(folder).parts[0] for path in paths if path.is_relative_to(folder)})


def answer(process: Process, seconds: float = PATIENCE_SECONDS) -> str:
    """What the process printed, after it ended."""
    status = process.wait(seconds)
    assert status == 0, f"status {status}: {process.stderr()}"
    return process.stdout().strip()


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
