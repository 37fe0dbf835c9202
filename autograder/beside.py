"""Something done in a process beside this one, while this one goes on: for what takes as long as imports do."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection, Pipe
from typing import Generic, TypeVar

from autograder.errors import AutograderError
from autograder.forks import end_with, follow_parent, fork

_Made = TypeVar("_Made")
PATIENCE_SECONDS = 2.0
"""How long a helper may take to put in order what it had in hand."""
_NOTHING = b""
"""Said where there is no answer: what was asked for is done by whoever waits for it."""


class Beside(Generic[_Made]):
    """``act`` has begun; :meth:`result` waits for it.

    Where it can not be done beside, or comes to nothing there, it is done here: so with one core nothing is lost, and
    faults of the program are raised where they are expected. What it returns must be such that it can be pickled, and
    nothing that it changes in its process is seen here.
    """

    def __init__(self, act: Callable[[], _Made]) -> None:
        self._act = act
        self._process = _Process(lambda answers: answers.send_bytes(_said(act)))

    def result(self) -> _Made:
        """What ``act`` returns.

        Raises:
            Exception: what it raises.
        """
        with self:
            said = self._process.receive()
        return _believed(said, self._act)

    def __enter__(self) -> Beside[_Made]:
        return self

    def __exit__(self, *_: object) -> None:
        """It runs no longer than somebody waits for it."""
        self._process.end()


class Helper:
    """A process that does one thing after another, and keeps what it has imported.

    What it can not do is done here, as by :class:`Beside`. Functions and arguments must be such that they can be
    pickled, too. Requests and answers wait for each other: take a large answer before you make the next request.

    Args:
        prepare: what it does first.
    """

    def __init__(self, prepare: Callable[[], object]) -> None:
        self._process = _Process(partial(_serve, prepare))
        self._begun = self._answered = 0

    def begin(self, act: Callable[..., _Made], *args: object) -> Asked[_Made]:
        """Have ``act(*args)`` done, after what was begun before."""
        self._begun += 1
        try:
            self._process.send(pickle.dumps((act, args)))
        except (OSError, pickle.PicklingError, AttributeError, TypeError):  # it is gone, or can not be told
            self._process.end()
        return Asked(self, self._begun, partial(act, *args))

    def answer(self, number: int) -> bytes:
        """What it says to the request with this number, counted from 1. What nobody has asked for until then is
        passed over. Who is interrupted meanwhile goes on when it has put in order what it had in hand."""
        said = _NOTHING
        try:
            while self._answered < number:
                said = self._process.receive()
                self._answered += 1
        except BaseException:
            self._process.end(PATIENCE_SECONDS)
            raise
        return said

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.end()


class Asked(Generic[_Made]):
    """Something that a helper was asked to do."""

    def __init__(self, helper: Helper, number: int, act: Callable[[], _Made]) -> None:
        self._helper = helper
        self._number = number
        self._act = act

    def result(self) -> _Made:
        """See :meth:`Beside.result`; to be called once, and in the order in which things were begun."""
        return _believed(self._helper.answer(self._number), self._act)


class _Process:
    """A copy of this process that does one thing and ends, and the way to it. There is none where one core would have
    to do both, where it can not be had, or where a thread holds what nobody would let go in a copy."""

    def __init__(self, act: Callable[[Connection], object]) -> None:
        self._pid = 0
        if len(os.sched_getaffinity(0)) > 1 and threading.active_count() == 1:
            self._way, theirs = Pipe()
            with theirs:
                try:
                    self._pid = fork()
                except OSError:  # no more processes
                    self._way.close()
                else:
                    if not self._pid:
                        self._way.close()
                        end_with(_begin, act, theirs)

    def send(self, message: bytes) -> None:
        """Raises :class:`OSError` where it has ended by itself."""
        if self._pid:
            self._way.send_bytes(message)

    def receive(self) -> bytes:
        """What it says next; nothing where it has ended."""
        if self._pid:
            with contextlib.suppress(EOFError, OSError):
                return self._way.recv_bytes()
        return _NOTHING

    def end(self, patience: float = 0.0) -> None:
        """End it: at once, or as Ctrl-C does and at once after so many seconds."""
        if not self._pid:
            return
        pid, self._pid = self._pid, 0
        self._way.close()
        if not (patience and _interrupted(pid, patience)):
            os.kill(pid, signal.SIGKILL)  # one that has ended is still there until it is waited for
            os.waitpid(pid, 0)


def _interrupted(pid: int, seconds: float) -> bool:
    """Whether a process ends so soon after a Ctrl-C."""
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + seconds
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _believed(said: bytes, act: Callable[[], _Made]) -> _Made:
    """What a process said, or what ``act`` makes here."""
    try:
        made: tuple[_Made, AutograderError | None] = pickle.loads(said)  # of this very program
    except (EOFError, pickle.UnpicklingError):
        return act()
    found, error = made
    if error is not None:
        raise error
    return found


# --- in the other process --------------------------------------------------------------------------------


def _begin(act: Callable[[Connection], object], way: Connection) -> None:
    follow_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt, EOFError, OSError):  # nobody waits for it any more
        act(way)


def _serve(prepare: Callable[[], object], way: Connection) -> None:
    with contextlib.suppress(Exception):  # it is shown where what was to be prepared is missing
        prepare()
    while True:
        message = way.recv_bytes()
        way.send_bytes(_said(partial(_do, message)))
        sys.stdout.flush()


def _do(message: bytes) -> object:
    act, args = pickle.loads(message)
    return act(*args)


def _said(act: Callable[[], object]) -> bytes:
    """What it returns or raises; nothing of a fault, which is shown with its traceback where it happens again."""
    try:
        return pickle.dumps((act(), None))
    except AutograderError as error:
        return pickle.dumps((None, error))
    except Exception:
        return _NOTHING
