"""Source of a notebook's kernels: a recording, where it can answer all that is asked, or a fresh kernel.

LiveRecorded:  composed notebook ─▶ kernels, recorded ─▶ grade, and the recording is saved
Replayed:  composed notebook ─▶ the recording, replayed ─▶ the same grade, without any kernel
                                    └─ a question that it does not answer ─▶ ReplayMiss, and no grade
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from autograder._util import libraries
from autograder.check.prediction_cache import PredictionCache, read_predictions
from autograder.codec import CodecError
from autograder.exchange.outcome import Recording
from autograder.execution.capture import ExtraCaptures
from autograder.execution.notebook_run import Kernel, StartKernel
from autograder.execution.recording import Recorder, Replay, ReplyEvent, Session, Transcript
from autograder.execution.recording_format import from_bytes, to_bytes
from autograder.records.composed_notebook import Composed


class ReplayMiss(Exception):
    """A notebook that cannot be graded from its recording; it has to be executed."""


@dataclass
class RecordingBytes:
    """Recording of one notebook, old and new, as bytes that only the examiner's process reads and writes."""

    run: bytes = b""
    """Recording of its kernels; empty where there is none."""
    figures: bytes = b""
    """Cached predictions of its models, see :class:`~autograder.check.prediction_cache.PredictionCache`."""
    new_run: bytes | None = None
    """New recording; empty: the old one is removed; None: the old one stays."""
    new_figures: bytes = b""

    def new(self) -> Recording:
        """Return what the coordinator is to keep."""
        return Recording(self.new_run, self.new_figures)

    def load_run(self) -> Transcript | None:
        """Decode the transcript; return None where there is none that can be read."""
        try:
            return from_bytes(self.run) if self.run else None
        except _UNREADABLE:
            return None

    def save_run(self, transcript: Transcript | None) -> None:
        """Encode a transcript as the new recording; None: it was too large."""
        try:
            self.new_run = b"" if transcript is None else to_bytes(transcript)
        except _UNREADABLE:
            self.new_run = b""

    def load_predictions(self) -> PredictionCache:
        """Decode the cached predictions of the run's models."""
        try:
            ((event,),) = [session.events for session in from_bytes(self.figures).sessions]
            if isinstance(event, ReplyEvent) and event.reply is not None:
                return read_predictions(event.reply)
        except _UNREADABLE:
            pass
        return PredictionCache()

    def save_predictions(self, predictions: PredictionCache | None) -> None:
        """Encode the cached predictions, if there are new ones."""
        if predictions is not None and predictions.changed:
            with contextlib.suppress(CodecError, *_UNREADABLE):
                event = ReplyEvent("", predictions.packed())
                self.new_figures = to_bytes(Transcript((Session("", (event,), 1, 0.0, None),), ()))


_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, MemoryError)


class KernelSource(Protocol):
    """Interface of the kernels of one notebook, from the first cell to the last question."""

    replayed: bool
    """Graded from a recording: nothing is executed."""
    predictions: PredictionCache | None
    """Predictions of models; None: they are not cached."""

    def start(self) -> Kernel:
        """Start a kernel, as a :data:`~autograder.execution.notebook_run.StartKernel`."""

    def clock(self) -> float:
        """Return the time, as a :data:`~autograder.execution.notebook_run.Clock`."""

    def given_up(self) -> bool:
        """Tell whether further work is in vain."""

    def done(self) -> None:
        """Finish, after the last question.

        Raises:
            ReplayMiss: the answers so far cannot be used.
        """


ChooseSource = Callable[[Composed, ExtraCaptures], KernelSource]
"""A function that chooses the kernels of a composed notebook; raises :class:`ReplayMiss`."""


class Live:
    """Fresh kernels that are not recorded."""

    replayed = False

    def __init__(self, start: StartKernel) -> None:
        self.start = start
        self.clock = time.monotonic
        self.predictions: PredictionCache | None = None

    def given_up(self) -> bool:
        """Return False: a fresh kernel can answer everything."""
        return False

    def done(self) -> None:
        """Do nothing: there is no recording to save."""


class LiveRecorded:
    """Fresh kernels that are recorded."""

    replayed = False

    def __init__(self, start: StartKernel, recorded: RecordingBytes, extra: ExtraCaptures) -> None:
        self._recorder = Recorder(start)
        self._recorded = recorded
        self._extra = extra
        self.predictions: PredictionCache | None = PredictionCache()
        self.start = self._recorder.start
        self.clock = self._recorder.clock

    def given_up(self) -> bool:
        """Return False: a fresh kernel can answer everything."""
        return False

    def done(self) -> None:
        """Save the recording."""
        self._recorded.save_run(self._recorder.transcript(self._extra.files, self._extra.figures))
        self._recorded.save_predictions(self.predictions)


class Replayed:
    """Kernels replayed from a recording.

    Raises:
        ReplayMiss: there is no recording, or it was captured otherwise than is needed now.
    """

    replayed = True

    def __init__(self, recorded: RecordingBytes, extra: ExtraCaptures) -> None:
        transcript = recorded.load_run()
        if transcript is None or not _same_look(transcript.files, extra.files):
            raise ReplayMiss
        if not _same_look(transcript.figures, extra.figures):
            raise ReplayMiss
        self._recorded = recorded
        self.predictions: PredictionCache | None = recorded.load_predictions()
        self._replay = Replay(transcript)
        self.start = self._replay.start
        self.clock = self._replay.clock

    def given_up(self) -> bool:
        """Tell whether a question missed the recording, or a library is needed that this process cannot import."""
        return self._replay.missed or libraries.wanted()

    def done(self) -> None:
        """Save new predictions; raise :class:`ReplayMiss` if a question missed the recording."""
        if self._replay.missed:
            raise ReplayMiss
        if not libraries.wanted():
            self._recorded.save_predictions(self.predictions)


def _same_look(then: tuple[int, ...], now: frozenset[int]) -> bool:
    """Compare captures: each look at files shows the changes since the last, so all are needed, or none."""
    return not now or now == set(then)


def kernel_source(start: StartKernel, recorded: RecordingBytes | None, *, replay_only: bool) -> ChooseSource:
    """Return a function that chooses the source of a notebook's kernels.

    Args:
        start: starts a fresh kernel.
        recorded: the notebook's recording; None: nothing is recorded.
        replay_only: whether to replay only.
    """

    def choose(composed: Composed, extra: ExtraCaptures) -> KernelSource:
        if recorded is None:
            if replay_only:
                raise ReplayMiss
            return Live(start)
        return Replayed(recorded, extra) if replay_only else LiveRecorded(start, recorded, extra)

    return choose
