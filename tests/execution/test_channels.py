"""A kernel's channels: messages go and come without an event loop, and what is none is no message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import zmq
import zmq.asyncio
from jupyter_client.session import Session

from autograder.execution.channels import NAMES, Channels

KEY = b"between the two"


class Kernel:
    """The other ends, which this file's tests speak through."""

    def __init__(self) -> None:
        self.context = zmq.asyncio.Context()
        self.session = Session(key=KEY)
        self.ends: dict[str, zmq.Socket[bytes]] = {}
        client = SimpleNamespace(session=Session(key=KEY))
        self.sockets = []
        for name in NAMES:
            theirs, ours = self.context.socket(zmq.PAIR), self.context.socket(zmq.PAIR)
            theirs.bind(f"inproc://{name}")
            ours.connect(f"inproc://{name}")
            ours.setsockopt(zmq.SNDTIMEO, 0)
            self.sockets += [theirs, ours]
            self.ends[name] = zmq.Socket.shadow(theirs.underlying)
            setattr(client, f"{name}_channel", SimpleNamespace(socket=ours))
        self.channels = Channels(client)

    def say(self, channel: str, kind: str, **content: Any) -> None:
        self.session.send(self.ends[channel], kind, content)

    def close(self) -> None:
        for socket in self.sockets:
            socket.close(linger=0)
        self.context.term()


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    yield made
    made.close()


def test_messages_go_and_come_with_their_buffers(kernel: Kernel) -> None:
    sent = kernel.channels.send("shell", "state_request", {"a": 1}, buffers=[b"raw", b""])
    _, parts = kernel.session.feed_identities(kernel.ends["shell"].recv_multipart())
    got = kernel.session.deserialize(parts)
    assert (got["header"]["msg_id"], got["msg_type"], got["content"]) == (sent, "state_request", {"a": 1})
    assert [bytes(buffer) for buffer in got["buffers"]] == [b"raw", b""]
    kernel.say("iopub", "status", execution_state="idle")
    assert kernel.channels.wait(5, "iopub", "shell") == {"iopub"}
    assert kernel.channels.receive("iopub")["content"] == {"execution_state": "idle"}


def test_where_nothing_is_there_nobody_waits_longer_than_they_said(kernel: Kernel) -> None:
    began = time.monotonic()
    assert kernel.channels.receive("shell") is None
    assert time.monotonic() - began < 0.5
    assert kernel.channels.wait(0.05, "shell", "stdin") == frozenset()
    assert 0.04 < time.monotonic() - began < 2


def test_only_those_channels_are_waited_for_that_are_named(kernel: Kernel) -> None:
    """A kernel that fills another one does not keep this process busy."""
    kernel.say("shell", "execute_reply")
    assert kernel.channels.wait(0.05, "iopub") == frozenset()


@pytest.mark.parametrize("parts", [[b"rubbish"], [b"<IDS|MSG>", b"", b"{}"], [b"<IDS|MSG>", b"no", *[b"{}"] * 4]])
def test_what_is_no_message_is_an_error_and_the_next_one_is_read(kernel: Kernel, parts: list[bytes]) -> None:
    """Its bytes are the student's: of another form, or not signed with the kernel's key."""
    kernel.ends["shell"].send_multipart(parts)
    kernel.say("shell", "execute_reply", status="ok")
    assert kernel.channels.wait(5, "shell") == {"shell"}
    with pytest.raises((ValueError, TypeError)):
        kernel.channels.receive("shell")
    assert kernel.channels.receive("shell")["content"] == {"status": "ok"}


def test_dates_in_headers_stay_texts(kernel: Kernel) -> None:
    """To make objects of them takes longer than to read the message."""
    kernel.say("iopub", "status", execution_state="idle")
    assert kernel.channels.wait(5, "iopub")
    message = kernel.channels.receive("iopub")
    assert message is not None
    assert type(message["header"]["date"]) is str
