"""Runs one composed notebook in one kernel, cell by cell, and captures at each test cell what its test will need."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from autograder.errors import RemoteError
from autograder.examiner import figures
from autograder.examiner.files import Kept
from autograder.examiner.handles import Answer
from autograder.examiner.namespace import Capture, Captured
from autograder.examiner.remote import REPLY_SECONDS, Remote
from autograder.probe.codec import Packed, Reference, references
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


@dataclass(frozen=True)
class Beyond:
    """The TEST cells, by index, that look at more than names."""

    files: frozenset[int] = frozenset()
    """See :func:`autograder.examiner.files.looks_at_files`."""
    figures: frozenset[int] = frozenset()
    """See :func:`autograder.examiner.figures.asks_for_the_current_figure`."""


@dataclass
class Executed:
    """A run, what was captured, and the kernel that still holds what was pinned."""

    run: Run
    captures: dict[int, Capture]
    """Index of the TEST cell in the composed notebook → its capture."""
    kernel: Kernel
    remote: Remote
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
    composed: Composed,
    needs: Mapping[int, frozenset[str]],
    limits: Limits,
    beyond: Beyond = Beyond(),
    clock: Clock = time.monotonic,
) -> Executed:
    """Run a notebook; a student's failure is a value in the result.

    Where the kernel died on the way and something was only pinned in it, a second kernel runs the cells before the
    fatal one again, so that what was answered there can still be examined.

    Args:
        start: gives a fresh kernel; its exceptions are the host's and pass through.
        composed: the notebook.
        needs: index of each TEST cell → the names its test needs.
        limits: wall clocks; the rest is the sandbox's to enforce.
        beyond: the TEST cells that look at files and figures.
        clock: the seconds that the notebook's limit and the run's wall clock are told by.
    """
    first = _run_once(start, composed, needs, limits, beyond, len(composed.cells), clock)
    fatal = _fatal_cell(first, len(composed.cells))
    if fatal is None or not any(_pinned(c) for c in first.captures.values()):
        return first
    first.close()
    again = _run_once(start, composed, needs, limits, beyond, fatal, clock)
    captures = {i: again.captures.get(i, c) if _pinned(c) else c for i, c in first.captures.items()}
    run = dataclasses.replace(
        first.run,
        wall_seconds=first.run.wall_seconds + again.run.wall_seconds,
        cpu_seconds=first.run.cpu_seconds + again.run.cpu_seconds,
    )
    return Executed(run, captures, again.kernel, again.remote, again.files, first.kernel.killed())


def _run_once(
    start: StartKernel,
    composed: Composed,
    needs: Mapping[int, frozenset[str]],
    limits: Limits,
    beyond: Beyond,
    stop: int,
    clock: Clock,
) -> Executed:
    began = clock()
    with _started(start) as kernel:
        remote = Remote(kernel)
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
                    captures[index] = capture_beyond(captured, remote, kept, index, beyond, budget, until)
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


MAX_CAPTURED = 512 * 2**20
"""Bytes of all answers of one run: what the examiner holds until it examines."""


@dataclass
class Budget:
    """The bytes that captures may still take."""

    left: int = MAX_CAPTURED


def capture(remote: Remote, names: frozenset[str], budget: Budget, until: float) -> Capture | None:
    """Copy out or pin the names that exist; None where the kernel gives no answer.

    The kernel is never told a name that the student's code has not bound: a hidden test's own names stay hidden.

    Args:
        remote: the way to the kernel.
        names: what the test needs.
        budget: the bytes that are left, for this cell and those after it.
        until: the ``time.monotonic()`` at which copying ends; what is not copied by then is refused.
    """
    try:
        number, bound = remote.ask("snapshot", timeout=_until(until))
        if type(number) is not int or type(bound) is not list:
            return None
        wanted = sorted(names.intersection(name for name in bound if type(name) is str))
        return Capture(number, {name: _captured(remote, number, name, budget, until) for name in wanted})
    except Exception:  # whatever the kernel answers or raises, it is the student's doing
        return None


def capture_beyond(
    captured: Capture, remote: Remote, kept: Kept, index: int, beyond: Beyond, budget: Budget, until: float
) -> Capture:
    """The capture with the files and figures that its cell looks at, as they are now."""
    try:
        if index in beyond.files:
            contents, _ = kept.pull(remote.ask, timeout=_until(until))
            budget.left -= sum(map(len, contents.values()))
            if budget.left < 0:
                kept.refused = f"all answers together are more than {MAX_CAPTURED >> 20} MiB"
            captured = dataclasses.replace(captured, files=kept.capture())
        if index in beyond.figures:
            claims = figures.open_figures(remote.ask, timeout=_until(until))
            captured = dataclasses.replace(captured, figures=claims)
    except Exception:  # whatever the kernel answers or raises, it is the student's doing
        return captured
    return captured


def _until(moment: float) -> float:
    return max(0.1, min(REPLY_SECONDS, moment - time.monotonic()))


def _captured(remote: Remote, number: int, name: str, budget: Budget, until: float) -> Captured:
    try:
        if time.monotonic() > until:
            return Captured(None, "copying the answers took too long")
        kind, text, buffers = remote.ask("fetch", number, [name], timeout=_until(until))[name]
        if kind != "value":
            return Captured(None, str(text)[:200])
        packed = Packed(bytes(text), [bytes(b) for b in buffers])
        models = {}
        for reference in _described(packed):
            if time.monotonic() > until:
                return Captured(None, "copying the answers took too long")
            models[reference.handle] = _claim(remote, reference, _until(until))
        budget.left -= len(packed.text) + sum(map(len, packed.buffers)) + sum(map(_weight_bytes, models.values()))
        if budget.left < 0:
            return Captured(None, f"all answers together are more than {MAX_CAPTURED >> 20} MiB")
        return Captured(packed, "", models)
    except RemoteError:
        raise
    except Exception:  # whatever shape the kernel's answer has, it is the student's
        return Captured(None, "the notebook's kernel gave no readable answer")


def _weight_bytes(claim: Any) -> int:
    weights = claim[1] if type(claim) is tuple and len(claim) == 2 else None
    return sum(int(getattr(w, "nbytes", 0)) for w in weights) if type(weights) is list else 0


def _claim(remote: Remote, reference: Reference, timeout: float) -> Any:
    """What the kernel says of a model (``(description, weights)`` if it is honest) or a figure; None where it says
    nothing."""
    try:
        if reference.kind in figures.KINDS:
            return remote.ask("operate", "figure", (remote.plain(reference),), timeout=timeout)
        return remote.ask("model", reference.handle, timeout=timeout)
    except RemoteError:
        raise
    except Exception:  # whatever the student's code raised while the model described itself
        return None


def _described(packed: Packed) -> list[Reference]:
    """Those that are copied out as a description: each once."""
    found = {r.handle: r for r in references(packed.text) if r.kind == "model" or r.kind in figures.KINDS}
    return list(found.values())


def _pinned(captured: Capture) -> bool:
    """Something in the capture lives only in the kernel (a model that was copied out does not)."""
    packed = [c.packed for c in captured.names.values() if c.packed is not None]
    return any(r.kind not in ("module", "model", *figures.KINDS) for p in packed for r in references(p.text))


def _fatal_cell(executed: Executed, total: int) -> int | None:
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
            return RunStatus.CELL_ERROR, f"Cell {number} raised {(result.error or 'an error')[:300].rstrip('.: ')}."
    return RunStatus.COMPLETED, ""
