"""Starts one sandbox and guards it: reads a specification from standard input, reports on a descriptor.

kit ──spec, then silence; "kill", or the end──▶ supervisor ──▶ bwrap ──▶ the student's process
kit ◀──{"pid"} … {"exit", "cpu", "peak", "out_of_memory"} or {"error"}, one JSON object a line──┘
"""

# The os calls are meant: each names one system call, and links and descriptors matter here.
# ruff: noqa: PTH106, PTH116, PTH123, PTH208
from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from autograder.sandbox.supervisor import launch, watchdog
else:
    import launch
    import watchdog

WATCH_EVERY_MS = 100
LAUNCH_FAILED = 125
PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    spec = json.loads(sys.stdin.buffer.readline())
    status = int(sys.argv[1])
    os.set_inheritable(status, False)
    kit = os.pidfd_open(spec["parent"])
    if os.getppid() != spec["parent"]:
        return 1
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    bwrap, init, gate = start(spec)
    try:
        guard = Guard(spec, bwrap, init)
        if guard.host_uid() == 0:
            guard.kill()
            raise ValueError("refused: the sandbox would run as root")
        # Before the student's process exists, so that it inherits the limit; it counts in the sandbox's
        # user namespace.
        guard.limit_processes(spec["processes"])
        gate.open(guard.bwrap_fd)
    except (OSError, ValueError) as error:
        report(status, error=str(error))
        return 1
    report(status, pid=init)
    orphaned = guard.watch(kit)
    report(status, **guard.result())
    if orphaned:
        remove_cgroups(spec["cgroup"])
    return 0


class Gate:
    """A pipe of one byte that the sandbox's init reads when every mount is made, just before the student's
    process."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()

    def open(self, bwrap_fd: int) -> None:
        """Let init go on, and return when it did. Raises ValueError where bwrap ended before."""
        os.write(self.write_end, b"1")
        unread = array.array("i", [1])
        while unread[0]:
            if select.select([bwrap_fd], [], [], 0.001)[0]:
                raise ValueError("bubblewrap could not build the sandbox")
            fcntl.ioctl(self.read_end, termios.FIONREAD, unread)
        os.close(self.write_end)
        os.close(self.read_end)


def start(spec: dict[str, Any]) -> tuple[int, int, Gate]:
    """Fork and become bwrap: its pid, its init's (which waits at the gate), and the gate."""
    info_read, info_write = os.pipe()
    gate = Gate()
    bwrap = os.fork()
    if bwrap == 0:
        try:
            become_bwrap(spec, info_write, gate.read_end)
        except BaseException as error:
            os.write(2, f"{error}\n".encode())
            os._exit(LAUNCH_FAILED)
    os.close(info_write)
    with open(info_read) as info:
        text = info.read()
    return bwrap, json.loads(text)["child-pid"] if text.strip() else 0, gate


def become_bwrap(spec: dict[str, Any], info_fd: int, block_fd: int) -> NoReturn:
    """In the child: keep no descriptor but bwrap's two and the student's output, then launch."""
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd not in (0, 1, 2, info_fd, block_fd):
            with contextlib.suppress(OSError):
                os.close(fd)
    os.set_inheritable(info_fd, True)
    os.set_inheritable(block_fd, True)
    launch.launch(spec, info_fd, block_fd)


class Guard:
    """Waits for the end of a sandbox, or makes it."""

    def __init__(self, spec: dict[str, Any], bwrap: int, init: int) -> None:
        self.memory_bytes: int = spec["watch_bytes"]
        self.cpu_limit: float = spec["cpu_seconds"]
        self.most_processes: int = spec["processes"]
        self.bwrap, self.init = bwrap, init
        if not init:
            raise ValueError("bubblewrap could not build the sandbox")
        self.bwrap_fd, self.init_fd = os.pidfd_open(bwrap), os.pidfd_open(init)
        self.peak = 0
        self.cpu = 0.0
        self.refused = 0
        self.out_of_memory = False

    def host_uid(self) -> int:
        """The lowest of init's four uids, as the host sees them."""
        for line in Path(f"/proc/{self.init}/status").read_text().splitlines():
            if line.startswith("Uid:"):
                return min(map(int, line.split()[1:]))
        return 0

    def limit_processes(self, most: int) -> None:
        """Limit init's processes and threads, as init's own user: root may lack the capability to do it for
        another."""
        helper = os.fork()
        if helper == 0:
            try:
                if os.geteuid() == 0:
                    owner = os.stat(f"/proc/{self.init}")
                    os.setgroups([])
                    os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
                    os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
                resource.prlimit(self.init, resource.RLIMIT_NPROC, (most, most))
                os._exit(0)
            except BaseException as error:
                os.write(2, f"{error}\n".encode())
                os._exit(LAUNCH_FAILED)
        if os.waitpid(helper, 0)[1]:
            raise ValueError("the number of processes can not be limited")

    def watch(self, kit: int) -> bool:
        """Until bwrap ends; kill when the kit asks, when it died, or when a watched limit is passed.

        Whether it was the kit's death.
        """
        poller = select.poll()
        for fd in (0, kit, self.bwrap_fd):
            poller.register(fd, select.POLLIN | select.POLLHUP)
        while True:
            ready = {fd for fd, _ in poller.poll(WATCH_EVERY_MS if self.memory_bytes else None)}
            if self.bwrap_fd in ready:
                return False
            if ready or self.exceeded():
                self.kill()
                return kit in ready or (0 in ready and not os.read(0, 16))

    def exceeded(self) -> bool:
        """Add up what is used; whether it is too much."""
        used = watchdog.memory(self.init)
        self.peak = max(self.peak, used)
        self.cpu = max(self.cpu, watchdog.cpu_seconds(self.init))
        self.refused += watchdog.threads(self.init) >= self.most_processes
        self.out_of_memory = used > self.memory_bytes or watchdog.too_many_files(self.init)
        return self.out_of_memory or self.cpu > self.cpu_limit

    def kill(self) -> None:
        """The kernel ends every process of a pid namespace whose init dies."""
        for fd in (self.init_fd, self.bwrap_fd):
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(fd, signal.SIGKILL)

    def result(self) -> dict[str, Any]:
        """The last report, when nothing is left. ``cpu`` falls back on what bwrap's children used and were
        waited for."""
        _, code, used = os.wait4(self.bwrap, 0)
        # Init is ours now, as nearest subreaper; its end is the end of all, and no zombie stays with the
        # host's init.
        self.kill()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.init, 0)
        exit_code = os.waitstatus_to_exitcode(code)
        return {
            "exit": exit_code if exit_code >= 0 else 128 - exit_code,
            "cpu": max(self.cpu, used.ru_utime + used.ru_stime),
            "peak": self.peak,
            "out_of_memory": self.out_of_memory,
            "refused": self.refused,
        }


def report(status: int, **fields: Any) -> None:
    """One line to the kit, which may be gone."""
    with contextlib.suppress(OSError):
        os.write(status, json.dumps(fields).encode() + b"\n")


def remove_cgroups(folders: list[str]) -> None:
    """The kit died: give back what it can not."""
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
