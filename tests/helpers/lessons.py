"""The kit's own course, with the files that a release makes first, and what its notebooks print."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from autograder import check
from autograder.course.configuration import load_course
from autograder.records.course import Course
from autograder.records.exam import Exam
from autograder.release.build import Release, build
from autograder.release.preparation import prepare

ROOT = Path(__file__).resolve().parents[2]
IN_PYTORCH = ("pytorch-fully-connected", "small-gpt")
"""The lessons that need PyTorch, and no TensorFlow."""


def prepared_course(name: str, root: Path = ROOT) -> Course:
    """The course in ``root``, ready to build the release of its assignment ``name``."""
    course = load_course(root)
    assignment = course.assignments[name]
    hidden = [course.hidden(name) / file for file in assignment.hidden]
    if not _is_newer(hidden, [root / "course.yaml", *root.glob("*.py"), *course.hidden(name).glob("*.py")]):
        prepare(course, assignment)
        for path in hidden:
            path.touch()  # an equal file was left as it was
    return course


def _is_newer(made: Sequence[Path], makers: Sequence[Path]) -> bool:
    """Whether all files are there and newer than what they are made by: a run of the suite need not make them again."""
    if not all(path.is_file() for path in made):
        return False
    return min(path.stat().st_mtime for path in made) > max(path.stat().st_mtime for path in makers)


@functools.cache
def built_lesson(name: str) -> Release:
    """What the source of a lesson makes; its holdout.npz then lies in its hidden folder."""
    course = prepared_course(name)
    return build(course, course.assignments[name])


def lesson_exam(name: str) -> Exam:
    """The exam of a lesson, whose holdout.npz then lies in its hidden folder."""
    (notebook,) = built_lesson(name).notebooks
    return notebook.exam


def source_of(exam: Exam, grade_id: str) -> str:
    """The instructor's source of a cell."""
    return next(cell.source for cell in exam.cells if cell.grade_id == grade_id)


def share(exam: Exam, test: str, names: dict[str, Any]) -> float:
    """The share of its points that a test cell gives to the answers in ``names``; 0 where it raises."""
    hidden = ROOT / "source" / exam.assignment / "hidden"
    with check.serving_hidden_data(hidden), check.recording() as results:
        try:
            exec(source_of(exam, test), names)
        except Exception:
            return 0.0
    return float(sum(r.weight * r.fraction for r in results) / sum(r.weight for r in results))


@functools.cache
def lesson_names() -> tuple[str, ...]:
    """All lessons, in the order of teaching."""
    return tuple(load_course(ROOT).assignments)


def lessons_to_run() -> list[Any]:
    """All lessons, as parameters of tests that run them: those in PyTorch are skipped where it is not installed."""
    without = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed here: make test-torch")
    return [pytest.param(name, marks=without) if name in IN_PYTORCH else name for name in lesson_names()]


def source_path(name: str) -> Path:
    return ROOT / "source" / name / f"{name}.ipynb"


def source_notebook(name: str) -> NotebookNode:
    """The instructor's notebook of a lesson."""
    return nbformat.read(source_path(name), as_version=4)


def grade_id(cell: NotebookNode) -> str | None:
    found: str | None = cell.metadata.get("nbgrader", {}).get("grade_id")
    return found


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    """The cell with this grade_id. LookupError: there is none."""
    for cell in notebook.cells:
        if grade_id(cell) == name:
            return cell
    raise LookupError(f"no cell has the grade_id {name!r}")


def printed(cell: NotebookNode) -> str:
    """What an executed code cell has printed, and the text of its results."""
    streams = [out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout"]
    results = [out.data.get("text/plain", "") for out in cell.outputs if "data" in out]
    return "".join(streams) + "".join(results)


def number(text: str) -> float:
    """A number as prose writes it: "1,234" is 1234, "12%" is 0.12, and "−" is a minus. ValueError: it is none."""
    plain = text.strip().replace(",", "").replace("−", "-")
    share = re.fullmatch(r"(.*?)\s*%", plain)
    return float(share[1]) / 100 if share else float(plain)
