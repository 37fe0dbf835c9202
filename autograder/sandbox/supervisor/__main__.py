"""Starts one sandbox and guards it: reads a specification from standard input, reports on a descriptor.

kit ──spec, then silence; "kill", or the end──▶ supervisor ──▶ bwrap ──▶ the student's process
kit ◀──{"pid"} … {"exit", "cpu", "peak", "out_of_memory"} or {"error"}, one JSON object a line──┘
"""

# The os calls are meant: each names one system call, and links and descriptors matter here.
# One of these is started for each notebook, and imports are most of what it does until the sandbox stands: no typing,
# no pathlib, and of the modules in this folder those that are needed.
# ruff: noqa: PTH106, PTH123
from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from autograder.sandbox.supervisor import bwrap, container, fork

    Sandbox = bwrap.Bwrap | fork.Fork | container.Container
    """Has the pids ``monitor`` (ends when everything has ended) and ``init`` (the first process inside),
    ``open_gate()`` (lets the student's process start) and ``result()`` (when the monitor has ended: exit code and CPU
    seconds)."""

WATCH_EVERY_MS = 100
LAST_SECONDS = 5.0
"""How long a process that was killed may take to be gone."""


def main() -> int:
    spec = json.loads(sys.stdin.buffer.readline())
    status = int(sys.argv[1])
    os.set_inheritable(status, False)
    kit = os.pidfd_open(spec["parent"])
    if os.getppid() != spec["parent"]:
        remove_cgroups(spec["cgroup"])
        return 1
    guard: Guard | None = None
    try:
        sandbox = start(spec)
        guard = Guard(spec, sandbox)
        if guard.host_uid() == 0:
            raise ValueError("refused: the sandbox would run as root")
        sandbox.open_gate(guard.monitor_fd)
    except (OSError, ValueError) as error:
        if guard is not None:
            guard.kill()  # bwrap may be dead and its init not, which asks for the signal of its death last of all
        report(status, error=str(error))
        return 1
    report(status, pid=sandbox.init, root=getattr(sandbox, "root", None))
    orphaned = guard.watch(kit)
    report(status, **guard.result())
    if orphaned:
        remove_cgroups(spec["cgroup"])
    return 0


def start(spec: dict[str, Any]) -> Sandbox:
    """What the specification asks for, up to its gate."""
    kind = "fork" if "template" in spec else "container" if "container" in spec else "bwrap"
    sandbox: Sandbox = importlib.import_module(kind).start(spec)
    return sandbox


class Guard:
    """Waits for the end of a sandbox, or makes it."""

    def __init__(self, spec: dict[str, Any], sandbox: Sandbox) -> None:
        self.memory_bytes: int = spec["watch_bytes"]
        self.watchdog: Any = importlib.import_module("watchdog") if self.memory_bytes else None
        self.cpu_limit: float = spec["cpu_seconds"]
        self.most_processes: int = spec["processes"]
        self.sandbox, self.init = sandbox, sandbox.init
        self.monitor_fd, self.init_fd = os.pidfd_open(sandbox.monitor), os.pidfd_open(sandbox.init)
        self.peak = 0
        self.cpu = 0.0
        self.refused = 0
        self.out_of_memory = False

    def host_uid(self) -> int:
        """The lowest of init's four uids, as the host sees them."""
        with open(f"/proc/{self.init}/status") as file:
            return next((min(map(int, line.split()[1:])) for line in file if line.startswith("Uid:")), 0)

    def watch(self, kit: int) -> bool:
        """Until the monitor ends; kill when the kit asks, when it died, or when a watched limit is passed.

        Whether it was the kit's death.
        """
        poller = select.poll()
        for fd in (0, kit, self.monitor_fd):
            poller.register(fd, select.POLLIN | select.POLLHUP)
        while True:
            ready = {fd for fd, _ in poller.poll(WATCH_EVERY_MS if self.memory_bytes else None)}
            if self.monitor_fd in ready:
                return bool(select.select([kit], [], [], 0)[0])
            if ready or self.exceeded():
                self.kill()
                return kit in ready or (0 in ready and not os.read(0, 16))

    def exceeded(self) -> bool:
        """Add up what is used; whether it is too much."""
        used = self.watchdog.memory(self.init)
        self.peak = max(self.peak, used)
        self.cpu = max(self.cpu, self.watchdog.cpu_seconds(self.init))
        self.refused += self.watchdog.threads(self.init) >= self.most_processes
        self.out_of_memory = used > self.memory_bytes or self.watchdog.too_many_files(self.init)
        return self.out_of_memory or self.cpu > self.cpu_limit

    def kill(self) -> None:
        """The kernel ends every process of a pid namespace whose init dies."""
        for fd in (self.init_fd, self.monitor_fd):
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(fd, signal.SIGKILL)

    def result(self) -> dict[str, Any]:
        """The last report, when nothing is left. ``cpu`` falls back on what the monitor's children used and were
        waited for."""
        exit_code, cpu = self.sandbox.result()
        # Init's end is the end of all.
        self.kill()
        select.select([self.init_fd], [], [], LAST_SECONDS)
        # Of bubblewrap's, it is ours now, as nearest subreaper: no zombie stays with the host's init.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.init, os.WNOHANG)
        return {
            "exit": exit_code if exit_code >= 0 else 128 - exit_code,
            "cpu": max(self.cpu, cpu),
            "peak": self.peak,
            "out_of_memory": self.out_of_memory,
            "refused": self.refused,
        }


def report(status: int, **fields: Any) -> None:
    """One line to the kit, which may be gone."""
    with contextlib.suppress(OSError):
        os.write(status, json.dumps(fields).encode() + b"\n")


def remove_cgroups(folders: list[str]) -> None:
    """The kit died: give back what it cannot."""
    for folder in folders:
        for _ in range(50):
            with contextlib.suppress(FileNotFoundError):
                try:
                    os.rmdir(folder)
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
