"""Places of answer files: which files of an assignment's source folder students write in."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from autograder._util.syntax import parsed
from autograder.course.course_yaml import COURSE_FILE
from autograder.course.nbgrader_config import read_nbgrader_config
from autograder.course.paths import is_hidden
from autograder.errors import CourseError
from autograder.records.course import Assignment, Course
from autograder.release.formats import FileRules
from autograder.release.left_out import source_notebooks
from autograder.release.markers import SOLUTION, Markers, course_markers
from autograder.syntax.names import modules_imported

SOLUTIONS = "solution"
"""Folder beside the notebooks with the solution of skeletons that hold no markers: ``solution/layers.py``."""
_IGNORED = frozenset({"__pycache__", ".ipynb_checkpoints", ".git", "hidden", SOLUTIONS})


_PathsByAssignment = dict[str, dict[str, Path]]
"""Earlier assignment → its answer files."""


def answer_paths(
    course: Course, assignment: Assignment, rules: Sequence[FileRules], carried: Iterable[str]
) -> dict[str, Path]:
    """Find the files in which students write: path in the release → file of the source folder.

    They are those that ``answers`` of course.yaml or a notebook's format lists, and the ``carried`` ones. So is every
    module with solution markers that a notebook, a test or another module imports. A listed file that is no module is
    in the result, too.

    Raises:
        CourseError: a pattern matches nothing, or leads elsewhere; the message names it.
    """
    source = course.source(assignment.name).resolve()
    answers = set(listed_answers(course, assignment))
    answers |= {source / name for name in carried}
    answers.update(path for rule in rules for path in rule.answers if path.is_file())
    markers = course_markers(read_nbgrader_config(course.root))
    modules = [path for path in modules_below(source) if path.is_file()]
    if marked := [path for path in modules if path not in answers and _is_marked(path, markers)]:
        imported = _imported_names([*source_notebooks(course, assignment), *modules])
        answers.update(path for path in marked if (path.parent if path.stem == "__init__" else path).stem in imported)
    return {path.relative_to(source).as_posix(): path for path in sorted(answers)}


def carried_answers(
    course: Course, assignment: Assignment, earlier_paths: _PathsByAssignment | None = None
) -> set[str]:
    """Return the paths of answer files that go on from earlier assignments: they are answer files there, too.

    ``earlier_paths`` holds the answer files of the assignments that were looked at: each is looked at once.

    Raises:
        CourseError: none goes on from an assignment that ``carried`` names.
    """
    earlier_paths = {} if earlier_paths is None else earlier_paths
    paths: set[str] = set()
    for earlier in assignment.carried:
        if earlier not in earlier_paths:
            before = course.assignments[earlier]
            carried = carried_answers(course, before, earlier_paths)
            earlier_paths[earlier] = answer_paths(course, before, (), carried)
        fitting = {n for n in earlier_paths[earlier] if n.endswith(".py") and assignment.carries(n, earlier=earlier)}
        present = {name for name in fitting if (course.source(assignment.name) / name).is_file()}
        if not present:
            listed = ", ".join(sorted(fitting)) or "none"
            raise CourseError(
                f"'carried' of {assignment.name!r}: no answer file of {earlier} is in source/{assignment.name}; "
                f"copy there what goes on (files that fit: {listed})"
            )
        paths |= present
    return paths


def listed_answers(course: Course, assignment: Assignment) -> list[Path]:
    """Find the files of the source folder that ``answers`` of course.yaml lists.

    Raises:
        CourseError: a pattern matches nothing, or leads elsewhere; the message names it.
    """
    source = course.source(assignment.name).resolve()
    return [path for pattern in assignment.answers for path in _matches(course, assignment, source, pattern)]


def _matches(course: Course, assignment: Assignment, source: Path, pattern: str) -> list[Path]:
    label = f"'answers' of {assignment.name!r}"
    if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
        raise CourseError(f"{label}: {pattern!r} leads out of source/{assignment.name}; name files within it")
    paths = [path for each in sorted(source.glob(pattern)) for path in _files(each)]
    paths = [path for path in paths if not _is_ignored(path, source)]
    if hidden := next((path for path in paths if is_hidden(course.root, path)), None):
        raise CourseError(f"{label}: {hidden.name} lies in a hidden folder, which students never get")
    if not paths and (course.root / COURSE_FILE).is_file():  # nbgrader's list may name what students make
        raise CourseError(f"{label}: there is no file {pattern!r} in source/{assignment.name}; put one there")
    return paths


def modules_below(folder: Path) -> list[Path]:
    """List the modules in a folder, without those of tools, hidden data and solutions."""
    return [path for path in folder.rglob("*.py") if not _is_ignored(path, folder)]


def _is_ignored(path: Path, folder: Path) -> bool:
    return not _IGNORED.isdisjoint(path.relative_to(folder).parts[:-1])


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _is_marked(path: Path, markers: Markers) -> bool:
    """Tell whether a module holds a line that begins a solution, as its own comment."""
    begin = next(pair.begin for pair in markers.pairs if pair.kind == SOLUTION)
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return False
    return begin in text and any(
        line.lstrip().startswith("#") and begin in line and not line.partition(begin)[2].strip(" #")
        for line in text.splitlines()
    )


def _imported_names(paths: Sequence[Path]) -> set[str]:
    """Collect the last parts of the names of modules that notebooks and modules import."""
    names: set[str] = set()
    for path in paths:
        for source in _sources(path):
            names.update(name.rpartition(".")[2] for name in modules_imported(source))
            relative = (n for n in ast.walk(parsed(source) or ast.Module([], [])) if isinstance(n, ast.ImportFrom))
            names.update(part for node in relative for part in (node.module or "", *(a.name for a in node.names)))
    return names


def _sources(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8", "replace")
        if path.suffix != ".ipynb":
            return [text]
        return ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    except (OSError, ValueError, TypeError, KeyError):
        return []  # told when it is read
