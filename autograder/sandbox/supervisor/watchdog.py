"""A watchdog for hosts without a cgroup: it adds up a sandbox's memory by process.

On such hosts the system-call filter denies memory that belongs to no process and no file system (memfd, System V
segments).
"""

# The os calls are meant: each names one system call, and links and descriptors matter here.
# ruff: noqa: PTH208
from __future__ import annotations

import contextlib
import os
from pathlib import Path

TMPFS = ("tmp", "home/student", "dev/shm", "run/kernel")
MAX_INODES = 200_000
"""Files and folders on one tmpfs; each takes about 1 KiB of kernel memory that no size limit counts."""
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


def processes(init: int) -> list[int]:
    """List the sandbox's init and all its descendants, double-forked ones included."""
    pids, todo = [], [init]
    while todo:
        pid = todo.pop()
        pids.append(pid)
        with contextlib.suppress(OSError, ValueError):
            for task in os.listdir(f"/proc/{pid}/task"):
                todo += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return pids


def memory(init: int) -> int:
    """Return the bytes that the processes have mapped plus the bytes on the writable folders.

    Shared pages count once.
    """
    return sum(map(process_memory, processes(init))) + sum(used for used, _ in map_tmpfs(init))


def too_many_files(init: int) -> bool:
    """Return whether a writable folder holds more entries than any honest notebook makes."""
    return any(inodes > MAX_INODES for _, inodes in map_tmpfs(init))


def map_tmpfs(init: int) -> list[tuple[int, int]]:
    """List (bytes, inodes) in use on each writable folder.

    The folders are mount points, so the student cannot replace them.
    """
    figures = []
    for folder in TMPFS:
        with contextlib.suppress(OSError):
            status = os.statvfs(f"/proc/{init}/root/{folder}")
            figures.append(((status.f_blocks - status.f_bfree) * status.f_frsize, status.f_files - status.f_ffree))
    return figures


def full(init: int) -> bool:
    """Return whether a writable folder has no room left."""
    for folder in TMPFS:
        with contextlib.suppress(OSError):
            if not os.statvfs(f"/proc/{init}/root/{folder}").f_bfree:
                return True
    return False


def threads(init: int) -> int:
    """Count the processes and threads at this moment."""
    return len(thread_ids(init))


def thread_ids(init: int) -> list[int]:
    """List the ids of all threads of all processes."""
    ids: list[int] = []
    for pid in processes(init):
        with contextlib.suppress(OSError):
            ids += map(int, os.listdir(f"/proc/{pid}/task"))
    return ids


def process_memory(pid: int) -> int:
    """Return the proportional set size in bytes, or the resident set if the kernel does not report it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return 0


def cpu_seconds(init: int) -> float:
    """Return the CPU time of the living processes and of their children that were waited for."""
    return cpu_seconds_of(processes(init))


def cpu_seconds_of(pids: list[int]) -> float:
    """Return the CPU time of these processes and of their children that were waited for."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / TICK
