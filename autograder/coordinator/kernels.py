"""Kernels that are lent to an examiner: started and measured by the coordinator, used by the examiner.

The examiner asks for a kernel and gets the descriptors of its sockets and the key of its messages. Its other requests
are only about the kernel's state. The coordinator decides which program a kernel is, what it sees and what it may use.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from autograder.errors import SandboxError
from autograder.sandbox.base import Job, Process, Sandbox
from autograder.sandbox.kernel_job import SOCKET_NAMES, STARTUP_SECONDS
from autograder.sandbox.sockets import close_all, start_listening

MAX_WAIT_SECONDS = 1.0
"""Longest time to block in an answer to ``wait``."""
MAX_REQUESTS = 5_000_000
FREE_REQUESTS, MAX_REQUESTS_A_SECOND = 20_000, 2000
"""Limits for one examination: beyond them its requests are slowed down, to leave the coordinator time for others."""
MAX_STDERR = 8192
"""Largest number of characters of a kernel's error output that are passed on."""


@dataclasses.dataclass(frozen=True)
class Lent:
    """A running kernel, with its sockets and key."""

    process: Process
    sockets: dict[str, int]
    """File name of each socket → ``O_PATH`` descriptor."""
    key: str

    def close(self) -> None:
        """End the kernel; idempotent. Its usage can still be read."""
        self.process.close()
        close_all(self.sockets.values())
        self.sockets.clear()


StartKernel = Callable[[], Lent]


def start(sandbox: Sandbox, job: Callable[[str], Job]) -> Lent:
    """Start a kernel; ``job`` describes the one that signs its messages with a given key.

    Raises:
        SandboxError: it cannot be started.
    """
    key = secrets.token_hex(16)
    lent = Lent(*start_listening(sandbox, job(key), SOCKET_NAMES, STARTUP_SECONDS, "The kernel"), key)
    try:
        if os.geteuid() == 0:
            # The examiner's user is another one than the kernel's. That is safe: the sockets lie in the kernel's own
            # mount namespace, so only a holder of the descriptor reaches them, and the kernel demands the key.
            for descriptor in lent.sockets.values():
                os.chmod(f"/proc/self/fd/{descriptor}", 0o666)  # noqa: PTH101 - a descriptor, and no path
    except OSError as error:
        lent.close()
        raise SandboxError(f"The kernel's sockets cannot be opened to the examiner ({error}).") from error
    return lent


class Kernels:
    """All kernels of one examination. ``close()`` ends them.

    Args:
        start: starts one.
        limit: largest number that may be started.
        ahead: start the first one now, while the examiner's process starts.
    """

    def __init__(self, start: StartKernel, limit: int, *, ahead: bool = False) -> None:
        self._start = start
        self._limit = limit
        self._lent: list[Lent] = []
        self.first_lent: datetime | None = None
        """When the first one was lent."""
        self._requests = 0
        self._began = time.monotonic()
        self._helper = ThreadPoolExecutor(1)
        self._ahead = self._helper.submit(start) if ahead else None

    def close(self) -> None:
        """End all of them."""
        with contextlib.ExitStack() as stack:
            for lent in self._lent:
                stack.callback(lent.close)
            if self._ahead is not None:
                with contextlib.suppress(Exception):  # it was never lent
                    stack.callback(self._ahead.result().close)
            self._helper.shutdown()

    def __enter__(self) -> Kernels:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Answer a request of the examiner: the reply, and the descriptors that go with it.

        Raises:
            ValueError: the request is not allowed.
        """
        self._requests += 1
        if self._requests > FREE_REQUESTS + MAX_REQUESTS_A_SECOND * (time.monotonic() - self._began):
            time.sleep(1 / MAX_REQUESTS_A_SECOND)
        if self._requests > MAX_REQUESTS:
            raise ValueError(f"the examiner's process sent more than {MAX_REQUESTS} requests")
        match request:
            case {"ask": "start"}:
                return self._lend()
            case {"ask": str(operation), "kernel": int(number)} if (
                0 <= number < len(self._lent) and operation in _REQUESTS
            ):
                return _REQUESTS[operation](self._lent[number].process, request), ()
        raise ValueError("the examiner's process sent an unknown request")

    def _lend(self) -> tuple[dict[str, Any], tuple[int, ...]]:
        if len(self._lent) >= self._limit:
            raise ValueError(f"the examiner's process asked for more than {self._limit} kernels")
        try:
            ahead, self._ahead = self._ahead, None
            lent = self._start() if ahead is None else ahead.result()
        except SandboxError as error:
            return {"error": str(error)[:MAX_STDERR]}, ()
        for earlier in self._lent:  # memory is planned for one at a time
            earlier.close()
        self._lent.append(lent)
        self.first_lent = self.first_lent or datetime.now(UTC)
        reply = {"kernel": len(self._lent) - 1, "key": lent.key, "label": lent.process.label}
        return reply, tuple(lent.sockets[name] for name in SOCKET_NAMES)


def _wait(process: Process, request: Mapping[str, Any]) -> dict[str, Any]:
    seconds = request.get("seconds")
    return {"status": process.wait(min(MAX_WAIT_SECONDS, seconds) if isinstance(seconds, int | float) else 0.0)}


def _kill(process: Process, _: Mapping[str, Any]) -> dict[str, Any]:
    process.kill()
    return {"status": process.poll()}


_REQUESTS: Mapping[str, Callable[[Process, Mapping[str, Any]], dict[str, Any]]] = {
    "poll": lambda process, _: {"status": process.poll()},
    "wait": _wait,
    "usage": lambda process, _: {"status": process.poll(), **dataclasses.asdict(process.usage())},
    "kill": _kill,
    "stderr": lambda process, _: {"said": process.stderr()[-MAX_STDERR:]},
}
