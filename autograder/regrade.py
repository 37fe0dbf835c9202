"""Where the kernels of a notebook come from: a run that is kept, where it can answer all that is asked, or a fresh one.

Executing:  composed notebook ─▶ kernels, written down ─▶ grade, and the run is kept
Regrading:  composed notebook ─▶ the kept run, said again ─▶ the same grade, without any kernel
                                    └─ asked what it does not know ─▶ KernelNeeded, and no grade
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from autograder import libraries
from autograder.execute import Beyond, Kernel, StartKernel
from autograder.records import Composed
from autograder.runkeys import run_key
from autograder.runs import Runs
from autograder.transcript import Recorder, Replay


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


@dataclass(frozen=True)
class Fresh:
    """Kernels that are started, and not written down."""

    start: StartKernel
    kept = False

    def clock(self) -> float:
        """The machine's."""
        return time.monotonic()

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
        self.start = self._recorder.start
        self.clock = self._recorder.clock

    def given_up(self) -> bool:
        """Never."""
        return False

    def done(self) -> None:
        """Keep the run."""
        if self._key is not None:
            self._runs.save(self._key, self._recorder.transcript(self._beyond.files, self._beyond.figures))


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
