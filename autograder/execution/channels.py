"""A kernel's channels, read on demand and without an event loop.

jupyter_client reads each message in several turns of an event loop. That costs more than everything else that is done
with a message, and a notebook has hundreds of them. The sockets are jupyter_client's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jupyter_client.session
import zmq

NAMES = ("shell", "iopub", "stdin", "control")

# jupyter_client parses each date in a message's headers. That takes longer than the rest of reading it, and no date is
# used here: they stay texts.
_session: Any = jupyter_client.session
_session.extract_dates = lambda headers: headers


class Channels:
    """The sockets of a client whose channels are started; for one thread."""

    def __init__(self, client: Any) -> None:
        self._session = client.session
        self._sockets: dict[str, Any] = {
            name: zmq.Socket.shadow(getattr(client, f"{name}_channel").socket.underlying) for name in NAMES
        }

    def send(
        self,
        channel: str,
        kind: str,
        content: Mapping[str, Any],
        *,
        parent: Any = None,
        buffers: Sequence[bytes] | None = None,
    ) -> str:
        """Send a message; return its id.

        Raises:
            zmq.Again: the kernel does not read.
        """
        message = self._session.msg(kind, content, parent)
        self._session.send(self._sockets[channel], message, buffers=buffers)
        return str(message["header"]["msg_id"])

    def receive(self, channel: str) -> dict[str, Any] | None:
        """Return the next message; None if there is none yet.

        Raises:
            Exception: of any kind, if it is no message: the student's code may have sent these bytes.
        """
        try:
            parts = self._sockets[channel].recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None
        _, parts = self._session.feed_identities(parts)
        message: dict[str, Any] = self._session.deserialize(parts)
        return message

    def wait(self, seconds: float, *channels: str) -> frozenset[str]:
        """Wait until a channel has a message, or ``seconds`` have passed; return the channels that have one."""
        poller = zmq.Poller()
        for name in channels:
            poller.register(self._sockets[name], zmq.POLLIN)
        ready = dict(poller.poll(max(0, int(seconds * 1000))))
        return frozenset(name for name in channels if self._sockets[name] in ready)
