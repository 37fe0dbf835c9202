"""Conversion of an assignment's source notebooks between the formats of otter-grader and nbgrader."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from autograder._util.files import unwritable
from autograder._util.notebook import read_source_notebook
from autograder._util.notebook_format import NotebookNode, nbformat
from autograder.course.nbgrader_config import NbgraderConfig, read_nbgrader_config
from autograder.errors import CourseError, UsageError
from autograder.extensions.otter.examined import written_cases
from autograder.extensions.otter.from_nbgrader import from_nbgrader
from autograder.extensions.otter.notebook import is_otter_source
from autograder.extensions.otter.source_format import OTTER as OTTER_FORMAT
from autograder.extensions.otter.to_nbgrader import Converted, to_nbgrader
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam, ExamCell
from autograder.release.exam import make_exam
from autograder.release.markers import Markers, course_markers
from autograder.release.stripping import convert, strip

NBGRADER, OTTER = "nbgrader", "otter"
_CACHES = shutil.ignore_patterns("*.ipynb", "__pycache__", ".ipynb_checkpoints", ".DS_Store")


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An assignment in the other format."""

    folder: Path
    notebooks: tuple[str, ...]
    """Names of the notebooks that were converted; others were copied."""
    losses: tuple[str, ...]
    """What the format cannot hold, a sentence each."""


def exchange(
    course: Course, assignment: Assignment, to: str, *, output: Path | None = None, lossy: bool = False
) -> Exchanged:
    """Write an assignment's source in the other format, into a new folder.

    The exams of both are compared: ids, points, tests with hidden parts.

    Args:
        course: the course.
        assignment: the assignment.
        to: :data:`NBGRADER` or :data:`OTTER`.
        output: the folder; by default ``source/<assignment>-<to>``.
        lossy: write it also if something is lost.

    Raises:
        CourseError: a source is wrong, or something would be lost; the message says what.
        UsageError: there is nothing to convert, or the folder has files already.
        HostError: it cannot be written.
    """
    source = course.source(assignment.name)
    target = output or course.source(f"{assignment.name}-{to}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} has files already; name another folder with --output")
    if target.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"{target} lies in the assignment's own folder; name another one with --output")
    config = read_nbgrader_config(course.root)
    if course_markers(config) != Markers():
        raise CourseError("nbgrader_config.py gives markers of its own; a conversion knows nbgrader's own ones")
    texts: dict[str, str] = {}
    converted: list[str] = []
    losses: list[str] = []
    for path in sorted(path for path in source.glob("*.ipynb") if not path.name.startswith(".")):
        label = f"source/{assignment.name}/{path.name}"
        notebook = read_source_notebook(path, name=label)
        if not _is_to_convert(notebook, to):
            texts[path.name] = path.read_text(encoding="utf-8")
            continue
        made = _converted(notebook, to, path, label)
        if made.losses and not lossy:
            losses += [f"{path.name}: {loss}" for loss in made.losses]
            continue
        if not made.losses:
            before, after = (_exam(one, course, assignment, path, config, label) for one in (notebook, made.notebook))
            _check_same(before, after, label)
        losses += [f"{path.name}: {loss}" for loss in made.losses]
        texts[path.name] = nbformat.writes(made.notebook)
        converted.append(path.stem)
    if losses and not lossy:
        listed = "".join(f"\n  - {loss}" for loss in losses)
        raise CourseError(f"as a source of {to}'s, {assignment.name} would lose:{listed}\nWith --lossy it is written.")
    if not converted:
        raise UsageError(f"source/{assignment.name} has no notebook that is not {to}'s already")
    _write(source, target, texts)
    return Exchanged(target, tuple(converted), tuple(losses))


def _is_to_convert(notebook: NotebookNode, to: str) -> bool:
    if is_otter_source(notebook):
        return to == NBGRADER
    return to == OTTER and any("nbgrader" in cell.metadata for cell in notebook.cells)


def _converted(notebook: NotebookNode, to: str, path: Path, label: str) -> Converted:
    if to == NBGRADER:
        return to_nbgrader(notebook, folder=path.parent, file=path.name, label=label)
    return from_nbgrader(notebook, label=label)


def _exam(
    notebook: NotebookNode, course: Course, assignment: Assignment, path: Path, config: NbgraderConfig, label: str
) -> Exam:
    if is_otter_source(notebook):
        versions = convert(OTTER_FORMAT, notebook, course.root, path.parent, path.name, config, label)
    else:
        versions = strip(notebook, root=course.root, folder=path.parent, config=config, label=label)
    return make_exam(assignment.name, path.stem, versions, assignment.examine)


def _check_same(before: Exam, after: Exam, label: str) -> None:
    """Compare what grading depends on: ids, points and, where both formats write them alike, the tests' cases."""
    found = [
        [(_name(cell), cell.role.value, round(cell.points, 6)) for cell in exam.questions] for exam in (before, after)
    ]
    cases = [[written_cases(cell.source) for cell in exam.questions] for exam in (before, after)]
    changed = [pair for pair in zip(*cases, strict=False) if None not in pair and pair[0] != pair[1]]
    if found[0] != found[1] or changed:
        raise CourseError(f"{label}: the converted notebook makes another exam; report this as a bug of this kit")


def _name(cell: ExamCell) -> str:
    return str(cell.grade_id).removesuffix("-answer")


def _write(source: Path, target: Path, texts: dict[str, str]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            shutil.copytree(source, aside, ignore=_CACHES, dirs_exist_ok=True)
            for name, text in texts.items():
                (aside / name).write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
            aside.chmod(0o755)
            aside.rename(target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise unwritable(target, error) from error
