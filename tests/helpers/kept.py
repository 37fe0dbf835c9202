"""Grades notebooks without a sandbox, keeps their runs, and grades from them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.coordinator.recording_store import RecordingStore
from autograder.examination.attempt import Conditions
from autograder.examination.kernel_source import RecordingBytes, kernel_source
from autograder.examination.notebook_grading import grade_notebook
from autograder.records.exam import Exam, Role
from autograder.records.grade import NotebookGrade
from autograder.records.limits import Limits
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel
from helpers.tiny import cell, notebook

KINDS = ("", "-figures")


def exam_with(*hidden: str, given: str = "", points: float = 1.0) -> Exam:
    """An instructor's cell, an answer, and tests of which students see nothing."""
    made = exam_of((Role.READ_ONLY, given), (Role.ANSWER, ""), *((Role.TEST, test, points) for test in hidden))
    cells = tuple(replace(c, released="pass") if c.role is Role.TEST else c for c in made.cells)
    return replace(made, cells=cells)


class Room:
    """Where one notebook is graded as often as one likes, with exams that change."""

    def __init__(self, folder: Path, kernel: Any = InProcessKernel) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self.kernel = kernel
        self.started: list[Any] = []
        self.hidden: Path | None = None
        self.limits = Limits()

    def start(self) -> Any:
        self.started.append(self.kernel())
        return self.started[-1]

    def grade(self, exam: Exam, answer: str, *, kept: bool = False, execution: str = "") -> NotebookGrade:
        """Execution and kept; with ``kept`` from the kept run alone."""
        path = self.folder / "nb.ipynb"
        path.write_text(notebook(cell(answer, "cell1", solution=True)))
        key = hashlib.sha256(execution.encode() + path.read_bytes()).hexdigest()
        runs = RecordingStore(self.runs)
        recorded = RecordingBytes(*(runs.load(f"{key}{what}") for what in KINDS)) if kept else RecordingBytes()
        supply = kernel_source(self.start, recorded, replay_only=kept)
        grade = grade_notebook(exam, path, Conditions(self.start, self.limits, self.hidden, kernel_source=supply)).grade
        for what, data in zip(KINDS, (recorded.new_run, recorded.new_figures or None), strict=True):
            if data is not None:
                runs.save(f"{key}{what}", data)
        return grade

    def fresh(self, exam: Exam, answer: str) -> NotebookGrade:
        """Execution, with nothing kept or looked up."""
        path = self.folder / "nb.ipynb"
        path.write_text(notebook(cell(answer, "cell1", solution=True)))
        return grade_notebook(exam, path, Conditions(self.kernel, self.limits, self.hidden)).grade

    @property
    def files(self) -> list[Path]:
        return sorted(self.runs.glob("*")) if self.runs.is_dir() else []


def told(grade: NotebookGrade) -> Any:
    """All that a grade says, but for what a clock or a meter says of its run."""
    plain = replace(grade, wall_seconds=0.0, cpu_seconds=0.0, peak_memory_mib=None, replayed=False)
    return json.loads(json.dumps([plain.status, plain.message, plain.history], default=str)), plain.questions


ANSWER = """\
import numpy as np
x, name, table = 3, "ada", np.arange(12.0).reshape(3, 4)
def double(n):
    print("doubling", n)
    return 2 * n
class Box:
    def __init__(self, n):
        self.n = n
    def half(self):
        return self.n / 2
box = Box(4)
"""
