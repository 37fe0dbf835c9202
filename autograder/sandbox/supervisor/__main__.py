"""The supervisor's program: it starts one sandbox, guards it, and reports on a descriptor.

kit ──specification; later "kill", or the end──▶ supervisor ──▶ bwrap ──▶ the student's process
kit ◀──{"pid"} … {"exit", "cpu", "peak", "out_of_memory"} or {"error"}, one JSON object a line──┘
"""

# The os calls are meant: each names one system call, and links and descriptors matter here.
# Each notebook starts a supervisor, and imports take most of its time until the sandbox stands: no typing, no pathlib,
# and only the modules in this folder that are needed.
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
    from typing import Any, Protocol

    class GatedSandbox(Protocol):
        """A sandbox at its gate. One whose processes do not all end with init has ``end_all()`` and a ``watchdog``."""

        monitor: int
        """The pid that ends when everything has ended."""
        init: int
        """The pid of the first process inside."""

        def open_gate(self, monitor_fd: int, /) -> None:
            """Let the student's process start."""

        def result(self) -> tuple[int, float]:
            """Return exit code and CPU seconds, after the monitor's end."""


WATCH_EVERY_MS = 100
EXIT_SECONDS = 5.0
"""How long a killed process may take to disappear."""


def main() -> int:
    """Start and guard the sandbox; return the supervisor's exit status."""
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
            guard.kill()  # init may outlive bwrap: asking for bwrap's death signal is its last step
        report(status, error=str(error))
        return 1
    report(status, pid=sandbox.init, root=getattr(sandbox, "root", None))
    orphaned = guard.watch(kit, status)
    report(status, **guard.result())
    if orphaned:
        remove_cgroups(spec["cgroup"])
    return 0


def start(spec: dict[str, Any]) -> GatedSandbox:
    """Start the sandbox of the specification, up to its gate: by a module of this folder, or of an extension's."""
    folder, name = os.path.split(spec.get("starter") or ("fork" if "template" in spec else "bwrap"))
    sys.path += [folder] * bool(folder)
    sandbox: GatedSandbox = importlib.import_module(name).start(spec)
    return sandbox


class Guard:
    """A guard that waits for the end of a sandbox, or ends it."""

    def __init__(self, spec: dict[str, Any], sandbox: GatedSandbox) -> None:
        self.memory_bytes: int = spec["watch_bytes"]
        own_watchdog = getattr(sandbox, "watchdog", None)
        self.watchdog: Any = (own_watchdog or importlib.import_module("watchdog")) if self.memory_bytes else None
        self.cpu_limit: float = spec["cpu_seconds"]
        self.max_processes: int = spec["processes"]
        self.sandbox, self.init = sandbox, sandbox.init
        self.monitor_fd, self.init_fd = os.pidfd_open(sandbox.monitor), os.pidfd_open(sandbox.init)
        self.peak = 0
        self.cpu = 0.0
        self.refused = 0
        self.out_of_memory = False

    def host_uid(self) -> int:
        """Return the lowest of init's four uids as the host sees them."""
        with open(f"/proc/{self.init}/status") as file:
            return next((min(map(int, line.split()[1:])) for line in file if line.startswith("Uid:")), 0)

    def watch(self, kit: int, status: int) -> bool:
        """Wait for the monitor's end; kill on request, on the kit's death, or past a watched limit.

        A limit is reported before the kill: whoever sees the end can tell why it came.

        Returns:
            Whether the kit died.
        """
        poller = select.poll()
        for fd in (0, kit, self.monitor_fd):
            poller.register(fd, select.POLLIN | select.POLLHUP)
        while True:
            ready = {fd for fd, _ in poller.poll(WATCH_EVERY_MS if self.memory_bytes else None)}
            if self.monitor_fd in ready:
                return bool(select.select([kit], [], [], 0)[0])
            if ready or self.exceeded():
                if not ready:
                    report(status, **self.used())
                self.kill()
                return kit in ready or (0 in ready and not os.read(0, 16))

    def exceeded(self) -> bool:
        """Measure what is used; return whether it is past a limit."""
        used = self.watchdog.memory(self.init)
        self.peak = max(self.peak, used)
        self.cpu = max(self.cpu, self.watchdog.cpu_seconds(self.init))
        self.refused += self.watchdog.threads(self.init) >= self.max_processes
        self.out_of_memory = used > self.memory_bytes or self.watchdog.too_many_files(self.init)
        return self.out_of_memory or self.cpu > self.cpu_limit

    def kill(self) -> None:
        """Kill init, and with it every process of its pid namespace, or of its user, and the monitor."""
        for fd in (self.init_fd, self.monitor_fd):
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(fd, signal.SIGKILL)
        end_all = getattr(self.sandbox, "end_all", None)
        if end_all is not None:
            end_all()

    def result(self) -> dict[str, Any]:
        """Make the last report, after the end of everything.

        Without a watchdog, ``cpu`` is the time of the children that were waited for: the monitor's, and init's if it
        ended after the monitor, as bubblewrap's often does.
        """
        exit_code, cpu = self.sandbox.result()
        # Init's end ends everything.
        self.kill()
        select.select([self.init_fd], [], [], EXIT_SECONDS)
        # bubblewrap's init is now a child of this process, the nearest subreaper: no zombie stays with the host's init.
        with contextlib.suppress(ChildProcessError):
            _, _, used = os.wait4(self.init, os.WNOHANG)
            cpu = max(cpu, used.ru_utime + used.ru_stime)
        return {
            **self.used(),
            "exit": exit_code if exit_code >= 0 else 128 - exit_code,
            "cpu": max(self.cpu, cpu),
        }

    def used(self) -> dict[str, Any]:
        """Report what was measured so far."""
        return {
            "cpu": self.cpu,
            "peak": self.peak,
            "out_of_memory": self.out_of_memory,
            "refused": self.refused,
        }


def report(status: int, **fields: Any) -> None:
    """Send one line to the kit, which may be gone."""
    with contextlib.suppress(OSError):
        os.write(status, json.dumps(fields).encode() + b"\n")


def remove_cgroups(folders: list[str]) -> None:
    """Remove the cgroups in place of the kit, which died."""
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
