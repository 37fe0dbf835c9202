"""Reader of the course on disk: from course.yaml, or from an nbgrader course as it stands, to frozen records.

The records themselves (:mod:`autograder.records`) say which keys course.yaml may have, and of which type. Beside this
module stand the ranges (``course_yaml``) and the rules that no type expresses. These are the course's
(``course_file``), those of an assignment's settings (``assignment_settings``) and of its files (``assignment_files``).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autograder._util.yaml_record import suggest
from autograder.course.course_file import read_course_file
from autograder.course.course_yaml import COURSE_FILE
from autograder.course.nbgrader_config import NBGRADER_CONFIG, options_without_effect, read_nbgrader_config
from autograder.course.nbgrader_course import nbgrader_course
from autograder.errors import HostError, UsageError
from autograder.records.course import Assignment, Course


def load_course(root: Path, tables: Path | None = None) -> Course:
    """Read the course in the folder ``root``.

    With a course.yaml, that file decides. Without one, the folder is read as an nbgrader course: each folder in source/
    that holds a notebook is an assignment with default limits. Due dates are those of gradebook.db. Course id and late
    policy are those of nbgrader_config.py, which is read, not run. Without a course id, the folder's name is used.

    Args:
        root: the course folder.
        tables: the folder whose course.yaml and files of the term count; None: ``root``.

    Returns:
        The course with its assignments.

    Raises:
        UsageError: ``root`` is not a folder.
        CourseError: the course is wrong; the message names file and line.
        HostError: there is a gradebook.db that cannot be read, and no course.yaml; or ``tables`` is gone.
    """
    root = Path(root).resolve()
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder")
    if tables is not None and not tables.is_dir():
        raise HostError(f"{tables} is gone")
    file = (tables or root) / COURSE_FILE
    return replace(read_course_file(root, file) if file.exists() else nbgrader_course(root), tables=tables)


def assignment(course: Course, name: str) -> Assignment:
    """Return the assignment called ``name``.

    Raises:
        UsageError: there is none; the message suggests the nearest name.
    """
    if name in course.assignments:
        return course.assignments[name]
    names = ", ".join(course.assignments) or "none yet"
    near = suggest(name, course.assignments)
    raise UsageError(f"there is no assignment {name!r} in this course{near} (assignments: {names})")


def without_effect(root: Path) -> str:
    """Return one sentence that names the options of nbgrader_config.py without effect here; empty if there is none."""
    config = read_nbgrader_config(root)
    options = ", ".join(options_without_effect(config, course_file=(root / COURSE_FILE).exists()))
    return f"{NBGRADER_CONFIG}: without effect on a release or a grade here: {options}" if options else ""
