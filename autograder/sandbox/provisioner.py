"""A Jupyter kernel provisioner that starts the kernel inside a sandbox.

Inside, the kernel binds five sockets in a small tmpfs of the sandbox's own; no folder of the host is writable. Outside,
each socket is opened once, without following links, before any student's code runs. Later connections reach that very
socket, even if the student has put something else in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo

from autograder.sandbox import default_sandbox
from autograder.sandbox.base import HOME, Job, Sandbox, kernel_environment
from autograder.sandbox.kernel_job import (
    ADDRESS,
    CONNECTION_FILE,
    SOCKET_NAMES,
    STARTUP_SECONDS,
    connection_file,
)
from autograder.sandbox.pinned_kernel import PinnedKernel, by_port, connection_info
from autograder.sandbox.sockets import start_listening


class SandboxProvisioner(PinnedKernel):
    """A provisioner of one kernel in one sandbox.

    :func:`autograder.sandbox.kernel_start.kernel_manager` uses it and fills the attributes. Through its entry point
    ``autograder-sandbox``, a kernel specification gets the default sandbox and limits.
    """

    sandbox: Sandbox | None = None
    files: Mapping[str, Path] = {}
    hidden_paths: tuple[Path, ...] = ()
    cwd: str = HOME
    environment: Mapping[str, str] | None = None
    startup_seconds: float = STARTUP_SECONDS

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the sandbox and wait until the kernel listens.

        Raises:
            SandboxError: the sandbox cannot be built, or the kernel does not listen.
        """
        assert self.parent is not None, "a provisioner belongs to a kernel manager"
        session = self.parent.session
        scheme = session.signature_scheme
        job = Job(
            argv=tuple(cmd),
            cwd=self.cwd,
            env=kernel_environment() if self.environment is None else self.environment,
            files=self.files,
            data={CONNECTION_FILE: connection_file(session.key.decode(), scheme)},
            hidden_paths=self.hidden_paths,
            limits=self.limits,
        )
        sandbox = self.sandbox or default_sandbox()
        process, pinned = await asyncio.to_thread(
            start_listening, sandbox, job, SOCKET_NAMES, self.startup_seconds, "The kernel"
        )
        self.process, self.pinned = process, by_port(pinned)
        self.connection_info = connection_info(f"{process.root}{ADDRESS}", session.key, scheme)
        return self.connection_info
