"""Something done in a process beside this one, while this one goes on: for what takes as long as imports do."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from autograder.errors import AutograderError
from autograder.forks import end_with, follow_parent, fork

_Made = TypeVar("_Made")


class Beside(Generic[_Made]):
    """``act`` has begun; :meth:`result` waits for it.

    Where it can not be done beside, or comes to nothing there, it is done here: so with one core nothing is lost, and
    faults of the program are raised where they are expected. What it returns must be such that it can be pickled, and
    nothing that it changes in its process is seen here.
    """

    def __init__(self, act: Callable[[], _Made]) -> None:
        self._act = act
        self._pid = 0
        if len(os.sched_getaffinity(0)) > 1 and threading.active_count() == 1:
            self._answer, answer = os.pipe()
            try:
                self._pid = fork()
            except OSError:  # no more processes
                os.close(self._answer)
            else:
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
        with self, open(self._answer, "rb", closefd=False) as answer:
            said = answer.read()
        try:
            answered: tuple[_Made, AutograderError | None] = pickle.loads(said)  # of this very program
        except (EOFError, pickle.UnpicklingError):
            return self._act()
        found, error = answered
        if error is not None:
            raise error
        return found

    def __enter__(self) -> Beside[_Made]:
        return self

    def __exit__(self, *_: object) -> None:
        """It runs no longer than somebody waits for it."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            os.close(self._answer)
            self._pid = 0


def _answer(act: Callable[[], object], answer: int) -> None:
    follow_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        said = pickle.dumps((act(), None))
    except AutograderError as error:
        said = pickle.dumps((None, error))
    except Exception:  # a fault is shown with its traceback where it happens again
        sys.exit(0)
    with os.fdopen(answer, "wb") as file:
        file.write(said)
