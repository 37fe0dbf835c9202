"""Copies of this process, for what is done beside it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn

_SET_PARENT_DEATH_SIGNAL = 1


def fork() -> int:
    """The new process's id, 0 in it; to be called where no thread runs but a library's that knows of forks."""
    sys.stdout.flush()  # what waits to be written is not the new one's to write
    sys.stderr.flush()
    with warnings.catch_warnings():  # a BLAS has threads, and takes care of them
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def follow_parent() -> None:
    """End this process when the one ends that has started it."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def end_with(act: Callable[..., object], *args: object) -> NoReturn:
    """Do it, and end this process: nothing that waits further up in the copied one may run here."""
    code = 1
    try:
        act(*args)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
