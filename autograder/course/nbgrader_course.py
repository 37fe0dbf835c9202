"""Reader of an nbgrader course as it stands, without a course.yaml."""

from __future__ import annotations

import contextlib
import os
import posixpath
from datetime import UTC, datetime
from pathlib import Path

from autograder.course.late_policy import check_plugin
from autograder.course.nbgrader_config import NBGRADER_CONFIG, NbgraderConfig, read_nbgrader_config
from autograder.errors import CourseError, HostError
from autograder.records.course import Assignment, Course, Examine
from autograder.records.limits import Limits
from autograder.records.policies import LatePolicy

_BEGIN = "make source/<assignment>/ with a notebook in it, or go to the course folder (or name it: --course DIR)"
_NBGRADERS_OWN = "nbgrader.plugins.LateSubmissionPlugin"


def nbgrader_course(root: Path) -> Course:
    """Read ``root``: each folder in source/ that holds a notebook is an assignment with default limits.

    A test that needs the student's kernel runs there, and its points are labelled.

    Raises:
        CourseError: there is no such folder, or nbgrader_config.py sets something that cannot be used.
        HostError: gradebook.db cannot be read.
    """
    config = read_nbgrader_config(root)
    directories = _directories(root, config)
    source = root / directories.get("source", "source")
    if not source.is_dir():
        source_name = directories.get("source", "source")
        raise CourseError(f"{root}: no course here (neither course.yaml nor {source_name}/); {_BEGIN}")
    names = sorted(
        folder.name
        for folder in source.iterdir()
        if folder.is_dir() and not folder.name.startswith(".") and any(folder.glob("*.ipynb"))
    )
    if not names:
        raise CourseError(f"{source}: no folder with a notebook in it; {_BEGIN}")
    answers = _answers(config)
    called = config.values.get("CourseDirectory", {}).get("course_id")
    course_id = called.strip() if isinstance(called, str) else ""
    course_id = course_id or root.name or "course"
    due, late, limits = _due_dates(root / "gradebook.db", course_id), _late_policy(root, config), _limits(config)
    examine = Examine("kernel")  # as in nbgrader, where every test runs there
    assignments = {
        name: Assignment(
            name,
            name,
            due=due.get(name),
            late=late,
            limits=limits,
            examine=examine,
            answers=answers.get(name, ()),
        )
        for name in names
    }
    return Course(root, course_id, course_id, assignments, directories=directories)


def _directories(root: Path, config: NbgraderConfig) -> dict[str, str]:
    """Read the names of the course's folders: kind → folder, for those with another name than nbgrader's."""
    directories: dict[str, str] = {}
    for kind in ("source", "release", "submitted", "autograded", "feedback"):
        configured = config.get("CourseDirectory", f"{kind}_directory", kind)
        option = f"{NBGRADER_CONFIG}: c.CourseDirectory.{kind}_directory"
        text = (
            os.path.relpath(configured, root)
            if isinstance(configured, str) and Path(configured).is_absolute()
            else configured
        )
        if not isinstance(text, str) or not text.strip():
            raise CourseError(f"{option} is {configured!r}; it is the name of a folder of the course")
        folder = posixpath.normpath(text)
        if folder.startswith("."):
            raise CourseError(f"{option} is {configured!r}; it must be a folder of its own within the course")
        directories[kind] = folder
    for kind, folder in directories.items():
        twin = next((k for k, f in directories.items() if k != kind and _within(f, folder)), None)
        if twin is not None:
            option = f"{NBGRADER_CONFIG}: c.CourseDirectory.{twin}_directory"
            raise CourseError(
                f"{option} is {directories[twin]!r}, within that of {kind}; each needs a folder of its own"
            )
    return {kind: folder for kind, folder in directories.items() if folder != kind}


def _within(folder: str, parent: str) -> bool:
    return folder == parent or folder.startswith(f"{parent}/")


def _answers(config: NbgraderConfig) -> dict[str, tuple[str, ...]]:
    """Read which released files students edit, and nbgrader does not put back."""
    excluded = config.get("Autograde", "exclude_overwriting", {})
    listed = excluded if isinstance(excluded, dict) else {}
    return {str(name): tuple(map(str, files)) for name, files in listed.items() if isinstance(files, list | tuple)}


def _limits(config: NbgraderConfig) -> Limits:
    """Take the default limits, with nbgrader's time for a cell if it is set."""
    seconds = config.get("Execute", "timeout", config.get("ExecutePreprocessor", "timeout"))
    if type(seconds) is not int or seconds <= 0:  # nbgrader allows "no limit"; a batch needs one
        return Limits()
    return Limits(cell_seconds=float(seconds), notebook_seconds=max(Limits().notebook_seconds, 5.0 * seconds))


def _late_policy(root: Path, config: NbgraderConfig) -> LatePolicy:
    """Read the late policy of nbgrader_config.py: nbgrader's own method, or a class of the course."""
    class_name = str(config.get("AssignLatePenalties", "plugin_class", _NBGRADERS_OWN))
    option = f"{NBGRADER_CONFIG}: c.AssignLatePenalties.plugin_class"
    if class_name.startswith("nbgrader.") and class_name.endswith(".LateSubmissionPlugin"):
        method = config.get("LateSubmissionPlugin", "penalty_method", "none")
        if method not in ("none", "zero"):
            raise CourseError(
                f"{NBGRADER_CONFIG}: c.LateSubmissionPlugin.penalty_method: {method!r} is not none or zero"
            )
        return LatePolicy(method)
    module, _, name = class_name.rpartition(".")
    reference = f"{module.replace('.', '/')}.py:{name}"
    try:
        check_plugin(root, reference)
    except ValueError as error:
        raise CourseError(f"{option}: {error}") from None
    return LatePolicy("plugin", plugin=reference)


def _due_dates(gradebook: Path, course_id: str) -> dict[str, datetime]:
    """Read the due date of each assignment (UTC) from nbgrader's gradebook; the file is opened read-only."""
    if not gradebook.is_file():
        return {}
    import sqlite3

    try:
        with contextlib.closing(sqlite3.connect(f"{gradebook.as_uri()}?mode=ro", uri=True)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'assignment'").fetchone():
                return {}
            query = "SELECT name, duedate FROM assignment WHERE duedate IS NOT NULL ORDER BY course_id = ?"
            rows = database.execute(query, (course_id,)).fetchall()
            return {name: datetime.fromisoformat(due).replace(tzinfo=UTC) for name, due in rows}
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise HostError(f"{gradebook} cannot be read ({error}); restore it from a backup, or move it away") from error
