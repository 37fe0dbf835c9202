"""``autograder convert``: writes an assignment's source in the format of nbgrader or of otter-grader."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    short_help="Turn otter sources into nbgrader's, and back.",
    epilog=examples("""
autograder convert hw1 --to nbgrader
autograder convert hw1 --to otter --output source/hw1-for-otter --lossy
"""),
)
@click.argument("assignment")
@click.option(
    "--to",
    required=True,
    metavar="FORMAT",
    type=click.Choice(["nbgrader", "otter"]),
    help="The format that is written: nbgrader or otter.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="A new folder (default: source/ASSIGNMENT-nbgrader or -otter)."
)
@click.option("--lossy", is_flag=True, help="Write it also if the format cannot hold all, and list what is lost.")
@course_option
def convert(assignment: str, to: str, output: Path | None, lossy: bool, course_folder: Path) -> None:
    """Write source/ASSIGNMENT in the other format, into a new folder; the source stays as it is.

    Questions, points, tests with their hidden parts, and solutions are the same. What the format cannot hold is
    listed, and nothing is written without `--lossy`. A course needs no conversion: it may mix both formats.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder.extensions.otter.exchange import exchange

    done = exchange(course, wanted, to, output=output, lossy=lossy)
    for loss in done.losses:
        click.echo(f"lost: {loss}", err=True)
    for name in done.notebooks:
        click.echo(f"  {name}.ipynb")
    click.echo(f"{done.folder}  (add it to the assignments of course.yaml to release it)")
