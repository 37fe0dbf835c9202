"""The cost of grading a class again after a hidden test changed, beside the cost of grading it first.

Makes a course with the exercise of `batch_keras.py`, a loss on holdout data in its hidden tests, and a class of
students, each with a network of their own. It times the command `autograder grade`: once without any recording, then
after each of some changes of hidden tests. The table has the wall clock and the CPU time of the whole command with all
its processes, pages and the gradebook included.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

from batch_keras import SETUP, TRAINING, network  # noqa: E402 - found by the line above

YAML = """\
course: regrading
assignments:
  network: {title: A small network, files: [kaggle_data.py], hidden: [holdout.npz]}
"""
IMPORT = "from autograder import check\n"
ANSWER = """\
{network}
{training}
def scaled(values):
    return (values - np.min(values)) / np.ptp(values)"""
LOSS = """\
holdout = check.hidden_data("holdout.npz")
check.loss(model, on=(holdout["X"], holdout["y"]), below={below})"""
SCALED = "check.function(scaled, [([1.0, 2.0, 5.0], np.array([0, 0.25, 1.0]))], rtol={rtol})"


@dataclass(frozen=True)
class Spent:
    """What one command took, in seconds."""

    wall: float
    cpu: float


def make_course(root: Path, students: int) -> None:
    """The course, its data, and a submission of each student."""
    from autograder.course.configuration import assignment, load_course
    from autograder.release.build import build, write
    from kaggle_data import make_synthetic, preprocess_data, preprocess_labels

    (root / "source/network/hidden").mkdir(parents=True)
    (root / "kaggle_data.py").write_bytes((ROOT / "kaggle_data.py").read_bytes())
    (root / "course.yaml").write_text(YAML)
    _, scaler = preprocess_data(make_synthetic(12_000, seed=7)[0])
    counts, labels = make_synthetic(4_000, seed=8)
    X, y = preprocess_data(counts, scaler)[0], preprocess_labels(labels)[0]
    np.savez(root / "source/network/hidden/holdout.npz", X=X, y=y)
    write_source(root)
    course = load_course(root)
    wanted = assignment(course, "network")
    write(course, wanted, build(course, wanted))
    for number in range(students):
        folder = course.submitted(f"student-{number:03}", "network")
        folder.mkdir(parents=True)
        answer = ANSWER.format(network=network(number), training=TRAINING)
        (folder / "network.ipynb").write_text(notebook(answer, "", ""))


def write_source(root: Path, below: float = 0.9, rtol: float = 1e-6) -> None:
    """source/network/network.ipynb, with these in its hidden tests."""
    solution = f"### BEGIN SOLUTION\n{ANSWER.format(network=network(1), training=TRAINING)}\n### END SOLUTION"
    text = notebook(solution, hidden(LOSS.format(below=below)), hidden(SCALED.format(rtol=rtol)))
    (root / "source/network/network.ipynb").write_text(text)


def hidden(test: str) -> str:
    return f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"


def notebook(answer: str, loss: str, scaled: str) -> str:
    from helpers.tiny import cell
    from helpers.tiny import notebook as made

    return made(
        cell(IMPORT + SETUP, "setup", locked=True),
        cell(answer, "model", solution=True),
        cell(f"model is not None\n{loss}", "test-loss", grade=True, locked=True, points=4),
        cell(f"callable(scaled)\n{scaled}", "test-scaled", grade=True, locked=True, points=2),
    )


def grade(root: Path, workers: int, *options: str) -> Spent:
    """Run `autograder grade` and wait for it."""
    command = [sys.executable, "-m", "autograder", "grade", "network", "--course", str(root), "--quiet"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--workers", str(workers), *options], check=True, env=environment)
    wall = perf_counter() - began
    _wait_for_all()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _adopt_orphans() -> None:
    """The servers that grading forks from outlive the command by a moment; their time counts, too."""
    set_child_subreaper = 36
    ctypes.CDLL(None).prctl(set_child_subreaper, 1)


def _wait_for_all() -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def results(root: Path) -> list[dict[str, Any]]:
    """The grades on disk."""
    return [json.loads(path.read_text()) for path in (root / "autograded").glob("*/network/result.json")]


def executed(root: Path) -> int:
    """How many of the grades on disk needed an execution."""
    return sum(not book["kept"] for result in results(root) for book in result["notebooks"])


def row(what: str, spent: list[Spent], first: Spent, ran: int) -> str:
    wall, cpu = median(s.wall for s in spent), median(s.cpu for s in spent)
    span = f"{min(s.wall for s in spent):.3g} to {max(s.wall for s in spent):.3g}"
    return f"| {what} | {wall:.3g} s | {len(spent)}: {span} | {cpu:.3g} s | {ran} | {first.wall / wall:.3g} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5, help="how often each change is graded")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="4 students, each change once: to see that it works")
    chosen = parser.parse_args()
    students, repeats = (4, 1) if chosen.quick else (chosen.students, chosen.repeats)
    _adopt_orphans()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_course(root, students)
        first = grade(root, chosen.workers)
        scores = [result["score"] for result in results(root)]
        assert set(scores) == {6}, f"points, where 6 are right: {scores}"
        rows = [row("grading them, nothing kept", [first], first, executed(root))]
        changes = {
            "another threshold of `check.loss`": lambda n: {"below": 0.8 - n / 100},
            "another tolerance in `check.function`": lambda n: {"below": 0.9, "rtol": 1e-5 * (n + 1)},
        }
        for what, change in changes.items():
            spent = []
            for number in range(repeats):
                write_source(root, **change(number))
                spent.append(grade(root, chosen.workers))
            rows.append(row(what, spent, first, executed(root)))
        rows.append(row("the same again: all grades are current", [grade(root, chosen.workers)], first, 0))
    names = ", ".join(f"{name} {version(name)}" for name in ("keras", "tensorflow", "numpy"))
    print(f"{students} students, {chosen.workers} at a time; Python {platform.python_version()}, {names}\n")
    print(
        "| the whole command | median | measurements | CPU | executed | times faster |\n|---|---:|---|---:|---:|---:|"
    )
    print("\n".join(rows))


if __name__ == "__main__":
    main()
