"""From an instructor's notebook to the student's, by nbgrader's own preprocessors in nbgrader's order.

The steps are those of ``nbgrader generate_assignment``, without the one that writes to a gradebook. Options
that nbgrader_config.py sets apply; they must be literals, since the file is read and never run.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import CourseError
from autograder.nbgraderconfig import NBGRADER_CONFIG, NbgraderConfig, read_nbgrader_config
from autograder.notebook import read_source_notebook
from autograder.notebook_format import NotebookNode, nbformat
from autograder.paths import inside
from autograder.records import Assignment, Course
from autograder.sandbox.base import limit_threads

_AUTOTESTS = "InstantiateTests"
_BEFORE = ("IncludeHeaderFooter", _AUTOTESTS, "LockCells")
_SOLUTIONS = ("ClearSolutions", "ClearOutput", "CheckCellMetadata", "ComputeChecksums")
_HIDDEN = ("ClearHiddenTests", "ClearMarkScheme", "ComputeChecksums", "CheckCellMetadata")


@dataclass(frozen=True, slots=True)
class NotebookVersions:
    """One notebook at three moments; the cells of all three stand for one another by position."""

    instructor: NotebookNode
    """With header, footer and generated tests; with solutions."""
    examiner: NotebookNode
    """Without solutions, with hidden tests and mark schemes: what nbgrader saves in its gradebook."""
    student: NotebookNode
    """What is released."""
    hidden_markers: tuple[str, str]
    """What marks the first and the last line of a hidden part."""


def strip_all(course: Course, assignment: Assignment) -> dict[str, NotebookVersions]:
    """The faces of each notebook in the assignment's source folder, under its name without ``.ipynb``.

    Where a cell holds an AUTOTEST line, the notebook is run (unconfined: it is the instructor's own).

    Raises:
        CourseError: there is none, or one is wrong; the message names it, with the cell.
    """
    folder = course.source(assignment.name)
    paths = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    if not paths:
        raise CourseError(f"source/{assignment.name}: there is no notebook in it; put one there")
    config = read_nbgrader_config(course.root)
    faces = {}
    with limit_threads(assignment.limits.threads):
        for path in paths:
            label = f"source/{assignment.name}/{path.name}"
            source = read_source_notebook(path, name=label)
            faces[path.stem] = strip(source, root=course.root, folder=folder, config=config, label=label)
    return faces


def strip(notebook: NotebookNode, *, root: Path, folder: Path, config: NbgraderConfig, label: str) -> NotebookVersions:
    """The notebook's three faces.

    Args:
        notebook: the instructor's; it is not changed.
        root: the course folder; header, footer and ``autotests.yml`` are looked up in it.
        folder: the assignment's source folder.
        config: what nbgrader_config.py sets.
        label: what messages call the notebook.

    Raises:
        CourseError: a step refused it (duplicate grade_id, no points, open marker); the message says where.
    """
    steps = _Steps(root, folder, config, label)
    instructor = steps.run(_BEFORE, copy.deepcopy(notebook))
    _check_metadata(instructor, label)
    examiner = steps.run(_SOLUTIONS, copy.deepcopy(instructor))
    student = steps.run(_HIDDEN, copy.deepcopy(examiner))
    try:
        with warnings.catch_warnings():  # cells of a header may lack ids; nbformat makes some, and says so
            warnings.simplefilter("ignore")
            nbformat.validate(student, relax_add_props=True)
    except nbformat.ValidationError as error:
        raise CourseError(f"{label}: the released notebook is not valid: {error.message[:200]}") from None
    hidden = steps.make("ClearHiddenTests")
    return NotebookVersions(instructor, examiner, student, (hidden.begin_test_delimeter, hidden.end_test_delimeter))


def cell_name(index: int, cell: NotebookNode) -> str:
    """``cell 4 ('squares')``: the position in Jupyter, counted from 1, and the grade_id if there is one."""
    meta = cell.metadata.get("nbgrader")
    grade_id = meta.get("grade_id") if isinstance(meta, dict) else None
    return f"cell {index + 1} ({grade_id!r})" if grade_id else f"cell {index + 1}"


class _Steps:
    """nbgrader's preprocessors, configured for one notebook."""

    def __init__(self, root: Path, folder: Path, config: NbgraderConfig, label: str) -> None:
        self.root, self.folder, self.config, self.label = root, folder, config, label
        self.resources: dict[str, Any] = {"metadata": {"name": label, "path": str(folder)}}

    def run(self, names: Sequence[str], notebook: NotebookNode) -> NotebookNode:
        for name in names:
            if name == _AUTOTESTS and not self._has_autotests(notebook):
                continue
            step = self.make(name)
            place = _watched(step)
            try:
                with _native_kernel(notebook) if name == _AUTOTESTS else _nothing():
                    notebook, self.resources = step(notebook, self.resources)
            except Exception as error:  # nbgrader raises whatever comes to hand; an AUTOTEST runs the author's code
                _stop_kernel(step)
                raise CourseError(f"{self.label}: {''.join(place)}{_reason(error)} ({name})") from error
        return notebook

    def _has_autotests(self, notebook: NotebookNode) -> bool:
        """Whether that step is to be made: else it would change nothing, and import what runs notebooks."""
        return bool(self.config.values.get(_AUTOTESTS)) or any("AUTOTEST" in cell.source for cell in notebook.cells)

    def make(self, name: str) -> Any:
        """The preprocessor with the options of nbgrader_config.py, and with absolute paths."""
        from nbgrader import preprocessors
        from traitlets.config import Config
        from traitlets.traitlets import TraitError

        self.config.check(name)
        options = self.config.values.get(name, {})
        try:
            step = getattr(preprocessors, name)(config=Config({name: dict(options)}))
        except TraitError as error:
            raise CourseError(f"{NBGRADER_CONFIG}: c.{name}: {error}") from None
        if name == "IncludeHeaderFooter":
            step.header, step.footer = self._course_file(step.header), self._course_file(step.footer)
        if name == _AUTOTESTS and not (self.folder / step.autotest_filename).exists():
            step.autotest_filename = str(self.root / step.autotest_filename)
        return step

    def _course_file(self, relative: str) -> str:
        if not relative:
            return ""
        try:
            path = inside(self.root, relative, self.root)
        except ValueError as error:
            raise CourseError(f"{NBGRADER_CONFIG}: c.IncludeHeaderFooter: {relative!r} {error}") from None
        if not path.is_file():
            raise CourseError(f"{NBGRADER_CONFIG}: c.IncludeHeaderFooter: there is no file {relative}")
        return str(path)


def _watched(step: Any) -> list[str]:
    """The cell that the step works on, as long as it does: one text, or none."""
    place: list[str] = []
    work = step.preprocess_cell

    def preprocess_cell(cell: NotebookNode, resources: Any, index: int) -> Any:
        place[:] = [f"{cell_name(index, cell)}: "]
        done = work(cell, resources, index)
        place.clear()
        return done

    step.preprocess_cell = preprocess_cell
    return place


def _check_metadata(notebook: NotebookNode, label: str) -> None:
    """nbgrader's own checks of its metadata, cell by cell, so that the message can name the cell."""
    from nbgrader.nbgraderformat import MetadataValidator

    validator = MetadataValidator()
    first: dict[str, int] = {}
    for index, cell in enumerate(notebook.cells):
        where = f"{label}: {cell_name(index, cell)}"
        try:
            validator.validate_cell(cell)
        except Exception as error:  # jsonschema's errors, and KeyError or TypeError for what it did not expect
            reason = getattr(error, "message", None) or str(error)
            raise CourseError(f"{where}: {_with_remedy(' '.join(reason.split()))}") from None
        meta = cell.metadata.get("nbgrader", {})
        if not any(meta.get(flag) for flag in ("grade", "solution", "locked", "task")):
            continue
        grade_id = meta.get("grade_id")
        if not grade_id:
            raise CourseError(f"{where}: {_with_remedy('does not have a grade_id')}")
        if grade_id in first:
            raise CourseError(f"{where}: cell {first[grade_id] + 1} has the same grade_id; rename one of them")
        if meta.get("task") and "points" not in meta:
            raise CourseError(f"{where}: {_with_remedy('the task does not have points')}")
        first[grade_id] = index


_TOOLBAR = "in Jupyter's Create Assignment toolbar"
_REMEDIES = {
    # what nbgrader says of a cell: what to do
    "grade_id is empty": f"give it one {_TOOLBAR}",
    "does not have a grade_id": f"give it one {_TOOLBAR}",
    "does not have points": f"give it some {_TOOLBAR}",
    "is not marked as a solution cell": f"make it a manually graded answer or a task {_TOOLBAR}, or a code cell",
    "is not marked as a grade cell": f"make it a manually graded answer {_TOOLBAR}, or a code cell",
    "Task cells have to be markdown": "make it a Markdown cell",
    "Schema version is too new": "a newer nbgrader wrote it; update nbgrader where this kit is installed",
}


def _with_remedy(reason: str) -> str:
    """nbgrader's message without the cell that it quotes, and what to do."""
    for said, remedy in _REMEDIES.items():
        if said in reason:
            end = reason.index(said) + len(said)
            detail = reason[end:] if said.startswith("Schema") else ""
            return f"{reason[:end]}{detail}; {remedy}"
    return reason[:300]


@contextmanager
def _native_kernel(notebook: NotebookNode) -> Iterator[None]:
    """Old notebooks name the kernel ``python``; the kernel that exists is called ``python3``."""
    spec = notebook.metadata.get("kernelspec", {})
    old = spec.get("name")
    if old == "python":
        spec["name"] = "python3"
    try:
        yield
    finally:
        if old == "python":
            spec["name"] = old


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _reason(error: Exception) -> str:
    """What the error says, on one line; what the kernel said, where an AUTOTEST's code raised."""
    name, value = getattr(error, "ename", None), getattr(error, "evalue", None)
    text = f"the code of an AUTOTEST raised {name}: {value}" if name else str(error)
    return " ".join(text.split()) or "an AUTOTEST belongs into a cell that is an autograded test"


def _stop_kernel(step: Any) -> None:
    """nbgrader leaves the kernel of a failed AUTOTEST running."""
    client = getattr(step, "kc", None)
    if client is not None:
        client.shutdown()
        client.stop_channels()
