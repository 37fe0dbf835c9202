"""A course of one small notebook that needs nothing but Python, and submissions to it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from autograder.coordinator import assignment, proof, recordings, submission_grading
from autograder.coordinator.submission_grading import ExaminerReply
from autograder.course.configuration import load_course
from autograder.examination.kernel_source import RecordingBytes
from autograder.examination.main import examined
from autograder.exchange.parcel import Common, pack_unit
from autograder.exchange.work import Endings, Work, shared_files, versions
from autograder.execution.notebook_run import Kernel
from autograder.extensions.gradebook import nbgraders as gradebook
from autograder.records.course import Course
from autograder.records.ending import Ending
from autograder.records.grade import Grade
from autograder.release.build import Release, build
from autograder.results import report
from helpers.kernels import InProcessKernel

SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TEST = "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS"
YAML = """\
course: tiny
assignments:
  hw:
    title: Doubling
    limits: {cell_seconds: 20, notebook_seconds: 60, memory_mib: 512}
"""


def cell(source: str, grade_id: str = "", kind: str = "code", **flags: Any) -> dict[str, Any]:
    marks = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
    }
    made: dict[str, Any] = {
        "cell_type": kind,
        "metadata": {"nbgrader": marks | flags} if grade_id else {},
        "source": source,
    }
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def notebook(*cells: dict[str, Any]) -> str:
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return json.dumps({"cells": list(cells), "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4})


def tiny_course(root: Path, *, solution: str = SOLUTION, test: str = TEST, yaml: str = YAML) -> Course:
    """A course with the assignment ``hw``: one answer, one test of 2 points."""
    folder = root / "source/hw"
    folder.mkdir(parents=True, exist_ok=True)
    graded = cell(test, "test-double", grade=True, locked=True, points=2)
    (folder / "nb.ipynb").write_text(notebook(cell(solution, "double", solution=True), graded))
    (root / "course.yaml").write_text(yaml)
    return load_course(root)


def tiny_release(course: Course) -> Release:
    return build(course, course.assignments["hw"])


def submit(course: Course, student: str, answer: str = "def double(x):\n    return 2 * x") -> Path:
    """Put a submission with this answer into submitted/."""
    folder = course.submitted(student, "hw")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nb.ipynb").write_text(notebook(cell(answer, "double", solution=True)))
    return folder


def copied(course: Course, root: Path) -> Course:
    """Copy a course, as it is now, into a folder of a test's own: faster than to grade it anew."""
    shutil.copytree(course.root, root, symlinks=True, dirs_exist_ok=True)
    return load_course(root)


def start_kernel(work: Work) -> Kernel:
    """What :func:`examine_here` starts; tests put others in its place."""
    return InProcessKernel()


def examine_here(work: Work) -> ExaminerReply:
    """Examine a submission in this process, with kernels that are no processes either: cells are the tests' own."""
    common = Common(
        root=work.course,
        assignment=work.assignment,
        exams=work.exams,
        hidden=work.hidden,
        modules=work.modules,
        files=shared_files(work),
        versions=versions(),
    )
    kept: list[RecordingBytes | None] = [None] * len(work.exams)
    if work.runs is not None:
        found = recordings.load(work) if work.replay_only else [recordings.Recording() for _ in work.exams]
        kept = [RecordingBytes(one.run or b"", one.figures) for one in found]
    with tempfile.TemporaryDirectory() as folder:
        start = partial(start_kernel, work)
        unit = Path(folder) / "unit"
        outcome = examined(common, pack_unit(work), kept, start, replay_only=work.replay_only, folder=unit)
        return ExaminerReply(outcome)


def grade_here(work: Work) -> Grade:
    """Grade a submission in this process."""
    return submission_grading.grade_submission(work, examine_here)


def ending_here(work: Work, grade: Callable[[Work], Grade] = grade_here) -> Ending:
    """How its grading ends."""
    return submission_grading.attempt(work, examine_here, lambda work, _: grade(work))


def grade_in_this_process(monkeypatch: pytest.MonkeyPatch, executor: Here) -> None:
    """Let commands grade with ``executor``: no walls are asked for, and no process is started."""
    # A batch compiles the pages' templates and the gradebook's tables meanwhile; here the examiner, which refuses that,
    # is in the same process.
    report.prepare()
    gradebook.prepare()
    where = "autograder.coordinator.assignment"
    monkeypatch.setattr(f"{where}.require_walls", lambda _: False)
    monkeypatch.setattr(f"{where}.prestart_templates", lambda due, **_: contextlib.nullcontext({}))
    monkeypatch.setattr(f"{where}.in_processes", lambda due, workers, **_: executor(due, workers))
    monkeypatch.setattr("autograder.coordinator.grading_sandboxes.require_walls", lambda _: False)
    # No solution runs beside the submissions: what it does decides nothing here.
    monkeypatch.setattr("autograder.coordinator.observation.is_observed", lambda exams: True)
    monkeypatch.setattr(proof, "prove", partial(proof.prove, execute=executor))


class Here:
    """Executes in this process, one after the other, with the real grading or another; remembers whom it graded."""

    def __init__(self, grade: Callable[[Work], Grade] = grade_here) -> None:
        self.grade = grade
        self.started: list[str] = []
        self.closed = False

    def __call__(self, due: Sequence[Work], workers: int) -> Endings:
        try:
            for work in due:
                self.started.append(work.student)
                yield work, ending_here(work, self.grade)
        finally:
            self.closed = True


def observe_here(course: Course, name: str = "hw") -> None:
    """Run the solution in this process and keep what it does: a batch would run it twice behind walls.

    As after a proof, nothing is noted of points that it misses: sources of tests often solve nothing.
    """
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if course.release(name).is_dir():
            shutil.copytree(course.release(name), folder, dirs_exist_ok=True)
        patch.chdir(folder)
        patch.setattr(assignment, "in_processes", Here())
        patch.setattr(assignment.observation, "with_misses", lambda release, _: release)
        assignment.observed_release(course, course.assignments[name])
