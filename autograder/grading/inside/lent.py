"""Kernels as an examiner's process sees them: lent from outside, spoken with directly."""

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
from autograder.execution.client import SandboxedKernel
from autograder.grading.wire import Closed, Line
from autograder.records import Limits
from autograder.sandbox.base import Usage
from autograder.sandbox.kernel_job import ADDRESS, SIGNATURE_SCHEME, SOCKET_NAMES
from autograder.sandbox.kernel_manager import SandboxKernelManager, new_manager
from autograder.sandbox.provisioner import SandboxProvisioner, by_port, connection_info

BELIEVED_SECONDS = 0.05
Reply = tuple[dict[str, Any], list[int]]
Ask = Callable[[Mapping[str, Any]], Reply]
"""Send a request to the coordinator; its reply with descriptors."""


class Asking:
    """Asks the coordinator, from any thread.

    One thread speaks with it. A test's time limit may strike in the thread that asks, at any moment: a request that was
    begun then ends all the same, and its reply is dropped.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._waiting: queue.SimpleQueue[tuple[Mapping[str, Any], Future[Reply]]] = queue.SimpleQueue()
        threading.Thread(target=self._speak, daemon=True).start()

    def __call__(self, request: Mapping[str, Any]) -> Reply:
        answered: Future[Reply] = Future()
        self._waiting.put((request, answered))
        return answered.result()

    def _speak(self) -> None:
        while True:
            request, answered = self._waiting.get()
            try:
                self._line.send_request(request)
                reply, descriptors = self._line.receive()
                if not isinstance(reply, dict):
                    raise Closed("a parcel where a reply should be")
                answered.set_result((reply, descriptors))
            except BaseException as error:
                answered.set_exception(error)


class LentProcess:
    """A :class:`~autograder.sandbox.base.Process` that somebody else holds."""

    pid = 0
    root = Path("/nowhere")

    def __init__(self, ask: Ask, number: int, label: str) -> None:
        self._ask = ask
        self._number = number
        self._lived_at = float("-inf")
        self.label = label

    def _asked(self, what: str, **more: Any) -> dict[str, Any]:
        return self._ask({"ask": what, "kernel": self._number, **more})[0]

    def poll(self) -> int | None:
        """As the protocol says. That it lives is believed for a moment: whoever waits for it asks again."""
        now = time.monotonic()
        if now - self._lived_at < BELIEVED_SECONDS:
            return None
        status: int | None = self._asked("poll")["status"]
        self._lived_at = now if status is None else float("-inf")
        return status

    def wait(self, timeout: float | None = None) -> int | None:
        status: int | None = self._asked("wait", seconds=1.0 if timeout is None else timeout)["status"]
        return status

    def kill(self) -> None:
        self._lived_at = float("-inf")
        self._asked("kill")

    def usage(self) -> Usage:
        said = self._asked("usage")
        del said["status"]
        return Usage(**said)

    def memory_limit(self) -> int | None:
        """Nobody asks that here."""
        return None

    def stdout(self) -> str:
        """Nobody asks that here."""
        return ""

    def stderr(self) -> str:
        return str(self._asked("stderr")["said"])

    def close(self) -> None:
        """End it; its sandbox is given back by who lent it."""
        self.kill()


class LentProvisioner(SandboxProvisioner):
    """Gets a kernel from the coordinator instead of starting one."""

    ask: Ask

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Ask for a kernel. Raises :class:`SandboxError` where there is none."""
        told, descriptors = self.ask({"ask": "start"})
        if "error" in told:
            raise SandboxError(told["error"])
        self.process = LentProcess(self.ask, told["kernel"], told["label"])
        self.pinned = by_port(dict(zip(SOCKET_NAMES, descriptors, strict=True)))
        self.connection_info = connection_info(ADDRESS, told["key"].encode(), SIGNATURE_SCHEME)
        return self.connection_info


def lent_kernel(ask: Ask, limits: Limits) -> SandboxedKernel:
    """Get a kernel from outside.

    Raises:
        SandboxError: there is none, or it does not answer.
    """
    manager: SandboxKernelManager = new_manager(("kernel",))
    provisioner = LentProvisioner(kernel_spec=manager._kernel_spec, parent=manager)
    provisioner.ask = ask
    provisioner.limits = limits
    manager.provisioner = provisioner
    return SandboxedKernel(manager, limits)
