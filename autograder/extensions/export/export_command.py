"""``autograder export``: writes the grades and the course table as CSV."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from autograder.cli.output import course_option, examples, warn_each
from autograder.cli.requirements import InstructorCommand

_file = click.Path(path_type=Path, dir_okay=False)


@click.command(
    cls=InstructorCommand,
    short_help="Write the grades and the course table as CSV.",
    epilog=examples("""
autograder export
autograder export --to term.csv                            # the grades alone, to another file
autograder export --final                                  # what is not handed in counts 0
autograder export --exporter registrar.py:Exporter --to registrar.csv
"""),
)
@course_option
@click.option("--to", type=_file, help="The file of the grades (default: grades.csv, and the table beside it).")
@click.option("--totals", type=_file, help="The file of the course table (default: totals.csv).")
@click.option("--final", is_flag=True, help="Count 0 for all that is not handed in, also if it is not due yet.")
@click.option(
    "--exporter", metavar="FILE:CLASS", help="Run an export plugin of the course instead, in nbgrader's form."
)
def export(course_folder: Path, to: Path | None, totals: Path | None, final: bool, exporter: str | None) -> None:
    """Write the grades of all assignments as CSV, and the course table: a row for each student, with the total.

    Points given by hand in the gradebook are included. What counts how much, course.yaml says.
    """
    from autograder.course.configuration import load_course
    from autograder.extensions.export.course_table import course_table, export_by_plugin, write_table
    from autograder.results import publication

    course = load_course(course_folder.resolve())
    if exporter is not None:
        export_by_plugin(course, exporter, to)
        return
    notes = []
    if to is not None or totals is None:
        click.echo(publication.write_csv(course, to))
        notes += publication.doubts(course)
    if totals is not None or to is None:
        table = course_table(course, datetime.now(UTC), final=final)
        click.echo(write_table(course, table, totals))
        notes += table.doubts
    warn_each(notes)
