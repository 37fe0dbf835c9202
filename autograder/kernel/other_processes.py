"""Messages of the student's process with another one beside it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import IO

from .. import codec


def send(stream: IO[bytes], parts: Sequence[bytes]) -> None:
    """Write the number of parts, and each part after its length."""
    stream.write(struct.pack(">I", len(parts)))
    for part in parts:
        stream.write(struct.pack(">Q", len(part)))
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> list[bytes]:
    """Read what :func:`send` wrote.

    Raises:
        EOFError: the stream ends early.
        ValueError: the message is too long.
    """
    (count,) = struct.unpack(">I", _exactly(stream, 4))
    parts: list[bytes] = []
    bytes_left = 2 * codec.MAX_BYTES
    for _ in range(count):
        (size,) = struct.unpack(">Q", _exactly(stream, 8))
        bytes_left -= size + 8
        if bytes_left < 0:
            raise ValueError("a message that is too long")
        parts.append(_exactly(stream, size))
    return parts


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
