"""``autograder feedback``: writes the students' pages."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.output import DONE, MAX_PATH, WRONG, complain, course_option, examples, open_course
from autograder.cli.requirements import InstructorCommand
from autograder.errors import CourseError


@click.command(
    cls=InstructorCommand,
    short_help="Write the students' feedback pages.",
    epilog=examples("""
autograder feedback keras-fully-connected                   # after grading by hand in formgrader
autograder feedback keras-fully-connected --student ada
"""),
)
@click.argument("assignment")
@course_option
@click.option("--student", "only", multiple=True, help="Only this student; may be given more than once.")
def feedback(assignment: str, course_folder: Path, only: tuple[str, ...]) -> None:
    """Write the students' feedback pages from the current results, with points and comments given by hand."""
    course, wanted = open_course(course_folder, assignment)
    from autograder._util.text import one_line
    from autograder.results import publication
    from autograder.results.feedback import write_feedback

    grades = publication.for_people(course, publication.grades(course, wanted.name, only))
    result = write_feedback(course, wanted, grades)
    for path in result.pages:
        click.echo(one_line(str(path), MAX_PATH))
    for fault in result.faults:
        complain(CourseError(fault))
    sys.exit(WRONG if result.faults else DONE)
