"""What a kernel said while a notebook ran in it and was examined: written down once, and said again without it.

A :class:`Recorder` stands between the kit and the kernels that it starts. From its :class:`Transcript` a
:class:`Replay` gives kernels that are not there: they run nothing, and answer what was answered then, byte by byte, to
whoever asks the same. So a kept run goes the same way through execution, decoding and examination as the first time,
and whatever is asked that was not asked then is noticed: ``missed`` is the kit's own word, which no test can swallow.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.errors import LostError
from autograder.execution.link import Answer
from autograder.kernel.codec import Packed
from autograder.records import CellRun, RunStatus

if TYPE_CHECKING:
    from autograder.execution.run import Kernel, StartKernel

MAX_BYTES = 64 * 2**20
"""Of one transcript: all that the kernel said, what it said twice counted once. A longer one is not kept."""
EVENT_BYTES = 200
"""What an event, or a part of an answer, counts for beside its bytes."""


@dataclass(frozen=True)
class Ran:
    """A cell that ran."""

    source: str
    """The digest of what ran."""
    run: CellRun


@dataclass(frozen=True)
class Said:
    """An answer."""

    request: str
    """The digest of what was asked."""
    reply: Packed | None
    """None where the kernel was lost over it."""
    lost: str = ""
    """The sentence that says so."""


@dataclass(frozen=True)
class Session:
    """One kernel, from its start to its end, or to where it cannot be replayed any further."""

    label: str
    events: tuple[Ran | Said, ...]
    executed: int
    """How many of the events belong to the execution; the others are the examination's."""
    cpu_seconds: float
    peak_memory_mib: float | None
    ended: tuple[RunStatus, str] | None = None
    """Why it was gone, where it was, before the examination."""
    ended_at: int = 0
    """The how manieth question whether it is gone was the first to be told so."""


@dataclass(frozen=True)
class Transcript:
    """All kernels of one notebook."""

    sessions: tuple[Session, ...]
    readings: tuple[float, ...]
    """What the clock of the execution said, in seconds since its first reading."""
    files: tuple[int, ...] = ()
    """The test cells, by index, at which files were copied out; see
    :class:`autograder.execution.capture.ExtraCaptures`."""
    figures: tuple[int, ...] = ()


def digest(packed: Packed) -> str:
    """Of a request: equal for equal bytes, part by part."""
    made = hashlib.blake2b(digest_size=32)
    for part in (packed.text, *packed.buffers):
        made.update(b"%d\0" % len(part))
        made.update(part)
    return made.hexdigest()


def digest_source(source: str) -> str:
    """Of a cell."""
    return hashlib.blake2b(source.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


# --- writing down ------------------------------------------------------------------------------------------


class Recorder:
    """Starts kernels, and writes down what they say."""

    def __init__(self, start: StartKernel, most: int = MAX_BYTES) -> None:
        self._start = start
        self._most = most
        self._parts: dict[bytes, bytes] = {}
        self._size = 0
        self._readings: list[float] = []
        self._kernels: list[_Recorded] = []

    def start(self) -> Kernel:
        """A :data:`~autograder.execution.run.StartKernel`."""
        kernel = _Recorded(self._start(), self)
        self._kernels.append(kernel)
        return kernel

    def clock(self) -> float:
        """``time.monotonic()``, written down."""
        now = time.monotonic()
        self._readings.append(now)
        return now

    def transcript(
        self, files: frozenset[int] = frozenset(), figures: frozenset[int] = frozenset()
    ) -> Transcript | None:
        """What was written down until now; None where it was too much to be kept."""
        if self.full or not self._readings:
            return None
        sessions = tuple(kernel.session() for kernel in self._kernels)
        readings = tuple(reading - self._readings[0] for reading in self._readings)
        return Transcript(sessions, readings, tuple(sorted(files)), tuple(sorted(figures)))

    @property
    def full(self) -> bool:
        """More was said than is kept; nothing of it is held any more."""
        return self._size > self._most

    def shared(self, packed: Packed) -> Packed:
        """The same bytes, of which those that were said before are held once."""
        parts = [self._part(part) for part in (packed.text, *packed.buffers)]
        return Packed(parts[0], parts[1:])

    def _part(self, part: bytes) -> bytes:
        key = hashlib.blake2b(part, digest_size=32).digest()
        if key not in self._parts:
            self._parts[key] = part
            self.count(len(part) + EVENT_BYTES)
        return self._parts.get(key, part)

    def count(self, size: int) -> None:
        """So many more bytes; past the limit all of them are let go."""
        self._size += size
        if self.full:
            self._parts.clear()
            for kernel in self._kernels:
                kernel.events.clear()


class _Recorded:
    """A kernel whose words are written down; otherwise the kernel itself."""

    def __init__(self, kernel: Kernel, recorder: Recorder) -> None:
        self.kernel = kernel
        self.recorder = recorder
        self.label = kernel.label
        self.events: list[Ran | Said] = []
        self.executed: int | None = None
        self.used: tuple[float, float | None] = (0.0, None)
        self.end: tuple[RunStatus, str] | None = None
        self.asked = self.asked_at_end = 0
        self.sealed = False
        """What comes now cannot be said again: a function of the test's own had its part in it, or the clock."""

    def _note(self, event: Ran | Said) -> None:
        if not self.sealed and not self.recorder.full:
            self.events.append(event)
            self.recorder.count(EVENT_BYTES)

    def run(self, source: str, seconds: float) -> CellRun:
        run = self.kernel.run(source, seconds)
        self._note(Ran(digest_source(source), run))
        return run

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        def asked_back(question: Packed) -> Packed:
            self.sealed = True
            assert answer is not None
            return answer(question)

        done = False
        try:
            reply = self.kernel.exchange(request, timeout, None if answer is None else asked_back)
            done = True
        except LostError as error:
            done = True
            self._note(Said(digest(request), None, str(error)))
            raise
        finally:
            self.sealed = self.sealed or not done  # interrupted by a time limit: where, depends on the machine
        if not self.sealed and not self.recorder.full:
            shared = self.recorder.shared(reply)
            self._note(Said(digest(request), shared))
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


# --- saying again ------------------------------------------------------------------------------------------


class Replay:
    """Gives kernels that are not there; ``missed`` once one was asked what it cannot know."""

    def __init__(self, transcript: Transcript) -> None:
        self.missed = False
        self._sessions: Iterator[Session] = iter(transcript.sessions)
        self._readings = iter(transcript.readings)
        self._now = 0.0

    def start(self) -> Kernel:
        """A :data:`~autograder.execution.run.StartKernel`."""
        session = next(self._sessions, None)
        if session is None:
            self.missed = True
            session = Session("", (), 0, 0.0, None)
        return _Replayed(session, self._miss)

    def clock(self) -> float:
        """What the clock said then."""
        self._now = next(self._readings, self._now)
        return self._now

    def _miss(self) -> None:
        self.missed = True


class _Replayed:
    """Says what a kernel said then; implements :class:`autograder.execution.run.Kernel`.

    While the notebook was executed, what was asked between two cells may be asked in part: names are copied out one by
    one, and a test that needs fewer of them now finds those that it needs. After the execution, where each question may
    change what the next one finds, they must be the same, one after the other.
    """

    def __init__(self, session: Session, miss: Callable[[], None]) -> None:
        self.session = session
        self.label = session.label
        self.miss = miss
        self.next = 0
        self.asked = 0
        self.examined = False

    def run(self, source: str, seconds: float) -> CellRun:
        event = self._find(lambda event: isinstance(event, Ran))
        if isinstance(event, Ran) and event.source == digest_source(source):
            return event.run
        self.miss()
        return CellRun("not_run")

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        wanted = digest(request)
        event = self._find(lambda event: isinstance(event, Said) and event.request == wanted)
        if not isinstance(event, Said):
            self.miss()
            raise LostError("the notebook's kernel is needed for this")
        if event.reply is None:
            raise LostError(event.lost)
        return event.reply

    def _find(self, fits: Callable[[Ran | Said], bool]) -> Ran | Said | None:
        """The next event, if it is the one that is looked for; those passed over on the way are answers that nobody
        wants any more."""
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
        """What is kept was believed then."""
        return False

    def waited(self) -> float:
        """What cells waited then is in their runs."""
        return 0.0

    def usage(self) -> tuple[float, float | None]:
        if not all(map(_may_pass, self.session.events[self.next : self.session.executed])):
            self.miss()
        self.examined = True
        self.next = self.session.executed
        return self.session.cpu_seconds, self.session.peak_memory_mib

    def close(self) -> None:
        """Nothing runs."""


def _may_pass(event: Ran | Said) -> bool:
    """Whether the run would have been the same without this question."""
    return isinstance(event, Said) and event.reply is not None
