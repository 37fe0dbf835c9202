"""The cost of dask: one batch in this machine's own processes and on a dask LocalCluster with TLS, in turn.

    benchmarks/engine.py            the demo's class, three times each, two workers: about twelve minutes
    benchmarks/engine.py --quick    twelve small notebooks without Keras, once each

The table goes to standard output, as Markdown; progress goes to standard error. Both engines grade the same submissions
anew each time, with the same sandbox; the scores must be the same. A figure is the median wall clock from the plan to
the last written result, and includes the self-test of the workers' sandboxes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small notebooks, once")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    from distributed import LocalCluster

    from autograder.coordinator import batch
    from autograder.coordinator.pool import in_processes
    from autograder.extensions.cluster.connection import InCluster
    from autograder.records.course import Engine

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        works = small(folder / "course") if options.quick else lesson(folder / "course")
        tls = certificates(folder / "tls")
        with LocalCluster(
            n_workers=options.workers,
            threads_per_worker=1,
            protocol="tls://",
            security=tls[0],
            dashboard_address=None,
            local_directory=str(folder / "dask"),
        ) as cluster:
            engine = Engine("dask", cluster.scheduler_address, *tls[1:])
            ways: dict[str, batch.Execute] = {
                "processes": in_processes,
                "dask": InCluster(engine, folder),
            }
            spent: dict[str, list[float]] = {way: [] for way in ways}
            scores: list[object] = []
            for turn in range(1 if options.quick else options.times):
                for way, execute in ways.items():
                    print(f"{turn + 1}: {way}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
                    began = time.perf_counter()
                    done = batch.run(works, workers=options.workers, force=True, execute=execute)
                    spent[way].append(time.perf_counter() - began)
                    assert not done.not_graded, done.not_graded
                    scores.append([(grade.student, grade.score) for grade in done.grades])
        assert all(found == scores[0] for found in scores), "the scores differ"
    here, there = (statistics.median(spent[way]) for way in ("processes", "dask"))
    print(f"| {len(works)} submissions, {options.workers} at a time | seconds | runs |\n|---|---:|---|")
    for way, seconds in spent.items():
        runs = ", ".join(f"{value:.1f}" for value in seconds)
        print(f"| {way} | {statistics.median(seconds):.1f} | {runs} |")
    print(f"| dask, more than processes | {100 * (there / here - 1):+.1f} % | |")


def small(root: Path) -> tuple[object, ...]:
    """A dozen notebooks that need nothing but Python."""
    from helpers.tiny import submit, tiny_course, tiny_release

    from autograder.coordinator import batch

    course = tiny_course(root)
    for number in range(12):
        submit(course, f"student-{number:02}")
    return batch.plan(course, tiny_release(course))


def lesson(root: Path) -> tuple[object, ...]:
    """The demo's class but for the one that never ends, whose time is its limit's."""
    from autograder import demo
    from autograder.coordinator import batch
    from autograder.course.configuration import load_course
    from autograder.release.build import build, write
    from autograder.release.preparation import prepare

    demo.make_course(root)
    course = load_course(root)
    assignment = course.assignments[demo.ASSIGNMENT]
    prepare(course, assignment)
    release = build(course, assignment)
    write(course, assignment, release)
    demo.make_class(course.root, assignment.name)
    return tuple(work for work in batch.plan(course, release) if "endless" not in work.student)


def certificates(folder: Path) -> tuple[object, str, str, str]:
    """dask's settings for all roles, and the client's files."""
    from distributed.security import Security

    subprocess.run([ROOT / "deploy/certificates", folder], check=True, stdout=subprocess.DEVNULL)
    named: Callable[[str], str] = lambda name: str(folder / name)  # noqa: E731
    roles = {
        f"tls_{role}_{kind}": named(f"{role}{end}")
        for role in ("scheduler", "worker", "client")
        for kind, end in (("cert", ".pem"), ("key", "-key.pem"))
    }
    security = Security(require_encryption=True, tls_ca_file=named("ca.pem"), **roles)
    return security, named("ca.pem"), named("client.pem"), named("client-key.pem")


if __name__ == "__main__":
    main()
