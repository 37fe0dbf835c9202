"""The costs that grow with a class: the coordinator's time for a submission, its memory, and the gradebook's share.

    benchmarks/growth.py                 10, 50, 250 and 1,000 submissions, executions faked: some two minutes
    benchmarks/growth.py --quick         10 and 100: a quarter of a minute
    benchmarks/growth.py --real          10, 50 and 250 submissions graded for real, about two minutes on two cores
    benchmarks/growth.py --submissions 10 2000

The notebook is small and needs only Python. Two submissions are graded for real, in the sandbox. The executions of a
class are faked: their results are written under each student's name, so that only the coordinator's own work remains. A
process of its own for each size does what `autograder grade` does. The table (Markdown, standard output) has for each
size the milliseconds of each part for a submission; the CPU time of all parts; the gradebook's share of the whole, with
two executions at a time that take as long as the real ones; the peak memory of the process; and how far that is above
its memory after all imports. A second table has the cost of one more submission after the class is graded.

With `--real` the executions are real, two at a time unless --workers says otherwise, and the shares refer to that time.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest import mock

from measurement import machine, markdown, said

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

ASSIGNMENT = "small"
QUESTIONS = 6
COURSE = "course: growth\nassignments:\n  small: {limits: {cell_seconds: 20, notebook_seconds: 60, memory_mib: 512}}\n"

PARTS = {
    "plan": "autograder.coordinator.batch.plan",
    "what is due": "autograder.coordinator.batch.worker_count",
    "run": "autograder.coordinator.batch.run",
    "read": "autograder.results.publication.on_disk",
    "gradebook": "autograder.extensions.gradebook.nbgraders.record",
    "feedback": "autograder.results.publication.write_feedback",
    "CSV": "autograder.results.publication.grades_csv",
    "report": "autograder.results.publication._write_report",
    "table": "autograder.cli.progress.show_grades",
}
"""Part of the coordinator's work → the function whose time it is, without the parts that it calls."""


@dataclass(frozen=True)
class Measured:
    """One class, graded and recorded."""

    submissions: int
    seconds: dict[str, float]
    """Part → seconds, all of them together the whole."""
    cpu: float
    """CPU seconds of this process, without the faked executions."""
    executing: float
    """Seconds in which the executions ran, faked or real."""
    peak_mib: float
    imported_mib: float

    @property
    def own(self) -> float:
        return sum(self.seconds.values())


# --- the class --------------------------------------------------------------------------------------------


def make_course(folder: Path, submissions: int) -> None:
    """A course with one notebook, and so many who hand in its solution, no two of them the same."""
    source = folder / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    cells = [_cell("# Sums\n\nWrite each function as its text says.", kind="markdown")]
    for number in range(1, QUESTIONS + 1):
        answer = f"def f{number}(x):\n    ### BEGIN SOLUTION\n    return x + {number}\n    ### END SOLUTION"
        test = f"assert f{number}(1) == {number + 1}\n### BEGIN HIDDEN TESTS\nassert f{number}(40) == {number + 40}"
        cells += [
            _cell(f"## {number}\n\n`f{number}` adds {number}.", kind="markdown"),
            _cell(answer, f"f{number}", solution=True),
            _cell(f"{test}\n### END HIDDEN TESTS", f"test-f{number}", grade=True, locked=True, points=1),
        ]
    (source / "sums.ipynb").write_text(_notebook(cells))
    (folder / "course.yaml").write_text(COURSE)
    for number in range(submissions):
        hand_in(folder, number)


def hand_in(folder: Path, number: int) -> None:
    # Every fifth has one question wrong, so that pages and comments have something to say.
    answers = [f"def f{n}(x):\n    return x + {n if number % 5 or n > 1 else 0}" for n in range(1, QUESTIONS + 1)]
    cells = [_cell(f"# student {number}"), *(_cell(a, f"f{n}", solution=True) for n, a in enumerate(answers, 1))]
    mine = folder / "submitted" / f"student{number:05}" / ASSIGNMENT
    mine.mkdir(parents=True)
    (mine / "sums.ipynb").write_text(_notebook(cells))


def _cell(source: str, grade_id: str = "", kind: str = "code", **flags: Any) -> dict[str, Any]:
    marks = {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False, "locked": False}
    cell = {"cell_type": kind, "metadata": {"nbgrader": {**marks, "task": False, **flags}} if grade_id else {}}
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {**cell, **code, "source": source}


def _notebook(cells: Sequence[dict[str, Any]]) -> str:
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4})


class Faked:
    """Executes nothing: each work gets the result of the one that was graded for real."""

    def __init__(self, examples: Path) -> None:
        from autograder.exchange import result_json

        self.grades = [result_json.read(path / "result.json") for path in sorted(examples.glob(f"*/{ASSIGNMENT}"))]
        self.notebooks = [path.read_text() for path in sorted(examples.glob(f"*/{ASSIGNMENT}/sums.ipynb"))]

    def __call__(self, due: Sequence[Any], workers: int) -> Generator[tuple[Any, str], None, None]:
        from autograder.exchange import result_json

        for work in due:
            which = 0 if int(work.student.removeprefix("student")) % 5 == 0 else 1
            grade = replace(self.grades[which], student=work.student, content_keys=work.content_keys)
            text = json.dumps(result_json.to_json(grade))
            for path in (work.details, work.target / "result.json", work.target / "sums.ipynb"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.notebooks[which] if path.suffix == ".ipynb" else text)
            yield work, ""


# --- the clock --------------------------------------------------------------------------------------------


class Clock:
    """The time of each part, without that of the parts within it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.cpu: dict[str, float] = defaultdict(float)
        self.running: list[str] = []
        self.since = perf_counter(), process_time()

    def switch(self) -> None:
        """Count the time until now for the innermost part that runs."""
        now = perf_counter(), process_time()
        if self.running:
            self.seconds[self.running[-1]] += now[0] - self.since[0]
            self.cpu[self.running[-1]] += now[1] - self.since[1]
        self.since = now

    @contextlib.contextmanager
    def part(self, name: str) -> Generator[None, None, None]:
        self.switch()
        self.running.append(name)
        try:
            yield
        finally:
            self.switch()
            self.running.pop()

    def clocked(self, name: str, function: Any) -> Any:
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return function(*args, **kwargs)

        return timed

    def executing(self, execute: Any) -> Any:
        """``execute``, whose own time is a part of its own."""

        def timed(due: Sequence[Any], workers: int) -> Generator[tuple[Any, str], None, None]:
            with contextlib.closing(execute(due, workers)) as outcomes:
                while True:
                    with self.part("executing"):
                        try:
                            outcome = next(outcomes)
                        except StopIteration:
                            return
                    yield outcome

        return timed


def grade_class(folder: Path, examples: Path | None, workers: int, report: Any) -> None:
    """Do what `autograder grade` does in this process, and send what it took; real executions without examples."""
    import nbgrader.api
    from rich.console import Console

    from autograder.cli import progress
    from autograder.coordinator import batch
    from autograder.coordinator.cache_keys import exam_key
    from autograder.coordinator.pool import in_processes
    from autograder.course.configuration import load_course
    from autograder.release.build import build
    from autograder.results import publication

    assert nbgrader.api
    clock = Clock()
    execute = clock.executing(Faked(examples) if examples else in_processes)
    course = load_course(folder)
    assignment = course.assignments[ASSIGNMENT]
    release = build(course, assignment)
    imported = _peak_mib()
    with contextlib.ExitStack() as stack:
        for name, place in PARTS.items():
            module, _, function = place.rpartition(".")
            original = getattr(sys.modules[module], function)
            stack.enter_context(mock.patch(place, clock.clocked(name, original)))
        with clock.part("rest"):
            works = batch.plan(course, release)
            with clock.part("what is due"):
                due = [work for work in works if batch.current(work) is None]
            batch.worker_count(works)
            done = batch.run(works, workers=workers, execute=execute)
            exams = [notebook.exam for notebook in release.notebooks]
            publication.record(course, assignment, exams, exam_key(course, release))
            progress.show_grades(Console(file=io.StringIO()), done.grades)
    assert not done.not_graded, done.not_graded[0]
    assert len(done.graded) == len(due)
    executing = clock.seconds.pop("executing", 0.0)
    report.send(
        Measured(
            len(works),
            dict(clock.seconds),
            sum(clock.cpu.values()) - clock.cpu["executing"],
            executing,
            _peak_mib(),
            imported,
        )
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(folder: Path, examples: Path | None, workers: int) -> Measured:
    """A class graded in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=grade_class, args=(folder, examples, workers, sender))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    finally:
        process.join()


# --- the tables -------------------------------------------------------------------------------------------


def table(rows: Sequence[Measured], real_seconds: float, workers: int) -> str:
    """Milliseconds a submission of each part; ``real_seconds``: of one execution, where the executions were faked."""
    parts = [*PARTS, "rest"]
    head = ["submissions", *parts, "all", "CPU", "gradebook's share", "peak MiB", "above imported"]
    lines = []
    for row in rows:
        whole = row.own + (row.submissions * real_seconds / workers if real_seconds else row.executing)
        each = [row.seconds.get(part, 0.0) / row.submissions * 1e3 for part in parts]
        share = f"{100 * row.seconds['gradebook'] / whole:.1f} %"
        total = row.own / row.submissions * 1e3
        memory = [f"{row.peak_mib:.0f}", f"{row.peak_mib - row.imported_mib:.1f}"]
        lines.append(
            [
                f"{row.submissions:,}",
                *(f"{ms:.2f}" for ms in each),
                f"{total:.2f}",
                f"{row.cpu / row.submissions * 1e3:.2f}",
                share,
                *memory,
            ]
        )
    return markdown(head, lines)


def table_of_one_more(rows: Sequence[Measured]) -> str:
    """Milliseconds of each part, of the whole class."""
    parts = [*PARTS, "rest"]
    lines = [
        [
            f"{row.submissions - 1:,} and one more",
            *(f"{row.seconds.get(part, 0.0) * 1e3:.0f}" for part in parts),
            f"{row.own * 1e3:.0f}",
            f"{row.cpu * 1e3:.0f}",
            f"{row.peak_mib:.0f}",
        ]
        for row in rows
    ]
    return markdown(["submissions", *parts, "all", "CPU", "peak MiB"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, nargs="+", metavar="N", help="the sizes of the classes")
    parser.add_argument("--quick", action="store_true", help="10 and 100 submissions")
    parser.add_argument("--real", action="store_true", help="grade every submission for real")
    parser.add_argument("--workers", type=int, default=2, help="executions at a time (default: 2)")
    given = parser.parse_args()
    sizes = given.submissions or ([10, 100] if given.quick else [10, 50, 250] if given.real else [10, 50, 250, 1000])
    described = machine()
    rows, more = [], []
    real_seconds = 0.0
    with tempfile.TemporaryDirectory() as aside:
        examples = None
        if not given.real:
            said("two submissions for real")
            make_course(Path(aside) / "examples", 2)
            real_seconds = measured(Path(aside) / "examples", None, 1).executing / 2
            examples = Path(aside) / "examples/autograded"
        for size in sizes:
            said(f"{size:,} submissions")
            folder = Path(aside) / f"class-{size}"
            make_course(folder, size)
            rows.append(measured(folder, examples, given.workers))
            hand_in(folder, size)
            more.append(measured(folder, examples, given.workers))
    how = "real executions" if given.real else f"executions faked; a real one took {real_seconds:.2f} s"
    print(f"{described}; {how}, {given.workers} at a time\n\nMilliseconds a submission:\n")
    print(table(rows, real_seconds, given.workers))
    print("\nMilliseconds when one more is graded:\n")
    print(table_of_one_more(more))


if __name__ == "__main__":
    main()
