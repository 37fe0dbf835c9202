"""A course whose answers are random numbers with a known distribution, and its calibration in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autograder.coordinator.batch import Execute
from autograder.extensions.trust.calibration import calibration
from autograder.extensions.trust.calibration_runs import (
    CalibrationRuns,
    candidates,
    execute_runs,
    plan_runs,
    working_folder,
)
from autograder.records.course import Course
from autograder.release.calibration_record import Calibration
from helpers.tiny import Here, cell, notebook, tiny_course, tiny_release

SETUP = "import numpy as np\nfrom autograder import check\n\nnp.random.seed(7)"
ANSWER = "### BEGIN SOLUTION\nmeasured = 0.5 + 0.01 * np.random.normal()\n### END SOLUTION"
YAML = """\
course: tiny
assignments:
  hw:
    title: Measuring
    limits: {cell_seconds: 20, notebook_seconds: 60, memory_mib: 512}
"""


def measuring(threshold: float | None, *, name: str = "loss") -> str:
    """A test that compares ``measured`` with a threshold, as check.loss compares a loss."""
    if threshold is None:
        return "### BEGIN HIDDEN TESTS\nassert measured < 10\n### END HIDDEN TESTS"
    stated = f'{{"loss": float(measured), "threshold": {threshold}, "higher_is_better": False}}'
    return (
        "### BEGIN HIDDEN TESTS\n"
        f'check.report("{name}", float(measured <= {threshold}), f"{{measured:.3f}}", evidence={stated})\n'
        "### END HIDDEN TESTS"
    )


def measured_course(
    root: Path, *tests: str, setup: str = SETUP, answer: str = ANSWER, answers: dict[str, str] | None = None
) -> Course:
    """A course with an answer, a test cell for each of ``tests``, and named answers."""
    course = tiny_course(root, yaml=YAML)
    cells = [cell(setup, "setup", locked=True), cell(answer, "measure", solution=True)]
    cells += [cell(test, f"test-{number}", grade=True, locked=True, points=2) for number, test in enumerate(tests, 1)]
    (course.source("hw") / "nb.ipynb").write_text(notebook(*cells))
    for name, source in (answers or {}).items():
        folder = course.source("hw") / "answers"
        folder.mkdir(exist_ok=True)
        made = notebook(cell(setup, "setup", locked=True), cell(source, "measure", solution=True))
        (folder / f"{name}.ipynb").write_text(made)
    return course


def calibrate(
    course: Course,
    count: int = 20,
    *,
    seed: int = 0,
    execute: Execute | None = None,
    seconds: float | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> Calibration:
    """Calibrate the course in this process."""
    runs = run(course, count, seed=seed, execute=execute, seconds=seconds, clock=clock)
    exams = tiny_release(course).exams
    return calibration(runs, exams, course.hidden("hw"), seed=seed)


def run(
    course: Course, count: int = 20, *, seed: int = 0, execute: Execute | None = None, **options: Any
) -> CalibrationRuns:
    """Run the candidates of the course in this process."""
    release = tiny_release(course)
    runs = CalibrationRuns(count, 0)
    with working_folder(course) as folder:
        planned = plan_runs(course, release, candidates(course, release), runs, seed, folder)
        execute_runs(planned, runs, execute=execute or Here(), **options)
    return runs


def losing(values: Sequence[float], threshold: float) -> int:
    """Count the values that miss a threshold."""
    return sum(value > threshold for value in values)
