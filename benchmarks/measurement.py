"""Common parts of the benchmarks of speed and scale: the machine in words, tables, commands with their times."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter


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


def memory_of(*pids: int) -> float:
    """The memory of processes in MiB; pages that several have count once."""
    total = 0
    for pid in pids:
        try:
            shares = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        total += int(shares.split("\nPss:")[1].split()[0]) if "\nPss:" in shares else 0
    return total / 1024


@dataclass(frozen=True)
class Spent:
    """What a command took: seconds by the clock, and of the processor."""

    wall: float
    cpu: float
    """Of the whole machine meanwhile: sandboxes and servers are not always a command's own children, so that what is
    counted for children misses some. On a machine that does nothing else it is the command's."""
    output: str


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
    before, began = _busy(), perf_counter()
    with tempfile.TemporaryFile() as output:  # a pipe would stay open as long as what the command leaves
        code = subprocess.run(
            [*map(str, command)], cwd=cwd, env=env, timeout=limit, stdout=output, stderr=subprocess.STDOUT
        ).returncode
        wall, cpu = perf_counter() - began, _busy() - before
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if code:
        raise RuntimeError(f"{' '.join(map(str, command[:4]))} … ended with {code}:\n{text[-3000:]}")
    return Spent(wall, cpu, text)


def _busy() -> float:
    """CPU seconds of all processes since the machine was started (proc(5): user, nice, system, irq, softirq)."""
    with Path("/proc/stat").open() as file:
        user, nice, system, _, _, irq, soft = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
