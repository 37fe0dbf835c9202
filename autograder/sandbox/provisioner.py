"""A Jupyter kernel provisioner that starts the kernel inside a sandbox.

Inside, the kernel binds five sockets in a small tmpfs of the sandbox's own; no folder of the host is writable. Outside,
each socket is opened once, without following links, before any student's code runs. Later connections reach that very
socket, even if the student has put something else in its place.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from autograder.records.limits import Limits
from autograder.sandbox import default_sandbox
from autograder.sandbox.base import HOME, Job, Process, Sandbox, kernel_environment
from autograder.sandbox.kernel_job import (
    ADDRESS,
    CONNECTION_FILE,
    PORTS,
    SOCKET_NAMES,
    STARTUP_SECONDS,
    connection_file,
)
from autograder.sandbox.sockets import start_listening

SHUTDOWN_SECONDS = 2.0


class SandboxProvisioner(KernelProvisionerBase):
    """A provisioner of one kernel in one sandbox.

    :func:`autograder.sandbox.kernel_manager.kernel_manager` uses it and fills the attributes. Through its entry point
    ``autograder-sandbox``, a kernel specification gets the default sandbox and limits.
    """

    sandbox: Sandbox | None = None
    files: Mapping[str, Path] = {}
    hidden_paths: tuple[Path, ...] = ()
    limits: Limits = Limits()
    cwd: str = HOME
    environment: Mapping[str, str] | None = None
    startup_seconds: float = STARTUP_SECONDS
    process: Process | None = None
    pinned: Mapping[str, int] = {}
    """Port name → descriptor of the kernel's socket."""

    @property
    def has_process(self) -> bool:
        """Return whether a sandbox was started."""
        return self.process is not None

    async def poll(self) -> int | None:
        """Return None while the kernel runs, else its exit status."""
        return self.process.poll() if self.process is not None else 0

    async def wait(self) -> int | None:
        """Wait until the kernel ends; return its exit status."""
        if self.process is None:
            return 0
        while self.process.poll() is None:
            await asyncio.sleep(0.02)
        return self.process.poll()

    async def send_signal(self, signum: int) -> None:
        """Kill the kernel on SIGKILL or SIGTERM; ignore other signals, as interrupts go by message."""
        if signum in (9, 15):
            await self.kill()

    async def kill(self, restart: bool = False) -> None:
        """End everything inside."""
        if self.process is not None:
            await asyncio.to_thread(self.process.kill)

    async def terminate(self, restart: bool = False) -> None:
        """End everything inside."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """End everything inside and release the sandbox.

        ``process`` stays available for its usage and exit status.
        """
        for fd in self.pinned.values():
            os.close(fd)
        self.pinned = {}
        if self.process is not None:
            await asyncio.to_thread(self.process.close)

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        """Return how many seconds a kernel may take to shut down."""
        return min(recommended, SHUTDOWN_SECONDS)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Put the command together; the kernel's connection file exists only inside."""
        names = {"{connection_file}": CONNECTION_FILE}
        extra = kwargs.pop("extra_arguments", [])
        command = [names.get(part, part) for part in (*self.kernel_spec.argv, *extra)]
        # Kernel managers pass on the host's environment; the kernel must not get it.
        kwargs.pop("env", None)
        return await super().pre_launch(cmd=command, env={}, **kwargs)

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


def by_port(pinned: Mapping[str, int]) -> dict[str, int]:
    """Name descriptors of the kernel's sockets by port, as Jupyter does."""
    return {port: pinned[f"k-{number}"] for port, number in PORTS.items()}


def connection_info(ip: str, key: Any, scheme: str) -> KernelConnectionInfo:
    """Describe a kernel whose sockets have the numbers of :data:`PORTS`."""
    return KernelConnectionInfo(
        transport="ipc",
        ip=ip,
        key=key,
        signature_scheme=scheme,
        shell_port=PORTS["shell_port"],
        iopub_port=PORTS["iopub_port"],
        stdin_port=PORTS["stdin_port"],
        hb_port=PORTS["hb_port"],
        control_port=PORTS["control_port"],
    )
