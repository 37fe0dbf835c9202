"""A Jupyter kernel provisioner that starts the kernel inside a sandbox.

Inside, the kernel binds five sockets in a small tmpfs of the sandbox's own; no folder of the host is
writable. Outside, each socket is opened once, without following a link, before any student's code runs;
whoever connects later connects to that very socket, whatever the student has put in its place since.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from autograder.errors import SandboxError
from autograder.records import Limits
from autograder.sandbox import default_sandbox
from autograder.sandbox.base import HOME, SOCKETS, Job, Process, Sandbox, kernel_environment

CONNECTION_FILE = "/opt/kernel/connection.json"
ADDRESS = f"{SOCKETS}/k"
PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "hb_port": 4, "control_port": 5}
STARTUP_SECONDS = 60.0
SHUTDOWN_SECONDS = 2.0


class SandboxProvisioner(KernelProvisionerBase):
    """Runs one kernel in one sandbox.

    Used by :func:`autograder.sandbox.kernel.kernel_manager`, which fills the attributes; through its entry
    point ``autograder-sandbox`` a kernel specification gets the default sandbox and limits.
    """

    sandbox: Sandbox | None = None
    files: Mapping[str, Path] = {}
    masked: tuple[Path, ...] = ()
    limits: Limits = Limits()
    cwd: str = HOME
    environment: Mapping[str, str] | None = None
    startup_seconds: float = STARTUP_SECONDS
    process: Process | None = None
    pinned: Mapping[str, int] = {}
    """Port name → descriptor of the kernel's socket."""

    @property
    def has_process(self) -> bool:
        return self.process is not None

    async def poll(self) -> int | None:
        return self.process.poll() if self.process is not None else 0

    async def wait(self) -> int | None:
        if self.process is None:
            return 0
        while self.process.poll() is None:
            await asyncio.sleep(0.02)
        return self.process.poll()

    async def send_signal(self, signum: int) -> None:
        """Only an end can be sent: interrupts go by message, and signal 0 asks nothing."""
        if signum in (9, 15):
            await self.kill()

    async def kill(self, restart: bool = False) -> None:
        if self.process is not None:
            await asyncio.to_thread(self.process.kill)

    async def terminate(self, restart: bool = False) -> None:
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """End everything inside and give the sandbox back; ``process`` stays for its usage and exit
        status."""
        for fd in self.pinned.values():
            os.close(fd)
        self.pinned = {}
        if self.process is not None:
            await asyncio.to_thread(self.process.close)

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        return min(recommended, SHUTDOWN_SECONDS)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Put the command together; the kernel's connection file exists inside only."""
        names = {"{connection_file}": CONNECTION_FILE}
        extra = kwargs.pop("extra_arguments", [])
        command = [names.get(part, part) for part in (*self.kernel_spec.argv, *extra)]
        # The host's environment, which kernel managers like to pass on, ends here.
        kwargs.pop("env", None)
        return await super().pre_launch(cmd=command, env={}, **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the sandbox and wait until the kernel listens. Raises :class:`SandboxError` where it does
        not."""
        assert self.parent is not None, "a provisioner belongs to a kernel manager"
        session = self.parent.session
        scheme = session.signature_scheme
        inside = {"transport": "ipc", "ip": ADDRESS, "key": session.key.decode(), "signature_scheme": scheme}
        job = Job(
            argv=tuple(cmd),
            cwd=self.cwd,
            env=kernel_environment() if self.environment is None else self.environment,
            files=self.files,
            data={CONNECTION_FILE: json.dumps(inside | PORTS).encode()},
            masked=self.masked,
            limits=self.limits,
        )
        sandbox = self.sandbox or default_sandbox()
        self.process = await asyncio.to_thread(sandbox.start, job)
        try:
            self.pinned = await self._wait_for_sockets(self.process)
        except BaseException:
            await asyncio.to_thread(self.process.close)
            raise
        outside = f"{self.process.root}{ADDRESS}"
        self.connection_info = KernelConnectionInfo(
            transport="ipc",
            ip=outside,
            key=session.key,
            signature_scheme=scheme,
            shell_port=PORTS["shell_port"],
            iopub_port=PORTS["iopub_port"],
            stdin_port=PORTS["stdin_port"],
            hb_port=PORTS["hb_port"],
            control_port=PORTS["control_port"],
        )
        return self.connection_info

    async def _wait_for_sockets(self, process: Process) -> dict[str, int]:
        deadline = time.monotonic() + self.startup_seconds
        pinned: dict[str, int] = {}
        while len(pinned) < len(PORTS):
            missing = {name: number for name, number in PORTS.items() if name not in pinned}
            for name, number in missing.items():
                fd = pin_socket(process, number)
                if fd is not None:
                    pinned[name] = fd
            if len(pinned) == len(PORTS):
                break
            ended = process.poll()
            if ended is not None or time.monotonic() > deadline:
                for fd in pinned.values():
                    os.close(fd)
                raise SandboxError(_startup_failure(process, ended, self.startup_seconds))
            await asyncio.sleep(0.01)
        return pinned


def pin_socket(process: Process, number: int) -> int | None:
    """An O_PATH descriptor of the kernel's socket ``number``, or None while nothing listens there.

    No component is followed through a link: everything below the sandbox's root may be the student's.
    """
    opened: list[int] = []
    try:
        opened.append(os.open(process.root, os.O_PATH | os.O_DIRECTORY))
        for part in Path(SOCKETS).parts[1:]:
            opened.append(os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
        fd = os.open(f"k-{number}", os.O_PATH | os.O_NOFOLLOW, dir_fd=opened[-1])
    except OSError:
        return None
    finally:
        for folder in opened:
            os.close(folder)
    if stat.S_ISSOCK(os.fstat(fd).st_mode) and _listens(fd):
        return fd
    os.close(fd)
    return None


def _listens(fd: int) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(f"/proc/self/fd/{fd}") == 0


def _startup_failure(process: Process, ended: int | None, seconds: float) -> str:
    what = f"did not answer within {seconds:g} s" if ended is None else f"ended with status {ended} while it started"
    said = process.stderr().strip()[-2000:]
    return (
        f"The kernel {what}. Its last words: {said or '(none)'}\n"
        "Check that the assignment's environment has ipykernel, and run `autograder doctor`."
    )
