"""Messages between the coordinator and an examiner's process: whole, bounded, and nothing else."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autograder.examination.lent_kernel import CoordinatorClient
from autograder.exchange.wire import MAX_REQUEST_BYTES, Closed, Line, until

MAX = 1 << 20


@pytest.fixture
def ends() -> Iterator[tuple[Line, Line, socket.socket]]:
    """The coordinator's end, the process's, and the latter's bare socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Line(ours, MAX), Line(theirs, MAX, takes_descriptors=True), theirs


def test_requests_and_parcels_arrive_as_they_were_sent(ends: tuple[Line, Line, socket.socket]) -> None:
    here, there, _ = ends
    there.send_request({"ask": "start", "n": [1, None]})
    there.send_parcel(b"\0" * 70_000)
    there.send_parcel(b"")
    assert here.receive()[0] == {"ask": "start", "n": [1, None]}
    assert here.receive()[0] == b"\0" * 70_000
    assert here.receive()[0] == b""


def test_descriptors_go_in_and_none_come_out(ends: tuple[Line, Line, socket.socket]) -> None:
    here, there, bare = ends
    read, write = os.pipe()
    here.send_request({}, [write])
    _, (passed,) = there.receive()
    os.write(passed, b"through")
    assert os.read(read, 100) == b"through"
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    socket.send_fds(bare, [struct.pack(">cQ", b"r", 2) + b"{}"], [read, write])
    assert here.receive() == ({}, [])
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    for descriptor in (read, write, passed):
        os.close(descriptor)


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack(">cQ", b"r", MAX_REQUEST_BYTES + 1),
        struct.pack(">cQ", b"p", MAX + 1),
        struct.pack(">cQ", b"p", 1 << 63),
        struct.pack(">cQ", b"x", 1) + b"1",
        struct.pack(">cQ", b"r", 2) + b"[]",
        struct.pack(">cQ", b"r", 2) + b"{x",
        struct.pack(">cQ", b"r", 3) + b"\xff\xff\xff",
        struct.pack(">cQ", b"r", 60_000) + b"[" * 60_000,
    ],
)
def test_what_is_no_message_ends_the_conversation(ends: tuple[Line, Line, socket.socket], sent: bytes) -> None:
    here, _, bare = ends
    bare.sendall(sent)
    with pytest.raises(Closed):
        here.receive()


@pytest.mark.parametrize("cut", [b"", struct.pack(">cQ", b"p", 100)[:5], struct.pack(">cQ", b"p", 100) + b"x" * 99])
def test_a_message_that_is_cut_off_is_none(ends: tuple[Line, Line, socket.socket], cut: bytes) -> None:
    here, _, bare = ends
    bare.sendall(cut)
    bare.shutdown(socket.SHUT_WR)
    with pytest.raises(Closed, match="hung up"):
        here.receive()


def test_nobody_waits_past_a_deadline_or_for_what_was_stopped(ends: tuple[Line, Line, socket.socket]) -> None:
    here, _, bare = ends
    bare.sendall(struct.pack(">cQ", b"p", 100) + b"x")
    with pytest.raises(Closed, match="stopped waiting"):
        here.receive(until(time.monotonic() - 1))
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Closed, match="stopped waiting"):
        here.receive(until(time.monotonic() + 60, lambda: not stopped.is_set()))


def test_nobody_waits_longer_because_something_arrives_all_the_time(ends: tuple[Line, Line, socket.socket]) -> None:
    here, there, _ = ends
    for _ in range(3):
        there.send_request({})
    with pytest.raises(Closed, match="stopped waiting"):
        here.receive(lambda: False)


def test_an_outcome_waits_for_the_reply_to_a_request_that_was_begun(ends: tuple[Line, Line, socket.socket]) -> None:
    """A thread that watches the kernel asks at any moment: its request must neither mix with the outcome nor outlive it."""
    here, there, _ = ends
    client = CoordinatorClient(there)
    asking = threading.Thread(target=lambda: client({"ask": "usage", "kernel": 0}))
    asking.start()
    assert here.receive()[0] == {"ask": "usage", "kernel": 0}
    ending = threading.Thread(target=lambda: client.send_outcome(b"the outcome"))
    ending.start()
    ending.join(0.1)
    assert ending.is_alive()
    here.send_request({"status": None})
    assert here.receive()[0] == b"the outcome"
    here.close()
    asking.join(30)
    ending.join(30)
    assert not asking.is_alive()
    assert not ending.is_alive()


def test_an_examiner_does_not_end_before_the_coordinator_has_hung_up(ends: tuple[Line, Line, socket.socket]) -> None:
    """So an exit status of 0 says that the outcome was read, and nobody hangs up on one who still has to speak."""
    here, there, _ = ends
    ending = threading.Thread(target=lambda: CoordinatorClient(there).send_outcome(b"the outcome"))
    ending.start()
    assert here.receive()[0] == b"the outcome"
    ending.join(0.1)
    assert ending.is_alive()
    here.close()
    ending.join(30)
    assert not ending.is_alive()


class Unhurried:
    """A socket whose sender is held up after each call, until the reader is gone or has waited for more in vain."""

    def __init__(self, connection: socket.socket, reader: threading.Thread) -> None:
        self._connection = connection
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def sendall(self, data: bytes) -> None:
        self._connection.sendall(data)
        self._reader.join(0.2)

    def sendmsg(self, *arguments: Any) -> int:
        sent = self._connection.sendmsg(*arguments)
        self._reader.join(0.2)
        return sent


SENT: dict[str, Callable[[Line], None]] = {
    "a parcel": lambda line: line.send_parcel(b"content"),
    "an empty parcel": lambda line: line.send_parcel(b""),
    "a request": lambda line: line.send_request({}),
    "a request with descriptors": lambda line: line.send_request({}, [0]),
}


@pytest.mark.parametrize("what", SENT)
def test_a_reader_may_hang_up_once_it_has_the_whole_message(what: str) -> None:
    """An examiner of a malformed notebook has its outcome a moment after the last byte, while the sender still sends."""
    ours, theirs = socket.socketpair()
    reader = threading.Thread(target=lambda: (Line(theirs, MAX).receive(), theirs.close()))
    with ours, theirs:
        reader.start()
        SENT[what](Line(Unhurried(ours, reader), MAX))  # type: ignore[arg-type]
        reader.join(30)
        assert not reader.is_alive()


@pytest.mark.parametrize("unread", [False, True])
@pytest.mark.parametrize("fails_to_send", [False, True])
def test_what_was_sent_is_read_before_the_end_of_its_sender(
    ends: tuple[Line, Line, socket.socket], unread: bool, fails_to_send: bool
) -> None:
    """The system reports the end of the other side, or that it left something unread, only after its last byte."""
    here, there, bare = ends
    if unread:
        here.send_request({})
    there.send_parcel(b"x" * 70_000)
    bare.close()
    if fails_to_send:
        with pytest.raises(Closed):
            here.send_request({})
    assert here.receive()[0] == b"x" * 70_000
    with pytest.raises(Closed):
        here.receive()
