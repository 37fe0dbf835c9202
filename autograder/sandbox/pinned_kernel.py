"""A kernel whose sockets are pinned by descriptors, as Jupyter's provisioners describe it, whoever has started it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from autograder.records.limits import Limits
from autograder.sandbox.base import Process
from autograder.sandbox.kernel_job import CONNECTION_FILE, PORTS

SHUTDOWN_SECONDS = 2.0


class PinnedKernel(KernelProvisionerBase):
    """A provisioner of one kernel in a sandbox; ``launch_kernel`` is its subclass's."""

    limits: Limits = Limits()
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
