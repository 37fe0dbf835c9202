"""Where the kernels of a notebook come from: a run that is kept, where it can answer all that is asked, or a fresh one.

Executing:  composed notebook ─▶ kernels, written down ─▶ grade, and the run is kept
Regrading:  composed notebook ─▶ the kept run, said again ─▶ the same grade, without any kernel
                                    └─ asked what it does not know ─▶ KernelNeeded, and no grade
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from autograder import libraries
from autograder.check.measured import Book, read_book
from autograder.execute import Beyond, Kernel, StartKernel
from autograder.probe.codec import CodecError
from autograder.records import Composed
from autograder.runkeys import run_key
from autograder.runs import Runs
from autograder.transcript import Recorder, Replay, Said, Session, Transcript


class KernelNeeded(Exception):
    """A notebook can not be graded from a kept run. Nothing was written; whoever catches it has it executed."""

    def __init__(self, key: str = "") -> None:
        super().__init__("the notebook must be executed")
        self.key = key
        """Of the run that would have been needed; empty where there can be none."""


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

    def __init__(self, start: StartKernel, runs: Runs, key: str | None, beyond: Beyond) -> None:
        self._recorder = Recorder(start)
        self._runs = runs
        self._key = key
        self._beyond = beyond
        self.book: Book | None = Book()
        self.start = self._recorder.start
        self.clock = self._recorder.clock

    def given_up(self) -> bool:
        """Never."""
        return False

    def done(self) -> None:
        """Keep the run."""
        if self._key is not None:
            self._runs.save(self._key, self._recorder.transcript(self._beyond.files, self._beyond.figures))
            _save(self._runs, self._key, self.book)


class Regrading:
    """Kernels that are not there.

    Raises:
        KernelNeeded: there is no run, or it was looked at otherwise than is needed now.
    """

    kept = True

    def __init__(self, runs: Runs, key: str | None, beyond: Beyond) -> None:
        transcript = None if key is None else runs.load(key)
        self._key = key or ""
        if transcript is None or not _same_look(transcript.files, beyond.files):
            raise KernelNeeded(self._key)
        if not _same_look(transcript.figures, beyond.figures):
            raise KernelNeeded(self._key)
        self._runs = runs
        self.book: Book | None = _load(runs, self._key)
        self._replay = Replay(transcript)
        self.start = self._replay.start
        self.clock = self._replay.clock

    def given_up(self) -> bool:
        """Whether something was asked that the run does not know, or a library is needed that is not here."""
        return self._replay.missed or libraries.wanted()

    def done(self) -> None:
        """See :class:`Supply`."""
        if self._replay.missed:
            raise KernelNeeded(self._key)
        if not libraries.wanted():
            _save(self._runs, self._key, self.book)


def _load(runs: Runs, key: str) -> Book:
    """What was measured of the models of a run."""
    found = runs.load(_book_key(key))
    try:
        if found is not None:
            ((said,),) = [session.events for session in found.sessions]
            if isinstance(said, Said) and said.reply is not None:
                return read_book(said.reply)
    except (ValueError, TypeError, AttributeError):
        pass
    return Book()


def _save(runs: Runs, key: str, book: Book | None) -> None:
    if book is not None and book.changed:
        with contextlib.suppress(CodecError):
            said = Said("", book.packed())
            runs.save(_book_key(key), Transcript((Session("", (said,), 1, 0.0, None),), ()))


def _book_key(key: str) -> str:
    """Beside the run, for those versions of the libraries that measured."""
    return hashlib.sha256(json.dumps([key, measuring()]).encode()).hexdigest()


def measuring() -> list[Any]:
    """What a measurement depends on beside the model and the rows; the kit itself is in each key."""
    versions = [libraries.version(name) for name in ("numpy", "keras", "tensorflow")]
    return [sys.version, *versions, os.environ.get("KERAS_BACKEND")]


def _same_look(then: tuple[int, ...], now: frozenset[int]) -> bool:
    """Each look at files tells what has changed since the last: all of them are needed, or none."""
    return not now or now == set(then)


def supplying(
    start: StartKernel, runs: Path | None, execution: str, own: Mapping[str, Path], *, kept: bool
) -> Supplying:
    """How the notebooks of one submission get their kernels.

    Args:
        start: gives a fresh one.
        runs: the folder of kept runs; None: nothing is kept.
        execution: what their keys have in common, see :func:`~autograder.runkeys.execution_key`.
        own: path in the work folder → file that was handed in beside the notebooks.
        kept: from kept runs alone.
    """

    def supply(composed: Composed, beyond: Beyond) -> Supply:
        if runs is None:
            if kept:
                raise KernelNeeded
            return Fresh(start)
        key = run_key(execution, composed, own)
        return Regrading(Runs(runs), key, beyond) if kept else Executing(start, Runs(runs), key, beyond)

    return supply
