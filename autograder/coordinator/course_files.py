"""Files of a course that grading one assignment needs, for a machine without the course folder."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from autograder._util.digests import IGNORED
from autograder._util.syntax import parsed
from autograder.course.nbgrader_config import NBGRADER_CONFIG
from autograder.errors import CourseError
from autograder.exchange.work import Work, is_students
from autograder.records.exam import Exam
from autograder.syntax.names import vocabulary

KIT = "autograder"
"""Name of the kit's own package, which every machine has; it is no module of a course."""


def course_files(work: Work) -> dict[str, bytes]:
    """Read the files, except notebooks and submissions, that grading ``work`` may open.

    These are the files in source/<assignment>/ and its hidden folder, and those that ``files`` lists. The course's own
    modules that the notebooks import are among them, with all that these import, and the late policy with its options.

    Returns:
        Path in the course folder → content.

    Raises:
        CourseError: a file cannot be read.
    """
    contents: dict[str, bytes] = {}
    for path in _paths(work):
        name = path.relative_to(work.course).as_posix()
        if name not in contents:
            try:
                contents[name] = path.read_bytes()
            except OSError as error:
                raise CourseError(f"{name} cannot be read ({error.strerror})") from error
    return contents


def examiner_files(work: Work) -> list[Path]:
    """List the files, except notebooks and submissions, that the examiner may open when it grades ``work``.

    They are those of :func:`course_files` without the late policy, which the coordinator applies.

    Raises:
        CourseError: a module cannot be read.
    """
    return list(dict.fromkeys(path for path in _opened_by_tests(work) if path.is_relative_to(work.course)))


def _paths(work: Work) -> Iterator[Path]:
    yield from _opened_by_tests(work)
    plugin = work.assignment.late.plugin
    if plugin is None:
        return
    yield from own_modules((), [work.course / plugin.partition(":")[0]], work.modules)
    # It holds the policy's options. Without a plugin it is not sent: it may hold the address of a database.
    config = work.course / NBGRADER_CONFIG
    if config.is_file():
        yield config


def _opened_by_tests(work: Work) -> Iterator[Path]:
    source = work.modules[0]
    yield from (path for path in _below(source) if path.suffix != ".ipynb")
    for listed in work.assignment.files:
        yield from _below(work.course / listed)
    # Files of the release lie within the course, also where links lead to them.
    yield from (path for path in work.files.values() if path.is_relative_to(work.course) and path.is_file()
                and not is_students(work, path))  # fmt: skip
    yield from own_modules(_imported_by(work.exams), (), work.modules)


def own_modules(names: Iterable[str], files: Iterable[Path], folders: Sequence[Path]) -> Iterator[Path]:
    """Yield ``files``, the course's modules ``names``, and all modules of the course that these import.

    Of ``folders``, the first that has a module counts; a package comes with all of its files.
    """
    waiting, visited = list(names), {KIT}
    for file in files:
        yield file
        waiting += _imports(file.read_bytes())
    while waiting:
        name = waiting.pop()
        if name in visited:
            continue
        visited.add(name)
        for path in next(filter(None, (_module(folder, name) for folder in folders)), ()):
            yield path
            if path.suffix == ".py":
                waiting += _imports(path.read_bytes())


def _module(folder: Path, name: str) -> list[Path]:
    # As in Python's own search: a package goes before a module of the same name.
    if (folder / name / "__init__.py").is_file():
        return list(_below(folder / name))
    return [folder / f"{name}.py"] if (folder / f"{name}.py").is_file() else []


def _imported_by(exams: Iterable[Exam]) -> set[str]:
    """Collect the top-level names of all modules that cells import, tests included."""
    names: set[str] = set()
    for exam in exams:
        names |= {module.split(".")[0] for module in vocabulary(exam).modules}
        for cell in exam.cells:
            if cell.cell_type == "code":
                names |= _imports(cell.source)
    return names


def _imports(source: str | bytes) -> set[str]:
    tree = parsed(source)
    if tree is None:
        return set()  # a cell with a magic; the vocabulary knows its imports
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def _below(start: Path) -> Iterator[Path]:
    """Yield ``start`` if it is a file, else the files in it; links to files count as files."""
    if start.is_file():
        yield start
    entered: set[str] = set()  # a link may lead to a folder that it is in
    for parent, folders, names in os.walk(start, followlinks=True):
        entered.add(os.path.realpath(parent))
        folders[:] = sorted(
            name for name in folders if name not in IGNORED and os.path.realpath(Path(parent, name)) not in entered
        )
        yield from (path for path in (Path(parent) / name for name in sorted(names)) if path.is_file())
