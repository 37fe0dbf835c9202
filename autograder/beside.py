"""Something done in a process beside this one, while this one goes on: for what takes as long as imports do."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from autograder.forks import end_with, fork

_Made = TypeVar("_Made")
_SET_PARENT_DEATH_SIGNAL = 1


class Beside(Generic[_Made]):
    """``act`` has begun; :meth:`result` waits for it.

    Where it can not be done beside, or comes to nothing there, it is done here: so errors are raised where they are
    expected, and with one core nothing is lost. What it returns must be such that it can be pickled, and nothing that
    it changes in its process is seen here.
    """

    def __init__(self, act: Callable[[], _Made]) -> None:
        self._act = act
        self._pid = 0
        if len(os.sched_getaffinity(0)) > 1 and threading.active_count() == 1:
            self._answer, answer = os.pipe()
            self._pid = fork()
            if not self._pid:
                end_with(_answer, act, answer)
            os.close(answer)

    def result(self) -> _Made:
        """What ``act`` returns.

        Raises:
            Exception: what it raises.
        """
        if not self._pid:
            return self._act()
        with self, os.fdopen(self._answer, "rb") as answer:
            said = answer.read()
        try:
            found: _Made = pickle.loads(said)  # of this very program
        except (EOFError, pickle.UnpicklingError):
            return self._act()
        return found

    def __enter__(self) -> Beside[_Made]:
        return self

    def __exit__(self, *_: object) -> None:
        """It runs no longer than somebody waits for it."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0


def _answer(act: Callable[[], object], answer: int) -> None:
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        said = pickle.dumps(act())
    except Exception:  # it is raised again where it is expected
        sys.exit(0)
    with os.fdopen(answer, "wb") as file:
        file.write(said)
