"""A grader without the wall, for controls: answers and whole tests in one process, as nbgrader and otter run them.

    python unwalled.py < notebooks.json > verdicts.json

Each notebook runs in a forked child with IPython's shell; only notebooks that are written in this folder come here.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verdict:
    """What a grader in the student's process makes of a notebook."""

    passed: frozenset[str]
    """The test cells that ended without an exception."""
    printed: str
    """What all cells printed."""


def in_one_process(
    notebooks: dict[str, list[tuple[str | None, str]]], folder: Path, seconds: float = 20.0
) -> dict[str, Verdict]:
    """Run notebooks, each a list of (name of the test or None, source), in ``folder``; each for so many seconds at most."""
    done = subprocess.run(
        [sys.executable, __file__, str(seconds)],
        input=json.dumps(notebooks), cwd=folder, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return {name: Verdict(frozenset(passed), text) for name, (passed, text) in json.loads(done.stdout).items()}


def main() -> None:
    import IPython  # noqa: F401 - once, before the forks
    import numpy  # noqa: F401

    notebooks = json.load(sys.stdin)
    verdicts = {name: graded(cells) for name, cells in notebooks.items()}
    sys.stdout.write(json.dumps(verdicts))


def graded(cells: list[tuple[str | None, str]]) -> tuple[list[str], str]:
    """The tests that passed, and what was printed."""
    with tempfile.TemporaryFile() as printed:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.setsid()
            os.dup2(printed.fileno(), 1)
            os.dup2(printed.fileno(), 2)
            run(cells, writing)
            os._exit(0)
        os.close(writing)
        passed = read_all(reading, time.monotonic() + float(sys.argv[1]))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        printed.seek(0)
        return passed.decode().split(), printed.read().decode(errors="replace")


def read_all(fd: int, deadline: float) -> bytes:
    text = b""
    while select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
        chunk = os.read(fd, 4096)
        if not chunk:
            break
        text += chunk
    os.close(fd)
    return text


def run(cells: list[tuple[str | None, str]], report: int) -> None:
    """In the child: run all cells, and write the names of the tests that pass."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    for name, source in cells:
        result = shell.run_cell(source, store_history=True)
        if name and result.success:
            os.write(report, f"{name}\n".encode())


if __name__ == "__main__":
    main()
