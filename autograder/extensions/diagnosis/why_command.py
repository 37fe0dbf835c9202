"""``autograder why``: tells the teacher what was compared for one student, on what, with which line."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    short_help="Say what a test compared for one student.",
    epilog=examples("""
autograder why ada keras-fully-connected               # each question that lost points
autograder why ada keras-fully-connected test-loss     # this question, with its whole test
"""),
)
@click.argument("student")
@click.argument("assignment")
@click.argument("question", required=False)
@course_option
def why(student: str, assignment: str, question: str | None, course_folder: Path) -> None:
    """Say how STUDENT's points for ASSIGNMENT came about: what was compared, on what, with which line of the test.

    Without QUESTION, it shows each question that lost points or waits for a person. With a QUESTION's id, it shows
    that question and all of its test, and the lines that decided have a mark.

    It reads what `autograder grade` has kept, and runs nothing. It quotes hidden tests: it is for you, and never for
    students, whose own page is in feedback/.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder._util.text import visible
    from autograder.extensions.diagnosis.why import explained

    for line in explained(course, wanted, student, question):
        click.echo(visible(line))
