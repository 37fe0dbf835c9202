"""Rehearsal of a notebook before it is handed in: restart, run all, visible checks, and what the grader will see.

It needs no course and no exam: the notebook tells, and the release if there is one. In a sandbox, cells meet what they
meet in grading: no network, nobody to answer, and only the files that go along.
"""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograder._util.libraries import version
from autograder._util.registry import DISTRIBUTION
from autograder._util.text import one_line, visible
from autograder.check.otter_tests import CALL, tests_of
from autograder.errors import HostError, UsageError
from autograder.execution import rehearsed_files
from autograder.records.exam import raises_exception
from autograder.records.limits import Limits
from autograder.records.run import CellRun, RunStatus, StartedKernel
from autograder.submissions.folder import read_chunks
from autograder.submissions.members import LARGEST
from autograder.submissions.notebook_inspection import compare, marks_of, metadata_of, own_code, read_cells, source_of
from autograder.submissions.packing import (
    answer_modules_of,
    dotted_names,
    needed_files,
    notebook_in,
    released_notebook,
)
from autograder.submissions.student_habits import explained, habits, without_installations

IN_SANDBOX = "in the sandbox, as grading does: without network, and with the files that go along"
WITHOUT_SANDBOX = (
    "in a fresh kernel without a sandbox: it had the network and all files of yours, which it has not when it is graded"
)


_STAND_IN = "from autograder.check.otter_tests import use_stand_in as _otter\n_otter()\ndel _otter"
_RUN_TEST = (
    "from autograder.check.otter_tests import run_test as _otter\n"
    "_otter({question!r}, {test!r}, {{k: v for k, v in globals().items() if k != '_otter'}})"
)
_NO_INSTALLATION = {
    "PIP_NO_INDEX": "1", "PIP_DRY_RUN": "1", "UV_OFFLINE": "1", "CONDA_OFFLINE": "1", "MAMBA_OFFLINE": "1",
}  # fmt: skip
"""What lets installers that a cell starts in its own way fail, as they do where there is no network."""
_PACKAGE = "autograder"
"""Folder of a release's bundle, which no kernel needs where the package is installed."""


StartInFolder = Callable[[Path, Limits], StartedKernel]
"""Function that starts a kernel in a folder with the notebook's files."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Result of a rehearsal."""

    notebook: str
    place: str
    """Where it ran, as a part of a sentence."""
    seconds: float
    cells: int
    """Number of code cells."""
    ran: int
    """Number of code cells that ran to their end."""
    faults: tuple[str, ...]
    """Cells that raised or took too long, a sentence each."""
    passed: tuple[str, ...]
    """Visible tests that pass."""
    failed: Mapping[str, str]
    """Visible test that fails → what it says."""
    answered: tuple[str, ...]
    unanswered: tuple[str, ...]
    by_hand: tuple[str, ...]
    """Questions that a person grades."""
    warnings: tuple[str, ...] = field(default=())

    @property
    def is_ready(self) -> bool:
        """Whether it runs to its end, its visible tests pass, and no answer is missing."""
        return not (self.faults or self.failed or self.unanswered)

    def text(self) -> str:
        """Write the result for a terminal."""
        total = len(self.answered) + len(self.unanswered)
        lines = [
            f"Tried     {self.notebook}",
            f"          {self.place}",
            f"ran       {self.ran} of {self.cells} code cells, from the top, in {self.seconds:.1f} s",
        ]
        lines += [f"          {fault}" for fault in self.faults]
        if self.passed or self.failed:
            lines.append(f"visible   {len(self.passed)} of {len(self.passed) + len(self.failed)} tests pass")
            lines += [f"          {name}: {said}" for name, said in self.failed.items()]
        lines.append(f"answered  {len(self.answered)} of {total}" + _listed(self.answered))
        lines += [f"not yet   {', '.join(self.unanswered)}"] if self.unanswered else []
        lines += [f"by hand   {', '.join(self.by_hand)} (a person grades this)"] if self.by_hand else []
        lines += [f"warning   {warning}" for warning in self.warnings]
        ready = "Ready to hand in." if self.is_ready else "Not ready: see above."
        return visible("\n".join([*lines, f"{ready} When it is graded, more tests run than these."]))


def _listed(names: Sequence[str]) -> str:
    return f": {', '.join(names)}" if names else ""


def rehearse(
    notebook: Path,
    start: StartInFolder,
    sandbox_label: str,
    *,
    release: Path | None = None,
    limits: Limits | None = None,
) -> Rehearsal:
    """Run a notebook from the top in a fresh kernel, and say what the grader will find.

    Args:
        notebook: the student's notebook, or its folder.
        start: starts the kernel.
        sandbox_label: where it runs, for the result.
        release: the released notebook or its folder; with it, the instructor's cells are run as they were released.
        limits: seconds of cells and notebook.

    Raises:
        SubmissionError: it is no notebook.
        UsageError: a path does not exist.
        HostError: no kernel starts here.
    """
    limits = limits or Limits()
    notebook = notebook_in(notebook, release)
    if not notebook.is_file():
        raise UsageError(f"There is no notebook {notebook}.")
    path = released_notebook(notebook, release)
    data = b"".join(read_chunks(notebook.resolve().parent, notebook.resolve().name, LARGEST))
    cells, notes = read_cells(notebook.name, data)
    released = read_cells(path.name, path.read_bytes())[0] if path else None
    tests = tests_of(metadata_of(path.read_bytes() if path else data))
    answered, unanswered, missing = compare(cells, released)
    modules, changed, unchanged = answer_modules_of(notebook, path)
    steps: list[tuple[str, str, bool]] = []
    released_by_id = {marks["grade_id"]: cell for cell in released or () if (marks := marks_of(cell))}
    began = time.monotonic()
    # On Windows, a file that a process of the notebook still has open cannot be removed.
    with tempfile.TemporaryDirectory(prefix="try-", ignore_cleanup_errors=True) as folder:
        _lay_out(Path(folder), notebook, cells, path, with_tests=bool(modules))
        if modules:
            steps = list(rehearsed_files.file_steps(Path(folder), dotted_names(modules)))
        with closing(start(Path(folder), limits)) as kernel:
            if tests:
                kernel.run(_STAND_IN, limits.cell_seconds)
            results = list(_run(kernel, cells, released_by_id, limits, tests))
            of_files = [_Result(0, name, is_test, False, kernel.run(source, limits.cell_seconds))
                        for name, source, is_test in steps]  # fmt: skip
    every = [*results, *of_files]
    no_pytest = [rehearsed_files.NO_PYTEST] if modules and not rehearsed_files.has_pytest() else []
    reference = released if released is not None else cells
    return Rehearsal(
        notebook=str(notebook),
        place=sandbox_label,
        seconds=time.monotonic() - began,
        cells=len(results),
        ran=sum(result.run.status == "ok" for result in results),
        faults=tuple(fault for result in every if (fault := result.fault)),
        passed=tuple(r.name for r in every if r.is_test and r.run.status == "ok"),
        failed={r.name: r.said for r in every if r.is_test and r.run.status != "ok"},
        answered=(*answered, *changed),
        unanswered=(*unanswered, *unchanged),
        by_hand=tuple(m["grade_id"] for c in reference if _is_by_hand(m := marks_of(c))),
        warnings=(*notes, *missing, *no_pytest, *map(str, habits(own_code(cells, released)))),
    )


def _is_by_hand(marks: Mapping[str, Any]) -> bool:
    return bool(marks.get("task") or (marks.get("grade") and marks.get("solution")))


def _lay_out(
    folder: Path, notebook: Path, cells: list[Mapping[str, Any]], released: Path | None, *, with_tests: bool
) -> None:
    """Copy what the notebook has beside it when it is graded: the release's files, and those that go along."""
    if released is not None:
        ignored = shutil.ignore_patterns("*.ipynb", ".*", "__pycache__")
        for path in released.parent.iterdir():
            if path.is_dir() and path.name != _PACKAGE:
                shutil.copytree(path, folder / path.name, ignore=ignored)
            elif path.is_file() and not ignored("", [path.name]):
                shutil.copyfile(path, folder / path.name)
    if with_tests:
        rehearsed_files.copy_tests(notebook, folder)
    sources = rehearsed_files.test_sources(folder) if with_tests else []
    for file in needed_files(notebook, cells, released, sources):
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            out.writelines(file.chunks())


@dataclass(frozen=True, slots=True)
class _Result:
    number: int
    name: str
    is_test: bool
    may_raise: bool
    run: CellRun

    @property
    def said(self) -> str:
        """What went wrong."""
        return one_line(explained(self.run.error or "it did not run"), 300).rstrip(": ")

    @property
    def fault(self) -> str:
        """Sentence about a cell that did not run to its end, if that is a fault."""
        if self.run.status == "ok" or self.is_test or (self.may_raise and self.run.status == "error"):
            return ""
        label = f"Cell {self.number}" + (f" ({one_line(self.name, 60)})" if self.name else "")
        label = label if self.number else f"The module {one_line(self.name, 60)}"
        if self.run.status == "not_run":
            return f"{label} was not run."
        if self.run.limit is RunStatus.KILLED:
            return f"{label} ended the kernel."
        return f"{label} {'raises' if self.run.status == 'error' else 'took too long:'} {self.said.rstrip('.')}."


def _run(
    kernel: StartedKernel,
    cells: list[Mapping[str, Any]],
    released: Mapping[str, Mapping[str, Any]],
    limits: Limits,
    tests: Mapping[str, Any],
) -> Iterator[_Result]:
    """Run the code cells; the instructor's as they were released, and otter's checks by this package."""
    seconds_left = limits.notebook_seconds
    for number, cell in enumerate(cells, 1):
        marks = marks_of(cell)
        name = str(marks.get("grade_id", ""))
        if name in released and not marks_of(released[name]).get("solution"):
            cell = released[name]
            marks = marks_of(cell)
        source = source_of(cell)
        if cell.get("cell_type") != "code" or not source.strip():
            continue
        is_test = marks.get("grade") is True and not marks.get("solution")
        called = CALL.search(source)
        if called and called[1] in tests:
            is_test, name = True, called[1]
            source = _RUN_TEST.format(question=name, test=tests[name])
        if seconds_left <= 0:
            run = CellRun("not_run", error=f"the notebook ran longer than {limits.notebook_seconds:g} s")
        else:
            run = kernel.run(without_installations(source), min(limits.cell_seconds, seconds_left))
        seconds_left -= run.seconds
        metadata = cell.get("metadata")
        yield _Result(number, name, is_test, isinstance(metadata, dict) and raises_exception(metadata), run)


# --- kernels -----------------------------------------------------------------------------------------


def in_sandbox(folder: Path, limits: Limits) -> StartedKernel:
    """Start a kernel in the sandbox that grading uses.

    Raises:
        SandboxError: it cannot be built here.
    """
    from autograder.execution.own_kernel import sandboxed_kernel
    from autograder.sandbox import default_sandbox, require

    sandbox = default_sandbox()
    require(sandbox)
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return sandboxed_kernel(sandbox, files, limits)


def plainly(folder: Path, limits: Limits) -> StartedKernel:
    """Start a kernel of this Python, as Jupyter does.

    Raises:
        HostError: Jupyter is not installed.
    """
    package = Path(__file__).resolve().parents[1]
    if version(DISTRIBUTION) is None and not (folder / package.name).exists():  # it runs from a release's bundle
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    return _PlainKernel(folder)


def can_sandbox() -> bool:
    """Tell whether the packages for grading are installed on a system that has the sandbox."""
    needed = ("nbgrader", "autograder.sandbox")
    return sys.platform.startswith("linux") and None not in [find_spec(name) for name in needed]


class _PlainKernel:
    """A kernel without walls, for the notebook of the person who runs it."""

    def __init__(self, folder: Path) -> None:
        missing = [name for name in ("jupyter_client", "ipykernel") if find_spec(name) is None]
        if missing:
            raise HostError(
                "to run a notebook, this Python needs Jupyter's kernel: run the command in the environment in which "
                "you work on the notebook, or `pip install ipykernel` in this one"
            )
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import KernelManager

        self._manager: Any = KernelManager()
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self._manager._kernel_spec = KernelSpec(argv=argv, display_name="Python", language="python")
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._manager.start_kernel(cwd=str(folder), env={**os.environ, **_NO_INSTALLATION}, **silent)
        self._client: Any = self._manager.client()
        try:
            self._client.start_channels()
            self._client.wait_for_ready(timeout=60)
        except BaseException as error:
            self.close()
            if isinstance(error, RuntimeError):
                raise HostError(f"the kernel does not start: {error}") from error
            raise

    def run(self, source: str, seconds: float) -> CellRun:
        """Run a cell."""
        began = time.monotonic()
        if not self._manager.is_alive():
            return CellRun("not_run", error="the kernel had died")
        request_id = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        interrupted = False
        while True:
            spent = time.monotonic() - began
            try:
                reply = self._client.get_shell_msg(timeout=0.5)
            except queue.Empty:
                if not self._manager.is_alive():
                    return CellRun("error", seconds=spent, limit=RunStatus.KILLED)
                if spent > seconds and not interrupted:
                    self._manager.interrupt_kernel()
                    interrupted = True
                elif spent > seconds + 10:
                    self._manager.shutdown_kernel(now=True)
                    return CellRun("timed_out", seconds=spent, error=f"it ran longer than {seconds:g} s")
                continue
            if reply["parent_header"].get("msg_id") == request_id:
                break
        spent = time.monotonic() - began
        if interrupted:
            return CellRun("timed_out", seconds=spent, error=f"it ran longer than {seconds:g} s")
        content = reply["content"]
        if content["status"] == "ok":
            return CellRun("ok", seconds=spent)
        return CellRun("error", seconds=spent, error=f"{content.get('ename', 'an error')}: {content.get('evalue', '')}")

    def close(self) -> None:
        """End the kernel."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
