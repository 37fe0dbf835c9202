"""``autograder attempts``: lists what a student handed in, and says which of it counts."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course, warn
from autograder.cli.requirements import InstructorCommand
from autograder.errors import UsageError


@click.command(
    cls=InstructorCommand,
    short_help="List a student's attempts, or say which one counts.",
    epilog=examples("""
autograder attempts ada hw1
autograder attempts ada hw1 --use 4f0c2a91 --why "The newest is another course's notebook."
"""),
)
@click.argument("student")
@click.argument("assignment")
@course_option
@click.option("--use", "wanted", metavar="RECEIPT", help="Let this attempt count: a receipt, or a name of the list.")
@click.option("--why", "reason", default="", metavar="TEXT", help="The reason, for people.")
def attempts(student: str, assignment: str, course_folder: Path, wanted: str | None, reason: str) -> None:
    """List what STUDENT or the team handed in: when, what it answers, which counts and why.

    With --use, another attempt counts, and all others up to now are set aside. Grade again afterwards; `autograder
    grade --watch` does so by itself, and so does a door where its page is used instead.
    """
    from autograder._util.text import one_line
    from autograder._util.time_zones import placed
    from autograder.coordinator import locks
    from autograder.extensions.serve.attempt_table import choose, listed
    from autograder.submissions.hand_ins import HandIns

    course, settings = open_course(course_folder, assignment)
    if student not in HandIns(course).students(settings.name):
        raise UsageError(f"{student} has handed in nothing for {settings.name}")
    if wanted is not None:
        with locks.held(course, locks.COLLECTING):
            before, after = choose(
                course, student, settings.name, wanted, by=f"staff {getpass.getuser()}", reason=reason
            )
        click.echo(f"{after} counts, and {before} did before")
        warn(f"Then grade again: autograder grade {settings.name}")
        return
    for entry in listed(HandIns(course), student, settings.name):
        time = entry.attempt.time
        when = f"{placed(time, course.zone):%Y-%m-%d %H:%M:%S %Z}" if time is not None else "at an unknown time"
        facts = [one_line(entry.attempt.submitter, 60), entry.answers, one_line(entry.why, 200)]
        mark = "counts" if entry.counts else ""
        click.echo(f"{mark:<7} {entry.name[:8]}  {when}  {', '.join(filter(None, facts))}")
