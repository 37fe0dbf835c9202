"""A run: what happened when a submission's cells were executed."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

ATTEMPTS = 3
"""Number of times that a notebook is run when its kernel is killed from outside."""
MAX_STRETCH = 4.0
"""Largest wall-clock time, as a multiple of the limit, however much of it was waiting.

With three to six runnable processes for each core, notebooks take two to five times as long. Four covers most of that,
and still bounds how long a notebook that gives itself the lowest priority holds a worker. A notebook that reaches this
bound is neither too slow nor in time; it is graded again alone.
"""
TRAININGS = ("fast", "callbacks", "data", "model", "batches")
"""How a ``fit`` ran: fast, or step by step because of what it was given, or of what the model is."""
MAX_TRAININGS = 1_000_000
"""Limit on the number of calls of ``fit`` that a kernel may claim."""


class RunStatus(enum.StrEnum):
    """Status of a run: how it ended. Whatever the status, cells that ran before keep their points."""

    COMPLETED = "completed"
    CELL_ERROR = "cell_error"  # a cell raised; the others ran
    TIMED_OUT = "timed_out"  # a cell or the notebook used up its time
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_CPU = "out_of_cpu"
    OUT_OF_PROCESSES = "out_of_processes"  # a cell failed, or the kernel ended: no more processes or threads allowed
    OUT_OF_DISK = "out_of_disk"  # a cell failed because a folder was full
    TOO_MUCH_OUTPUT = "too_much_output"
    KILLED = "killed"  # the kernel ended itself, or was stopped because it broke the message protocol


@dataclass(frozen=True, slots=True)
class CellRun:
    """Result of running one cell of the composed notebook."""

    status: str
    """``ok``, ``error``, ``timed_out``, ``not_run`` or ``skipped`` (nothing to execute)."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """nbformat outputs, size-limited."""
    execution_count: int | None = None
    seconds: float = 0.0
    error: str | None = None
    """``NameError: name 'x' is not defined``, where the cell raised."""
    limit: RunStatus | None = None
    """Limit on processes or on disk that a raising cell ran into, as its sandbox reports; else None."""
    waited_seconds: float = 0.0
    """Part of ``seconds`` in which others kept the cell waiting; it counts for no limit."""


class StartedKernel(Protocol):
    """A started kernel that runs cells."""

    def run(self, source: str, seconds: float) -> CellRun:
        """Run a cell; a failure of the student's is a value.

        A cell that outlives ``seconds`` of its own is interrupted (``timed_out``), and the kernel is ended if that does
        not help. A dead kernel gives ``not_run``, or ``error`` for the cell that it died in.

        Raises:
            BusyError: others had the processors for so long that the cell's own time is unknown.
        """

    def close(self) -> None:
        """End the kernel; idempotent."""


@dataclass(frozen=True, slots=True)
class Run:
    """Result of running the composed notebook. A student's failure is a value here."""

    status: RunStatus
    message: str
    """Sentence for the student: what stopped the run, with the limit and its value; empty when COMPLETED."""
    cells: tuple[CellRun, ...]
    """Parallel to the composed notebook's cells."""
    wall_seconds: float
    cpu_seconds: float
    peak_memory_mib: float | None
    """None where no cgroup was available."""
    sandbox: str
    """Description of its sandbox: ``bubblewrap, cgroup v2`` or ``bubblewrap, reduced limits``."""
    trainings: Mapping[str, int] = field(default_factory=dict)
    """One of :data:`TRAININGS` → the number of such calls of Keras's ``fit``: the kernel's claim, never graded."""

    @property
    def own_seconds(self) -> float:
        """Part of ``wall_seconds`` in which others kept no cell waiting."""
        return max(0.0, self.wall_seconds - sum(cell.waited_seconds for cell in self.cells))
