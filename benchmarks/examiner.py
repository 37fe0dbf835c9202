"""The examiner's cost: questions to the kernel, large arrays, rebuilt models, and a whole lesson's tests.

    benchmarks/examiner.py                  everything, about three minutes
    benchmarks/examiner.py --lesson-runs 0  without the lesson, and so without Keras: half a minute

The table goes to standard output, as Markdown; progress goes to standard error. The kernels are real, in the sandbox.
The lesson is graded in processes that are forked as a batch's are, from a server that has imported Keras.

A figure is a median of wall clocks. It is followed by the number of measurements, their span from the 5th to the 95th
percentile (the smallest and the largest if there are fewer than twenty), and the mean CPU time of both sides: the part
of the wall clock that remains on an idle machine.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import pkgutil
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest import mock

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

LESSON = "keras-fully-connected"
ROWS = (61_878, 93)
"""The competition's training rows, the largest array that a lesson of the course is likely to ask for."""

DEFINITIONS = """\
import numpy as np
def nothing(x): return x
def twice(x): return 2 * x
table = np.random.default_rng(0).random((61_878, 93), dtype="float32")
"""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    seconds: list[float]
    cpu: float
    """CPU seconds of one, in the mean: the examiner's, and the sandbox's where there is one."""
    target: float | None = None
    """Seconds that the median is to stay below."""

    def __str__(self) -> str:
        unit, factor = ("ms", 1e3) if np.median(self.seconds) < 0.1 else ("s", 1.0)
        few = len(self.seconds) < 20
        low, middle, high = np.percentile(self.seconds, [0 if few else 5, 50, 100 if few else 95]) * factor
        target = "" if self.target is None else f"{self.target * factor:g} {unit}"
        span = f"{len(self.seconds)}: {low:.3g} to {high:.3g}"
        return f"| {self.what} | {middle:.3g} {unit} | {span} | {self.cpu * factor:.3g} {unit} | {target} |"


def timed(
    what: str,
    action: Callable[[], object],
    times: int,
    *,
    target: float | None = None,
    cpu: Callable[[], float] = process_time,
) -> Row:
    """Run it so many times, after one that does not count; ``cpu`` tells the CPU seconds until now."""
    action()
    used, spent = cpu(), []
    for _ in range(times):
        began = perf_counter()
        action()
        spent.append(perf_counter() - began)
    return Row(what, spent, (cpu() - used) / times, target)


# --- the codec ------------------------------------------------------------------------------------------


def codec_rows() -> Iterator[Row]:
    """Encoding and decoding, in this process."""
    from autograder.codec import decode, encode

    values: dict[str, Any] = {
        "a list of 10,000 numbers": list(np.random.default_rng(0).random(10_000).tolist()),
        "1,000 texts in dicts": [{"id": number, "label": f"Class_{number % 9}"} for number in range(1_000)],
        "61,878 × 93 float32": np.zeros(ROWS, "float32"),
        "1,000 arrays of 93": [np.zeros(93) for _ in range(1_000)],
    }
    for name, value in values.items():
        packed = encode(value)
        yield timed(f"codec: encode {name}", partial(encode, value), 30)
        yield timed(f"codec: decode {name}", partial(decode, packed.text, packed.buffers), 30)


# --- the kernel -----------------------------------------------------------------------------------------


def kernel_rows() -> Iterator[Row]:
    """Questions to a kernel in the sandbox."""
    from autograder.examiner.namespace import Answers
    from autograder.examiner.remote.proxy import Remote
    from autograder.execution.capture import Budget, capture
    from autograder.execution.own_kernel import sandboxed_kernel
    from autograder.records.limits import Limits
    from autograder.sandbox import default_sandbox

    kernel = sandboxed_kernel(default_sandbox(), {}, Limits(memory_mib=2048), preload=["numpy"])
    try:
        ran = kernel.run(DEFINITIONS, 60)
        assert ran.status == "ok", ran.error
        remote = Remote(kernel)

        def answers(*names: str) -> dict[str, Any]:
            got = capture(remote, frozenset(names), Budget(), perf_counter() + 1e6)
            assert got is not None
            held = Answers(remote, frozenset(), lambda *_: None)
            return {name: held.value(name, captured) for name, captured in got.names.items()}

        functions = answers("nothing", "twice")
        table = answers("table")["table"]
        assert table.shape == ROWS
        nothing, twice = functions["nothing"], functions["twice"]
        question = partial(timed, cpu=lambda: process_time() + kernel.usage()[0])
        yield question("a remote call, `f(1)`", lambda: nothing(1), 300, target=0.005)
        yield question("a remote attribute, `f.__name__`", lambda: nothing.__name__, 300, target=0.005)
        yield question("61,878 × 93 float32 as an answer", lambda: answers("table"), 20, target=0.3)
        yield question("61,878 × 93 float32 as argument and result", lambda: twice(table), 20, target=0.3)
    finally:
        kernel.close()


# --- a lesson -------------------------------------------------------------------------------------------

PHASES = {
    "capture": "autograder.execution.capture.capture",
    "tests": "autograder.examination.attempt.NotebookAttempt.examine",
    "rebuild": "autograder.examination.attempt._rebuild",
    "predict": "autograder.extensions.networks.holdout.predict",
}
"""Part of the examiner's work → the function whose time it is; rebuilding and predicting lie within the tests."""


def lesson_rows(runs: int) -> Iterator[Row]:
    """The examiner's share of the hands-on lesson, each run in a process as a batch's."""
    from helpers.lessons import prepared_course

    from autograder.exchange.work import HEAVY

    prepared_course(LESSON)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autograder.examination.notebook_grading", *HEAVY])
    runs_spent: list[dict[str, tuple[float, float]]] = []
    for number in range(runs):
        said(f"lesson, run {number + 1} of {runs}")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=grade_lesson, args=(sender,))
        process.start()
        runs_spent.append(receiver.recv())
        process.join()

    def row(what: str, *phases: str, target: float | None = None) -> Row:
        both = np.array([[spent[phase] for phase in phases] for spent in runs_spent]).sum(axis=1)
        return Row(what, both[:, 0].tolist(), float(both[:, 1].mean()), target)

    yield row(f"`{LESSON}`: all that the examiner adds", "capture", "tests", target=1.0)
    yield row("of that: capturing at the test cells", "capture")
    yield row("of that: the test cells", "tests")
    yield row("of the tests: rebuilding the model", "rebuild")
    yield row("of the tests: predictions on 20,000 holdout rows", "predict")
    yield row("for comparison: the whole notebook, start to grade", "whole")


def grade_lesson(report: Any) -> None:
    """Grade the instructor's solution; sends the wall clock and the CPU seconds of each phase."""
    import nbformat

    from autograder.coordinator.batch import common_keys, submission_work
    from autograder.course.configuration import load_course
    from autograder.examination.attempt import Conditions
    from autograder.examination.notebook_grading import grade_notebook
    from autograder.release.build import build
    from autograder.release.exam_construction import solution_notebook

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    course = load_course(ROOT)
    built = build(course, course.assignments[LESSON])
    (released,) = built.notebooks
    spent = dict.fromkeys([*PHASES, "whole"], (0.0, 0.0))
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        path = Path(folder) / f"{released.name}.ipynb"
        nbformat.write(solution_notebook(released.exam), path)
        work = submission_work(course, built, "solution", common_keys(course, built), submission=path.parent)
        for phase, place in PHASES.items():
            stack.enter_context(_clocked(phase, place, spent))
        began, used = perf_counter(), process_time()
        conditions = Conditions(lambda: _kernel(work), built.assignment.limits, work.hidden)
        done = grade_notebook(released.exam, path, conditions)
        sandbox = done.grade.cpu_seconds or 0.0
        spent["whole"] = (perf_counter() - began, process_time() - used + sandbox)
    missed = [q for q in done.grade.questions if q.score < q.max_score and not q.needs_manual_grade]
    assert not missed, missed
    report.send(spent)


def _kernel(work: Any) -> Any:
    """A kernel of its own, as the examiner drives one."""
    from autograder.coordinator.grading_sandboxes import kernel_sandbox
    from autograder.exchange.work import hidden_paths, preload, released_modules
    from autograder.execution.own_kernel import sandboxed_kernel

    first = preload(work.assignment, released_modules(work))
    limits = work.assignment.limits
    return sandboxed_kernel(
        kernel_sandbox(work.assignment), work.files, limits, hidden_paths=hidden_paths(work), preload=first
    )


def _clocked(phase: str, place: str, spent: dict[str, tuple[float, float]]) -> Any:
    """Patch the function so that its time is added up."""
    original = pkgutil.resolve_name(place)

    def clocked(*args: Any, **kwargs: Any) -> Any:
        began, used = perf_counter(), process_time()
        try:
            return original(*args, **kwargs)
        finally:
            wall, cpu = spent[phase]
            spent[phase] = (wall + perf_counter() - began, cpu + process_time() - used)

    return mock.patch(place, clocked)


# --- the table ------------------------------------------------------------------------------------------


def said(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def machine() -> str:
    """What the figures were measured on."""
    described = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in described if line.startswith("model name")]
    load = os.getloadavg()[0]
    parts = [f"{len(names)} × {names[0]}", f"load {load:.1f} at the start", f"Python {platform.python_version()}"]
    return ", ".join([*parts, *(f"{name} {version(name)}" for name in ("numpy", "keras", "tensorflow"))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lesson-runs", type=int, default=5, help="how often the lesson is graded (default: 5)")
    runs = parser.parse_args().lesson_runs
    described = machine()
    said("codec")
    rows = [*codec_rows()]
    said("kernel")
    rows += kernel_rows()
    if runs:
        rows += lesson_rows(runs)
    print(f"{described}\n\n| | median | measurements | CPU | target |\n|---|---:|---|---:|---:|")
    print("\n".join(map(str, rows)))


if __name__ == "__main__":
    main()
