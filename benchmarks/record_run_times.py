"""The cost of each submission of the demo's class, recorded in a file: seconds, memory, bytes on disk.

    benchmarks/record_run_times.py --out benchmarks/recorded/demo_class.json

benchmarks/scale_simulation.py draws run times from this file. CPU seconds depend little on the machine's other work;
wall clocks are only useful from an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.exchange.work import Endings, Work
    from autograder.sandbox.base import Process

ROOT = Path(__file__).resolve().parents[1]
ENDLESS = "endless-loop"
sys.path[:0] = [str(ROOT)]


class Recording:
    """Grades as a batch does, and keeps how much processor time each submission's examiner used."""

    def __init__(self) -> None:
        self.cpu_seconds: dict[str, float] = {}

    def __call__(self, due: Sequence[Work], workers: int) -> Endings:
        from autograder.coordinator import examiner
        from autograder.coordinator import submission_grading as worker
        from autograder.coordinator.pool import in_threads
        from autograder.coordinator.templates import Templates

        def keep(work: Work, process: Process) -> None:
            self.cpu_seconds[work.student] = process.usage().cpu_seconds
            original(work, process)

        original, examiner._keep_log = examiner._keep_log, keep
        with Templates(due[0], kernels=len(due), executed=True) as templates:
            examiners = examiner.Examiners(templates)
            grade = partial(worker.attempt, examine=examiners.examine)
            yield from in_threads(due, workers, grade, examiners.stop)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    from autograder import demo
    from autograder.coordinator import batch
    from autograder.coordinator.cache_keys import exam_key
    from autograder.course.configuration import load_course
    from autograder.exchange.work import versions
    from autograder.release.build import build, write
    from autograder.release.preparation import prepare
    from autograder.results import publication

    with tempfile.TemporaryDirectory() as folder:
        demo.make_course(Path(folder) / "demo")
        course = load_course(Path(folder) / "demo")
        assignment = course.assignments[demo.ASSIGNMENT]
        prepare(course, assignment)
        release = build(course, assignment)
        write(course, assignment, release)
        demo.make_class(course.root, assignment.name)
        # On a busy machine nobody is to be stopped by a wall clock but the one that is there for it.
        patient = replace(assignment.limits, cell_seconds=600.0, notebook_seconds=3600.0)
        works = [
            work if work.student == ENDLESS else replace(work, assignment=replace(work.assignment, limits=patient))
            for work in batch.plan(course, release)
        ]
        recording = Recording()
        done = batch.run(
            works,
            workers=options.workers,
            execute=recording,
            progress=lambda student, outcome: print(student, getattr(outcome, "status", outcome), file=sys.stderr),
        )
        exams = [notebook.exam for notebook in release.notebooks]
        publication.record(course, assignment, exams, exam_key(course, release))
        rows = []
        for work, grade in ((w, g) for w in works for g in done.grades if g.student == w.student):
            page = course.feedback(grade.student, assignment.name)
            rows.append(
                {
                    "student": grade.student,
                    "status": grade.status,
                    "wall_seconds": round(sum(n.wall_seconds for n in grade.notebooks), 2),
                    "kernel_cpu_seconds": round(sum(n.cpu_seconds for n in grade.notebooks), 2),
                    "examiner_cpu_seconds": round(recording.cpu_seconds[work.student], 2),
                    "peak_memory_mib": max((n.peak_memory_mib or 0 for n in grade.notebooks), default=0),
                    "bytes": {
                        "submission": _bytes(work.submission),
                        "result": (work.target / "result.json").stat().st_size,
                        "notebook": sum(p.stat().st_size for p in work.target.glob("*.ipynb")),
                        "details": work.details.stat().st_size,
                        "feedback": _bytes(page),
                        "log": work.log.stat().st_size if work.log.exists() else 0,
                    },
                }
            )
        content = {
            "what": f"the demo's class, {assignment.name}, {options.workers} at a time",
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[1]:.1f} (5 min)",
            "versions": versions(),
            "gradebook_bytes": course.gradebook.stat().st_size,
            "submissions": rows,
        }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(content, indent=1) + "\n")


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
