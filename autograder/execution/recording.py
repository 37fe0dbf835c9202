"""Recordings of what a kernel said while a notebook ran and was examined, and their replay.

A :class:`Recorder` starts kernels and records what they say, as a :class:`Transcript`. From a transcript a
:class:`Replay` makes kernels that run nothing: they answer the same requests with the same bytes. So a recording goes
through execution, decoding and examination like a live notebook. A request that was not recorded sets ``missed``. The
kit itself reads ``missed``, so no test can hide it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.codec import Packed
from autograder.errors import LostError
from autograder.execution.link import Answer
from autograder.records.run import CellRun, RunStatus

if TYPE_CHECKING:
    from autograder.execution.notebook_run import Kernel, StartKernel

MAX_BYTES = 64 * 2**20
"""Limit on one transcript; repeated answers count once. A longer transcript is not kept."""
EVENT_BYTES = 200
"""What an event, or a part of an answer, counts for besides its bytes."""


@dataclass(frozen=True)
class CellEvent:
    """A cell that ran."""

    source: str
    """The digest of the cell's source."""
    run: CellRun


@dataclass(frozen=True)
class ReplyEvent:
    """A reply to a request."""

    request: str
    """The digest of the request."""
    reply: Packed | None
    """None if the kernel was lost during the request."""
    lost: str = ""
    """The sentence that says so."""


@dataclass(frozen=True)
class Session:
    """A kernel from its start to its end, or to the point where it cannot be replayed any further."""

    label: str
    events: tuple[CellEvent | ReplyEvent, ...]
    executed: int
    """How many of the events belong to the execution; the others belong to the examination."""
    cpu_seconds: float
    peak_memory_mib: float | None
    ended: tuple[RunStatus, str] | None = None
    """Why the kernel died, if it did before the examination."""
    ended_at: int = 0
    """Number of the first ``ended()`` call that reported the kernel dead."""


@dataclass(frozen=True)
class Transcript:
    """All kernels of one notebook."""

    sessions: tuple[Session, ...]
    readings: tuple[float, ...]
    """The readings of the execution's clock, in seconds since the first one."""
    files: tuple[int, ...] = ()
    """The test cells, by index, at which files were copied out; see
    :class:`autograder.execution.capture.ExtraCaptures`.
    """
    figures: tuple[int, ...] = ()


def digest(packed: Packed) -> str:
    """Compute a request's digest: equal for equal bytes, part by part."""
    hasher = hashlib.blake2b(digest_size=32)
    for part in (packed.text, *packed.buffers):
        hasher.update(b"%d\0" % len(part))
        hasher.update(part)
    return hasher.hexdigest()


def digest_source(source: str) -> str:
    """Compute the digest of a cell's source."""
    return hashlib.blake2b(source.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


# --- recording ---------------------------------------------------------------------------------------------


class Recorder:
    """A starter of kernels that records what they say."""

    def __init__(self, start: StartKernel, most: int = MAX_BYTES) -> None:
        self._start = start
        self._most = most
        self._parts: dict[bytes, bytes] = {}
        self._size = 0
        self._readings: list[float] = []
        self._kernels: list[_RecordingKernel] = []

    def start(self) -> Kernel:
        """Start a kernel; see :data:`~autograder.execution.notebook_run.StartKernel`."""
        kernel = _RecordingKernel(self._start(), self)
        self._kernels.append(kernel)
        return kernel

    def clock(self) -> float:
        """Read ``time.monotonic()``, and record the reading."""
        now = time.monotonic()
        self._readings.append(now)
        return now

    def transcript(
        self, files: frozenset[int] = frozenset(), figures: frozenset[int] = frozenset()
    ) -> Transcript | None:
        """Return the transcript so far; None if it was too large to keep."""
        if self.full or not self._readings:
            return None
        sessions = tuple(kernel.session() for kernel in self._kernels)
        readings = tuple(reading - self._readings[0] for reading in self._readings)
        return Transcript(sessions, readings, tuple(sorted(files)), tuple(sorted(figures)))

    @property
    def full(self) -> bool:
        """Return whether the transcript was too large to keep; nothing of it is held any more."""
        return self._size > self._most

    def shared(self, packed: Packed) -> Packed:
        """Return the same bytes; parts that were recorded before are held once."""
        parts = [self._part(part) for part in (packed.text, *packed.buffers)]
        return Packed(parts[0], parts[1:])

    def _part(self, part: bytes) -> bytes:
        key = hashlib.blake2b(part, digest_size=32).digest()
        if key not in self._parts:
            self._parts[key] = part
            self.count(len(part) + EVENT_BYTES)
        return self._parts.get(key, part)

    def count(self, size: int) -> None:
        """Count further bytes; past the limit, drop the transcript."""
        self._size += size
        if self.full:
            self._parts.clear()
            for kernel in self._kernels:
                kernel.events.clear()


class _RecordingKernel:
    """A kernel that also records what it says."""

    def __init__(self, kernel: Kernel, recorder: Recorder) -> None:
        self.kernel = kernel
        self.recorder = recorder
        self.label = kernel.label
        self.events: list[CellEvent | ReplyEvent] = []
        self.executed: int | None = None
        self.used: tuple[float, float | None] = (0.0, None)
        self.end: tuple[RunStatus, str] | None = None
        self.asked = self.asked_at_end = 0
        self.sealed = False
        """Nothing after this can be replayed: it depends on a function of the test's own, or on the clock."""

    def _note(self, event: CellEvent | ReplyEvent) -> None:
        if not self.sealed and not self.recorder.full:
            self.events.append(event)
            self.recorder.count(EVENT_BYTES)

    def run(self, source: str, seconds: float) -> CellRun:
        run = self.kernel.run(source, seconds)
        self._note(CellEvent(digest_source(source), run))
        return run

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        def asked_back(question: Packed) -> Packed:
            self.sealed = True
            assert answer is not None
            return answer(question)

        complete = False
        try:
            reply = self.kernel.exchange(request, timeout, None if answer is None else asked_back)
            complete = True
        except LostError as error:
            complete = True
            self._note(ReplyEvent(digest(request), None, str(error)))
            raise
        finally:
            self.sealed = (
                self.sealed or not complete
            )  # a time limit interrupted it, at a point that depends on the machine
        if not self.sealed and not self.recorder.full:
            shared = self.recorder.shared(reply)
            self._note(ReplyEvent(digest(request), shared))
        return reply

    def ended(self) -> tuple[RunStatus, str] | None:
        end = self.kernel.ended()
        self.asked += 1
        if end is not None and self.end is None:
            self.end, self.asked_at_end = end, self.asked
        return end

    def killed(self) -> bool:
        return self.kernel.killed()

    def waited(self) -> float:
        return self.kernel.waited()

    def usage(self) -> tuple[float, float | None]:
        self.used = self.kernel.usage()
        if self.executed is None:
            self.executed = len(self.events)
        return self.used

    def close(self) -> None:
        self.kernel.close()

    def session(self) -> Session:
        executed = len(self.events) if self.executed is None else self.executed
        return Session(self.label, tuple(self.events), executed, *self.used, self.end, self.asked_at_end)


# --- replay ------------------------------------------------------------------------------------------------


class Replay:
    """A maker of kernels from a transcript; ``missed`` is set once a request is not in it."""

    def __init__(self, transcript: Transcript) -> None:
        self.missed = False
        self._sessions: Iterator[Session] = iter(transcript.sessions)
        self._readings = iter(transcript.readings)
        self._now = 0.0

    def start(self) -> Kernel:
        """Make the next kernel; see :data:`~autograder.execution.notebook_run.StartKernel`."""
        session = next(self._sessions, None)
        if session is None:
            self.missed = True
            session = Session("", (), 0, 0.0, None)
        return _ReplayKernel(session, self._miss)

    def clock(self) -> float:
        """Return the next recorded reading."""
        self._now = next(self._readings, self._now)
        return self._now

    def _miss(self) -> None:
        self.missed = True


class _ReplayKernel:
    """A recorded kernel; implements :class:`autograder.execution.notebook_run.Kernel`.

    Requests between two cells may be skipped: names are copied out one by one. A test that needs fewer names now still
    gets the ones that it needs. After the execution, each request may change what the next one finds, so all must be
    the same, in the same order.
    """

    def __init__(self, session: Session, miss: Callable[[], None]) -> None:
        self.session = session
        self.label = session.label
        self.miss = miss
        self.next = 0
        self.asked = 0
        self.examined = False

    def run(self, source: str, seconds: float) -> CellRun:
        event = self._find(lambda event: isinstance(event, CellEvent))
        if isinstance(event, CellEvent) and event.source == digest_source(source):
            return event.run
        self.miss()
        return CellRun("not_run")

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        wanted = digest(request)
        event = self._find(lambda event: isinstance(event, ReplyEvent) and event.request == wanted)
        if not isinstance(event, ReplyEvent):
            self.miss()
            raise LostError("the notebook's kernel is needed for this")
        if event.reply is None:
            raise LostError(event.lost)
        return event.reply

    def _find(self, fits: Callable[[CellEvent | ReplyEvent], bool]) -> CellEvent | ReplyEvent | None:
        """Return the next event if it is the wanted one; skip replies that are no longer asked for."""
        end = len(self.session.events) if self.examined else self.session.executed
        for index in range(self.next, end):
            event = self.session.events[index]
            if fits(event):
                self.next = index + 1
                return event
            if self.examined or not _may_pass(event):
                return None
        return None

    def ended(self) -> tuple[RunStatus, str] | None:
        self.asked += 1
        return self.session.ended if self.session.ended is not None and self.asked >= self.session.ended_at else None

    def killed(self) -> bool:
        """Return False: a recording is kept only if no kernel was killed."""
        return False

    def waited(self) -> float:
        """Return 0: the waiting of then is in the cells' runs."""
        return 0.0

    def usage(self) -> tuple[float, float | None]:
        if not all(map(_may_pass, self.session.events[self.next : self.session.executed])):
            self.miss()
        self.examined = True
        self.next = self.session.executed
        return self.session.cpu_seconds, self.session.peak_memory_mib

    def close(self) -> None:
        """Do nothing: no kernel runs."""


def _may_pass(event: CellEvent | ReplyEvent) -> bool:
    """Return whether the run would have been the same without this request."""
    return isinstance(event, ReplyEvent) and event.reply is not None
