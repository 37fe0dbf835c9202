"""A kernel's channels, read where they are needed and without an event loop.

jupyter_client reads each message in several turns of a loop, which costs more than everything else that is done with
it: a notebook has hundreds of messages. Its sockets are the same here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jupyter_client.session
import zmq

NAMES = ("shell", "iopub", "stdin", "control")

# jupyter_client makes an object of each date in a message's headers, which takes longer than all else that is done to
# read it, and nobody here asks for one: they stay texts.
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
        """The id of the message, which is on its way. Raises ``zmq.Again`` where the kernel does not read."""
        message = self._session.msg(kind, content, parent)
        self._session.send(self._sockets[channel], message, buffers=buffers)
        return str(message["header"]["msg_id"])

    def receive(self, channel: str) -> dict[str, Any] | None:
        """The next message, if one is there. Raises anything for one that is none: its bytes are the student's."""
        try:
            parts = self._sockets[channel].recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None
        _, parts = self._session.feed_identities(parts)
        message: dict[str, Any] = self._session.deserialize(parts)
        return message

    def wait(self, seconds: float, *channels: str) -> frozenset[str]:
        """Those of the channels that have a message, as soon as one has, or ``seconds`` have passed."""
        poller = zmq.Poller()
        for name in channels:
            poller.register(self._sockets[name], zmq.POLLIN)
        ready = dict(poller.poll(max(0, int(seconds * 1000))))
        return frozenset(name for name in channels if self._sockets[name] in ready)
