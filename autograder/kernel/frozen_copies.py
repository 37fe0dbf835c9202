"""Frozen copies of the kernel's process: each holds everything as it was at one test cell.

A copy is a fork that does nothing but wait. After the last cell the kernel passes it the requests of that cell's test
over a socket, and its questions and replies back:

    examiner ──request @3──▶ kernel ──request──▶ copy 3
             ◀─questions, reply─    ◀─questions, reply─

A number that the kernel gives to an object while cells run means the same object in every later copy. Numbers that are
given afterwards are different in each process: those of copy ``n`` begin at ``(n + 1) * SPAN``, the kernel's own at
``KERNEL``.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import stat
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import codec
from . import other_processes

ADDRESS = b"@"
"""First byte of a request for a copy; its number and a colon follow."""
GONE, UNREAD = "gone", "unread"
"""Outcomes of a request whose copy does not live any more, and of one that could not be read: no code has run."""
SPAN = 2**32
KERNEL = 2**52
MAX_COPIES = 24
OWN_MIB = 16
"""What a copy takes at least, in MiB: its page tables, and pages that both processes write to."""
ASIDE_SECONDS = 10
"""Processor time in which a copy that is made for one answer gives it."""
_SECONDS = 10.0
"""How long a new copy may take to say that it lives."""
_REQUEST, _REPLY, _QUESTION, _ANSWER = b"r", b"p", b"q", b"a"
_UNAWAITED = ("IPython", "ipykernel", "tqdm", "zmq")
"""Packages whose threads no function waits for."""
_THREADED = ("tensorflow", "jax", "torch")


class Copies:
    """The frozen copies of one kernel, whose agent is ``server``."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.living: dict[int, _Copy] = {}
        self.held_mib = 0
        """What the copies may hold beyond what the kernel had when it started, in MiB."""
        self.at_start: tuple[int, int] | None = None
        """Threads of libraries, and resident memory, when the kernel started; None: no copies are made."""
        self.threads: frozenset[threading.Thread] = frozenset()
        """Python's threads when the kernel started."""

    def start(self) -> None:
        """Allow copies from now on, where the platform has them."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            self.threads = frozenset(threading.enumerate())
            self.at_start = _library_threads(), _resident_mib()

    def begin_examination(self) -> None:
        """Give numbers that no copy knows from now on."""
        if self.server.last < SPAN:
            self.server.last = KERNEL

    def refusal(self, room_mib: int) -> str:
        """Return why no copy can be made now: the end of a sentence; empty if one can."""
        if threads := self._threads():
            return threads
        if self.held_mib + self._needed_mib() > room_mib or len(self.living) >= MAX_COPIES:
            return "copies of the notebook's kernel would need too much memory"
        return ""

    def _threads(self) -> str:
        """Return why a fork would not be as this process is."""
        if self.at_start is None:
            return "this kernel cannot be copied"
        if _library_threads() > self.at_start[0]:
            # A fork has only the thread that made it: a library that waits for its others would wait forever.
            library = next((name for name in _THREADED if name in sys.modules), "a library")
            return f"{library} runs threads, and a copy of the process would not have them"
        if any(_is_awaited(thread) for thread in threading.enumerate() if thread not in self.threads):
            # Functions may wait for it: a worker behind a queue, an executor's threads, the pool's of multiprocessing.
            return "the notebook runs threads, and a copy of the process would not have them"
        return ""

    def _needed_mib(self) -> int:
        assert self.at_start is not None
        return max(0, _resident_mib() - self.at_start[1]) + OWN_MIB

    def freeze(self, snapshot: int) -> tuple[str, Any]:
        """Make a copy, unless there is a :meth:`refusal`; see :meth:`Server.freeze`."""
        last, needed = self.server.last, self._needed_mib()
        try:
            self.living[snapshot] = self._fork(snapshot)
        except (OSError, EOFError, ValueError) as error:
            return ("not", f"the notebook's kernel could not be copied ({type(error).__name__})")
        self.held_mib += needed
        return ("frozen", last)

    def _fork(self, snapshot: int) -> _Copy:
        """Fork twice, so that the copy is no child of the kernel, which the student's code might wait for."""
        kernel_end, copy_end = socket.socketpair()
        seeded = random.getstate()
        between = _fork_silently()
        if between == 0:
            try:
                if os.fork() == 0:
                    kernel_end.close()
                    random.setstate(seeded)  # Python seeds its generator anew in a fork
                    self._serve(copy_end, snapshot)
            finally:
                os._exit(0)
        copy_end.close()
        os.waitpid(between, 0)
        kernel_end.settimeout(_SECONDS)
        copy = _Copy(kernel_end)
        kernel_end.settimeout(None)
        return copy

    # --- in the kernel

    def aside(self, answer: Callable[[], Any]) -> Any:
        """Return what a function returns in a copy that ends with it: the student's code leaves no trace.

        Raises:
            OSError: no copy can be made now.
            EOFError: it ended without an answer, or took too long.
        """
        import resource  # there is none on Windows, where nothing is copied

        if refused := self._threads():
            raise OSError(refused)
        kernel_end, copy_end = socket.socketpair()
        number = _fork_silently()
        if number == 0:
            try:
                kernel_end.close()
                self._begin_copy()
                resource.setrlimit(resource.RLIMIT_CPU, (ASIDE_SECONDS, ASIDE_SECONDS))
                _Link(copy_end).send(_REPLY, *codec.encode(answer()))
            finally:
                os._exit(0)
        copy_end.close()
        link = _Link(kernel_end)
        try:
            _, text, *buffers = link.receive()
        finally:
            link.close()
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
        return codec.decode(text, buffers)

    def relay(self, text: bytes, buffers: list[Any]) -> codec.Packed:
        """Have a copy answer a request. An interrupt, or anything else that goes wrong, ends the copy."""
        number, _, text = text[len(ADDRESS) :].partition(b":")
        copy = self.living.get(int(number))
        if copy is None:
            return _gone("there is no copy")
        try:
            copy.send(_REQUEST, text, buffers)
            while True:
                kind, text, *buffers = copy.receive()
                if kind == _REPLY:
                    return codec.Packed(text, buffers)
                channel = self.server.callbacks.channel
                assert channel is not None
                copy.send(_ANSWER, *channel(codec.Packed(text, buffers)))
        except BaseException as error:
            self.living.pop(int(number), None)
            copy.end()
            return _gone(type(error).__name__)

    # --- in the copy

    def _serve(self, copy_end: socket.socket, snapshot: int) -> None:
        """Answer the kernel's requests until it ends."""
        self._begin_copy()
        server = self.server
        server.last = (snapshot + 1) * SPAN
        link = _Link(copy_end)
        link.send(_REPLY, b"%d" % os.getpid(), [])

        def ask(question: codec.Packed) -> codec.Packed:
            link.send(_QUESTION, *question)
            while True:
                kind, text, *buffers = link.receive()
                if kind == _ANSWER:
                    return codec.Packed(text, buffers)
                link.send(_REPLY, *server.answer(text, buffers))

        server.callbacks.channel = ask
        server.callbacks.thread = threading.current_thread()
        while True:
            _, text, *buffers = link.receive()
            link.send(_REPLY, *server.answer(text, buffers))

    def _begin_copy(self) -> None:
        """Leave to the kernel what is the kernel's: its files' positions, interrupts, outputs and other copies."""
        _open_files_anew()
        os.setpgid(0, 0)  # an interrupt of the kernel's group is none of a copy's
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for other in self.living.values():  # it is to end with the kernel, whoever else lives
            other.close()
        self.living = {}
        self.at_start = None
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the kernel's own belongs to a thread that is not here
        for number in (1, 2):  # what the copy's own children write would stand under a later cell of the kernel's
            os.dup2(sys.stderr.fileno(), number)


class _Link:
    """One end of the socket between the kernel and a copy."""

    def __init__(self, connection: socket.socket) -> None:
        self.stream: Any = connection.makefile("rwb")
        connection.close()  # the stream keeps it open

    def send(self, kind: bytes, text: bytes, buffers: list[Any]) -> None:
        other_processes.send(self.stream, [kind, text, *buffers])

    def receive(self) -> list[bytes]:
        return other_processes.receive(self.stream)

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.stream.close()


class _Copy(_Link):
    """The kernel's end, and the process at the other one.

    Raises:
        EOFError: it did not begin.
        OSError: it did not begin in time.
    """

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self.pid = int(self.receive()[1])

    def end(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        self.close()


def _fork_silently() -> int:
    """Fork without Python's warning about threads: those that a fork would lack were looked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


def _gone(reason: str) -> codec.Packed:
    return codec.encode((GONE, reason, ""))


def _resident_mib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def _open_files_anew() -> None:
    """Give this process positions of its own in the files that are open: a fork shares them."""
    import fcntl  # there is none on Windows, where nothing is copied

    for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.fstat(number).st_mode):
                how = fcntl.fcntl(number, fcntl.F_GETFL) & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC)
                anew = os.open(f"/proc/self/fd/{number}", how | os.O_CLOEXEC)
                try:
                    os.lseek(anew, os.lseek(number, 0, os.SEEK_CUR), os.SEEK_SET)
                    os.dup2(anew, number, os.get_inheritable(number))
                finally:
                    os.close(anew)


def _is_awaited(thread: threading.Thread) -> bool:
    """Tell whether a function may wait for a thread: not the kernel's own, a timer, or tqdm's."""
    made_by = type(thread).__module__.partition(".")[0]
    idle = isinstance(thread, (threading.Timer, threading._DummyThread))
    return thread.is_alive() and made_by not in _UNAWAITED and not idle


def _library_threads() -> int:
    """Count the threads that are neither Python's nor those of ZeroMQ, which no copy uses."""
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            names.append((task / "comm").read_text())
    return sum(not name.startswith("ZMQbg") for name in names) - threading.active_count()
