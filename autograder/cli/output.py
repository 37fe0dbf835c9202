"""Output that commands share: messages, exit codes and options."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from autograder.records.course import Assignment, Course
    from autograder.records.grade import Batch

DONE, WRONG, USAGE, NOT_GRADED, NOT_VERIFIED, UNSOUND = 0, 1, 2, 3, 4, 5
"""Exit codes."""
MAX_PATH = 4096
"""Largest number of characters of a printed path. It holds students' names, which are escaped like all their text."""

course_option = click.option(
    "--course",
    "course_folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    metavar="DIR",
    help="The course folder (default: here).",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Submissions at a time (default: one for each core, as far as the memory goes).",
)


def examples(text: str) -> str:
    """Lay out the epilog of a command: a heading, and its lines as they stand."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())


def open_course(folder: Path, name: str) -> tuple[Course, Assignment]:
    """Read the course in a folder, and find an assignment of it."""
    from autograder.course.configuration import assignment, load_course

    course = load_course(folder.resolve())
    return course, assignment(course, name)


def require_sandbox(assignment: Assignment) -> None:
    """Refuse to continue where the sandbox does not hold."""
    from autograder.coordinator.grading_sandboxes import require_walls

    if require_walls(assignment):
        say_reduced()


def say_reduced() -> None:
    """Say that limits are reduced."""
    click.echo("No cgroup is available here: limits are reduced, and notebooks run one at a time.", err=True)


def complain(error: Exception) -> None:
    """Show an error."""
    from autograder._util.text import visible

    click.echo(click.style("error: ", fg="red", bold=True) + visible(str(error)), err=True)


def complain_of(batch_result: Batch) -> None:
    """Name the submissions that could not be graded, and why."""
    from autograder._util.text import one_line

    for failure in batch_result.not_graded:
        warn(f"not graded: {one_line(failure.student)}: {failure.reason}")


def say_unanswered(batch_result: Batch) -> None:
    """Say whose notebooks were executed although a recording is there, and why."""
    from autograder._util.text import one_line

    if students := batch_result.unanswered:
        reason = "tests ask what they did not ask then, or an answer is found in another cell"
        names = one_line(", ".join(students))
        warn(f"note: recordings have no answer, so notebooks were executed again: {reason}: {names}")


def warn(text: str) -> None:
    """Print a text on standard error."""
    from autograder._util.text import visible

    click.echo(visible(text), err=True)


def warn_each(texts: Iterable[str]) -> None:
    """Print notes on standard error."""
    for text in texts:
        warn(f"note: {text}")


def print_all_characters() -> None:
    """Make every character printable: on Windows, redirected output can encode only a few."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            from autograder._util.text import PLAIN

            stream.reconfigure(errors=PLAIN)


def status(text: str) -> Any:
    """Show a spinner with a text during a long step."""
    from rich.console import Console

    return Console(stderr=True).status(text)
