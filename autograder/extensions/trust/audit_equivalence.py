"""Equivalence of answers: whether a survivor behaves as the solution does, and where it does not.

The solution's notebook runs once more in a sandboxed kernel. Each doubtful answer is compared with the instructor's
there, by :mod:`autograder.extensions.trust.probe`. Functions are compared by what they return for many inputs, other
answers by the values that later cells and tests use. What cannot be compared so, as networks, stays undecided.
"""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autograder._util.syntax import parsed
from autograder._util.text import bounded
from autograder.extensions.trust import probe
from autograder.extensions.trust.mutants import Mutant
from autograder.extensions.trust.mutants.feeds import used_later
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.run import CellRun, StartedKernel
from autograder.release.record import Release

MAX_COMPARISON_SECONDS = 10.0
"""Time for one answer."""
ALIKE, DIFFERENT, UNCLEAR = "alike", "different", "unclear"


StartKernel = Callable[[], StartedKernel]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of an answer with the instructor's."""

    verdict: str
    """:data:`ALIKE`, :data:`DIFFERENT` or :data:`UNCLEAR`."""
    why: str
    kind: str = ""
    """For a function, one of :data:`~autograder.extensions.trust.probe.CHANGES` and ``CALL``."""
    name: str = ""
    """Function or variable that differs."""
    case: str = ""
    """For a function: arguments and result, as a case of ``check.function``."""


def in_sandbox(course: Course, release: Release) -> StartedKernel:
    """Start a kernel in the assignment's sandbox, with the files of the release.

    Raises:
        SandboxError: it cannot be built here.
    """
    from autograder.execution.own_kernel import sandboxed_kernel
    from autograder.sandbox import default_sandbox

    assignment = release.assignment
    sandbox = default_sandbox(assignment.environment, assignment.sandbox)
    limits, python = assignment.limits, assignment.environment
    return sandboxed_kernel(sandbox, release.files, limits, python=python, hidden_paths=(course.root,))


def compare(
    release: Release, doubtful: Sequence[Mutant], start: StartKernel, deadline: float, seed: int
) -> dict[str, Comparison]:
    """Compare answers with the instructor's, as far as the time goes: id of the mutant → comparison."""
    comparisons: dict[str, Comparison] = {}
    for exam in release.exams:
        of_notebook = [one for one in doubtful if one.notebook == exam.notebook]
        if of_notebook and time.monotonic() < deadline:
            with closing(start()) as kernel:
                comparisons |= dict(_compared(exam, of_notebook, kernel, release.assignment, deadline, seed))
    return comparisons


def _compared(
    exam: Exam, doubtful: Sequence[Mutant], kernel: StartedKernel, assignment: Assignment, deadline: float, seed: int
) -> Iterator[tuple[str, Comparison]]:
    """Run the notebook; compare values where they are made, and functions after the notebook has called them."""
    seconds = assignment.limits.cell_seconds
    run = partial(_run, kernel, deadline)
    run(_install(), 60.0)
    later: list[tuple[ExamCell, Mutant, list[str]]] = []
    for index, cell in enumerate(exam.cells):
        if cell.cell_type != "code" or time.monotonic() >= deadline:
            continue
        if cell.role is Role.TEST:
            run(cell.source or cell.released, seconds)  # its calls are examples; what it raises says nothing here
            continue
        of_cell = [one for one in doubtful if one.cell == cell.grade_id and cell.role is Role.ANSWER]
        names = list(used_later(exam, index)) if cell.role is Role.ANSWER else []
        functions = defined(cell.source)
        if of_cell and not set(names) & functions:
            for mutant in of_cell:
                yield mutant.id, _comparison(run, mutant, names, deadline, seed)
        run(cell.source if cell.role is Role.ANSWER else cell.released, seconds)
        if set(names) & functions:
            run(f"_audit_probe.watch(globals(), {names!r})", 60.0)
            later += [(cell, one, names) for one in of_cell]
    for _, mutant, names in later:
        yield mutant.id, _comparison(run, mutant, names, deadline, seed)


def _run(kernel: StartedKernel, deadline: float, source: str, seconds: float) -> CellRun:
    return kernel.run(source, max(1.0, min(seconds, deadline - time.monotonic())))


def _install() -> str:
    """Write the cell that brings the probe into the kernel."""
    source = Path(probe.__file__).read_text(encoding="utf-8")
    return (
        "import types as _audit_types\n_audit_probe = _audit_types.ModuleType('_audit_probe')\n"
        f"exec({source!r}, _audit_probe.__dict__)"
    )


def _comparison(
    run: Callable[[str, float], CellRun], mutant: Mutant, names: list[str], deadline: float, seed: int
) -> Comparison:
    seconds_left = deadline - time.monotonic()
    if seconds_left <= 1:
        return Comparison(UNCLEAR, "there was no time to compare it with the solution")
    seconds = min(MAX_COMPARISON_SECONDS, seconds_left)
    texts = f"{mutant.before!r}, {mutant.after!r}, {names!r}"
    call = f"_audit_probe.compare(globals(), {texts}, {seconds}, {seed}, {mutant.has_order!r})"
    return read(run(call, seconds + 10))


def read(run: CellRun) -> Comparison:
    """Read what the probe printed; anything else is unclear."""
    printed = "".join(str(out.get("text", "")) for out in run.outputs if out.get("output_type") == "stream")
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    try:
        answer = json.loads(lines[-1])
        texts = {key: bounded(str(answer.get(key, "")), 600) for key in ("why", "kind", "name", "case")}
        return Comparison(answer["verdict"] if answer["verdict"] in (ALIKE, DIFFERENT) else UNCLEAR, **texts)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Comparison(UNCLEAR, f"it could not be compared: {bounded(run.error or 'no answer', 300)}")


def defined(source: str) -> set[str]:
    """Collect the functions that a source defines at its top level."""
    tree = parsed(source)
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} if tree is not None else set()
