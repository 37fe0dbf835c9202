"""The process that computes strangers' networks, so that none of them is computed where hidden labels lie.

    examiner ──fork, before any hidden file is read──▶ source ──fork, at the first request──▶ worker
       └──────────── graph or configuration, weights and inputs; outputs come back ────────────┘

A library's own code may have a fault by which a network reads memory that is none of its own, or ends its process. The
worker has nothing to read: of the assignment's hidden files it holds the inputs that it is asked about, and no label.
What ends it is the student's failure; the source then makes the next worker, which holds as little.

Requests come from the examiner and are plain data. An answer is read as strictly as one of a kernel.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import importlib
import itertools
import os
import re
import signal
import socket
import struct
import sys
import time
import traceback
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from autograder.codec import CodecError, decode, encode
from autograder.errors import RemoteError
from autograder.models.argument_values import RefusedModel

ENDED = "The model ended the process that computes it: it does what its library does not check."
"""Message for the student."""
MAX_ANSWER_BYTES = 512 << 20
_MAX_BUFFERS = 100_000
_LARGE_BYTES = 1 << 16
"""Arrays of a request from this size on are sent as they lie in memory."""
_MAX_TEXT = 2_000
_NAME = re.compile(r"[A-Za-z_]\w{0,60}", re.ASCII)
_PDEATHSIG, _GET_DUMPABLE, _SET_DUMPABLE = 1, 3, 4

ERRORS: dict[str, Callable[[str], Exception]] = {"RefusedModel": RefusedModel}
"""Exceptions of the kit's that a computation may raise: the name of the class → makes it of its text, or of ``told``.

Any other comes back as one of its name.
"""


class EndedComputation(RemoteError):
    """A worker that ended while it computed a student's network."""


class Computed:
    """An object that lives where strangers' networks are computed: in the worker, or here if there is none.

    It is made at the first request, and again after another network has ended the worker; not so one that is to
    remember earlier requests.

    Args:
        kind: its class, in a module that can be imported; ``is_stateful`` says whether it remembers.
        arguments: what it is made of, plain data.
    """

    def __init__(self, kind: type, *arguments: Any) -> None:
        self._kind, self.arguments = kind, arguments
        self._here: Any = None
        self._number, self._worker = next(_numbers), 0
        weakref.finalize(self, _dropped.append, self._number).atexit = False

    @classmethod
    def here(cls, held: Any) -> Computed:
        """Return an object of this process, for what cannot be sent."""
        computed = cls(type(held))
        computed._here = held
        return computed

    def ask(self, method: str, *arguments: Any) -> Any:
        """Return what a method of the object returns: plain data, of which only the types are known.

        Raises:
            EndedComputation: the worker ended twice over it.
            Exception: what the object raised, see :data:`ERRORS`.
        """
        if _process is None or self._here is not None:
            if self._here is None:
                self._here = self._kind(*self.arguments)
            return getattr(self._here, method)(*arguments)
        try:
            return self._ask(_process, method, arguments)
        except EndedComputation:  # another network, computed before, may have left the worker damaged
            if self._is_stateful:
                raise
            return self._ask(_process, method, arguments)

    def _ask(self, process: ComputingProcess, method: str, arguments: tuple[Any, ...]) -> Any:
        if self._worker != process.worker():
            if self._worker and self._is_stateful:
                raise EndedComputation(ENDED)
            name = f"{self._kind.__module__}:{self._kind.__qualname__}"
            process.ask(["make", self._number, name, list(self.arguments)])
            self._worker = process.worker()
        return process.ask(["ask", self._number, method, list(arguments)])

    @property
    def _is_stateful(self) -> bool:
        return bool(getattr(self._kind, "is_stateful", False))


class ComputingProcess:
    """The examiner's end: it has the source make workers, and asks them.

    Args:
        limits: what a worker does within, such as a limit on its memory.
    """

    def __init__(self, limits: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext) -> None:
        self._control, theirs = socket.socketpair()
        self._line: socket.socket | None = None
        self._pid = 0
        self._count = 0
        self._spent = self._waited = self._waited_before = 0.0
        sys.stdout.flush()
        sys.stderr.flush()
        self.source_pid = _fork()
        if self.source_pid == 0:
            _serve_forever(_make_workers, theirs, limits)
        theirs.close()
        self._closed = _set_traceable(False)  # no worker looks into the memory of this process

    def worker(self) -> int:
        """Return the number of the worker that answers now, which is another one after each end."""
        if self._line is None:
            self._line, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(self._control, [b"w"], [theirs.fileno()])
            self._pid = struct.unpack("=q", _received(self._control, 8))[0]
            self._count += 1
        return self._count

    def ask(self, request: list[Any]) -> Any:
        """Send a request, and return what the answer holds.

        Raises:
            EndedComputation: the worker ended.
            Exception: as :meth:`Computed.ask`.
        """
        self.worker()
        assert self._line is not None
        dropped = [_dropped.pop() for _ in range(len(_dropped))]
        try:
            try:
                _send(self._line, [*request, dropped])
                kind, value, spent = _answer(self._line)
            except (OSError, EOFError, CodecError) as error:  # it ended, or is no longer the kit's own code
                raise EndedComputation(ENDED) from error
        except BaseException:  # also where the time of a test is over: the worker may compute for hours
            self.end_worker()
            raise
        self._spent += spent
        if kind == "value":
            return value
        raise _error(value)

    def end_worker(self) -> None:
        """End the worker; the next request makes another one."""
        if self._line is not None:
            self._waited_before, self._waited = self.waited(), 0.0
            self._line.close()
            self._line = None
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """End worker and source."""
        self.end_worker()
        _set_traceable(self._closed)
        self._control.close()
        with contextlib.suppress(OSError):
            os.waitpid(self.source_pid, 0)

    def waited(self) -> float:
        """Return the seconds in which workers could run and others had the processors."""
        if self._line is not None:
            with contextlib.suppress(OSError, IndexError, ValueError):  # it may have ended
                self._waited = int(Path(f"/proc/{self._pid}/schedstat").read_text().split()[1]) / 1e9
        return self._waited_before + self._waited

    @property
    def pids(self) -> tuple[int, int]:
        """The source and the worker; 0 where there is none."""
        return self.source_pid, self._pid if self._line is not None else 0

    @property
    def spent(self) -> float:
        """Processor time that workers have taken for their answers, in seconds, by their own word."""
        return self._spent


_process: ComputingProcess | None = None
_numbers = itertools.count(1)
_dropped: list[int] = []
"""Numbers of objects that nobody asks any more."""


@contextlib.contextmanager
def computing_apart(limits: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext) -> Iterator[None]:
    """Compute strangers' networks in a process of their own inside the block.

    The libraries that compute must have been imported, and none of them may have computed anything: its threads would
    be missing in a fork. What this process reads from here on, the other one does not have.
    """
    global _process
    _process = ComputingProcess(limits)
    try:
        yield
    finally:
        process, _process = _process, None
        process.close()


def is_apart() -> bool:
    """Return whether strangers' networks are computed in a process of their own."""
    return _process is not None


def current() -> ComputingProcess | None:
    """Return the process that computes strangers' networks, if it is not this one."""
    return _process


def waited() -> float:
    """Return the seconds in which others kept the worker waiting; see :meth:`ComputingProcess.waited`."""
    return 0.0 if _process is None else _process.waited()


def process_time() -> float:
    """Return the processor time of this process and of what was computed for it, in seconds."""
    return time.process_time() + (0.0 if _process is None else _process.spent)


def require_arrays(answer: Any, rows: int, dtype: str | None = None) -> list[np.ndarray]:
    """Return an answer that is a list of arrays of numbers with so many rows each.

    Raises:
        EndedComputation: it is something else, as the kit's own code never gives.
    """
    if type(answer) is not list or not all(
        type(array) is np.ndarray
        and array.dtype.kind in "biuf"
        and (dtype is None or array.dtype == dtype)
        and array.shape[:1] == (rows,)
        for array in answer
    ):
        raise EndedComputation(ENDED)
    return answer


# --- messages ----------------------------------------------------------------------------------------

_HEAD = struct.Struct("=QQQ")
"""The sizes of a message: bytes of its text, large arrays, other buffers."""


def _send(line: socket.socket, request: Any) -> None:
    """Send plain data; large arrays go as they lie in memory."""
    large: list[np.ndarray] = []
    packed = encode(_without_large(request, large))
    _send_parts(line, packed.text, packed.buffers, large)


def _without_large(value: Any, large: list[np.ndarray]) -> Any:
    """Return plain data with a number, its type and shape in the place of each large array."""
    if type(value) in (list, tuple):
        return type(value)(_without_large(item, large) for item in value)
    if type(value) is dict:
        return {key: _without_large(item, large) for key, item in value.items()}
    if type(value) is np.ndarray and value.nbytes >= _LARGE_BYTES and value.dtype.kind in "biuf":
        large.append(np.ascontiguousarray(value))
        return {_LARGE: [len(large) - 1, value.dtype.str, list(value.shape)]}
    return value


def _with_large(value: Any, large: list[Any]) -> Any:
    if type(value) in (list, tuple):
        return type(value)(_with_large(item, large) for item in value)
    if type(value) is dict:
        if list(value) == [_LARGE]:
            number, dtype, shape = value[_LARGE]
            return np.frombuffer(large[number], dtype).reshape(shape)
        return {key: _with_large(item, large) for key, item in value.items()}
    return value


_LARGE = "\0large"


def _send_parts(line: socket.socket, text: bytes, buffers: list[bytes], large: Sequence[np.ndarray] = ()) -> None:
    views: list[Any] = [*(array.reshape(-1).view(np.uint8) for array in large), *buffers]
    sizes = struct.pack(f"={len(views)}Q", *map(len, views))
    line.sendall(b"".join([_HEAD.pack(len(text), len(large), len(buffers)), sizes, text]))
    for view in views:
        line.sendall(view)


def _receive_parts(line: socket.socket, most: int) -> tuple[bytes, list[bytearray], list[bytearray]]:
    """Receive a text, its buffers, and large arrays beside it.

    Raises:
        EOFError: the other side has ended.
        CodecError: they are larger than ``most`` bytes.
    """
    length, large, count = _HEAD.unpack(_received(line, _HEAD.size))
    if large + count > _MAX_BUFFERS:
        raise CodecError("too many buffers")
    sizes = struct.unpack(f"={large + count}Q", _received(line, 8 * (large + count)))
    if length + sum(sizes) > most:
        raise CodecError("too large")
    text, *buffers = [_received(line, size) for size in (length, *sizes)]
    return bytes(text), buffers[large:], buffers[:large]


def _received(line: socket.socket, size: int) -> bytearray:
    content = bytearray(size)
    view = memoryview(content)
    while view:
        count = line.recv_into(view)
        if not count:
            raise EOFError("the other side has ended")
        view = view[count:]
    return content


def _answer(line: socket.socket) -> tuple[str, Any, float]:
    """Read an answer as strictly as one of a kernel.

    Raises:
        CodecError: it is none.
    """
    text, buffers, _ = _receive_parts(line, MAX_ANSWER_BYTES)
    answer = decode(text, buffers)
    if type(answer) is not list or len(answer) != 3 or answer[0] not in ("value", "error"):
        raise CodecError("no answer")
    kind, value, spent = answer
    if type(spent) is not float or not 0 <= spent < 1e6:
        raise CodecError("no answer")
    if kind == "error" and not (type(value) is list and [type(part) for part in value] == [str, str]):
        raise CodecError("no answer")
    return kind, value, spent


def _error(value: list[str]) -> Exception:
    """Return the exception that a worker tells of; of a library's own, only the name of its class."""
    name, text = value[0], value[1][:_MAX_TEXT]
    if name in ERRORS:
        with contextlib.suppress(ValueError):
            return ERRORS[name](text)
    builtin = getattr(builtins, name, None)
    if isinstance(builtin, type) and issubclass(builtin, Exception):
        with contextlib.suppress(Exception):
            return builtin(text)
    name = name if _NAME.fullmatch(name) else "Exception"
    error: Exception = type(name, (Exception,), {"__module__": "builtins"})(text)
    return error


def _set_traceable(yes: bool) -> bool:
    """Set whether another process of the same user may look into this one; return whether it might before."""
    call = ctypes.CDLL(None).prctl
    before = bool(call(_GET_DUMPABLE, 0, 0, 0, 0))
    call(_SET_DUMPABLE, ctypes.c_ulong(int(yes)), 0, 0, 0)
    return before


# --- source and worker -------------------------------------------------------------------------------


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about threads: there are none
        return os.fork()


def _serve_forever(serve: Callable[..., None], line: socket.socket, *arguments: Any) -> NoReturn:
    """Serve in a new fork, which keeps nothing open but this line and its output, and never returns."""
    try:
        ctypes.CDLL(None).prctl(_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
        descriptor = line.fileno()
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, _most_descriptors())
        for number in (signal.SIGALRM, signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        serve(line, *arguments)
    except BaseException:
        with contextlib.suppress(BaseException):
            traceback.print_exc()
    finally:
        os._exit(0)


def _most_descriptors() -> int:
    return 1 + max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208


def _make_workers(control: socket.socket, limits: Callable[[], AbstractContextManager[None]]) -> None:
    """Make a worker for each descriptor that arrives, until the examiner hangs up."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            return
        line = socket.socket(fileno=descriptors[0])
        pid = _fork()
        if pid == 0:
            _serve_forever(_work, line, limits)
        line.close()
        control.sendall(struct.pack("=q", pid))


def _work(line: socket.socket, limits: Callable[[], AbstractContextManager[None]]) -> None:
    """Make objects and ask them, until the examiner hangs up."""
    global _process
    _process = None  # what is computed here is computed here
    objects: dict[int, Any] = {}
    with limits():
        while True:
            try:
                text, buffers, large = _receive_parts(line, sys.maxsize)
            except EOFError:
                return
            answer = _reply(text, buffers, large, objects)
            try:
                packed = encode(answer)
            except CodecError as error:
                packed = encode(["error", ["ValueError", str(error)[:_MAX_TEXT]], 0.0])
            _send_parts(line, packed.text, packed.buffers)


def _reply(text: bytes, buffers: list[bytearray], large: list[bytearray], objects: dict[int, Any]) -> list[Any]:
    began = time.process_time()
    try:
        request = _with_large(decode(text, buffers, kept_types=None), large)
        kind, number, name, arguments, dropped = request
        for unused in dropped:
            objects.pop(unused, None)
        if kind == "make":
            module, _, owner = name.partition(":")
            objects[number] = getattr(importlib.import_module(module), owner)(*arguments)
            value = None
        else:
            value = getattr(objects[number], name)(*arguments)
    except Exception as error:
        return [
            "error",
            [type(error).__name__, str(getattr(error, "told", error))[:_MAX_TEXT]],
            time.process_time() - began,
        ]
    return ["value", value, time.process_time() - began]
