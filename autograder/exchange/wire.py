"""Messages between the coordinator and an examiner: small requests as JSON, parcels as bytes.

Each message is a kind, a length, and as many bytes. Descriptors are sent with the first bytes of an answer. Neither
side trusts the other's lengths: a message that exceeds the receiver's limit is an error before it is read.

How a conversation ends: the coordinator sends the task, then a reply to each request. The examiner sends its outcome
after the last reply, and then waits until the coordinator hangs up. So no outcome is lost to the end of the process
that sent it, wherever either side is held up:

- A message's last byte is sent by the last call of its sender. A sender whose receiver has the whole message has no
  call left that could fail. If a call of the coordinator's fails, the examiner lacks a part of a message for which it
  waits before it sends an outcome. So there is no outcome to be lost.
- The system keeps what was sent, in order, and reports an end or a reset only behind the last byte. The coordinator
  asks how the process ended only after it has read that far.
- An examiner that has sent its outcome still reads. It ends with exit status 0 only after the coordinator has hung up.
  A process with that status and without an outcome was ended by something else, for instance by a test.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

REQUEST, PARCEL = b"r", b"p"
_HEADER = struct.Struct(">cQ")
MAX_REQUEST_BYTES = 64 * 1024
MAX_DESCRIPTORS = 16
SEND_SECONDS = 60.0
"""Seconds that the other side may leave a message unread before the connection is given up."""
LOOK_SECONDS = 0.25
"""Seconds between two checks whether a receiver should continue to wait."""


class Closed(Exception):
    """A connection that the other side closed, or on which it sent an invalid message."""


class Line:
    """One end of the connection.

    Args:
        connection: a connected stream socket.
        max_parcel_bytes: largest size of one parcel that is received.
        takes_descriptors: whether descriptors may come with a message; an untrusted side may not send any.
    """

    def __init__(self, connection: socket.socket, max_parcel_bytes: int, *, takes_descriptors: bool = False) -> None:
        self._connection = connection
        self._max_parcel = max_parcel_bytes
        self._takes = takes_descriptors
        self._poll = select.poll()  # select.select knows no descriptor above 1,023
        self._poll.register(connection, select.POLLIN)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def send_request(self, content: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send a small JSON object; ``descriptors`` go with it."""
        self._send(REQUEST, json.dumps(content, allow_nan=False).encode(), descriptors)

    def send_parcel(self, content: bytes) -> None:
        """Send bytes."""
        self._send(PARCEL, content, ())

    def wait_for_end(self) -> None:
        """Wait until the other side, which has nothing more to say, hangs up."""
        with contextlib.suppress(Closed):
            self.receive()

    def _send(self, kind: bytes, content: bytes, descriptors: Sequence[int]) -> None:
        header = _HEADER.pack(kind, len(content))
        try:
            sent = self._send_descriptors(header, descriptors) if descriptors else 0
            for part in (header[sent:], content):
                if part:  # nothing is sent behind the last byte: the receiver may be gone, and a call would fail
                    self._connection.sendall(part)
        except OSError as error:
            raise Closed(str(error)) from error

    def _send_descriptors(self, header: bytes, descriptors: Sequence[int]) -> int:
        """Send a header with descriptors, and wait while too many are on their way.

        Linux counts the descriptors in transit per user, so that other processes of this user may use up the limit for
        a while.
        """
        deadline = time.monotonic() + SEND_SECONDS
        while True:
            try:
                return socket.send_fds(self._connection, [header], descriptors)
            except OSError as error:
                if error.errno != errno.ETOOMANYREFS or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def receive(self, go_on: Callable[[], bool] = lambda: True) -> tuple[dict[str, Any] | bytes, list[int]]:
        """Wait for the next message: a request's object or a parcel's bytes, and the descriptors with it.

        Args:
            go_on: called before each part, and every :data:`LOOK_SECONDS` while nothing arrives.

        Raises:
            Closed: the other side closed the connection, sent an invalid message, or ``go_on`` returned False.
        """
        descriptors: list[int] = []
        try:
            kind, length = _HEADER.unpack(self._read(_HEADER.size, go_on, descriptors))
            if length > {REQUEST: MAX_REQUEST_BYTES, PARCEL: self._max_parcel}.get(kind, -1):
                raise Closed(f"a message of {length} bytes")
            content = self._read(length, go_on, descriptors)
            return (content if kind == PARCEL else _object(content)), descriptors
        except BaseException:
            for descriptor in descriptors:
                os.close(descriptor)
            raise

    def _read(self, size: int, go_on: Callable[[], bool], descriptors: list[int]) -> bytes:
        parts, missing = [], size
        while missing:
            if not go_on():  # also where something arrives all the time
                raise Closed("the receiver stopped waiting")
            if not self._poll.poll(LOOK_SECONDS * 1000):
                continue
            part = self._read_part(min(missing, 1 << 20), descriptors)
            if not part:
                raise Closed("the other side has hung up")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _read_part(self, size: int, descriptors: list[int]) -> bytes:
        try:
            if not self._takes:
                return self._connection.recv(size)
            part, passed, _, _ = socket.recv_fds(self._connection, size, MAX_DESCRIPTORS)
        except OSError as error:
            raise Closed(str(error)) from error
        descriptors += passed
        return part


def _object(content: bytes) -> dict[str, Any]:
    try:
        request = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Closed(f"a request that is not JSON ({error})") from error
    if type(request) is not dict:
        raise Closed("a request that is not an object")
    return request


def until(deadline: float, also: Callable[[], bool] = lambda: True) -> Callable[[], bool]:
    """Make a ``go_on`` that is true until ``time.monotonic()`` passes ``deadline``, and while ``also`` is."""
    return lambda: time.monotonic() < deadline and also()
