"""Preparation of a release: the course's own script makes files that are not stored with the course.

A holdout is drawn or split off again from the same arguments. So nobody has to remember to do it, and no secret row
lies in a repository.
"""

from __future__ import annotations

import ast
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from autograder.errors import CourseError, HostError
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam, ExamCell, Role

SHOWN_LINES = 12
"""Number of last lines of a failing script's output that are shown."""


def prepare(course: Course, assignment: Assignment) -> str:
    """Run the assignment's ``prepare`` command, if it has one, and check that it made the listed files.

    The command runs with the kit's Python in the course folder and gets the assignment's name as its last argument. It
    is the instructor's own and runs unconfined, as a Makefile would.

    Returns:
        Its output, for a person.

    Raises:
        CourseError: it fails, with the last lines of its output; or a listed file is not there afterwards.
        HostError: no process could be started.
    """
    if assignment.prepare is None:
        return ""
    script, *arguments = shlex.split(assignment.prepare)
    command = [sys.executable, str(course.root / script), *arguments, assignment.name]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}
    try:
        process = subprocess.run(
            command,
            cwd=course.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
    except OSError as error:
        raise HostError(f"{script} could not be started ({error.strerror or error})") from error
    if process.returncode:
        raise CourseError(_failure(assignment, script, process))
    absent = missing(course, assignment)
    if absent:
        raise CourseError(f"{assignment.name}: {script} ran, but {absent[0]} is not there; it must make that file")
    return process.stdout.strip()


def missing(course: Course, assignment: Assignment) -> tuple[Path, ...]:
    """List the files of ``files`` and ``hidden`` that do not exist, relative to the course folder."""
    released = (course.root / name for name in assignment.files)
    hidden = (course.hidden(assignment.name) / name for name in assignment.hidden)
    return tuple(path.relative_to(course.root) for path in (*released, *hidden) if not path.exists())


def check_prepared(course: Course, assignment: Assignment) -> None:
    """Refuse to continue if a listed file is missing.

    Raises:
        CourseError: a file is missing; the message says which, and which command makes it.
    """
    absent = missing(course, assignment)
    if absent:
        todo = f"run `autograder release {assignment.name}`, which makes it" if assignment.prepare else "put it there"
        raise CourseError(f"{assignment.name}: {absent[0]} is not there; {todo}")


def check_hidden_data(course: Course, assignment: Assignment, exams: Sequence[Exam]) -> None:
    """Go on only where the hidden files are there that tests name: without one, its test is broken for everybody.

    Raises:
        CourseError: a file is missing; the message says which, and which test names it.
    """
    folder = course.hidden(assignment.name)
    for exam in exams:
        for cell in exam.cells:
            for name in _hidden_names(cell) if cell.role is Role.TEST else ():
                if not (folder / name).is_file():
                    todo = f"run `autograder release {assignment.name}`" if assignment.prepare else "put it there"
                    absent = (folder / name).relative_to(course.root)
                    raise CourseError(
                        f"{assignment.name}: {absent} is not there, which the test {cell.grade_id!r} of "
                        f"{exam.notebook}.ipynb reads; {todo}"
                    )


def unread_hidden_data(assignment: Assignment, exams: Sequence[Exam]) -> list[str]:
    """Warn of files of ``hidden`` in course.yaml that no test names, where all tests name theirs as literals."""
    tests = [cell for exam in exams for cell in exam.cells if cell.role is Role.TEST]
    text = "\n".join(cell.source for cell in tests)
    names = [name for cell in tests for name in _hidden_names(cell)]
    if text.count("hidden_data") > len(names):
        return []
    unread = [name for name in assignment.hidden if name not in names and PurePosixPath(name).name not in text]
    return [f"source/{assignment.name}/hidden/{name}: no test reads it, and course.yaml lists it" for name in unread]


def _hidden_names(cell: ExamCell) -> Iterator[str]:
    """Yield the names that a test gives to ``check.hidden_data`` as literals."""
    try:
        tree = ast.parse(cell.source)
    except (SyntaxError, ValueError):  # told when the exam is made
        return
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                ast.Attribute(attr="hidden_data") | ast.Name(id="hidden_data"), [ast.Constant(str(name)), *_]
            ):
                if name and not PurePosixPath(name).is_absolute() and "\0" not in name:
                    yield name


def _failure(assignment: Assignment, script: str, process: subprocess.CompletedProcess[str]) -> str:
    """Describe the failure: script, exit code or signal, and the end of its output."""
    code = process.returncode
    how = f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
    lines = (process.stderr.strip() or process.stdout.strip() or "(it printed nothing)").splitlines()[-SHOWN_LINES:]
    return "\n".join([f"{assignment.name}: {script} failed ({how}):", *(f"  {line}" for line in lines)])
