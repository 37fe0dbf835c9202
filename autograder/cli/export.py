"""``autograder export``: writes the grades as CSV."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples, warn_each
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    epilog=examples("""
autograder export
autograder export --to term.csv
"""),
)
@course_option
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="The file (default: grades.csv).")
def export(course_folder: Path, to: Path | None) -> None:
    """Write the grades of all assignments as CSV, points given by hand in the gradebook included."""
    from autograder import record
    from autograder.course import load_course

    course = load_course(course_folder.resolve())
    click.echo(record.write_csv(course, to))
    warn_each(record.doubts(course))
