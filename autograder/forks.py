"""A copy of this process that forks: what was imported and read here is in each process that it starts, at no cost.

The copy is made once, while nothing else runs here; each request makes a process of it that runs one target and ends.
Of what this process has open it keeps nothing but its end of a socket, and it ends when the other end is closed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import io
import os
import pickle
import select
import signal
import socket
import struct
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, NoReturn

_NUMBER = struct.Struct("q")
_SET_PARENT_DEATH_SIGNAL = 1


class Copy:
    """The copy, as it is from here on.

    Args:
        shared: what arguments of processes may refer to, and is not sent: the copy has it. Nobody may change it.

    Raises:
        OSError: no process can be made.
    """

    def __init__(self, shared: Sequence[object] = ()) -> None:
        self.shared = tuple(shared)
        self.requests, theirs = socket.socketpair()
        with theirs:
            try:
                self.pid = fork()
            except OSError:
                self.requests.close()
                raise
            if not self.pid:
                end_with(_serve, theirs, self.shared)

    def has(self, shared: Sequence[object]) -> bool:
        """Whether it runs, and these very objects are those that it has."""
        same = len(shared) == len(self.shared) and all(a is b for a, b in zip(shared, self.shared, strict=True))
        return same and self.runs()

    def runs(self) -> bool:
        return not self._gone(os.WNOHANG)

    def _gone(self, options: int) -> bool:
        try:
            return os.waitpid(self.pid, options)[0] != 0
        except ChildProcessError:  # it was known before
            return True

    def process(self, target: Callable[..., object], args: Sequence[object], report: Connection) -> Process:
        """A process that runs ``target(*args, report)``, not started yet."""
        return Process(self, target, args, report)

    def close(self) -> None:
        """End it, and all that it has started."""
        self.requests.close()
        self._gone(0)


class Process:
    """One process of a copy: as much of :class:`multiprocessing.Process` as is needed."""

    sentinel: int
    """Can be read once the process has ended."""
    pid: int

    def __init__(self, copy: Copy, target: Callable[..., object], args: Sequence[object], report: Connection) -> None:
        self._copy = copy
        self._message = _packed((target, tuple(args)), copy.shared)
        self._report = report
        self.exitcode: int | None = None
        """Of an ended one; -n where signal n ended it, 255 where the copy was ended itself."""

    def start(self) -> None:
        """Raises :class:`OSError` where no process can be made, that or :class:`EOFError` where the copy is gone."""
        self.sentinel, status = os.pipe()
        try:
            try:
                _send(self._copy.requests, self._message, [self._report.fileno(), status])
            except BaseException:  # a Ctrl-C, for one: the copy would wait for the rest
                with contextlib.suppress(OSError):
                    self._copy.requests.shutdown(socket.SHUT_RDWR)
                raise
            finally:
                os.close(status)
            self.pid = _read_number(self.sentinel)
            if self.pid < 0:
                raise OSError(-self.pid, os.strerror(-self.pid))
        except BaseException:
            os.close(self.sentinel)
            raise

    def kill(self) -> None:
        """End it now, if it has not ended yet."""
        if not select.select([self.sentinel], [], [], 0)[0]:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and the copy is about to tell
                os.kill(self.pid, signal.SIGKILL)

    def join(self) -> None:
        """Wait for its end."""
        if self.exitcode is None:
            try:
                self.exitcode = _read_number(self.sentinel)
            except (OSError, EOFError):
                self.exitcode = 255
            os.close(self.sentinel)


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


# --- in the copy -----------------------------------------------------------------------------------------


def _serve(requests: socket.socket, shared: Sequence[object]) -> None:
    """Fork a process for each request, and tell how it ended, until nobody is there to ask."""
    _let_go(requests.fileno())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the other's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # what is here stays, and need not be looked at in each process
    ended, wake = os.pipe()
    for end in (ended, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, int] = {}
    parent, asked = os.getpid(), requests.fileno()
    while True:
        ready, _, _ = select.select([asked, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            _tell_ends(running)
        if asked in ready:
            message, descriptors = _receive(requests)
            if not descriptors:
                return
            report, status = descriptors
            try:
                pid = fork()
            except OSError as error:  # there may be room for the next one
                _tell(status, -(error.errno or errno.EAGAIN))
                os.close(report)
                os.close(status)
                continue
            if not pid:
                for mine in (asked, ended, wake, status, *running.values()):
                    os.close(mine)
                end_with(_run, message, report, shared, parent)
            os.close(report)
            running[pid] = status
            _tell(status, pid)


def _let_go(kept: int) -> None:
    """Put nothing in the place of all that is open, so that no lock and no end of a pipe is held by the copy. The
    numbers stay in use: what this process still has of objects closes nothing else by them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers
        number = int(name)
        if number not in (1, 2, nothing, kept):
            with contextlib.suppress(OSError):  # that of the listing itself
                os.fstat(number)
                os.dup2(nothing, number, inheritable=number == 0)
    sys.stdin, sys.stdout, sys.stderr = (_stream(number) for number in range(3))


def _stream(number: int) -> Any:
    mode, errors = ("r", "strict") if number == 0 else ("w", "backslashreplace")
    return open(number, mode, encoding="utf-8", errors=errors, buffering=1, closefd=False)


def _tell_ends(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        descriptor = running.pop(pid)
        _tell(descriptor, os.waitstatus_to_exitcode(status))
        os.close(descriptor)


def _tell(descriptor: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know
        os.write(descriptor, _NUMBER.pack(number))


def _run(message: bytes, report: int, shared: Sequence[object], parent: int) -> None:
    """In a process of its own, which ends with the copy."""
    follow_parent()
    if os.getppid() != parent:
        return
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    target, args = _Unpickler(message, shared).load()
    target(*args, Connection(report, readable=False))


# --- between the two -------------------------------------------------------------------------------------


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, shared: Sequence[object]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(one): number for number, one in enumerate(shared)}

    def persistent_id(self, value: object) -> int | None:
        return self._numbers.get(id(value))


class _Unpickler(pickle.Unpickler):
    """Of what this very program has pickled."""

    def __init__(self, message: bytes, shared: Sequence[object]) -> None:
        super().__init__(io.BytesIO(message))
        self._shared = shared

    def persistent_load(self, number: Any) -> object:
        return self._shared[number]


def _packed(value: object, shared: Sequence[object]) -> bytes:
    file = io.BytesIO()
    _Pickler(file, shared).dump(value)
    return file.getvalue()


def _send(to: socket.socket, message: bytes, descriptors: Sequence[int]) -> None:
    header = _NUMBER.pack(len(message))
    sent = socket.send_fds(to, [header], descriptors)
    to.sendall(header[sent:] + message)


def _receive(requests: socket.socket) -> tuple[bytes, list[int]]:
    """A message, and the descriptors that came with it; none where nobody is there any more."""
    header, descriptors, _, _ = socket.recv_fds(requests, _NUMBER.size, 2)
    header += _read(requests, _NUMBER.size - len(header))
    if len(header) < _NUMBER.size:
        return b"", []
    (length,) = _NUMBER.unpack(header)
    message = _read(requests, length)
    return (message, descriptors) if len(message) == length else (b"", [])


def _read(requests: socket.socket, size: int) -> bytes:
    parts = []
    while size and (part := requests.recv(min(size, 1 << 20))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _read_number(descriptor: int) -> int:
    data = os.read(descriptor, _NUMBER.size)  # as much is written at once
    if len(data) < _NUMBER.size:
        raise EOFError("the copy that processes are forked from has ended")
    return int(_NUMBER.unpack(data)[0])
