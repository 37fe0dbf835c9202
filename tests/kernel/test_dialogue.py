"""A conversation with the examiner outlives an interrupt."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from autograder import codec
from autograder.kernel import dialogue


class InterruptedSession:
    """Sends and receives messages of three parts, and is interrupted after the first."""

    def __init__(self, message: dict[str, Any] | None = None) -> None:
        self.parts: list[int] = []
        self.message = message

    def _transfer(self) -> None:
        for part in range(3):
            self.parts.append(part)
            if part == 0:
                signal.raise_signal(signal.SIGINT)

    def send(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._transfer()
        return {"header": {"msg_id": "1"}}

    def recv(self, socket: Any) -> tuple[list[bytes], dict[str, Any] | None]:
        self._transfer()
        return [], self.message


def conversation(session: Any) -> dialogue.Dialogue:
    socket = SimpleNamespace(poll=lambda milliseconds: True)
    kernel = SimpleNamespace(session=session, stdin_socket=socket)
    return dialogue.Dialogue(kernel, lambda text, buffers: codec.Packed(text, buffers))


def test_an_interrupted_question_is_sent_whole() -> None:
    session = InterruptedSession()
    talk = conversation(session)
    with talk.about(b"", {}), pytest.raises(KeyboardInterrupt):
        talk.ask(codec.Packed(b"null", []))
    assert session.parts == [0, 1, 2]


def test_an_interrupted_answer_is_received_whole() -> None:
    session = InterruptedSession({"msg_type": "state_answer", "parent_header": {"msg_id": "1"}})
    session.send = lambda *args, **kwargs: {"header": {"msg_id": "1"}}  # type: ignore[method-assign]
    talk = conversation(session)
    with talk.about(b"", {}), pytest.raises(KeyboardInterrupt):
        talk.ask(codec.Packed(b"null", []))
    assert session.parts == [0, 1, 2]


def test_an_interrupt_comes_with_the_handler_of_before() -> None:
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with dialogue.undivided():
            signal.raise_signal(signal.SIGINT)
            assert seen == []
        assert seen == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
