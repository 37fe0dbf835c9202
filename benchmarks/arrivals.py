"""The time from a submission's file to its page while `autograder grade --watch` runs, beside its own work.

Makes a course with a small NumPy notebook, or with the Keras exercise of `batch_keras.py`, and starts a service. Then
submissions arrive, so many at a time, and each is timed from its submission to the written page. Own work is what its
cells took. The first table has the median and the 95th percentile; with `--cold`, also the whole command `autograder
grade` for one submission, three times. The second table has the memory of the command, and of all its processes with
the templates, after every fifth of the arrivals: shared pages count once.

    benchmarks/arrivals.py --arrivals 1000          about three minutes on two cores
    benchmarks/arrivals.py --keras --cold           about five minutes
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

from interruptions.processes import descendants  # noqa: E402 - found by the line above
from measurement import machine, markdown, memory_of, said  # noqa: E402


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keras", action="store_true", help="the Keras exercise instead of a small notebook")
    parser.add_argument("--arrivals", type=int, default=100)
    parser.add_argument("--at-a-time", type=int, default=2)
    parser.add_argument("--cold", action="store_true", help="also the command for one submission")
    chosen = parser.parse_args()
    described = machine("keras", "tensorflow")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), chosen.arrivals, chosen.at_a_time, keras=chosen.keras, cold=chosen.cold)
    print(f"{described}\n\n{found}")


def measure(root: Path, arrivals: int, at_a_time: int, *, keras: bool, cold: bool) -> str:
    """Grade ``arrivals`` submissions as they arrive; return the tables."""
    from autograder.coordinator.assignment import Options
    from autograder.coordinator.service import Service
    from autograder.course.configuration import load_course
    from autograder.records.grade import Grade

    name, students = _keras(root, arrivals) if keras else _small(root, arrivals)
    course = load_course(root)
    spent, own = [], []
    began = perf_counter()
    with Service(course, course.assignments[name], Options(workers=at_a_time)) as service:
        first = service.submit(students[0])
        first.result()
        ready, memory = perf_counter() - began, [(1, _resident(), _all_processes())]
        fifth = max(1, len(students) // 5)
        for place in range(1, len(students), at_a_time):
            started = perf_counter()
            futures = [service.submit(student) for student in students[place : place + at_a_time]]
            for future in futures:
                future.add_done_callback(lambda _, started=started: spent.append(perf_counter() - started))
            for future in futures:
                grade = future.result()
                assert isinstance(grade, Grade), grade
                own.append(grade.notebooks[0].wall_seconds)
            done = min(place + at_a_time, len(students))
            if done // fifth > memory[-1][0] // fifth or done == len(students):
                said(f"{done} of {len(students)}")
                memory.append((done, _resident(), _all_processes()))
    times = {"all of it": spent, "own work": own}
    if cold:
        times["`autograder grade` for one"] = [_cold(root, name, students[number]) for number in range(3)]
    rows = [
        [what, f"{statistics.median(seconds):.2f} s", f"{_percentile(seconds):.2f} s"]
        for what, seconds in times.items()
    ]
    held = [[str(count), f"{command:.0f} MiB", f"{everything:.0f} MiB"] for count, command, everything in memory]
    return (
        f"{len(students)} submissions, {at_a_time} at a time; ready, with the first page, after {ready:.1f} s\n\n"
        f"{markdown(['from file to page', 'median', '95th percentile'], rows)}\n\n"
        f"{markdown(['arrivals', 'the command', 'all its processes'], held)}"
    )


def _percentile(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 20 else max(seconds)


def _cold(root: Path, name: str, student: str) -> float:
    """Return how long the command takes that grades one submission anew."""
    command = [sys.executable, "-m", "autograder", "grade", name, "--course", str(root), "--quiet", "--force"]
    began = perf_counter()
    subprocess.run([*command, "--student", student], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return perf_counter() - began


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


def _all_processes() -> float:
    """Return the memory of this process and all below it in MiB; pages that several have count once."""
    return memory_of(os.getpid(), *descendants(os.getpid()))


if __name__ == "__main__":
    main()
