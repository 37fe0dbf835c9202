"""A sandbox that bubblewrap builds: started here, held at its gate until the guard is ready."""

# The os calls are meant: each names one system call, and links and descriptors matter here.
# ruff: noqa: PTH116, PTH123
from __future__ import annotations

import array
import fcntl
import json
import os
import resource
import select
import termios
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from autograder.sandbox.supervisor import launch
else:
    import launch

LAUNCH_FAILED = 125


class Bwrap:
    """The processes ``monitor`` (bubblewrap's own) and ``init`` (the first one inside).

    Init waits at a gate, a pipe of one byte, which it reads after every mount is made and just before it starts the
    student's process.
    """

    def __init__(self, monitor: int, init: int, gate: tuple[int, int], max_processes: int) -> None:
        self.monitor, self.init = monitor, init
        self._gate = gate
        self._most_processes = max_processes

    def open_gate(self, monitor_fd: int) -> None:
        """Let init go on, and return when it has.

        Raises:
            ValueError: bwrap ended before.
        """
        self._limit_processes(self._most_processes)
        read_end, write_end = self._gate
        os.write(write_end, b"1")
        unread = array.array("i", [1])
        while unread[0]:
            if select.select([monitor_fd], [], [], 0.001)[0]:
                raise ValueError("bubblewrap could not build the sandbox")
            fcntl.ioctl(read_end, termios.FIONREAD, unread)
        os.close(write_end)
        os.close(read_end)

    def result(self) -> tuple[int, float]:
        """Return bwrap's exit status (negative: a signal) and the CPU seconds of its children that were waited for."""
        _, code, used = os.wait4(self.monitor, 0)
        return os.waitstatus_to_exitcode(code), used.ru_utime + used.ru_stime

    def _limit_processes(self, most: int) -> None:
        """Limit init's processes and threads, as init's own user: root may lack the capability for it.

        The student's process does not exist yet, so it inherits the limit, which counts in the sandbox's user
        namespace. A lower limit of this user stays in force.
        """
        helper = os.fork()
        if helper == 0:
            try:
                if os.geteuid() == 0:
                    owner = os.stat(f"/proc/{self.init}")
                    os.setgroups([])
                    os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
                    os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
                _, hard = resource.prlimit(self.init, resource.RLIMIT_NPROC)
                value = most if hard == resource.RLIM_INFINITY else min(most, hard)
                resource.prlimit(self.init, resource.RLIMIT_NPROC, (value, value))
                os._exit(0)
            except BaseException as error:
                os.write(2, f"{error}\n".encode())
                os._exit(LAUNCH_FAILED)
        if os.waitpid(helper, 0)[1]:
            raise ValueError("the number of processes cannot be limited")


def start(spec: dict[str, Any]) -> Bwrap:
    """Fork and become bwrap.

    Raises:
        ValueError: bwrap ends before everything is mounted.
    """
    launch.adopt_orphans()
    info_read, info_write = os.pipe()
    gate = os.pipe()
    spec["supervisor"] = os.getpid()
    bwrap = os.fork()
    if bwrap == 0:
        try:
            become_bwrap(spec, info_write, gate[0])
        except BaseException as error:
            os.write(2, f"{error}\n".encode())
            os._exit(LAUNCH_FAILED)
    os.close(info_write)
    with open(info_read) as info:
        text = info.read()
    if not text.strip():
        raise ValueError("bubblewrap could not build the sandbox")
    return Bwrap(bwrap, json.loads(text)["child-pid"], gate, spec["processes"])


def become_bwrap(spec: dict[str, Any], info_fd: int, block_fd: int) -> NoReturn:
    """Keep only bwrap's two descriptors and the student's output, then launch; runs in the child."""
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    launch.close_descriptors(keep=(0, 1, 2, info_fd, block_fd))
    os.set_inheritable(info_fd, True)
    os.set_inheritable(block_fd, True)
    launch.launch(spec, info_fd, block_fd)
