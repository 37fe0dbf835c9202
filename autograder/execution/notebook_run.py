"""The run of one composed notebook in one kernel, cell by cell, with a capture at each test cell."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from autograder.errors import BusyError
from autograder.execution.allowance import Allowance, is_given_up
from autograder.execution.capture import (
    Asker,
    Budget,
    Capture,
    ExtraCaptures,
    capture,
    capture_files_and_figures,
)
from autograder.execution.captured_files import FolderCopy
from autograder.execution.freezing import Freezing, does_something
from autograder.execution.link import REPLY_SECONDS, KernelLink
from autograder.records.composed_notebook import Composed, cell_number
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.records.run import MAX_TRAININGS, TRAININGS, CellRun, Run, RunStatus, StartedKernel
from autograder.submissions.student_habits import explained

STOPPED_CELLS = 2
"""Cells of a notebook that may use up their whole time."""
MIN_SHORT_SECONDS = 5.0
"""Shortest time of a cell after them, and of a test cell after a cell without end."""


class Kernel(StartedKernel, KernelLink, Protocol):
    """A started kernel inside a sandbox. Its answers are untrusted."""

    label: str

    def ended(self) -> tuple[RunStatus, str] | None:
        """Return why the kernel is gone, with a message for the student; None while it lives.

        Raises:
            HostError: the machine ended it, not a limit of the notebook's, or was too busy for it.
        """

    def killed(self) -> bool:
        """Return whether SIGKILL ended the kernel without a limit as the cause.

        The signal then came from outside: code inside that tries to send it ends in another way (see
        :mod:`autograder.sandbox.seccomp`).
        """

    def waited(self) -> float:
        """Return the seconds, as of a moment ago, in which the kernel could run and others had the processors."""

    def usage(self) -> tuple[float, float | None]:
        """Return CPU seconds and peak memory in MiB, of everything in the sandbox so far."""


StartKernel = Callable[[], Kernel]
Clock = Callable[[], float]
"""Seconds, as ``time.monotonic`` counts them."""


A = TypeVar("A", bound=Asker)
NAMES_ONLY = ExtraCaptures()
"""No test cell looks at files or figures."""


@dataclass
class Execution(Generic[A]):
    """A run, its captures, and the kernel that still holds the pinned objects."""

    run: Run
    captures: dict[int, Capture]
    """Index of the test cell in the composed notebook → its capture."""
    kernel: Kernel
    remote: A
    files: FolderCopy = field(default_factory=FolderCopy)
    """The state of the kernel's folder when it was last asked for."""
    left: Mapping[str, bytes] = field(default_factory=dict)
    """Path → contents of the files that it leaves to later notebooks: no test has run yet that could write any."""
    killed_before: bool = False
    """The kernel that this one replaces was killed."""
    copies: int = 0
    """How many frozen copies of the kernel were made."""

    def killed(self) -> bool:
        """Return whether a kernel of this run was killed without a limit as the cause."""
        return self.killed_before or self.kernel.killed()

    def copies_filled_memory(self) -> bool:
        """Tell whether the memory may have been too small because of what frozen copies hold."""
        ended = self.kernel.ended()
        return self.copies > 0 and ended is not None and ended[0] is RunStatus.OUT_OF_MEMORY

    def close(self) -> None:
        """End the kernel; pinned objects cannot be examined after that."""
        self.kernel.close()


def execute(
    start: StartKernel,
    asker: Callable[[Kernel], A],
    composed: Composed,
    needs: Mapping[int, frozenset[str]],
    limits: Limits,
    extras: ExtraCaptures = NAMES_ONLY,
    clock: Clock = time.monotonic,
    *,
    frozen: bool = True,
    earlier: Mapping[str, bytes] = MappingProxyType({}),
) -> Execution[A]:
    """Run a notebook; a student's failure is a value in the result.

    If the kernel died and an answer was only pinned in it, a second kernel runs the cells before the fatal one again.
    So this answer can still be examined. If it died for lack of memory and had frozen copies, all cells run again
    without copies.

    Args:
        start: makes a fresh kernel; its exceptions are the host's and pass through.
        asker: makes the object that asks a kernel, and later answers the test cells.
        composed: the notebook.
        needs: index of each test cell → the names that its test needs.
        limits: seconds of cells and notebook; the sandbox enforces the other limits.
        extras: the test cells that look at files and figures.
        clock: tells the seconds for the notebook's limit and the run's wall clock.
        frozen: whether to make frozen copies of the kernel.
        earlier: path → contents of the files that the hand-in's earlier notebooks left.

    Raises:
        BusyError: others had the processors for so long that the notebook's own time is unknown.
    """
    run_once = partial(_run_once, start, asker, composed, needs, extras=extras, clock=clock, earlier=earlier)
    first = run_once(limits, stop=len(composed.cells), frozen=frozen)
    if first.copies_filled_memory():
        frozen = False
        first.close()
        first = run_once(limits, stop=len(composed.cells), frozen=False)
    fatal = _fatal_cell(first, len(composed.cells))
    if fatal is None or not any(_lives_in_kernel(i, c, extras) for i, c in first.captures.items()):
        return first
    first.close()
    # These cells were in time once: answers in them are not lost because they take longer now.
    patient = dataclasses.replace(
        limits, cell_seconds=2 * limits.cell_seconds, notebook_seconds=2 * limits.notebook_seconds
    )
    again = run_once(patient, stop=fatal, frozen=frozen)
    captures = {i: again.captures.get(i, c) if _lives_in_kernel(i, c, extras) else c for i, c in first.captures.items()}
    run = dataclasses.replace(
        first.run,
        wall_seconds=first.run.wall_seconds + again.run.wall_seconds,
        cpu_seconds=first.run.cpu_seconds + again.run.cpu_seconds,
    )
    killed = first.kernel.killed()
    return Execution(run, captures, again.kernel, again.remote, again.files, again.left, killed, again.copies)


def _run_once(
    start: StartKernel,
    asker: Callable[[Kernel], A],
    composed: Composed,
    needs: Mapping[int, frozenset[str]],
    limits: Limits,
    *,
    extras: ExtraCaptures,
    stop: int,
    clock: Clock,
    frozen: bool,
    earlier: Mapping[str, bytes],
) -> Execution[A]:
    began = clock()
    with _started(start) as kernel:
        remote = asker(kernel)
        started = clock()
        runs: list[CellRun] = []
        captures: dict[int, Capture] = {}
        budget = Budget()
        folder = FolderCopy.holding(earlier, remote.ask)
        freezing = Freezing(remote, composed, needs, limits, extras.kernel, wanted=frozen)
        late = False
        fatal: int | None = None
        for index, cell in enumerate(composed.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                runs.append(CellRun("skipped"))
                if cell.role is not Role.TEST:
                    continue
            seconds_left = _remaining_seconds(limits, clock() - started, runs)
            late = late or seconds_left <= 0
            # At a fatal test cell the answers are captured again; the cell is not run.
            over = index > stop or (index == stop and cell.role is not Role.TEST)
            if late or over or kernel.ended():
                if len(runs) <= index:
                    runs.append(CellRun("not_run"))
                continue
            if cell.role is Role.TEST:
                until = Allowance(min(limits.cell_seconds, seconds_left), kernel.waited)
                wanted = needs.get(index, frozenset())
                captured = capture(remote, wanted, budget, until, networks=index in extras.networks)
                if captured is not None:
                    captured = capture_files_and_figures(captured, remote, folder, index, extras, budget, until)
                    captures[index] = freezing.serve(index, captured, until)
            elif does_something(cell):
                freezing.code_ran()
            if len(runs) > index:
                continue
            if index == stop:
                runs.append(CellRun("not_run"))
            else:
                seconds_left = max(0.1, _remaining_seconds(limits, clock() - started, runs))
                seconds = min(_cell_seconds(limits, composed, runs), seconds_left)
                runs.append(_run_cell(kernel, composed, index, seconds))
                if kernel.ended():
                    fatal = index
        passed_on = folder.left(remote.ask) if extras.at_end else {}
        trainings = _trainings(remote) if kernel.ended() is None else {}
        cpu, peak = kernel.usage()
        status, message = _status(kernel.ended(), runs, composed, limits, late, fatal)
        wall = clock() - began
        run = Run(status, message, tuple(runs), wall, cpu, peak, kernel.label, trainings)
        return Execution(run, captures, kernel, remote, folder, passed_on, copies=freezing.made)


def _trainings(remote: Asker) -> dict[str, int]:
    """Ask how often Keras's ``fit`` ran in each of the known ways: the kernel's claim; empty if it gives none."""
    try:
        answer = remote.ask("trainings", timeout=REPLY_SECONDS)
    except BusyError:
        raise
    except Exception:  # the student's code decides what the kernel answers or raises
        return {}
    counts = answer if type(answer) is dict else {}
    numbers = {kind: counts.get(kind) for kind in TRAININGS}
    return {kind: n for kind, n in numbers.items() if type(n) is int and 0 < n < MAX_TRAININGS}


def _remaining_seconds(limits: Limits, wall: float, runs: Sequence[CellRun]) -> float:
    """Return the notebook's own time that is left after ``wall`` seconds.

    Raises:
        BusyError: others had the processors for so long that the notebook's own time is unknown.
    """
    own_seconds = wall - sum(run.waited_seconds for run in runs)
    if own_seconds < limits.notebook_seconds and is_given_up(limits.notebook_seconds, wall):
        raise BusyError(f"this machine was too busy: the notebook got {own_seconds:.3g} s of its own in {wall:.3g} s")
    return limits.notebook_seconds - own_seconds


def _cell_seconds(limits: Limits, composed: Composed, runs: Sequence[CellRun]) -> float:
    """Return the own time that the next cell may take.

    A cell that ran to its limit in an earlier run of a proof has a short time. A test cell's run only shows its output.
    After a cell without end it is short, because most tests of such an answer have no end, either. Other cells are
    short after several of them; see :func:`cells_cut_short`.
    """
    cell = composed.cells[len(runs)]
    if composed.is_brief(cell):
        is_short = True
    elif cell.role is Role.TEST:
        is_short = any(run.status == "timed_out" for run in runs)
    else:
        is_short = len(_stopped(composed, runs)) >= STOPPED_CELLS
    if is_short:
        return min(limits.cell_seconds, max(MIN_SHORT_SECONDS, limits.cell_seconds / 10))
    return limits.cell_seconds


def cells_cut_short(composed: Composed, run: Run) -> list[int]:
    """Return the indices of cells that were stopped early, because cells before them had used up their time.

    What they would have bound is unknown, so a person decides about tests behind them.
    """
    return _stopped(composed, run.cells)[STOPPED_CELLS:]


def _stopped(composed: Composed, runs: Sequence[CellRun]) -> list[int]:
    """Return the indices of the cells that used up their time, without tests."""
    return [i for i, run in enumerate(runs) if run.status == "timed_out" and composed.cells[i].role is not Role.TEST]


def _run_cell(kernel: Kernel, composed: Composed, index: int, seconds: float) -> CellRun:
    try:
        cell = composed.cells[index]
        return kernel.run(_with_prelude(composed.exam.prelude, cell.instead or cell.source), seconds)
    except BusyError as error:
        raise BusyError(f"{_name(composed, index)}: {error}") from error


def _with_prelude(prelude: str, source: str) -> str:
    """Put the exam's prelude in front of a cell, unless the cell must begin with its own first line."""
    starts = source.lstrip().startswith
    return f"{prelude}\n{source}" if prelude and not starts("%%") and not starts("from __future__") else source


def _name(composed: Composed, index: int) -> str:
    """Name a cell for people: its number, and its id if it has one."""
    grade_id = composed.cells[index].grade_id
    number = cell_number(composed.cells, index)
    return f"Cell {number} ({grade_id})" if grade_id and number != grade_id else f"Cell {number}"


@contextlib.contextmanager
def _started(start: StartKernel) -> Iterator[Kernel]:
    """Start a kernel; close it only if the block raises."""
    kernel = start()
    try:
        yield kernel
    except BaseException:
        kernel.close()
        raise


def _lives_in_kernel(index: int, captured: Capture, extras: ExtraCaptures) -> bool:
    """Tell whether a test cell needs a living kernel."""
    return bool(captured.handles) or index in extras.kernel


def _fatal_cell(executed: Execution[A], total: int) -> int | None:
    """Return the index of the cell that the kernel did not survive; None while it lives."""
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
    ended: tuple[RunStatus, str] | None,
    runs: list[CellRun],
    composed: Composed,
    limits: Limits,
    late: bool,
    fatal: int | None,
) -> tuple[RunStatus, str]:
    """Find how the run ended.

    A failing visible test is no failure of the run: its points are decided later.
    """
    slow = [i for i, c in enumerate(runs) if c.status == "timed_out"]
    if ended:
        name = _name(composed, fatal) if fatal is not None else ""
        return ended[0], f"{ended[1]} That was in c{name[1:]}." if name else ended[1]
    if late:
        return (
            RunStatus.TIMED_OUT,
            f"The notebook ran longer than {limits.notebook_seconds:g} s; the cells after that were not run.",
        )
    if slow:
        name = _name(composed, slow[0])
        return RunStatus.TIMED_OUT, f"{name} ran longer than {limits.cell_seconds:g} s and was stopped."
    for index, (cell, result) in enumerate(zip(composed.cells, runs, strict=True)):
        if result.status == "error" and cell.role is not Role.TEST:
            number = cell_number(composed.cells, index)
            if result.limit is not None:
                return result.limit, f"Cell {number} {_PAST[result.limit].format(limits=limits)}"
            if composed.may_raise(cell):
                continue
            error = explained(result.error or "an error")
            return RunStatus.CELL_ERROR, f"Cell {number} raised {error[:300].rstrip('.: ')}."
    return RunStatus.COMPLETED, ""
