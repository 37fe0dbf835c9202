"""Kernels that the coordinator lends to an examiner, which talks to them directly."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo

from autograder.errors import SandboxError
from autograder.exchange.wire import Closed, Line
from autograder.execution.client import SandboxedKernel
from autograder.records.limits import Limits
from autograder.sandbox.base import Usage
from autograder.sandbox.kernel_job import ADDRESS, SIGNATURE_SCHEME, SOCKET_NAMES
from autograder.sandbox.kernel_manager import SandboxKernelManager, new_manager
from autograder.sandbox.pinned_kernel import PinnedKernel, by_port, connection_info

POLL_CACHE_SECONDS = 0.05
Reply = tuple[dict[str, Any], list[int]]
Ask = Callable[[Mapping[str, Any]], Reply]
"""A function that sends a request to the coordinator and returns its reply with descriptors."""


class CoordinatorClient:
    """A client of the coordinator, for calls from any thread.

    One thread of its own talks to the coordinator. A test's time limit may interrupt the calling thread at any moment:
    a request that was begun is completed all the same, and its reply is dropped. The outcome goes the same way, because
    a thread that watches a kernel asks at any moment how much it has used.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._waiting: queue.SimpleQueue[tuple[Mapping[str, Any] | bytes, Future[Reply]]] = queue.SimpleQueue()
        threading.Thread(target=self._speak, daemon=True).start()

    def __call__(self, request: Mapping[str, Any]) -> Reply:
        """Send a request and wait for the reply."""
        return self._said(request)

    def send_outcome(self, outcome: bytes) -> None:
        """Send the outcome as the last message, after the replies to all requests that were begun.

        Returns once the coordinator has read it, see :mod:`autograder.exchange.wire`.

        Raises:
            Closed: the coordinator has hung up before it had all of it.
        """
        self._said(outcome)

    def _said(self, message: Mapping[str, Any] | bytes) -> Reply:
        answered: Future[Reply] = Future()
        self._waiting.put((message, answered))
        return answered.result()

    def _speak(self) -> None:
        while True:
            request, answered = self._waiting.get()
            try:
                if isinstance(request, bytes):
                    self._line.send_parcel(request)
                    self._line.wait_for_end()
                    answered.set_result(({}, []))
                    return
                self._line.send_request(request)
                reply, descriptors = self._line.receive()
                if not isinstance(reply, dict):
                    raise Closed("a parcel where a reply should be")
                answered.set_result((reply, descriptors))
            except BaseException as error:
                answered.set_exception(error)


class LentProcess:
    """A :class:`~autograder.sandbox.base.Process` that the coordinator holds."""

    pid = 0
    root = Path("/nowhere")

    def __init__(self, ask: Ask, number: int, label: str) -> None:
        self._ask = ask
        self._number = number
        self._lived_at = float("-inf")
        self.label = label

    def _request(self, request: str, **more: Any) -> dict[str, Any]:
        return self._ask({"ask": request, "kernel": self._number, **more})[0]

    def poll(self) -> int | None:
        """Ask for the exit status, as the protocol defines.

        "Alive" is cached for a moment, because waiting polls often.
        """
        now = time.monotonic()
        if now - self._lived_at < POLL_CACHE_SECONDS:
            return None
        status: int | None = self._request("poll")["status"]
        self._lived_at = now if status is None else float("-inf")
        return status

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the exit status, as the protocol defines."""
        status: int | None = self._request("wait", seconds=1.0 if timeout is None else timeout)["status"]
        return status

    def kill(self) -> None:
        """Kill the kernel."""
        self._lived_at = float("-inf")
        self._request("kill")

    def usage(self) -> Usage:
        """Ask what the kernel has used so far."""
        reply = self._request("usage")
        del reply["status"]
        return Usage(**reply)

    def memory_limit(self) -> int | None:
        """Return None: the examiner never asks for the limit."""
        return None

    def stdout(self) -> str:
        """Return nothing: the examiner never asks for the kernel's output."""
        return ""

    def stderr(self) -> str:
        """Ask for the kernel's last words."""
        return str(self._request("stderr")["said"])

    def close(self) -> None:
        """Kill the kernel; the coordinator cleans up its sandbox."""
        self.kill()


class LentProvisioner(PinnedKernel):
    """A provisioner that gets a kernel from the coordinator instead of starting one."""

    ask: Ask

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Ask for a kernel; raise :class:`SandboxError` where there is none."""
        reply, descriptors = self.ask({"ask": "start"})
        if "error" in reply:
            raise SandboxError(reply["error"])
        self.process = LentProcess(self.ask, reply["kernel"], reply["label"])
        self.pinned = by_port(dict(zip(SOCKET_NAMES, descriptors, strict=True)))
        self.connection_info = connection_info(ADDRESS, reply["key"].encode(), SIGNATURE_SCHEME)
        return self.connection_info


def lent_kernel(ask: Ask, limits: Limits) -> SandboxedKernel:
    """Get a kernel from the coordinator.

    Raises:
        SandboxError: there is none, or it does not answer.
    """
    manager: SandboxKernelManager = new_manager(("kernel",))
    provisioner = LentProvisioner(kernel_spec=manager._kernel_spec, parent=manager)
    provisioner.ask = ask
    provisioner.limits = limits
    manager.provisioner = provisioner
    return SandboxedKernel(manager, limits)
