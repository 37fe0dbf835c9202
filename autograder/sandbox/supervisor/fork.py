"""A sandbox that a template forks: asked for here, held at its gate until the guard is ready.

The other end is ``sandbox/template``. No student's code has run in the process that answers here: the notebook's
process starts only when the gate opens, and has no end of this connection.
"""

# ruff: noqa: PTH123
from __future__ import annotations

import array
import base64
import contextlib
import json
import os
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from autograder.sandbox.supervisor import memory
else:
    import memory

SECONDS = 30.0
"""How long a fork may take to answer."""
MAX_DESCRIPTORS = 200
"""Descriptors in one message; Linux's limit is 253."""
KILLED = 137


class Fork:
    """The processes ``monitor`` (ends when everything in the sandbox has) and ``init`` (the first one inside)."""

    def __init__(self, connection: socket.socket, monitor: int, init: int) -> None:
        self.monitor, self.init = monitor, init
        self._connection = connection

    def open_gate(self, _: int) -> None:
        """Let init start the student's process."""
        self._connection.send(b"go")

    def result(self) -> tuple[int, float]:
        """Return the exit status and CPU seconds that the monitor reports; a killed monitor reports nothing."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            self._connection.settimeout(0.5)
            _, message = _receive(self._connection)
            return int(message["exit"]), float(message["cpu"])
        return KILLED, 0.0


def start(spec: dict[str, Any]) -> Fork:
    """Ask ``spec["template"]`` for a fork, put it into the control group, send its job, and wait for its walls.

    Raises:
        OSError: the template is gone.
        ValueError: it cannot build the walls.
    """
    connection = connect(**spec["template"])
    try:
        monitor, _ = _receive(connection)
        for folder in spec["cgroup"]:
            with open(f"{folder}/cgroup.procs", "w") as file:
                file.write(str(monitor))
        sources = [_open(source) for source in spec["sources"]]
        send(connection, spec["job"], [1, 2, *sources])
        for fd in sources:
            os.close(fd)
        init, _ = _receive(connection)
    except BaseException:
        connection.close()
        raise
    return Fork(connection, monitor, init)


def _open(source: str | dict[str, str]) -> int:
    """Open a host file's content, or content that has no file on the host."""
    if isinstance(source, str):
        return os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    return memory.file_of(base64.b64decode(source["data"]))


def connect(init: int, started: int, path: str) -> socket.socket:
    """Connect to the template at a socket's path below its root.

    Args:
        init: host pid of the first process in the template's sandbox.
        started: when that process began, in clock ticks since boot.
        path: the socket inside.

    Raises:
        OSError: that process is gone, even if another one has its pid by now.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(SECONDS)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    connection.connect(f"/proc/{init}/root{path}")
    if start_time(init) != started:
        raise ProcessLookupError(f"the template (process {init}) is gone")
    return connection


def start_time(pid: int) -> int:
    """Return when a process began, in clock ticks since boot; 0 if there is none."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[19])
    return 0


def send(connection: socket.socket, job: dict[str, Any], descriptors: list[int]) -> None:
    """Send a job: its text in a file in memory, then the descriptors in their order."""
    text = os.memfd_create("job", 0)
    with open(text, "wb") as file:
        file.write(json.dumps({**job, "descriptors": len(descriptors)}).encode())
        file.flush()
        _send(connection, [text])
    for first in range(0, len(descriptors), MAX_DESCRIPTORS):
        _send(connection, descriptors[first : first + MAX_DESCRIPTORS])


def _send(connection: socket.socket, descriptors: list[int]) -> None:
    connection.sendmsg([b"job"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def _receive(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Receive the next message, and the sender's pid from Linux.

    Raises:
        ValueError: the message is an error, or the connection ended.
    """
    credentials = struct.Struct("iII")
    text, ancillary, _, _ = connection.recvmsg(8192, socket.CMSG_SPACE(credentials.size))
    message = json.loads(text or b'{"error": "the fork ended"}')
    if "error" in message:
        raise ValueError(f"a fork of the template cannot be walled in: {message['error']}")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return credentials.unpack(data)[0], message
    raise ValueError("a fork of the template does not say who it is")
