"""The first process inside a container: waits at the gate, takes on the system-call filter, starts the student's
command, buries the dead, and ends as the command did. Run as ``python -I -S /opt/init FILTER OWN GATE COMMAND…``.

No signal from inside ends the first process, and it inherits orphans, so that the student's must not be it. And the
filter is the very program that bubblewrap's sandbox has, whatever an engine would make of a list of calls.
Standard library only; OWN is its own filter; GATE is the descriptor of a socket whose other end the supervisor holds.
"""

# The os calls are meant: each names one system call.
# ruff: noqa: PTH123
from __future__ import annotations

import os
import signal
import struct
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING or __package__:
    from autograder.sandbox.template import system
else:
    import system

COMMAND = 0x436F6D6D
"""What FILTER has for the command's pid, which is known when it is there: an engine may have used numbers before."""
READY, GO = b"r", b"g"
NOT_STARTED, NOT_FOUND = 125, 127
MAX_DESCRIPTORS = 4096


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # from inside, the default of a first process is to ignore it
    program, own_program = (read(path) for path in sys.argv[1:3])
    gate = int(sys.argv[3])
    os.write(gate, READY)
    if os.read(gate, 1) != GO:
        return NOT_STARTED
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.closerange(3, MAX_DESCRIPTORS)
    command = os.fork()
    if command == 0:
        become(sys.argv[4:], program)
    system.install_filter(own_program)
    while True:
        pid, status = os.wait()
        if pid == command:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def aimed_at(program: bytes, pid: int) -> bytes:
    for before, now in ((COMMAND, pid), (-COMMAND, -pid)):
        program = program.replace(struct.pack("<i", before), struct.pack("<i", now))
    return program


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def become(command: list[str], program: bytes) -> NoReturn:
    """The student's command, with the environment that the engine gave us and nothing that Python added to it."""
    try:
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and that would be inherited
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        system.install_filter(aimed_at(program, os.getpid()))
        with open("/proc/self/environ", "rb") as file:
            pairs = [line.split(b"=", 1) for line in file.read().split(b"\0") if b"=" in line]
        os.execvpe(command[0], command, dict(pairs))
    except BaseException as error:
        os.write(2, f"{command[0]}: {error}\n".encode("utf-8", "replace"))
    os._exit(NOT_FOUND)


if __name__ == "__main__":
    os._exit(main())
