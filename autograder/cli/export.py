"""``autograder export``: writes the grades as CSV."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples, warn_each
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    short_help="Write the grades of all assignments as CSV.",
    epilog=examples("""
autograder export
autograder export --to term.csv
"""),
)
@course_option
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="The file (default: grades.csv).")
def export(course_folder: Path, to: Path | None) -> None:
    """Write the grades of all assignments as CSV, points given by hand in the gradebook included."""
    from autograder.course.configuration import load_course
    from autograder.results import publication

    course = load_course(course_folder.resolve())
    click.echo(publication.write_csv(course, to))
    warn_each(publication.doubts(course))
