"""Where the kernels of a notebook come from: a run that is kept, where it can answer all that is asked, or a fresh one.

LiveRecorded:  composed notebook ─▶ kernels, written down ─▶ grade, and the run is kept
Replayed:  composed notebook ─▶ the kept run, said again ─▶ the same grade, without any kernel
                                    └─ asked what it does not know ─▶ ReplayMiss, and no grade
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from autograder._util import libraries
from autograder.check.measured import PredictionCache, read_predictions
from autograder.execution.capture import ExtraCaptures
from autograder.execution.recording import Recorder, Replay, ReplyEvent, Session, Transcript
from autograder.execution.recording_store import from_bytes, to_bytes
from autograder.execution.run import Kernel, StartKernel
from autograder.kernel.codec import CodecError
from autograder.records import Composed


class ReplayMiss(Exception):
    """A notebook cannot be graded from its recording; it has to be executed."""


@dataclass
class Recorded:
    """What is kept of one notebook, and what comes of it now: bytes, read and written on this side of the wall."""

    run: bytes = b""
    """What its kernels said the last time; empty where nothing is kept."""
    figures: bytes = b""
    """What was measured of its models, see :class:`~autograder.check.measured.PredictionCache`."""
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

    def load_predictions(self) -> PredictionCache:
        """What was measured of the models of the run."""
        try:
            ((said,),) = [session.events for session in from_bytes(self.figures).sessions]
            if isinstance(said, ReplyEvent) and said.reply is not None:
                return read_predictions(said.reply)
        except _UNREADABLE:
            pass
        return PredictionCache()

    def save_predictions(self, predictions: PredictionCache | None) -> None:
        """Keep what was measured, if that is new."""
        if predictions is not None and predictions.changed:
            with contextlib.suppress(CodecError, *_UNREADABLE):
                said = ReplyEvent("", predictions.packed())
                self.new_figures = to_bytes(Transcript((Session("", (said,), 1, 0.0, None),), ()))


_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, MemoryError)


class KernelSource(Protocol):
    """The kernels of one notebook, from the first cell to the last question."""

    kept: bool
    """Nothing runs: it was executed earlier."""
    predictions: PredictionCache | None
    """What was measured of models; None: nobody keeps it."""

    def start(self) -> Kernel:
        """A :data:`~autograder.execution.run.StartKernel`."""

    def clock(self) -> float:
        """A :data:`~autograder.execution.run.Clock`."""

    def given_up(self) -> bool:
        """Whether what is done with them is in vain."""

    def done(self) -> None:
        """All is asked.

        Raises:
            ReplayMiss: what was answered is worth nothing.
        """


ChooseSource = Callable[[Composed, ExtraCaptures], KernelSource]
"""Gives the kernels of a composed notebook; raises :class:`ReplayMiss`."""


class Live:
    """Kernels that are started, and not written down."""

    kept = False

    def __init__(self, start: StartKernel) -> None:
        self.start = start
        self.clock = time.monotonic
        self.predictions: PredictionCache | None = None

    def given_up(self) -> bool:
        """Never."""
        return False

    def done(self) -> None:
        """Nothing is left to do."""


class LiveRecorded:
    """Kernels that are started; what they say is kept."""

    kept = False

    def __init__(self, start: StartKernel, recorded: Recorded, beyond: ExtraCaptures) -> None:
        self._recorder = Recorder(start)
        self._recorded = recorded
        self._beyond = beyond
        self.predictions: PredictionCache | None = PredictionCache()
        self.start = self._recorder.start
        self.clock = self._recorder.clock

    def given_up(self) -> bool:
        """Never."""
        return False

    def done(self) -> None:
        """Keep the run."""
        self._recorded.save_run(self._recorder.transcript(self._beyond.files, self._beyond.figures))
        self._recorded.save_predictions(self.predictions)


class Replayed:
    """Kernels that are not there.

    Raises:
        ReplayMiss: there is no run, or it was looked at otherwise than is needed now.
    """

    kept = True

    def __init__(self, recorded: Recorded, beyond: ExtraCaptures) -> None:
        transcript = recorded.load_run()
        if transcript is None or not _same_look(transcript.files, beyond.files):
            raise ReplayMiss
        if not _same_look(transcript.figures, beyond.figures):
            raise ReplayMiss
        self._recorded = recorded
        self.predictions: PredictionCache | None = recorded.load_predictions()
        self._replay = Replay(transcript)
        self.start = self._replay.start
        self.clock = self._replay.clock

    def given_up(self) -> bool:
        """Whether something was asked that the run does not know, or a library is needed that is not here."""
        return self._replay.missed or libraries.wanted()

    def done(self) -> None:
        """See :class:`KernelSource`."""
        if self._replay.missed:
            raise ReplayMiss
        if not libraries.wanted():
            self._recorded.save_predictions(self.predictions)


def _same_look(then: tuple[int, ...], now: frozenset[int]) -> bool:
    """Each look at files tells what has changed since the last: all of them are needed, or none."""
    return not now or now == set(then)


def kernel_source(start: StartKernel, recorded: Recorded | None, *, kept: bool) -> ChooseSource:
    """How a notebook gets its kernels.

    Args:
        start: gives a fresh one.
        recorded: what is kept of it; None: nothing is kept.
        kept: from its recording alone.
    """

    def supply(composed: Composed, beyond: ExtraCaptures) -> KernelSource:
        if recorded is None:
            if kept:
                raise ReplayMiss
            return Live(start)
        return Replayed(recorded, beyond) if kept else LiveRecorded(start, recorded, beyond)

    return supply
