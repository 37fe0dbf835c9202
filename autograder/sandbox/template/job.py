"""The job that a fork receives, and the descriptors that come with it. The supervisor's ``fork.py`` sends them."""

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
"""Descriptors in one message: the limit of Linux."""


class Job:
    """A process to run in a fork.

    Attributes:
        argv, cwd, env: of the process.
        folders: writable folder → (bytes, mode).
        trees: paths below these folders that the template sees of the host, and the fork is to see, too.
        links: (path below these folders, target) of symbolic links to make.
        files: (path, the descriptor of its content).
        bound: paths of the template that the fork is to have, too.
        hidden_paths: folders to cover.
        filter, init_filter: the system-call filters of the process and of its init.
        limits: number of a resource → value.
        output: the descriptors of its output.
    """

    def __init__(self, fields: dict[str, Any], descriptors: list[int]) -> None:
        self.argv = [str(part) for part in fields["argv"]]
        self.cwd = str(fields["cwd"])
        self.env = {str(k): str(v) for k, v in fields["env"].items()}
        self.folders = [(str(path), int(size), str(mode)) for path, size, mode in fields["folders"]]
        self.trees = [str(path) for path in fields["trees"]]
        self.links = [(str(path), str(target)) for path, target in fields["links"]]
        self.output = descriptors[:2]
        self.files = list(zip(fields["files"], descriptors[2:]))  # noqa: B905 (3.10 has it)
        self.bound = [str(path) for path in fields["bound"]]
        self.hidden_paths = [str(path) for path in fields["hidden_paths"]]
        self.filter = base64.b64decode(fields["filter"])
        self.init_filter = base64.b64decode(fields["init_filter"])
        self.limits = {int(kind): int(value) for kind, value in fields["limits"].items()}
        self.in_process = False

    @classmethod
    def receive(cls, connection: socket.socket) -> Job:
        """Receive a job: one message with its text, in a file in memory, then the descriptors.

        Raises:
            ValueError: the messages are anything else.
        """
        _, descriptors = _receive(connection)
        if len(descriptors) != 1:
            raise ValueError("the job has no text")
        with os.fdopen(descriptors[0], "rb") as file:
            file.seek(0)
            fields = json.loads(file.read())
        passed: list[int] = []
        while len(passed) < fields["descriptors"]:
            _, more = _receive(connection)
            if not more:
                raise ValueError("the job is not complete")
            passed += more
        return cls(fields, passed)

    def execute(self) -> None:
        """Become the job's command.

        Raises:
            OSError: there is no such program.
        """
        os.execvpe(self.argv[0], self.argv, dict(os.environ))


def _receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    size = array.array("i").itemsize
    text, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(MAX_DESCRIPTORS * size))
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % size])
    return text, list(descriptors)
