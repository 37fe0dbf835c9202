"""Kernels that are lent to an examiner's process: started and measured out here, spoken with in there.

The examiner asks for a kernel and gets the descriptors of its sockets and the key of its messages; everything else that
it may ask is how the kernel fares. Which program a kernel is, what it sees and what it may use is decided here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from autograder.errors import SandboxError
from autograder.sandbox.base import Job, Process, Sandbox
from autograder.sandbox.kernel_job import SOCKET_NAMES, STARTUP_SECONDS
from autograder.sandbox.sockets import close_all, start_listening

MAX_WAIT_SECONDS = 1.0
"""How long an answer to ``wait`` may take."""
MAX_REQUESTS = 5_000_000
FREE_REQUESTS, MAX_REQUESTS_A_SECOND = 20_000, 2000
"""Of one examination: who asks more often waits, so that the coordinator has time for the others."""
MAX_SAID = 8192
"""Characters of a kernel's last words that are passed on."""


@dataclasses.dataclass(frozen=True)
class Lent:
    """A kernel that runs, and the way to it."""

    process: Process
    sockets: dict[str, int]
    """File name of each socket → ``O_PATH`` descriptor."""
    key: str

    def close(self) -> None:
        """End it; idempotent. What it used can be asked all the same."""
        self.process.close()
        close_all(self.sockets.values())
        self.sockets.clear()


StartKernel = Callable[[], Lent]


def start(sandbox: Sandbox, job: Callable[[str], Job]) -> Lent:
    """Start a kernel; ``job`` describes the one whose messages are signed with a key.

    Raises:
        SandboxError: it cannot be started.
    """
    key = secrets.token_hex(16)
    lent = Lent(*start_listening(sandbox, job(key), SOCKET_NAMES, STARTUP_SECONDS, "The kernel"), key)
    try:
        if os.geteuid() == 0:
            # The examiner's user is another one than the kernel's. Nobody but who is handed the descriptor gets there:
            # the sockets lie in the kernel's own mount namespace, and the key is what lets in.
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
        limit: how many may be started.
        ahead: start the first one now, while the examiner's process starts, too.
    """

    def __init__(self, start: StartKernel, limit: int, *, ahead: bool = False) -> None:
        self._start = start
        self._limit = limit
        self._lent: list[Lent] = []
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
                with contextlib.suppress(Exception):  # nobody has asked for it
                    stack.callback(self._ahead.result().close)
            self._helper.shutdown()

    def __enter__(self) -> Kernels:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Answer a request of the examiner's; the reply, and the descriptors that go with it.

        Raises:
            ValueError: it asks for what nobody may ask.
        """
        self._requests += 1
        if self._requests > FREE_REQUESTS + MAX_REQUESTS_A_SECOND * (time.monotonic() - self._began):
            time.sleep(1 / MAX_REQUESTS_A_SECOND)
        if self._requests > MAX_REQUESTS:
            raise ValueError(f"the examiner's process asked for more than {MAX_REQUESTS} things")
        match request:
            case {"ask": "start"}:
                return self._lend()
            case {"ask": str(what), "kernel": int(number)} if 0 <= number < len(self._lent) and what in _ASKED:
                return _ASKED[what](self._lent[number].process, request), ()
        raise ValueError("the examiner's process asked for what there is not")

    def _lend(self) -> tuple[dict[str, Any], tuple[int, ...]]:
        if len(self._lent) >= self._limit:
            raise ValueError(f"the examiner's process asked for more than {self._limit} kernels")
        try:
            ahead, self._ahead = self._ahead, None
            lent = self._start() if ahead is None else ahead.result()
        except SandboxError as error:
            return {"error": str(error)[:MAX_SAID]}, ()
        for earlier in self._lent:  # one at a time is what the machine has room for
            earlier.close()
        self._lent.append(lent)
        told = {"kernel": len(self._lent) - 1, "key": lent.key, "label": lent.process.label}
        return told, tuple(lent.sockets[name] for name in SOCKET_NAMES)


def _poll(process: Process, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": process.poll()}


def _wait(process: Process, request: Mapping[str, Any]) -> dict[str, Any]:
    seconds = request.get("seconds")
    return {"status": process.wait(min(MAX_WAIT_SECONDS, seconds) if isinstance(seconds, int | float) else 0.0)}


def _usage(process: Process, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": process.poll(), **dataclasses.asdict(process.usage())}


def _kill(process: Process, _: Mapping[str, Any]) -> dict[str, Any]:
    process.kill()
    return {"status": process.poll()}


def _said(process: Process, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"said": process.stderr()[-MAX_SAID:]}


_ASKED: Mapping[str, Callable[[Process, Mapping[str, Any]], dict[str, Any]]] = {
    "poll": _poll,
    "wait": _wait,
    "usage": _usage,
    "kill": _kill,
    "stderr": _said,
}
