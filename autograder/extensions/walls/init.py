"""The first process inside a container.

It waits at the gate, installs the system-call filter, starts the student's command, reaps orphans, and ends with the
command's exit status. Run as ``python -I -S /opt/init FILTER OWN COMMAND…``.

The student's command must not be the first process: signals from inside do not end the first process, and it inherits
orphans. The filter is the very program of bubblewrap's sandbox; engines would compile one of their own from a list of
calls. Standard library only. OWN is the filter of this process. Standard input is the gate: a socket whose
other end the supervisor holds.
"""

# The os calls are meant: each names one system call.
# ruff: noqa: PTH123
from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING or __package__:
    from autograder.sandbox.template import system
else:
    import system

GATE = 0
READY, GO = b"r", b"g"
NOT_STARTED, NOT_FOUND = 125, 127
MAX_DESCRIPTORS = 4096


def main() -> int:
    """Run the command behind its filter; return its exit status."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a first process ignores it by default
    program, own_program = (read_file(path) for path in sys.argv[1:3])
    os.write(GATE, READY)
    if os.read(GATE, 1) != GO:
        return NOT_STARTED
    os.dup2(os.open("/dev/null", os.O_RDONLY), GATE)
    os.closerange(3, MAX_DESCRIPTORS)
    command = os.fork()
    if command == 0:
        become_command(sys.argv[3:], program)
    system.install_filter(own_program)
    while True:
        pid, status = os.wait()
        if pid == command:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def read_file(path: str) -> bytes:
    """Read a file."""
    with open(path, "rb") as file:
        return file.read()


def become_command(command: list[str], program: bytes) -> NoReturn:
    """Become the student's command, with the environment that the engine gave, without Python's additions."""
    try:
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and the command would inherit that
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        system.install_filter(system.with_pid(program, os.getpid()))
        with open("/proc/self/environ", "rb") as file:
            pairs = [line.split(b"=", 1) for line in file.read().split(b"\0") if b"=" in line]
        os.execvpe(command[0], command, dict(pairs))
    except BaseException as error:
        os.write(2, f"{command[0]}: {error}\n".encode("utf-8", "replace"))
    os._exit(NOT_FOUND)


if __name__ == "__main__":
    os._exit(main())
