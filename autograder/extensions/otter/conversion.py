"""Conversion of an otter ``autograder.zip``, with the students' notebook or without, into a source folder."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder._util.notebook import read_notebook, read_source_notebook
from autograder._util.notebook_format import NotebookNode, nbformat
from autograder.errors import CourseError, HostError, SubmissionError, UsageError
from autograder.extensions.otter.autograder_zip import (
    bare_notebook,
    import_statements,
    order_in,
    read_folder,
    source_notebook,
)
from autograder.extensions.otter.question_tests import OtterTest, names_asked
from autograder.extensions.otter.student_notebook import visible_tests
from autograder.records.course import Course
from autograder.submissions.archive import extract
from autograder.submissions.members import CLASS

MAX_READ_SUBMISSIONS = 50
"""Number of submissions that are read for the order of questions."""
_NAME = re.compile(r"(?P<name>.+?)-autograder(_[\dT_]+)?", re.IGNORECASE)
"""Name that otter gives a zip: the notebook's, and the time."""


@dataclass(frozen=True, slots=True)
class ImportedSource:
    """Result of an import."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]
    """What people should know of it, a sentence each."""


def import_notebook(course: Course, assignment: str, notebook: Path) -> ImportedSource:
    """Write the source folder of an assignment from the notebook that students got; what is there stays.

    Args:
        course: the course.
        assignment: the assignment's name.
        notebook: the notebook, with its visible tests in its metadata. It has no hidden ones.

    Raises:
        CourseError: the notebook is not as otter makes it.
        UsageError: there is no such file, or the source folder has files already.
        HostError: it cannot be written.
    """
    target = _empty_source(course, assignment, notebook)
    students = read_source_notebook(notebook)
    source = source_notebook(students, visible_tests(students), {}, ())
    _write(target, notebook.name, source)
    return ImportedSource((target / notebook.name,), (_VISIBLE_ONLY, _UNPROVED))


def import_zip(course: Course, assignment: str, archive: Path, notebook: Path | None = None) -> ImportedSource:
    """Write the source folder of an assignment; what is there stays.

    Nothing of the archive is run. Its ``files/`` go beside the notebook. Without the notebook, the source has check
    cells alone, in the order in which submissions call them; of submissions nothing else is taken.

    Args:
        course: the course.
        assignment: the assignment's name.
        archive: otter's ``autograder.zip``.
        notebook: the notebook that students got.

    Raises:
        CourseError: the zip or the notebook is not as otter makes them.
        UsageError: a file is missing, or the source folder has files already.
        HostError: it cannot be written.
    """
    target = _empty_source(course, assignment, archive, *([notebook] if notebook else []))
    notes = [_UNPROVED]
    with tempfile.TemporaryDirectory(prefix="otter-") as work:
        folder = Path(work)
        try:
            with archive.open("rb") as file:
                extract(file, folder, CLASS, strict=True)
        except SubmissionError as error:
            raise CourseError(f"{archive.name}: {error}") from None
        except OSError as error:
            raise HostError(f"{archive} cannot be read ({error.strerror or error})") from error
        tests, config, files = read_folder(folder)
        if notebook is not None:
            name, students = notebook.name, read_source_notebook(notebook)
        else:
            name, students, origin = _from_submissions(course, assignment, archive, tests)
            notes[:0] = origin
        source = source_notebook(students, tests, config, files)
        _write(target, name, source, folder / "files" if files else None)
    return ImportedSource((target / name, *(target / one for one in files)), tuple(notes))


def _empty_source(course: Course, assignment: str, *paths: Path) -> Path:
    """Return the source folder to be written, after a look at it and at the given files."""
    for path in paths:
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
    target = course.source(assignment)
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(f"{target} has files already; give the assignment another name, or move them away")
    return target


def _write(target: Path, name: str, notebook: NotebookNode, files: Path | None = None) -> None:
    try:
        if files is not None:
            shutil.copytree(files, target, dirs_exist_ok=True)
        target.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(nbformat.writes(notebook), encoding="utf-8")
    except OSError as error:
        raise HostError(f"{target} cannot be written ({error.strerror or error})") from error


_VISIBLE_ONLY = "Visible tests only: a notebook of students has no hidden ones. The course's autograder.zip has all."
_UNPROVED = (
    "Not proved: there is no solution, so nothing has shown that a right answer passes these tests. Grade an answer "
    "that you know to be right first, or write solutions into the source; `autograder release` then proves it. "
    "Questions that a person grades are not in a zip of otter's."
)


def _from_submissions(
    course: Course, assignment: str, archive: Path, tests: Mapping[str, OtterTest]
) -> tuple[str, NotebookNode, list[str]]:
    """Return the notebook's name, a notebook of imports and check cells, and notes that say where they are from."""
    orders: Counter[tuple[str, ...]] = Counter()
    names: Counter[str] = Counter()
    imports: Counter[tuple[str, str]] = Counter()
    folders = sorted(course.directory("submitted").glob(f"*/{assignment}"))[:MAX_READ_SUBMISSIONS]
    for path in (path for folder in folders for path in sorted(folder.glob("*.ipynb"))):
        try:
            notebook = read_notebook(path)
        except SubmissionError:
            continue
        questions = [name for name in order_in(notebook) if name in tests]
        if set(questions) == set(tests):
            orders[tuple(questions)] += 1
            names[path.name] += 1
            imports.update(import_statements(notebook).items())
    if orders:
        (order, count), (name, _) = orders.most_common(1)[0], names.most_common(1)[0]
        origin = f"The questions are in the order in which {count} of {len(folders)} submissions check them"
        import_of_name = {one: text for (one, text), times in imports.items() if 2 * times > orders.total()}
    else:
        order, name, origin = tuple(sorted(tests, key=_natural)), _notebook_name(assignment, archive), _BY_NAME
        import_of_name = _USUAL
    wanted = set().union(*map(names_asked, tests.values()))
    statements = sorted({import_of_name[one] for one in wanted & import_of_name.keys()})
    notes = [f"{origin}: {', '.join(order)}. The notebook is called {name}."]
    if statements:
        notes.append(f"Tests need {', '.join(statements)}: it stands in the source's first cell.")
    if unbound := sorted(wanted - import_of_name.keys()):
        notes.append(f"Tests take from the notebook, as students bind it: {', '.join(unbound)}. {_TRUSTED}")
    return name, bare_notebook(order, statements), notes


_TRUSTED = "If one of them is a module or the instructor's function, import or define it in the source's first cell."
_USUAL = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "plt": "import matplotlib.pyplot as plt",
    "math": "import math",
    "random": "import random",
    "re": "import re",
}
"""Imports that are meant by a name where no submission says what it is."""
_BY_NAME = (
    "There is no submission yet that checks all questions, so they are in the order of their names, which must be the "
    "notebook's (else collect submissions first, and import again)"
)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts q2 before q10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _notebook_name(assignment: str, archive: Path) -> str:
    match = _NAME.fullmatch(archive.stem)
    return f"{match['name'] if match else assignment}.ipynb"
