"""The lessons as the variants run them: without the cells that no answer and no test needs, and with less training.

What is shrunk, for every variant of a lesson alike, the solution and the blank among them:

- Locked cells that only draw, print or try something out are left out (:data:`KEPT` are those that stay).
- :data:`SMALLER` trains on fewer rows or for fewer epochs, in the instructor's own cells. Thresholds, test cells and
  hidden data are the lessons' own. ``test_variants.py`` proves each shrunk lesson as a release is proved: its solution
  gets full marks, the unchanged notebook none.
- Everything runs in one process, without a sandbox: Keras is imported once, and the stand-in's rows are drawn once.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
import linecache
import os
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from helpers.kernels import InProcessKernel
from helpers.lessons import ROOT, prepared_course

from autograder.course.configuration import load_course
from autograder.examination.attempt import Conditions
from autograder.examination.notebook_grading import grade_notebook
from autograder.examiner.origin import cell_stem
from autograder.records.exam import Exam, Role
from autograder.records.grade import NotebookGrade
from autograder.records.limits import Limits
from autograder.records.run import CellRun
from autograder.release.build import build
from autograder.release.exam_construction import solution_notebook

KEPT = {
    "logistic-regression-theano": ("imports", "load", "build"),
    "logistic-regression-tensorflow": ("imports", "load", "variables", "show-log", "log-dir"),
    "logistic-regression-keras": ("imports", "load"),
    "overfitting": ("imports", "split-function", "load", "make-network"),
    "keras-fully-connected": ("imports", "load", "prepare", "rules", "fit"),
    "keras-backend": ("imports", "load", "train-all"),
}
"""Lesson → grade_ids of the locked cells that stay."""

SMALLER: dict[str, tuple[tuple[str, str], ...]] = {
    "logistic-regression-theano": (("20_000", "6_000"),),
    "logistic-regression-keras": (("40_000", "15_000"), ("50_000", "20_000")),
    "keras-fully-connected": (
        ('\nreport("yours", model)', ""),
        ("epochs=10, batch_size=128", "epochs=4, batch_size=256"),
    ),
}
"""Lesson → (text of a locked cell, what stands there instead)."""


@functools.cache
def shrunk(lesson: str) -> Exam:
    """The lesson's exam, shrunk. LookupError: a cell or a text of the tables is not in the lesson."""
    course = load_course(ROOT)
    if not (_hidden(lesson) / "holdout.npz").exists():
        _prepare(lesson)
    (notebook,) = build(course, course.assignments[lesson]).notebooks
    exam = notebook.exam
    missing = {*KEPT[lesson]} - {cell.grade_id for cell in exam.cells}
    if missing:
        raise LookupError(f"{lesson} has no cells {sorted(missing)}")
    cells = [cell for cell in exam.cells if cell.cell_type == "code" and _stays(cell, KEPT[lesson])]
    for old, new in SMALLER.get(lesson, ()):
        if not any(old in cell.released for cell in cells if cell.role is Role.READ_ONLY):
            raise LookupError(f"{lesson} has no locked cell with {old!r}")
        cells = [
            dataclasses.replace(cell, source=cell.source.replace(old, new), released=cell.released.replace(old, new))
            if cell.role is Role.READ_ONLY
            else cell
            for cell in cells
        ]
    return dataclasses.replace(exam, cells=tuple(cells))


def _stays(cell: Any, kept: tuple[str, ...]) -> bool:
    return cell.role in (Role.ANSWER, Role.TEST) or cell.grade_id in kept


def _hidden(lesson: str) -> Path:
    return ROOT / "source" / lesson / "hidden"


@functools.cache
def _prepare(lesson: str) -> None:
    """Make the hidden data, once in a process: what lies there may be of another day."""
    prepared_course(lesson)


class Kernel(InProcessKernel):
    """As a notebook's: the source of a function that a cell defines can be had."""

    def run(self, source: str, seconds: float) -> CellRun:
        name = f"/tmp/ipykernel/{cell_stem(source)}.py"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        return super().run(source, seconds)


def grade(exam: Exam, answers: dict[str, str]) -> NotebookGrade:
    """Grade the notebook in which these answers stand in place of the instructor's."""
    notebook = solution_notebook(exam)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    _prepare(exam.assignment)
    limits = Limits(cell_seconds=300, notebook_seconds=600)
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, mock.patch("kaggle_data.load_data", _load_data):
        path = Path(folder) / "handed-in.ipynb"
        nbformat.write(notebook, path)
        os.chdir(folder)
        try:
            return grade_notebook(exam, path, Conditions(Kernel, limits, _hidden(exam.assignment))).grade
        finally:
            os.chdir(here)
            _forget()


def _forget() -> None:
    """Keras keeps what it built; two hundred notebooks of it are too much for one process."""
    keras: Any = sys.modules.get("keras")
    if keras is not None:
        keras.backend.clear_session()
        gc.collect()


@functools.cache
def _rows() -> tuple[Any, Any]:
    import kaggle_data

    return kaggle_data.make_synthetic(kaggle_data.TRAIN_ROWS, seed=1337)


def _load_data() -> tuple[Any, Any]:
    """What ``load_data()`` gives in the course, drawn once; every call has copies of its own."""
    counts, labels = _rows()
    return counts.copy(), labels.copy()
