"""Runs one composed notebook in one kernel, cell by cell, and captures at each test cell what its test will need."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from autograder.execution.capture import (
    FIGURES,
    Asker,
    Budget,
    Capture,
    ExtraCaptures,
    capture,
    capture_files_and_figures,
)
from autograder.execution.captured_files import Kept
from autograder.execution.link import Answer
from autograder.kernel.codec import Packed, references
from autograder.records import CellRun, Composed, Limits, Role, Run, RunStatus


class Kernel(Protocol):
    """A started kernel, walled in. What it says is the student's word."""

    label: str

    def run(self, source: str, seconds: float) -> CellRun:
        """Run a cell. A cell that outlives ``seconds`` is interrupted (``timed_out``), and the kernel is ended where
        that does not help. A kernel that is gone gives ``not_run``, or ``error`` for the cell that it died in."""

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        """Ask the probe; raises :class:`~autograder.errors.LostError`."""

    def ended(self) -> tuple[RunStatus, str] | None:
        """Why the kernel is gone, with a message for the student; None while it lives.

        Raises:
            HostError: the machine ended it, for no limit of the notebook's.
        """

    def killed(self) -> bool:
        """Whether SIGKILL ended it, and no limit: somebody outside did that, for code inside that tries to ends in
        another way (see :mod:`autograder.sandbox.seccomp`)."""

    def usage(self) -> tuple[float, float | None]:
        """CPU seconds and peak memory in MiB, of everything in the sandbox until now."""

    def close(self) -> None:
        """End it; idempotent."""


StartKernel = Callable[[], Kernel]
Clock = Callable[[], float]
"""Seconds, as ``time.monotonic`` counts them."""


A = TypeVar("A", bound=Asker)
NAMES_ONLY = ExtraCaptures()
"""No test cell looks at files or figures."""


@dataclass
class Executed(Generic[A]):
    """A run, what was captured, and the kernel that still holds what was pinned."""

    run: Run
    captures: dict[int, Capture]
    """Index of the TEST cell in the composed notebook → its capture."""
    kernel: Kernel
    remote: A
    files: Kept = field(default_factory=Kept)
    """What the kernel's folder held when it was looked at last."""
    killed_before: bool = False
    """The kernel that this one stands in for was killed."""

    def killed(self) -> bool:
        """Whether a kernel of this run was killed without a limit that says why."""
        return self.killed_before or self.kernel.killed()

    def close(self) -> None:
        """End the kernel; nothing that was only pinned can be examined after that."""
        self.kernel.close()


def execute(
    start: StartKernel,
    asker: Callable[[Kernel], A],
    composed: Composed,
    needs: Mapping[int, frozenset[str]],
    limits: Limits,
    beyond: ExtraCaptures = NAMES_ONLY,
    clock: Clock = time.monotonic,
) -> Executed[A]:
    """Run a notebook; a student's failure is a value in the result.

    Where the kernel died on the way and something was only pinned in it, a second kernel runs the cells before the
    fatal one again, so that what was answered there can still be examined.

    Args:
        start: gives a fresh kernel; its exceptions are the host's and pass through.
        asker: makes what asks a kernel, and answers the test cells afterwards.
        composed: the notebook.
        needs: index of each TEST cell → the names its test needs.
        limits: wall clocks; the rest is the sandbox's to enforce.
        beyond: the TEST cells that look at files and figures.
        clock: the seconds that the notebook's limit and the run's wall clock are told by.
    """
    first = _run_once(start, asker, composed, needs, limits, beyond, len(composed.cells), clock)
    fatal = _fatal_cell(first, len(composed.cells))
    if fatal is None or not any(_pinned(c) for c in first.captures.values()):
        return first
    first.close()
    again = _run_once(start, asker, composed, needs, limits, beyond, fatal, clock)
    captures = {i: again.captures.get(i, c) if _pinned(c) else c for i, c in first.captures.items()}
    run = dataclasses.replace(
        first.run,
        wall_seconds=first.run.wall_seconds + again.run.wall_seconds,
        cpu_seconds=first.run.cpu_seconds + again.run.cpu_seconds,
    )
    return Executed(run, captures, again.kernel, again.remote, again.files, first.kernel.killed())


def _run_once(
    start: StartKernel,
    asker: Callable[[Kernel], A],
    composed: Composed,
    needs: Mapping[int, frozenset[str]],
    limits: Limits,
    beyond: ExtraCaptures,
    stop: int,
    clock: Clock,
) -> Executed[A]:
    began = clock()
    with _started(start) as kernel:
        remote = asker(kernel)
        started = clock()
        deadline = started + limits.notebook_seconds
        runs: list[CellRun] = []
        captures: dict[int, Capture] = {}
        budget = Budget()
        kept = Kept()
        late = False
        for index, cell in enumerate(composed.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                runs.append(CellRun("skipped"))
                if cell.role is not Role.TEST:
                    continue
            left = deadline - clock()
            late = late or left <= 0
            # At a fatal test cell what was answered is looked at once more; the cell is not run.
            over = index > stop or (index == stop and cell.role is not Role.TEST)
            if late or over or kernel.ended():
                if len(runs) <= index:
                    runs.append(CellRun("not_run"))
                continue
            if cell.role is Role.TEST:
                until = time.monotonic() + min(limits.cell_seconds, left)
                captured = capture(remote, needs.get(index, frozenset()), budget, until)
                if captured is not None:
                    captures[index] = capture_files_and_figures(captured, remote, kept, index, beyond, budget, until)
            if len(runs) > index:
                continue
            if index == stop:
                runs.append(CellRun("not_run"))
            else:
                left = max(0.1, deadline - clock())
                runs.append(kernel.run(cell.source, min(limits.cell_seconds, left)))
        cpu, peak = kernel.usage()
        status, message = _status(kernel.ended(), runs, composed, limits, late)
        wall = clock() - began
        run = Run(status, message, tuple(runs), wall, cpu, peak, kernel.label)
        return Executed(run, captures, kernel, remote, kept)


@contextlib.contextmanager
def _started(start: StartKernel) -> Iterator[Kernel]:
    """A fresh kernel, which is ended only where something is raised."""
    kernel = start()
    try:
        yield kernel
    except BaseException:
        kernel.close()
        raise


def _pinned(captured: Capture) -> bool:
    """Something in the capture lives only in the kernel (a model that was copied out does not)."""
    packed = [c.packed for c in captured.names.values() if c.packed is not None]
    return any(r.kind not in ("module", "model", *FIGURES) for p in packed for r in references(p.text))


def _fatal_cell(executed: Executed[A], total: int) -> int | None:
    """The index of the cell that the kernel did not survive; None while it lives."""
    if executed.kernel.ended() is None:
        return None
    runs = executed.run.cells
    not_run = next((i for i, c in enumerate(runs) if c.status == "not_run"), total)
    ran = [i for i in range(not_run) if runs[i].status != "skipped"]
    return ran[-1] if ran and runs[ran[-1]].status in ("error", "timed_out") else not_run


_PAST = {
    RunStatus.OUT_OF_PROCESSES: "failed: it needed more than {limits.processes} processes and threads at one time.",
    RunStatus.OUT_OF_DISK: "failed: it wrote more than the {limits.disk_mib} MiB that a folder of the notebook holds.",
}


def _status(
    ended: tuple[RunStatus, str] | None, runs: list[CellRun], composed: Composed, limits: Limits, late: bool
) -> tuple[RunStatus, str]:
    """How the run ended. A visible test that fails is no failure of the run: what it is worth is examined later."""
    if ended:
        return ended
    if late:
        return (
            RunStatus.TIMED_OUT,
            f"The notebook ran longer than {limits.notebook_seconds:g} s; the cells after that were not run.",
        )
    slow = [i + 1 for i, c in enumerate(runs) if c.status == "timed_out"]
    if slow:
        return (
            RunStatus.TIMED_OUT,
            f"Cell {slow[0]} ran longer than {limits.cell_seconds:g} s and was stopped.",
        )
    for number, (cell, result) in enumerate(zip(composed.cells, runs, strict=True), 1):
        if result.status == "error" and cell.role is not Role.TEST:
            if result.limit is not None:
                return result.limit, f"Cell {number} {_PAST[result.limit].format(limits=limits)}"
            if composed.may_raise(cell):
                continue
            return RunStatus.CELL_ERROR, f"Cell {number} raised {(result.error or 'an error')[:300].rstrip('.: ')}."
    return RunStatus.COMPLETED, ""
