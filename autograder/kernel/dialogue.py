"""The kernel's side of a conversation with the examiner, in Jupyter's messages."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

from .. import codec

REQUEST = "state_request"
REPLY = "state_reply"
QUESTION = "state_question"


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """Hold an interrupt back while a message is sent or received: half of one would spoil the next.

    Only the main thread may enter it, and only its interrupts are held back.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is None:  # set by a library in C, and could not be restored
        yield
        return
    held: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            signal.raise_signal(signal.SIGINT)


class Dialogue:
    """A way for the kernel to ask the examiner while it answers a request.

    Questions go over the stdin channel, as a kernel's requests for input do. The examiner may ask something itself
    before it answers; that request comes over the same channel.
    """

    def __init__(self, kernel: Any, answer: Callable[[bytes, list[Any]], codec.Packed]) -> None:
        self.kernel = kernel
        self.answer = answer
        self.ident: Any = None
        self.parent: Any = None

    @contextlib.contextmanager
    def about(self, ident: Any, parent: Any) -> Iterator[None]:
        """Set the request that is being answered."""
        self.ident, self.parent = ident, parent
        try:
            yield
        finally:
            self.parent = None

    def _send(self, kind: str, packed: codec.Packed, parent: Any) -> str:
        buffers = [packed.text, *packed.buffers]
        with undivided():
            sent = self.kernel.session.send(
                self.kernel.stdin_socket, kind, {}, parent, ident=self.ident, buffers=buffers
            )
        return str(sent["header"]["msg_id"])

    def ask(self, question: codec.Packed) -> codec.Packed:
        """Ask one question and return its answer; serve requests that come before the answer."""
        if self.parent is None:
            raise RuntimeError("no request is being answered")
        number = self._send(QUESTION, question, self.parent)
        while True:
            # An endless wait would not notice an interrupt on every platform.
            if not self.kernel.stdin_socket.poll(100):
                continue
            with undivided():
                _, message = self.kernel.session.recv(self.kernel.stdin_socket)
            if message is None:
                continue
            text, *buffers = [bytes(b) for b in message.get("buffers") or [b"null"]]
            if message["msg_type"] == REQUEST:
                self._send(REPLY, self.answer(text, buffers), message)
            elif message["parent_header"].get("msg_id") == number:
                return codec.Packed(text, buffers)
