"""The time from a submission's file to its page while `autograder grade --watch` runs, beside its own work.

Makes a course with a small NumPy notebook, or with the Keras exercise of `batch_keras.py`, and starts a service. Then
submissions arrive, so many at a time, and each is timed from its submission to the written page. Own work is what its
cells took. The table has the median and the 95th percentile, and the memory of the command at the beginning and end.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keras", action="store_true", help="the Keras exercise instead of a small notebook")
    parser.add_argument("--arrivals", type=int, default=100)
    parser.add_argument("--at-a-time", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), chosen.arrivals, chosen.at_a_time, keras=chosen.keras)


def measure(root: Path, arrivals: int, at_a_time: int, *, keras: bool) -> None:
    """Grade ``arrivals`` submissions as they arrive."""
    from autograder.course.configuration import load_course
    from autograder.grading.assignment import Options
    from autograder.grading.service import Service
    from autograder.records import Grade

    name, students = _keras(root, arrivals) if keras else _small(root, arrivals)
    course = load_course(root)
    spent, own = [], []
    began = perf_counter()
    with Service(course, course.assignments[name], Options(workers=at_a_time)) as service:
        first = service.submit(students[0])
        first.result()
        ready, before = perf_counter() - began, _resident()
        for place in range(1, len(students), at_a_time):
            started = perf_counter()
            futures = [service.submit(student) for student in students[place : place + at_a_time]]
            for future in futures:
                future.add_done_callback(lambda _, started=started: spent.append(perf_counter() - started))
            for future in futures:
                grade = future.result()
                assert isinstance(grade, Grade), grade
                own.append(grade.notebooks[0].wall_seconds)
        after = _resident()
    print(f"{len(students)} submissions, {at_a_time} at a time; ready, with the first page, after {ready:.1f} s\n")
    print("| from file to page | median | 95th percentile |\n|---|---:|---:|")
    for what, seconds in (("all of it", spent), ("own work", own)):
        print(f"| {what} | {statistics.median(seconds):.2f} s | {statistics.quantiles(seconds, n=20)[-1]:.2f} s |")
    print(f"\nMemory of the command: {before:.0f} MiB after the first, {after:.0f} MiB after the last")


def _keras(root: Path, count: int) -> tuple[str, list[str]]:
    from regrade import make_course

    make_course(root, count)
    return "network", [f"student-{number:03}" for number in range(count)]


def _small(root: Path, count: int) -> tuple[str, list[str]]:
    from helpers.tiny import submit, tiny_course

    course = tiny_course(root)
    students = [f"student-{number:03}" for number in range(count)]
    for number, student in enumerate(students):
        submit(course, student, f"import numpy as np\ndef double(x):\n    return x * 2  # {number}")
    return "hw", students


def _resident() -> float:
    """Return the memory of this process in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
