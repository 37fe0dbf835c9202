"""What a fork is told: a job, and the descriptors that come with it. The supervisor's ``fork.py`` is the other end."""

from __future__ import annotations

import array
import base64
import json
import os
import socket
from typing import Any

SOCKET, MODULES = "/run/kernel/template", "/run/kernel/modules"
"""In a folder that each fork covers with one of its own."""
MAX_DESCRIPTORS = 253
"""In one message: the limit of Linux."""


class Job:
    """One process to run in a fork.

    ``argv``, ``cwd``, ``env``: of the process · ``folders``: writable folder → (bytes, mode) · ``files``: (path, the
    descriptor of its content) · ``bound``: paths that the template has and the fork is to have, too · ``masked``:
    folders to cover · ``filter``, ``init_filter``: the system-call filters of the process and of its init · ``limits``:
    resource (its number) → value · ``output``: the descriptors of its output
    """

    def __init__(self, told: dict[str, Any], descriptors: list[int]) -> None:
        self.argv = [str(part) for part in told["argv"]]
        self.cwd = str(told["cwd"])
        self.env = {str(k): str(v) for k, v in told["env"].items()}
        self.folders = [(str(path), int(size), str(mode)) for path, size, mode in told["folders"]]
        self.output = descriptors[:2]
        self.files = list(zip(told["files"], descriptors[2:]))  # noqa: B905 (3.10 has it)
        self.bound = [str(path) for path in told["bound"]]
        self.masked = [str(path) for path in told["masked"]]
        self.filter = base64.b64decode(told["filter"])
        self.init_filter = base64.b64decode(told["init_filter"])
        self.limits = {int(kind): int(value) for kind, value in told["limits"].items()}
        self.in_process = False

    @classmethod
    def receive(cls, connection: socket.socket) -> Job:
        """One message with the text, in a file in memory, then the descriptors. Raises ValueError for anything else."""
        _, descriptors = _receive(connection)
        if len(descriptors) != 1:
            raise ValueError("the job has no text")
        with os.fdopen(descriptors[0], "rb") as file:
            file.seek(0)
            told = json.loads(file.read())
        found: list[int] = []
        while len(found) < told["descriptors"]:
            _, more = _receive(connection)
            if not more:
                raise ValueError("the job is not complete")
            found += more
        return cls(told, found)

    def execute(self) -> None:
        """Become the job's command. Raises OSError where there is none."""
        os.execvpe(self.argv[0], self.argv, dict(os.environ))


def _receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    size = array.array("i").itemsize
    text, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(MAX_DESCRIPTORS * size))
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % size])
    return text, list(descriptors)
