"""Grades the demo's class and writes down what each submission cost: seconds, memory, bytes on disk.

    benchmarks/record_run_times.py --out benchmarks/recorded/demo_class.json

The file is what benchmarks/scale_simulation.py draws run times from. CPU seconds change little with what else runs on
the machine; wall clocks are only worth something on a quiet one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENDLESS = "endless-loop"
sys.path[:0] = [str(ROOT)]


def recording(work: object, report: Connection) -> None:
    """The process of a submission, which also says how much CPU time it used itself: what examining costs."""
    from autograder import worker

    assert isinstance(work, worker.Work)
    worker.main(work, report)
    used = resource.getrusage(resource.RUSAGE_SELF)
    work.log.with_suffix(".cpu").write_text(str(used.ru_utime + used.ru_stime))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    from autograder.processes import in_processes

    from autograder import batch, demo, record
    from autograder.course import load_course
    from autograder.keys import exam_key
    from autograder.prepare import prepare
    from autograder.release import build, write
    from autograder.worker import versions

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
        done = batch.run(
            works,
            workers=options.workers,
            execute=partial(in_processes, target=recording),
            progress=lambda student, outcome: print(student, getattr(outcome, "status", outcome), file=sys.stderr),
        )
        exams = [notebook.exam for notebook in release.notebooks]
        record.record(course, assignment, exams, exam_key(course, release))
        rows = []
        for work, grade in ((w, g) for w in works for g in done.grades if g.student == w.student):
            page = course.feedback(grade.student, assignment.name)
            cpu = work.log.with_suffix(".cpu")
            rows.append(
                {
                    "student": grade.student,
                    "status": grade.status,
                    "wall_seconds": round(sum(n.wall_seconds for n in grade.notebooks), 2),
                    "kernel_cpu_seconds": round(sum(n.cpu_seconds for n in grade.notebooks), 2),
                    "examiner_cpu_seconds": round(float(cpu.read_text()), 2),
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
