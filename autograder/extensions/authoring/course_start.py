"""A new course, and another assignment of a course."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from autograder._util.files import write_atomically
from autograder._util.notebook_format import NotebookNode
from autograder._util.yaml_record import parse
from autograder.course.configuration import load_course
from autograder.course.course_yaml import COURSE_FILE, READER
from autograder.errors import CourseError, UsageError
from autograder.extensions.authoring.course_schema import SCHEMA_FILE, schema_text
from autograder.extensions.authoring.source_templates import template_notebook
from autograder.records.course import Course
from autograder.release.build import notebook_text

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


def start_course(folder: Path, title: str, assignment: str, kind: str, due: str = "") -> list[Path]:
    """Make a course with one assignment, which can be released as it is.

    Args:
        folder: the course folder; made if it is not there.
        title: the course's title.
        assignment: the assignment's name.
        kind: the template, one of :data:`autograder.extensions.authoring.source_templates.KINDS`.
        due: when it is due, as course.yaml says it; empty: never.

    Returns:
        The files that were written.

    Raises:
        UsageError: there is a course already, or the name cannot be a folder's.
        CourseError: the date cannot be read.
        HostError: the folder cannot be written.
    """
    file = folder / COURSE_FILE
    if file.exists():
        raise UsageError(f"{file} is there already; `autograder new NAME` adds an assignment")
    _check_name(assignment)
    course_id = "-".join(re.findall(r"[\w.]+", folder.resolve().name.lower())) or "course"
    text = f"# yaml-language-server: $schema={SCHEMA_FILE}\n" + yaml.safe_dump(
        {"course": course_id, "title": title}, allow_unicode=True, sort_keys=False
    )
    notebook = _write_notebook(folder / "source" / assignment, assignment, template_notebook(kind, assignment))
    write_atomically(file, f"{text}\nassignments:\n" + "".join(_entry(assignment, due, "  ")))
    try:
        load_course(folder)
    except CourseError:
        file.unlink()
        notebook.unlink()
        raise
    write_atomically(folder / SCHEMA_FILE, schema_text())
    return [file, folder / SCHEMA_FILE, notebook]


def add_assignment(root: Path, assignment: str, notebook: NotebookNode, name: str = "") -> list[Path]:
    """Add an assignment of one notebook to a course; what is there stays.

    Args:
        root: the course folder.
        assignment: the assignment's name.
        notebook: its source.
        name: the notebook's name without ``.ipynb``; empty: the assignment's.

    Returns:
        The files that were written or changed.

    Raises:
        UsageError: the source folder has files already, or the name cannot be a folder's.
        CourseError: course.yaml is wrong, or has its assignments in one line.
        HostError: something cannot be written.
    """
    _check_name(assignment)
    course = load_course(root)
    file = course.root / COURSE_FILE
    folder = empty_source(course, assignment)
    text = _with_entry(file, assignment) if file.exists() and assignment not in course.assignments else ""
    paths = [_write_notebook(folder, name or assignment, notebook)]
    if text:
        write_atomically(file, text)
        paths.append(file)
    return paths


def empty_source(course: Course, assignment: str) -> Path:
    """Return the folder of an assignment that is to be written.

    Raises:
        UsageError: it has files already.
    """
    folder = course.source(assignment)
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} has files already; give the assignment another name, or move them away")
    return folder


def _check_name(assignment: str) -> None:
    if not _NAME.fullmatch(assignment):
        raise UsageError(f"{assignment!r} cannot be the name of an assignment; use letters, digits, '-', '_' and '.'")


def _write_notebook(folder: Path, name: str, notebook: NotebookNode) -> Path:
    path = folder / f"{name}.ipynb"
    if path.exists():
        raise UsageError(f"{path} is there already")
    write_atomically(path, notebook_text(notebook))
    return path


def _entry(assignment: str, due: str, indent: str) -> Sequence[str]:
    """Return the lines of an assignment in course.yaml; a name that YAML takes for a number is quoted."""
    key = yaml.safe_dump({assignment: None}).partition(":")[0]
    head = f"{indent}{key}:"
    return [f"{head}\n", f"{indent * 2}due: {due}\n"] if due else [f"{head} {{}}\n"]


def _with_entry(file: Path, assignment: str) -> str:
    """Return course.yaml with another assignment after the last one; all else stays as it is written."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    node = parse(file)
    listed = READER.pairs(node, "the course").get("assignments")
    if listed is None:
        return "".join([*lines, "\nassignments:\n", *_entry(assignment, "", "  ")])
    key, value = listed
    if isinstance(value, yaml.CollectionNode) and value.flow_style:
        todo = f"begin a line with each assignment, or add {assignment}: {{}} there yourself"
        raise READER.error(value, f"'assignments' stands in one line; {todo}")
    column = value.value[0][0].start_mark.column if isinstance(value, yaml.MappingNode) else 2
    after = _end_line(value) if isinstance(value, yaml.MappingNode) else key.end_mark.line + 1
    if after and not lines[after - 1].endswith("\n"):
        lines[after - 1] += "\n"
    lines[after:after] = _entry(assignment, "", " " * column)
    return "".join(lines)


def _end_line(node: yaml.Node) -> int:
    """Return the number of the line after a node, without the comments and empty lines that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end_line(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.line + (node.end_mark.column > 0))
