"""A kernel manager whose kernel runs in a sandbox, and a client that survives anything the kernel sends."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import channel_socket_types
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type

from autograder.sandbox.kernel_job import ADDRESS, CONNECTION_FILE, PORTS
from autograder.sandbox.pinned_kernel import PinnedKernel

MIB = 1024 * 1024
MAX_MESSAGE_BYTES = {"iopub": 16 * MIB, "shell": 512 * MIB, "control": 512 * MIB, "stdin": 64 * MIB, "hb": 1024}
"""Limit on one message part; a kernel that sends more is disconnected."""
MAX_QUEUED_MESSAGES = 32
"""Messages that wait in the kit; further ones wait, or are dropped, in the kernel's own memory."""


class _PinnedSockets:
    """Connections to the sockets that the provisioner pinned, within limits."""

    context: Any

    def _pins(self) -> Mapping[str, int]:
        raise NotImplementedError

    def _make_url(self, channel: str) -> str:
        return f"ipc:///proc/self/fd/{self._pins()[f'{channel}_port']}"

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        sock = self.context.socket(channel_socket_types[channel])
        sock.linger = 200
        sock.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES[channel])
        sock.setsockopt(zmq.RCVHWM, MAX_QUEUED_MESSAGES)
        sock.setsockopt(zmq.RECONNECT_IVL, -1)
        # A kernel that is gone, or does not read, must not block the kit: sending raises zmq.Again instead.
        sock.setsockopt(zmq.SNDTIMEO, 0)
        if identity:
            sock.identity = identity
        sock.connect(self._make_url(channel))
        return sock


class SandboxKernelClient(_PinnedSockets, AsyncKernelClient):
    """A client of one sandboxed kernel, with a ZMQ context of its own.

    It has no heartbeat: the process tells whether the kernel lives. ``lost`` names the channels whose connection ended.
    If the kernel still lives, it sent a message above the limit.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._monitors: dict[str, Any] = {}
        self._lost: set[str] = set()

    def _pins(self) -> Mapping[str, int]:
        return _provisioner(self.parent).pinned

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        sock = super()._create_connected_socket(channel, identity)
        self._monitors[channel] = zmq.Socket.shadow(sock.get_monitor_socket(zmq.EVENT_DISCONNECTED))
        return sock

    @property
    def lost(self) -> frozenset[str]:
        """Return the channels that are no longer connected (``iopub``, ``shell``…)."""
        self._lost |= {name for name, monitor in self._monitors.items() if monitor.poll(0)}
        return frozenset(self._lost)

    def start_channels(
        self,
        shell: bool = True,
        iopub: bool = True,
        stdin: bool = False,
        hb: bool = False,
        control: bool = True,
    ) -> None:
        """Start the channels as jupyter_client does, but never a heartbeat: its thread would reconnect.

        The stdin channel is always started: over it the kernel asks for a test's own functions. Cells have no input.
        """
        super().start_channels(shell=shell, iopub=iopub, stdin=True, hb=False, control=control)


class SandboxKernelManager(_PinnedSockets, AsyncKernelManager):
    """An :class:`AsyncKernelManager` that leaves no connection file on the host.

    After ``start_kernel()``, ``provisioner.process`` is the sandbox's :class:`~autograder.sandbox.base.Process`.
    """

    client_factory = Type(klass=SandboxKernelClient)

    def _client_factory_default(self) -> type[SandboxKernelClient]:
        return SandboxKernelClient

    def _pins(self) -> Mapping[str, int]:
        return _provisioner(self).pinned

    def write_connection_file(self, **kwargs: Any) -> None:
        """Do nothing: the connection file exists only inside the sandbox."""

    def cleanup_ipc_files(self) -> None:
        """Do nothing: the sockets lie in the sandbox's own tmpfs."""

    async def _async_interrupt_kernel(self) -> None:
        with contextlib.suppress(zmq.Again):
            await super()._async_interrupt_kernel()

    async def _async_request_shutdown(self, restart: bool = False) -> None:
        with contextlib.suppress(zmq.Again):
            await super()._async_request_shutdown(restart=restart)

    interrupt_kernel = _async_interrupt_kernel
    request_shutdown = _async_request_shutdown

    def _reconcile_connection_info(self, info: Any) -> None:
        self.load_connection_info(info)


def new_manager(argv: Sequence[str]) -> SandboxKernelManager:
    """Make a manager that has no provisioner yet."""
    manager = SandboxKernelManager(
        transport="ipc", ip=ADDRESS, connection_file=CONNECTION_FILE, shutdown_wait_time=2.0, **PORTS
    )
    manager._kernel_spec = KernelSpec(
        argv=list(argv), display_name="Python", language="python", interrupt_mode="message"
    )
    return manager


def _provisioner(manager: Any) -> PinnedKernel:
    provisioner = manager.provisioner
    assert isinstance(provisioner, PinnedKernel)
    return provisioner
