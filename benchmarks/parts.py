"""Where a submission's processor time goes, from the collected file to the written page, for each lesson.

    benchmarks/parts.py                     all lessons, three submissions of each: about five minutes
    benchmarks/parts.py overfitting --runs 5

Grades the instructor's solution of each lesson with a warm start, one at a time, and prints a table (Markdown) of CPU
seconds, medians of all but the first submission. A cell at the beginning of each notebook notes how much processor time
its kernel has used before and after each cell. What is not in a cell is the kernel's start, and what happens between
cells: states for the examiner, captures, messages. CPU seconds depend little on what else the machine does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import resource
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

from measurement import machine, markdown, said

if TYPE_CHECKING:
    from autograder.exchange.work import Work
    from autograder.records.course import Course
    from autograder.sandbox.base import Process

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

NOTING = """\
def _note_times():
    import atexit, resource, time
    spent = []
    def now():
        return time.process_time()
    shell = get_ipython()
    shell.events.register("pre_run_cell", lambda info: spent.append(now()))
    shell.events.register("post_run_cell", lambda result: spent.append(now()))
    spent.append(now())
    return spent
spent_times = _note_times()
"""
TELLING = "import json\nprint('SPENT', json.dumps(spent_times))\n"
KINDS = {
    "data": r"load_data\(",
    "imports": r"^\s*(import|from) ",
    "plots": r"plt\.|plot_\w+\(",
    "training": r"\.fit\(|\btrain\w*\(|GradientTape|for _? ?\w* ?in range",
}
"""Kind of a student's cell → what is in it; the first that fits, "other" if none does."""
PARTS = ("kernel start", *KINDS, "other cells", "between cells", "examiner", "coordinator")
BESIDE = ("kernel start", "between cells", "examiner", "coordinator")
"""Parts that are not the student's own work."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", help="these lessons (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="submissions of each lesson (default: 3)")
    parser.add_argument("--cells", action="store_true", help="also the cells that take longest")
    given = parser.parse_args()
    from helpers.lessons import lesson_names

    described = machine("keras", "tensorflow")
    lessons = given.lessons or lesson_names()
    columns = {name: measured(name, given.runs, cells=given.cells) for name in lessons}
    rows = [[part, *(f"{columns[name][part]:.2f}" for name in lessons)] for part in PARTS]
    total = {name: sum(column.values()) for name, column in columns.items()}
    beside = {name: sum(column[part] for part in BESIDE) for name, column in columns.items()}
    rows.append(["all of it", *(f"{total[name]:.2f}" for name in lessons)])
    rows.append(["beside the student's own work", *(f"{beside[name]:.2f}" for name in lessons)])
    print(f"{described}; CPU seconds\n\n{markdown(['', *lessons], rows)}")


def measured(lesson: str, runs: int, *, cells: bool) -> dict[str, float]:
    """Grade ``runs`` submissions of a lesson; return the CPU seconds of each part, medians."""
    from helpers.lessons import prepared_course

    from autograder import demo

    said(lesson)
    with tempfile.TemporaryDirectory() as folder:
        course = prepared_course(lesson, demo.make_course(Path(folder) / "course"))
        found = list(each_graded(course, lesson, runs, cells=cells))
    return {part: statistics.median(one[part] for one in found[1:] or found) for part in PARTS}


def each_graded(course: Course, lesson: str, runs: int, *, cells: bool = False) -> Iterator[dict[str, float]]:
    """Grade submissions of an assignment one at a time; yield the CPU seconds of the parts of each."""
    from autograder.coordinator import batch, examiner
    from autograder.coordinator.cache_keys import exam_key
    from autograder.coordinator.submission_grading import attempt
    from autograder.coordinator.templates import Templates
    from autograder.release.build import build
    from autograder.results import publication

    with contextlib.ExitStack() as stack:
        release = build(course, course.assignments[lesson])
        exams = [one.exam for one in release.notebooks]
        for number in range(runs):
            hand_in(course.submitted(f"student-{number}", lesson), exams[0])
        works = batch.plan(course, release)
        used = stack.enter_context(_examiners_usage())
        templates = stack.enter_context(Templates(works[0], kernels=runs, executed=True))
        examiners = examiner.Examiners(templates)
        templates.kernel_sandbox(), templates.examiner()
        for work in works:
            began = _own_seconds()
            ending = attempt(work, examiners.examine)
            assert ending.is_done, ending
            grade = batch.current(work)
            assert grade is not None
            publication.record_some(course, course.assignments[lesson], exams, [grade])
            own = _own_seconds() - began
            (book,) = grade.notebooks
            missed = [q for q in book.questions if q.score < q.max_score and not q.needs_manual_grade]
            assert not missed, missed
            (notebook,) = work.target.glob("*.ipynb")
            parts = _kernel_parts(json.loads(notebook.read_text()), book.cpu_seconds, show=cells and work is works[-1])
            yield parts | {"examiner": used[work.student], "coordinator": own}
        publication.record(course, course.assignments[lesson], exams, exam_key(course, release))


def hand_in(folder: Path, exam: Any) -> None:
    """Write a submission: the solution between a cell that notes times and one that tells them."""
    import nbformat

    from autograder.release.build import write_texts
    from autograder.release.exam_construction import solution_notebook

    folder.mkdir(parents=True)
    write_texts(folder, {cell.file: cell.source for cell in exam.answer_files})
    notebook = solution_notebook(exam)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NOTING))
    notebook.cells.append(nbformat.v4.new_code_cell(TELLING))
    nbformat.write(notebook, folder / f"{exam.notebook}.ipynb")


@contextlib.contextmanager
def _examiners_usage() -> Iterator[dict[str, float]]:
    """Note what each submission's examiner has used, until the block ends."""
    from autograder.coordinator import examiner

    used: dict[str, float] = {}
    original = examiner._keep_log

    def keep(work: Work, process: Process) -> None:
        used[work.student] = process.usage().cpu_seconds
        original(work, process)

    examiner._keep_log = keep
    try:
        yield used
    finally:
        examiner._keep_log = original


def _own_seconds() -> float:
    """CPU seconds of this process and of the supervisors that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


def _kernel_parts(notebook: dict[str, Any], total: float, *, show: bool) -> dict[str, float]:
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    text = "".join(out.get("text", "") for cell in code for out in cell["outputs"] if out["output_type"] == "stream")
    times = json.loads(re.findall(r"SPENT (\[.*\])", text)[-1])
    start, pairs = times[0], list(zip(times[2::2], times[3::2], strict=False))
    inside: dict[str, float] = dict.fromkeys(["kernel start", *KINDS, "other cells"], 0.0)
    inside["kernel start"] = start
    sources = ["".join(cell["source"]) for cell in code]
    ran = sources[sources.index(next(s for s in sources if "_note_times" in s)) + 1 :]
    longest = []
    for source, (begin, end) in zip(ran, pairs, strict=False):
        kind = next(
            (kind for kind, pattern in KINDS.items() if re.search(pattern, source, re.MULTILINE)), "other cells"
        )
        inside[kind] += end - begin
        longest.append((end - begin, kind, source.strip().splitlines()[0] if source.strip() else ""))
    if show:
        for seconds, kind, first in sorted(longest, reverse=True)[:8]:
            said(f"  {seconds:6.2f} s  {kind:12} {first[:90]}")
    return inside | {"between cells": total - sum(inside.values())}


if __name__ == "__main__":
    main()
