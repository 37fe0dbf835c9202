"""Where the kernels of a notebook come from: a run that is kept, where it can answer all that is asked, or a fresh one.

Executing:  composed notebook ─▶ kernels, written down ─▶ grade, and the run is kept
Regrading:  composed notebook ─▶ the kept run, said again ─▶ the same grade, without any kernel
                                    └─ asked what it does not know ─▶ KernelNeeded, and no grade
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from autograder import libraries
from autograder.capture import Beyond
from autograder.check.measured import Book, read_book
from autograder.execute import Kernel, StartKernel
from autograder.probe.codec import CodecError
from autograder.records import Composed
from autograder.runs import from_bytes, to_bytes
from autograder.transcript import Recorder, Replay, Said, Session, Transcript


class KernelNeeded(Exception):
    """A notebook cannot be graded from its recording; it has to be executed."""


@dataclass
class Recorded:
    """What is kept of one notebook, and what comes of it now: bytes, read and written on this side of the wall."""

    run: bytes = b""
    """What its kernels said the last time; empty where nothing is kept."""
    figures: bytes = b""
    """What was measured of its models, see :class:`~autograder.check.measured.Book`."""
    new_run: bytes | None = None
    """To be kept instead; empty: nothing is; None: it stays as it is."""
    new_figures: bytes = b""

    def load_run(self) -> Transcript | None:
        """The transcript; None where there is none that can be read."""
        try:
            return from_bytes(self.run) if self.run else None
        except _UNREADABLE:
            return None

    def save_run(self, transcript: Transcript | None) -> None:
        """Keep a transcript; None: it was too large."""
        try:
            self.new_run = b"" if transcript is None else to_bytes(transcript)
        except _UNREADABLE:
            self.new_run = b""

    def load_book(self) -> Book:
        """What was measured of the models of the run."""
        try:
            ((said,),) = [session.events for session in from_bytes(self.figures).sessions]
            if isinstance(said, Said) and said.reply is not None:
                return read_book(said.reply)
        except _UNREADABLE:
            pass
        return Book()

    def save_book(self, book: Book | None) -> None:
        """Keep what was measured, if that is new."""
        if book is not None and book.changed:
            with contextlib.suppress(CodecError, *_UNREADABLE):
                said = Said("", book.packed())
                self.new_figures = to_bytes(Transcript((Session("", (said,), 1, 0.0, None),), ()))


_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, MemoryError)


class Supply(Protocol):
    """The kernels of one notebook, from the first cell to the last question."""

    kept: bool
    """Nothing runs: it was executed earlier."""
    book: Book | None
    """What was measured of models; None: nobody keeps it."""

    def start(self) -> Kernel:
        """A :data:`~autograder.execute.StartKernel`."""

    def clock(self) -> float:
        """A :data:`~autograder.execute.Clock`."""

    def given_up(self) -> bool:
        """Whether what is done with them is in vain."""

    def done(self) -> None:
        """All is asked.

        Raises:
            KernelNeeded: what was answered is worth nothing.
        """


Supplying = Callable[[Composed, Beyond], Supply]
"""Gives the kernels of a composed notebook; raises :class:`KernelNeeded`."""


class Fresh:
    """Kernels that are started, and not written down."""

    kept = False

    def __init__(self, start: StartKernel) -> None:
        self.start = start
        self.clock = time.monotonic
        self.book: Book | None = None

    def given_up(self) -> bool:
        """Never."""
        return False

    def done(self) -> None:
        """Nothing is left to do."""


class Executing:
    """Kernels that are started; what they say is kept."""

    kept = False

    def __init__(self, start: StartKernel, recorded: Recorded, beyond: Beyond) -> None:
        self._recorder = Recorder(start)
        self._recorded = recorded
        self._beyond = beyond
        self.book: Book | None = Book()
        self.start = self._recorder.start
        self.clock = self._recorder.clock

    def given_up(self) -> bool:
        """Never."""
        return False

    def done(self) -> None:
        """Keep the run."""
        self._recorded.save_run(self._recorder.transcript(self._beyond.files, self._beyond.figures))
        self._recorded.save_book(self.book)


class Regrading:
    """Kernels that are not there.

    Raises:
        KernelNeeded: there is no run, or it was looked at otherwise than is needed now.
    """

    kept = True

    def __init__(self, recorded: Recorded, beyond: Beyond) -> None:
        transcript = recorded.load_run()
        if transcript is None or not _same_look(transcript.files, beyond.files):
            raise KernelNeeded
        if not _same_look(transcript.figures, beyond.figures):
            raise KernelNeeded
        self._recorded = recorded
        self.book: Book | None = recorded.load_book()
        self._replay = Replay(transcript)
        self.start = self._replay.start
        self.clock = self._replay.clock

    def given_up(self) -> bool:
        """Whether something was asked that the run does not know, or a library is needed that is not here."""
        return self._replay.missed or libraries.wanted()

    def done(self) -> None:
        """See :class:`Supply`."""
        if self._replay.missed:
            raise KernelNeeded
        if not libraries.wanted():
            self._recorded.save_book(self.book)


def _same_look(then: tuple[int, ...], now: frozenset[int]) -> bool:
    """Each look at files tells what has changed since the last: all of them are needed, or none."""
    return not now or now == set(then)


def supplying(start: StartKernel, recorded: Recorded | None, *, kept: bool) -> Supplying:
    """How a notebook gets its kernels.

    Args:
        start: gives a fresh one.
        recorded: what is kept of it; None: nothing is kept.
        kept: from its recording alone.
    """

    def supply(composed: Composed, beyond: Beyond) -> Supply:
        if recorded is None:
            if kept:
                raise KernelNeeded
            return Fresh(start)
        return Regrading(recorded, beyond) if kept else Executing(start, recorded, beyond)

    return supply
