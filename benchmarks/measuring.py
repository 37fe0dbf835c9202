"""What the benchmarks of speed and scale have in common: the machine in words, tables, commands with their times."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter, sleep


def said(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def machine(*packages: str) -> str:
    """What the figures are measured on: call it before the work begins, for the load."""
    described = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in described if line.startswith("model name")] or ["unknown"]
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    parts = [f"{cores} × {names[0]}", f"load {load:.1f} at the start", f"Python {platform.python_version()}"]
    return ", ".join([*parts, *(f"{name} {_version(name)}" for name in packages)])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True)
class Spent:
    """What a command took: seconds by the clock, and of the processor with all processes that it left or waited for."""

    wall: float
    cpu: float
    output: str


LINGER_SECONDS = 30.0
"""How long the processes that a command leaves may take to end; those that stay longer are not counted."""


def spent(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    limit: float | None = None,
) -> Spent:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed; the message has the end of what it printed.
        subprocess.TimeoutExpired: it took longer than ``limit`` seconds.
    """
    _adopt_orphans()
    before = os.times()
    began = perf_counter()
    with tempfile.TemporaryFile() as output:  # a pipe would stay open as long as what the command leaves
        code = subprocess.run(
            [*map(str, command)], cwd=cwd, env=env, timeout=limit, stdout=output, stderr=subprocess.STDOUT
        ).returncode
        wall = perf_counter() - began
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    _reap_orphans()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    if code:
        raise RuntimeError(f"{' '.join(map(str, command[:4]))} … ended with {code}:\n{text[-3000:]}")
    return Spent(wall, cpu, text)


def _adopt_orphans() -> None:
    """Make this process the parent of what its children leave, so that their processor time is told to it."""
    set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0)


def _reap_orphans() -> None:
    until = perf_counter() + LINGER_SECONDS
    with contextlib.suppress(ChildProcessError):
        while perf_counter() < until:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                sleep(0.02)
