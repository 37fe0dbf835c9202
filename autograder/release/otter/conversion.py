"""Conversion of an otter ``autograder.zip`` and the students' notebook into an assignment's source folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from autograder._util.notebook import read_source_notebook
from autograder._util.notebook_format import nbformat
from autograder.errors import CourseError, HostError, SubmissionError, UsageError
from autograder.records import Course
from autograder.release.otter.autograder_zip import read_folder, source_notebook
from autograder.submissions.archive import extract
from autograder.submissions.members import CLASS


def import_zip(course: Course, assignment: str, archive: Path, notebook: Path) -> tuple[Path, ...]:
    """Write the source folder of an assignment; what is there stays.

    Nothing of the archive is run. Its ``files/`` go beside the notebook.

    Args:
        course: the course.
        assignment: the assignment's name.
        archive: otter's ``autograder.zip``.
        notebook: the notebook that students got.

    Returns:
        The files that were written.

    Raises:
        CourseError: the zip or the notebook is not as otter makes them.
        UsageError: a file is missing, or the source folder has files already.
        HostError: it cannot be written.
    """
    for path in (archive, notebook):
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
    target = course.source(assignment)
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(f"{target} has files already; give the assignment another name, or move them away")
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
        made = source_notebook(read_source_notebook(notebook), tests, config, files)
        try:
            if files:
                shutil.copytree(folder / "files", target, dirs_exist_ok=True)
            target.mkdir(parents=True, exist_ok=True)
            (target / notebook.name).write_text(nbformat.writes(made), encoding="utf-8")
        except OSError as error:
            raise HostError(f"{target} cannot be written ({error.strerror or error})") from error
    return (target / notebook.name, *(target / name for name in files))
