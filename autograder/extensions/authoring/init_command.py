"""``autograder init`` and ``autograder new``: a course that can be released as it stands, and further assignments."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from autograder.cli.output import course_option, examples
from autograder.cli.requirements import InstructorCommand

_KINDS = {
    "numpy": "a function, and a question that a person grades",
    "keras": "a network in Keras",
    "pytorch": "a network in PyTorch",
    "nbgrader": "plain asserts in nbgrader's form",
    "otter": "otter-grader's form",
}


def _kind_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each kind of assignment."""
    for kind, text in reversed(_KINDS.items()):
        command = click.option(f"--{kind}", "kind", flag_value=kind, default=None, help=f"The assignment: {text}.")(
            command
        )
    return command


@click.command(
    cls=InstructorCommand,
    short_help="Make a course that can be released.",
    epilog=examples("""
autograder init networks             # asks four questions
autograder init networks --keras     # asks none
"""),
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@_kind_options
def init(folder: Path, kind: str | None) -> None:
    """Make a course in FOLDER (default: here) with one assignment, which can be released as it stands.

    It asks for the course's title, what students use, the first assignment's name and when it is due. With one of the
    options it asks nothing. The files are course.yaml, its schema for editors, and a source notebook with an answer
    and a test, to read, to try and to write over.
    """
    from autograder.extensions.authoring.course_start import start_course

    title, assignment, due = folder.resolve().name.replace("-", " ").capitalize() or "Course", "hw1", ""
    if kind is None:
        title = click.prompt("Title of the course", default=title)
        kind = click.prompt("What do students use?", type=click.Choice(list(_KINDS)), default="numpy")
        assignment = click.prompt("Name of the first assignment", default=assignment)
        due = click.prompt("When is it due (2027-01-31; empty: never)?", default="", show_default=False)
    _say(start_course(folder, title, assignment, str(kind), due), folder, assignment)


@click.command(
    cls=InstructorCommand,
    short_help="Add an assignment to a course.",
    epilog=examples("""
autograder new hw2
autograder new hw2 --pytorch
"""),
)
@click.argument("assignment")
@_kind_options
@course_option
def new(assignment: str, kind: str | None, course_folder: Path) -> None:
    """Add ASSIGNMENT to course.yaml, with a source notebook that can be released as it stands (default: --numpy)."""
    from autograder.extensions.authoring.course_start import add_assignment
    from autograder.extensions.authoring.source_templates import template_notebook

    notebook = template_notebook(kind or "numpy", assignment)
    _say(add_assignment(course_folder, assignment, notebook), course_folder, assignment)


@click.command(
    cls=InstructorCommand,
    short_help="Print the JSON schema of course.yaml.",
    epilog=examples("""
autograder schema > course.schema.json    # after an update of the kit
"""),
)
def schema() -> None:
    """Print the JSON schema of course.yaml, with the keys of the extensions that are installed.

    `autograder init` writes it into course.schema.json, which the first line of course.yaml names.
    """
    from autograder.extensions.authoring.course_schema import schema_text

    click.echo(schema_text(), nl=False)


def _say(paths: list[Path], folder: Path, assignment: str) -> None:
    """List what was written, and say what is next."""
    from autograder._util.text import one_line

    for path in paths:
        click.echo(f"  {one_line(str(path), 500)}")
    option = "" if folder.resolve() == Path.cwd() else f" --course {shlex.quote(str(folder))}"
    click.echo(f"Next: autograder release {assignment}{option}")
