"""A socket that halts before and after each call and cuts what it carries, as a busy machine does once in thousands."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from typing import Any

MAX_PIECES = 3


class Halting:
    """A connected stream socket with delays.

    Args:
        connection: the socket.
        chance: draws where it halts and for how long, and where it cuts.
        seconds: longest halt. At half of the places there is none, so that any two calls come in both orders.
    """

    def __init__(self, connection: socket.socket, chance: random.Random, seconds: float) -> None:
        self._connection = connection
        self._chance = chance
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def sendall(self, data: bytes) -> None:
        """Send in pieces; a call without bytes stays one."""
        cuts = sorted(self._chance.randint(0, len(data)) for _ in range(self._chance.randrange(MAX_PIECES)))
        pieces = [data[first:end] for first, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if first < end]
        for piece in pieces or [data]:
            self._halted(self._connection.sendall, piece)

    def sendmsg(self, *arguments: Any) -> Any:
        """Send with descriptors."""
        return self._halted(self._connection.sendmsg, *arguments)

    def recv(self, size: int) -> Any:
        """Receive, now and then less than has arrived."""
        return self._halted(self._connection.recv, self._chance.choice([size, self._chance.randint(1, size)]))

    def recvmsg(self, *arguments: Any) -> Any:
        """Receive with descriptors."""
        return self._halted(self._connection.recvmsg, *arguments)

    def _halted(self, call: Callable[..., Any], *arguments: Any) -> Any:
        self._halt()
        result = call(*arguments)
        self._halt()
        return result

    def _halt(self) -> None:
        if self._chance.random() < 0.5:
            time.sleep(self._chance.uniform(0.0, self._seconds))
