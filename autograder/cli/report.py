"""``autograder report``: writes the class report."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course, warn_each
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    epilog=examples("""
autograder report keras-fully-connected
"""),
)
@click.argument("assignment")
@course_option
def report(assignment: str, course_folder: Path) -> None:
    """Write the class report from the current results.

    Grades of an exam that has changed since are listed there by name, and left out of all statistics.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder._util.text import one_line
    from autograder.coordinator.assignment import load_release
    from autograder.coordinator.cache_keys import exam_key
    from autograder.results import publication

    release = load_release(course, wanted)
    standing = publication.on_disk(course, wanted.name, exam_key(course, release))
    click.echo(publication.write_report(course, wanted, standing, [one.exam for one in release.notebooks]))
    remarks = [*standing.set_aside.items(), *publication.departed(course, standing.current).items()]
    warn_each(f"{one_line(student)}: {why}" for student, why in remarks)
