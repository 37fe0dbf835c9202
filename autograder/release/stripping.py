"""Stripping of an instructor's notebook to the student's, by nbgrader's own preprocessors in nbgrader's order.

The steps are those of ``nbgrader generate_assignment``, without the one that writes to a gradebook. Options
that nbgrader_config.py sets apply; they must be literals, because the file is read and never run.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder._util.notebook import read_source_notebook
from autograder._util.notebook_format import NotebookNode, nbformat
from autograder.course.nbgrader_config import NBGRADER_CONFIG, NbgraderConfig, read_nbgrader_config
from autograder.course.paths import inside
from autograder.errors import CourseError
from autograder.records.course import Assignment, Course
from autograder.release import formats
from autograder.release.cell_metadata import cell_name, metadata_faults, readable_marks
from autograder.release.fault_list import FaultList
from autograder.release.formats import SourceFormat
from autograder.release.languages import check_language
from autograder.release.left_out import source_notebooks
from autograder.release.markers import HIDDEN_TESTS, Markers, course_markers, read_cell
from autograder.release.notebook_versions import NotebookVersions
from autograder.release.step_messages import message
from autograder.sandbox.base import limit_threads
from autograder.syntax.course_modules import test_files

_AUTOTESTS = "InstantiateTests"
_BEFORE = ("IncludeHeaderFooter", _AUTOTESTS, "LockCells")
_SOLUTIONS = ("ClearSolutions", "ClearOutput", "CheckCellMetadata", "ComputeChecksums")
_HIDDEN = ("ClearHiddenTests", "ClearMarkScheme", "ComputeChecksums", "CheckCellMetadata")


def strip_all(course: Course, assignment: Assignment, faults: FaultList) -> dict[str, NotebookVersions]:
    """Make the versions of each notebook in the assignment's source folder, under its name without ``.ipynb``.

    If a cell holds an AUTOTEST line, the notebook is run (unconfined: it is the instructor's own).

    Args:
        course: the course.
        assignment: the assignment.
        faults: gets those of notebooks that are refused. The versions of one that it names, or that nbgrader refuses,
            are for the linter alone, and nothing of it runs; other notebooks that are refused have none.

    Raises:
        CourseError: there is none.
    """
    folder = course.source(assignment.name)
    for source_format in formats.formats():
        source_format.check_folder(folder)
    paths = source_notebooks(course, assignment)
    config = read_nbgrader_config(course.root)
    versions = {}
    if not paths and test_files(folder):
        label = f"source/{assignment.name}/{assignment.name}.ipynb"
        sheet = _sheet(assignment)
        return {assignment.name: strip(sheet, root=course.root, folder=folder, config=config, label=label)}
    if not paths:
        todo = "put one there, or modules that students write with tests in tests/test_*.py"
        raise CourseError(f"source/{assignment.name}: there is no notebook in it; {todo}")
    with limit_threads(assignment.limits.threads):
        for path in paths:
            label = path.relative_to(course.root).as_posix()
            with faults.collecting(label):
                source = read_source_notebook(path, name=label)
                if registered := formats.format_of(source, label):
                    versions[path.stem] = convert(registered, source, course.root, folder, path.name, config, label)
                    continue
                check_language(source, label)
                for source_format in formats.formats():
                    source_format.check_other(source, label, assignment.name)
                if not faults.names(label):
                    with faults.collecting(label):
                        versions[path.stem] = strip(source, root=course.root, folder=folder, config=config, label=label)
                        continue
                versions[path.stem] = _unstripped(source, _Steps(course.root, folder, config, label))
    return versions


def _sheet(assignment: Assignment) -> NotebookNode:
    """Make the notebook of an assignment that has none: it says what to do."""
    name = assignment.name
    text = (
        f"# {assignment.title}\n\nYou answer in files, beside this notebook. Tests that you have run with "
        f"`python -m pytest tests`. `autograder submit {name}.ipynb --student …` packs your files with this notebook."
    )
    cell = nbformat.v4.new_markdown_cell(text, id="sheet")
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    sheet: NotebookNode = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": spec})
    return sheet


def strip(notebook: NotebookNode, *, root: Path, folder: Path, config: NbgraderConfig, label: str) -> NotebookVersions:
    """Make the notebook's three versions.

    Args:
        notebook: the instructor's; it is not changed.
        root: the course folder; header, footer and ``autotests.yml`` are looked up in it.
        folder: the assignment's source folder.
        config: the settings of nbgrader_config.py.
        label: the notebook's name in messages.

    Raises:
        CourseError: a step refused it (duplicate grade_id, no points, open marker); the message says where.
    """
    _check_metadata(notebook, label)
    steps = _Steps(root, folder, config, label)
    instructor = steps.run(_BEFORE, copy.deepcopy(notebook))
    _check_metadata(instructor, label)  # now with the cells of a header
    grader = steps.run(_SOLUTIONS, copy.deepcopy(instructor))
    student = steps.run(_HIDDEN, copy.deepcopy(grader))
    _check_valid(student, label)
    hidden = steps.make("ClearHiddenTests")
    markers = course_markers(config)
    lost_tasks = _lost_tasks(notebook, student, markers)
    return NotebookVersions(
        instructor,
        grader,
        student,
        (hidden.begin_test_delimeter, hidden.end_test_delimeter),
        warnings=tuple(f"{label}: {said}" for said in (*_lost_tests(notebook, markers), *lost_tasks)),
    )


def _lost_tests(notebook: NotebookNode, markers: Markers) -> Iterator[str]:
    """Warn of hidden tests in an answer of which nbgrader replaces everything, them included."""
    for index, cell in enumerate(notebook.cells):
        marked = read_cell(cell, markers)
        if marked.is_replaced and HIDDEN_TESTS in marked.kinds:
            yield f"{cell_name(index, cell)}: the hidden tests of an answer grade nothing; move them to a test cell"


def _lost_tasks(notebook: NotebookNode, student: NotebookNode, markers: Markers) -> Iterator[str]:
    """Warn of a written answer that is replaced as a whole, below no task: its text may be the task."""
    released = {cell.metadata["nbgrader"]["grade_id"]: cell.source for cell in student.cells if _marks(cell)}
    has_task = False
    for index, cell in enumerate(notebook.cells):
        marks = _marks(cell)
        if cell.cell_type == "markdown" and not marks.get("solution"):
            # A heading alone names a question and does not ask it.
            lines = [line.strip() for line in cell.source.split("\n")]
            has_task = has_task or any(line and not line.startswith("#") for line in lines)
            continue
        is_written = cell.cell_type == "markdown" and marks.get("grade") and read_cell(cell, markers).is_replaced
        if is_written and not has_task and cell.source.strip() not in ("", stub := released[marks["grade_id"]].strip()):
            yield (
                f"{cell_name(index, cell)}: students get {stub!r} in place of its whole text, and no task stands above "
                "it; if the text is the question, put it into a Markdown cell of its own above"
            )
        has_task = has_task and not marks.get("grade")


def _marks(cell: NotebookNode) -> Mapping[str, Any]:
    marks: Mapping[str, Any] = cell.metadata.get("nbgrader") or {}
    return marks


def without_solutions(source: str, root: Path, folder: Path, config: NbgraderConfig, label: str) -> str:
    """Return a module without what stands between solution markers, by nbgrader's step and with its stub.

    Raises:
        CourseError: a marker has no partner.
    """
    marks = {"nbgrader": {"schema_version": 3, "grade_id": "file", "grade": False, "solution": True, "locked": False}}
    cell = nbformat.v4.new_code_cell(source, metadata=marks)
    notebook = _Steps(root, folder, config, label).run(("ClearSolutions",), nbformat.v4.new_notebook(cells=[cell]))
    return str(notebook.cells[0].source)


def _unstripped(notebook: NotebookNode, steps: _Steps) -> NotebookVersions:
    """Make versions of a notebook that nbgrader refuses, for the linter alone: its tests may have faults, too.

    All of a cell whose markers are wrong counts as visible, so that no fault of a test is a consequence of theirs. A
    test that nbgrader would generate is left out.

    Raises:
        CourseError: the header or the footer cannot be read.
    """
    markers = course_markers(steps.config)
    texts = [text for pair in markers.pairs for text in (pair.begin, pair.end)]
    instructor = steps.run(("IncludeHeaderFooter", "ClearOutput"), copy.deepcopy(notebook))
    for cell in instructor.cells:
        cell.metadata["nbgrader"] = readable_marks(cell)
        if markers.autotest in cell.source:
            cell.metadata["nbgrader"]["grade"] = False
    student = copy.deepcopy(instructor)
    for cell in student.cells:
        marked = read_cell(cell, markers)
        lines = cell.source.split("\n") if marked.faults else marked.visible
        cell.source = "\n".join("" if any(text in line for text in texts) else line for line in lines)
    hidden = next(pair for pair in markers.pairs if pair.kind == HIDDEN_TESTS)
    return NotebookVersions(instructor, instructor, student, (hidden.begin, hidden.end))


def convert(
    source_format: SourceFormat,
    notebook: NotebookNode,
    root: Path,
    folder: Path,
    file: str,
    config: NbgraderConfig,
    label: str,
) -> NotebookVersions:
    """Make the versions of a source notebook in a registered format, with nbgrader's checksums.

    Raises:
        CourseError: it is not as this format's sources are; the message names notebook, cell and line.
    """
    versions = source_format.convert(notebook, folder=folder, file=file, label=label)
    _check_metadata(versions.student, label)
    student = _Steps(root, folder, config, label).run(("ComputeChecksums", "CheckCellMetadata"), versions.student)
    _check_valid(student, label)
    return replace(versions, student=student)


def _check_valid(student: NotebookNode, label: str) -> None:
    try:
        with warnings.catch_warnings():  # cells of a header may lack ids; nbformat adds them, and warns
            warnings.simplefilter("ignore")
            nbformat.validate(student, relax_add_props=True)
    except nbformat.ValidationError as error:
        raise CourseError(f"{label}: the released notebook is not valid: {error.message[:200]}") from None


class _Steps:
    """The preprocessors of nbgrader, configured for one notebook."""

    def __init__(self, root: Path, folder: Path, config: NbgraderConfig, label: str) -> None:
        self.root, self.folder, self.config, self.label = root, folder, config, label
        self.resources: dict[str, Any] = {"metadata": {"name": label, "path": str(folder)}}

    def run(self, names: Sequence[str], notebook: NotebookNode) -> NotebookNode:
        """Run these steps on the notebook."""
        for name in names:
            if name == _AUTOTESTS and not self._has_autotests(notebook):
                continue
            step = self.make(name)
            if name == _AUTOTESTS:
                self._check_templates(step, notebook)
            current_cell = _watched(step)
            try:
                with _native_kernel(notebook) if name == _AUTOTESTS else nullcontext():
                    notebook, self.resources = step(notebook, self.resources)
            except Exception as error:  # nbgrader raises many types, and an AUTOTEST runs the author's code
                _stop_kernel(step)
                raise CourseError(f"{self.label}: {''.join(current_cell)}{message(step, error)}") from error
        return notebook

    def _has_autotests(self, notebook: NotebookNode) -> bool:
        """Tell whether the step for autotests has work; it imports everything that runs notebooks."""
        return bool(self.config.values.get(_AUTOTESTS)) or any("AUTOTEST" in cell.source for cell in notebook.cells)

    def _check_templates(self, step: Any, notebook: NotebookNode) -> None:
        """Refuse an AUTOTEST without the file that says what is made of it."""
        path = Path(step.autotest_filename)
        asking = [i for i, cell in enumerate(notebook.cells) if step.autotest_delimiter in cell.source]
        if asking and not (self.folder / path).exists():
            cell = cell_name(asking[0], notebook.cells[asking[0]])
            todo = "put it into the course folder (nbgrader's documentation has one), or write the tests themselves"
            raise CourseError(f"{self.label}: {cell}: an AUTOTEST needs {path.name}, and there is none; {todo}")

    def make(self, name: str) -> Any:
        """Make the preprocessor with the options of nbgrader_config.py, and with absolute paths."""
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
    """Return a list that holds the name of the cell on which the step is working, else nothing."""
    current_cell: list[str] = []
    work = step.preprocess_cell

    def preprocess_cell(cell: NotebookNode, resources: Any, index: int) -> Any:
        current_cell[:] = [f"{cell_name(index, cell)}: "]
        processed = work(cell, resources, index)
        current_cell.clear()
        return processed

    step.preprocess_cell = preprocess_cell
    return current_cell


def _check_metadata(notebook: NotebookNode, label: str) -> None:
    """Refuse a notebook with faults in nbgrader's marks; the message names all of them."""
    stop_for([f"{label}: {fault}" for fault in metadata_faults(notebook)], "faults in cells")


def stop_for(faults: Sequence[str], kind: str) -> None:
    """Raise a CourseError that lists these faults, if there are any."""
    if faults:
        raise CourseError(
            "\n".join(faults if len(faults) == 1 else [f"{len(faults)} {kind}:", *(f"  - {f}" for f in faults)])
        )


@contextmanager
def _native_kernel(notebook: NotebookNode) -> Iterator[None]:
    """Rename the kernel ``python`` of old notebooks to ``python3``, which exists, within the block."""
    spec = notebook.metadata.get("kernelspec", {})
    original = spec.get("name")
    if original == "python":
        spec["name"] = "python3"
    try:
        yield
    finally:
        if original == "python":
            spec["name"] = original


def _stop_kernel(step: Any) -> None:
    """Stop the kernel of a failed AUTOTEST, which nbgrader leaves running."""
    client = getattr(step, "kc", None)
    if client is not None:
        client.shutdown()
        client.stop_channels()
